use std::borrow::Cow;

use crd::HealthStatusCode::{Degraded, Healthy, Progressing};
use serde_json::Value;

use crate::assess::Health;
use crate::object::{items, text};

/// Where autoscaling/v1 keeps what later versions have in `status.conditions`.
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";

/// Type and reason of conditions that say it cannot scale.
const DEGRADED: [(&str, &str); 8] = [
    ("AbleToScale", "FailedGetScale"),
    ("AbleToScale", "FailedUpdateScale"),
    ("ScalingActive", "FailedGetResourceMetric"),
    ("ScalingActive", "FailedGetObjectMetric"),
    ("ScalingActive", "FailedGetPodsMetric"),
    ("ScalingActive", "FailedGetExternalMetric"),
    ("ScalingActive", "FailedComputeMetricsReplicas"),
    ("ScalingActive", "InvalidSelector"),
];

pub(super) fn assess(autoscaler: &Value) -> Health {
    let conditions = match conditions(autoscaler) {
        Ok(conditions) => conditions,
        Err(cause) => {
            return Health::failed(format!(
                "failed to convert conditions annotation to typed: {cause}"
            ));
        }
    };
    let said = |matches: &dyn Fn(&str, &str, &str) -> bool| {
        let found = items(&conditions, "").find(|condition| {
            matches(
                text(condition, "/type"),
                text(condition, "/reason"),
                text(condition, "/status"),
            )
        })?;
        Some(text(found, "/message").to_owned())
    };
    if let Some(message) = said(&|of_type, reason, _| DEGRADED.contains(&(of_type, reason))) {
        return Health::new(Degraded, message);
    }
    let able = |of_type: &str, _: &str, status: &str| {
        matches!(of_type, "AbleToScale" | "ScalingLimited") && status == "True"
    };
    match said(&able) {
        Some(message) => Health::new(Healthy, message),
        None => Health::new(Progressing, "Waiting to Autoscale"),
    }
}

/// The conditions as a list; without any it is empty.
fn conditions(autoscaler: &Value) -> Result<Cow<'_, Value>, serde_json::Error> {
    if manifest::api_version(autoscaler) == "autoscaling/v1" {
        let annotation = manifest::annotation(autoscaler, CONDITIONS).unwrap_or("null");
        let conditions: Option<Vec<Value>> = serde_json::from_str(annotation)?;
        return Ok(Cow::Owned(conditions.unwrap_or_default().into()));
    }
    Ok(match autoscaler.pointer("/status/conditions") {
        Some(conditions) => Cow::Borrowed(conditions),
        None => Cow::Owned(Value::Null),
    })
}
