//! Pods, and the templates that make them.

pub mod affinity;
pub mod amounts;
mod container;
mod downward;
mod host;
pub mod overlaps;
mod projected;
mod security;
pub mod status;
pub mod volumes;
pub mod warnings;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use manifest::field::FieldError;
use serde_json::Value;

use crate::cursor::At;
use crate::meta;
use crate::names;

pub fn validate(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let Some(old) = old else {
        let annotations = object.to(&["metadata", "annotations"]);
        host::annotations(&annotations, &spec, errors);
        self::spec(&spec, errors);
        tokens_have_accounts(&spec, errors);
        images_are_bare(&spec, errors);
        if spec.at("ephemeralContainers").is_set() && !spec.at("ephemeralContainers").is_empty() {
            errors.push(spec.at("ephemeralContainers").forbidden("cannot be set on create"));
        }
        host::annotations_agree(&annotations, &spec, errors);
        return;
    };
    self::spec(&spec, errors);
    update(&spec, &old.at("spec"), errors);
}

/// What may change through the door of ephemeral containers: those that are there stay as they are.
pub fn through_ephemeral(new: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    spec(&new.at("spec"), errors);
    if old.to(&["metadata", "annotations", "kubernetes.io/config.mirror"]).is_set() {
        let words = "static pods do not support ephemeral containers";
        *errors = vec![FieldError::forbidden("", words)];
        return;
    }
    let [now, before] = [new, old].map(|pod| pod.to(&["spec", "ephemeralContainers"]));
    for container in before.items() {
        let name = container.at("name").text();
        let still = now.items().find(|other| other.at("name").text() == name);
        let name = manifest::field::quote(name);
        match still {
            None => {
                errors.push(now.forbidden(&format!(
                    "existing ephemeral containers {name} may not be removed\n"
                )))
            }
            Some(still) if !still.is_as(&container) => errors.push(now.forbidden(&format!(
                "existing ephemeral containers {name} may not be changed\n{}",
                changes(container.value, still.value)
            ))),
            Some(_) => {}
        }
    }
}

/// Templates may have blanks around an image's name, pods not.
fn images_are_bare(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let lists = ["containers", "initContainers"].map(|list| spec.at(list));
    for image in lists.iter().flat_map(At::items).map(|container| container.at("image")) {
        if image.text().trim() != image.text() {
            errors.push(image.invalid("must not have leading or trailing whitespace"));
        }
    }
}

/// Templates get their account when pods are made of them.
fn tokens_have_accounts(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    if !spec.at("serviceAccountName").is_empty() {
        return;
    }
    for volume in spec.at("volumes").items() {
        for source in volume.to(&["projected", "sources"]).items() {
            let token = source.at("serviceAccountToken");
            if token.is_set() {
                errors.push(
                    token.forbidden("must not be specified when serviceAccountName is not set"),
                );
            }
        }
    }
}

