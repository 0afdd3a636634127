//! Horizontal pod autoscalers in `autoscaling/v1`, where all but the CPU's target stands in annotations.
//!
//! The annotations hold JSON as Go writes it: fields in the order of their declaration. The behaviour is
//! written with the names that its fields have in Go.

use serde_json::{Map, Value, json};

const CPU_FIELD: &str = "targetCPUUtilizationPercentage";
const CURRENT_CPU_FIELD: &str = "currentCPUUtilizationPercentage";
const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const CARRIERS: [&str; 4] = [METRICS, BEHAVIOR, CURRENT_METRICS, CONDITIONS];

/// Whether an annotation stands for fields that only the newer version has.
pub fn has_carriers(object: &Value) -> bool {
    let annotations = object.pointer("/metadata/annotations");
    annotations.is_some_and(|all| CARRIERS.iter().any(|name| all.get(name).is_some()))
}

/// Takes out of an `autoscaling/v2` object what `autoscaling/v1` has no fields for; answers the
/// annotations that stand for it.
pub fn to_v1(object: &mut Value) -> Vec<(&'static str, String)> {
    drop_carriers(object);
    let mut carried = Vec::new();
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        let metrics = spec.remove("metrics").unwrap_or_default();
        let metrics: Vec<&Value> = metrics.as_array().into_iter().flatten().collect();
        let (cpu, others): (Vec<&Value>, Vec<&Value>) =
            metrics.into_iter().partition(|metric| is_cpu(metric, "target"));
        if let Some(first) = cpu.first() {
            let percent = first["resource"]["target"]["averageUtilization"].clone();
            spec.insert(CPU_FIELD.to_owned(), percent);
        }
        if !others.is_empty() {
            carried
                .push((METRICS, list(others.into_iter().map(|metric| old_metric(metric, &SPEC)))));
        }
        if let Some(behavior) = spec.remove("behavior").filter(Value::is_object) {
            carried.push((BEHAVIOR, behavior_text(&behavior)));
        }
    }
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        let metrics = status.remove("currentMetrics").unwrap_or_default();
        let metrics: Vec<&Value> = metrics.as_array().into_iter().flatten().collect();
        if let Some(cpu) = metrics.iter().find(|metric| is_cpu(metric, "current")) {
            let percent = cpu["resource"]["current"]["averageUtilization"].clone();
            status.insert(CURRENT_CPU_FIELD.to_owned(), percent);
        }
        if !metrics.is_empty() {
            let all = metrics.into_iter().map(|metric| old_metric(metric, &STATUS));
            carried.push((CURRENT_METRICS, list(all)));
        }
        let conditions = status.remove("conditions").unwrap_or_default();
        let conditions: Vec<&Value> = conditions.as_array().into_iter().flatten().collect();
        if !conditions.is_empty() {
            carried.push((CONDITIONS, list(conditions.into_iter().map(condition_text))));
        }
    }
    carried
}

/// Puts what annotations stand for into the fields of `autoscaling/v2`.
pub fn to_v2(object: &mut Value) {
    let carried = |name: &str| -> Option<Value> {
        serde_json::from_str(manifest::annotation(object, name)?).ok()
    };
    let metrics = carried(METRICS).and_then(|all| new_metrics(&all, &SPEC));
    let behavior = carried(BEHAVIOR).and_then(|behavior| new_behavior(&behavior));
    let current = carried(CURRENT_METRICS).and_then(|all| new_metrics(&all, &STATUS));
    let conditions = carried(CONDITIONS).filter(Value::is_array);
    drop_carriers(object);
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        let mut all = metrics.unwrap_or_default();
        let percent = spec.remove(CPU_FIELD).filter(|percent| !percent.is_null());
        if percent.is_some() || all.is_empty() {
            let percent = percent.unwrap_or(json!(80));
            all.push(json!({
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": percent}},
            }));
        }
        spec.insert("metrics".to_owned(), Value::Array(all));
        if let Some(behavior) = behavior {
            spec.insert("behavior".to_owned(), behavior);
        }
    }
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        let percent = status.remove(CURRENT_CPU_FIELD);
        let all = match (current, percent) {
            (Some(all), _) => all,
            (None, Some(percent)) => vec![json!({
                "type": "Resource",
                "resource": {"name": "cpu", "current": {"averageUtilization": percent}},
            })],
            (None, None) => Vec::new(),
        };
        if !all.is_empty() {
            status.insert("currentMetrics".to_owned(), Value::Array(all));
        }
        if let Some(conditions) = conditions {
            status.insert("conditions".to_owned(), conditions);
        }
    }
}

