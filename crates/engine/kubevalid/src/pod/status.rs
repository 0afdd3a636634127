//! What may be told of a pod.

use std::collections::BTreeSet;

use manifest::field::{FieldError, FieldErrorKind};

use crate::cursor::At;
use crate::names;
use crate::pod::security::user;

const RUNS_AGAIN: &str = "may not be transitioned to non-terminated state";

/// Names what is wrong with a pod's new status.
pub fn validate(object: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    let (status, before, spec) = (object.at("status"), old.at("status"), old.at("spec"));
    conditions(&status.at("conditions"), errors);
    nominated(&status, &before, &spec, errors);
    let seen = status.at("observedGeneration");
    if seen.number().is_some_and(|number| number < 0) {
        errors.push(seen.invalid("must be a non-negative integer"));
    }
    let class = status.at("qosClass");
    if class.text() != before.at("qosClass").text() {
        errors.push(FieldError::invalid(class.path.clone(), class.text(), "field is immutable"));
    }
    for (list, containers) in
        [("containerStatuses", "containers"), ("initContainerStatuses", "initContainers")]
    {
        transitions(&status.at(list), &before.at(list), Some((&spec, containers)), errors);
    }
    let visitors = "ephemeralContainerStatuses";
    transitions(&status.at(visitors), &before.at(visitors), None, errors);
    claims(&status.at("resourceClaimStatuses"), &spec, errors);
    extended_claim(&status.at("extendedResourceClaimStatus"), &spec, errors);
    addresses(&status.at("podIPs"), &before.at("podIPs"), errors);
    let hosts = status.at("hostIPs");
    if let Some(first) = hosts.items().next().map(|first| first.at("ip"))
        && first.text() != status.at("hostIP").text()
    {
        errors.push(FieldError::invalid(
            first.path.clone(),
            first.text(),
            "must be equal to `hostIP`",
        ));
    }
    addresses(&hosts, &before.at("hostIPs"), errors);
    for list in ["containerStatuses", "initContainerStatuses", visitors] {
        users(&status.at(list), spec.to(&["os", "name"]).text() == "windows", errors);
    }
    for (list, containers) in
        [("containerStatuses", "containers"), ("initContainerStatuses", "initContainers")]
    {
        devices(&status.at(list), &spec.at(containers), errors);
    }
    for visitor in status.at(visitors).items() {
        let told = visitor.at("allocatedResourcesStatus");
        if told.is_set() {
            errors.push(told.forbidden("must not be specified in container status"));
        }
    }
}

/// As whom containers run.
fn users(list: &At<'_>, on_windows: bool, errors: &mut Vec<FieldError>) {
    for linux in list.items().map(|one| one.to(&["user", "linux"])).filter(At::is_set) {
        if on_windows {
            errors.push(linux.forbidden("cannot be set for a windows pod"));
            continue;
        }
        user(&linux.at("uid"), errors);
        user(&linux.at("gid"), errors);
        linux.at("supplementalGroups").items().for_each(|group| user(&group, errors));
    }
}

/// How the devices are that containers have got.
fn devices(list: &At<'_>, containers: &At<'_>, errors: &mut Vec<FieldError>) {
    for status in list.items() {
        let name = status.at("name").text();
        let container = containers.items().find(|one| one.at("name").text() == name);
        for told in status.at("allocatedResourcesStatus").items() {
            if let Some(container) = &container {
                is_asked_for(&told.at("name"), &container.at("resources"), errors);
            }
            let mut seen = BTreeSet::new();
            for device in told.at("resources").items() {
                health(&device, errors);
                let id = device.at("resourceID");
                if !seen.insert(id.text()) {
                    errors.push(FieldError::duplicate(id.path.clone(), id.text()));
                }
            }
        }
    }
}

