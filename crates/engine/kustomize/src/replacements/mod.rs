//! `replacements`: one value, read from a resource, put into fields of others.

mod embedded;
mod lookup;
mod print;
mod targets;

pub(crate) use lookup::{lookup, split_path};

use crate::error::{Inside, KustomizeError};
use crate::kustomization::{
    FieldOptions, Replacement, ReplacementField, SourceSelector, TargetSelector, with_texts,
};
use crate::node::{Node, Scalar};
use crate::patch::PatchSource;
use crate::resid::{Gvk, ResId};
use crate::resource::Resource;
use crate::selector::Matcher;

const DEFAULT_PATH: &str = "metadata.name";

/// All replacements of one kustomization, ready to be applied.
#[derive(Debug, Default)]
pub struct Replacements(Vec<Replacement>);

impl Replacements {
    /// Reads `replacements`; items can be files that hold one or several.
    ///
    /// # Errors
    ///
    /// Where an item is a file and a replacement at once, or a file holds something else.
    pub fn read(
        items: &[ReplacementField],
        from: &dyn PatchSource,
    ) -> Result<Self, KustomizeError> {
        let mut all = Vec::new();
        for item in items {
            if item.path.is_empty() {
                all.push(item.replacement.clone());
                continue;
            }
            if item.replacement.source.is_some() || !item.replacement.targets.is_empty() {
                let problem = "cannot specify both path and inline replacement";
                return Err(KustomizeError::said(problem));
            }
            let text = from.load(&item.path)?;
            let in_file = match goyaml::to_json(&text)? {
                serde_json::Value::Array(items) => items,
                one @ serde_json::Value::Object(_) => vec![one],
                other => {
                    let kind = match other {
                        serde_json::Value::Null => "invalid",
                        serde_json::Value::Bool(_) => "bool",
                        serde_json::Value::String(_) => "string",
                        _ => "float64",
                    };
                    return Err(KustomizeError::said(format!(
                        "unsupported replacement type encountered within replacement path: {kind}"
                    )));
                }
            };
            for value in in_file {
                let read = Replacement::of(with_texts(value)).map_err(|problem| {
                    KustomizeError::said(format!(
                        "error unmarshaling JSON: while decoding JSON: {problem}"
                    ))
                });
                all.push(read.inside(|| format!("in file `{}`", item.path))?);
            }
        }
        Ok(Self(all))
    }

    /// Carries the replacements out, one after the other.
    ///
    /// # Errors
    ///
    /// With kustomize's words: no source, no target, a field that is not there.
    pub fn apply(&self, resources: &mut Vec<Resource>) -> Result<(), KustomizeError> {
        for replacement in &self.0 {
            let has_source = replacement.source.is_some() || replacement.source_value.is_some();
            if !has_source || replacement.targets.is_empty() {
                let problem = "replacements must specify a source and at least one target";
                return Err(KustomizeError::said(problem));
            }
            let mut value = value_of(replacement, resources)?;
            for target in &replacement.targets {
                put(&mut value, target, resources)?;
            }
        }
        resources.retain(|resource| !resource.node.is_null_or_empty());
        Ok(())
    }
}

/// What is put into fields.
struct Copied {
    value: Node,
    /// The place it was read from among the resources, where a change of that place changes
    /// what further fields get, as upstream.
    live: Option<(usize, Vec<String>)>,
}

impl Copied {
    fn read_again(&mut self, object: &Node) {
        let Some((_, path)) = &self.live else { return };
        if let Ok(Some(found)) = lookup(object, path) {
            self.value.clone_from(found);
        }
    }
}

fn value_of(replacement: &Replacement, resources: &[Resource]) -> Result<Copied, KustomizeError> {
    let source = match (&replacement.source, &replacement.source_value) {
        (Some(_), Some(_)) => {
            let problem = "value and resource selectors are mutually exclusive";
            return Err(KustomizeError::said(problem));
        }
        (None, value) => {
            let text = value.clone().unwrap_or_default();
            let value = Node::Scalar(Scalar::unset(text));
            return Ok(Copied { value, live: None });
        }
        (Some(source), None) => source,
    };
    let (at, resource) = find_source(source, resources)?;
    let path = match source.field_path.as_str() {
        "" => DEFAULT_PATH,
        path => path,
    };
    let parts = split_path(path);
    let found = lookup(&resource.node, &parts)
        .inside(|| "error looking up replacement source")?
        .filter(|node| !node.is_null_or_empty());
    let Some(found) = found else {
        return Err(KustomizeError::said(format!(
            "fieldPath `{path}` is missing for replacement source {}",
            source.id
        )));
    };
    let options = source.options.as_ref().filter(|options| !options.delimiter.is_empty());
    Ok(match options {
        Some(options) => Copied { value: refined(found, options)?, live: None },
        None => Copied { value: found.clone(), live: Some((at, parts)) },
    })
}

/// The part of a value that the source's options choose.
fn refined(found: &Node, options: &FieldOptions) -> Result<Node, KustomizeError> {
    let Node::Scalar(scalar) = found else {
        let problem = "delimiter option can only be used with scalar nodes";
        return Err(KustomizeError::said(problem));
    };
    let parts: Vec<&str> = scalar.text.split(options.delimiter.as_str()).collect();
    let index = usize::try_from(options.index).ok();
    let Some(part) = index.and_then(|index| parts.get(index)) else {
        return Err(KustomizeError::said(format!(
            "options.index {} is out of bounds for value {}",
            options.index, scalar.text
        )));
    };
    Ok(Node::Scalar(Scalar { text: (*part).to_owned().into(), ..scalar.clone() }))
}

