//! Kinds with few rules: controllers' own objects, events, classes of runtimes, attachments.

use std::collections::BTreeSet;

use manifest::field::FieldError;
use serde_json::Value;

use crate::cursor::At;
use crate::names;
use crate::{pod, selector};

/// A ReplicationController, whose selector is a plain map.
pub fn replication_controller(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    spec.at("minReadySeconds").not_negative(errors);
    let chosen = spec.at("selector");
    if chosen.is_empty() {
        errors.push(chosen.required(""));
    }
    spec.at("replicas").not_negative(errors);
    let template = spec.at("template");
    if !template.is_set() {
        errors.push(template.required(""));
        return;
    }
    let labels = template.to(&["metadata", "labels"]);
    let selects = chosen.entries().all(|(key, value)| labels.value.get(key) == Some(value));
    if !chosen.is_empty() && !selects {
        errors.push(labels.invalid("`selector` does not match template `labels`"));
    }
    pod::template(&template, errors);
    let restart = template.to(&["spec", "restartPolicy"]);
    if restart.is_set() && restart.text() != "Always" {
        errors.push(restart.unsupported(&["Always"]));
    }
    let deadline = template.to(&["spec", "activeDeadlineSeconds"]);
    if deadline.is_set() {
        errors.push(
            deadline.forbidden("activeDeadlineSeconds in ReplicationController is not Supported"),
        );
    }
}

/// A PodTemplate.
pub fn pod_template(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    pod::template(&object.at("template"), errors);
}

/// A ControllerRevision, which never changes.
pub fn controller_revision(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let (data, revision) = (object.at("data"), object.at("revision"));
    revision.not_negative(errors);
    match old {
        Some(old) if data.value != old.at("data").value => {
            // Raw JSON is printed as Go writes it.
            let shown = data.value.to_string();
            let shown = [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")]
                .iter()
                .fold(shown, |shown, (sign, code)| shown.replace(sign, code));
            errors.push(data.invalid("field is immutable").showing(shown));
        }
        Some(_) => {}
        None if !data.is_set() => errors.push(data.required("data is mandatory")),
        None if !data.value.is_object() => {
            errors.push(data.required("data must be a valid JSON object"));
        }
        None => {}
    }
}

/// A RuntimeClass.
pub fn runtime_class(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let handler = object.at("handler");
    if handler.is_empty() {
        errors.push(handler.required(""));
    } else {
        handler.named(names::label(handler.text(), false), errors);
    }
    let overhead = object.at("overhead");
    if overhead.is_set() {
        crate::pod::amounts::overhead(&overhead, overhead.at("podFixed").value, errors);
    }
    crate::meta::labels(&object.to(&["scheduling", "nodeSelector"]), errors);
    let tolerations = object.to(&["scheduling", "tolerations"]);
    crate::pod::tolerations(&tolerations, errors);
    let mut seen = BTreeSet::new();
    for toleration in tolerations.items() {
        let text = |field: &str| toleration.at(field).text();
        let key = ["key", "operator", "value", "effect"].map(text);
        if !seen.insert(key) {
            let shown = format!(
                "{{\"Key\":{},\"Operator\":{},\"Value\":{},\"Effect\":{},\"TolerationSeconds\":{}}}",
                manifest::field::quote(key[0]),
                manifest::field::quote(key[1]),
                manifest::field::quote(key[2]),
                manifest::field::quote(key[3]),
                toleration.at("tolerationSeconds").value
            );
            errors.push(toleration.duplicate().showing(shown));
        }
    }
    if let Some(old) = old {
        handler.unchanged(&old.at("handler"), errors);
    }
}

/// A VolumeAttachment.
pub fn volume_attachment(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    driver_name(&spec.at("attacher"), errors);
    let source = spec.at("source");
    let (inline, volume) = (source.at("inlineVolumeSpec"), source.at("persistentVolumeName"));
    let one = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    match (inline.is_set(), volume.is_set()) {
        (false, false) => errors.push(source.required(one)),
        (true, true) => errors.push(source.forbidden(one)),
        (false, true) if volume.is_empty() => {
            errors.push(volume.required("must specify non empty persistentVolumeName"));
        }
        (_, _) => {}
    }
    if inline.is_set() && !volume.is_set() {
        crate::storage::inline_volume(&inline, errors);
    }
    let node = spec.at("nodeName");
    let refusals = names::subdomain(node.text(), false);
    errors.extend(
        refusals
            .into_iter()
            .map(|words| FieldError::invalid(node.path.clone(), node.text(), words)),
    );
    if volume.is_set() {
        volume.named(names::subdomain(volume.text(), false), errors);
    }
    attachment_status(&object, errors);
    if let Some(old) = old
        && !spec.is_as(&old.at("spec"))
    {
        let text = |at: &At<'_>| Value::from(at.text());
        let shown = format!(
            r#"{{"Attacher":{},"Source":{{"PersistentVolumeName":{},"InlineVolumeSpec":{}}},"NodeName":{}}}"#,
            text(&spec.at("attacher")),
            volume.value,
            inline.value,
            text(&node)
        );
        errors.push(spec.invalid("field is immutable").showing(shown));
    }
}

/// What is said of volumes that were attached.
pub fn attachment_status(object: &At<'_>, errors: &mut Vec<FieldError>) {
    for field in ["attachError", "detachError"] {
        let code = object.to(&["status", field, "errorCode"]);
        if code.number().is_some_and(|code| code < 0) {
            errors.push(code.invalid(format!("must be between 0 and {}, inclusive", i32::MAX)));
        }
    }
}

fn driver_name(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if at.is_empty() {
        errors.push(at.required(""));
        return;
    }
    if at.text().len() > 63 {
        errors.push(FieldError::too_long(at.path.clone(), 63));
    }
    at.named(names::subdomain(&at.text().to_lowercase(), false), errors);
}

/// A CSINode.
pub fn csi_node(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    drivers(&object, errors);
    let Some(old) = old else { return };
    let all = object.to(&["spec", "drivers"]);
    // What a driver may allocate is the one thing that changes.
    let fixed = |driver: &At<'_>| {
        let mut fields = driver.map().cloned().unwrap_or_default();
        fields.remove("allocatable");
        serde_json::Value::Object(fields)
    };
    for before in old.to(&["spec", "drivers"]).items() {
        let name = before.at("name");
        for driver in all.items().filter(|driver| driver.at("name").text() == name.text()) {
            if At::root(&fixed(&driver)).is_as(&At::root(&fixed(&before))) {
                continue;
            }
            let keys = driver.at("topologyKeys");
            let shown = format!(
                "{{\"Name\":{},\"NodeID\":{},\"TopologyKeys\":{},\"Allocatable\":null}}",
                driver.at("name").value,
                driver.at("nodeID").value,
                keys.value
            );
            errors.push(all.invalid("field is immutable").showing(shown));
        }
    }
}

