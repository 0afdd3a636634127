//! `.argocd-source.yaml`: parameters of a source that stand beside its files.

use crd::ApplicationSource;
use filetree::{EntryKind, FileTree, TreePath};
use serde_json::{Map, Value};

use crate::error::RenderError;

/// Adds the overrides of the directory, then those of the Application, to a source.
///
/// Repository, path, chart and revision stay as the Application has them.
pub(crate) fn apply(
    tree: &dyn FileTree,
    source: &ApplicationSource,
    path: &TreePath,
    app_name: &str,
) -> Result<ApplicationSource, RenderError> {
    let mut merged = source.clone();
    let mut names = vec![".argocd-source.yaml".to_owned()];
    if !app_name.is_empty() {
        names.push(format!(".argocd-source-{app_name}.yaml"));
    }
    for name in names {
        let Ok(file) = path.join(&name) else { continue };
        match tree.entry(&file)? {
            Some(entry) if matches!(entry.kind, EntryKind::File { .. }) => {}
            _ => continue,
        }
        let patch = tree.read(&file)?;
        merged = patched(&merged, &patch)
            .map_err(|problem| RenderError::Overrides { file: file.to_string(), problem })?;
    }
    merged.chart.clone_from(&source.chart);
    merged.path.clone_from(&source.path);
    merged.repo_url.clone_from(&source.repo_url);
    merged.target_revision.clone_from(&source.target_revision);
    Ok(merged)
}

fn patched(source: &ApplicationSource, patch: &[u8]) -> Result<ApplicationSource, String> {
    let patch = goyaml::to_json(patch).map_err(|error| error.to_string())?;
    if patch.is_null() {
        return Err("Invalid JSON Patch".to_owned());
    }
    let mut fields = serde_json::to_value(source).map_err(|error| error.to_string())?;
    merge(&mut fields, patch, false);
    serde_json::from_value(fields).map_err(|error| error.to_string())
}

/// A JSON merge patch, in which `null` deletes only inside free-form values: upstream reads
/// the result back over the old source, where an absent field changes nothing.
fn merge(into: &mut Value, patch: Value, free_form: bool) {
    let Value::Object(patch) = patch else {
        *into = patch;
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Some(fields) = into.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            if free_form {
                fields.remove(&name);
            }
            continue;
        }
        let free_form = free_form || name == "valuesObject";
        merge(fields.entry(name).or_insert(Value::Null), value, free_form);
    }
}
