//! Webhook configurations, and the rules that say which requests are meant.

use std::collections::BTreeSet;

use manifest::field::FieldError;
use serde_json::Value;

use crate::cel::{self, Variables};
use crate::cursor::At;
use crate::names;
use crate::selector;

const OPERATIONS: [&str; 5] = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const REVIEWS: [&str; 2] = ["v1", "v1beta1"];
const NO_EFFECTS: [&str; 2] = ["None", "NoneOnDryRun"];
const EFFECTS: [&str; 4] = ["None", "NoneOnDryRun", "Some", "Unknown"];
/// A webhook or policy may have so many conditions.
const CONDITIONS_MAX: u64 = 64;

/// What an old configuration may keep that a new one may not have.
struct Tolerated {
    effects: bool,
    reviews: bool,
    twins: bool,
    labels: bool,
    conditions: bool,
}

/// A ValidatingWebhookConfiguration or a MutatingWebhookConfiguration.
pub fn webhooks(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let tolerated = tolerated(&object, old.as_ref());
    let mut seen = BTreeSet::new();
    for hook in object.at("webhooks").items() {
        webhook(&hook, &tolerated, errors);
        reviews(&hook.at("admissionReviewVersions"), tolerated.reviews, errors);
        let name = hook.at("name");
        if !tolerated.twins && !name.is_empty() && !seen.insert(name.text()) {
            errors.push(name.duplicate());
        }
    }
}

fn tolerated(object: &At<'_>, old: Option<&At<'_>>) -> Tolerated {
    let Some(old) = old else {
        return Tolerated {
            effects: false,
            reviews: false,
            twins: false,
            labels: false,
            conditions: false,
        };
    };
    let hooks: Vec<At<'_>> = old.at("webhooks").items().collect();
    let names: BTreeSet<&str> = hooks.iter().map(|hook| hook.at("name").text()).collect();
    let unread = |hook: &At<'_>| are_unknown(&hook.at("admissionReviewVersions"));
    let bad_labels = |hook: &At<'_>| {
        let mut wrong = Vec::new();
        selector::validate(&hook.at("namespaceSelector"), &mut wrong);
        selector::validate(&hook.at("objectSelector"), &mut wrong);
        !wrong.is_empty()
    };
    let now: Vec<At<'_>> = object.at("webhooks").items().collect();
    let same_conditions = now.len() == hooks.len()
        && now
            .iter()
            .zip(&hooks)
            .all(|(new, old)| new.at("matchConditions").is_as(&old.at("matchConditions")));
    Tolerated {
        effects: hooks.iter().any(|hook| !NO_EFFECTS.contains(&hook.at("sideEffects").text())),
        reviews: hooks.iter().any(unread),
        twins: names.len() < hooks.len(),
        labels: hooks.iter().any(bad_labels),
        conditions: same_conditions,
    }
}

fn webhook(hook: &At<'_>, tolerated: &Tolerated, errors: &mut Vec<FieldError>) {
    let name = hook.at("name");
    if name.is_empty() {
        errors.push(name.required(""));
    } else {
        let refusals = names::subdomain(name.text(), false);
        if !refusals.is_empty() {
            errors.push(name.invalid(refusals.join(",")));
        } else if name.text().split('.').count() < 3 {
            errors.push(
                name.invalid("should be a domain with at least three segments separated by dots"),
            );
        }
    }
    hook.at("rules").items().for_each(|rule| check_rule(&rule, errors));
    hook.at("failurePolicy").one_of(&["Fail", "Ignore"], errors);
    hook.at("matchPolicy").one_of(&["Equivalent", "Exact"], errors);
    let effects = hook.at("sideEffects");
    let known: &[&str] = if tolerated.effects { &EFFECTS } else { &NO_EFFECTS };
    if effects.is_set() {
        effects.one_of(known, errors);
    } else {
        errors.push(effects.required(&format!("must specify one of {}", known.join(", "))));
    }
    let timeout = hook.at("timeoutSeconds");
    if timeout.number().is_some_and(|seconds| !(1..=30).contains(&seconds)) {
        errors.push(timeout.invalid("the timeout value must be between 1 and 30 seconds"));
    }
    for field in ["namespaceSelector", "objectSelector"] {
        match tolerated.labels {
            true => selector::validate_with_old_values(&hook.at(field), errors),
            false => selector::validate(&hook.at(field), errors),
        }
    }
    hook.at("reinvocationPolicy").one_of(&["IfNeeded", "Never"], errors);
    client(&hook.at("clientConfig"), errors);
    if !tolerated.conditions {
        match_conditions(&hook.at("matchConditions"), false, errors);
    }
}

/// Whether there are versions of reviews, and none that the server speaks.
pub fn are_unknown(versions: &At<'_>) -> bool {
    !versions.is_empty() && !versions.items().any(|one| REVIEWS.contains(&one.text()))
}