/// The longest name that a driver has for a node, in bytes.
const NODE_ID_BYTES_MAX: usize = 256;

fn drivers(object: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for driver in object.to(&["spec", "drivers"]).items() {
        driver_name(&driver.at("name"), errors);
        let node = driver.at("nodeID");
        if node.is_empty() {
            errors.push(node.required(""));
        }
        if node.text().len() > NODE_ID_BYTES_MAX {
            let words = format!("must be {NODE_ID_BYTES_MAX} characters or less");
            errors.push(node.invalid(words));
        }
        driver.to(&["allocatable", "count"]).not_negative(errors);
        let name = driver.at("name");
        if !seen.insert(name.text()) {
            errors.push(FieldError::duplicate(name.path.clone(), name.text()));
        }
        // Keys are named by their driver.
        let mut keys = BTreeSet::new();
        let at = || driver.path.clone();
        for key in driver.at("topologyKeys").items().map(|key| key.text()) {
            if key.is_empty() {
                errors.push(FieldError::required(at(), ""));
            }
            if !keys.insert(key) {
                errors.push(FieldError::duplicate(at(), key));
            }
            let refusals = names::qualified(key);
            errors.extend(refusals.into_iter().map(|why| FieldError::invalid(at(), key, why)));
        }
    }
}

/// A CSIStorageCapacity.
pub fn storage_capacity(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    selector::validate(&object.at("nodeTopology"), errors);
    let class = object.at("storageClassName");
    let refusals = names::subdomain(class.text(), false);
    errors.extend(
        refusals
            .into_iter()
            .map(|words| FieldError::invalid(class.path.clone(), class.text(), words)),
    );
    let amount = object.at("capacity");
    if amount.text().starts_with('-') {
        errors.push(amount.invalid("must be greater than or equal to 0"));
    }
    if let Some(old) = old {
        for field in ["nodeTopology", "storageClassName"] {
            let new = object.at(field);
            let was = old.at(field);
            // What is there and empty is not what is missing.
            if !new.is_as(&was) || new.is_set() != was.is_set() {
                let shown = match (field, new.is_set()) {
                    ("nodeTopology", true) => {
                        new.invalid("field is immutable").showing(selector::shown(&new))
                    }
                    ("storageClassName", false) => {
                        FieldError::invalid(new.path.clone(), "", "field is immutable")
                    }
                    _ => new.invalid("field is immutable"),
                };
                errors.push(shown);
            }
        }
    }
}

