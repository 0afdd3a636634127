//! Config management plugins: what they are asked, and what their answers are.
//!
//! Who runs them is not known here; a caller asks a plugin with a [`PluginCall`] and reads the
//! answer with [`read_plugin_output`].

use crd::ApplicationSourcePluginParameter;
use filetree::{FileTree, TreePath};

use crate::error::RenderError;
use crate::manifests;
use crate::needs::Asked;
use crate::overrides;
use crate::run::{Input, RenderedSource, app_path, desired_objects};
use crate::source_type::{SourceType, explicit};

/// A question to a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginCall {
    /// The plugin that the source names; `None` asks each one whether the files are for it.
    pub name: Option<String>,
    /// Whether the source demands a plugin; otherwise it is one only if one says so.
    pub demanded: bool,
    /// The source's directory, from the root.
    pub path: String,
    /// The commands' environment: names and values, in order.
    pub env: Vec<(String, String)>,
}

/// What a plugin would be asked about a source; `None` where the source says that it is
/// something else.
///
/// # Errors
///
/// [`RenderError`], for a source that cannot be rendered however it is.
pub fn plugin_call(
    tree: &dyn FileTree,
    input: &Input<'_>,
) -> Result<Option<PluginCall>, RenderError> {
    let path = app_path(tree, &input.source.path)?;
    let source = overrides::apply(tree, input.source, &path, input.app_name)?;
    let demanded = match explicit(&source)? {
        Some(SourceType::Plugin) => true,
        Some(_) => return Ok(None),
        None => false,
    };
    let env = input.build_env();
    let mut all: Vec<(String, String)> =
        env.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    all.push(("KUBE_VERSION".to_owned(), input.kube_version.to_owned()));
    all.push(("KUBE_API_VERSIONS".to_owned(), input.api_versions.join(",")));
    let mut name = None;
    if let Some(plugin) = &source.plugin {
        name = Some(plugin.name.clone()).filter(|name| !name.is_empty());
        for entry in &plugin.env {
            all.push((format!("ARGOCD_ENV_{}", entry.name), env.substitute(&entry.value)));
        }
        parameters(&plugin.parameters, &mut all);
    }
    Ok(Some(PluginCall { name, demanded, path: path.as_str().to_owned(), env: all }))
}

/// Parameters as JSON, and each one as a variable.
fn parameters(given: &[ApplicationSourcePluginParameter], into: &mut Vec<(String, String)>) {
    if given.is_empty() {
        return;
    }
    let json = serde_json::to_string(given).expect("parameters print to memory");
    into.push(("ARGOCD_APP_PARAMETERS".to_owned(), json));
    for parameter in given {
        let base = format!("PARAM_{}", variable_name(&parameter.name));
        if let Some(text) = &parameter.string {
            into.push((base.clone(), text.clone()));
        }
        for (key, value) in parameter.map.iter().flatten() {
            into.push((format!("{base}_{}", variable_name(key)), value.clone()));
        }
        for (at, value) in parameter.array.iter().flatten().enumerate() {
            into.push((format!("{base}_{at}"), value.clone()));
        }
    }
}

/// Upper case, with `_` for what no variable's name has.
fn variable_name(text: &str) -> String {
    let fits = |char: char| char.is_ascii_uppercase() || char.is_ascii_digit() || char == '_';
    text.to_uppercase().chars().map(|char| if fits(char) { char } else { '_' }).collect()
}

/// Reads what a plugin printed, a document each.
///
/// # Errors
///
/// [`RenderError::Unreadable`].
pub fn read_plugin_output(
    printed: &[String],
    input: &Input<'_>,
) -> Result<RenderedSource, RenderError> {
    let nowhere = TreePath::root();
    let mut objects = Vec::new();
    for text in printed {
        let stream = manifests::read_stream(text);
        if let Some(problem) = stream.problem {
            return Err(RenderError::Unreadable {
                name: "the plugin's output".to_owned(),
                file: "the plugin's output".to_owned(),
                line: problem.line,
                column: problem.column,
                problem: problem.words,
                advice: problem.advice,
            });
        }
        let read = stream.manifests.into_iter();
        objects.extend(read.map(|manifest| (nowhere.clone(), 0, manifest.object)));
    }
    Ok(RenderedSource {
        objects: desired_objects(objects, input),
        source_type: SourceType::Plugin,
        notes: Vec::new(),
        asked: Asked { kube_version: true, all_api_versions: true, ..Asked::default() },
    })
}
