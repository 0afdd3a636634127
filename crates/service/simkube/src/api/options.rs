//! The options that requests carry in their query, and which of them are nonsense.

use serde_json::Value;

use super::problem::{Cause, Problem};
use super::request::User;
use super::route::Query;
use super::selector::Selector;

/// What is done about fields that the kind does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldValidation {
    /// They are dropped.
    Ignore,
    /// They are dropped, and a warning says so.
    Warn,
    /// They are an error.
    Strict,
}

/// The options of a write.
#[derive(Clone, Debug)]
pub struct WriteOptions {
    /// Nothing is kept.
    pub dry_run: bool,
    /// `fieldManager`, or `""`.
    pub field_manager: String,
    /// `fieldValidation`; the server's default is to warn.
    pub field_validation: FieldValidation,
    /// `force` of an apply.
    pub force: bool,
    /// Who asks.
    pub user: User,
}

/// Which write the options belong to; each is checked under its own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteKind {
    /// POST.
    Create,
    /// PUT.
    Update,
    /// PATCH but apply.
    Patch,
    /// PATCH with an apply patch.
    Apply,
}

impl WriteKind {
    fn options_name(self) -> &'static str {
        match self {
            WriteKind::Create => "CreateOptions",
            WriteKind::Update => "UpdateOptions",
            WriteKind::Patch | WriteKind::Apply => "PatchOptions",
        }
    }
}

impl WriteOptions {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// 422 in the server's words where a value is not allowed.
    pub fn parse(query: &Query, kind: WriteKind) -> Result<WriteOptions, Problem> {
        let mut causes = Vec::new();
        let field_manager = query.get("fieldManager").to_owned();
        if kind == WriteKind::Apply && field_manager.is_empty() {
            causes.push(Cause {
                reason: "FieldValueRequired".to_owned(),
                message: "Required value: is required for apply patch".to_owned(),
                field: "fieldManager".to_owned(),
            });
        }
        let force = query.flag("force");
        if kind == WriteKind::Patch && query.has("force") {
            causes.push(Cause {
                reason: "FieldValueForbidden".to_owned(),
                message: "Forbidden: may not be specified for non-apply patch".to_owned(),
                field: "force".to_owned(),
            });
        }
        check_manager(&field_manager, &mut causes);
        let dry_run = dry_run(query.all("dryRun"), &mut causes);
        let field_validation = match query.get("fieldValidation") {
            "Ignore" => FieldValidation::Ignore,
            "" | "Warn" => FieldValidation::Warn,
            "Strict" => FieldValidation::Strict,
            other => {
                causes.push(Cause {
                    reason: "FieldValueNotSupported".to_owned(),
                    message: format!(
                        "Unsupported value: \"{other}\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""
                    ),
                    field: "fieldValidation".to_owned(),
                });
                FieldValidation::Warn
            }
        };
        if !causes.is_empty() {
            return Err(Problem::invalid("meta.k8s.io", kind.options_name(), "", &causes));
        }
        let user = User::default();
        Ok(WriteOptions { dry_run, field_manager, field_validation, force, user })
    }
}

const FIELD_MANAGER_BYTES_MAX: usize = 128;

fn check_manager(name: &str, causes: &mut Vec<Cause>) {
    if name.len() > FIELD_MANAGER_BYTES_MAX {
        causes.push(Cause {
            reason: "FieldValueTooLong".to_owned(),
            message: format!("Too long: may not be more than {FIELD_MANAGER_BYTES_MAX} bytes"),
            field: "fieldManager".to_owned(),
        });
    }
    for (at, c) in name.char_indices().filter(|(_, c)| !is_printable(*c)) {
        causes.push(Cause {
            reason: "FieldValueInvalid".to_owned(),
            message: format!(
                "Invalid value: {}: invalid character {} (at position {at})",
                go_quoted(name),
                unicode(c)
            ),
            field: "fieldManager".to_owned(),
        });
    }
}

fn is_printable(c: char) -> bool {
    c == ' ' || !(c.is_control() || c.is_whitespace())
}

fn unicode(c: char) -> String {
    format!("U+{:04X}", c as u32)
}

