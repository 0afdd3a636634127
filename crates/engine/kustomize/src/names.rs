//! Names in other objects follow the objects that were renamed.

use std::collections::{HashMap, HashSet};

use crate::config::{NameReference, TransformerConfig};
use crate::error::{Inside, KustomizeError};
use crate::fields::{FieldPath, Made, set_in, set_scalar};
use crate::node::{Mapping, Node, Tag, Text};
use crate::resid::{Gvk, ResId};
use crate::resource::Resource;
use crate::transform::original_gvk;

/// A resource that may be referred to, as far as references need it.
struct Candidate {
    id: ResId,
    /// As it is written now.
    name: Text,
    namespace: Text,
    previous: Vec<ResId>,
    prefixes: Vec<Text>,
    suffixes: Vec<Text>,
}

/// The object that refers, as it is before its references are changed.
struct Referrer {
    id: ResId,
    prefixes: Vec<Text>,
    suffixes: Vec<Text>,
    /// `roleRef`'s group and kind, where it has both.
    role: Option<Gvk>,
    /// Namespaces of a RoleBinding's service accounts.
    account_namespaces: HashSet<Text>,
}

/// Changes every reference to a resource that has another name or namespace now.
///
/// # Errors
///
/// Where several resources could be meant, and where a field is of the wrong shape.
pub(crate) fn fix_references(
    resources: &mut [Resource],
    config: &TransformerConfig,
) -> Result<(), KustomizeError> {
    // Upstream writes names one behind the other, with commas in between.
    let in_two =
        |resource: &&Resource| resource.previous.iter().any(|previous| previous.name.contains(','));
    if let Some(resource) = resources.iter().find(in_two) {
        return Err(KustomizeError::said(format!(
            "number of previous names, number of previous namespaces, number of previous kinds not \
             equal: a name of {} holds a comma",
            resource.id()
        )));
    }
    let candidates: Vec<Candidate> = resources
        .iter()
        .map(|resource| Candidate {
            id: resource.id(),
            name: resource.name().to_owned().into(),
            namespace: resource.namespace().to_owned().into(),
            previous: resource.previous_ids().collect(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
        })
        .collect();
    let mut by_name: HashMap<Text, Vec<usize>> = HashMap::new();
    for (at, candidate) in candidates.iter().enumerate() {
        for previous in &candidate.previous {
            let places = by_name.entry(previous.name.clone()).or_default();
            if places.last() != Some(&at) {
                places.push(at);
            }
        }
    }
    // Every field that could refer is looked at, also where nothing was renamed: what stands
    // there in a wrong shape is refused, as by kustomize.
    let kinds: HashSet<Gvk> = resources.iter().map(original_gvk).collect();
    let mut fields: Vec<(&Gvk, FieldPath)> = Vec::new();
    for NameReference { target, referrers } in &config.name_reference {
        let there = referrers.iter().filter(|spec| kinds.iter().any(|k| k.is_selected(&spec.gvk)));
        fields.extend(there.map(|spec| (target, FieldPath::from(spec))));
    }
    for resource in resources {
        let gvk = original_gvk(resource);
        let mut referrer = None;
        for (target, path) in fields.iter().filter(|(_, path)| path.is_of(&gvk)) {
            let referrer = match &mut referrer {
                Some(referrer) => referrer,
                none => none.insert(Referrer::of(resource)?),
            };
            let search = Search {
                referrer,
                candidates: &candidates,
                by_name: &by_name,
                target,
                by_role: path.path().ends_with("roleRef/name"),
            };
            path.visit_any(&mut resource.node, Made::Nothing, &mut |node| search.set(node))
                .inside(|| {
                    format!(
                        "updating name reference in '{}' field of '{}'",
                        path.path(),
                        search.referrer.id
                    )
                })?;
        }
    }
    Ok(())
}

impl Referrer {
    fn of(resource: &Resource) -> Result<Self, KustomizeError> {
        if resource.node.get("apiVersion").is_some_and(Node::is_null) {
            return Err(KustomizeError::said(format!(
                "node-referrerOriginal 'APIVersion' mismatch '' != 'null' in {}",
                resource.id()
            )));
        }
        let text = |node: Option<&Node>| Some(node?.as_scalar()?.text.clone());
        let role = resource.node.get("roleRef").and_then(|role| {
            let group = text(role.get("apiGroup"))?;
            Some(Gvk { group, version: Text::default(), kind: text(role.get("kind"))? })
        });
        let mut account_namespaces = HashSet::new();
        if resource.kind() == "RoleBinding" {
            let subjects = resource.node.get("subjects").and_then(Node::as_sequence);
            for subject in subjects.into_iter().flat_map(|subjects| subjects.items()) {
                if subject.as_mapping().is_none() {
                    return Err(KustomizeError::said(format!(
                        "a subject of {} is no mapping",
                        resource.id()
                    )));
                }
                let is_account = subject.get("kind").and_then(Node::text) == Some("ServiceAccount");
                match subject.get("namespace") {
                    Some(namespace) if is_account => match namespace.text() {
                        Some(namespace) => {
                            account_namespaces.insert(namespace.to_owned().into());
                        }
                        None => {
                            return Err(KustomizeError::said(format!(
                                "Invalid Input: namespace is blank for resource {:?}\n",
                                resource.id().to_string()
                            )));
                        }
                    },
                    _ => {}
                }
            }
        }
        Ok(Self {
            id: resource.id(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
            role,
            account_namespaces,
        })
    }
}

/// One field of one referrer.
struct Search<'a> {
    referrer: &'a Referrer,
    candidates: &'a [Candidate],
    by_name: &'a HashMap<Text, Vec<usize>>,
    target: &'a Gvk,
    by_role: bool,
}

impl<'a> Search<'a> {
    fn set(&self, node: &mut Node) -> Result<(), KustomizeError> {
        match node {
            Node::Scalar(scalar) if scalar.is_null() => Ok(()),
            Node::Scalar(_) => self.set_scalar(node),
            Node::Mapping(mapping) => self.set_mapping(mapping),
            Node::Sequence(items) => {
                let items = items.items_mut().iter_mut();
                for item in items {
                    match item {
                        Node::Scalar(scalar) if scalar.is_null() => {}
                        Node::Scalar(_) => self.set_scalar(item)?,
                        Node::Mapping(mapping) => self.set_mapping(mapping)?,
                        Node::Sequence(_) => {
                            return Err(KustomizeError::said(
                                "a list is expected to be either a string or a map of string",
                            ));
                        }
                    }
                }
                Ok(())
            }
        }
    }

    fn set_scalar(&self, node: &mut Node) -> Result<(), KustomizeError> {
        let Some(scalar) = node.as_scalar() else { return Ok(()) };
        let Some(found) = self.find(&scalar.text, |_| true, false)? else { return Ok(()) };
        if found.name == scalar.text {
            return Ok(());
        }
        set_scalar(node, found.name.clone(), Tag::Unset)
    }

    fn set_mapping(&self, mapping: &mut Mapping) -> Result<(), KustomizeError> {
        let Some(name) = mapping.get("name") else {
            return Err(KustomizeError::said("path config error; no 'name' field in node"));
        };
        let old = name.as_scalar().map(|scalar| scalar.text.clone()).unwrap_or_default();
        let found = match mapping.get("namespace").map(Node::as_scalar) {
            None => self.find(&old, |_| true, true)?,
            Some(namespace) => {
                let namespace = namespace.map_or("", |scalar| &scalar.text);
                let original = |candidate: &Candidate| {
                    let first = candidate.previous.first().unwrap_or(&candidate.id);
                    first.effective_namespace() == namespace
                };
                let current =
                    |candidate: &Candidate| candidate.id.effective_namespace() == namespace;
                // The other way is tried only where no resource at all was there once.
                let any_original = self
                    .candidates
                    .iter()
                    .any(|candidate| self.is_reachable(candidate) && original(candidate));
                match any_original {
                    true => self.find(&old, original, true)?,
                    false => self.find(&old, current, true)?,
                }
            }
        };
        let Some(found) = found else { return Ok(()) };
        if found.name == old && found.namespace.is_empty() {
            return Ok(());
        }
        set_in(mapping, &"name".into(), found.name.clone(), Tag::Unset);
        if !found.namespace.is_empty() {
            set_in(mapping, &"namespace".into(), found.namespace.clone(), Tag::Unset);
        }
        Ok(())
    }

    /// Whether the referrer can refer to a resource at all.
    fn is_reachable(&self, candidate: &Candidate) -> bool {
        self.referrer.id.cluster_scoped
            || candidate.id.cluster_scoped
            || candidate.id.same_namespace(&self.referrer.id)
            || self.referrer.account_namespaces.contains(&candidate.namespace)
    }

    /// The one resource that a name means.
    fn find(
        &self,
        old: &Text,
        in_namespace: impl Fn(&Candidate) -> bool,
        with_namespaces: bool,
    ) -> Result<Option<&'a Candidate>, KustomizeError> {
        let Some(places) = self.by_name.get(old) else { return Ok(None) };
        let is_of = |candidate: &Candidate, gvk: &Gvk| {
            candidate.previous.iter().any(|id| id.gvk.is_selected(gvk))
        };
        let role = if self.by_role { self.referrer.role.as_ref() } else { None };
        let near = |candidate: &Candidate| {
            self.referrer.id.cluster_scoped
                || candidate.id.cluster_scoped
                || &*candidate.id.gvk.kind == "ServiceAccount"
                || candidate.id.same_namespace(&self.referrer.id)
        };
        let mut found: Vec<&Candidate> = places
            .iter()
            .map(|at| &self.candidates[*at])
            .filter(|candidate| self.is_reachable(candidate) && in_namespace(candidate))
            .filter(|candidate| is_of(candidate, self.target))
            .filter(|candidate| role.is_none_or(|role| is_of(candidate, role)))
            .filter(|candidate| near(candidate))
            .collect();
        if found.len() > 1 {
            found.retain(|candidate| self.same_affixes(candidate, true));
        }
        if found.len() > 1 {
            found.retain(|candidate| self.same_affixes(candidate, false));
        }
        let Some((first, others)) = found.split_first() else { return Ok(None) };
        let same = others.iter().all(|other| {
            other.name == first.name && (!with_namespaces || other.namespace == first.namespace)
        });
        if same {
            return Ok(Some(first));
        }
        let ids: Vec<String> = found.iter().map(|candidate| candidate.id.to_string()).collect();
        Err(KustomizeError::said(format!("found multiple possible referrals: {}", ids.join(", "))))
    }

    fn same_affixes(&self, candidate: &Candidate, allow_empty: bool) -> bool {
        let same = |one: &[Text], other: &[Text]| {
            (allow_empty && (one.is_empty() || other.is_empty())) || same_end(one, other)
        };
        same(&candidate.prefixes, &self.referrer.prefixes)
            && same(&candidate.suffixes, &self.referrer.suffixes)
    }
}

/// Whether the longer list ends with the shorter one; an empty one is only like an empty one.
fn same_end(one: &[Text], other: &[Text]) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if short.is_empty() { long.is_empty() } else { long.ends_with(short) }
}

#[cfg(test)]
mod tests;
