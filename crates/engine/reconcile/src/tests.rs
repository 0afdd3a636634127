//! Cases in `tests/data`: an Application, what it wants, what is there, and what came of it.
//!
//! The cluster is a map: what is applied is there, what is deleted is gone. A case may say which
//! objects are refused, and how healthy kinds are. Decisions are taken until nothing is left to do.

#![expect(clippy::disallowed_methods, reason = "cases are read from files")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crd::{AppProject, Application};
use desired::{DesiredObject, Origin};
use jiff::Timestamp;
use manifest::{Gvk, ObjectKey, key_of};
use policy::Cluster;
use serde::Deserialize;
use serde_json::{Value, json};
use sync::{Action, Deed, Done, How, Outcome, Progress, Wellness};

use crate::{
    Condition, Destination, Facts, Judged, Kind, OperationFacts, Pair, Rules, Seen, Side, Verdict,
    decide, instance_name, merge_patch, prepare, see,
};

/// Decisions that a case may take.
const ROUNDS_MAX: usize = 60;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    /// Why the case is here.
    #[serde(default)]
    #[allow(unused)]
    about: String,
    application: Value,
    #[serde(default)]
    project: Option<Value>,
    #[serde(default)]
    no_project: bool,
    #[serde(default)]
    clusters: Vec<[String; 2]>,
    /// Objects, or a text that says why there are none.
    #[serde(default)]
    desired: Value,
    #[serde(default = "first_revision")]
    revision: String,
    #[serde(default)]
    live: Vec<Value>,
    /// `Kind/name` to `[health, message]`.
    #[serde(default)]
    health: BTreeMap<String, [String; 2]>,
    /// `Kind/name` to the server's words.
    #[serde(default)]
    refused: BTreeMap<String, String>,
    /// Kinds that the cluster does not serve.
    #[serde(default)]
    unknown_kinds: Vec<String>,
    /// Kinds without namespaces.
    #[serde(default)]
    cluster_kinds: Vec<String>,
    #[serde(default)]
    excluded: Vec<String>,
    #[serde(default)]
    asked: bool,
    #[serde(default)]
    content_changed: Option<bool>,
    #[serde(default = "noon")]
    now: String,
    #[serde(default)]
    tracking: String,
    expected: Expected,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Expected {
    /// A part of the Application as it is in the end; lists are whole.
    #[serde(default)]
    application: Value,
    /// What was done in the destination, in order: `apply Kind/name`.
    #[serde(default)]
    done: Vec<String>,
    /// How often the Application was written.
    #[serde(default)]
    writes: Option<usize>,
    #[serde(default)]
    events: Option<Vec<String>>,
    /// Why nothing is left to do, or when it goes on.
    #[serde(default)]
    next: Option<String>,
    #[serde(default)]
    because: Option<String>,
}

fn first_revision() -> String {
    "1111111111111111111111111111111111111111".into()
}

fn noon() -> String {
    "2026-01-01T12:00:00Z".into()
}

struct World {
    case: Case,
    application: Arc<Application>,
    live: BTreeMap<ObjectKey, Value>,
    done: Vec<String>,
    writes: usize,
    events: Vec<String>,
}

fn short(key: &ObjectKey) -> String {
    format!("{}/{}", key.kind, key.name)
}

/// Whether every field of `part` stands in `whole` with the same value; lists are compared item by item.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, value)| match whole.get(key) {
                Some(held) => contains(held, value),
                None => value.is_null(),
            })
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(a, b)| contains(a, b))
        }
        _ => whole == part,
    }
}

