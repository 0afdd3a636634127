//! Grafana's operator, and the one for its organisations.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{conditions, holds, lookup, text};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing};

pub(super) const RULES: &[Entry] = &[
    ("grafana-org-operator.kubitus-project.gitlab.io", "*", Rule::Steps(ORGANISATION)),
    ("grafana.integreatly.org", "Grafana", Rule::Steps(GRAFANA)),
    ("grafana.integreatly.org", "GrafanaDashboard", Rule::Code(content)),
    ("grafana.integreatly.org", "GrafanaDatasource", Rule::Code(data_source)),
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
    (Absent("/status/stageStatus"), Progressing, "Waiting for Grafana status info"),
    (At("/status/stage", &["complete"]), Healthy, ""),
    (Otherwise, Progressing, "{/status/stage}"),
];

/// What is copied into one or more Grafanas: one condition that does not hold decides, and ends
/// the message.
fn content(object: &Value) -> Health {
    let mut said = Vec::new();
    let mut last = "";
    for one in conditions(object) {
        let (reason, kind) = (text(one, "/reason"), text(one, "/type"));
        said.push(format!("{reason} for {kind} because {}", text(one, "/message")));
        last = text(one, "/status");
        if last == "False" {
            break;
        }
    }
    let words = said.join(", ");
    match last {
        "True" => healthy(words),
        "False" => degraded(words),
        _ => progressing(words),
    }
}

/// A data source has no conditions: it has an id once it is there.
fn data_source(source: &Value) -> Health {
    if holds(source, "/status/NoMatchingInstances") {
        return degraded("can't find matching grafana instance");
    }
    let waits = source.pointer("/status/uid").is_some_and(|id| id == "");
    if waits || lookup(source, "/status").is_none() { progressing("") } else { healthy("") }
}
