//! Whoever writes roles, or binds them, may not hand out what he does not have.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::decide::{Roles, Subject, held, together};

/// What a role allows, taken apart until nothing smaller is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant<'a> {
    Objects { group: &'a str, resource: &'a str, name: Option<&'a str>, verb: &'a str },
    Path { url: &'a str, verb: &'a str },
}

/// Returns what somebody lacks of `rules` in a namespace (`""`: in the whole cluster), in the words in
/// which the server refuses to let him grant them by writing `resource`; `None` where he has it all.
///
/// What goes beyond one rule of his is lacking, whatever his rules allow together.
pub fn lacking(
    roles: &dyn Roles,
    subject: Subject<'_>,
    namespace: &str,
    resource: &str,
    rules: &[Value],
) -> Option<String> {
    let (own, missing) = held(roles, subject, namespace);
    let is_lacking = |grant: &Grant<'_>| !own.iter().any(|rule| covers(rule, grant));
    let lacking: Vec<Grant<'_>> = rules.iter().flat_map(grants).filter(is_lacking).collect();
    if lacking.is_empty() {
        return None;
    }
    let mut said = format!(
        "user {:?} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
        subject.name,
        quoted(subject.groups.iter().map(String::as_str)),
        told(&lacking).into_iter().collect::<Vec<_>>().join("\n"),
    );
    if let Some(problem) = together(missing.iter().map(|none| none.told(resource))) {
        said.push_str(&format!("; resolution errors: [{problem}]"));
    }
    Some(said)
}

impl<'a> Grant<'a> {
    /// The verb, where it is for the same objects as another's.
    fn verb_beside(&self, other: &Grant<'_>) -> Option<&'a str> {
        match (*self, *other) {
            (
                Grant::Objects { group, resource, name, verb },
                Grant::Objects { group: of, resource: what, name: named, .. },
            ) => ((group, resource, name) == (of, what, named)).then_some(verb),
            _ => None,
        }
    }
}

fn texts<'a>(rule: &'a Value, field: &str) -> impl Iterator<Item = &'a str> + Clone {
    rule[field].as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(Value::as_str)
}

/// The smallest pieces of a rule, in the order in which the server takes it apart.
fn grants(rule: &Value) -> Vec<Grant<'_>> {
    let mut all = Vec::new();
    for group in texts(rule, "apiGroups") {
        for resource in texts(rule, "resources") {
            for verb in texts(rule, "verbs") {
                let mut names = texts(rule, "resourceNames").peekable();
                if names.peek().is_none() {
                    all.push(Grant::Objects { group, resource, name: None, verb });
                }
                all.extend(names.map(|name| Grant::Objects {
                    group,
                    resource,
                    name: Some(name),
                    verb,
                }));
            }
        }
    }
    for url in texts(rule, "nonResourceURLs") {
        all.extend(texts(rule, "verbs").map(|verb| Grant::Path { url, verb }));
    }
    all
}

/// Whether one rule allows what one request asks for, or a piece of another rule.
pub(crate) fn covers(rule: &Value, grant: &Grant<'_>) -> bool {
    let any_or = |field: &str, wanted: &str| texts(rule, field).any(|is| is == "*" || is == wanted);
    let is_of_all = texts(rule, "resourceNames").next().is_none();
    match *grant {
        Grant::Path { url, verb } => {
            let is_of = |own: &str| {
                own == url
                    || own
                        .strip_suffix('*')
                        .is_some_and(|own| url.starts_with(own.trim_end_matches('*')))
            };
            any_or("verbs", verb) && is_of_all && texts(rule, "nonResourceURLs").any(is_of)
        }
        Grant::Objects { group, resource, name, verb } => {
            let part = resource.split_once('/').map(|(_, part)| part);
            let is_of = |own: &str| {
                own == "*" || own == resource || part.is_some() && own.strip_prefix("*/") == part
            };
            let named = |name| texts(rule, "resourceNames").any(|own| own == name);
            any_or("verbs", verb)
                && any_or("apiGroups", group)
                && texts(rule, "resources").any(is_of)
                && (is_of_all || name.is_some_and(named))
        }
    }
}

/// What is lacking, in lines: the verbs for one thing stand together.
fn told(lacking: &[Grant<'_>]) -> BTreeSet<String> {
    let line = |grant: &Grant<'_>| match *grant {
        Grant::Path { url, verb } => format!("{{NonResourceURLs:[{url:?}], Verbs:[{verb:?}]}}"),
        Grant::Objects { group, resource, name, .. } => {
            let named = name.map(|name| format!(", ResourceNames:[{name:?}]")).unwrap_or_default();
            let verbs = quoted(lacking.iter().filter_map(|other| other.verb_beside(grant)));
            format!("{{APIGroups:[{group:?}], Resources:[{resource:?}]{named}, Verbs:{verbs}}}")
        }
    };
    lacking.iter().map(line).collect()
}

/// Texts as Go prints a list of them in quotes.
fn quoted<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.map(|text| format!("{text:?}")).collect();
    format!("[{}]", texts.join(" "))
}
