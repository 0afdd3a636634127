//! `Chart.yaml`: what a chart says of itself.

use serde_json::Value;

use crate::file::base;
use crate::typed::{Field, Typed, mismatch, truth};

/// A chart's metadata. `None` where Go has a nil slice or map.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) home: String,
    pub(crate) sources: Option<Vec<String>>,
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) keywords: Option<Vec<String>>,
    pub(crate) maintainers: Option<Vec<Option<Maintainer>>>,
    pub(crate) icon: String,
    pub(crate) api_version: String,
    pub(crate) condition: String,
    pub(crate) tags: String,
    pub(crate) app_version: String,
    pub(crate) deprecated: bool,
    pub(crate) annotations: Option<Vec<(String, String)>>,
    pub(crate) kube_version: String,
    pub(crate) dependencies: Option<Vec<Option<Dependency>>>,
    pub(crate) kind: String,
}

/// Who looks after a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Maintainer {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) url: String,
}

/// A chart that this one needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) repository: String,
    pub(crate) condition: String,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) enabled: bool,
    pub(crate) import_values: Option<Vec<Import>>,
    pub(crate) alias: String,
}

/// One entry of `import-values`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Import {
    /// As the file has it.
    Raw(Value),
    /// After it was carried out.
    Pair { child: String, parent: String },
}

impl Metadata {
    /// Reads `Chart.yaml`.
    ///
    /// # Errors
    ///
    /// Helm's words, without `cannot load Chart.yaml: `.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut metadata = Self::default();
        metadata.add(bytes)?;
        if metadata.api_version.is_empty() {
            metadata.api_version = "v1".to_owned();
        }
        Ok(metadata)
    }

    /// Reads a file over what is known: `requirements.yaml` has a chart's dependencies.
    ///
    /// # Errors
    ///
    /// As [`Metadata::read`].
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Result<(), String> {
        let typed = Typed::read(bytes)?;
        let fields = match &typed.value {
            Value::Null => return Ok(()),
            Value::Object(fields) => fields,
            other => {
                return Err(format!(
                    "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type v2.Metadata",
                    crate::typed::kind_of(other)
                ));
            }
        };
        let of = "Metadata";
        for (key, value) in fields {
            let name = key.to_lowercase();
            let text = |name| typed.text(value, &[key], Field { of, name });
            match name.as_str() {
                "name" => self.name = text("name")?,
                "home" => self.home = text("home")?,
                "version" => self.version = text("version")?,
                "description" => self.description = text("description")?,
                "icon" => self.icon = text("icon")?,
                "apiversion" => self.api_version = text("apiVersion")?,
                "condition" => self.condition = text("condition")?,
                "tags" => self.tags = text("tags")?,
                "appversion" => self.app_version = text("appVersion")?,
                "kubeversion" => self.kube_version = text("kubeVersion")?,
                "type" => self.kind = text("type")?,
                "deprecated" => {
                    self.deprecated = truth(value, Field { of, name: "deprecated" })?;
                }
                "sources" => {
                    self.sources = texts(&typed, value, &[key], Field { of, name: "sources" })?;
                }
                "keywords" => {
                    self.keywords = texts(&typed, value, &[key], Field { of, name: "keywords" })?;
                }
                "annotations" => self.annotations = annotations(&typed, value, key)?,
                "maintainers" => self.maintainers = maintainers(&typed, value, key)?,
                "dependencies" => self.dependencies = dependencies(&typed, value, key)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks it, and takes from its texts what cannot be printed.
    ///
    /// # Errors
    ///
    /// Helm's words, which begin with `validation: `.
    pub(crate) fn validate(&mut self) -> Result<(), String> {
        for text in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ] {
            sanitize(text);
        }
        self.sources.iter_mut().flatten().for_each(sanitize);
        self.keywords.iter_mut().flatten().for_each(sanitize);
        let bad = |problem: String| Err(format!("validation: {problem}"));
        if self.api_version.is_empty() {
            return bad("chart.metadata.apiVersion is required".to_owned());
        }
        let name = &self.name;
        if name.is_empty() {
            return bad("chart.metadata.name is required".to_owned());
        }
        if name == "." || name == ".." {
            return bad(format!("chart.metadata.name {} is not allowed", goval::quote(name)));
        }
        if name != base(name) {
            return bad(format!("chart.metadata.name {} is invalid", goval::quote(name)));
        }
        if self.version.is_empty() {
            return bad("chart.metadata.version is required".to_owned());
        }
        if !crate::versions::is_version(&self.version) {
            return bad(format!(
                "chart.metadata.version {} is invalid",
                goval::quote(&self.version)
            ));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return bad("chart.metadata.type must be application or library".to_owned());
        }
        for maintainer in self.maintainers.iter_mut().flatten() {
            let Some(maintainer) = maintainer else {
                return bad("maintainers must not contain empty or null nodes".to_owned());
            };
            sanitize(&mut maintainer.name);
            sanitize(&mut maintainer.email);
            sanitize(&mut maintainer.url);
        }
        let mut names: Vec<&str> = Vec::new();
        for dependency in self.dependencies.iter_mut().flatten() {
            let Some(dependency) = dependency else {
                return bad("dependencies must not contain empty or null nodes".to_owned());
            };
            dependency.validate().or_else(bad)?;
            let key = match dependency.alias.as_str() {
                "" => dependency.name.as_str(),
                alias => alias,
            };
            if names.contains(&key) {
                return bad(format!(
                    "more than one dependency with name or alias {}",
                    goval::quote(key)
                ));
            }
            names.push(key);
        }
        Ok(())
    }

    /// The dependencies that are there; a null is none (validation refuses it anyway).
    pub(crate) fn listed(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().flatten().flatten()
    }
}

impl Dependency {
    fn validate(&mut self) -> Result<(), String> {
        sanitize(&mut self.name);
        sanitize(&mut self.version);
        sanitize(&mut self.repository);
        sanitize(&mut self.condition);
        self.tags.iter_mut().flatten().for_each(sanitize);
        let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
        if !self.alias.chars().all(allowed) {
            return Err(format!(
                "dependency {} has disallowed characters in the alias",
                goval::quote(&self.name)
            ));
        }
        Ok(())
    }
}

/// Every white space becomes a blank, and what cannot be printed goes.
fn sanitize(text: &mut String) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return;
    }
    *text = text
        .chars()
        .filter_map(|char| {
            if matches!(char, ' '..='~') {
                Some(char)
            } else if char.is_whitespace() {
                Some(' ')
            } else if goval::quote(char.encode_utf8(&mut [0; 4])).contains(char) {
                Some(char)
            } else {
                None
            }
        })
        .collect();
}

