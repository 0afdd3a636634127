//! `patches`, `patchesStrategicMerge` and `patchesJson6902`.
//!
//! A patch is read before anything is transformed ([`PatchStep::read`] and its siblings), and
//! applied when its turn comes ([`PatchStep::apply`]).

mod json;
mod merge;
mod schema;

pub use json::JsonPatch;
pub use merge::merge;
pub use schema::{Schema, SchemaError};

pub(crate) use merge::{is_text_in_1_1, raw_text, wrong_kind};

use std::fmt::Write;
use std::sync::Arc;

use crate::error::{Inside, KustomizeError};
use crate::kustomization::{Patch, PatchOptions, Selector};
use crate::node::{Mapping, Node, Scalar, Tag, Text};
use crate::resid::ResId;
use crate::resource::Resource;
use crate::selector::Matcher;

/// Where patches come from.
pub trait PatchSource {
    /// Returns a file's content; the path is the kustomization's.
    ///
    /// # Errors
    ///
    /// Where there is none, or it must not be read.
    fn load(&self, path: &str) -> Result<Arc<[u8]>, KustomizeError>;

    /// Reads resources as they stand in files: several documents, lists taken apart.
    ///
    /// # Errors
    ///
    /// What is no YAML, or has no kind or name.
    fn resources(&self, text: &[u8]) -> Result<Vec<Resource>, KustomizeError>;
}

/// One patch, ready to be applied.
#[derive(Debug)]
pub struct PatchStep(Step);

#[derive(Debug)]
enum Step {
    /// The file holds no patch.
    Nothing,
    /// Each patch names its resource.
    ToItself {
        patches: Vec<Resource>,
        options: PatchOptions,
    },
    /// As `patchesStrategicMerge` did it: by way of the selected.
    ToItsTarget {
        patches: Vec<Resource>,
    },
    ToSelected {
        patch: Box<Resource>,
        options: PatchOptions,
        target: Selector,
    },
    Several {
        source: String,
    },
    Json {
        patch: JsonPatch,
        target: Selector,
        stores_id: bool,
    },
    JsonWithoutTarget {
        source: String,
    },
}

impl PatchStep {
    /// Reads an item of `patches`.
    ///
    /// # Errors
    ///
    /// With kustomize's words: no patch, two patches, neither of both kinds, or of both.
    pub fn read(entry: &Patch, from: &dyn PatchSource) -> Result<Self, KustomizeError> {
        let inline = entry.patch.trim();
        let (text, source) = match (inline, entry.path.as_str()) {
            ("", "") => {
                let problem = format!("must specify one of patch and path in\n{}", shown(entry));
                return Err(KustomizeError::said(problem));
            }
            ("", path) => {
                let text = from
                    .load(path)
                    .inside(|| format!("failed to get the patch file from path({path})"))?;
                (text, format!("[path: {}]", goval::quote(path)))
            }
            (inline, "") => {
                (Arc::from(inline.as_bytes()), format!("[patch: {}]", goval::quote(inline)))
            }
            _ => {
                let shown = shown(entry);
                return Err(KustomizeError::said(format!(
                    "patch and path can't be set at the same time\n{shown}"
                )));
            }
        };
        let target = entry.target.clone();
        let options = entry.options;
        Ok(Self(match (from.resources(&text), JsonPatch::read(&text)) {
            (Ok(patches), Ok(Some(_))) if !patches.is_empty() => {
                return Err(KustomizeError::said(format!(
                    "illegally qualifies as both an SM and JSON patch: {source}"
                )));
            }
            (Ok(mut patches), _) => match (patches.pop(), target) {
                (None, _) => Step::Nothing,
                (Some(_), Some(_)) if !patches.is_empty() => Step::Several { source },
                (Some(patch), Some(target)) => {
                    Step::ToSelected { patch: Box::new(patch), options, target }
                }
                (Some(last), None) => {
                    patches.push(last);
                    Step::ToItself { patches, options }
                }
            },
            (Err(_), Ok(None)) => Step::Nothing,
            (Err(_), Ok(Some(patch))) => match target {
                Some(target) => Step::Json { patch, target, stores_id: true },
                None => Step::JsonWithoutTarget { source },
            },
            (Err(no_resources), Err(no_operations)) => {
                let hint = if looks_like_operations(&text) { no_operations } else { no_resources };
                return Err(KustomizeError::said(format!(
                    "unable to parse SM or JSON patch from {source}: {hint}"
                )));
            }
        }))
    }

    /// Reads `patchesStrategicMerge`: each item is a file, or the patch itself.
    ///
    /// # Errors
    ///
    /// Where a file is missing or holds no resources.
    pub fn read_strategic(
        items: &[String],
        from: &dyn PatchSource,
    ) -> Result<Self, KustomizeError> {
        let mut patches = Vec::new();
        for item in items {
            match from.resources(item.as_bytes()) {
                Ok(inline) => patches.extend(inline),
                Err(_) => {
                    let text = from.load(item)?;
                    let in_file = from.resources(&text).inside(|| format!("in file `{item}`"))?;
                    patches.extend(in_file);
                }
            }
        }
        if patches.is_empty() {
            let items = items.join(" ");
            return Err(KustomizeError::said(format!(
                "patch appears to be empty; files=[{items}], Patch="
            )));
        }
        Ok(Self(Step::ToItsTarget { patches }))
    }

