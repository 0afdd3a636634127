//! What offers devices: slices of a driver's pool.

use std::collections::BTreeSet;

use kubetypes::quantity::Quantity;
use manifest::field::{FieldError, FieldErrorKind};
use serde_json::{Value, json};

use crate::cursor::At;
use crate::devices::{EFFECTS, driver, fits, pool_name, qualified, twins};
use crate::names;
use crate::pod::affinity;

const DEVICES_MAX: u64 = 128;
/// Where taints, counters or lists are used.
const RICH_DEVICES_MAX: u64 = 64;
const COUNTER_SETS_MAX: u64 = 8;
const COUNTERS_MAX: u64 = 32;
const CONSUMPTIONS_MAX: u64 = 2;
const CONDITIONS_MAX: u64 = 4;
const TAINTS_MAX: u64 = 16;
const ATTRIBUTES_MAX: u64 = 32;
const ATTRIBUTE_VALUES_MAX: u64 = 48;
const VALUE_BYTES_MAX: usize = 64;
const LISTS: [&str; 4] = ["bools", "ints", "strings", "versions"];

/// A ResourceSlice.
pub fn slice(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    driver(&spec.at("driver"), errors);
    let pool = spec.at("pool");
    pool_name(&pool.at("name"), errors);
    let count = pool.at("resourceSliceCount").number().unwrap_or(0);
    if count <= 0 {
        let path = pool.child("resourceSliceCount");
        errors.push(FieldError::invalid(path, count, "must be greater than zero"));
    }
    let generation = pool.at("generation");
    if generation.number().is_some_and(|number| number < 0) {
        errors.push(generation.invalid("must be greater than or equal to zero"));
    }
    if let Some(old) = &old {
        for path in [&["pool", "name"][..], &["driver"], &["nodeName"]] {
            let (new, before) = (spec.to(path), old.at("spec").to(path));
            if !new.is_as(&before) {
                let error = new.invalid("field is immutable");
                errors.push(if new.is_set() || path != ["driver"] {
                    error
                } else {
                    error.showing("\"\"")
                });
            }
        }
    }
    where_it_is(&spec, errors);
    if spec.at("sharedCounters").is_set() && spec.at("devices").is_set() {
        errors.push(FieldError::invalid(
            spec.path.clone(),
            "",
            "only one of `sharedCounters` or `devices` is allowed",
        ));
    }
    devices(&spec, errors);
    let sets = spec.at("sharedCounters");
    if fits(&sets, COUNTER_SETS_MAX, errors) {
        for set in sets.items() {
            counters(&set, "name", errors);
        }
        twins(&sets, |set| set.at("name").text().to_owned(), errors);
    }
}

fn where_it_is(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    const ONE: &str = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
    let mut set = Vec::new();
    let node = spec.at("nodeName");
    if node.is_set() {
        if node.is_empty() {
            errors.push(node.invalid("must be either unset or set to a non-empty string"));
        } else {
            set.push("`nodeName`");
            node.named(names::subdomain(node.text(), false), errors);
        }
    }
    let chosen = spec.at("nodeSelector");
    if chosen.is_set() {
        set.push("`nodeSelector`");
        affinity::node_selector(&chosen, errors);
        let terms = chosen.at("nodeSelectorTerms");
        if terms.items().count() != 1 {
            let error = terms.invalid("must have exactly one node selector term");
            errors.push(error.showing(affinity::shown_terms(&terms)));
        }
    }
    for (field, name) in
        [("allNodes", "`allNodes`"), ("perDeviceNodeSelection", "`perDeviceNodeSelection`")]
    {
        let at = spec.at(field);
        if at.flag() {
            set.push(name);
        } else if at.is_set() {
            errors.push(at.invalid("must be either unset or set to true"));
        }
    }
    match set.len() {
        0 => errors.push(spec.required(ONE)),
        1 => {}
        _ => errors.push(FieldError::invalid(
            spec.path.clone(),
            format!("{{{}}}", set.join(", ")),
            format!("{ONE}, but multiple fields are set"),
        )),
    }
}

fn devices(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let devices = spec.at("devices");
    let rich = devices.items().any(|device| {
        !device.at("taints").is_empty()
            || !device.at("consumesCounters").is_empty()
            || device
                .at("attributes")
                .entries()
                .any(|(_, value)| LISTS.iter().any(|list| value.get(list).is_some()))
    });
    let max = if rich { RICH_DEVICES_MAX } else { DEVICES_MAX };
    if !fits(&devices, max, errors) {
        return;
    }
    let by_device = spec.at("perDeviceNodeSelection").flag();
    devices.items().for_each(|one| device(&one, by_device, errors));
    twins(&devices, |one| one.at("name").text().to_owned(), errors);
}