fn texts(
    typed: &Typed<'_>,
    value: &Value,
    path: &[&str],
    field: Field<'_>,
) -> Result<Option<Vec<String>>, String> {
    let items = match value {
        Value::Null => return Ok(None),
        Value::Array(items) => items,
        other => return Err(mismatch(other, field, "[]string")),
    };
    let mut texts = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let index = index.to_string();
        let path = [path, &[&index]].concat();
        texts.push(typed.text(item, &path, field)?);
    }
    Ok(Some(texts))
}

fn annotations(
    typed: &Typed<'_>,
    value: &Value,
    key: &str,
) -> Result<Option<Vec<(String, String)>>, String> {
    let field = Field { of: "Metadata", name: "annotations" };
    let entries = match value {
        Value::Null => return Ok(None),
        Value::Object(entries) => entries,
        other => return Err(mismatch(other, field, "map[string]string")),
    };
    let mut annotations = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        annotations.push((name.clone(), typed.text(value, &[key, name], field)?));
    }
    Ok(Some(annotations))
}

fn maintainers(
    typed: &Typed<'_>,
    value: &Value,
    key: &str,
) -> Result<Option<Vec<Option<Maintainer>>>, String> {
    let items = match value {
        Value::Null => return Ok(None),
        Value::Array(items) => items,
        other => {
            let field = Field { of: "Metadata", name: "maintainers" };
            return Err(mismatch(other, field, "[]*v2.Maintainer"));
        }
    };
    let mut maintainers = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let fields = match item {
            Value::Null => {
                maintainers.push(None);
                continue;
            }
            Value::Object(fields) => fields,
            other => {
                let field = Field { of: "Metadata", name: "maintainers" };
                return Err(mismatch(other, field, "v2.Maintainer"));
            }
        };
        let mut maintainer = Maintainer::default();
        let index = index.to_string();
        for (name, value) in fields {
            let (into, named) = match name.to_lowercase().as_str() {
                "name" => (&mut maintainer.name, "maintainers.name"),
                "email" => (&mut maintainer.email, "maintainers.email"),
                "url" => (&mut maintainer.url, "maintainers.url"),
                _ => continue,
            };
            let field = Field { of: "Maintainer", name: named };
            *into = typed.text(value, &[key, &index, name], field)?;
        }
        maintainers.push(Some(maintainer));
    }
    Ok(Some(maintainers))
}

fn dependencies(
    typed: &Typed<'_>,
    value: &Value,
    key: &str,
) -> Result<Option<Vec<Option<Dependency>>>, String> {
    let items = match value {
        Value::Null => return Ok(None),
        Value::Array(items) => items,
        other => {
            let field = Field { of: "Metadata", name: "dependencies" };
            return Err(mismatch(other, field, "[]*v2.Dependency"));
        }
    };
    let mut dependencies = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        dependencies.push(match item {
            Value::Null => None,
            Value::Object(fields) => Some(dependency(typed, fields, &[key, &index.to_string()])?),
            other => {
                let field = Field { of: "Metadata", name: "dependencies" };
                return Err(mismatch(other, field, "v2.Dependency"));
            }
        });
    }
    Ok(Some(dependencies))
}

fn dependency(
    typed: &Typed<'_>,
    fields: &serde_json::Map<String, Value>,
    path: &[&str],
) -> Result<Dependency, String> {
    let mut dependency = Dependency::default();
    for (name, value) in fields {
        let path = [path, &[name.as_str()]].concat();
        let field = |name| Field { of: "Dependency", name };
        let text = |name| typed.text(value, &path, field(name));
        match name.to_lowercase().as_str() {
            "name" => dependency.name = text("dependencies.name")?,
            "version" => dependency.version = text("dependencies.version")?,
            "repository" => dependency.repository = text("dependencies.repository")?,
            "condition" => dependency.condition = text("dependencies.condition")?,
            "alias" => dependency.alias = text("dependencies.alias")?,
            "tags" => {
                dependency.tags = texts(typed, value, &path, field("dependencies.tags"))?;
            }
            "enabled" => dependency.enabled = truth(value, field("dependencies.enabled"))?,
            "import-values" => {
                dependency.import_values = match value {
                    Value::Null => None,
                    Value::Array(items) => Some(items.iter().cloned().map(Import::Raw).collect()),
                    other => {
                        let field = field("dependencies.import-values");
                        return Err(mismatch(other, field, "[]interface {}"));
                    }
                };
            }
            _ => {}
        }
    }
    Ok(dependency)
}