/// Quotes as Go does.
fn go_quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            '\n' => "\\n".to_owned(),
            '\t' => "\\t".to_owned(),
            '\r' => "\\r".to_owned(),
            c if is_printable(c) => c.to_string(),
            c => format!("\\x{:02x}", c as u32),
        })
        .collect();
    format!("\"{escaped}\"")
}

/// The options of a deletion.
#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    /// Nothing is kept.
    pub dry_run: bool,
    /// Seconds.
    pub grace_period_s: Option<i64>,
    /// What becomes of what the object owns; `None`: the kind's default.
    pub propagation: Option<Propagation>,
    /// The uid that the object must have.
    pub uid: Option<String>,
    /// The resource version that the object must have.
    pub resource_version: Option<String>,
    /// Who asks; `None`: the server itself.
    pub user: Option<User>,
    /// Whether the object goes with its whole collection: nobody has named it.
    pub of_many: bool,
}

/// What becomes of what a deleted object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// It stays.
    Orphan,
    /// It goes after the object.
    Background,
    /// It goes before the object.
    Foreground,
}

impl DeleteOptions {
    /// Reads them from the body, or from the query where there is none.
    ///
    /// # Errors
    ///
    /// 422 in the server's words where a value is not allowed.
    pub fn parse(query: &Query, body: Option<&Value>) -> Result<DeleteOptions, Problem> {
        let mut options = DeleteOptions::default();
        let mut causes = Vec::new();
        let text = |name: &str| body.and_then(|body| body.get(name)).and_then(Value::as_str);
        let policy = match body {
            Some(_) => text("propagationPolicy"),
            None => query.has("propagationPolicy").then(|| query.get("propagationPolicy")),
        };
        let orphan = match body {
            Some(body) => body.get("orphanDependents").and_then(Value::as_bool),
            None => query.has("orphanDependents").then(|| query.flag("orphanDependents")),
        };
        if let (Some(_), Some(policy)) = (orphan, policy) {
            causes.push(Cause {
                reason: "FieldValueInvalid".to_owned(),
                message: format!(
                    "Invalid value: \"{policy}\": orphanDependents and deletionPropagation cannot be both set"
                ),
                field: "propagationPolicy".to_owned(),
            });
        }
        options.propagation = match policy {
            Some("Orphan") => Some(Propagation::Orphan),
            Some("Background") => Some(Propagation::Background),
            Some("Foreground") => Some(Propagation::Foreground),
            None => None,
            Some(other) => {
                causes.push(Cause {
                    reason: "FieldValueNotSupported".to_owned(),
                    message: format!(
                        "Unsupported value: \"{other}\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
                    ),
                    field: "propagationPolicy".to_owned(),
                });
                None
            }
        };
        if options.propagation.is_none() {
            options.propagation = orphan
                .map(|orphan| if orphan { Propagation::Orphan } else { Propagation::Background });
        }
        options.grace_period_s = match body {
            Some(body) => body.get("gracePeriodSeconds").and_then(Value::as_i64),
            None => query.number("gracePeriodSeconds")?,
        };
        options.dry_run = match body {
            Some(body) => {
                let values = body.get("dryRun").and_then(Value::as_array).into_iter().flatten();
                dry_run(values.filter_map(Value::as_str), &mut causes)
            }
            None => dry_run(query.all("dryRun"), &mut causes),
        };
        let precondition = |name: &str| match body {
            Some(body) => Some(body.get("preconditions")?.get(name)?.as_str()?.to_owned()),
            None => Some(query.get(name).to_owned()).filter(|value| !value.is_empty()),
        };
        options.uid = precondition("uid");
        options.resource_version = precondition("resourceVersion");
        if !causes.is_empty() {
            return Err(Problem::invalid("meta.k8s.io", "DeleteOptions", "", &causes));
        }
        Ok(options)
    }
}

fn dry_run<'a>(values: impl Iterator<Item = &'a str>, causes: &mut Vec<Cause>) -> bool {
    let values: Vec<&str> = values.collect();
    if values.iter().any(|value| *value != "All") {
        let shown: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
        causes.push(Cause {
            reason: "FieldValueNotSupported".to_owned(),
            message: format!("Unsupported value: [{}]: supported values: \"All\"", shown.join(",")),
            field: "dryRun".to_owned(),
        });
    }
    !values.is_empty()
}

