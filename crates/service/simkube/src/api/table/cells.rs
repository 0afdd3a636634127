//! What stands in the cells: counts, ages, states in one word.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::selector;

/// Returns a time's distance from now as people read it, for example `3d4h`.
pub(super) fn age_of(at: &Value, now: Timestamp) -> String {
    let parsed = at.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    match parsed {
        Some(at) => duration_text(now.as_second() - at.as_second()),
        None => "<unknown>".to_owned(),
    }
}

/// Returns a number of seconds as people read it: two units at most, fewer the longer it is.
pub(super) fn duration_text(seconds: i64) -> String {
    if seconds < -1 {
        return "<invalid>".to_owned();
    }
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |a: i64, x: char, b: i64, y: char| {
        if b == 0 { format!("{a}{x}") } else { format!("{a}{x}{b}{y}") }
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, 'm', seconds % 60, 's'),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, 'h', minutes % 60, 'm'),
        () if hours < 48 => format!("{hours}h"),
        () if hours < 192 => two(days, 'd', hours % 24, 'h'),
        () if days < 730 => format!("{days}d"),
        () if days < 2920 => two(days / 365, 'y', days % 365, 'd'),
        () => format!("{}y", days / 365),
    }
}

/// Returns what a JSON path finds: fields, `[n]`, `[*]` and `[?(@.a=="b")]`.
pub(super) fn json_path<'a>(object: &'a Value, path: &str) -> Vec<&'a Value> {
    let path = path.trim_start_matches('{').trim_end_matches('}');
    let mut found = vec![object];
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let Some(end) = closing(after) else { return Vec::new() };
            let inside = &after[..end];
            rest = &after[end + 1..];
            found = found.into_iter().flat_map(|at| inside_brackets(at, inside)).collect();
            continue;
        }
        let name_from = rest.strip_prefix('.').unwrap_or(rest);
        let (name, after) = field_name(name_from);
        rest = after;
        if !name.is_empty() {
            found = found.into_iter().filter_map(|at| at.get(&name)).collect();
        }
    }
    found.retain(|value| !value.is_null());
    found
}

fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

/// Takes a field's name off; a dot behind a backslash belongs to it.
fn field_name(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            '.' | '[' if !escaped => return (name, &text[at..]),
            c => {
                name.push(c);
                escaped = false;
            }
        }
    }
    (name, "")
}

fn inside_brackets<'a>(at: &'a Value, inside: &str) -> Vec<&'a Value> {
    let items = || at.as_array().into_iter().flatten();
    if inside == "*" {
        return items().collect();
    }
    if let Some(condition) = inside.strip_prefix("?(").and_then(|text| text.strip_suffix(')')) {
        let Some((left, right)) = condition.split_once("==") else { return Vec::new() };
        let path = left.trim().trim_start_matches('@').to_owned();
        let wanted = right.trim().trim_matches(|c| c == '\'' || c == '"').to_owned();
        return items()
            .filter(|item| {
                json_path(item, &path).first().is_some_and(|value| {
                    value.as_str().map_or(value.to_string() == wanted, |text| text == wanted)
                })
            })
            .collect();
    }
    if let Some(name) = inside.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return at.get(name).into_iter().collect();
    }
    let Ok(index) = inside.parse::<i64>() else { return Vec::new() };
    let length = at.as_array().map_or(0, Vec::len) as i64;
    let index = if index < 0 { length + index } else { index };
    usize::try_from(index).ok().and_then(|index| at.get(index)).into_iter().collect()
}

/// Returns the object's age.
pub(super) fn age(object: &Value, now: Timestamp) -> Value {
    json!(age_of(&object["metadata"]["creationTimestamp"], now))
}

/// Returns a number, 0 where there is none.
pub(super) fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

/// Returns a text, `otherwise` where there is none.
pub(super) fn text_or(object: &Value, pointer: &str, otherwise: &str) -> Value {
    let text = object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    json!(text.unwrap_or(otherwise))
}

/// Returns `a/b`.
pub(super) fn of(a: i64, b: i64) -> Value {
    json!(format!("{a}/{b}"))
}

fn list<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    object.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>, otherwise: &str) -> Value {
    let all: Vec<&str> = texts.collect();
    json!(if all.is_empty() { otherwise.to_owned() } else { all.join(",") })
}

/// Returns one field of each container of a template.
pub(super) fn containers(object: &Value, field: &str) -> Value {
    let places =
        ["/spec/template/spec/containers", "/spec/jobTemplate/spec/template/spec/containers"];
    joined(
        places.iter().flat_map(|place| list(object, place)).filter_map(|c| c[field].as_str()),
        "",
    )
}

/// Returns labels as `a=b,c=d`.
pub(super) fn labels(value: Option<&Value>) -> Value {
    let map = value.and_then(Value::as_object);
    let all: Vec<String> = map
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    json!(if all.is_empty() { "<none>".to_owned() } else { all.join(",") })
}

