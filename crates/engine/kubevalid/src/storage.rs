//! Volumes, claims and classes.

use std::collections::{BTreeMap, BTreeSet};

use kubetypes::quantity::Quantity;
use manifest::field::FieldError;
use serde_json::Value;

use crate::cursor::At;
use crate::names;
use crate::pod::affinity;
use crate::selector;
use crate::sources;

const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

fn access_modes(at: &At<'_>, errors: &mut Vec<FieldError>) {
    for mode in at.items() {
        if !MODES.contains(&mode.text()) {
            errors.push(FieldError::not_supported(at.path.clone(), mode.text(), &MODES));
        }
    }
    let alone = |mode: &At<'_>| mode.text() == "ReadWriteOncePod";
    let shared = |mode: &At<'_>| !alone(mode) && MODES.contains(&mode.text());
    if at.items().any(|mode| alone(&mode)) && at.items().any(|mode| shared(&mode)) {
        errors.push(at.forbidden("may not use ReadWriteOncePod with other access modes"));
    }
}

/// A size that must be more than nothing.
fn more_than_nothing(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let nothing = Quantity::parse(at.text()).is_ok_and(|size| size.sign() <= 0);
    if nothing {
        errors.push(at.invalid("must be greater than zero"));
    }
}

fn class_name(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if !at.is_empty() {
        at.named(names::subdomain(at.text(), false), errors);
    }
}

pub fn claim(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    claim_spec(&spec, errors);
    let Some(old) = old else { return };
    let class = |at: &At<'_>| {
        at.to(&["metadata", "annotations"])
            .at("volume.beta.kubernetes.io/storage-class")
            .value
            .clone()
    };
    let (class, was) = (class(&object), class(&old));
    if class != was {
        let path = "metadata.annotations.volume.beta.kubernetes.io/storage-class";
        let shown = class.as_str().unwrap_or_default();
        errors.push(FieldError::invalid(path, shown, "field is immutable"));
    }
    let old = old.at("spec");
    let bound = object.to(&["status", "phase"]).text() == "Bound";
    let rest = |at: &At<'_>| {
        let mut fields = at.map().cloned().unwrap_or_default();
        if bound {
            let requests = fields.get_mut("resources").and_then(|all| all.get_mut("requests"));
            if let Some(requests) = requests.and_then(Value::as_object_mut) {
                requests.remove("storage");
            }
            fields.remove("volumeAttributesClassName");
        }
        // A claim that has no volume or class yet may be given one.
        if old.at("volumeName").is_empty() {
            fields.remove("volumeName");
        }
        if !old.at("storageClassName").is_set() {
            fields.remove("storageClassName");
        }
        // What was said in one of these fields is said in both.
        if !old.at("dataSource").is_set() || !old.at("dataSourceRef").is_set() {
            fields.remove("dataSource");
        }
        Value::Object(fields)
    };
    let (new_rest, old_rest) = (rest(&spec), rest(&old));
    let name = "io.k8s.api.core.v1.PersistentVolumeClaimSpec";
    if !At::root(&new_rest).is_as_struct(&At::root(&old_rest), name) {
        errors.push(spec.forbidden(
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
        ));
    }
    let none = Quantity::parse("0").ok();
    let size = |at: &At<'_>, path: &[&str]| {
        Quantity::parse(at.to(path).text()).ok().or_else(|| none.clone())
    };
    let wanted = ["resources", "requests", "storage"];
    let (new_size, old_size) = (size(&spec, &wanted), size(&old, &wanted));
    let has = size(&object, &["status", "capacity", "storage"]);
    if new_size < old_size && new_size <= has {
        errors.push(spec.to(&wanted).forbidden("field can not be less than status.capacity"));
    }
    let mode = At { value: spec.at("volumeMode").value, path: "volumeMode".to_owned() };
    mode.unchanged(&old.at("volumeMode"), errors);
}

/// A claim's spec, wherever it stands.
pub fn claim_spec(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let modes = spec.at("accessModes");
    if modes.is_empty() {
        errors.push(modes.required("at least 1 access mode is required"));
    }
    selector::validate(&spec.at("selector"), errors);
    access_modes(&modes, errors);
    let size = spec.to(&["resources", "requests", "storage"]);
    let at = At { value: size.value, path: format!("{}[storage]", spec.child("resources")) };
    if size.is_set() {
        more_than_nothing(&at, errors);
    } else {
        errors.push(at.required(""));
    }
    class_name(&spec.at("storageClassName"), errors);
    spec.at("volumeMode").one_of(&["Block", "Filesystem"], errors);
    let (source, reference) = (spec.at("dataSource"), spec.at("dataSourceRef"));
    // A source of old that is neither a claim nor a snapshot is forgotten, not refused.
    let is_old = matches!(
        (source.at("kind").text(), source.at("apiGroup").text()),
        ("PersistentVolumeClaim", "") | ("VolumeSnapshot", "snapshot.storage.k8s.io")
    );
    if is_old || reference.is_set() {
        data_source(&source, errors);
    }
    data_source(&reference, errors);
    let named =
        |at: &At<'_>| ["apiGroup", "kind", "name"].map(|name| at.at(name).text().to_owned());
    let words = match (source.is_set() && reference.is_set(), reference.at("namespace").is_empty())
    {
        (false, _) => "",
        (true, false) => "may not be specified when dataSourceRef.namespace is specified",
        (true, true) if named(&source) != named(&reference) => "must match dataSourceRef",
        (true, true) => "",
    };
    if !words.is_empty() {
        errors.push(FieldError::invalid(spec.path.clone(), "", words).showing("{}".to_owned()));
    }
    class_name(&spec.at("volumeAttributesClassName"), errors);
}

