//! Where resources come from, as `buildMetadata` shows it.

use std::fmt::Write;

use crate::error::KustomizeError;
use crate::remote::RepositorySpec;
use crate::resource::Resource;

/// The annotation that says where an object comes from.
pub(crate) const ORIGIN: &str = "config.kubernetes.io/origin";
/// The annotation that says what changed it.
pub(super) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

/// A path from where the build began, or in a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OriginPath {
    path: String,
    repository: String,
    reference: String,
}

/// Who made or changed something.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConfiguredBy<'a> {
    pub(super) api_version: &'a str,
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) namespace: &'a str,
}

impl<'a> ConfiguredBy<'a> {
    /// A field of a kustomization.
    pub(super) fn builtin(kind: &'a str) -> Self {
        Self { api_version: "builtin", kind, name: "", namespace: "" }
    }
}

impl OriginPath {
    /// Goes on to what a kustomization there names.
    pub(super) fn append(&self, path: &str) -> Self {
        match RepositorySpec::parse(path) {
            Some(spec) => Self {
                path: joined("", &spec.path),
                repository: spec.url,
                reference: spec.reference.unwrap_or_default(),
            },
            None => Self { path: joined(&self.path, path), ..self.clone() },
        }
    }

    /// The annotation's text for an object that was read.
    pub(super) fn to_yaml(&self) -> String {
        let mut text = String::new();
        self.push(&mut text, "", Some(&self.path));
        text
    }

    /// The annotation's text for what a kustomization's file, or a plugin's, made.
    pub(super) fn made_yaml(&self, file: &str, by: ConfiguredBy<'_>) -> String {
        let mut text = String::new();
        self.push_made(&mut text, "", file, by);
        text
    }

    fn push(&self, text: &mut String, indent: &str, path: Option<&str>) {
        let parts =
            [("path", path.unwrap_or("")), ("repo", &self.repository), ("ref", &self.reference)];
        for (key, value) in parts.into_iter().filter(|(_, value)| !value.is_empty()) {
            let _ = writeln!(text, "{indent}{key}: {}", quoted(value));
        }
    }

    fn push_made(&self, text: &mut String, indent: &str, file: &str, by: ConfiguredBy<'_>) {
        self.push(text, indent, None);
        let _ = writeln!(text, "{indent}configuredIn: {}", quoted(file));
        let _ = writeln!(text, "{indent}configuredBy:");
        let parts = [
            ("apiVersion", by.api_version),
            ("kind", by.kind),
            ("name", by.name),
            ("namespace", by.namespace),
        ];
        for (key, value) in parts.into_iter().filter(|(_, value)| !value.is_empty()) {
            let _ = writeln!(text, "{indent}  {key}: {}", quoted(value));
        }
    }

    /// A file of a kustomization that lies here.
    pub(super) fn file(&self, name: &str) -> String {
        joined(&self.path, name)
    }

    /// The file that configures a plugin: its own, or the kustomization's where it stands in that.
    pub(super) fn configured_in(&self, config: &Resource, kustomization: &str) -> String {
        let known = config.metadata_entry("annotations", ORIGIN);
        let path =
            known.and_then(|known| known.lines().find_map(|line| line.strip_prefix("path: ")));
        path.map_or_else(|| self.file(kustomization), str::to_owned)
    }

    /// Notes in every resource that something here changed it.
    pub(super) fn note_change(
        &self,
        resources: &mut [Resource],
        file: &str,
        by: ConfiguredBy<'_>,
    ) -> Result<(), KustomizeError> {
        for resource in resources {
            if resource.metadata_entry("annotations", ORIGIN).is_none() {
                resource.set_metadata_entry("annotations", ORIGIN, self.made_yaml(file, by));
                continue;
            }
            let known = resource.metadata_entry("annotations", TRANSFORMATIONS).unwrap_or("");
            let mut text = known.to_owned();
            let mut change = String::new();
            self.push_made(&mut change, "  ", file, by);
            // The first line begins the item.
            text.push_str("- ");
            text.push_str(change.trim_start());
            resource.set_metadata_entry("annotations", TRANSFORMATIONS, text);
        }
        Ok(())
    }
}

/// Text as YAML, in quotes where it looks like something else.
fn quoted(text: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "./_-".contains(char);
    if text.len() > 5
        && text.starts_with(|char: char| char.is_ascii_alphabetic())
        && text.chars().all(plain)
    {
        return text.to_owned();
    }
    let value = serde_json::Value::String(text.to_owned());
    goyaml::to_yaml(&value).map_or_else(|_| text.to_owned(), |yaml| yaml.trim_end().to_owned())
}

/// Joins paths by name, `.` and `..` resolved as far as they go.
fn joined(base: &str, path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in base.split('/').chain(path.split('/')) {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names.join("/")
}