impl World {
    fn new(case: Case) -> Self {
        let mut application = case.application.clone();
        let defaults = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": "web", "namespace": "argocd"},
            "spec": {
                "project": "default",
                "source": {"repoURL": "file:///repo", "path": "web"},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
            },
        });
        fill(&mut application, &defaults);
        let application = serde_json::from_value(application).expect("an Application");
        let mut live = BTreeMap::new();
        for object in &case.live {
            live.insert(key_of(object), object.clone());
        }
        Self {
            application: Arc::new(application),
            live,
            done: Vec::new(),
            writes: 0,
            events: Vec::new(),
            case,
        }
    }

    fn tracking(&self) -> sync::Tracking {
        sync::Tracking {
            method: sync::Method::from_setting(&self.case.tracking),
            ..sync::Tracking::default()
        }
    }

    fn seen(&self, object: &Value) -> Arc<Seen> {
        let health = self.case.health.get(&short(&key_of(object))).map(|[health, words]| {
            let all = [
                Wellness::Healthy,
                Wellness::Suspended,
                Wellness::Progressing,
                Wellness::Missing,
                Wellness::Degraded,
                Wellness::Unknown,
            ];
            let found = all.into_iter().find(|one| one.as_str() == health);
            (found.expect("a health"), words.clone())
        });
        let judged = health.map(|(wellness, message)| Judged {
            rule_failed: message.starts_with("the rule failed"),
            wellness,
            message,
        });
        Arc::new(see(object, judged, &self.tracking()))
    }

    fn side(&self) -> Side {
        let app = instance_name(&self.application, "argocd");
        let spec = &self.application.spec;
        let several = !spec.sources.is_empty();
        let mut side = Side {
            sources: match several {
                true => spec.sources.clone(),
                false => spec.source.clone().into_iter().collect(),
            },
            several,
            revisions: vec![self.case.revision.clone()],
            source_types: vec!["Directory".into()],
            ..Side::default()
        };
        let objects: Vec<DesiredObject> = match &self.case.desired {
            Value::String(words) => {
                let words = format!("Failed to load target state: {words}");
                side.conditions.push(Condition::new(Kind::ComparisonError, words));
                side.failed = true;
                side.source_types = Vec::new();
                Vec::new()
            }
            Value::Array(objects) => objects
                .iter()
                .enumerate()
                .map(|(at, object)| DesiredObject {
                    object: Arc::new(object.clone()),
                    hash: at as u64,
                    origin: Origin::default(),
                })
                .collect(),
            _ => Vec::new(),
        };
        let tracking = self.tracking();
        let prepared = prepare(
            &objects,
            &Destination {
                app: &app,
                namespace: &spec.destination.namespace,
                tracking: &tracking,
                namespaced: &|gvk: &Gvk| {
                    if self.case.unknown_kinds.contains(&gvk.kind) {
                        return None;
                    }
                    let cluster = ["Namespace", "ClusterRole", "CustomResourceDefinition"];
                    Some(
                        !cluster.contains(&gvk.kind.as_str())
                            && !self.case.cluster_kinds.contains(&gvk.kind),
                    )
                },
                excluded: &|gvk: &Gvk| self.case.excluded.contains(&gvk.kind),
            },
            None,
        );
        let mut left = self.live.clone();
        for target in &prepared.targets {
            let live = left.remove(&target.key);
            if let Some(other) = live
                .as_ref()
                .and_then(|object| tracking.app_of(object))
                .filter(|other| *other != app)
            {
                side.shared.insert(target.key.clone(), other.to_owned());
            }
            side.pairs.push(Pair {
                modified: live.as_ref().is_some_and(|live| !contains(live, &target.object())),
                live: live.map(|object| self.seen(&object)),
                target: Some(target.clone()),
                structural_refusal: None,
            });
        }
        for object in left.values().filter(|object| tracking.app_of(object) == Some(app.as_str())) {
            side.pairs.push(Pair {
                target: None,
                live: Some(self.seen(object)),
                modified: true,
                structural_refusal: None,
            });
        }
        side.prepared = Some(Arc::new(prepared));
        side
    }

    fn facts(&self, operation: Option<OperationFacts>) -> Facts {
        let project = self.case.project.clone().unwrap_or_else(|| {
            json!({
                "metadata": {"name": "default", "namespace": "argocd"},
                "spec": {
                    "sourceRepos": ["*"],
                    "destinations": [{"server": "*", "namespace": "*"}],
                    "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
                },
            })
        });
        let project: AppProject = serde_json::from_value(project).expect("an AppProject");
        let mut clusters = vec![Cluster {
            server: policy::IN_CLUSTER_SERVER.into(),
            name: policy::IN_CLUSTER_NAME.into(),
            project: String::new(),
        }];
        clusters.extend(self.case.clusters.iter().map(|[name, server]| Cluster {
            server: server.clone(),
            name: name.clone(),
            project: String::new(),
        }));
        let rules = Rules { tracking: self.tracking(), ..Rules::default() };
        let mut facts = Facts {
            application: self.application.clone(),
            project: (!self.case.no_project).then(|| Arc::new(project)),
            global_projects: Vec::new(),
            clusters: clusters.into(),
            rules: Arc::new(rules),
            now: self.case.now.parse::<Timestamp>().expect("a time"),
            side: None,
            asked: self.case.asked && self.writes == 0,
            content_changed: self.case.content_changed,
            operation,
            deletion_failures: Vec::new(),
        };
        if crate::preflight(&facts).is_ok() {
            facts.side = Some(self.side());
        }
        facts
    }

    fn carry_out(&mut self, action: &Action) -> Outcome {
        let name = short(&action.key);
        let refused = self.case.refused.get(&name).cloned();
        let done = match (&action.deed, refused) {
            (_, Some(words)) => {
                self.done.push(format!("refused {name}"));
                Done::Failed(words)
            }
            (Deed::Apply { object, how, dry_run, .. }, None) => {
                let verb = match (how, dry_run) {
                    (_, true) => "try",
                    (How::ServerSide, _) => "apply",
                    (How::ClientSide, _) => "client-apply",
                    (How::Replace, _) => "replace",
                };
                self.done.push(format!("{verb} {name}"));
                if !dry_run {
                    self.live.insert(action.key.clone(), (**object).clone());
                }
                Done::Applied(sync::words::done(
                    &action.gvk,
                    &action.key.name,
                    "serverside-applied",
                    *dry_run,
                ))
            }
            (Deed::Prune { .. }, None) => {
                self.done.push(format!("prune {name}"));
                self.live.remove(&action.key);
                Done::PruneBegun
            }
            (Deed::DeleteHook { .. }, None) => {
                self.done.push(format!("delete {name}"));
                Done::HookDeletionBegun(self.live.remove(&action.key).is_some())
            }
            (Deed::ReleaseHook, None) => {
                self.done.push(format!("release {name}"));
                if let Some(object) = self.live.get_mut(&action.key) {
                    object["metadata"]["finalizers"] = json!([]);
                }
                Done::HookReleased
            }
        };
        Outcome { task: action.task.clone(), done }
    }

    fn run(&mut self) -> Verdict {
        let mut progress: Option<Progress> = None;
        let mut outcomes = Vec::new();
        let mut operating = self.application.operation.is_some();
        for _ in 0..ROUNDS_MAX {
            let given = operating.then(|| OperationFacts {
                progress: progress.take(),
                outcomes: std::mem::take(&mut outcomes),
                live_namespace: self
                    .live
                    .get(&ObjectKey::new("", "Namespace", "", "shop"))
                    .map(|object| self.seen(object).live.live()),
                ..OperationFacts::default()
            });
            let verdict = decide(&self.facts(given));
            let go_on = verdict.begun || !verdict.actions.is_empty();
            if let Some(patch) = verdict
                .patch
                .as_ref()
                .filter(|_| verdict.begun || verdict.actions.is_empty() || verdict.ended.is_some())
            {
                self.publish(patch, &verdict);
                self.events.extend(
                    verdict
                        .events
                        .iter()
                        .map(|event| format!("{} {}", event.reason, event.message)),
                );
            }
            operating = self.application.operation.is_some();
            for action in &verdict.actions {
                let outcome = self.carry_out(action);
                outcomes.push(outcome);
            }
            progress.clone_from(&verdict.progress);
            if !go_on {
                return verdict;
            }
        }
        panic!("no end after {ROUNDS_MAX} decisions; done: {:?}", self.done);
    }

    fn publish(&mut self, patch: &Value, verdict: &Verdict) {
        self.writes += 1;
        let mut value = serde_json::to_value(&*self.application).expect("prints");
        apply_merge_patch(&mut value, patch);
        let written: Application = serde_json::from_value(value).expect("an Application");
        assert_eq!(written, *verdict.application, "the patch makes what the verdict says");
        self.application = Arc::new(written);
    }
}