/// What a running pod may still change; the words name it.
fn update(new: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    let rest = |at: &At<'_>| {
        let mut fields = at.value.clone();
        let Some(map) = fields.as_object_mut() else { return fields };
        map.remove("activeDeadlineSeconds");
        map.remove("tolerations");
        // Gates may be lifted.
        map.remove("schedulingGates");
        for field in ["containers", "initContainers"] {
            let list = map.get_mut(field).and_then(Value::as_array_mut);
            for container in list.into_iter().flatten().filter_map(Value::as_object_mut) {
                container.remove("image");
            }
        }
        if old.at("terminationGracePeriodSeconds").number().is_some_and(|seconds| seconds < 0) {
            map.remove("terminationGracePeriodSeconds");
        }
        // While there are gates, the scheduling directives may tighten.
        if !old.at("schedulingGates").is_empty() {
            for field in ["nodeSelector", "affinity"] {
                map.remove(field);
            }
        }
        if old.at("nodeName").is_empty() {
            map.remove("nodeName");
        }
        fields
    };
    for field in ["containers", "initContainers"] {
        let (now, before) = (new.at(field), old.at(field));
        if now.items().count() != before.items().count() {
            errors.push(now.forbidden("pod updates may not add or remove containers"));
            return;
        }
    }
    for image in ["containers", "initContainers"]
        .map(|list| new.at(list))
        .iter()
        .flat_map(At::items)
        .map(|container| container.at("image"))
    {
        if image.is_empty() {
            errors.push(image.required(""));
        }
        if image.text().trim() != image.text() {
            errors.push(image.invalid("must not have leading or trailing whitespace"));
        }
    }
    let deadline = |at: &At<'_>| at.at("activeDeadlineSeconds").number();
    let at = new.at("activeDeadlineSeconds");
    match (deadline(new), deadline(old)) {
        (Some(seconds), _) if !(0..=i64::from(i32::MAX)).contains(&seconds) => {
            errors.push(at.invalid("must be between 0 and 2147483647, inclusive"));
            return;
        }
        (Some(seconds), Some(before)) if before < seconds => {
            errors.push(at.invalid("must be less than or equal to previous value"));
            return;
        }
        (None, Some(_)) => {
            errors.push(at.invalid("must not update from a positive integer to nil value"));
        }
        _ => {}
    }
    added_tolerations(new, old, errors);
    let known: Vec<&str> =
        old.at("schedulingGates").items().map(|gate| gate.at("name").text()).collect();
    for gate in new.at("schedulingGates").items() {
        let name = gate.at("name");
        if !known.contains(&name.text()) {
            let words = format!(
                "only deletion is allowed, but found new scheduling gate '{}'",
                name.text()
            );
            errors.push(name.forbidden(&words));
        }
    }
    let (new_rest, old_rest) = (rest(new), rest(old));
    if !At::root(&new_rest).is_as(&At::root(&old_rest)) {
        let words = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
        errors.push(new.forbidden(&format!("{words}\n{}", changes(&old_rest, &new_rest))));
    }
}

/// Tolerations may only be added. Where none is gone they are looked at once more.
fn added_tolerations(new: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    let timeless = |at: At<'_>| {
        let mut value = at.value.clone();
        if let Some(map) = value.as_object_mut() {
            map.remove("tolerationSeconds");
        }
        value
    };
    let now = new.at("tolerations");
    let known: Vec<Value> = now.items().map(timeless).collect();
    if old.at("tolerations").items().all(|toleration| known.contains(&timeless(toleration))) {
        return tolerations(&now, errors);
    }
    let words = "existing toleration can not be modified except its tolerationSeconds";
    errors.push(now.forbidden(words));
}

/// The fields that differ, a line each.
fn changes(old: &Value, new: &Value) -> String {
    let mut lines = Vec::new();
    if let (Some(old), Some(new)) = (old.as_object(), new.as_object()) {
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let (before, after) = (old.get(key), new.get(key));
            if before != after {
                let text = |value: Option<&Value>| value.map_or("null".into(), Value::to_string);
                lines.push(format!(
                    "-  \"{key}\": {}\n+  \"{key}\": {}",
                    text(before),
                    text(after)
                ));
            }
        }
    }
    lines.join("\n")
}

/// A template, as workloads hold it.
pub fn template(template: &At<'_>, errors: &mut Vec<FieldError>) {
    let metadata = template.at("metadata");
    // The server names the template's own fields without their `metadata`.
    let moved = |field: &str| At { value: metadata.at(field).value, path: template.child(field) };
    meta::labels(&moved("labels"), errors);
    meta::annotations(&moved("annotations"), errors);
    let spec = template.at("spec");
    host::annotations(&moved("annotations"), &spec, errors);
    self::spec(&spec, errors);
    host::annotations_agree(&metadata.at("annotations"), &spec, errors);
    if !spec.at("ephemeralContainers").is_empty() {
        errors.push(
            spec.at("ephemeralContainers")
                .forbidden("ephemeral containers not allowed in pod template"),
        );
    }
}

