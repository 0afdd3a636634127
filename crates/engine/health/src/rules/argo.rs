//! Argo's own kinds but for Rollout, which has a file of its own.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, text};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing, unknown};

pub(super) const RULES: &[Entry] = &[
    ("argoproj.io", "AnalysisRun", Rule::Code(analysis_run)),
    ("argoproj.io", "ApplicationSet", Rule::Steps(APPLICATION_SET)),
    ("argoproj.io", "CronWorkflow", Rule::Listed(CRON_WORKFLOW)),
    ("argoproj.io", "EventBus", Rule::Code(event_bus)),
    ("argoproj.io", "Experiment", Rule::Code(experiment)),
];

const APPLICATION_SET: &[Step] = &[
    (Is("ErrorOccurred", "True"), Degraded, "{message}"),
    (Is("ResourcesUpToDate", "False"), Degraded, "{message}"),
    (Is("RolloutProgressing", "True"), Progressing, "{message}"),
    (Is("ResourcesUpToDate", "True"), Healthy, "{message}"),
    (Otherwise, Progressing, "Waiting for the status to be reported"),
];

const CRON_WORKFLOW: &[Step] = &[
    (Is("SubmissionError", "True"), Degraded, "{message}"),
    (Is("SpecError", "True"), Degraded, "{message}"),
    (Is("Completed", "True"), Healthy, "{message}"),
    (Otherwise, Healthy, "CronWorkflow is healthy."),
];

fn analysis_run(run: &Value) -> Health {
    let said = |otherwise: &str| {
        let message = text(run, "/status/message");
        if message.is_empty() { otherwise.to_owned() } else { message.to_owned() }
    };
    match text(run, "/status/phase") {
        "" => progressing("Waiting for analysis run to finish: status has not been reconciled."),
        "Successful" => healthy(said("Analysis run completed successfully")),
        "Failed" => degraded(said("Analysis run failed")),
        "Error" => degraded(said("Analysis run had an error")),
        "Inconclusive" => unknown(said("Analysis run was inconclusive")),
        _ => progressing("Analysis run is running"),
    }
}

fn experiment(experiment: &Value) -> Health {
    match text(experiment, "/status/phase") {
        "" => progressing("Waiting for experiment to finish: status has not been reconciled."),
        "Pending" => progressing("Experiment is pending"),
        "Successful" => healthy("Experiment is successful"),
        "Failed" => degraded("Experiment has failed"),
        "Error" => degraded("Experiment had an error"),
        "Inconclusive" => unknown("Experiment was inconclusive"),
        _ => progressing("Experiment is running"),
    }
}

fn event_bus(bus: &Value) -> Health {
    match condition(bus, "Deployed").map(|of| (text(of, "/status"), text(of, "/message"))) {
        Some(("True", message)) => healthy(message),
        Some(("False", message)) => degraded(message),
        _ => progressing("Waiting for initialization"),
    }
}