/// Returns a selector of labels in one line.
pub(super) fn selector(value: Option<&Value>) -> Value {
    let text = value.map(selector::text_of).unwrap_or_default();
    json!(if text.is_empty() { "<none>".to_owned() } else { text })
}

/// Returns how many of a pod's containers are ready.
pub(super) fn pod_ready(pod: &Value) -> Value {
    let ready = list(pod, "/status/containerStatuses").filter(|s| s["ready"] == true).count();
    let restartable =
        list(pod, "/spec/initContainers").filter(|c| c["restartPolicy"] == "Always").count();
    let all = list(pod, "/spec/containers").count() + restartable;
    json!(format!("{ready}/{all}"))
}

/// Returns a pod's state in one word.
pub(super) fn pod_status(pod: &Value) -> Value {
    let reason = pod.pointer("/status/reason").and_then(Value::as_str);
    let mut word = reason
        .or(pod.pointer("/status/phase").and_then(Value::as_str))
        .unwrap_or("Unknown")
        .to_owned();
    for (at, status) in list(pod, "/status/initContainerStatuses").enumerate() {
        let state = &status["state"];
        if state["terminated"]["exitCode"] == 0 && state["terminated"].is_object() {
            continue;
        }
        let why = state["waiting"]["reason"].as_str().filter(|why| *why != "PodInitializing");
        let count = list(pod, "/spec/initContainers").count();
        word = why.map_or_else(|| format!("Init:{at}/{count}"), |why| format!("Init:{why}"));
        break;
    }
    for status in list(pod, "/status/containerStatuses") {
        let state = &status["state"];
        if let Some(why) = state["waiting"]["reason"].as_str() {
            word = why.to_owned();
        } else if let Some(why) = state["terminated"]["reason"].as_str() {
            word = why.to_owned();
        } else if state["terminated"].is_object() {
            word = format!("ExitCode:{}", state["terminated"]["exitCode"]);
        }
    }
    if pod["metadata"].get("deletionTimestamp").is_some() {
        word = "Terminating".to_owned();
    }
    json!(word)
}

/// Returns how often a pod's containers were started again.
pub(super) fn pod_restarts(pod: &Value) -> Value {
    let count: i64 =
        list(pod, "/status/containerStatuses").filter_map(|s| s["restartCount"].as_i64()).sum();
    json!(count.to_string())
}

