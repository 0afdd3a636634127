//! What is wrong with settings, for the person who wrote them.

use std::fmt;

use crate::key::{Kind, Place};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The object, as `argocd-cm` or `secret argocd/repo-1`.
    pub place: String,
    /// The key inside; `""` is the object as a whole.
    pub key: String,
    /// What is wrong, and what to do.
    pub fault: Fault,
}

/// What is wrong with a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Nobody reads it.
    Unknown {
        /// A key with nearly the same name.
        nearest: Option<&'static str>,
    },
    /// It is read elsewhere.
    Misplaced {
        /// Where.
        right: Place,
    },
    /// Its value is none of its kind; the default holds.
    WrongKind {
        /// What it should be, as people say it.
        expected: String,
        /// What holds in its place.
        default: &'static str,
    },
    /// What it would change is not built yet.
    NotBuiltYet,
    /// Something else; the text says what and what to do.
    Other(String),
}

impl Problem {
    pub(crate) fn new(place: impl Into<String>, key: impl Into<String>, fault: Fault) -> Self {
        Self { place: place.into(), key: key.into(), fault }
    }

    pub(crate) fn other(
        place: impl Into<String>,
        key: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(place, key, Fault::Other(message.into()))
    }
}

impl Fault {
    pub(crate) fn wrong_kind(kind: Kind, default: &'static str) -> Self {
        Self::WrongKind { expected: kind.describe().replace("\\|", "or"), default }
    }
}

/// One line, without a full stop. Values never stand in it: they may be secret.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, key, fault } = self;
        match key.as_str() {
            "" => write!(f, "{place}: ")?,
            key => write!(f, "`{key}` in {place} ")?,
        }
        match fault {
            Fault::Unknown { nearest: None } => f.write_str("is no setting"),
            Fault::Unknown { nearest: Some(name) } => {
                write!(f, "is no setting; did you mean `{name}`?")
            }
            Fault::Misplaced { right } => {
                write!(f, "belongs in {}; it has no effect here", right.name())
            }
            Fault::WrongKind { expected, default: "" } => {
                write!(f, "is not of the kind {expected}; it is passed over")
            }
            Fault::WrongKind { expected, default } => {
                write!(f, "is not of the kind {expected}; `{default}` holds")
            }
            Fault::NotBuiltYet => f.write_str("is not built yet and has no effect"),
            Fault::Other(message) => f.write_str(message),
        }
    }
}
