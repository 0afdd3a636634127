//! Admission policies: which requests they are asked about, and what they say of one.
//!
//! Who may do what is never asked: an expression about the authorizer lets everything pass.

use std::collections::BTreeMap;

use cel::{Expr, Value as Cel, names_used};
use serde_json::{Value, json};

use crate::cursor::At;
use crate::selector;

/// A request, as policies see it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// `""` for the core group.
    pub group: &'a str,
    /// At which the request speaks.
    pub version: &'a str,
    /// All versions at which the resource is served.
    pub served: &'a [String],
    /// The plural.
    pub resource: &'a str,
    /// `""` for the main door.
    pub subresource: &'a str,
    /// For example `Deployment`.
    pub kind: &'a str,
    /// `""` where there is none, or where it is yet to be made up.
    pub name: &'a str,
    /// `""` for what stands in no namespace; a namespace stands in itself.
    pub namespace: &'a str,
    /// `CREATE`, `UPDATE` or `DELETE`.
    pub operation: &'a str,
    /// What is there afterwards, or null.
    pub object: &'a Value,
    /// What was there before, or null.
    pub old: &'a Value,
    /// The namespace, or null.
    pub around: &'a Value,
    /// Who asks, and to which groups he belongs.
    pub user: (&'a str, &'a [String]),
    /// Whether nothing is kept.
    pub dry_run: bool,
}

/// Why a policy refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// What is told.
    pub message: String,
    /// For example `Forbidden`; `Invalid` where the policy says nothing.
    pub reason: String,
}

impl Denial {
    fn invalid(message: String) -> Denial {
        Denial { message, reason: "Invalid".to_owned() }
    }
}

/// Returns whether `resources` (`matchConstraints` of a policy, `matchResources` of a binding) name the request.
pub fn names(resources: &Value, asked: &Asked<'_>) -> bool {
    let resources = At::root(resources);
    let is_namespace = asked.group.is_empty() && asked.resource == "namespaces";
    let chosen = resources.at("namespaceSelector");
    if !selector::is_empty(&chosen) && !asked.namespace.is_empty() {
        let namespace = match (is_namespace, asked.object.is_null()) {
            (true, true) => asked.old,
            (true, false) => asked.object,
            (false, _) => asked.around,
        };
        if !selector::matches(&chosen, &namespace["metadata"]["labels"]) {
            return false;
        }
    }
    let chosen = resources.at("objectSelector");
    if !selector::is_empty(&chosen) {
        let fits = |object: &Value| {
            !object.is_null() && selector::matches(&chosen, &object["metadata"]["labels"])
        };
        if !fits(asked.object) && !fits(asked.old) {
            return false;
        }
    }
    let exact = resources.at("matchPolicy").text() == "Exact";
    if resources.at("excludeResourceRules").items().any(|rule| is_in(&rule, exact, asked)) {
        return false;
    }
    let rules = resources.at("resourceRules");
    rules.is_empty() || rules.items().any(|rule| is_in(&rule, exact, asked))
}

fn is_in(rule: &At<'_>, exact: bool, asked: &Asked<'_>) -> bool {
    let has = |field: &str, wanted: &str| {
        rule.at(field).items().any(|item| matches!(item.text(), "*") || item.text() == wanted)
    };
    let is_namespace = asked.group.is_empty() && asked.resource == "namespaces";
    let inside = !is_namespace && !asked.namespace.is_empty();
    let scope = match rule.at("scope").text() {
        "Namespaced" => inside,
        "Cluster" => !inside,
        _ => true,
    };
    let version = has("apiVersions", asked.version)
        || (!exact && asked.served.iter().any(|version| has("apiVersions", version)));
    let resource = rule.at("resources").items().any(|item| {
        let (resource, door) = item.text().split_once('/').unwrap_or((item.text(), ""));
        (resource == "*" || resource == asked.resource)
            && (door == "*" || door == asked.subresource)
    });
    let names = rule.at("resourceNames");
    let named = names.is_empty() || names.items().any(|name| name.text() == asked.name);
    scope
        && has("operations", asked.operation)
        && has("apiGroups", asked.group)
        && version
        && resource
        && named
}

/// Returns why a policy refuses a request, with these parameters or none.
pub fn decide(policy: &Value, params: &Value, asked: &Asked<'_>) -> Vec<Denial> {
    let spec = At::root(policy).at("spec");
    let fails = spec.at("failurePolicy").text() != "Ignore";
    let mut names = Names::of(params, asked);
    let mut wrong = Vec::new();
    for condition in spec.at("matchConditions").items() {
        match names.eval(condition.at("expression").text()) {
            Ok(Cel::Bool(false)) => return Vec::new(),
            Ok(_) => {}
            Err(why) => wrong.push(why),
        }
    }
    match (wrong.as_slice(), fails) {
        ([], _) => {}
        (_, false) => return Vec::new(),
        ([one], true) => return vec![Denial::invalid(one.clone())],
        (several, true) => return vec![Denial::invalid(format!("[{}]", several.join(", ")))],
    }
    for variable in spec.at("variables").items() {
        names.compose(variable.at("name").text(), variable.at("expression").text());
    }
    let mut denials = Vec::new();
    for validation in spec.at("validations").items() {
        let expression = validation.at("expression").text();
        match names.eval(expression) {
            Ok(Cel::Bool(true)) => {}
            Ok(_) => denials.push(names.denial(&validation)),
            Err(why) if fails => denials.push(Denial::invalid(why)),
            Err(_) => {}
        }
    }
    for annotation in spec.at("auditAnnotations").items().filter(|_| fails) {
        if let Err(why) = names.eval(annotation.at("valueExpression").text()) {
            denials.push(Denial::invalid(why));
        }
    }
    denials
}