/// The ids that a resource has and had. Scopes do not count here, as upstream.
fn ids(resource: &Resource) -> Vec<ResId> {
    let gvk = Gvk::of(&resource.node);
    let now = ResId {
        gvk: gvk.clone(),
        name: resource.name().to_owned().into(),
        namespace: resource.namespace().to_owned().into(),
        cluster_scoped: false,
    };
    let before = resource.previous.iter().map(|previous| ResId {
        gvk: Gvk { kind: previous.kind.clone(), ..gvk.clone() },
        name: previous.name.clone(),
        namespace: previous.namespace.clone(),
        cluster_scoped: false,
    });
    std::iter::once(now).chain(before).collect()
}

fn find_source<'a>(
    source: &SourceSelector,
    resources: &'a [Resource],
) -> Result<(usize, &'a Resource), KustomizeError> {
    let is_meant = |(_, resource): &(usize, &Resource)| {
        ids(resource).iter().any(|id| id.is_selected_by(&source.id))
    };
    let mut meant = resources.iter().enumerate().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(found), None) => Ok(found),
        (None, _) => {
            let nearby = crate::patch::ids_nearby(resources, &source.id);
            let source = source_text(source);
            Err(KustomizeError::said(format!("nothing selected by {source}{nearby}")))
        }
        (Some(_), Some(_)) => {
            let source = source_text(source);
            Err(KustomizeError::said(format!("multiple matches for selector {source}")))
        }
    }
}

/// A source as kustomize prints it.
fn source_text(source: &SourceSelector) -> String {
    let mut text = source.id.to_string();
    let path = match source.field_path.as_str() {
        "" => DEFAULT_PATH,
        path => path,
    };
    if !source.field_path.is_empty() {
        text = format!("{text}:{path}");
    }
    match &source.options {
        Some(options) if !options.delimiter.is_empty() || options.create => {
            let FieldOptions { delimiter, index, create, .. } = options;
            format!("{text}:{delimiter}({index}), create={create}")
        }
        _ => text,
    }
}

fn put(
    copied: &mut Copied,
    target: &TargetSelector,
    resources: &mut [Resource],
) -> Result<(), KustomizeError> {
    let Some(select) = &target.select else {
        return Err(KustomizeError::said("target must specify resources to select"));
    };
    let inside = || "error creating target selector";
    let select = Matcher::new(select).inside(inside)?;
    let mut rejects = Vec::with_capacity(target.reject.len());
    for reject in &target.reject {
        let names_something = reject.id != ResId::default();
        let looks_at_metadata =
            !reject.annotation_selector.is_empty() || !reject.label_selector.is_empty();
        rejects.push((Matcher::new(reject).inside(inside)?, names_something, looks_at_metadata));
    }
    for (at, resource) in resources.iter_mut().enumerate() {
        // Each half of a rejection is enough for itself, as upstream.
        let rejected = |ids: &[ResId], resource: &Resource| {
            rejects.iter().any(|(reject, names_something, looks_at_metadata)| {
                (*looks_at_metadata && reject.matches_metadata(resource))
                    || (*names_something && ids.iter().any(|id| reject.matches_id(id)))
            })
        };
        let ids = ids(resource);
        if !select.matches_metadata(resource)
            || rejected(&ids, resource)
            || !ids.iter().any(|id| select.matches_id(id))
        {
            continue;
        }
        let id = ids[0].clone();
        let is_source = copied.live.as_ref().is_some_and(|(source, _)| *source == at);
        resource
            .change(|resource| copy_to(&mut resource.node, copied, is_source, target))
            .inside(|| format!("in `{id}`"))?;
    }
    Ok(())
}

fn copy_to(
    object: &mut Node,
    copied: &mut Copied,
    is_source: bool,
    target: &TargetSelector,
) -> Result<(), KustomizeError> {
    let options = target.options.clone().unwrap_or_default();
    let default = [DEFAULT_PATH.to_owned()];
    let paths = if target.field_paths.is_empty() { &default } else { &*target.field_paths };
    for path in paths {
        let create = options.create.then(|| targets::Made::like(&copied.value));
        let parts = split_path(path);
        if embedded::set(object, &copied.value, &parts, create) {
            if is_source {
                copied.read_again(object);
            }
            continue;
        }
        let verb = if options.create { "find or create" } else { "find" };
        let missing =
            || format!("unable to {verb} field {} in replacement target", goval::quote(path));
        let places = targets::find(object, &parts, create).inside(missing)?;
        // What was just made may be a part of it.
        if is_source && create.is_some() {
            copied.read_again(object);
        }
        if places.is_empty() {
            return Err(KustomizeError::said(missing()));
        }
        for place in &places {
            if let Some(node) = targets::at(object, place) {
                set(node, &copied.value, &options)?;
            }
            if is_source {
                copied.read_again(object);
            }
        }
    }
    Ok(())
}

/// Puts the value into a field: of a scalar only the text changes, never its type.
fn set(node: &mut Node, value: &Node, options: &FieldOptions) -> Result<(), KustomizeError> {
    if options.delimiter.is_empty() {
        targets::put(node, value);
        return Ok(());
    }
    let Node::Scalar(there) = node else {
        let problem = "delimiter option can only be used with scalar nodes";
        return Err(KustomizeError::said(problem));
    };
    let mut parts: Vec<&str> = there.text.split(options.delimiter.as_str()).collect();
    let text = value.text().unwrap_or("");
    match usize::try_from(options.index) {
        Err(_) => parts.insert(0, text),
        Ok(index) if index >= parts.len() => parts.push(text),
        Ok(index) => parts[index] = text,
    }
    there.text = parts.join(&options.delimiter).into();
    Ok(())
}

#[cfg(test)]
mod tests;
