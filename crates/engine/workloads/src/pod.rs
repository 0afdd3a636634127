//! Pods: bound to the simulated node, and ready at once unless an annotation says otherwise.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::outcome::{
    Condition, Context, LastUpdate, Outcome, Write, conditions, print_time, remaining,
    set_condition, text, time,
};
use crate::template::phase;

/// How a pod turns out: `crashloop`, `imagepull`, `never-ready`, `fail`.
pub const OUTCOME: &str = "sim.tiphys.io/outcome";
/// How long a pod takes to be ready: `5s`, `2m`, `300ms`.
pub const DELAY: &str = "sim.tiphys.io/delay";

/// Takes the next step for a pod.
pub fn reconcile(object: &Value, _: &[Arc<Value>], context: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    if crate::outcome::is_deleting(object) {
        // Nothing runs, so there is nothing to wait for.
        outcome.write(Write::Delete {
            key: manifest::key_of(object),
            uid: manifest::uid(object).to_owned(),
            grace_s: Some(0),
        });
        return outcome;
    }
    if matches!(phase(object), "Succeeded" | "Failed") {
        return outcome;
    }
    if text(object, "/spec/nodeName").is_empty() {
        if object.pointer("/spec/schedulingGates/0").is_some() {
            return outcome;
        }
        let mut bound = object.clone();
        bound["spec"]["nodeName"] = context.node.into();
        outcome.write(Write::Update(bound));
        return outcome;
    }
    let created = time(object, "/metadata/creationTimestamp").unwrap_or(context.now);
    let delay = manifest::annotation(object, DELAY).and_then(parse_delay).unwrap_or_default();
    let state = match remaining(created, delay, context.now) {
        Some(left) => {
            outcome.again(left);
            State::Starting
        }
        None => {
            let runs = ends(object).map_or(Duration::ZERO, |(runs, _)| runs);
            match (State::of(object), remaining(created, delay.saturating_add(runs), context.now)) {
                (State::Succeeded, Some(left)) => {
                    outcome.again(left);
                    State::Ready
                }
                (state, _) => state,
            }
        }
    };
    let status = status(object, state, context);
    outcome.status(object, status);
    outcome
}

/// `5s`, `2m`, `300ms`.
fn parse_delay(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "ms" => Duration::from_millis(count),
        "s" => Duration::from_secs(count),
        "m" => Duration::from_secs(count.checked_mul(60)?),
        _ => return None,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Starting,
    Ready,
    NeverReady,
    CrashLoop,
    ImagePull,
    Succeeded,
    Failed,
}

impl State {
    fn of(pod: &Value) -> State {
        let restarts = text(pod, "/spec/restartPolicy");
        let of_job = manifest::owner_references(pod)
            .iter()
            .any(|owner| owner.controller && owner.kind == "Job");
        match manifest::annotation(pod, OUTCOME) {
            Some("crashloop") => State::CrashLoop,
            Some("imagepull") => State::ImagePull,
            Some("never-ready") => State::NeverReady,
            Some("fail" | "fail-job") if restarts == "OnFailure" => State::CrashLoop,
            Some("fail" | "fail-job") => State::Failed,
            _ if of_job => State::Succeeded,
            _ => match ends(pod) {
                Some((_, true)) => State::Succeeded,
                Some(_) if restarts == "OnFailure" => State::CrashLoop,
                Some(_) => State::Failed,
                None => State::Ready,
            },
        }
    }

    fn phase(self) -> &'static str {
        match self {
            State::Starting | State::ImagePull => "Pending",
            State::Ready | State::NeverReady | State::CrashLoop => "Running",
            State::Succeeded => "Succeeded",
            State::Failed => "Failed",
        }
    }
}

/// After how long, and whether well, a Pod ends that is not started again, where its commands leave
/// no doubt: `true`, `false`, `sleep` or a shell's `exit`. `None` for one that goes on.
fn ends(pod: &Value) -> Option<(Duration, bool)> {
    if !matches!(text(pod, "/spec/restartPolicy"), "Never" | "OnFailure") {
        return None;
    }
    let containers = pod.pointer("/spec/containers")?.as_array()?;
    containers.iter().map(container_ends).try_fold(
        (Duration::ZERO, true),
        |(longest, well), one| {
            let (runs, ends_well) = one?;
            Some((longest.max(runs), well && ends_well))
        },
    )
}

fn container_ends(container: &Value) -> Option<(Duration, bool)> {
    let words = ["command", "args"].into_iter().filter_map(|field| container[field].as_array());
    let words: Vec<&str> = words.flatten().filter_map(Value::as_str).collect();
    let (program, rest) = words.split_first()?;
    let at_once = |well| Some((Duration::ZERO, well));
    match (program.rsplit('/').next().unwrap_or(program), rest) {
        ("true", []) => at_once(true),
        ("false", []) => at_once(false),
        ("sleep", [seconds]) => Some((Duration::from_secs(seconds.parse().ok()?), true)),
        ("sh" | "bash", ["-c", script]) => {
            let code = script.trim().strip_prefix("exit")?.trim();
            at_once(code.is_empty() || code.parse::<u8>().ok()? == 0)
        }
        _ => None,
    }
}