fn device(at: &At<'_>, by_device: bool, errors: &mut Vec<FieldError>) {
    label(&at.at("name"), errors);
    let (attributes, capacity) = (at.at("attributes"), at.at("capacity"));
    let count = (attributes.entries().count() + capacity.entries().count()) as u64;
    if count > ATTRIBUTES_MAX {
        let words = format!(
            "the total number of attributes and capacities must not exceed {ATTRIBUTES_MAX}"
        );
        errors.push(FieldError::invalid(at.path.clone(), count, words));
    }
    let values: u64 = attributes
        .entries()
        .map(|(_, value)| {
            let length = |list: &str| value[list].as_array().map_or(0, Vec::len);
            LISTS.iter().map(|list| length(list)).sum::<usize>().max(1) as u64
        })
        .sum();
    if values > ATTRIBUTE_VALUES_MAX {
        let words =
            format!("the total number of attribute values must not exceed {ATTRIBUTE_VALUES_MAX}");
        errors.push(FieldError::invalid(at.path.clone(), values, words));
    }
    for (key, _) in attributes.entries() {
        qualified(key, &attributes.path, errors);
        attribute(&attributes.key(key), errors);
    }
    let shared = at.at("allowMultipleAllocations").flag();
    for (key, _) in capacity.entries() {
        qualified(key, &capacity.path, errors);
        let one = capacity.key(key);
        let policy = one.at("requestPolicy");
        if policy.is_set() && !shared {
            errors.push(policy.forbidden("allowMultipleAllocations must be true"));
        } else if policy.is_set() {
            request_policy(&one.at("value"), &policy, errors);
        }
    }
    let taints = at.at("taints");
    if fits(&taints, TAINTS_MAX, errors) {
        taints.items().for_each(|one| taint(&one, errors));
    }
    let consumes = at.at("consumesCounters");
    if fits(&consumes, CONSUMPTIONS_MAX, errors) {
        consumes.items().for_each(|one| counters(&one, "counterSet", errors));
        twins(&consumes, |one| one.at("counterSet").text().to_owned(), errors);
    }
    where_device_is(at, by_device, errors);
    conditions(at, errors);
}

fn label(at: &At<'_>, errors: &mut Vec<FieldError>) {
    for words in names::label(at.text(), false) {
        errors.push(FieldError::invalid(at.path.clone(), at.text(), words));
    }
}

fn attribute(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut set = 0;
    for field in ["bool", "int", "string", "version"] {
        let value = at.at(field);
        if !value.is_set() {
            continue;
        }
        set += 1;
        attribute_text(&value, field, errors);
    }
    for field in LISTS {
        let list = at.at(field);
        if !list.is_set() {
            continue;
        }
        set += 1;
        if list.is_empty() {
            errors.push(list.invalid("must not be empty if specified"));
        }
        list.items().for_each(|one| attribute_text(&one, &field[..field.len() - 1], errors));
    }
    const ONE: &str = "exactly one value must be specified";
    match set {
        1 => {}
        0 => errors.push(FieldError::invalid(at.path.clone(), "", ONE)),
        _ => {
            const SHOWN: [(&str, &str); 8] = [
                ("IntValue", "int"),
                ("BoolValue", "bool"),
                ("StringValue", "string"),
                ("VersionValue", "version"),
                ("IntValues", "ints"),
                ("BoolValues", "bools"),
                ("StringValues", "strings"),
                ("VersionValues", "versions"),
            ];
            let parts: Vec<String> = SHOWN
                .iter()
                .map(|(name, field)| format!("\"{name}\":{}", at.at(field).value))
                .collect();
            errors.push(at.invalid(ONE).showing(format!("{{{}}}", parts.join(","))));
        }
    }
}

fn attribute_text(at: &At<'_>, sort: &str, errors: &mut Vec<FieldError>) {
    if sort == "version" && !is_version(at.text()) {
        errors.push(at.invalid("must be a string compatible with semver.org spec 2.0.0"));
    }
    if matches!(sort, "string" | "version") && at.text().len() > VALUE_BYTES_MAX {
        errors.push(FieldError::too_long(at.path.clone(), VALUE_BYTES_MAX as u64));
    }
}

