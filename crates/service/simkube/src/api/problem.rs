//! What goes wrong, in the server's words: the `Status` objects that clients branch on.

use serde_json::{Map, Value, json};

use crate::kinds::Kind;

/// A request that is refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The HTTP status.
    pub code: u16,
    /// The word that clients branch on, for example `NotFound`.
    pub reason: &'static str,
    /// What a person reads.
    pub message: String,
    /// `details` of the Status, where there are any.
    pub details: Option<Value>,
    /// Where a list that is too old goes on, consistent or not.
    pub continue_token: Option<Box<str>>,
    /// What the client is told beside it.
    pub warnings: Vec<String>,
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// For example `FieldValueInvalid`.
    pub reason: String,
    /// Without the field's path.
    pub message: String,
    /// For example `spec.replicas`; may be empty.
    pub field: String,
}

impl Problem {
    /// Returns a problem without details.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Problem {
        Problem {
            code,
            reason,
            message: message.into(),
            details: None,
            continue_token: None,
            warnings: Vec::new(),
        }
    }

    /// The request makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Problem {
        Problem::new(400, "BadRequest", message)
    }

    /// The object is not there.
    pub fn not_found(kind: &Kind, name: &str) -> Problem {
        if kind.is("", "ComponentStatus") {
            // The server names it so.
            let named = Kind { plural: kind.singular.clone(), ..kind.clone() };
            let message = format!("{} \"{name}\" not found", named.plural);
            return Problem::new(404, "NotFound", message).about(&named, name);
        }
        let message = format!("{} \"{name}\" not found", kind.qualified());
        Problem::new(404, "NotFound", message).about(kind, name)
    }

    /// There is no such resource, or no such subresource.
    pub fn no_such_resource() -> Problem {
        let message = "the server could not find the requested resource";
        let mut problem = Problem::new(404, "NotFound", message);
        problem.details = Some(json!({}));
        problem
    }

    /// The resource does not do this.
    pub fn method_not_allowed() -> Problem {
        let message = "the server does not allow this method on the requested resource";
        let mut problem = Problem::new(405, "MethodNotAllowed", message);
        problem.details = Some(json!({}));
        problem
    }

    /// Objects of a custom kind are not asked with this verb of HTTP.
    pub fn not_supported(kind: &Kind, verb: &str) -> Problem {
        let said = match verb {
            "POST" => "create",
            "DELETE" => "delete",
            _ => "",
        };
        let message =
            format!("{said} is not supported on resources of kind \"{}\"", kind.qualified());
        let mut problem = Problem::new(405, "MethodNotAllowed", message);
        problem.details = Some(json!({"group": kind.group, "kind": kind.plural}));
        problem
    }

    /// There is already an object of this name.
    pub fn already_exists(kind: &Kind, name: &str) -> Problem {
        let message = format!("{} \"{name}\" already exists", kind.qualified());
        Problem::new(409, "AlreadyExists", message).about(kind, name)
    }

    /// A name that the server made up is taken.
    pub fn not_generated(mut self) -> Problem {
        self.message += ", the server was not able to generate a unique name for the object";
        let details = self.details.get_or_insert_with(|| json!({}));
        details["retryAfterSeconds"] = json!(1);
        self
    }

    /// Another write came first, or a precondition does not hold.
    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Problem {
        let message =
            format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.qualified());
        Problem::new(409, "Conflict", message).about(kind, name)
    }

    /// As [`Problem::conflict`], at one of an object's doors.
    pub fn conflict_at(kind: &Kind, door: &str, name: &str, why: &str) -> Problem {
        let resource = format!("{}/{door}", kind.plural);
        let qualified = match kind.group.as_str() {
            "" => resource.clone(),
            group => format!("{resource}.{group}"),
        };
        let message = format!("Operation cannot be fulfilled on {qualified} \"{name}\": {why}");
        let mut problem = Problem::new(409, "Conflict", message);
        problem.details = Some(details(&kind.group, &resource, name));
        problem
    }

    /// The object has been written since the client read it.
    pub fn modified(kind: &Kind, name: &str) -> Problem {
        Problem::conflict(
            kind,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// The request is understood and refused.
    pub fn forbidden(kind: &Kind, name: &str, why: &str) -> Problem {
        Problem::forbidden_at(&kind.group, &kind.plural, name, why)
    }

    /// As [`Problem::forbidden`], of a resource that nobody may know.
    pub fn forbidden_at(group: &str, plural: &str, name: &str, why: &str) -> Problem {
        let qualified = match group {
            "" => plural.to_owned(),
            group => format!("{plural}.{group}"),
        };
        let message = match name {
            "" => format!("{qualified} is forbidden: {why}"),
            name => format!("{qualified} \"{name}\" is forbidden: {why}"),
        };
        let mut problem = Problem::new(403, "Forbidden", message);
        problem.details = Some(details(group, plural, name));
        problem
    }

    /// Fields of the object are wrong. `group` and `kind` name the object's kind.
    pub fn invalid(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Problem {
        let said: Vec<String> = unique(causes.iter().map(|cause| {
            if cause.field.is_empty() {
                cause.message.clone()
            } else {
                format!("{}: {}", cause.field, cause.message)
            }
        }));
        let said = match said.as_slice() {
            [] => "<nil>".to_owned(),
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let mut details = details(group, kind, name);
        if !causes.is_empty() {
            let causes: Vec<Value> = causes
                .iter()
                .map(|cause| {
                    let mut value = json!({"reason": cause.reason, "message": cause.message});
                    if !cause.field.is_empty() {
                        value["field"] = json!(cause.field);
                    }
                    value
                })
                .collect();
            details["causes"] = Value::Array(causes);
        }
        let message = format!("{qualified} \"{name}\" is invalid: {said}");
        let mut problem = Problem::new(422, "Invalid", message);
        problem.details = Some(details);
        problem
    }

    /// The revision asked for is no longer remembered.
    pub fn expired(message: impl Into<String>) -> Problem {
        Problem::new(410, "Expired", message)
    }

    /// Adds which object the problem is about.
    pub fn about(mut self, kind: &Kind, name: &str) -> Problem {
        self.details = Some(details(&kind.group, &kind.plural, name));
        self
    }

    /// Adds causes to the details.
    pub fn because(mut self, causes: &[Cause]) -> Problem {
        let causes: Vec<Value> = causes
            .iter()
            .map(|cause| {
                let mut value = Map::new();
                for (name, text) in [
                    ("reason", &cause.reason),
                    ("message", &cause.message),
                    ("field", &cause.field),
                ] {
                    if !text.is_empty() {
                        value.insert(name.to_owned(), json!(text));
                    }
                }
                Value::Object(value)
            })
            .collect();
        let mut details = self.details.take().unwrap_or_else(|| json!({}));
        details["causes"] = Value::Array(causes);
        self.details = Some(details);
        self
    }

    /// Returns the Status that tells it.
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "code": self.code,
        });
        if let Some(token) = &self.continue_token {
            status["metadata"]["continue"] = json!(token);
        }
        if !self.reason.is_empty() {
            status["reason"] = json!(self.reason);
        }
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }
}

fn details(group: &str, kind: &str, name: &str) -> Value {
    let mut details = Map::new();
    for (field, text) in [("name", name), ("group", group), ("kind", kind)] {
        if !text.is_empty() {
            details.insert(field.to_owned(), json!(text));
        }
    }
    Value::Object(details)
}

fn unique(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for one in all {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen
}
