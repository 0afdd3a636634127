//! What one chart's own files say, its subcharts left out: the part that never changes.

use std::sync::Arc;

use crate::cache::Cache;
use crate::error::Failure;
use crate::file::{File, ending};
use crate::frozen::Frozen;
use crate::metadata::Metadata;
use crate::profile::Profile;
use crate::values;

/// A chart's own files, sorted by what they are for.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// As read; dependencies change it while they are worked out.
    pub(crate) metadata: Metadata,
    /// `values.yaml`; absent is not the same as empty.
    pub(crate) values: Option<Arc<Frozen>>,
    /// `values.schema.json`.
    pub(crate) schema: Option<Arc<[u8]>>,
    /// Everything under `templates/`.
    pub(crate) templates: Vec<File>,
    /// Everything that has no purpose of its own: `.Files`.
    pub(crate) files: Vec<File>,
    /// `Chart.lock`, or `requirements.lock`.
    pub(crate) lock: Option<Arc<[u8]>>,
}

/// Files of one name under `charts/`, with that name cut off.
pub(crate) struct Packed {
    /// The first name under `charts/`.
    pub(crate) name: String,
    /// Of an archive, the archive itself under an empty name.
    pub(crate) files: Vec<File>,
}

/// Sorts a chart's files. What lies under `charts/` is given back for the caller to load.
///
/// # Errors
///
/// Helm's words.
pub(crate) fn sort(
    files: &[File],
    profile: Profile,
    cache: &Cache,
) -> Result<(Content, Vec<Packed>), Failure> {
    let mut content = Content::default();
    let mut subcharts: Vec<Packed> = Vec::new();
    let mut found = false;
    let broken = |file: &str, problem: String| {
        Failure::chart(format!("cannot load {file}: {problem}")).at_file(file)
    };
    for file in files.iter().filter(|file| &*file.name == "Chart.yaml") {
        found = true;
        let metadata =
            cache.metadata(file.data()).map_err(|problem| broken("Chart.yaml", problem))?;
        content.metadata = metadata.as_ref().clone();
    }
    for file in files {
        let name = &*file.name;
        match name {
            "Chart.yaml" => {}
            "Chart.lock" => content.lock = Some(lock(file)?),
            "values.yaml" => {
                let values = cache.values(file.data(), profile);
                content.values = Some(values.map_err(|error| {
                    values::failure(&error, "values.yaml", "cannot load values.yaml")
                })?);
            }
            "values.schema.json" => content.schema = Some(file.data().clone()),
            "requirements.yaml" => {
                content
                    .metadata
                    .add(file.data())
                    .map_err(|problem| broken("requirements.yaml", problem))?;
                found = true;
                if content.metadata.api_version == "v1" {
                    content.files.push(file.clone());
                }
            }
            "requirements.lock" => {
                content.lock = Some(lock(file)?);
                found = true;
                if content.metadata.api_version == "v1" {
                    content.files.push(file.clone());
                }
            }
            _ if name.starts_with("templates/") => content.templates.push(file.clone()),
            _ => match name.strip_prefix("charts/") {
                Some(_) if ending(name) == ".prov" => content.files.push(file.clone()),
                Some(inside) => pack(&mut subcharts, inside, file),
                None => content.files.push(file.clone()),
            },
        }
    }
    if !found {
        return Err(Failure::chart("Chart.yaml file is missing".to_owned())
            .with_hint("every folder under charts/ must be a chart; name others in .helmignore"));
    }
    content.metadata.validate().map_err(|problem| {
        Failure::chart(problem).at_file("Chart.yaml").with_hint("correct Chart.yaml")
    })?;
    Ok((content, subcharts))
}

/// A lock file, which must be YAML even where nobody looks into it.
fn lock(file: &File) -> Result<Arc<[u8]>, Failure> {
    match goyaml::to_json(file.data()) {
        Ok(_) => Ok(file.data().clone()),
        Err(error) => Err(Failure::chart(format!(
            "cannot load {}: error converting YAML to JSON: {error}",
            file.name
        ))
        .at(&file.name, error.line(), error.column())),
    }
}

fn pack(subcharts: &mut Vec<Packed>, inside: &str, file: &File) {
    let (name, rest) = inside.split_once('/').unwrap_or((inside, ""));
    let at = match subcharts.iter().position(|packed| packed.name == name) {
        Some(at) => at,
        None => {
            subcharts.push(Packed { name: name.to_owned(), files: Vec::new() });
            subcharts.len() - 1
        }
    };
    subcharts[at].files.push(file.renamed(rest));
}
