//! Keptn: deployments, checks around them, and metrics.

use serde_json::Value;

use crate::assess::Health;
use crate::object::holds;
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing};

const LIFECYCLE: &str = "lifecycle.keptn.sh";

pub(super) const RULES: &[Entry] = &[
    (LIFECYCLE, "KeptnAppVersion", Rule::Steps(RUN)),
    (LIFECYCLE, "KeptnEvaluation", Rule::Steps(EVALUATION)),
    (LIFECYCLE, "KeptnTask", Rule::Steps(RUN)),
    (LIFECYCLE, "KeptnWorkloadInstance", Rule::Steps(RUN)),
    (LIFECYCLE, "KeptnWorkloadVersion", Rule::Steps(RUN)),
    ("metrics.keptn.sh", "Analysis", Rule::Code(analysis)),
    ("metrics.keptn.sh", "KeptnMetric", Rule::Steps(METRIC)),
];

const RUN: &[Step] = &[
    (At("/status/status", &["Succeeded"]), Healthy, "{kind} is healthy"),
    (At("/status/status", &["Failed"]), Degraded, "{kind} is degraded"),
    (Otherwise, Progressing, "{kind} is progressing"),
];

const EVALUATION: &[Step] = &[
    (At("/status/overallStatus", &["Succeeded"]), Healthy, "{kind} is healthy"),
    (At("/status/overallStatus", &["Failed"]), Degraded, "{kind} is degraded"),
    (Otherwise, Progressing, "{kind} is progressing"),
];

fn analysis(analysis: &Value) -> Health {
    if holds(analysis, "/status/pass") {
        healthy("Analysis is healthy")
    } else if holds(analysis, "/status/warning") {
        healthy("Analysis is healthy with warnings")
    } else if analysis.pointer("/status/pass") == Some(&Value::Bool(false)) {
        degraded("Analysis is degraded")
    } else {
        progressing("Analysis is progressing")
    }
}

const METRIC: &[Step] = &[
    (Present("/status/errMsg"), Degraded, "KeptnMetric is degraded"),
    (Present("/status/value"), Healthy, "KeptnMetric is healthy"),
    (Otherwise, Progressing, "KeptnMetric is progressing"),
];