/// Versions of the reviews that a webhook is sent. `any_will_do`: none of them need be one that the
/// server speaks.
pub fn reviews(versions: &At<'_>, any_will_do: bool, errors: &mut Vec<FieldError>) {
    if versions.is_empty() {
        errors.push(versions.required("must specify one of v1, v1beta1"));
        return;
    }
    let mut seen = BTreeSet::new();
    for version in versions.items() {
        if !seen.insert(version.text()) {
            errors.push(version.invalid("duplicate version"));
            continue;
        }
        version.named(names::label_1035(version.text()), errors);
    }
    if !any_will_do && !REVIEWS.iter().any(|known| seen.contains(known)) {
        errors.push(versions.invalid("must include at least one of v1, v1beta1"));
    }
}

/// How a webhook is reached.
pub fn client(config: &At<'_>, errors: &mut Vec<FieldError>) {
    let (url, service) = (config.at("url"), config.at("service"));
    match (url.is_set(), service.is_set()) {
        (true, true) | (false, false) => {
            errors.push(config.required("exactly one of url or service is required"));
        }
        (true, false) => check_url(&url, errors),
        (false, true) => check_service(&service, errors),
    }
}

/// The parts of a URL that the rules look at.
struct Url<'a> {
    scheme: String,
    host: &'a str,
    user: Option<&'a str>,
    query: &'a str,
    fragment: &'a str,
}

/// Takes a URL apart as Go does, or says why it is none.
fn parts(text: &str) -> Result<Url<'_>, String> {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    let quoted = manifest::field::quote(text);
    if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        return Err(format!("parse {quoted}: net/url: invalid control character in URL"));
    }
    let rest = text;
    let colon =
        rest.find(|sign: char| !(sign.is_ascii_alphanumeric() || matches!(sign, '+' | '-' | '.')));
    let (scheme, rest) = match colon {
        Some(0) if rest.starts_with(':') => {
            return Err(format!("parse {quoted}: missing protocol scheme"));
        }
        Some(at) if rest[at..].starts_with(':') && rest.as_bytes()[0].is_ascii_alphabetic() => {
            (&rest[..at], &rest[at + 1..])
        }
        _ => ("", rest),
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    if scheme.is_empty() && !rest.starts_with('/') {
        let first = rest.split('/').next().unwrap_or_default();
        if first.contains(':') {
            return Err(format!("parse {quoted}: first path segment in URL cannot contain colon"));
        }
    }
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        // What does not begin with a slash is not looked into behind a scheme.
        None if !scheme.is_empty() && !rest.starts_with('/') => ("", ""),
        None => ("", rest),
    };
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    if host.contains(' ') {
        return Err(format!("parse {quoted}: invalid character \" \" in host name"));
    }
    if let Some(escape) = bad_escape(path) {
        let escape = manifest::field::quote(escape);
        return Err(format!("parse {quoted}: invalid URL escape {escape}"));
    }
    Ok(Url { scheme: scheme.to_ascii_lowercase(), host, user, query, fragment })
}

/// The first `%` that no two hexadecimal digits follow, with what follows.
fn bad_escape(text: &str) -> Option<&str> {
    text.match_indices('%').map(|(at, _)| &text[at..]).find_map(|rest| {
        let digits = rest.as_bytes().get(1..3).unwrap_or_default();
        let is_good = digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit);
        // Three bytes are shown, or as many as make whole characters.
        let end = (3..=rest.len()).find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
        (!is_good).then(|| &rest[..end])
    })
}

fn check_url(at: &At<'_>, errors: &mut Vec<FieldError>) {
    const FORM: &str = "; desired format: https://host[/path]";
    let parts = match parts(at.text()) {
        Ok(parts) => parts,
        Err(why) => {
            errors.push(at.required(&format!("url must be a valid URL: {why}{FORM}")));
            return;
        }
    };
    let wrong = |shown: &str, words: &str| FieldError::invalid(at.path.clone(), shown, words);
    if parts.scheme != "https" {
        let words = format!("'https' is the only allowed URL scheme{FORM}");
        errors.push(wrong(&parts.scheme, &words));
    }
    if parts.host.is_empty() {
        errors.push(wrong("", &format!("host must be specified{FORM}")));
    }
    if let Some(user) = parts.user {
        errors.push(wrong(user, "user information is not permitted in the URL"));
    }
    if !parts.fragment.is_empty() {
        errors.push(wrong(parts.fragment, "fragments are not permitted in the URL"));
    }
    if !parts.query.is_empty() {
        errors.push(wrong(parts.query, "query parameters are not permitted in the URL"));
    }
}