/// A VolumeAttributesClass.
pub fn attributes_class(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let (name, parameters) = (object.at("driverName"), object.at("parameters"));
    if let Some(old) = old {
        if name.text() != old.at("driverName").text() {
            errors.push(name.forbidden("updates to driverName are forbidden."));
        }
        if !parameters.is_as(&old.at("parameters")) {
            errors.push(parameters.forbidden("updates to parameters are forbidden."));
        }
        return;
    }
    if name.is_empty() {
        errors.push(name.required(""));
    } else {
        let lower = name.text().to_lowercase();
        let refusals = names::qualified(&lower).into_iter();
        errors.extend(
            refusals.map(|words| FieldError::invalid(name.path.clone(), lower.as_str(), words)),
        );
    }
    if parameters.is_empty() {
        errors.push(parameters.required("must contain at least one key/value pair"));
    }
    if parameters.entries().any(|(key, _)| key.is_empty()) {
        errors.push(FieldError::invalid(parameters.path.clone(), "", "field can not be empty."));
    }
}

/// A CSIDriver.
pub fn csi_driver(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    for (field, shown) in [
        ("attachRequired", "attachedRequired"),
        ("podInfoOnMount", "podInfoOnMount"),
        ("storageCapacity", "storageCapacity"),
    ] {
        if !spec.at(field).is_set() {
            errors.push(FieldError::required(spec.child(shown), ""));
        }
    }
    spec.at("fsGroupPolicy").one_of(&["File", "None", "ReadWriteOnceWithFSType"], errors);
    let requests = spec.at("tokenRequests");
    let mut seen = BTreeSet::new();
    for request in requests.items() {
        let (audience, seconds) = (request.at("audience"), request.at("expirationSeconds"));
        if !seen.insert(audience.text()) {
            errors.push(FieldError::duplicate(audience.path.clone(), audience.text()));
            continue;
        }
        let number = seconds.number().unwrap_or(600);
        if number < 600 {
            errors.push(seconds.invalid("may not specify a duration less than 10 minutes"));
        }
        if number > 1 << 32 {
            errors.push(seconds.invalid("may not specify a duration larger than 2^32 seconds"));
        }
    }
    let modes = spec.at("volumeLifecycleModes");
    for mode in modes.items() {
        if !["Persistent", "Ephemeral"].contains(&mode.text()) {
            errors.push(FieldError::not_supported(
                modes.path.clone(),
                mode.text(),
                &["Persistent", "Ephemeral"],
            ));
        }
    }
    if !spec.at("seLinuxMount").is_set() {
        errors.push(spec.at("seLinuxMount").required(""));
    }
    let period = spec.at("nodeAllocatableUpdatePeriodSeconds");
    if period.number().is_some_and(|seconds| seconds < 10) {
        errors.push(period.invalid("must be greater than or equal to 10 seconds"));
    }
    let in_secrets = spec.at("serviceAccountTokenInSecrets");
    if in_secrets.is_set() && requests.is_empty() {
        errors.push(
            in_secrets
                .invalid("serviceAccountTokenInSecrets is set but no tokenRequests are specified"),
        );
    }
    let Some(old) = old else { return };
    let old = old.at("spec");
    for (field, shown) in
        [("attachRequired", "attachedRequired"), ("volumeLifecycleModes", "volumeLifecycleModes")]
    {
        let at = At { value: spec.at(field).value, path: spec.child(shown) };
        at.unchanged(&old.at(field), errors);
    }
}

/// An Event of the core group.
pub fn core_event(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let fields = Event {
        about: "involvedObject",
        controller: "reportingComponent",
        controller_path: "reportingComponent",
        note: "message",
    };
    event(&object, &fields, errors);
}

