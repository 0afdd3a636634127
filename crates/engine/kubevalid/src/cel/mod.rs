//! Expressions in CEL, as far as the server looks at them when they are stored: whether they parse,
//! what they speak of, and of which type they are. Nothing is evaluated here.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use manifest::field::FieldError;

use crate::cursor::At;

pub use cel::is_reserved;
use cel::{Fault, Field, Scope, Type};

/// What an expression must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Boolean,
    Text,
    TextOrNull,
    /// The configuration that a mutation applies.
    Configuration,
    /// The list of a mutation's changes.
    Changes,
    Anything,
}

impl Wanted {
    /// Why a type will not do.
    fn refuses(self, found: &Type) -> Option<String> {
        let one = |name: &str| Some(format!("must evaluate to {name} but got {found}"));
        match (self, found) {
            (Wanted::Anything, _) => None,
            (Wanted::Boolean, Type::Bool) => None,
            (Wanted::Boolean, _) => one("bool"),
            (Wanted::Text, Type::Text) => None,
            (Wanted::Text, _) => one("string"),
            (Wanted::TextOrNull, Type::Text | Type::Null) => None,
            (Wanted::TextOrNull, _) => {
                Some(format!("must evaluate to one of [string null_type] but got {found}"))
            }
            (Wanted::Configuration, Type::Named(name)) if name == "Object" => None,
            (Wanted::Configuration, _) => one("Object"),
            (Wanted::Changes, Type::List(of)) => match of.as_ref() {
                Type::Named(name) if name == "JSONPatch" => None,
                // An empty list is a list of anything.
                Type::Dyn => None,
                _ => one("list(JSONPatch)"),
            },
            (Wanted::Changes, _) => one("list(JSONPatch)"),
        }
    }
}

const KIND: &[(&str, Field)] =
    &[("group", Field::Text), ("version", Field::Text), ("kind", Field::Text)];
const RESOURCE: &[(&str, Field)] =
    &[("group", Field::Text), ("version", Field::Text), ("resource", Field::Text)];
const USER: &[(&str, Field)] = &[
    ("username", Field::Text),
    ("uid", Field::Text),
    ("groups", Field::Texts),
    ("extra", Field::ListMap),
];
const REQUEST: &[(&str, Field)] = &[
    ("kind", Field::Of("kubernetes.GroupVersionKind", KIND)),
    ("resource", Field::Of("kubernetes.GroupVersionResource", RESOURCE)),
    ("subResource", Field::Text),
    ("requestKind", Field::Of("kubernetes.GroupVersionKind", KIND)),
    ("requestResource", Field::Of("kubernetes.GroupVersionResource", RESOURCE)),
    ("requestSubResource", Field::Text),
    ("name", Field::Text),
    ("namespace", Field::Text),
    ("operation", Field::Text),
    ("userInfo", Field::Of("kubernetes.UserInfo", USER)),
    ("dryRun", Field::Bool),
    ("options", Field::Any),
];
const NAMESPACE_METADATA: &[(&str, Field)] = &[
    ("name", Field::Text),
    ("generateName", Field::Text),
    ("namespace", Field::Text),
    ("labels", Field::TextMap),
    ("annotations", Field::TextMap),
    ("UID", Field::Text),
    ("creationTimestamp", Field::Time),
    ("deletionGracePeriodSeconds", Field::Int),
    ("deletionTimestamp", Field::Time),
    ("generation", Field::Int),
    ("resourceVersion", Field::Text),
    ("finalizers", Field::Texts),
];
const CONDITION: &[(&str, Field)] = &[
    ("status", Field::Text),
    ("type", Field::Text),
    ("lastTransitionTime", Field::Time),
    ("message", Field::Text),
    ("reason", Field::Text),
];
const NAMESPACE: &[(&str, Field)] = &[
    ("metadata", Field::Of("kubernetes.NamespaceMetadata", NAMESPACE_METADATA)),
    ("spec", Field::Of("kubernetes.NamespaceSpec", &[("finalizers", Field::Texts)])),
    (
        "status",
        Field::Of(
            "kubernetes.NamespaceStatus",
            &[
                ("conditions", Field::ListOf("kubernetes.NamespaceCondition", CONDITION)),
                ("phase", Field::Text),
            ],
        ),
    ),
];
const DEVICE: &[(&str, Field)] = &[
    ("driver", Field::Text),
    ("attributes", Field::Domains),
    ("capacity", Field::Domains),
    ("allowMultipleAllocations", Field::Bool),
];

/// What an expression may speak of.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    params: bool,
    authorizer: bool,
    composed: bool,
    named: Vec<(String, Type)>,
}