fn data_source(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if !at.is_set() {
        return;
    }
    for field in ["name", "kind"] {
        if at.at(field).is_empty() {
            errors.push(at.at(field).required(""));
        }
    }
    let (group, kind, namespace) = (at.at("apiGroup"), at.at("kind").text(), at.at("namespace"));
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        let words = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        errors.push(FieldError::invalid(at.path.clone(), kind, words));
    }
    if !group.is_empty() {
        group.named(names::subdomain(group.text(), false), errors);
    }
    if !namespace.is_empty() {
        namespace.named(names::label(namespace.text(), false), errors);
    }
}

pub fn volume(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let class = spec.at("volumeAttributesClassName");
    volume_spec(&spec, errors);
    if let Some(old) = old {
        let old = old.at("spec");
        if !sources::are_as(&spec, &old) {
            let path = spec.child("persistentvolumesource");
            let words = format!("{path} is immutable after creation");
            errors.push(FieldError::forbidden(path, words));
        }
        let mode = At { value: spec.at("volumeMode").value, path: "volumeMode".to_owned() };
        mode.unchanged(&old.at("volumeMode"), errors);
        place_stays(&spec.at("nodeAffinity"), &old.at("nodeAffinity"), errors);
        if old.at("volumeAttributesClassName").is_set() && !class.is_set() {
            errors.push(class.forbidden("update from non-nil value to nil is forbidden"));
        }
    }
}