fn is_asked_for(name: &At<'_>, resources: &At<'_>, errors: &mut Vec<FieldError>) {
    let (is_there, words) = match name.text().strip_prefix("claim:") {
        Some(claimed) => {
            let claimed_by = |claim: At<'_>| match claim.at("request").text() {
                "" => claim.at("name").text() == claimed,
                request => format!("{}/{request}", claim.at("name").text()) == claimed,
            };
            let words = "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";
            (resources.at("claims").items().any(claimed_by), words)
        }
        None => (
            resources.at("requests").value.get(name.text()).is_some(),
            "must match one of the container's resource requests",
        ),
    };
    if !is_there {
        errors.push(FieldError::invalid(name.path.clone(), name.text(), words));
    }
}

fn health(device: &At<'_>, errors: &mut Vec<FieldError>) {
    const KNOWN: [&str; 3] = ["Healthy", "Unhealthy", "Unknown"];
    let (state, message) = (device.at("health"), device.at("message"));
    if !KNOWN.contains(&state.text()) {
        errors.push(FieldError::not_supported(state.path.clone(), state.text(), &KNOWN));
    }
    if message.is_set() && message.is_empty() {
        errors.push(message.required("must be non-empty if specified"));
    }
}

fn conditions(list: &At<'_>, errors: &mut Vec<FieldError>) {
    for condition in list.items() {
        let seen = condition.at("observedGeneration");
        if seen.number().is_some_and(|number| number < 0) {
            errors.push(seen.invalid("must be a non-negative integer"));
        }
        let kind = condition.at("type").text();
        if !["PodScheduled", "Ready", "Initialized"].contains(&kind) {
            let refusals = names::qualified(kind).into_iter();
            // The server names the field as Go does.
            let path = condition.child("Type");
            errors.extend(refusals.map(|words| FieldError::invalid(path.clone(), kind, words)));
        }
    }
}

fn nominated(status: &At<'_>, before: &At<'_>, spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let node = status.at("nominatedNodeName");
    if node.is_empty() || node.text() == before.at("nominatedNodeName").text() {
        return;
    }
    node.named(names::subdomain(node.text(), false), errors);
    if !spec.at("nodeName").is_empty() {
        errors.push(node.forbidden("may not be set on pods that are already bound to a node"));
    }
}

/// What has ended stays so, unless it may be started again.
fn transitions(
    new: &At<'_>,
    old: &At<'_>,
    of: Option<(&At<'_>, &str)>,
    errors: &mut Vec<FieldError>,
) {
    for (index, before) in old.items().enumerate() {
        let ended = before.to(&["state", "terminated"]);
        let name = before.at("name").text();
        let now = new.items().find(|now| now.at("name").text() == name);
        let (true, Some(now)) = (ended.is_set(), now) else { continue };
        if now.to(&["state", "terminated"]).is_set() {
            continue;
        }
        let code = ended.at("exitCode").number().unwrap_or(0);
        if !of.is_some_and(|(spec, list)| starts_again(spec, list, name, code)) {
            errors.push(FieldError::forbidden(format!("{}[{index}].state", new.path), RUNS_AGAIN));
        }
    }
}

fn starts_again(spec: &At<'_>, list: &str, name: &str, code: i64) -> bool {
    let all = ["containers", "initContainers"].map(|list| spec.at(list));
    let together = all.iter().flat_map(At::items).any(|container| {
        container
            .at("restartPolicyRules")
            .items()
            .any(|rule| rule.at("action").text() == "RestartAllContainers")
    });
    if together {
        return true;
    }
    let Some(container) = spec.at(list).items().find(|one| one.at("name").text() == name) else {
        return false;
    };
    let own = container.at("restartPolicy");
    if own.is_set() {
        for rule in container.at("restartPolicyRules").items() {
            let codes = rule.at("exitCodes");
            let named = codes.at("values").items().any(|value| value.number() == Some(code));
            if named == (codes.at("operator").text() == "In") {
                return true;
            }
        }
    }
    let policy = if own.is_set() { own.text() } else { spec.at("restartPolicy").text() };
    match policy {
        "Always" => true,
        "OnFailure" => code != 0,
        _ => false,
    }
}

fn claims(list: &At<'_>, spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for claim in list.items() {
        let name = claim.at("name");
        let known =
            spec.at("resourceClaims").items().any(|known| known.at("name").text() == name.text());
        if !known {
            let words = "must match the name of an entry in `spec.resourceClaims`";
            errors.push(FieldError::invalid(name.path.clone(), name.text(), words));
        }
        if !seen.insert(name.text()) {
            errors.push(FieldError::duplicate(name.path.clone(), name.text()));
        }
        let made = claim.at("resourceClaimName");
        if made.is_set() {
            made.named(names::subdomain(made.text(), false), errors);
        }
    }
}

