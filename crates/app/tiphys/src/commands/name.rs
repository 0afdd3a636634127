//! How people name Applications: `web`, or `team-a/web`.

use std::fmt;

/// An Application's name, and its namespace where somebody said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppName {
    /// Empty where nobody said it.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl AppName {
    /// Reads `name` or `namespace/name`; `namespace` holds where the text names none.
    pub fn parse(text: &str, namespace: &str) -> Self {
        let (namespace, name) = text.split_once('/').unwrap_or((namespace, text));
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The name of an Application that was read.
    pub fn of(application: &crd::Application) -> Self {
        let metadata = &application.metadata;
        Self { namespace: metadata.namespace.clone(), name: metadata.name.clone() }
    }

    /// The namespace, or another where none was said.
    pub fn namespace_or<'a>(&'a self, other: &'a str) -> &'a str {
        if self.namespace.is_empty() { other } else { &self.namespace }
    }
}

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}