/// Where a volume can be reached stays once it is said, but for labels that got their lasting names.
fn place_stays(place: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    if !old.is_set() || place.is_as(old) || place.is_as(&At::root(&lasting(old.value))) {
        return;
    }
    let words = "field is immutable, except for updating from beta label to GA";
    let terms = affinity::shown_terms(&place.to(&["required", "nodeSelectorTerms"]));
    let shown = match (place.is_set(), place.at("required").is_set()) {
        (false, _) => "null".to_owned(),
        (true, false) => r#"{"Required":null}"#.to_owned(),
        (true, true) => format!(r#"{{"Required":{{"NodeSelectorTerms":{terms}}}}}"#),
    };
    let at = At { value: place.value, path: "nodeAffinity".to_owned() };
    errors.push(at.invalid(words).showing(shown));
}

/// A place in which labels have their lasting names.
fn lasting(place: &Value) -> Value {
    const NAMES: [(&str, &str); 5] = [
        ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
        ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
        ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"),
        ("beta.kubernetes.io/os", "kubernetes.io/os"),
        ("beta.kubernetes.io/arch", "kubernetes.io/arch"),
    ];
    match place {
        Value::String(text) => {
            let renamed = NAMES.iter().find(|(beta, _)| beta == text);
            renamed.map_or_else(|| place.clone(), |(_, name)| (*name).into())
        }
        Value::Array(items) => items.iter().map(lasting).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), lasting(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => place.clone(),
    }
}

/// A volume that stands within an attachment.
pub fn inline_volume(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    const NOT_INLINE: &str = "may not be specified in the context of inline volumes";
    for field in ["claimRef", "capacity"] {
        let at = spec.at(field);
        if at.is_set() && !(field == "capacity" && at.is_empty()) {
            errors.push(at.forbidden(NOT_INLINE));
        }
    }
    if !spec.at("csi").is_set() {
        let words = "has to be specified in the context of inline volumes";
        errors.push(spec.at("csi").required(words));
    }
    let modes = spec.at("accessModes");
    if modes.is_empty() {
        errors.push(modes.required(""));
    }
    access_modes(&modes, errors);
    let reclaim = spec.at("persistentVolumeReclaimPolicy");
    if !reclaim.is_empty() && reclaim.text() != "Retain" {
        errors.push(reclaim.forbidden("may only be Retain in the context of inline volumes"));
    }
    if spec.at("nodeAffinity").is_set() {
        errors.push(spec.at("nodeAffinity").forbidden(NOT_INLINE));
    }
    sources::validate(spec, errors);
    if !spec.at("storageClassName").is_empty() {
        errors.push(spec.at("storageClassName").forbidden(NOT_INLINE));
    }
    let mode = spec.at("volumeMode");
    if mode.is_set() && mode.text() != "Filesystem" {
        let words =
            "may not specify volumeMode other than Filesystem in the context of inline volumes";
        errors.push(mode.forbidden(words));
    }
}

fn volume_spec(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let modes = spec.at("accessModes");
    if modes.is_empty() {
        errors.push(modes.required(""));
    }
    access_modes(&modes, errors);
    let capacity = spec.at("capacity");
    if capacity.is_empty() {
        errors.push(capacity.required(""));
    }
    if !capacity.at("storage").is_set() || capacity.entries().count() > 1 {
        errors.push(FieldError::not_supported(
            capacity.path.clone(),
            capacity.value.clone(),
            &["storage"],
        ));
    }
    for (name, _) in capacity.entries() {
        let size = capacity.key(name);
        if let Some(below) = Quantity::parse(size.text()).ok().filter(|size| size.sign() < 0) {
            let words = "must be a valid resource quantity";
            errors.push(FieldError::invalid(size.path.clone(), below.value(), words));
        }
        more_than_nothing(&size, errors);
    }
    let reclaim = spec.at("persistentVolumeReclaimPolicy");
    if !reclaim.is_empty() {
        reclaim.one_of(&["Delete", "Recycle", "Retain"], errors);
    }
    if spec.at("nodeAffinity").is_set() {
        let required = spec.to(&["nodeAffinity", "required"]);
        match required.is_set() {
            true => affinity::node_selector(&required, errors),
            false => errors.push(required.required("must specify required node constraints")),
        }
    }
    sources::validate(spec, errors);
    if spec.to(&["hostPath", "path"]).text() == "/" && reclaim.text() == "Recycle" {
        errors.push(reclaim.forbidden("may not be 'recycle' for a hostPath mount of '/'"));
    }
    class_name(&spec.at("storageClassName"), errors);
    spec.at("volumeMode").one_of(&["Block", "Filesystem"], errors);
    let class = spec.at("volumeAttributesClassName");
    if class.is_set() {
        match class.is_empty() {
            true => errors.push(class.required("an empty string is disallowed")),
            false => class_name(&class, errors),
        }
        if !spec.at("csi").is_set() {
            let words = "has to be specified when using volumeAttributesClassName";
            errors.push(spec.at("csi").required(words));
        }
    }
}

pub fn class(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let provisioner = object.at("provisioner");
    let parameters = object.at("parameters");
    let binding = object.at("volumeBindingMode");
    if let Some(old) = &old {
        if !parameters.is_as(&old.at("parameters")) {
            errors.push(parameters.invalid("field is immutable"));
        }
        for field in ["provisioner", "reclaimPolicy", "volumeBindingMode"] {
            object.at(field).unchanged(&old.at(field), errors);
        }
        // All the rest has been looked at as that of a new class.
        return;
    }
    if provisioner.is_empty() {
        errors.push(provisioner.required(""));
    } else {
        let name = provisioner.text().to_lowercase();
        let wrong =
            |words: String| FieldError::invalid(provisioner.path.clone(), name.as_str(), words);
        errors.extend(names::qualified(&name).into_iter().map(wrong));
    }
    for (key, _) in parameters.entries() {
        if key.is_empty() {
            errors.push(FieldError::invalid(
                parameters.path.clone(),
                "",
                "field can not be empty.",
            ));
        }
    }
    let reclaim = object.at("reclaimPolicy");
    if !reclaim.is_empty() {
        reclaim.one_of(&["Delete", "Retain"], errors);
    }
    if binding.is_set() {
        binding.one_of(&["Immediate", "WaitForFirstConsumer"], errors);
    } else {
        errors.push(binding.required(""));
    }
    topologies(&object.at("allowedTopologies"), errors);
}

fn topologies(list: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut known: Vec<BTreeMap<&str, BTreeSet<&str>>> = Vec::new();
    let count = list.items().count();
    for term in list.items() {
        let rules = term.at("matchLabelExpressions");
        let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for rule in rules.items() {
            let (key, values) = (rule.at("key"), rule.at("values"));
            if values.is_empty() {
                errors.push(values.required(""));
            }
            let mut set = BTreeSet::new();
            for value in values.items() {
                if !set.insert(value.text()) {
                    errors.push(FieldError::duplicate(value.path.clone(), value.text()));
                }
            }
            let refusals = names::qualified(key.text()).into_iter();
            errors.extend(
                refusals.map(|words| FieldError::invalid(key.path.clone(), key.text(), words)),
            );
            if keys.insert(key.text(), set).is_some() {
                errors.push(FieldError::duplicate(key.path.clone(), key.text()));
            }
        }
        // The server begins with as many empty terms as there are terms.
        let empty = if keys.is_empty() { count } else { 0 };
        let same = empty + known.iter().filter(|other| **other == keys).count();
        errors.extend((0..same).map(|_| FieldError::duplicate(rules.path.clone(), "")));
        known.push(keys);
    }
}
