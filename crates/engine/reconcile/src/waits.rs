//! What an Application waits for, and since when: conditions that are neither errors nor warnings.
//!
//! Each "not yet" stands in the status under one of three types, and bears the time at which it
//! began; the words change only when what is waited for changes. Whoever shows or counts waits
//! reads them back with [`waits`].

use crd::{Application, OperationPhase, Time};
use jiff::Timestamp;

use crate::conditions::{Condition, Kind};
use crate::guard::NEEDS_A_PERSON;

/// The type of the condition that says what an operation waits for.
const OPERATION: &str = "OperationWaiting";
/// The type of the condition that says why an automated sync does not begin yet.
const SYNC: &str = "SyncWaiting";
/// The type of the condition that says what the Application's deletion waits for.
const DELETION: &str = "DeletionWaiting";

/// What an operation says while a window holds it back.
pub(crate) const SHUT: &str = "Sync operation blocked by sync window";
/// What an operation says while it rests.
pub(crate) const RESTS: &str = "waiting for the delay between sync waves";

/// Something that an Application waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// For counting: `hook`, `health`, `object-deletion`, `confirmation`, `wave-delay`, `retry`,
    /// `window`, `backoff`, `deletion`, or `other`.
    pub reason: &'static str,
    /// For people.
    pub words: String,
    /// Since when; `None` where nobody wrote it down.
    pub since: Option<Timestamp>,
}

/// Returns what an Application waits for, as its status has it.
pub fn waits(application: &Application) -> Vec<Waits> {
    let conditions = application.status.conditions.iter();
    let told = conditions.filter_map(|held| {
        let words = held.message.as_str();
        let reason = match held.r#type.as_str() {
            OPERATION => of_operation(words),
            SYNC if words.starts_with(SHUT) => "window",
            SYNC => "backoff",
            DELETION => "deletion",
            // The guard's condition is upstream's: it keeps a sync from beginning.
            _ if words.contains(NEEDS_A_PERSON) => "confirmation",
            _ => return None,
        };
        let since = held.last_transition_time.as_ref().and_then(Time::timestamp);
        Some(Waits { reason, words: words.to_owned(), since })
    });
    told.collect()
}

fn of_operation(words: &str) -> &'static str {
    const REASONS: [(&str, &str); 6] = [
        ("waiting for completion of hook", "hook"),
        ("waiting for healthy state of", "health"),
        ("waiting for deletion of", "object-deletion"),
        ("waiting for pruning confirmation of", "confirmation"),
        (RESTS, "wave-delay"),
        (SHUT, "window"),
    ];
    if words.starts_with(ATTEMPT) {
        return "retry";
    }
    let found = REASONS.iter().find(|(start, _)| words.starts_with(start));
    found.map_or("other", |(_, reason)| reason)
}

const ATTEMPT: &str = "waiting for attempt #";

/// Types that a look at an Application answers for, whatever it finds.
pub(crate) fn of_every_look() -> [Kind; 2] {
    [Kind::from(OPERATION), Kind::from(DELETION)]
}

/// The type that a comparison answers for.
pub(crate) fn of_comparison() -> Kind {
    Kind::from(SYNC)
}

/// States what the operation waits for, where it does.
pub(crate) fn operation(application: &Application) -> Option<Condition> {
    application.operation.as_ref()?;
    let state = application.status.operation_state.as_deref()?;
    if state.phase != OperationPhase::Running {
        return None;
    }
    let words = if state.finished_at.is_some() {
        format!("{ATTEMPT}{}: {}", state.retry_count, state.message)
    } else if state.message.starts_with("waiting for ") || state.message.starts_with(SHUT) {
        state.message.clone()
    } else {
        return None;
    };
    Some(Condition::new(Kind::from(OPERATION), words))
}

/// States why an automated sync does not begin yet.
pub(crate) fn sync(words: impl Into<String>) -> Condition {
    Condition::new(Kind::from(SYNC), words)
}

/// States what a deletion waits for.
pub(crate) fn deletion(words: impl Into<String>) -> Condition {
    Condition::new(Kind::from(DELETION), words)
}
