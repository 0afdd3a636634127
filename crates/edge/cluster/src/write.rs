//! What can be written to a destination cluster, and the gate that each write passes.
//!
//! [`Writer`](crate::Writer) is the only way to write to a destination. It asks its [`Gate`]
//! for a [`Permit`] before each write, and nothing but a gate's answer is one.

use manifest::{Gvk, ObjectKey};
use serde_json::Value;

/// One write, as a value: it can be compared, logged (without its body) and refused.
#[derive(Clone, PartialEq)]
pub struct Write {
    /// At which version the object is written.
    pub gvk: Gvk,
    /// `""` for what has no namespace.
    pub namespace: String,
    /// The object's name; `""` only where a create leaves it to `generateName`.
    pub name: String,
    /// What is done to it.
    pub action: Action,
    /// Whether the server only says what would happen.
    pub dry_run: bool,
    /// Who will own the fields that are written.
    pub manager: String,
    /// What the server does about fields that it does not know.
    pub validation: Validation,
}

/// What is done to an object.
#[derive(Clone, PartialEq)]
pub enum Action {
    /// Server-side apply.
    Apply {
        /// What the manager wants, and nothing else.
        object: Value,
        /// Whether fields of other managers are taken over.
        force: bool,
    },
    /// The object must not exist yet.
    Create {
        /// The whole object.
        object: Value,
    },
    /// The object is exchanged whole; with a `resourceVersion` only if nobody wrote in between.
    Replace {
        /// The whole object.
        object: Value,
    },
    /// Parts of the object change.
    Patch {
        /// Which, and in which language.
        patch: Patch,
        /// As in `status` or `scale`.
        subresource: Option<String>,
    },
    /// The object goes.
    Delete {
        /// What happens to what it owns.
        propagation: Propagation,
        /// Only if it is still this one.
        uid: Option<String>,
        /// Only if nobody wrote in between.
        resource_version: Option<String>,
        /// Seconds; `None` leaves it to the object.
        grace_period_s: Option<u32>,
    },
}

/// A change, in one of the languages that the server speaks.
#[derive(Clone, PartialEq)]
pub enum Patch {
    /// RFC 6902: a list of operations.
    Json(Value),
    /// RFC 7386.
    Merge(Value),
    /// Merge by the kinds' own merge keys; not for custom resources.
    Strategic(Value),
}

impl Patch {
    pub(crate) fn body(&self) -> &Value {
        match self {
            Patch::Json(body) | Patch::Merge(body) | Patch::Strategic(body) => body,
        }
    }

    pub(crate) fn content_type(&self) -> &'static str {
        match self {
            Patch::Json(_) => "application/json-patch+json",
            Patch::Merge(_) => "application/merge-patch+json",
            Patch::Strategic(_) => "application/strategic-merge-patch+json",
        }
    }
}

/// What happens to what a deleted object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// It goes first, and the object stays until it is gone.
    Foreground,
    /// The object goes at once, and what it owns after it.
    Background,
    /// It stays, and is owned by nobody.
    Orphan,
}

impl Propagation {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Propagation::Foreground => "Foreground",
            Propagation::Background => "Background",
            Propagation::Orphan => "Orphan",
        }
    }
}

/// What the server does about unknown and doubled fields (`fieldValidation`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validation {
    /// Refuses the object.
    Strict,
    /// Drops them, and warns.
    #[default]
    Warn,
    /// Drops them.
    Ignore,
}

impl Validation {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Validation::Strict => "Strict",
            Validation::Warn => "Warn",
            Validation::Ignore => "Ignore",
        }
    }
}

impl Write {
    /// Server-side apply of what `object` says, taking over fields of other managers.
    pub fn apply(object: Value, manager: &str) -> Self {
        Self::of(object, manager, |object| Action::Apply { object, force: true })
    }

    /// Creates `object`.
    pub fn create(object: Value, manager: &str) -> Self {
        Self::of(object, manager, |object| Action::Create { object })
    }

    /// Replaces the object of `object`'s name with it.
    pub fn replace(object: Value, manager: &str) -> Self {
        Self::of(object, manager, |object| Action::Replace { object })
    }

    /// Changes parts of an object.
    pub fn patch(gvk: Gvk, namespace: &str, name: &str, patch: Patch, manager: &str) -> Self {
        Self {
            gvk,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            action: Action::Patch { patch, subresource: None },
            dry_run: false,
            manager: manager.to_owned(),
            validation: Validation::default(),
        }
    }