/// Returns a job's state in one word.
pub(super) fn job_status(job: &Value) -> Value {
    let is = |kind: &str| {
        list(job, "/status/conditions").any(|c| c["type"] == kind && c["status"] == "True")
    };
    json!(match () {
        () if is("Complete") => "Complete",
        () if is("Failed") => "Failed",
        () if job["metadata"].get("deletionTimestamp").is_some() => "Terminating",
        () if is("Suspended") => "Suspended",
        () if is("FailureTarget") => "FailureTarget",
        () if is("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    })
}

/// Returns how many of a job's pods are through.
pub(super) fn job_completions(job: &Value) -> Value {
    let done = number(job, "/status/succeeded");
    match job.pointer("/spec/completions").and_then(Value::as_i64) {
        Some(all) => of(done, all),
        None => {
            let parallel = number(job, "/spec/parallelism");
            if parallel > 1 { json!(format!("{done}/1 of {parallel}")) } else { of(done, 1) }
        }
    }
}

/// Returns how long a job took, or takes.
pub(super) fn job_duration(job: &Value, now: Timestamp) -> Value {
    let at = |pointer: &str| {
        job.pointer(pointer).and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok())
    };
    let Some(from) = at("/status/startTime") else { return json!("") };
    let to = at("/status/completionTime").unwrap_or(now);
    json!(duration_text(to.as_second() - from.as_second()))
}

/// Returns where a service is reached from outside.
pub(super) fn service_external(service: &Value) -> Value {
    let external: Vec<&str> =
        list(service, "/spec/externalIPs").filter_map(Value::as_str).collect();
    match service.pointer("/spec/type").and_then(Value::as_str) {
        Some("ExternalName") => text_or(service, "/spec/externalName", ""),
        Some("LoadBalancer") => {
            let given = list(service, "/status/loadBalancer/ingress")
                .filter_map(|at| at["ip"].as_str().or(at["hostname"].as_str()));
            joined(given.chain(external), "<pending>")
        }
        _ => joined(external.into_iter(), "<none>"),
    }
}

/// Returns a service's ports.
pub(super) fn service_ports(service: &Value) -> Value {
    let all: Vec<String> = list(service, "/spec/ports")
        .map(|port| {
            let protocol = port["protocol"].as_str().unwrap_or("TCP");
            match port["nodePort"].as_i64().filter(|port| *port > 0) {
                Some(node_port) => format!("{}:{node_port}/{protocol}", port["port"]),
                None => format!("{}/{protocol}", port["port"]),
            }
        })
        .collect();
    json!(if all.is_empty() { "<none>".to_owned() } else { all.join(",") })
}

/// Returns an ingress' hosts.
pub(super) fn ingress_hosts(ingress: &Value) -> Value {
    let hosts: Vec<&str> =
        list(ingress, "/spec/rules").filter_map(|rule| rule["host"].as_str()).collect();
    let more = hosts.len().saturating_sub(3);
    let shown = joined(hosts.iter().take(3).copied(), "*");
    if more == 0 {
        shown
    } else {
        json!(format!("{} + {more} more...", shown.as_str().unwrap_or_default()))
    }
}

/// Returns where an ingress is reached.
pub(super) fn ingress_address(ingress: &Value) -> Value {
    let given = list(ingress, "/status/loadBalancer/ingress")
        .filter_map(|at| at["ip"].as_str().or(at["hostname"].as_str()));
    joined(given, "")
}

/// Returns how many entries a config map or secret has.
pub(super) fn entries(object: &Value) -> Value {
    let count =
        |name: &str| object.get(name).and_then(Value::as_object).map_or(0, serde_json::Map::len);
    json!(count("data") + count("binaryData"))
}

/// Returns a node's state.
pub(super) fn node_status(node: &Value) -> Value {
    let ready = list(node, "/status/conditions").find(|c| c["type"] == "Ready");
    let word = match ready.and_then(|c| c["status"].as_str()) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let closed = node.pointer("/spec/unschedulable").and_then(Value::as_bool) == Some(true);
    json!(if closed { format!("{word},SchedulingDisabled") } else { word.to_owned() })
}

/// Returns a node's roles.
pub(super) fn node_roles(node: &Value) -> Value {
    let labels = node.pointer("/metadata/labels").and_then(Value::as_object);
    let roles = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/"))
        .filter(|role| !role.is_empty());
    joined(roles, "<none>")
}

/// Returns a node's address of one type.
pub(super) fn node_address(node: &Value, kind: &str) -> Value {
    let address = list(node, "/status/addresses").find(|at| at["type"] == kind);
    json!(address.and_then(|at| at["address"].as_str()).unwrap_or("<none>"))
}

/// Returns access modes in their short forms.
pub(super) fn access_modes(object: &Value, pointer: &str) -> Value {
    let short = list(object, pointer).filter_map(Value::as_str).map(|mode| match mode {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        other => other,
    });
    joined(short, "")
}

/// Returns the names of a role binding's subjects of one kind.
pub(super) fn subjects(binding: &Value, kind: &str) -> Value {
    let all: Vec<String> = list(binding, "/subjects")
        .filter(|subject| subject["kind"] == kind)
        .map(|subject| {
            let name = subject["name"].as_str().unwrap_or_default();
            match subject["namespace"].as_str() {
                Some(namespace) if kind == "ServiceAccount" => format!("{namespace}/{name}"),
                Some(_) | None => name.to_owned(),
            }
        })
        .collect();
    json!(all.join(", "))
}

/// Returns when an event was seen last, or first.
pub(super) fn event_time(event: &Value, fields: &[&str], now: Timestamp) -> Value {
    let found = fields.iter().map(|field| &event[*field]).find(|value| value.is_string());
    json!(found.map_or("<unknown>".to_owned(), |at| age_of(at, now)))
}

/// Returns what an event is about.
pub(super) fn event_object(event: &Value) -> Value {
    let about = if event["involvedObject"].is_object() {
        &event["involvedObject"]
    } else {
        &event["regarding"]
    };
    let kind = about["kind"].as_str().unwrap_or_default().to_lowercase();
    json!(format!("{kind}/{}", about["name"].as_str().unwrap_or_default()))
}

/// Returns the addresses of an Endpoints object.
pub(super) fn endpoints(object: &Value) -> Value {
    let mut all = Vec::new();
    for subset in list(object, "/subsets") {
        for address in list(subset, "/addresses") {
            for port in list(subset, "/ports") {
                all.push(format!(
                    "{}:{}",
                    address["ip"].as_str().unwrap_or_default(),
                    port["port"]
                ));
            }
        }
    }
    let more = all.len().saturating_sub(3);
    let shown = all.iter().take(3).cloned().collect::<Vec<_>>().join(",");
    json!(match (all.is_empty(), more) {
        (true, _) => "<none>".to_owned(),
        (false, 0) => shown,
        (false, more) => format!("{shown} + {more} more..."),
    })
}

/// Returns an autoscaler's metrics: what is against what shall be.
pub(super) fn autoscaler_targets(object: &Value) -> Value {
    let mut all = Vec::new();
    for metric in list(object, "/spec/metrics") {
        let name = metric["resource"]["name"].as_str().unwrap_or_default();
        let target = metric["resource"]["target"]["averageUtilization"].as_i64();
        let now = list(object, "/status/currentMetrics")
            .find(|current| current["resource"]["name"] == name)
            .and_then(|current| current["resource"]["current"]["averageUtilization"].as_i64());
        if let Some(target) = target {
            let now = now.map_or("<unknown>".to_owned(), |now| format!("{now}%"));
            all.push(format!("{name}: {now}/{target}%"));
        }
    }
    json!(if all.is_empty() { "<none>".to_owned() } else { all.join(", ") })
}