/// The options of a list or a watch.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// `labelSelector`.
    pub labels: String,
    /// `fieldSelector`.
    pub fields: String,
    /// 0: no limit.
    pub limit: usize,
    /// The token of the page before.
    pub continue_token: String,
    /// `""`, `"0"` or a revision.
    pub resource_version: String,
    /// `""`, `Exact` or `NotOlderThan`.
    pub resource_version_match: String,
    /// Watch instead of list.
    pub watch: bool,
    /// Whether bookmarks are wanted.
    pub bookmarks: bool,
    /// Whether the watch begins with what is there; `None`: as the resource version says.
    pub send_initial_events: Option<bool>,
    /// Seconds after which a watch ends.
    pub timeout_s: Option<u64>,
}

impl ListOptions {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// 400 or 422 in the server's words where they are nonsense.
    pub fn parse(query: &Query) -> Result<ListOptions, Problem> {
        let send = query.get("sendInitialEvents");
        let options = ListOptions {
            labels: query.get("labelSelector").to_owned(),
            fields: query.get("fieldSelector").to_owned(),
            limit: usize::try_from(query.number("limit")?.unwrap_or(0)).unwrap_or(0),
            continue_token: query.get("continue").to_owned(),
            resource_version: query.get("resourceVersion").to_owned(),
            resource_version_match: query.get("resourceVersionMatch").to_owned(),
            watch: query.flag("watch"),
            bookmarks: query.flag("allowWatchBookmarks"),
            send_initial_events: (!send.is_empty()).then(|| query.flag("sendInitialEvents")),
            timeout_s: query.number("timeoutSeconds")?.and_then(|s| u64::try_from(s).ok()),
        };
        // Whether they parse is asked before whether they go together.
        Selector::read(&options.labels, &options.fields)?;
        let causes = if options.watch { options.watch_causes() } else { options.list_causes() };
        if !causes.is_empty() {
            return Err(Problem::invalid("meta.k8s.io", "ListOptions", "", &causes));
        }
        Ok(options)
    }

    fn watch_causes(&self) -> Vec<Cause> {
        let mut causes = Vec::new();
        // Who says nothing of where to begin is told first what is there.
        let begins = matches!(self.resource_version.as_str(), "" | "0");
        let says_nothing =
            self.send_initial_events.is_none() && self.resource_version_match.is_empty();
        let (matching, sends) = match begins && says_nothing {
            true => ("NotOlderThan", true),
            false => (self.resource_version_match.as_str(), self.send_initial_events.is_some()),
        };
        if sends && matching != "NotOlderThan" {
            causes.push(forbidden(
                "resourceVersionMatch",
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            ));
        }
        if matching.is_empty() {
            return causes;
        }
        if !sends {
            causes.push(forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            ));
        }
        if matching != "NotOlderThan" {
            let message =
                format!("Unsupported value: \"{matching}\": supported values: \"NotOlderThan\"");
            causes.push(Cause {
                reason: "FieldValueNotSupported".to_owned(),
                message,
                field: "resourceVersionMatch".to_owned(),
            });
        }
        if !self.continue_token.is_empty() {
            causes.push(forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden when continue is provided",
            ));
        }
        causes
    }

    fn list_causes(&self) -> Vec<Cause> {
        let mut causes = Vec::new();
        let matching = self.resource_version_match.as_str();
        if !matching.is_empty() && self.resource_version.is_empty() {
            causes.push(forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            ));
        }
        if !matching.is_empty() && !self.continue_token.is_empty() {
            causes.push(forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden when continue is provided",
            ));
        }
        if !matches!(matching, "" | "Exact" | "NotOlderThan") {
            causes.push(Cause {
                reason: "FieldValueNotSupported".to_owned(),
                message: format!(
                    "Unsupported value: \"{matching}\": supported values: \"Exact\", \"NotOlderThan\", \"\""
                ),
                field: "resourceVersionMatch".to_owned(),
            });
        }
        if matching == "Exact" && self.resource_version == "0" {
            causes.push(forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
            ));
        }
        if self.send_initial_events.is_some() {
            causes.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
        }
        causes
    }
}

fn forbidden(field: &str, why: &str) -> Cause {
    Cause {
        reason: "FieldValueForbidden".to_owned(),
        message: format!("Forbidden: {why}"),
        field: field.to_owned(),
    }
}
