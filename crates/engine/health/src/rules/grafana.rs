//! Grafana's operator, and the one for its organisations.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{conditions, holds, lookup, text};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing, suspended};

pub(super) const RULES: &[Entry] = &[
    ("grafana-org-operator.kubitus-project.gitlab.io", "*", Rule::Steps(ORGANISATION)),
    ("grafana.integreatly.org", "Grafana", Rule::Steps(GRAFANA)),
    ("grafana.integreatly.org", "GrafanaDashboard", Rule::Code(content)),
    ("grafana.integreatly.org", "GrafanaDatasource", Rule::Code(content)),
    ("grafana.integreatly.org", "GrafanaFolder", Rule::Code(content)),
];

const ORGANISATION: &[Step] = &[
    (Is("Ready", "True"), Healthy, "{message}"),
    (Is("Ready", "False"), Degraded, "{message}"),
    (Otherwise, Progressing, "Waiting ..."),
];

const GRAFANA: &[Step] = &[
    (Absent("/status/stage"), Progressing, "Waiting for Grafana status info"),
    (At("/status/stageStatus", &["failed"]), Degraded, "Failed at stage {/status/stage}"),
    (At("/status/stage", &["complete"]), Healthy, ""),
    (Otherwise, Progressing, "{/status/stage}"),
];

/// What is copied into one or more Grafanas. Operators before 5.10 reported without conditions.
fn content(object: &Value) -> Health {
    let says = |condition: &Value| {
        let (reason, kind) = (text(condition, "/reason"), text(condition, "/type"));
        format!("{reason} for {kind} because {}", text(condition, "/message"))
    };
    for condition in conditions(object) {
        let holds = text(condition, "/status") == "True";
        match text(condition, "/type") {
            kind if kind.ends_with("Synchronized") => {
                return match text(condition, "/status") {
                    "True" => healthy(says(condition)),
                    "False" => degraded(says(condition)),
                    _ => progressing(says(condition)),
                };
            }
            "InvalidSpec" | "NoMatchingInstance" if holds => return degraded(says(condition)),
            "SynchronizationSuspended" | "Suspended" if holds => return suspended(says(condition)),
            _ => {}
        }
    }
    if holds(object, "/status/NoMatchingInstances") {
        return degraded("can't find matching grafana instance");
    }
    let synced =
        lookup(object, "/status/lastResync").is_some() && !text(object, "/status/hash").is_empty();
    if synced { healthy("") } else { progressing("") }
}
