//! How well a whole Application is (HLT-20).

use crd::Application;
use manifest::ObjectKey;
use sync::Wellness;

use crate::conditions::{Condition, Kind};
use crate::facts::Pair;

/// How many culprits a message names.
const CULPRITS_MAX: usize = 3;

/// Returns the health of one resource, where it has any.
pub(crate) fn of(pair: &Pair) -> Option<(Wellness, String)> {
    match &pair.live {
        None => Some((Wellness::Missing, String::new())),
        Some(seen) => seen.live.health.clone(),
    }
}

/// Tells whether the resource is left out of the sum, and bears no health itself.
pub(crate) fn left_out(pair: &Pair, application: &Application) -> bool {
    if !counts(pair) {
        return true;
    }
    let Some(seen) = &pair.live else { return false };
    let itself = seen.key.group == "argoproj.io"
        && seen.key.kind == "Application"
        && seen.key.name == application.metadata.name
        && seen.key.namespace == application.metadata.namespace;
    itself || seen.said.health_left_out
}

fn counts(pair: &Pair) -> bool {
    let skipped = pair.target.as_ref().is_some_and(|target| target.said.skipped);
    let hook = pair.live.as_ref().is_some_and(|seen| seen.said.sync_hook || seen.said.ignored);
    !skipped && !hook
}

/// Returns the worst health of an Application's resources, and who caused it.
pub(crate) fn sum(pairs: &[Pair], application: &Application) -> (Wellness, String) {
    let mut worst = Wellness::Healthy;
    let mut culprits: Vec<&Pair> = Vec::new();
    let mut any = false;
    let mut any_live = false;
    for pair in pairs.iter().filter(|pair| counts(pair)) {
        any = true;
        any_live |= pair.live.is_some();
        // What is missing makes the Application OutOfSync, not ill.
        let Some((health, _)) = pair.live.as_ref().and_then(|seen| seen.live.health.as_ref())
        else {
            continue;
        };
        if left_out(pair, application) {
            continue;
        }
        let health = *health;
        let child =
            pair.named().is_some_and(|key| key.group == "argoproj.io" && key.kind == "Application");
        if child && matches!(health, Wellness::Missing | Wellness::Unknown) {
            continue;
        }
        if health > worst {
            worst = health;
            culprits = vec![pair];
        } else if health == worst && worst != Wellness::Healthy {
            culprits.push(pair);
        }
    }
    if any && !any_live && worst < Wellness::Missing {
        return (Wellness::Missing, String::new());
    }
    (worst, caused_by(&culprits))
}

/// States that a rule of health failed; the first object of which that is so is named, as
/// upstream does.
pub(crate) fn failed(pairs: &[Pair], application: &Application) -> Option<Condition> {
    pairs.iter().find_map(|pair| {
        let seen = pair.live.as_ref()?;
        let words = seen.health_error.as_ref()?;
        if left_out(pair, application) {
            return None;
        }
        let ObjectKey { kind, namespace, name, .. } = &seen.key;
        let message = format!(
            "error setting app health: failed to get resource health for \"{kind}\" with name \"{name}\" in namespace \"{namespace}\": failed to get resource health for {namespace}/{name}: {words}"
        );
        Some(Condition::new(Kind::ComparisonError, message))
    })
}

fn caused_by(culprits: &[&Pair]) -> String {
    if culprits.is_empty() {
        return String::new();
    }
    let names: Vec<String> = culprits
        .iter()
        .take(CULPRITS_MAX)
        .map(|pair| {
            let key = pair.key();
            let kind = match key.group.as_str() {
                "" => key.kind.clone(),
                group => format!("{group}/{}", key.kind),
            };
            match key.namespace.as_str() {
                "" => format!("{kind}:{}", key.name),
                namespace => format!("{kind}:{namespace}/{}", key.name),
            }
        })
        .collect();
    let more = match culprits.len().saturating_sub(CULPRITS_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("Caused by {}{more}", names.join(", "))
}