fn drop_carriers(object: &mut Value) {
    let Some(Value::Object(metadata)) = object.get_mut("metadata") else { return };
    let Some(Value::Object(annotations)) = metadata.get_mut("annotations") else { return };
    annotations.retain(|name, _| !CARRIERS.contains(&name.as_str()));
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
}

fn is_cpu(metric: &Value, measure: &str) -> bool {
    metric["type"] == "Resource"
        && metric["resource"]["name"] == "cpu"
        && metric["resource"][measure]["averageUtilization"].is_i64()
}

/// How the amounts of a metric are called in the two versions.
struct Names {
    /// In the newer one: `target` or `current`.
    measure: &'static str,
    utilization: &'static str,
    average: &'static str,
    value: &'static str,
    is_status: bool,
}

const SPEC: Names = Names {
    measure: "target",
    utilization: "targetAverageUtilization",
    average: "targetAverageValue",
    value: "targetValue",
    is_status: false,
};

const STATUS: Names = Names {
    measure: "current",
    utilization: "currentAverageUtilization",
    average: "currentAverageValue",
    value: "currentValue",
    is_status: true,
};

/// An object of fields that are there, in their order.
fn fields(fields: &[(&str, Option<String>)]) -> String {
    let parts: Vec<String> = fields
        .iter()
        .filter_map(|(name, text)| Some(format!("\"{name}\":{}", text.as_ref()?)))
        .collect();
    format!("{{{}}}", parts.join(","))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn there(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}

fn text(value: &Value) -> Option<String> {
    Some(json!(value.as_str().unwrap_or_default()).to_string())
}

fn amount(value: &Value) -> Option<String> {
    Some(json!(value.as_str().unwrap_or("0")).to_string())
}

fn old_metric(metric: &Value, names: &Names) -> String {
    let of = |kind: &str| metric.get(kind).filter(|source| source.is_object());
    let object = of("object").map(|source| {
        let measured = &source[names.measure];
        let reference = fields(&[
            ("kind", text(&source["describedObject"]["kind"])),
            ("name", text(&source["describedObject"]["name"])),
            ("apiVersion", there(&source["describedObject"]["apiVersion"])),
        ]);
        fields(&[
            ("target", Some(reference)),
            ("metricName", text(&source["metric"]["name"])),
            (names.value, amount(&measured["value"])),
            ("selector", selector(&source["metric"]["selector"])),
            ("averageValue", there(&measured["averageValue"])),
        ])
    });
    let pods = of("pods").map(|source| {
        fields(&[
            ("metricName", text(&source["metric"]["name"])),
            (names.average, amount(&source[names.measure]["averageValue"])),
            ("selector", selector(&source["metric"]["selector"])),
        ])
    });
    let resource = |source: &Value| {
        let measured = &source[names.measure];
        let average = match names.is_status {
            true => amount(&measured["averageValue"]),
            false => there(&measured["averageValue"]),
        };
        fields(&[
            ("name", text(&source["name"])),
            (names.utilization, there(&measured["averageUtilization"])),
            (names.average, average),
            ("container", there(&source["container"])),
        ])
    };
    let external = of("external").map(|source| {
        let measured = &source[names.measure];
        let value = match names.is_status {
            true => amount(&measured["value"]),
            false => there(&measured["value"]),
        };
        fields(&[
            ("metricName", text(&source["metric"]["name"])),
            ("metricSelector", selector(&source["metric"]["selector"])),
            (names.value, value),
            (names.average, there(&measured["averageValue"])),
        ])
    });
    fields(&[
        ("type", text(&metric["type"])),
        ("object", object),
        ("pods", pods),
        ("resource", of("resource").map(resource)),
        ("containerResource", of("containerResource").map(resource)),
        ("external", external),
    ])
}

fn selector(selector: &Value) -> Option<String> {
    if !selector.is_object() {
        return None;
    }
    let rules = selector["matchExpressions"].as_array().filter(|rules| !rules.is_empty());
    let rules = rules.map(|rules| {
        list(rules.iter().map(|rule| {
            fields(&[
                ("key", text(&rule["key"])),
                ("operator", text(&rule["operator"])),
                ("values", there(&rule["values"])),
            ])
        }))
    });
    let labels = selector["matchLabels"].as_object().filter(|labels| !labels.is_empty());
    let labels = labels.map(|labels| Value::Object(labels.clone()).to_string());
    Some(fields(&[("matchLabels", labels), ("matchExpressions", rules)]))
}

fn condition_text(condition: &Value) -> String {
    fields(&[
        ("type", text(&condition["type"])),
        ("status", text(&condition["status"])),
        ("lastTransitionTime", Some(condition["lastTransitionTime"].to_string())),
        ("reason", there(&condition["reason"])),
        ("message", there(&condition["message"])),
    ])
}

fn behavior_text(behavior: &Value) -> String {
    let side = |name: &str| {
        let rules = &behavior[name];
        if !rules.is_object() {
            return Some("null".to_owned());
        }
        let policies = rules["policies"].as_array().map(|policies| {
            list(policies.iter().map(|policy| {
                let number = |name: &str| Some(policy[name].as_i64().unwrap_or(0).to_string());
                fields(&[
                    ("Type", text(&policy["type"])),
                    ("Value", number("value")),
                    ("PeriodSeconds", number("periodSeconds")),
                ])
            }))
        });
        Some(fields(&[
            ("StabilizationWindowSeconds", Some(rules["stabilizationWindowSeconds"].to_string())),
            ("SelectPolicy", Some(rules["selectPolicy"].to_string())),
            ("Policies", policies.or(Some("null".to_owned()))),
            ("Tolerance", Some(rules["tolerance"].to_string())),
        ]))
    };
    fields(&[("ScaleUp", side("scaleUp")), ("ScaleDown", side("scaleDown"))])
}

/// A field as Go's JSON reader finds it: in whichever case it is written.
fn field<'a>(object: &'a Value, name: &str) -> &'a Value {
    let fields = object.as_object().into_iter().flatten();
    fields
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .next_back()
        .unwrap_or(&Value::Null)
}