fn check_service(service: &At<'_>, errors: &mut Vec<FieldError>) {
    // The server mixes the two up: what is missing is called by the other's name.
    for (missing, called) in [("namespace", "name"), ("name", "namespace")] {
        if service.at(missing).is_empty() {
            errors.push(service.at(called).required(""));
        }
    }
    let port = service.at("port");
    if let Some(number) = port.number() {
        let refusals = names::port_number(number);
        if !refusals.is_empty() {
            errors.push(port.invalid(format!("port is not valid: {}", refusals.join(", "))));
        }
    }
    let path = service.at("path");
    let text = path.text();
    if matches!(text, "" | "/") {
        return;
    }
    if text == "//" {
        errors.push(path.invalid("segment[0] may not be empty"));
        return;
    }
    if !text.starts_with('/') {
        errors.push(path.invalid("must start with a '/'"));
    }
    // The first byte is left out, whatever it is.
    let inside = String::from_utf8_lossy(&text.as_bytes()[1..]);
    let inside = inside.strip_suffix('/').unwrap_or(&inside);
    for (index, step) in inside.split('/').enumerate() {
        if step.is_empty() {
            errors.push(path.invalid(format!("segment[{index}] may not be empty")));
            continue;
        }
        for words in names::subdomain(step, false) {
            errors.push(path.invalid(format!("segment[{index}]: {words}")));
        }
    }
}

/// Which requests are meant.
pub fn check_rule(rule: &At<'_>, errors: &mut Vec<FieldError>) {
    let several = |at: &At<'_>| at.items().count() > 1;
    let all = |at: &At<'_>| at.items().any(|item| item.text() == "*");
    let operations = rule.at("operations");
    if operations.is_empty() {
        errors.push(operations.required(""));
    }
    if several(&operations) && all(&operations) {
        errors.push(operations.invalid("if '*' is present, must not specify other operations"));
    }
    for operation in operations.items() {
        if !OPERATIONS.contains(&operation.text()) {
            errors.push(operation.unsupported(&OPERATIONS));
        }
    }
    for (field, what) in [("apiGroups", "API groups"), ("apiVersions", "API versions")] {
        let at = rule.at(field);
        if at.is_empty() {
            errors.push(at.required(""));
        }
        if several(&at) && all(&at) {
            errors.push(at.invalid(format!("if '*' is present, must not specify other {what}")));
        }
    }
    for version in rule.at("apiVersions").items().filter(At::is_empty) {
        errors.push(version.required(""));
    }
    resources(&rule.at("resources"), errors);
    rule.at("scope").one_of(&["*", "Cluster", "Namespaced"], errors);
}

fn resources(resources: &At<'_>, errors: &mut Vec<FieldError>) {
    if resources.is_empty() {
        errors.push(resources.required(""));
    }
    let (mut of_one, mut of_all) = (BTreeSet::new(), BTreeSet::new());
    let mut plain = false;
    for one in resources.items() {
        let text = one.text();
        if text.is_empty() {
            errors.push(one.required(""));
            continue;
        }
        let Some((resource, part)) = text.split_once('/') else {
            plain = text != "*";
            continue;
        };
        if of_one.contains(resource) {
            errors.push(
                one.invalid(format!("if '{resource}/*' is present, must not specify {text}")),
            );
        }
        if of_all.contains(part) {
            errors.push(one.invalid(format!("if '*/{part}' is present, must not specify {text}")));
        }
        if part == "*" {
            of_one.insert(resource);
        }
        if resource == "*" {
            of_all.insert(part);
        }
    }
    let has = |wanted: &str| resources.items().any(|one| one.text() == wanted);
    if resources.items().count() > 1 && has("*/*") {
        errors.push(resources.invalid("if '*/*' is present, must not specify other resources"));
    }
    if has("*") && plain {
        errors.push(
            resources.invalid(
                "if '*' is present, must not specify other resources without subresources",
            ),
        );
    }
}

/// Conditions of webhooks and policies. `params`: whether they may speak of a policy's parameters.
pub fn match_conditions(conditions: &At<'_>, params: bool, errors: &mut Vec<FieldError>) {
    let count = conditions.items().count() as u64;
    if count > CONDITIONS_MAX {
        errors.push(FieldError::too_many(conditions.path.clone(), count, CONDITIONS_MAX));
    }
    let mut seen = BTreeSet::new();
    for condition in conditions.items() {
        let (name, expression) = (condition.at("name"), condition.at("expression"));
        let trimmed = expression.text().trim();
        if trimmed.is_empty() {
            errors.push(expression.required(""));
        } else {
            let trimmed = At { value: &Value::from(trimmed), path: expression.path.clone() };
            cel::admission(&trimmed, &Variables::of_requests(params), cel::Wanted::Boolean, errors);
        }
        if name.is_empty() {
            errors.push(name.required(""));
            continue;
        }
        name.named(names::qualified(name.text()), errors);
        if !seen.insert(name.text()) {
            errors.push(name.duplicate());
        }
    }
}