const DNS_POLICIES: [&str; 4] = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

/// A pod's spec, wherever it stands.
pub fn spec(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let known = volumes::validate(&spec.at("volumes"), errors);
    resource_claims(spec, errors);
    let host_users = spec.at("hostUsers").value != &Value::Bool(false);
    container::validate_all(spec, &known, host_users, errors);
    host::ports(spec, errors);
    let restart = spec.at("restartPolicy");
    if restart.is_set() {
        restart.one_of(&["Always", "OnFailure", "Never"], errors);
    } else if !spec.at("containers").is_empty() {
        errors.push(restart.required(""));
    }
    spec.at("dnsPolicy").one_of(&DNS_POLICIES, errors);
    meta::labels(&spec.at("nodeSelector"), errors);
    security::of_pod(spec, errors);
    affinity::validate(&spec.at("affinity"), errors);
    dns(spec, errors);
    for gate in spec.at("readinessGates").items() {
        let condition = gate.at("conditionType");
        condition.named(names::qualified(condition.text()), errors);
    }
    let mut gates = BTreeSet::new();
    for (index, gate) in spec.at("schedulingGates").items().enumerate() {
        let name = gate.at("name").text();
        errors.extend(names::qualified(name).into_iter().map(|words| {
            let path = format!("{}[{index}]", spec.child("schedulingGates"));
            FieldError::invalid(path, name, words)
        }));
        if !gates.insert(name) {
            errors.push(FieldError::duplicate(gate.path.clone(), name));
        }
    }
    spreading(&spec.at("topologySpreadConstraints"), errors);
    host::processes(spec, errors);
    host::users(spec, errors);
    host::name(spec, errors);
    for (field, rule) in [
        ("serviceAccountName", names::subdomain as fn(&str, bool) -> Vec<String>),
        ("nodeName", names::subdomain),
    ] {
        let at = spec.at(field);
        if !at.is_empty() {
            at.named(rule(at.text(), false), errors);
        }
    }
    let deadline = spec.at("activeDeadlineSeconds");
    if deadline.number().is_some_and(|seconds| !(1..=i64::from(i32::MAX)).contains(&seconds)) {
        errors.push(deadline.invalid("must be between 1 and 2147483647, inclusive"));
    }
    for field in ["hostname", "subdomain"] {
        let at = spec.at(field);
        if !at.is_empty() {
            at.named(names::label(at.text(), false), errors);
        }
    }
    tolerations(&spec.at("tolerations"), errors);
    for alias in spec.at("hostAliases").items() {
        let address = alias.at("ip");
        address.named(names::address(address.text()), errors);
        for host in alias.at("hostnames").items() {
            host.named(names::subdomain(host.text(), false), errors);
        }
    }
    let (priority, runtime) = (spec.at("priorityClassName"), spec.at("runtimeClassName"));
    if !priority.is_empty() {
        priority.named(names::subdomain(priority.text(), false), errors);
    }
    if runtime.is_set() {
        runtime.named(names::subdomain(runtime.text(), false), errors);
    }
    let policy = spec.at("preemptionPolicy");
    policy.one_of(&["PreemptLowerPriority", "Never"], errors);
    let overhead = spec.at("overhead");
    if overhead.is_set() {
        amounts::overhead(&overhead, overhead.value, errors);
    }
    host::system(spec, errors);
    let group = spec.at("schedulingGroup");
    if group.is_set() {
        let name = group.at("podGroupName");
        match name.is_set() {
            true => name.named(names::subdomain(name.text(), false), errors),
            false => errors.push(name.invalid("must specify one of: `podGroupName`")),
        }
    }
    container::files_are_here(spec, errors);
}

/// How many domains a pod may look for names in.
const SEARCHES_MAX: usize = 32;
/// Their length with a space between, in bytes.
const SEARCHES_BYTES_MAX: usize = 2048;