/// What expressions speak of.
struct Names {
    known: Vec<(&'static str, Cel)>,
    variables: Vec<(Cel, Cel)>,
    /// Variables that came to nothing, and why.
    failed: BTreeMap<String, String>,
}

impl Names {
    fn of(params: &Value, asked: &Asked<'_>) -> Names {
        let known = vec![
            ("object", Cel::of(asked.object)),
            ("oldObject", Cel::of(asked.old)),
            ("params", Cel::of(params)),
            ("namespaceObject", Cel::of(&namespace(asked))),
            ("request", Cel::of(&request(asked))),
        ];
        Names { known, variables: Vec::new(), failed: BTreeMap::new() }
    }

    fn compose(&mut self, name: &str, expression: &str) {
        match self.asks(expression) {
            Ok(found) => self.variables.push((Cel::text(name), found)),
            Err(why) => drop(self.failed.insert(name.to_owned(), why)),
        }
    }

    fn eval(&self, expression: &str) -> Result<Cel, String> {
        self.asks(expression)
            .map_err(|why| format!("expression '{}' resulted in error: {why}", expression.trim()))
    }

    fn asks(&self, expression: &str) -> Result<Cel, String> {
        let expression = expression.trim();
        let expr: Expr = cel::parse(expression).map_err(|fault| fault.words)?;
        if names_used(&expr, "authorizer") || !cel::is_known(&expr) {
            return Ok(Cel::Bool(true));
        }
        let mut names = self.known.clone();
        names.push(("variables", Cel::map(self.variables.clone())));
        cel::eval(&expr, &names).map_err(|error| {
            let missing = error.0.strip_prefix("no such key: ");
            match missing.and_then(|name| Some((name, self.failed.get(name)?))) {
                Some((name, why)) => {
                    format!("composited variable \"{name}\" fails to evaluate: {why}")
                }
                None => error.0,
            }
        })
    }

    fn denial(&self, validation: &At<'_>) -> Denial {
        let expression = validation.at("messageExpression");
        let made = match expression.is_empty() {
            true => None,
            false => self.asks(expression.text()).ok(),
        };
        let made = match &made {
            Some(Cel::Text(text)) if !text.trim().is_empty() && !text.contains('\n') => {
                Some(text.trim().to_owned())
            }
            _ => None,
        };
        let written = validation.at("message").text().trim();
        let message = made.unwrap_or_else(|| match written {
            "" => format!("failed expression: {}", validation.at("expression").text().trim()),
            written => written.to_owned(),
        });
        match validation.at("reason").text() {
            "" => Denial::invalid(message),
            reason => Denial { message, reason: reason.to_owned() },
        }
    }
}

fn namespace(asked: &Asked<'_>) -> Value {
    let is_namespace = asked.group.is_empty() && asked.resource == "namespaces";
    if asked.around.is_null() || is_namespace {
        return Value::Null;
    }
    let mut shown = asked.around.clone();
    if let Some(metadata) = shown["metadata"].as_object_mut() {
        metadata.remove("managedFields");
        metadata.remove("ownerReferences");
    }
    shown
}

fn request(asked: &Asked<'_>) -> Value {
    let kind = json!({"group": asked.group, "version": asked.version, "kind": asked.kind});
    let resource =
        json!({"group": asked.group, "version": asked.version, "resource": asked.resource});
    let (user, groups) = asked.user;
    let options = match asked.operation {
        "CREATE" => "CreateOptions",
        "UPDATE" => "UpdateOptions",
        _ => "DeleteOptions",
    };
    let mut options = json!({"kind": options, "apiVersion": "meta.k8s.io/v1"});
    if asked.dry_run {
        options["dryRun"] = json!(["All"]);
    }
    let mut request = json!({
        "uid": "",
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "operation": asked.operation,
        "userInfo": {"username": user, "groups": groups},
        "dryRun": asked.dry_run,
        "options": options,
    });
    let texts = [
        ("subResource", asked.subresource),
        ("requestSubResource", asked.subresource),
        ("name", asked.name),
        ("namespace", asked.namespace),
    ];
    for (field, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        request[field] = json!(text);
    }
    request
}

#[cfg(test)]
mod tests;
