//! `images`.

use regex::Regex;

use crate::error::KustomizeError;
use crate::fields::{FieldPath, Made, set_scalar, wrong_kind};
use crate::kustomization::Image;
use crate::node::{Node, Tag, Text};
use crate::resource::Resource;
use crate::selector::go_regex;

/// Collections inside each other that are looked through for containers.
const DEPTH_MAX: usize = 1_000;

/// Changes names, tags and digests of images.
///
/// It goes twice over each object: over every list of containers wherever it stands, then over
/// the configured fields. A rule that still matches what it made applies twice.
#[derive(Debug)]
pub(crate) struct ImageStep {
    image: Image,
    pattern: Regex,
    specs: Vec<FieldPath>,
}

impl ImageStep {
    /// Prepares a rule; its name is a regular expression to kustomize.
    ///
    /// # Errors
    ///
    /// Where the name is no regular expression.
    pub(crate) fn new(image: Image, specs: Vec<FieldPath>) -> Result<Self, KustomizeError> {
        let name = &image.name;
        let pattern =
            go_regex(&format!("^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$"))?;
        Ok(Self { image, pattern, specs })
    }

    pub(crate) fn apply(&self, resources: &mut [Resource]) -> Result<(), KustomizeError> {
        for resource in resources.iter_mut() {
            if resource.kind() != "CustomResourceDefinition" && holds_containers(&resource.node) {
                self.in_containers(&mut resource.node, DEPTH_MAX)?;
            }
        }
        for resource in resources {
            if resource.kind() == "CustomResourceDefinition" {
                continue;
            }
            for spec in &self.specs {
                let set = &mut |node: &mut Node| self.set(node);
                spec.visit(&mut resource.node, Made::Nothing, set)?;
            }
        }
        Ok(())
    }

    fn in_containers(&self, node: &mut Node, depth_left: usize) -> Result<(), KustomizeError> {
        let Some(depth_left) = depth_left.checked_sub(1) else {
            return Err(KustomizeError::said(format!("more than {DEPTH_MAX} nodes in each other")));
        };
        match node {
            Node::Scalar(_) => Ok(()),
            Node::Sequence(items) => {
                if !items.items().iter().any(holds_containers) {
                    return Ok(());
                }
                items
                    .items_mut()
                    .iter_mut()
                    .try_for_each(|item| self.in_containers(item, depth_left))
            }
            Node::Mapping(mapping) => {
                let wanted = |key: &str| matches!(key, "containers" | "initContainers");
                let touched: Vec<usize> = mapping
                    .entries()
                    .iter()
                    .enumerate()
                    .filter(|(_, entry)| wanted(&entry.key.text) || holds_containers(&entry.value))
                    .map(|(at, _)| at)
                    .collect();
                for at in touched {
                    let entry = &mut mapping.entries_mut()[at];
                    if holds_containers(&entry.value) {
                        self.in_containers(&mut entry.value, depth_left)?;
                    }
                    if let (true, Node::Sequence(items)) =
                        (wanted(&entry.key.text), &mut entry.value)
                    {
                        for item in items.items_mut() {
                            self.in_container(item)?;
                        }
                    }
                }
                Ok(())
            }
        }
    }

    fn in_container(&self, container: &mut Node) -> Result<(), KustomizeError> {
        match container {
            Node::Mapping(mapping) => {
                mapping.get_mut("image").map_or(Ok(()), |image| self.set(image))
            }
            node if node.is_null() => Ok(()),
            node => Err(wrong_kind("MappingNode", node)),
        }
    }

    fn set(&self, node: &mut Node) -> Result<(), KustomizeError> {
        let Node::Scalar(scalar) = &*node else { return Err(wrong_kind("ScalarNode", node)) };
        if !self.pattern.is_match(&scalar.text) {
            return Ok(());
        }
        let new = self.changed(&scalar.text);
        set_scalar(node, Text::from(new), Tag::Unset)
    }

    fn changed(&self, text: &str) -> String {
        let rule = &self.image;
        let (name, tag, digest) = split(text);
        let name = if rule.new_name.is_empty() { name } else { &rule.new_name };
        let suffixed;
        let (tag, digest) = match (&*rule.new_tag, &*rule.digest, &*rule.tag_suffix) {
            ("", "", "") => (tag, digest),
            ("", "", suffix) => {
                suffixed = format!("{tag}{suffix}");
                (&*suffixed, "")
            }
            (new_tag, new_digest, _) => (new_tag, new_digest),
        };
        let mut new = name.to_owned();
        for (sign, part) in [(':', tag), ('@', digest)] {
            if !part.is_empty() {
                new.push(sign);
                new.push_str(part);
            }
        }
        new
    }
}

/// Whether a mapping with containers stands somewhere in a node.
fn holds_containers(node: &Node) -> bool {
    match node {
        Node::Scalar(_) => false,
        Node::Sequence(items) => items.items().iter().any(holds_containers),
        Node::Mapping(mapping) => mapping.entries().iter().any(|entry| {
            matches!(&*entry.key.text, "containers" | "initContainers")
                || holds_containers(&entry.value)
        }),
    }
}

/// Cuts a reference into name, tag and digest.
fn split(image: &str) -> (&str, &str, &str) {
    let from = image.find('/').unwrap_or(0);
    let at = image[from..].find('@').map(|at| at + from);
    let colon = image[from..].find(':').map(|at| at + from);
    match (colon, at) {
        (None, None) => (image, "", ""),
        (Some(colon), Some(at)) if colon < at => {
            (&image[..colon], &image[colon + 1..at], &image[at + 1..])
        }
        (_, Some(at)) => (&image[..at], "", &image[at + 1..]),
        (Some(colon), None) => (&image[..colon], &image[colon + 1..], ""),
    }
}
