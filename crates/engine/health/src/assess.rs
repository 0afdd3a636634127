//! Which rule judges an object, and what comes before all rules (HLT-01).

use crd::{HealthStatusCode, keys};
use serde_json::Value;

use crate::{kinds, rules};

/// How well an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// One of the six words.
    pub status: HealthStatusCode,
    /// Why, for people; may be empty.
    pub message: String,
    /// Whether the rule itself failed: the status is Unknown, the message says how, and the
    /// Application has a ComparisonError.
    pub rule_failed: bool,
}

impl Health {
    /// What a rule answers.
    pub fn new(status: HealthStatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), rule_failed: false }
    }

    /// A rule that could not answer.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { status: HealthStatusCode::Unknown, message: message.into(), rule_failed: true }
    }
}

/// A rule that a user wrote: `None` where it says nothing about the object, which leaves it to the
/// built-in rules; an error where it could not be run.
pub type UserRule<'a> = &'a dyn Fn(&Value) -> Option<Result<Health, String>>;

/// Rules that users wrote, beside the built-in ones.
#[derive(Clone, Copy, Default)]
pub struct Rules<'a> {
    /// Asked before the built-in rules. It must answer the same to the same object.
    pub user: Option<UserRule<'a>>,
}

/// Returns how well an object is; `None` where no rule knows its kind.
///
/// Whatever is being deleted is Progressing, but for hooks, which the sync itself deletes.
pub fn assess(object: &Value, rules: &Rules<'_>) -> Option<Health> {
    let deleted = object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
    if deleted && !has_hook_finalizer(object) {
        return Some(Health::new(HealthStatusCode::Progressing, "Pending deletion"));
    }
    if let Some(answer) = rules.user.and_then(|rule| rule(object)) {
        return Some(match answer {
            Ok(health)
                if HealthStatusCode::ALL.contains(&health.status)
                    || health.status == HealthStatusCode::Unset =>
            {
                health
            }
            Ok(_) => {
                Health::new(HealthStatusCode::Unknown, "Lua returned an invalid health status")
            }
            Err(message) => Health::failed(message),
        });
    }
    kinds::assess(object).or_else(|| rules::assess(object))
}

/// Whether one status is worse than another: Healthy, Suspended, Progressing, Missing, Degraded,
/// Unknown, from best to worst. A status that is none of them counts as Healthy.
pub fn is_worse(status: &HealthStatusCode, than: &HealthStatusCode) -> bool {
    let place = |status| HealthStatusCode::ALL.iter().position(|code| code == status).unwrap_or(0);
    place(status) > place(than)
}

fn has_hook_finalizer(object: &Value) -> bool {
    let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    finalizers.into_iter().flatten().any(|name| name == keys::HOOK_FINALIZER)
}