fn apply_merge_patch(value: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    for (key, change) in patch {
        match change {
            Value::Null => {
                value.as_object_mut().expect("an object").remove(key);
            }
            change => apply_merge_patch(&mut value[key.as_str()], change),
        }
    }
}

fn fill(value: &mut Value, defaults: &Value) {
    if let (Value::Object(value), Value::Object(defaults)) = (&mut *value, defaults) {
        for (key, default) in defaults {
            match value.get_mut(key) {
                // An object's source is taken as it stands.
                Some(held) if key != "source" && key != "destination" => fill(held, default),
                Some(_) => {}
                None => {
                    if key == "source" && value.contains_key("sources") {
                        continue;
                    }
                    value.insert(key.clone(), default.clone());
                }
            }
        }
    }
}

fn check(path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let case: Case = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let mut world = World::new(case);
    let verdict = world.run();
    let expected = &world.case.expected;
    let mut problems = Vec::new();
    if world.done != expected.done {
        problems.push(format!("done {:?}, expected {:?}", world.done, expected.done));
    }
    let application = serde_json::to_value(&*world.application).expect("prints");
    if !expected.application.is_null() && !contains(&application, &expected.application) {
        let shown = serde_json::to_string_pretty(&application["status"]).expect("prints");
        problems
            .push(format!("the Application is\n{shown}\noperation {}", application["operation"]));
    }
    if expected.writes.is_some_and(|writes| writes != world.writes) {
        problems.push(format!("{} writes, expected {:?}", world.writes, expected.writes));
    }
    if expected.events.as_ref().is_some_and(|events| *events != world.events) {
        problems.push(format!("events {:#?}", world.events));
    }
    if let Some(next) = &expected.next {
        let got = verdict.next.map(|next| next.at.to_string()).unwrap_or_default();
        if got != *next {
            problems.push(format!("looks again at {got:?}, expected {next:?}"));
        }
    }
    if let Some(because) = &expected.because
        && verdict.because != *because
    {
        problems.push(format!("because {:?}", verdict.because));
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems.join("\n  ")),
    }
}

