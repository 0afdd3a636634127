//! What the way through the internal types does to an object, beyond reading and writing it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use manifest::Gvk;
use serde_json::{Map, Value};

use crate::tables::Tables;
use crate::walk::{Visit, walk};

/// Changes an object as the conversion to the internal type and back does.
///
/// # Errors
///
/// What the server says of an annotation that stands for a field and does not hold its value.
pub(crate) fn through_internal(
    tables: &Tables,
    kind: &Gvk,
    object: &mut Value,
) -> Result<(), String> {
    let mut converting = Converting { error: None };
    if let Some(id) = tables.struct_of(kind) {
        walk(tables, id, object, &mut converting);
    }
    converting.error.map_or(Ok(()), Err)
}

struct Converting {
    error: Option<String>,
}

impl Visit for Converting {
    fn object(&mut self, name: &'static str, object: &mut Map<String, Value>) {
        match name {
            "io.k8s.api.core.v1.Secret" => fold_string_data(object),
            "io.k8s.api.core.v1.NodeSpec" => name_blocks_twice(object),
            "io.k8s.api.core.v1.PodStatus" => name_address_twice(object),
            "io.k8s.api.core.v1.PodSpec" => name_service_account_twice(object),
            "io.k8s.api.core.v1.Pod" => {
                drop_annotations(object, &INIT_CONTAINERS);
                let grace = object
                    .get_mut("spec")
                    .and_then(|spec| spec.get_mut("terminationGracePeriodSeconds"));
                if let Some(seconds) = grace
                    && seconds.as_i64().is_some_and(|seconds| seconds < 0)
                {
                    *seconds = 1.into();
                }
            }
            "io.k8s.api.core.v1.PodTemplateSpec" => drop_annotations(object, &INIT_CONTAINERS),
            "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion" => {
                forget_empty_webhook(object);
            }
            "io.k8s.api.apps.v1.DaemonSet" => {
                if let Err(error) = number_template(object) {
                    self.error.get_or_insert(error);
                }
            }
            "io.k8s.api.apps.v1.DaemonSetUpdateStrategy" => count_pods_of_no_rollout(object),
            "io.k8s.api.apps.v1.Deployment" => {
                if let Err(error) = read_rollback(object) {
                    self.error.get_or_insert(error);
                }
            }
            "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler" => autoscaler(object),
            // What only the older version needs is no part of the newer one.
            "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler" => {
                drop_annotations(
                    object,
                    &[
                        AUTOSCALER_METRICS,
                        AUTOSCALER_BEHAVIOR,
                        "autoscaling.alpha.kubernetes.io/conditions",
                        "autoscaling.alpha.kubernetes.io/current-metrics",
                    ],
                );
            }
            "io.k8s.api.apps.v1.StatefulSetSpec" => name_claim_templates(object),
            _ => {}
        }
    }
}

/// A webhook that nobody is to call and that reads nothing is none.
fn forget_empty_webhook(conversion: &mut Map<String, Value>) {
    let Some(webhook) = conversion.get("webhook") else { return };
    let reads = webhook["conversionReviewVersions"].as_array().is_some_and(|all| !all.is_empty());
    if webhook["clientConfig"].is_null() && !reads {
        conversion.remove("webhook");
    }
}

/// A node's block of addresses is the first of its blocks.
fn name_blocks_twice(spec: &mut Map<String, Value>) {
    let one = spec.get("podCIDR").and_then(Value::as_str).unwrap_or_default().to_owned();
    let first = spec.get("podCIDRs").and_then(|all| all.get(0)).and_then(Value::as_str);
    match first.map(str::to_owned) {
        Some(first) if one.is_empty() => {
            spec.insert("podCIDR".to_owned(), first.into());
        }
        Some(first) if first == one => {}
        Some(_) | None if !one.is_empty() => {
            spec.insert("podCIDRs".to_owned(), vec![one].into());
        }
        Some(_) | None => {}
    }
}

/// Written by servers before 1.8, and read by none since.
const INIT_CONTAINERS: [&str; 4] = [
    "pod.beta.kubernetes.io/init-containers",
    "pod.alpha.kubernetes.io/init-containers",
    "pod.beta.kubernetes.io/init-container-statuses",
    "pod.alpha.kubernetes.io/init-container-statuses",
];

/// A pod's address is the first of its addresses.
fn name_address_twice(status: &mut Map<String, Value>) {
    let one = status.get("podIP").and_then(Value::as_str).unwrap_or_default().to_owned();
    let first = status.get("podIPs").and_then(|all| all.get(0));
    let first = first.map(|first| first["ip"].as_str().unwrap_or_default().to_owned());
    match first {
        None if one.is_empty() => {}
        Some(first) if one.is_empty() || first == one => {
            if !first.is_empty() {
                status.insert("podIP".to_owned(), first.into());
            }
        }
        // Where they disagree the one counts alone.
        None | Some(_) => {
            status.insert("podIPs".to_owned(), serde_json::json!([{"ip": one}]));
        }
    }
}

fn drop_annotations(object: &mut Map<String, Value>, names: &[&str]) {
    let Some(Value::Object(metadata)) = object.get_mut("metadata") else { return };
    let Some(Value::Object(annotations)) = metadata.get_mut("annotations") else { return };
    annotations.retain(|name, _| !names.contains(&name.as_str()));
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
}

