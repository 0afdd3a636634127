//! Sets of resources in which no two have one id.

use std::collections::HashMap;

use crate::error::KustomizeError;
use crate::fields::set_in;
use crate::node::{Entry, Mapping, Node, Scalar, Tag, Text};
use crate::resid::ResId;
use crate::resource::{Behavior, Resource};
use crate::target::ORIGIN;

fn twin(id: &ResId, one: &Resource, other: &Resource) -> KustomizeError {
    let mut problem = format!("may not add resource with an already registered id: {id}");
    if !one.origin.file.is_empty() && !other.origin.file.is_empty() {
        problem.push_str(&format!(" (in `{}` and `{}`)", one.origin.file, other.origin.file));
    }
    KustomizeError::said(problem)
}

/// Refuses two resources of one id.
///
/// # Errors
///
/// Names the id.
pub(crate) fn refuse_twins(resources: &[Resource]) -> Result<(), KustomizeError> {
    refuse_twins_from(resources, 0)
}

fn refuse_twins_from(resources: &[Resource], added_from: usize) -> Result<(), KustomizeError> {
    let added = resources.len() - added_from;
    // An id costs much more than a look at a name.
    let refuse = |at: usize, other: usize| {
        let id = resources[at].id();
        let is_twin = resources[other].id() == id;
        if is_twin { Err(twin(&id, &resources[other], &resources[at])) } else { Ok(()) }
    };
    if added <= FEW {
        for (at, resource) in resources.iter().enumerate().skip(added_from) {
            let name = resource.name();
            let same = (0..at).filter(|other| resources[*other].name() == name);
            same.into_iter().try_for_each(|other| refuse(at, other))?;
        }
        return Ok(());
    }
    let mut last_of: HashMap<&str, usize> = HashMap::with_capacity(resources.len());
    // Where the one before of the same name is.
    let mut before: Vec<Option<usize>> = Vec::with_capacity(resources.len());
    for (at, resource) in resources.iter().enumerate() {
        let mut same = last_of.insert(resource.name(), at);
        before.push(same);
        while at >= added_from
            && let Some(other) = same
        {
            refuse(at, other)?;
            same = before[other];
        }
    }
    Ok(())
}

/// So many resources are each held to all others' names without a table.
const FEW: usize = 4;

/// Adds resources at the end.
///
/// # Errors
///
/// Where one of them is there already.
pub(crate) fn append_all(
    resources: &mut Vec<Resource>,
    more: Vec<Resource>,
) -> Result<(), KustomizeError> {
    if more.is_empty() {
        return Ok(());
    }
    let added_from = resources.len();
    resources.extend(more);
    refuse_twins_from(resources, added_from)
}

/// Adds what a generator made, by its behaviour.
///
/// # Errors
///
/// Where it should be there and is not, or the other way round.
pub(crate) fn absorb(
    resources: &mut Vec<Resource>,
    made: Vec<Resource>,
) -> Result<(), KustomizeError> {
    for mut new in made {
        let id = new.id();
        let mut places = resources
            .iter()
            .enumerate()
            .filter(|(_, known)| known.id() == id || known.previous_ids().any(|old| old == id))
            .map(|(at, _)| at);
        match (places.next(), places.next()) {
            (None, _) => match new.behavior {
                Behavior::Merge | Behavior::Replace => {
                    let mut problem =
                        format!("id {} does not exist; cannot merge or replace", shown(&id));
                    problem.push_str(&nearby(resources, &id));
                    return Err(KustomizeError::said(problem));
                }
                Behavior::Unspecified | Behavior::Create => {
                    append_all(resources, vec![new])?;
                }
            },
            (Some(at), None) => {
                let old = &resources[at];
                let behavior = match new.behavior {
                    Behavior::Unspecified => "unspecified",
                    Behavior::Create => "create",
                    Behavior::Replace | Behavior::Merge => "",
                };
                if !behavior.is_empty() {
                    return Err(KustomizeError::said(format!(
                        "id {} exists; can not use behavior: '{behavior}', behavior must be merge \
                         or replace",
                        shown(&id)
                    )));
                }
                let merges = new.behavior == Behavior::Merge;
                take_place(&mut new, old);
                if merges {
                    merge_texts(&mut new.node, &old.node, "data", "data");
                    merge_texts(&mut new.node, &old.node, "binaryData", "binaryData");
                    // What is added does not change where it comes from.
                    if let Some(origin) = old.metadata_entry("annotations", ORIGIN) {
                        new.set_metadata_entry("annotations", ORIGIN, origin.to_owned());
                    }
                }
                resources[at] = new;
            }
            (Some(_), Some(_)) => {
                return Err(KustomizeError::said(format!(
                    "found multiple objects that could accept merge of {id}"
                )));
            }
        }
    }
    Ok(())
}

