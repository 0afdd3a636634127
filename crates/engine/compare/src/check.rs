//! Holding predictions to the server's word: which are checked, and what is said where the two
//! disagree.

use std::time::Duration;

use serde_json::Value;

use crate::compare::{Comparison, Sides};
use crate::explain::{Evidence, differences};
use crate::rules::Rules;

/// How many fields of a disagreement are named.
const FIELDS_MAX: usize = 10;

/// The time within which checks are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// How many predictions are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// One of so many; 0 is none.
    pub one_in: u64,
    /// No more than this in a minute.
    pub per_minute_max: u64,
}

/// Chooses the predictions that are checked. It knows no clock and no randomness: both are told.
#[derive(Debug, Default)]
pub struct Sampler {
    /// The minute that is counted, and the checks in it.
    window: u64,
    taken: u64,
}

impl Sampler {
    /// Tells whether the prediction that drew this number is checked; `now` is the time since any
    /// fixed moment.
    pub fn takes(&mut self, share: Share, draw: u64, now: Duration) -> bool {
        if share.one_in == 0 || !draw.is_multiple_of(share.one_in) {
            return false;
        }
        let window = now.as_secs() / WINDOW.as_secs();
        if window != self.window {
            (self.window, self.taken) = (window, 0);
        }
        let takes = self.taken < share.per_minute_max;
        self.taken += u64::from(takes);
        takes
    }
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The server would do what was predicted.
    Agrees,
    /// The server would change what was taken to be in sync.
    Missed,
    /// The server would change nothing of what was taken to differ.
    Imagined,
    /// Both would change something, not the same.
    Otherwise,
}

impl Finding {
    /// The word for figures and logs.
    pub fn word(self) -> &'static str {
        match self {
            Finding::Agrees => "agrees",
            Finding::Missed => "missed",
            Finding::Imagined => "imagined",
            Finding::Otherwise => "otherwise",
        }
    }
}

/// Holds a prediction to what the server's dry run was found to change. Returns where the two
/// disagree as paths without values, so that nothing secret is among them; a few of many.
pub fn check(
    here: &Comparison,
    there: &Comparison,
    target: &Value,
    live: &Value,
    rules: &Rules<'_>,
) -> (Finding, Vec<String>) {
    let apart;
    let (finding, sides) = match (&here.difference, &there.difference) {
        (None, None) => return (Finding::Agrees, Vec::new()),
        (None, Some(sides)) => (Finding::Missed, &**sides),
        (Some(sides), None) => (Finding::Imagined, &**sides),
        (Some(here), Some(there)) => {
            if merge::values::equal(&here.predicted, &there.predicted) {
                return (Finding::Agrees, Vec::new());
            }
            apart = Sides { predicted: here.predicted.clone(), live: there.predicted.clone() };
            (Finding::Otherwise, &apart)
        }
    };
    let evidence = Evidence { target, live, applied: None };
    let mut fields: Vec<String> =
        differences(sides, evidence, rules).into_iter().map(|field| field.path).collect();
    fields.truncate(FIELDS_MAX);
    (finding, fields)
}