/// An Event of `events.k8s.io`.
pub fn new_event(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let fields = Event {
        about: "regarding",
        controller: "reportingController",
        controller_path: "reportingController",
        note: "note",
    };
    let Some(old) = old else {
        series(&object, errors);
        if !object.at("eventTime").is_set() {
            errors.push(FieldError::required("eventTime", ""));
        }
        let kind = object.at("type");
        if !matches!(kind.text(), "Normal" | "Warning") {
            let words = format!("has invalid value: {}", kind.text());
            errors.push(FieldError::invalid("type", "", words));
        }
        for (field, path) in [
            ("deprecatedFirstTimestamp", "firstTimestamp"),
            ("deprecatedLastTimestamp", "lastTimestamp"),
            ("deprecatedCount", "count"),
            ("deprecatedSource", "source"),
        ] {
            let value = object.at(field);
            if !value.is_empty() && value.number() != Some(0) {
                errors.push(FieldError::invalid(path, "", "needs to be unset"));
            }
        }
        return;
    };
    event(&object, &fields, errors);
    if object.at("series").value != old.at("series").value {
        series(&object, errors);
    }
    let about = object.at("regarding");
    if !about.is_as(&old.at("regarding")) {
        let error =
            FieldError::invalid("involvedObject", about.value.clone(), "field is immutable");
        errors.push(error.showing(shown_reference(&about)));
    }
    for (field, path) in [
        ("reason", "reason"),
        ("note", "message"),
        ("deprecatedSource", "source"),
        ("deprecatedFirstTimestamp", "firstTimestamp"),
        ("deprecatedLastTimestamp", "lastTimestamp"),
        ("deprecatedCount", "count"),
        // The server asks about it twice.
        ("reason", "reason"),
        ("type", "type"),
        ("eventTime", "eventTime"),
        ("action", "action"),
        ("related", "related"),
        ("reportingController", "reportingController"),
        ("reportingInstance", "reportingInstance"),
    ] {
        let (new, was) = (object.at(field), old.at(field));
        if !new.is_as(&was) {
            if field == "related" && new.is_set() {
                let error = new.invalid("field is immutable");
                errors.push(error.showing(shown_reference(&new)));
                continue;
            }
            if field == "deprecatedSource" {
                let text = |field: &str| Value::from(new.at(field).text());
                let shown =
                    format!("{{\"Component\":{},\"Host\":{}}}", text("component"), text("host"));
                let error = FieldError::invalid(path, "", "field is immutable");
                errors.push(error.showing(shown));
                continue;
            }
            let value = match (new.is_set(), field) {
                (true, _) => new.value.clone(),
                (false, "deprecatedCount") => Value::from(0),
                (false, "eventTime" | "deprecatedFirstTimestamp" | "deprecatedLastTimestamp") => {
                    Value::Null
                }
                (false, _) => Value::from(""),
            };
            errors.push(FieldError::invalid(path, value, "field is immutable"));
        }
    }
}

fn shown_reference(at: &At<'_>) -> String {
    let fields = [
        ("Kind", "kind"),
        ("Namespace", "namespace"),
        ("Name", "name"),
        ("UID", "uid"),
        ("APIVersion", "apiVersion"),
        ("ResourceVersion", "resourceVersion"),
        ("FieldPath", "fieldPath"),
    ];
    let parts: Vec<String> = fields
        .iter()
        .map(|(shown, field)| format!("\"{shown}\":{}", Value::from(at.at(field).text())))
        .collect();
    format!("{{{}}}", parts.join(","))
}

/// What stands before the metadata's errors: the rules that events have always had.
pub fn new_event_first(object: At<'_>, errors: &mut Vec<FieldError>) {
    let fields = Event {
        about: "regarding",
        controller: "reportingController",
        controller_path: "reportingController",
        note: "note",
    };
    event(&object, &fields, errors);
}

/// Where an event's version keeps what.
struct Event<'a> {
    about: &'a str,
    controller: &'a str,
    controller_path: &'a str,
    note: &'a str,
}

fn event(object: &At<'_>, fields: &Event<'_>, errors: &mut Vec<FieldError>) {
    let namespace = object.to(&["metadata", "namespace"]).text();
    let about = object.to(&[fields.about, "namespace"]).text();
    let elsewhere =
        FieldError::invalid("involvedObject.namespace", about, "does not match event.namespace");
    if !object.at("eventTime").is_set() {
        let at_home = match about {
            "" => matches!(namespace, "" | "default"),
            about => about == namespace,
        };
        if !at_home {
            errors.push(elsewhere);
        }
        return;
    }
    if about.is_empty() && !matches!(namespace, "default" | "kube-system") {
        errors.push(elsewhere);
    }
    let controller = object.at(fields.controller);
    if controller.is_empty() {
        errors.push(FieldError::required(fields.controller_path, ""));
    }
    errors.extend(
        names::qualified(controller.text())
            .into_iter()
            .map(|words| FieldError::invalid(fields.controller_path, controller.text(), words)),
    );
    for (field, limit) in [("reportingInstance", 128), ("action", 128), ("reason", 128)] {
        let at = object.at(field);
        if at.is_empty() {
            errors.push(at.required(""));
        }
        if at.text().len() > limit {
            let words = format!("can have at most {limit} characters");
            errors.push(FieldError::invalid(field, "", words));
        }
    }
    if object.at(fields.note).text().len() > 1024 {
        errors.push(FieldError::invalid("message", "", "can have at most 1024 characters"));
    }
}

fn series(object: &At<'_>, errors: &mut Vec<FieldError>) {
    let series = object.at("series");
    if !series.is_set() {
        return;
    }
    if series.at("count").number().unwrap_or(0) < 2 {
        errors.push(FieldError::invalid("series.count", "", "should be at least 2"));
    }
    if !series.at("lastObservedTime").is_set() {
        errors.push(FieldError::required("series.lastObservedTime", ""));
    }
}
