//! All that somebody may do, and what roles add up to.

use serde_json::{Map, Value};

use crate::decide::{Roles, Subject, held, told};

/// All that somebody may do in a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RulesOf {
    /// Of objects, as `SubjectRulesReviewStatus.resourceRules`.
    pub resources: Vec<Value>,
    /// Of what is no object, as `nonResourceRules`.
    pub paths: Vec<Value>,
    /// Roles that are not there, in the server's words.
    pub problem: Option<String>,
}

/// Returns all that roles allow somebody in a namespace.
pub fn rules_of(roles: &dyn Roles, subject: Subject<'_>, namespace: &str) -> RulesOf {
    let (rules, missing) = held(roles, subject, namespace);
    let mut all = RulesOf { problem: told(&missing), ..RulesOf::default() };
    for rule in &rules {
        let fields = ["verbs", "apiGroups", "resources", "resourceNames"];
        all.resources.extend(part(rule, "resources", &fields));
        let fields = ["verbs", "nonResourceURLs"];
        all.paths.extend(part(rule, "nonResourceURLs", &fields));
    }
    all
}

/// Some fields of a rule that names something in `of`.
fn part(rule: &Value, of: &str, fields: &[&str]) -> Option<Value> {
    let has = |field: &str| rule[field].as_array().is_some_and(|list| !list.is_empty());
    let kept = fields.iter().filter(|field| has(field));
    let kept: Map<String, Value> =
        kept.map(|field| ((*field).to_owned(), rule[*field].clone())).collect();
    has(of).then_some(Value::Object(kept))
}

/// Returns what several roles allow together, in their order, nothing twice: the rules of a role
/// that aggregates them.
pub fn union<'a>(roles: impl IntoIterator<Item = &'a Value>) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for rule in roles.into_iter().filter_map(|role| role["rules"].as_array()).flatten() {
        if !all.contains(rule) {
            all.push(rule.clone());
        }
    }
    all
}