    /// Reads an item of `patchesJson6902`.
    ///
    /// # Errors
    ///
    /// With kustomize's words.
    pub fn read_json6902(entry: &Patch, from: &dyn PatchSource) -> Result<Self, KustomizeError> {
        let target = entry.target.clone().unwrap_or_default();
        if target.id.name.is_empty() {
            return Err(KustomizeError::said("must specify the target name"));
        }
        let text = match (entry.patch.as_str(), entry.path.as_str()) {
            ("", "") => return Err(KustomizeError::said("empty file path and empty jsonOp")),
            ("", path) => {
                let text = from.load(path)?;
                if text.is_empty() {
                    let problem = format!("patch file '{path}' empty seems to be empty");
                    return Err(KustomizeError::said(problem));
                }
                text
            }
            (inline, "") => Arc::from(inline.as_bytes()),
            _ => {
                let problem = "must specify a file path or jsonOp, not both";
                return Err(KustomizeError::said(problem));
            }
        };
        let shown = || String::from_utf8_lossy(&text).into_owned();
        match JsonPatch::read(&text).inside(|| format!("decoding {}", shown()))? {
            Some(patch) => Ok(Self(Step::Json { patch, target, stores_id: false })),
            None => Err(KustomizeError::said(format!(
                "patch appears to be empty; file={}, JsonOp={}",
                entry.path,
                shown()
            ))),
        }
    }

    /// Applies the patch; a resource that it deletes is taken out.
    ///
    /// # Errors
    ///
    /// Where no single resource has a patch's id, where what is there does not fit, and where
    /// two resources have one id afterwards.
    pub fn apply(
        &self,
        resources: &mut Vec<Resource>,
        schema: &Schema,
    ) -> Result<(), KustomizeError> {
        match &self.0 {
            Step::Nothing => Ok(()),
            Step::ToItself { patches, options } => {
                for patch in patches {
                    let id = patch.id();
                    let place = find(resources, &id).inside(|| {
                        let id = goval::quote(&id.to_string());
                        format!("no resource matches strategic merge patch {id}")
                    })?;
                    let node = patch.node.clone();
                    if !merge_into(&mut resources[place], node, *options, schema)? {
                        resources.remove(place);
                    }
                }
                Ok(())
            }
            Step::ToItsTarget { patches } => {
                for patch in patches {
                    let place = find(resources, &patch.id())?;
                    merge_into_all(resources, &[place], patch, PatchOptions::default(), schema)?;
                }
                Ok(())
            }
            Step::Several { source } => Err(KustomizeError::said(format!(
                "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set \
                 `patches.target` field: {source}"
            ))),
            Step::ToSelected { patch, options, target } => {
                let selected = select(resources, target).inside(|| {
                    let target = goval::quote(&selector_text(target));
                    format!("unable to find patch target {target} in `resources`")
                })?;
                merge_into_all(resources, &selected, patch, *options, schema)
            }
            Step::JsonWithoutTarget { source } => {
                Err(KustomizeError::said(format!("must specify a target for JSON patch {source}")))
            }
            Step::Json { patch, target, stores_id } => {
                for place in select(resources, target)? {
                    let resource = &mut resources[place];
                    if *stores_id {
                        resource.store_previous_id();
                    }
                    let id = resource.original_id();
                    patch.apply(resource).inside(|| format!("patching `{id}`"))?;
                }
                Ok(())
            }
        }
    }
}

/// Whether a text was meant as JSON operations, to choose what is said of it.
fn looks_like_operations(text: &[u8]) -> bool {
    matches!(text.trim_ascii_start().first(), Some(b'[' | b'-'))
}

/// An item of `patches` in few words.
fn shown(entry: &Patch) -> String {
    let mut shown = String::new();
    if !entry.path.is_empty() {
        let _ = writeln!(shown, "path: {}", entry.path);
    }
    if let Some(target) = &entry.target {
        let _ = writeln!(shown, "target: {}", selector_text(target));
    }
    shown
}

/// A selector as kustomize prints it.
fn selector_text(selector: &Selector) -> String {
    format!("{}:a={}:l={}", selector.id, selector.annotation_selector, selector.label_selector)
}

/// The places of the resources that a selector means.
fn select(resources: &[Resource], target: &Selector) -> Result<Vec<usize>, KustomizeError> {
    let matcher = Matcher::new(target)?;
    let places = resources.iter().enumerate().filter(|(_, resource)| matcher.selects(resource));
    Ok(places.map(|(place, _)| place).collect())
}