fn searches(list: &At<'_>, errors: &mut Vec<FieldError>) {
    let all: Vec<&str> = list.items().map(|search| search.text()).collect();
    if all.len() > SEARCHES_MAX {
        errors.push(list.invalid(format!("must not have more than {SEARCHES_MAX} search paths")));
    }
    if all.join(" ").len() > SEARCHES_BYTES_MAX {
        errors.push(list.invalid(format!(
            "must not have more than {SEARCHES_BYTES_MAX} characters (including spaces) in the search list"
        )));
    }
    for search in list.items().filter(|search| search.text() != ".") {
        let text = search.text().strip_suffix('.').unwrap_or(search.text());
        let refusals = names::searched_domain(text).into_iter();
        errors.extend(refusals.map(|words| FieldError::invalid(search.path.clone(), text, words)));
    }
}

fn dns(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let (policy, config) = (spec.at("dnsPolicy"), spec.at("dnsConfig"));
    let servers = config.at("nameservers");
    if policy.text() == "None" {
        if !config.is_set() {
            let words = "must provide `dnsConfig` when `dnsPolicy` is None";
            return errors.push(config.required(words));
        }
        if servers.is_empty() {
            let words = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            return errors.push(servers.required(words));
        }
    }
    if servers.items().count() > 3 {
        errors.push(servers.invalid("must not have more than 3 nameservers"));
    }
    for server in servers.items() {
        server.named(names::address(server.text()), errors);
    }
    searches(&config.at("searches"), errors);
    for option in config.at("options").items() {
        if option.at("name").is_empty() {
            errors.push(FieldError::required(option.path.clone(), "must not be empty"));
        }
    }
}

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// What a pod bears with.
pub fn tolerations(at: &At<'_>, errors: &mut Vec<FieldError>) {
    for toleration in at.items() {
        let (key, operator) = (toleration.at("key"), toleration.at("operator"));
        let (value, effect) = (toleration.at("value"), toleration.at("effect"));
        if !key.is_empty() {
            key.named(names::qualified(key.text()), errors);
        }
        if key.is_empty() && operator.text() != "Exists" {
            let words = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.push(FieldError::invalid(operator.path.clone(), operator.text(), words));
        }
        if toleration.at("tolerationSeconds").is_set() && effect.text() != "NoExecute" {
            let words = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.push(FieldError::invalid(effect.path.clone(), effect.text(), words));
        }
        match operator.text() {
            "Equal" | "" => {
                errors.extend(
                    names::label_value(value.text()).into_iter().map(|words| {
                        FieldError::invalid(operator.path.clone(), value.text(), words)
                    }),
                );
            }
            "Exists" => {
                if !value.is_empty() {
                    let words = "value must be empty when `operator` is 'Exists'";
                    errors.push(FieldError::invalid(operator.path.clone(), value.text(), words));
                }
            }
            // The server names these, and takes them no more than others.
            "Lt" | "Gt" => errors.push(operator.unsupported(&["Equal", "Exists", "Lt", "Gt"])),
            _ => errors.push(operator.unsupported(&["Equal", "Exists"])),
        }
        if !effect.is_empty() {
            effect.one_of(&EFFECTS, errors);
        }
    }
}

