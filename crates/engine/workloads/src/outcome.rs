//! What a controller is told, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use manifest::ObjectKey;
use serde_json::{Map, Value, json};

/// What a controller may know besides its object.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The time now.
    pub now: Timestamp,
    /// The one simulated node.
    pub node: &'a str,
    /// All IngressClasses.
    pub ingress_classes: &'a [Arc<Value>],
    /// All StorageClasses.
    pub storage_classes: &'a [Arc<Value>],
    /// What else an object is about: the target of an autoscaler; the Service of an APIService; for a
    /// Service the pods of its namespace, and the Endpoints of its name; for a budget the pods of its namespace, and those who control pods.
    pub neighbours: &'a [Arc<Value>],
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Make an object; `generateName` is left to the server.
    Create(Value),
    /// Replace an object, all but its status.
    Update(Value),
    /// Replace an object's status.
    UpdateStatus(Value),
    /// Delete an object if it is still the same one.
    Delete {
        /// Which one.
        key: ObjectKey,
        /// Its unique id.
        uid: String,
        /// Seconds to leave it; `None` as the kind has it.
        grace_s: Option<u32>,
    },
}

impl Write {
    /// The field manager that the real cluster's program writes as.
    pub fn manager(&self, writer: &Value) -> &'static str {
        match (self, manifest::kind(writer)) {
            (Write::UpdateStatus(_) | Write::Delete { .. }, "Pod") => "kubelet",
            (Write::Update(_), "Pod") => "kube-scheduler",
            _ => "kube-controller-manager",
        }
    }
}

/// What to do now, and when to look again if nothing is written before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// In order.
    pub writes: Vec<Write>,
    /// From now.
    pub again_after: Option<Duration>,
}

impl Outcome {
    /// Adds a write.
    pub fn write(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// Asks to be called again, at the latest after `wait`.
    pub fn again(&mut self, wait: Duration) {
        self.again_after = Some(self.again_after.map_or(wait, |known| known.min(wait)));
    }

    /// Writes the status where it differs from what the object has.
    pub fn status(&mut self, object: &Value, status: Value) {
        let known = object.get("status").filter(|status| !is_empty(status));
        if known == Some(&status) || (known.is_none() && is_empty(&status)) {
            return;
        }
        let mut changed = object.clone();
        changed["status"] = status;
        self.write(Write::UpdateStatus(changed));
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty)
}

/// Deletes an object.
pub fn delete(object: &Value) -> Write {
    Write::Delete {
        key: manifest::key_of(object),
        uid: manifest::uid(object).to_owned(),
        grace_s: None,
    }
}

/// Reads a number inside an object; `default` where there is none.
pub fn number(object: &Value, pointer: &str, default: i64) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(default)
}

/// Reads a string inside an object, or `""`.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// Reads a time inside an object.
pub fn time(object: &Value, pointer: &str) -> Option<Timestamp> {
    text(object, pointer).parse().ok()
}

/// A time as the API prints it: whole seconds, UTC.
pub fn print_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// How long until `after` has passed since `since`; `None` where it has.
pub fn remaining(since: Timestamp, after: Duration, now: Timestamp) -> Option<Duration> {
    let passed = Duration::try_from(now.duration_since(since)).unwrap_or_default();
    after.checked_sub(passed).filter(|left| !left.is_zero())
}

/// The reference that makes `owner` control an object.
pub fn controlled_by(owner: &Value) -> Value {
    json!([{
        "apiVersion": manifest::api_version(owner),
        "kind": manifest::kind(owner),
        "name": manifest::name(owner),
        "uid": manifest::uid(owner),
        "controller": true,
        "blockOwnerDeletion": true,
    }])
}

/// The owned objects of one kind, by name.
pub fn of_kind<'a>(owned: &'a [Arc<Value>], kind: &str) -> Vec<&'a Value> {
    let mut found: Vec<&Value> =
        owned.iter().map(Arc::as_ref).filter(|object| manifest::kind(object) == kind).collect();
    found.sort_by(|a, b| manifest::name(a).cmp(manifest::name(b)));
    found
}

/// Whether an object is being deleted.
pub fn is_deleting(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some()
}

/// The state of one condition, as it should be now.
pub struct Condition<'a> {
    /// As in `Available`.
    pub kind: &'a str,
    /// `True`, `False`, `Unknown`.
    pub status: &'a str,
    /// In one word.
    pub reason: &'a str,
    /// In a sentence.
    pub message: String,
}

/// What a condition's `lastUpdateTime` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastUpdate {
    /// The kind has no such field.
    None,
    /// When the reason or the message last changed.
    Changed,
    /// Now: something moved that the words do not show.
    Now,
}

/// Sets a condition in a list. The time of transition moves with the status.
pub fn set_condition(
    conditions: &mut Vec<Value>,
    condition: &Condition<'_>,
    now: Timestamp,
    updates: LastUpdate,
) {
    let at = conditions.iter().position(|known| text(known, "/type") == condition.kind);
    let known = at.map(|at| conditions[at].clone());
    let kept = |field: &str, same: bool| {
        known
            .as_ref()
            .filter(|_| same)
            .and_then(|known| known.get(field).cloned())
            .unwrap_or_else(|| print_time(now).into())
    };
    let same_status =
        known.as_ref().is_some_and(|known| text(known, "/status") == condition.status);
    let same = same_status
        && known.as_ref().is_some_and(|known| {
            text(known, "/reason") == condition.reason
                && text(known, "/message") == condition.message
        });
    let mut made = json!({
        "type": condition.kind,
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message,
        "lastTransitionTime": kept("lastTransitionTime", same_status),
    });
    if updates != LastUpdate::None {
        made["lastUpdateTime"] = kept("lastUpdateTime", same && updates == LastUpdate::Changed);
    }
    match at {
        Some(at) => conditions[at] = made,
        None => conditions.push(made),
    }
}

/// The conditions of an object's status.
pub fn conditions(object: &Value) -> Vec<Value> {
    object.pointer("/status/conditions").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Whether a condition of an object's status is `True`.
pub fn has_condition(object: &Value, kind: &str) -> bool {
    object
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .any(|known| text(known, "/type") == kind && text(known, "/status") == "True")
}
