//! The nouns: an action that is offered, a call of it, and what comes of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One action that an object offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Action {
    /// By which it is called.
    pub name: String,
    /// Whether it makes no sense as the object now is.
    pub disabled: bool,
    /// Which picture stands beside it, in Font Awesome's words; may be empty.
    pub icon_class: String,
    /// How people read it, where that is not the name; may be empty.
    pub display_name: String,
    /// What it must be told.
    #[serde(rename = "params", skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
}

/// One thing that an action must be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parameter {
    /// By which it is given.
    pub name: String,
    /// What it is where nothing is given; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub default: String,
}

impl Action {
    /// An action without picture and parameters, that makes sense now.
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(crate) fn disabled_if(mut self, disabled: bool) -> Self {
        self.disabled = disabled;
        self
    }

    pub(crate) fn icon(mut self, class: &str) -> Self {
        class.clone_into(&mut self.icon_class);
        self
    }

    pub(crate) fn shown_as(mut self, name: &str) -> Self {
        name.clone_into(&mut self.display_name);
        self
    }

    pub(crate) fn asks(mut self, name: &str, default: &str) -> Self {
        self.parameters.push(Parameter { name: name.to_owned(), default: default.to_owned() });
        self
    }
}

/// How an action was called.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The action's name.
    pub action: &'a str,
    /// What it was told.
    pub parameters: &'a BTreeMap<String, String>,
    /// The time, for names and for "restarted at".
    pub now: Timestamp,
}

impl Call<'_> {
    /// Returns a parameter, or `""`.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// Returns the time in RFC 3339, in whole seconds.
    pub(crate) fn time(&self) -> String {
        self.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

/// What the API server is asked to do with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Change the object that is there.
    Patch,
    /// Create the object.
    Create,
}

/// One thing that comes of an action.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// What to ask for.
    pub operation: Operation,
    /// The whole object after a patch, or the object to create.
    pub object: Value,
}
