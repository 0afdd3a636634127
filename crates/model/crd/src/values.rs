//! Small values that several shapes hold: a time, a number or text, a label selector.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::shape::{Field, shape};

/// A time as the API writes it, kept to the letter.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub String);

impl Time {
    /// Writes a time with whole seconds in UTC (`2026-01-02T03:04:05Z`), as Kubernetes does.
    pub fn at(moment: Timestamp) -> Self {
        Self(moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    /// The moment; `None` where the text is no RFC 3339 time.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.0.parse().ok()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Timestamp> for Time {
    fn from(moment: Timestamp) -> Self {
        Self::at(moment)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Field for Time {
    fn is_blank(&self) -> bool {
        self.0.is_empty()
    }
    fn blank() -> Value {
        json!("")
    }
    fn schema() -> Value {
        json!({"type": "string", "format": "date-time"})
    }
}

/// A number or a text: `3`, `"25%"`, `"$COUNT"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IntOrString {
    /// A number.
    Int(i64),
    /// A text.
    String(String),
}

impl Default for IntOrString {
    fn default() -> Self {
        Self::Int(0)
    }
}

impl fmt::Display for IntOrString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => write!(f, "{number}"),
            Self::String(text) => f.write_str(text),
        }
    }
}

impl Field for IntOrString {
    fn is_blank(&self) -> bool {
        *self == Self::Int(0)
    }
    fn blank() -> Value {
        json!(0)
    }
    fn schema() -> Value {
        json!({
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": true,
        })
    }
}

shape! {
    /// Selects objects by their labels; nothing in it selects everything.
    pub struct LabelSelector {
        /// Demands on labels; all of them must hold.
        match_expressions: Vec<LabelSelectorRequirement> = "matchExpressions"
            { "x-kubernetes-list-type": "atomic" },
        /// Labels that must stand on the object as they stand here.
        match_labels: BTreeMap<String, String> = "matchLabels",
    }
}

shape! {
    /// One demand on a label.
    pub struct LabelSelectorRequirement {
        /// The label's name.
        key: String = "key" required,
        /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
        operator: String = "operator" required,
        /// What `In` and `NotIn` compare with.
        values: Vec<String> = "values" { "x-kubernetes-list-type": "atomic" },
    }
}