impl Variables {
    /// Of a request, and of a policy's parameters where it has some.
    pub fn of_requests(params: bool) -> Variables {
        Variables { params, authorizer: true, ..Variables::default() }
    }

    /// The same, but for who may do what.
    pub fn without_authorizer(&self) -> Variables {
        Variables { authorizer: false, ..self.clone() }
    }

    /// The same, with a place for the policy's own variables.
    pub fn composed(mut self) -> Variables {
        self.composed = true;
        self
    }

    /// Adds one of the policy's own variables.
    pub fn add(&mut self, name: &str, expression: &str) {
        let found = match cel::parse(expression) {
            Ok(expr) => Scope::new(self.names()).of_mutations().check(&expr).0,
            Err(_) => Type::Dyn,
        };
        self.named.push((format!("variables.{name}"), found));
    }

    fn names(&self) -> Vec<(String, Type)> {
        let mut names = vec![
            ("object".to_owned(), Type::Dyn),
            ("oldObject".to_owned(), Type::Dyn),
            ("namespaceObject".to_owned(), Type::Known("kubernetes.Namespace", NAMESPACE)),
            ("request".to_owned(), Type::Known("kubernetes.AdmissionRequest", REQUEST)),
        ];
        if self.params {
            names.push(("params".to_owned(), Type::Dyn));
        }
        if self.authorizer {
            let named = |name: &str| Type::Named(format!("kubernetes.authorization.{name}"));
            names.push(("authorizer".to_owned(), named("Authorizer")));
            names.push(("authorizer.requestResource".to_owned(), named("ResourceCheck")));
        }
        if self.composed {
            names.push(("variables".to_owned(), Type::Named("variables".to_owned())));
        }
        names.extend(self.named.iter().cloned());
        names
    }
}

/// Looks at an expression of a webhook or a policy.
pub fn admission(at: &At<'_>, variables: &Variables, wanted: Wanted, errors: &mut Vec<FieldError>) {
    let mutates = matches!(wanted, Wanted::Configuration | Wanted::Changes);
    let why = match typed(at.text(), variables.names(), mutates) {
        Ok(found) => wanted.refuses(&found),
        Err(why) => Some(why),
    };
    errors.extend(why.map(|why| at.invalid(why)));
}

/// Looks at an expression that chooses devices.
pub fn device(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let names = vec![("device".to_owned(), Type::Known("kubernetes.DRADevice", DEVICE))];
    let why = match typed(at.text(), names, false) {
        Ok(Type::Bool | Type::Dyn) => return,
        Ok(found) => format!("must evaluate to bool or the unknown type, not {found}"),
        Err(why) => why,
    };
    errors.push(FieldError::invalid(at.path.clone(), at.text(), why));
}

/// Returns the type of an expression, or what is wrong with it.
pub fn typed(text: &str, names: Vec<(String, Type)>, mutates: bool) -> Result<Type, String> {
    let told = |faults: &[Fault]| {
        let shown: Vec<String> = faults.iter().map(|fault| shown(text, fault)).collect();
        format!("compilation failed: {}", shown.join("\n"))
    };
    let expr = cel::parse(text).map_err(|fault| told(&[fault]))?;
    let scope = Scope::new(names);
    let scope = if mutates { scope.of_mutations() } else { scope };
    let (found, faults) = scope.check(&expr);
    if faults.is_empty() { Ok(found) } else { Err(told(&faults)) }
}

/// The type of objects with these fields.
pub fn fields(known: impl IntoIterator<Item = (String, Type)>) -> Type {
    Type::Object(Arc::new(known.into_iter().collect()))
}

/// A fault, with the line in which it is and a sign below it.
fn shown(text: &str, fault: &Fault) -> String {
    if text.is_empty() {
        return format!("ERROR: <input>:1:0: {}", fault.words);
    }
    let before: Vec<char> = text.chars().take(fault.at).collect();
    let line = before.iter().filter(|sign| **sign == '\n').count();
    let column = before.iter().rev().take_while(|sign| **sign != '\n').count();
    let whole = text.split('\n').nth(line).unwrap_or_default().replace('\t', " ");
    let dots: String = whole
        .chars()
        .take(column)
        .map(|sign| if sign.len_utf8() > 1 { '\u{ff0e}' } else { '.' })
        .collect();
    let sign = match whole.chars().nth(column) {
        Some(at) if at.len_utf8() > 1 => '\u{ff3e}',
        _ => '^',
    };
    format!(
        "ERROR: <input>:{}:{}: {}\n | {whole}\n | {dots}{sign}",
        line + 1,
        column + 1,
        fault.words
    )
}