fn status(object: &Value, state: State, context: &Context<'_>) -> Value {
    let now = print_time(context.now);
    let started = match text(object, "/status/startTime") {
        "" => now.clone(),
        known => known.to_owned(),
    };
    let mut list = conditions(object);
    let (ready, reason) = match state {
        State::Ready => ("True", ""),
        State::Succeeded => ("False", "PodCompleted"),
        State::Failed => ("False", "PodFailed"),
        State::Starting | State::NeverReady | State::CrashLoop | State::ImagePull => {
            ("False", "ContainersNotReady")
        }
    };
    let message = match reason {
        "ContainersNotReady" => {
            format!("containers with unready status: [{}]", container_names(object).join(" "))
        }
        _ => String::new(),
    };
    for (kind, status) in [
        ("PodReadyToStartContainers", if state == State::Starting { "False" } else { "True" }),
        ("Initialized", "True"),
        ("Ready", ready),
        ("ContainersReady", ready),
        ("PodScheduled", "True"),
    ] {
        let detailed = matches!(kind, "Ready" | "ContainersReady");
        let condition = Condition {
            kind,
            status,
            reason: if detailed { reason } else { "" },
            message: if detailed { message.clone() } else { String::new() },
        };
        set_condition(&mut list, &condition, context.now, LastUpdate::None);
    }
    for condition in &mut list {
        if let Some(fields) = condition.as_object_mut() {
            fields.retain(|_, value| value.as_str() != Some(""));
            fields.insert("observedGeneration".into(), manifest::generation(object).max(1).into());
        }
    }
    let statuses = |field: &str, status: &str| -> Vec<Value> {
        let containers = object.pointer(&format!("/spec/{field}")).and_then(Value::as_array);
        containers
            .into_iter()
            .flatten()
            .map(|container| match status {
                "init" => container_status(container, State::Succeeded, &started),
                _ => container_status(container, state, &started),
            })
            .collect()
    };
    let address = address(manifest::uid(object));
    let mut status = json!({
        "observedGeneration": manifest::generation(object).max(1),
        "phase": state.phase(),
        "conditions": list,
        "startTime": started,
        "hostIP": "10.0.0.1",
        "hostIPs": [{"ip": "10.0.0.1"}],
        "containerStatuses": statuses("containers", "main"),
        "qosClass": match text(object, "/status/qosClass") { "" => "BestEffort", known => known },
    });
    if state != State::Starting {
        status["podIP"] = address.clone().into();
        status["podIPs"] = json!([{"ip": address}]);
    }
    let init = statuses("initContainers", "init");
    if !init.is_empty() {
        status["initContainerStatuses"] = init.into();
    }
    status
}

fn container_names(object: &Value) -> Vec<&str> {
    let containers = object.pointer("/spec/containers").and_then(Value::as_array);
    containers.into_iter().flatten().map(|container| text(container, "/name")).collect()
}

fn container_status(container: &Value, state: State, since: &str) -> Value {
    let name = text(container, "/name");
    let ended = |code: i64, reason: &str| json!({"exitCode": code, "reason": reason, "startedAt": since, "finishedAt": since});
    let (now, before, restarts) = match state {
        State::Starting => (json!({"waiting": {"reason": "ContainerCreating"}}), json!({}), 0),
        State::Ready | State::NeverReady => {
            (json!({"running": {"startedAt": since}}), json!({}), 0)
        }
        State::Succeeded => (json!({"terminated": ended(0, "Completed")}), json!({}), 0),
        State::Failed => (json!({"terminated": ended(1, "Error")}), json!({}), 0),
        State::CrashLoop => {
            let message = format!("back-off 5m0s restarting failed container={name}");
            let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
            (waiting, json!({"terminated": ended(1, "Error")}), 5)
        }
        State::ImagePull => {
            let image = text(container, "/image");
            let message = format!("Back-off pulling image \"{image}\"");
            (json!({"waiting": {"reason": "ImagePullBackOff", "message": message}}), json!({}), 0)
        }
    };
    json!({
        "name": name,
        "image": text(container, "/image"),
        "imageID": "",
        "ready": state == State::Ready,
        "started": matches!(state, State::Ready | State::NeverReady),
        "restartCount": restarts,
        "state": now,
        "lastState": before,
    })
}

/// An address of the simulated pod network, made from the pod's unique id.
fn address(uid: &str) -> String {
    let sum = uid.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!("10.{}.{}.{}", 244 + (sum >> 16) % 4, (sum >> 8) & 0xff, 1 + sum % 254)
}