/// Puts fields together, but for those that are not there.
fn built(parts: &[(&str, Value)]) -> Value {
    let parts = parts.iter().filter(|(_, value)| !value.is_null());
    Value::Object(parts.map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

/// `None` where Go cannot read the text as a list of metrics.
fn new_metrics(all: &Value, names: &Names) -> Option<Vec<Value>> {
    all.as_array()?
        .iter()
        .map(|metric| metric.is_object().then(|| new_metric(metric, names)))
        .collect()
}

fn new_metric(metric: &Value, names: &Names) -> Value {
    let of = |kind: &str| Some(field(metric, kind)).filter(|source| source.is_object());
    let zero = |value: &Value| if value.is_null() { json!("0") } else { value.clone() };
    let identified = |source: &Value, selector: &str| {
        built(&[
            ("name", json!(field(source, "metricName").as_str().unwrap_or_default())),
            ("selector", field(source, selector).clone()),
        ])
    };
    let measured = |kind: &str, parts: &[(&str, Value)]| {
        let mut measured = built(parts);
        if !names.is_status {
            measured["type"] = json!(kind);
        }
        measured
    };
    let mut out = Map::new();
    out.insert("type".to_owned(), json!(field(metric, "type").as_str().unwrap_or_default()));
    if let Some(source) = of("object") {
        let average = field(source, "averageValue").clone();
        let value = zero(field(source, names.value));
        let (kind, value) = match (average.is_null(), value == "0") {
            (true, _) => ("Value", value),
            (false, true) if !names.is_status => ("AverageValue", Value::Null),
            (false, _) => ("AverageValue", value),
        };
        let target = field(source, "target");
        let reference = built(&[
            ("kind", json!(field(target, "kind").as_str().unwrap_or_default())),
            ("name", json!(field(target, "name").as_str().unwrap_or_default())),
            ("apiVersion", field(target, "apiVersion").clone()),
        ]);
        let measured = measured(kind, &[("value", value), ("averageValue", average)]);
        let metric = identified(source, "selector");
        out.insert(
            "object".to_owned(),
            json!({"describedObject": reference, "metric": metric, names.measure: measured}),
        );
    }
    if let Some(source) = of("pods") {
        let average = zero(field(source, names.average));
        let measured = measured("AverageValue", &[("averageValue", average)]);
        let metric = identified(source, "selector");
        out.insert("pods".to_owned(), json!({"metric": metric, names.measure: measured}));
    }
    for kind in ["resource", "containerResource"] {
        let Some(source) = of(kind) else { continue };
        let share = field(source, names.utilization).clone();
        let average = field(source, names.average).clone();
        let average = if names.is_status { zero(&average) } else { average };
        let sort = if share.is_null() { "AverageValue" } else { "Utilization" };
        let measured = measured(sort, &[("averageUtilization", share), ("averageValue", average)]);
        let mut read = json!({
            "name": field(source, "name").as_str().unwrap_or_default(),
            names.measure: measured,
        });
        if kind == "containerResource" {
            read["container"] = json!(field(source, "container").as_str().unwrap_or_default());
        }
        out.insert(kind.to_owned(), read);
    }
    if let Some(source) = of("external") {
        let value = field(source, names.value).clone();
        let average = field(source, names.average).clone();
        let value = if names.is_status { zero(&value) } else { value };
        let kind = if value.is_null() { "AverageValue" } else { "Value" };
        let measured = measured(kind, &[("value", value), ("averageValue", average)]);
        let metric = identified(source, "metricSelector");
        out.insert("external".to_owned(), json!({"metric": metric, names.measure: measured}));
    }
    Value::Object(out)
}

/// `None` where Go cannot read it, or nothing is in it.
fn new_behavior(behavior: &Value) -> Option<Value> {
    let mut out = Map::new();
    for (old, new) in [("ScaleUp", "scaleUp"), ("ScaleDown", "scaleDown")] {
        let rules = field(behavior, old);
        if rules.is_null() {
            continue;
        }
        rules.as_object()?;
        let policies = match field(rules, "Policies") {
            Value::Array(policies) => Value::Array(
                policies
                    .iter()
                    .map(|policy| {
                        let number = |name: &str| field(policy, name).as_i64().unwrap_or(0);
                        json!({
                            "type": field(policy, "Type").as_str().unwrap_or_default(),
                            "value": number("Value"),
                            "periodSeconds": number("PeriodSeconds"),
                        })
                    })
                    .collect(),
            ),
            Value::Null => Value::Null,
            _ => return None,
        };
        let rules = built(&[
            ("stabilizationWindowSeconds", field(rules, "StabilizationWindowSeconds").clone()),
            ("selectPolicy", field(rules, "SelectPolicy").clone()),
            ("policies", policies),
            ("tolerance", field(rules, "Tolerance").clone()),
        ]);
        out.insert(new.to_owned(), rules);
    }
    (!out.is_empty()).then_some(Value::Object(out))
}
