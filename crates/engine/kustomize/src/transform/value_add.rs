//! The plugin `ValueAddTransformer`: a value, or a part of a path, in chosen fields.

use crate::error::KustomizeError;
use crate::fields::{FieldPath, Made, set_scalar};
use crate::kustomization::Selector;
use crate::node::{Node, Tag};
use crate::resource::Resource;
use crate::selector::Matcher;
use crate::transform::{NamespaceStep, Subjects};

/// Where the value goes.
#[derive(Debug)]
pub(crate) struct ValueTarget {
    pub(crate) selector: Option<Selector>,
    pub(crate) field_path: String,
    /// Counted from 1; 0 for all of the field.
    pub(crate) file_path_position: usize,
}

/// Adds one value to fields.
#[derive(Debug)]
pub(crate) struct ValueAddStep {
    pub(crate) value: String,
    pub(crate) targets: Vec<ValueTarget>,
}

impl ValueAddStep {
    pub(crate) fn apply(&self, resources: &mut [Resource]) -> Result<(), KustomizeError> {
        for target in &self.targets {
            let matcher = target.selector.as_ref().map(Matcher::new).transpose()?;
            let namespace = NamespaceStep::new(&self.value, &[], Subjects::Default, false);
            let path = FieldPath::created(&target.field_path);
            for resource in resources.iter_mut() {
                if matcher.as_ref().is_some_and(|matcher| !matcher.selects(resource)) {
                    continue;
                }
                if target.field_path == "metadata/namespace" {
                    namespace.apply_to(resource)?;
                    continue;
                }
                path.visit_any(
                    &mut resource.node,
                    Made::Scalar(Tag::Unset),
                    &mut |node: &mut Node| {
                        let old = node.as_scalar().map_or("", |scalar| &scalar.text);
                        let new = match target.file_path_position {
                            0 => self.value.clone(),
                            position => with_part(old, position - 1, &self.value),
                        };
                        set_scalar(node, new.into(), Tag::Unset)
                    },
                )?;
            }
        }
        Ok(())
    }
}

/// Puts a name into a path before name number `at`; at the end where there are fewer.
fn with_part(path: &str, at: usize, part: &str) -> String {
    let absolute = path.starts_with('/');
    let mut names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    names.insert(at.min(names.len()), part);
    let joined = names.join("/");
    if absolute { format!("/{joined}") } else { joined }
}
