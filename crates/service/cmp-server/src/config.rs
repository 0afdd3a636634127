//! `plugin.yaml`.

use std::path::Path;

use plugins::message::ParameterAnnouncement;
use serde::Deserialize;

/// A plugin, as its `plugin.yaml` has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PluginConfig {
    /// `ConfigManagementPlugin`.
    pub kind: String,
    /// Its name.
    pub metadata: Metadata,
    /// What it does.
    pub spec: Spec,
}

/// A plugin's name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// As Applications write it.
    pub name: String,
}

/// What a plugin does.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Spec {
    /// Goes behind the name, where it is set.
    pub version: String,
    /// Runs before `generate`.
    pub init: Command,
    /// Prints the manifests.
    pub generate: Command,
    /// Which files it is for.
    pub discover: Discover,
    /// What users may set.
    pub parameters: Parameters,
    /// Whether files keep their mode.
    pub preserve_file_mode: bool,
    /// Whether it wants git's credentials, which are not handed out here.
    pub provide_git_creds: bool,
}

/// A command line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Command {
    /// Program and first arguments.
    pub command: Vec<String>,
    /// Further arguments.
    pub args: Vec<String>,
}

/// How a plugin is found.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Discover {
    /// A glob for a file in the Application's directory.
    pub file_name: String,
    /// Or something more.
    pub find: Find,
}

/// How a plugin is found, in full.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Find {
    /// A glob, in which `**` is any number of directories.
    pub glob: String,
    /// A program that prints something where the plugin fits.
    pub command: Vec<String>,
    /// Its further arguments.
    pub args: Vec<String>,
}

/// The parameters that a plugin takes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename = "camelCase")]
pub struct Parameters {
    /// Known from the start.
    #[serde(rename = "static")]
    pub fixed: Vec<Parameter>,
    /// A program prints them as JSON.
    pub dynamic: Command,
}

/// One parameter.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Parameter {
    name: String,
    title: String,
    tooltip: String,
    required: bool,
    item_type: String,
    collection_type: String,
    string: String,
    array: Vec<String>,
    map: std::collections::BTreeMap<String, String>,
}

/// A `plugin.yaml` that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct BadConfig {
    /// The file.
    pub file: String,
    /// What is wrong, and what to do.
    pub problem: String,
}

impl PluginConfig {
    /// Reads `plugin.yaml` in a directory.
    ///
    /// # Errors
    ///
    /// [`BadConfig`], in upstream's words where it has any.
    pub fn read(directory: &Path) -> Result<Self, BadConfig> {
        let file = directory.join("plugin.yaml");
        let bad = |problem: String| BadConfig { file: file.display().to_string(), problem };
        let text = std::fs::read(&file).map_err(|error| bad(error.to_string()))?;
        let value = goyaml::to_json(&text).map_err(|error| bad(error.to_string()))?;
        let config: Self = serde_json::from_value(value).map_err(|error| bad(error.to_string()))?;
        config.check().map_err(|problem| bad(problem.to_owned()))?;
        Ok(config)
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.metadata.name.is_empty() {
            return Err("invalid plugin configuration file. metadata.name should be non-empty.");
        }
        if self.kind != "ConfigManagementPlugin" {
            return Err("invalid plugin configuration file. kind should be ConfigManagementPlugin");
        }
        if self.spec.generate.command.is_empty() {
            return Err(
                "invalid plugin configuration file. spec.generate command should be non-empty",
            );
        }
        if self.metadata.name.contains('/') || self.spec.version.contains('/') {
            return Err("the plugin's name and version are parts of a file's name: write no `/`");
        }
        Ok(())
    }

    /// The name that its socket has.
    pub fn socket_name(&self) -> String {
        match self.spec.version.as_str() {
            "" => self.metadata.name.clone(),
            version => format!("{}-{version}", self.metadata.name),
        }
    }

    /// Whether it can find out which files are for it.
    pub(crate) fn discovers(&self) -> bool {
        let discover = &self.spec.discover;
        !discover.file_name.is_empty()
            || !discover.find.glob.is_empty()
            || !discover.find.command.is_empty()
    }
}

impl From<Parameter> for ParameterAnnouncement {
    fn from(from: Parameter) -> Self {
        let Parameter {
            name,
            title,
            tooltip,
            required,
            item_type,
            collection_type,
            string,
            array,
            map,
        } = from;
        Self { name, title, tooltip, required, item_type, collection_type, string, array, map }
    }
}