#[test]
fn every_case_comes_out_as_it_says() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut paths: Vec<PathBuf> = Vec::new();
    for topic in std::fs::read_dir(&folder).expect("the folder of cases") {
        let topic = topic.expect("a readable entry").path();
        paths.extend(
            std::fs::read_dir(topic)
                .expect("a folder of cases")
                .map(|entry| entry.expect("a readable entry").path()),
        );
    }
    paths.sort();
    assert!(!paths.is_empty(), "there are cases");
    let failed: Vec<String> = paths
        .iter()
        .filter_map(|path| {
            let error = check(path).err()?;
            Some(format!("{}:\n  {error}", path.strip_prefix(&folder).unwrap_or(path).display()))
        })
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} cases\n\n{}",
        failed.len(),
        paths.len(),
        failed.join("\n\n")
    );
}

#[test]
fn a_patch_removes_with_null_and_keeps_what_is_equal() {
    let old = json!({"a": 1, "b": {"c": 1, "d": 2}, "e": [1]});
    let new = json!({"a": 1, "b": {"c": 3}, "e": [1, 2]});
    assert_eq!(merge_patch(&old, &new), Some(json!({"b": {"c": 3, "d": null}, "e": [1, 2]})));
    assert_eq!(merge_patch(&old, &old), None);
}
