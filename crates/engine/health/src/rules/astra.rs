//! NetApp: Astra's data protection and Trident's storage.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, lookup, text};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing, suspended};

const GROUP: &str = "astra.netapp.io";

pub(super) const RULES: &[Entry] = &[
    (GROUP, "AppVault", Rule::Steps(VAULT)),
    (GROUP, "Application", Rule::Code(application)),
    (GROUP, "Backup", Rule::Steps(RUN)),
    (GROUP, "ExecHook", Rule::Code(hook)),
    (GROUP, "ExecHooksRun", Rule::Steps(RUN)),
    (GROUP, "ResourceBackup", Rule::Steps(RUN)),
    (GROUP, "ResticVolumeBackup", Rule::Steps(RUN)),
    (GROUP, "Schedule", Rule::Code(schedule)),
    (GROUP, "Snapshot", Rule::Steps(RUN)),
    ("trident.netapp.io", "TridentBackendConfig", Rule::Code(backend)),
    ("trident.netapp.io", "TridentOrchestrator", Rule::Steps(ORCHESTRATOR)),
];

const VAULT: &[Step] = &[
    (At("/status/state", &["available"]), Healthy, "AppVault Available"),
    (At("/status/state", &["failed"]), Degraded, "AppVault Failed"),
    (Otherwise, Progressing, "No status available"),
];

/// Whatever runs once: a backup, a snapshot, the hooks of one of them.
const RUN: &[Step] = &[
    (At("/status/state", &["Completed"]), Healthy, "{kind} {value}"),
    (At("/status/state", &["Failed", "Error"]), Degraded, "{value}"),
    (Present("/status/state"), Progressing, "{kind} {/status/state}"),
    (Otherwise, Progressing, "No status available"),
];

fn application(application: &Value) -> Health {
    match condition(application, "Ready") {
        Some(ready) if text(ready, "/status") == "True" => {
            let protection = text(application, "/status/protectionState");
            healthy(format!("Astra Application Ready, protectionState: {protection}"))
        }
        Some(ready) if text(ready, "/status") == "False" => {
            let message = text(ready, "/message");
            degraded(format!("Astra Application Degraded, message: {message}"))
        }
        _ => progressing("No status available"),
    }
}

fn hook(hook: &Value) -> Health {
    match hook.pointer("/spec/enabled").and_then(Value::as_bool) {
        Some(true) => healthy("ExecHook enabled"),
        Some(false) => suspended("ExecHook disabled"),
        None => progressing("No status available"),
    }
}

fn schedule(schedule: &Value) -> Health {
    if lookup(schedule, "/status").is_none() {
        return healthy("Protection policy not yet executed");
    }
    match text(schedule, "/status/lastScheduleTime") {
        "" => healthy("Protection policy not yet executed"),
        last => healthy(format!("Protection policy lastScheduleTime: {last}")),
    }
}

fn backend(backend: &Value) -> Health {
    let message = text(backend, "/status/message");
    match (text(backend, "/status/lastOperationStatus"), text(backend, "/status/phase")) {
        ("Failed", _) => degraded(message),
        ("Success", "Bound") => healthy(message),
        _ => progressing("Waiting for backend creation"),
    }
}

const ORCHESTRATOR: &[Step] = &[
    (At("/status/status", &["Error", "Failed"]), Degraded, "{/status/message}"),
    (At("/status/status", &["Installed"]), Healthy, "{/status/message}"),
    (Otherwise, Progressing, "Waiting for trident installation"),
];