    /// Deletes an object, whichever stands under that name.
    pub fn delete(gvk: Gvk, namespace: &str, name: &str, propagation: Propagation) -> Self {
        Self {
            gvk,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            action: Action::Delete {
                propagation,
                uid: None,
                resource_version: None,
                grace_period_s: None,
            },
            dry_run: false,
            manager: String::new(),
            validation: Validation::default(),
        }
    }

    /// The same write, but the server only says what would happen.
    #[must_use]
    pub fn dry(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// The same write with another validation.
    #[must_use]
    pub fn validated(mut self, validation: Validation) -> Self {
        self.validation = validation;
        self
    }

    /// What the object is called.
    pub fn key(&self) -> ObjectKey {
        ObjectKey::new(
            self.gvk.group.clone(),
            self.gvk.kind.clone(),
            self.namespace.clone(),
            self.name.clone(),
        )
    }

    /// The object or patch that is sent, if any.
    pub fn body(&self) -> Option<&Value> {
        match &self.action {
            Action::Apply { object, .. }
            | Action::Create { object }
            | Action::Replace { object } => Some(object),
            Action::Patch { patch, .. } => Some(patch.body()),
            Action::Delete { .. } => None,
        }
    }

    /// As upstream counts requests: `create`, `update`, `patch` or `delete`.
    pub fn verb(&self) -> &'static str {
        match self.action {
            Action::Create { .. } => "create",
            Action::Replace { .. } => "update",
            Action::Apply { .. } | Action::Patch { .. } => "patch",
            Action::Delete { .. } => "delete",
        }
    }

    fn of(object: Value, manager: &str, action: impl FnOnce(Value) -> Action) -> Self {
        Self {
            gvk: manifest::gvk(&object),
            namespace: manifest::namespace(&object).to_owned(),
            name: manifest::name(&object).to_owned(),
            action: action(object),
            dry_run: false,
            manager: manager.to_owned(),
            validation: Validation::default(),
        }
    }
}

/// Names the write and never shows its body.
impl std::fmt::Debug for Write {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Write")
            .field("verb", &self.verb())
            .field("gvk", &self.gvk.to_string())
            .field("namespace", &self.namespace)
            .field("name", &self.name)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}

/// Whoever decides whether a write may go to a destination.
///
/// The service hands in its policy here. A write without a gate does not exist.
pub trait Gate: Send + Sync {
    /// Answers with [`Asked::permit`] or [`Asked::refuse`].
    ///
    /// # Errors
    ///
    /// [`Refusal`] where the write must not happen; nothing is sent then.
    fn check<'a>(&self, asked: Asked<'a>) -> Result<Permit<'a>, Refusal>;
}

/// The question put to a [`Gate`]: only this crate makes one, so only a gate that was asked
/// can permit.
pub struct Asked<'a> {
    server: &'a str,
    write: &'a Write,
    namespaced: bool,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(server: &'a str, write: &'a Write, namespaced: bool) -> Self {
        Self { server, write, namespaced }
    }

    /// The URL of the cluster that would be written to.
    pub fn server(&self) -> &str {
        self.server
    }

    /// What would be written.
    pub fn write(&self) -> &Write {
        self.write
    }

    /// Whether objects of the kind live in namespaces, as the cluster says.
    pub fn namespaced(&self) -> bool {
        self.namespaced
    }

    /// Lets exactly this write through, once.
    pub fn permit(self) -> Permit<'a> {
        Permit { write: self.write }
    }

    /// Holds it back; `reason` is what people read.
    pub fn refuse(self, reason: impl Into<String>) -> Refusal {
        Refusal { reason: reason.into() }
    }
}

/// A gate's yes to one write. It cannot be made, copied, or kept for another.
#[must_use]
pub struct Permit<'a> {
    write: &'a Write,
}

impl<'a> Permit<'a> {
    /// The write that is let through.
    pub(crate) fn write(&self) -> &'a Write {
        self.write
    }
}

/// A gate's no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    reason: String,
}

impl Refusal {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }

    /// What people read.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// What a write led to.
#[derive(Clone, PartialEq)]
pub struct Written {
    /// The object as it stands now, or would stand. `None` where a delete was done at once.
    pub object: Option<Value>,
    /// Whether there was none before.
    pub created: bool,
    /// What the server warns of, in its words.
    pub warnings: Vec<String>,
}

/// Names the object and never shows its data.
impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Written")
            .field("key", &self.object.as_ref().map(|object| manifest::key_of(object).to_string()))
            .field("created", &self.created)
            .field("warnings", &self.warnings)
            .finish()
    }
}