/// The one resource that has, or had, an id.
fn find(resources: &[Resource], id: &ResId) -> Result<usize, KustomizeError> {
    let has_id = |resource: &Resource| {
        // The name alone is cheap to see; most resources end here.
        let named = *resource.name() == *id.name
            || resource.previous.iter().any(|previous| previous.name == id.name);
        named && (resource.id() == *id || resource.previous_ids().any(|previous| previous == *id))
    };
    let mut places =
        resources.iter().enumerate().filter(|(_, resource)| has_id(resource)).map(|(at, _)| at);
    let what = match (places.next(), places.next()) {
        (Some(place), None) => return Ok(place),
        (Some(_), Some(_)) => "multiple",
        (None, _) => "no",
    };
    let mut problem =
        format!("{what} matches for Id {id}; failed to find unique target for patch {id}");
    if what == "no" {
        problem.push_str(&ids_nearby(resources, id));
    }
    Err(KustomizeError::said(problem))
}

/// The most ids that an error offers.
const NEARBY_MAX: usize = 5;

/// Ids that a person may have meant: of the same name, or of the same kind.
pub(crate) fn ids_nearby(resources: &[Resource], id: &ResId) -> String {
    let ids: Vec<ResId> = resources.iter().map(Resource::id).collect();
    let named = ids.iter().filter(|other| other.name == id.name);
    let of_kind = ids.iter().filter(|o| o.name != id.name && o.gvk.kind == id.gvk.kind);
    let nearby: Vec<String> =
        named.chain(of_kind).take(NEARBY_MAX).map(ToString::to_string).collect();
    match nearby.is_empty() {
        true => String::new(),
        false => format!(" (nearby: {})", nearby.join(", ")),
    }
}

/// Merges a patch into resources that a selector means.
fn merge_into_all(
    resources: &mut Vec<Resource>,
    places: &[usize],
    patch: &Resource,
    options: PatchOptions,
    schema: &Schema,
) -> Result<(), KustomizeError> {
    if places.is_empty() {
        return Ok(());
    }
    let node = settled(patch);
    let mut gone = Vec::new();
    for &place in places {
        let resource = &mut resources[place];
        let mut node = node.clone();
        if let Some(api_version) = resource.node.get("apiVersion").and_then(Node::text) {
            set_plain(&mut node, &[], "apiVersion", api_version);
        }
        if !merge_into(resource, node, options, schema)? {
            gone.push(place);
        }
    }
    for place in gone.into_iter().rev() {
        resources.remove(place);
    }
    if options == PatchOptions::default() { Ok(()) } else { check_ids(resources) }
}

fn check_ids(resources: &[Resource]) -> Result<(), KustomizeError> {
    let ids: Vec<ResId> = resources.iter().map(Resource::id).collect();
    let twice = ids.iter().enumerate().find(|(at, id)| ids[..*at].contains(id));
    match twice {
        None => Ok(()),
        Some((_, id)) => Err(KustomizeError::said(format!(
            "may not add resource with an already registered id: {id}"
        ))),
    }
}

/// Merges a patch into one resource; `false` where it deletes it.
fn merge_into(
    resource: &mut Resource,
    patch: Node,
    options: PatchOptions,
    schema: &Schema,
) -> Result<bool, KustomizeError> {
    let text = |node: Option<&Node>| Text::from(node.and_then(Node::text).unwrap_or("").to_owned());
    let kind = text(resource.node.get("kind"));
    let name = text(resource.node.at(&["metadata", "name"]));
    let namespace = text(resource.node.at(&["metadata", "namespace"]));
    if options.allow_name_change || options.allow_kind_change {
        resource.store_previous_id();
    }
    let id = resource.id();
    let kept = resource.change(|resource| merge(&mut resource.node, patch, schema));
    if !kept.inside(|| format!("patching `{id}`"))? {
        return Ok(false);
    }
    if resource.node.is_null_or_empty() {
        return Ok(false);
    }
    if !options.allow_kind_change {
        resource.set_kind(kind);
    }
    if !options.allow_name_change {
        resource.set_name(name);
    }
    resource.set_namespace(namespace);
    Ok(true)
}

/// The patch as kustomize makes it before it merges it into what a selector means: labels and
/// annotations are text then (also null), and an empty mapping of them is gone.
fn settled(patch: &Resource) -> Node {
    let mut node = patch.node.clone();
    let Some(metadata) = node.ensure_mapping(&["metadata"]) else { return node };
    for field in ["labels", "annotations"] {
        let Some(map) = metadata.get(field) else { continue };
        let text = |value: &Node| {
            let text = Text::from(raw_text(value).to_owned());
            let quoted = text.contains('\n') || !is_text_in_1_1(&text);
            Node::Scalar(Scalar { text, tag: Tag::Str, quoted })
        };
        let entries = map.as_mapping().into_iter().flat_map(|map| map.iter());
        let made: Mapping = entries.map(|(key, value)| (key.clone(), text(value))).collect();
        if made.is_empty() {
            metadata.remove(field);
        } else {
            metadata.insert(field, Node::Mapping(made));
        }
    }
    if metadata.get("namespace").is_some_and(|namespace| namespace.text().unwrap_or("").is_empty())
    {
        metadata.remove("namespace");
    }
    node
}

fn set_plain(node: &mut Node, path: &[&str], key: &'static str, text: &str) {
    if let Some(mapping) = node.ensure_mapping(path) {
        mapping.insert(key, Node::Scalar(Scalar::plain(text.to_owned())));
    }
}

#[cfg(test)]
mod tests;