fn shown(id: &ResId) -> String {
    format!(
        "resid.ResId{{Gvk:resid.Gvk{{Group:{:?}, Version:{:?}, Kind:{:?}, isClusterScoped:{}}}, \
         Name:{:?}, Namespace:{:?}}}",
        &*id.gvk.group,
        &*id.gvk.version,
        &*id.gvk.kind,
        id.cluster_scoped,
        &*id.name,
        &*id.namespace
    )
}

/// The most ids that an error offers.
const NEARBY_MAX: usize = 5;

fn nearby(resources: &[Resource], id: &ResId) -> String {
    let ids = resources.iter().map(Resource::id).filter(|other| other.gvk.kind == id.gvk.kind);
    let ids: Vec<String> = ids.take(NEARBY_MAX).map(|id| id.to_string()).collect();
    if ids.is_empty() { String::new() } else { format!(" (nearby: {})", ids.join(", ")) }
}

/// Gives a new object the name, the past and, behind its own, the labels and annotations of an
/// old one.
fn take_place(new: &mut Resource, old: &Resource) {
    for field in ["labels", "annotations"] {
        let both =
            merged_texts(old.node.at(&["metadata", field]), new.node.at(&["metadata", field]));
        let Some(metadata) = new.node.ensure_mapping(&["metadata"]) else { continue };
        metadata.remove(field);
        if !both.is_empty() {
            metadata.insert(field, Node::Mapping(both));
        }
    }
    new.set_name(Text::from(old.name().to_owned()));
    new.set_namespace(Text::from(old.namespace().to_owned()));
    new.previous.clone_from(&old.previous);
    new.prefixes.clone_from(&old.prefixes);
    new.suffixes.clone_from(&old.suffixes);
    new.ref_vars.clone_from(&old.ref_vars);
    new.needs_hash &= old.needs_hash;
    new.helm_generated = old.helm_generated;
    new.behavior = old.behavior;
}

/// Both maps' entries as texts, sorted; those of the second one count.
fn merged_texts(first: Option<&Node>, second: Option<&Node>) -> Mapping {
    let mut all = std::collections::BTreeMap::new();
    for mapping in [first, second].into_iter().flatten().filter_map(Node::as_mapping) {
        for (key, value) in mapping.iter() {
            let text = value.as_scalar().map(|scalar| scalar.text.clone()).unwrap_or_default();
            all.insert(key.clone(), text);
        }
    }
    let entries = all.into_iter().map(|(key, text)| {
        let value = Scalar { quoted: text.contains('\n'), text, tag: Tag::Str };
        Entry::new(Scalar::unset(key), Node::Scalar(value))
    });
    entries.collect::<Vec<_>>().into()
}

fn merge_texts(new: &mut Node, old: &Node, from: &str, to: &'static str) {
    let both = merged_texts(old.get(from), new.get(from));
    let Some(object) = new.as_mapping_mut() else { return };
    object.remove(from);
    for (key, value) in both.iter() {
        let text = value.text().unwrap_or("").to_owned();
        let data = object.get_or_insert_with(to, Node::mapping);
        if let Some(data) = data.as_mapping_mut() {
            set_in(data, key, text.into(), Tag::Str);
        }
    }
}