fn spreading(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    let constraints: Vec<At<'_>> = at.items().collect();
    for (index, constraint) in constraints.iter().enumerate() {
        let (skew, key) = (constraint.at("maxSkew"), constraint.at("topologyKey"));
        let otherwise = constraint.at("whenUnsatisfiable");
        if skew.number().unwrap_or(0) <= 0 {
            errors.push(FieldError::invalid(
                skew.path.clone(),
                skew.number().unwrap_or(0),
                "must be greater than zero",
            ));
        }
        if key.is_empty() {
            errors.push(key.required("can not be empty"));
        }
        if !["DoNotSchedule", "ScheduleAnyway"].contains(&otherwise.text()) {
            errors.push(otherwise.unsupported(&["DoNotSchedule", "ScheduleAnyway"]));
        }
        let pair = (key.text(), otherwise.text());
        let again = constraints[index + 1..].iter().any(|other| {
            (other.at("topologyKey").text(), other.at("whenUnsatisfiable").text()) == pair
        });
        if again && seen.insert(pair) {
            errors.push(FieldError::duplicate(
                format!("{}.{{topologyKey, whenUnsatisfiable}}", constraint.path),
                format!("{{{}, {}}}", pair.0, pair.1),
            ));
        }
        let domains = constraint.at("minDomains");
        if domains.number().is_some_and(|count| count <= 0) {
            errors.push(domains.invalid("must be greater than zero"));
        }
        let action = constraint.at("whenUnsatisfiable").text();
        if domains.is_set() && action != "DoNotSchedule" {
            errors.push(domains.invalid(format!(
                "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
            )));
        }
        for field in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            constraint.at(field).one_of(&["Honor", "Ignore"], errors);
        }
        label_keys_beside(constraint, errors);
        crate::selector::validate(&constraint.at("labelSelector"), errors);
    }
}

/// Keys of labels that stand beside a selector: they are nobody else's.
fn label_keys_beside(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let selector = at.at("labelSelector");
    let (keys, others) = (at.at("matchLabelKeys"), at.at("mismatchLabelKeys"));
    label_keys(&keys, &selector, errors);
    label_keys(&others, &selector, errors);
    let named: Vec<&str> = keys.items().map(|key| key.text()).collect();
    if selector.is_set() {
        let mut selected: BTreeSet<&str> =
            selector.at("matchLabels").entries().map(|(key, _)| key).collect();
        for expression in selector.at("matchExpressions").items() {
            let key = expression.at("key").text();
            if let Some(index) = named.iter().rposition(|named| *named == key)
                && selected.contains(key)
            {
                errors.push(FieldError::invalid(
                    format!("{}[{index}]", at.path),
                    key,
                    "exists in both matchLabelKeys and labelSelector",
                ));
            }
            selected.insert(key);
        }
    }
    for key in keys.items() {
        if others.items().any(|other| other.text() == key.text()) {
            let words = "exists in both matchLabelKeys and mismatchLabelKeys";
            errors.push(FieldError::invalid(key.path.clone(), key.text(), words));
        }
    }
}

/// Keys of labels whose values the pod's own are compared with, beside a selector.
fn label_keys(keys: &At<'_>, selector: &At<'_>, errors: &mut Vec<FieldError>) {
    if keys.is_empty() {
        return;
    }
    if !selector.is_set() {
        errors.push(keys.forbidden("must not be specified when labelSelector is not set"));
        return;
    }
    for key in keys.items() {
        let refusals = names::qualified(key.text());
        errors.extend(
            refusals
                .into_iter()
                .map(|words| FieldError::invalid(key.path.clone(), key.text(), words)),
        );
    }
}

/// Where a pod's devices come from.
fn resource_claims(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for claim in spec.at("resourceClaims").items() {
        let name = claim.at("name");
        if name.is_empty() {
            errors.push(name.required(""));
        } else if !seen.insert(name.text()) {
            errors.push(name.duplicate());
        } else {
            name.named(names::label(name.text(), false), errors);
        }
        let (own, template) =
            (claim.at("resourceClaimName"), claim.at("resourceClaimTemplateName"));
        let words = match (own.is_set(), template.is_set()) {
            (true, true) => {
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            }
            (false, false) => {
                "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            }
            (true, false) | (false, true) => "",
        };
        if !words.is_empty() {
            let shown = format!(
                "{{\"Name\":{},\"ResourceClaimName\":{},\"ResourceClaimTemplateName\":{}}}",
                Value::from(name.text()),
                own.value,
                template.value
            );
            errors.push(claim.invalid(words).showing(shown));
        }
        for named in [own, template].iter().filter(|named| named.is_set()) {
            named.named(names::subdomain(named.text(), false), errors);
        }
    }
}