/// `1.2.3-pre.1+build`.
fn is_version(text: &str) -> bool {
    let (rest, build) = match text.split_once('+') {
        Some((rest, build)) => (rest, Some(build)),
        None => (text, None),
    };
    let (numbers, pre) = match rest.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (rest, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let number = |part: &str| digits(part) && (part == "0" || !part.starts_with('0'));
    let word = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    numbers.split('.').count() == 3
        && numbers.split('.').all(number)
        && pre
            .is_none_or(|pre| pre.split('.').all(|one| word(one) && (!digits(one) || number(one))))
        && build.is_none_or(|build| build.split('.').all(word))
}

fn quantity(at: &At<'_>) -> Option<Quantity> {
    Quantity::parse(at.text()).ok()
}

fn request_policy(capacity: &At<'_>, policy: &At<'_>, errors: &mut Vec<FieldError>) {
    let (values, range, default) =
        (policy.at("validValues"), policy.at("validRange"), policy.at("default"));
    if !values.is_empty() && range.is_set() {
        errors.push(policy.forbidden(r#"exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time"#));
    } else if !values.is_empty() && !default.is_set() {
        errors.push(default.required("required when validValues is defined"));
    } else if range.is_set() && !default.is_set() {
        errors.push(default.required("required when validRange is defined"));
    } else if range.is_set() && !range.at("min").is_set() {
        errors.push(range.at("min").required("required when validRange is defined"));
    } else if !values.is_empty() {
        let more = |a: &At<'_>, b: &At<'_>| match (quantity(a), quantity(b)) {
            (Some(a), Some(b)) => a > b,
            _ => false,
        };
        let all: Vec<At<'_>> = values.items().collect();
        for pair in all.windows(2).filter(|pair| more(&pair[0], &pair[1])) {
            errors.push(pair[1].invalid("values must be sorted in ascending order"));
        }
        for one in all.iter().filter(|one| more(one, capacity)) {
            let words = format!("option is larger than capacity value: {}", capacity.text());
            errors.push(one.invalid(words));
        }
        let wanted = quantity(&default);
        if !all.iter().any(|one| quantity(one) == wanted) {
            errors.push(FieldError::invalid(
                values.path.clone(),
                default.text(),
                "default value is not valid according to the requestPolicy",
            ));
        }
    }
}

fn taint(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let (key, value, effect) = (at.at("key"), at.at("value"), at.at("effect"));
    for words in names::qualified(key.text()) {
        errors.push(FieldError::invalid(key.path.clone(), key.text(), words));
    }
    value.named(names::label_value(value.text()), errors);
    if effect.is_empty() {
        errors.push(effect.required(""));
    } else {
        effect.one_of(&EFFECTS, errors);
    }
}

fn counters(at: &At<'_>, name: &str, errors: &mut Vec<FieldError>) {
    let (name, counters) = (at.at(name), at.at("counters"));
    if name.is_empty() {
        errors.push(name.required(""));
    } else {
        label(&name, errors);
    }
    let count = counters.entries().count() as u64;
    if count == 0 {
        errors.push(counters.required(""));
    } else if count > COUNTERS_MAX {
        errors.push(FieldError::too_many(counters.path.clone(), count, COUNTERS_MAX));
    } else {
        for (key, _) in counters.entries() {
            for words in names::label(key, false) {
                errors.push(FieldError::invalid(counters.path.clone(), key, words));
            }
        }
    }
}

fn where_device_is(at: &At<'_>, by_device: bool, errors: &mut Vec<FieldError>) {
    const ONE: &str = "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
    let (node, chosen, all) = (at.at("nodeName"), at.at("nodeSelector"), at.at("allNodes"));
    if !by_device {
        if node.is_set() || chosen.is_set() || all.is_set() {
            errors.push(at.invalid("`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec").showing("null"));
        }
        return;
    }
    let mut set = Vec::new();
    if node.is_set() {
        if node.is_empty() {
            errors.push(node.invalid("must not be empty"));
        } else {
            set.push("`nodeName`");
            node.named(names::subdomain(node.text(), false), errors);
        }
    }
    if chosen.is_set() {
        set.push("`nodeSelector`");
        affinity::node_selector(&chosen, errors);
    }
    if all.flag() {
        set.push("`allNodes`");
    } else if all.is_set() {
        errors.push(all.invalid("must be either unset or set to true"));
    }
    match set.len() {
        0 => errors.push(at.required(ONE)),
        1 => {}
        _ => errors.push(FieldError::invalid(
            at.path.clone(),
            format!("{{{}}}", set.join(", ")),
            ONE,
        )),
    }
}

fn conditions(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let (good, bad) = (at.at("bindingConditions"), at.at("bindingFailureConditions"));
    for list in [&good, &bad] {
        if fits(list, CONDITIONS_MAX, errors) {
            list.items().for_each(|one| one.named(names::qualified(one.text()), errors));
        }
    }
    let mut wanted = BTreeSet::new();
    for one in good.items() {
        if !wanted.insert(one.text()) {
            errors.push(one.duplicate());
        }
    }
    let mut seen = BTreeSet::new();
    for one in bad.items() {
        if !seen.insert(one.text()) {
            errors.push(one.duplicate());
        }
        if wanted.contains(one.text()) {
            errors.push(
                one.invalid("bindingFailureConditions must not overlap with bindingConditions"),
            );
        }
    }
    for (this, other, words) in [
        (&good, &bad, "bindingConditions are required to use bindingFailureConditions"),
        (&bad, &good, "bindingFailureConditions are required to use bindingConditions"),
    ] {
        if this.is_empty() && !other.is_empty() {
            let value = if this.is_set() { json!([]) } else { Value::Null };
            errors.push(FieldError::new(FieldErrorKind::Invalid, this.path.clone(), value, words));
        }
    }
}