/// `stringData` is written into `data`, over what stands there, and is never read back.
fn fold_string_data(secret: &mut Map<String, Value>) {
    let Some(Value::Object(plain)) = secret.remove("stringData") else { return };
    if plain.is_empty() {
        return;
    }
    let data = secret.entry("data").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(data) = data {
        for (key, value) in plain {
            let encoded = STANDARD.encode(value.as_str().unwrap_or_default());
            data.insert(key, encoded.into());
        }
    }
}

/// `serviceAccount` is an older name of `serviceAccountName`; both are always written.
fn name_service_account_twice(spec: &mut Map<String, Value>) {
    let name = ["serviceAccountName", "serviceAccount"]
        .iter()
        .find_map(|field| {
            spec.get(*field).filter(|name| name.as_str().is_some_and(|n| !n.is_empty()))
        })
        .cloned();
    if let Some(name) = name {
        spec.insert("serviceAccountName".to_owned(), name.clone());
        spec.insert("serviceAccount".to_owned(), name);
    }
}

/// The server's own form of a rollout has no place for amounts that are not there; where pods are rolled
/// out, defaults come first.
fn count_pods_of_no_rollout(strategy: &mut Map<String, Value>) {
    let kind = strategy.get("type").and_then(Value::as_str).unwrap_or_default();
    if matches!(kind, "" | "RollingUpdate") {
        return;
    }
    if let Some(Value::Object(amounts)) = strategy.get_mut("rollingUpdate") {
        for amount in ["maxSurge", "maxUnavailable"] {
            amounts.entry(amount).or_insert_with(|| 0.into());
        }
    }
}

/// The template's generation, which no version has as a field any more, is always written as an
/// annotation: 0 until the server's strategy counts it.
fn number_template(set: &mut Map<String, Value>) -> Result<(), String> {
    let Some(Value::Object(metadata)) = set.get_mut("metadata") else { return Ok(()) };
    let annotations = metadata.entry("annotations").or_insert_with(|| Value::Object(Map::new()));
    let Value::Object(annotations) = annotations else { return Ok(()) };
    let number = match annotations.get(TEMPLATE_GENERATION).and_then(Value::as_str) {
        Some(text) => parse_int(text)?,
        None => 0,
    };
    annotations.insert(TEMPLATE_GENERATION.to_owned(), number.to_string().into());
    Ok(())
}

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// The revision to roll back to travels as an annotation, too.
fn read_rollback(deployment: &mut Map<String, Value>) -> Result<(), String> {
    let Some(Value::Object(metadata)) = deployment.get_mut("metadata") else { return Ok(()) };
    let Some(Value::Object(annotations)) = metadata.get_mut("annotations") else { return Ok(()) };
    let Some(text) = annotations.get(ROLLBACK).and_then(Value::as_str) else { return Ok(()) };
    if text.is_empty() {
        drop_annotations(deployment, &[ROLLBACK]);
        return Ok(());
    }
    let number = parse_int(text).map_err(|error| {
        format!("failed to parse annotation[{ROLLBACK}]={text} as int64: {error}")
    })?;
    annotations.insert(ROLLBACK.to_owned(), number.to_string().into());
    Ok(())
}

const ROLLBACK: &str = "deprecated.deployment.rollback.to";

/// Reads a number as Go's `strconv.ParseInt` does.
fn parse_int(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let why = if number { "value out of range" } else { "invalid syntax" };
        format!("strconv.ParseInt: parsing {}: {why}", Value::from(text))
    })
}

/// What the newer version has fields for stands in annotations: the server reads and rewrites
/// them. What describes the status is written by nobody but the server; the rest stays where it
/// can be read.
fn autoscaler(autoscaler: &mut Map<String, Value>) {
    drop_annotations(
        autoscaler,
        &[
            "autoscaling.alpha.kubernetes.io/conditions",
            "autoscaling.alpha.kubernetes.io/current-metrics",
        ],
    );
    let Some(annotations) =
        autoscaler.get("metadata").and_then(|metadata| metadata.get("annotations"))
    else {
        return;
    };
    let parsed = |name: &str| -> Option<Value> {
        serde_json::from_str(annotations.get(name)?.as_str()?).ok()
    };
    let mut unreadable = Vec::new();
    if parsed(AUTOSCALER_METRICS).is_none_or(|m| m.as_array().is_none_or(Vec::is_empty)) {
        unreadable.push(AUTOSCALER_METRICS);
    }
    if parsed(AUTOSCALER_BEHAVIOR).is_none_or(|b| b.as_object().is_none_or(Map::is_empty)) {
        unreadable.push(AUTOSCALER_BEHAVIOR);
    }
    drop_annotations(autoscaler, &unreadable);
}

/// Metrics of `autoscaling/v1` other than the CPU.
pub(crate) const AUTOSCALER_METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const AUTOSCALER_BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";

/// Claim templates always say what they are.
fn name_claim_templates(spec: &mut Map<String, Value>) {
    let Some(Value::Array(templates)) = spec.get_mut("volumeClaimTemplates") else { return };
    for template in templates.iter_mut().filter_map(Value::as_object_mut) {
        template.insert("apiVersion".to_owned(), "v1".into());
        template.insert("kind".to_owned(), "PersistentVolumeClaim".into());
    }
}