/// The claim that stands for what containers ask for as if it were counted.
fn extended_claim(at: &At<'_>, spec: &At<'_>, errors: &mut Vec<FieldError>) {
    if !at.is_set() {
        return;
    }
    let mappings = at.at("requestMappings");
    if mappings.is_empty() {
        errors.push(mappings.required("at least one request mapping is required"));
    }
    let mut seen = BTreeSet::new();
    for mapping in mappings.items() {
        let parts = ["containerName", "resourceName", "requestName"].map(|part| mapping.at(part));
        let [container, resource, request] = &parts;
        let lists = ["initContainers", "containers"].map(|list| spec.at(list));
        let asks = lists
            .iter()
            .flat_map(At::items)
            .find(|one| one.at("name").text() == container.text())
            .map(|one| one.to(&["resources", "requests"]).value.get(resource.text()).is_some());
        match asks {
            Some(true) => {}
            Some(false) => errors.push(resource.invalid("must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests")),
            None => errors.push(container.invalid("must match the name of an entry in spec.initContainers.name or spec.containers.name")),
        }
        // The server leaves the number out.
        let named = At { value: request.value, path: at.child("requestName") };
        named.named(names::label(named.text(), false), errors);
        if !seen.insert(parts.each_ref().map(At::text)) {
            errors.extend(parts.iter().map(At::duplicate));
        }
    }
    let name = at.at("resourceClaimName");
    if name.is_empty() {
        errors.push(name.required(""));
    } else {
        name.named(names::subdomain(name.text(), false), errors);
    }
}

/// New addresses are addresses, at most one of each family.
fn addresses(list: &At<'_>, before: &At<'_>, errors: &mut Vec<FieldError>) {
    let text = |one: &At<'_>| -> String { one.at("ip").text().to_owned() };
    for (index, address) in list.items().enumerate() {
        let (address, path) = (text(&address), format!("{}[{index}]", list.path));
        if !before.items().any(|known| text(&known) == address) {
            let refusals = names::address(&address).into_iter();
            errors.extend(
                refusals.map(|words| FieldError::invalid(path.clone(), address.clone(), words)),
            );
        }
    }
    let all: Vec<String> = list.items().map(|one| text(&one)).collect();
    if all.len() < 2 {
        return;
    }
    let parsed: Vec<Result<std::net::IpAddr, _>> = all.iter().map(|text| text.parse()).collect();
    if let Some(wrong) = parsed.iter().position(Result::is_err) {
        let words = format!(
            "failed to check for dual stack with error:invalid IP[{wrong}]: {}",
            all[wrong]
        );
        errors.push(FieldError::new(FieldErrorKind::Internal, list.path.clone(), "", words));
    }
    let has = |v4: bool| parsed.iter().flatten().any(|address| address.is_ipv4() == v4);
    let both = parsed.iter().all(Result::is_ok) && has(true) && has(false);
    if !both || all.len() > 2 {
        let shown: Vec<String> =
            all.iter().map(|text| format!("{{\"IP\":{}}}", manifest::field::quote(text))).collect();
        errors.push(
            list.invalid("may specify no more than one IP for each IP family")
                .showing(format!("[{}]", shown.join(","))),
        );
    }
}
