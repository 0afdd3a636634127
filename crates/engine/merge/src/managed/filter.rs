//! Fields that an endpoint does not let its writers own.

use crate::fields::{FieldSet, PathElement};

/// Which fields of a write count, where a kind's strategy throws some of them away: `status`
/// on the main endpoint, all but `status` on the endpoint of that name.
#[derive(Clone, Debug)]
pub enum Filter {
    /// All but these, and what is inside them.
    Exclude(FieldSet),
    /// These, what is inside them, and what leads to them.
    Include(Vec<Vec<Step>>),
}

/// One step of a path that may lead anywhere.
#[derive(Clone, Debug)]
pub enum Step {
    /// Any field or list item.
    Any,
    /// This one.
    One(PathElement),
}

impl Filter {
    /// Excludes fields by dotted names, as in `status` or `metadata.deletionTimestamp`.
    pub fn exclude(paths: &[&str]) -> Self {
        Filter::Exclude(FieldSet::of_names(paths))
    }

    /// Includes fields by dotted names, where `*` is any field or list item.
    pub fn include(paths: &[&str]) -> Self {
        let step = |name| match name {
            "*" => Step::Any,
            name => Step::One(PathElement::field(name)),
        };
        Filter::Include(paths.iter().map(|path| path.split('.').map(step).collect()).collect())
    }

    pub(crate) fn filter(&self, mut set: FieldSet) -> FieldSet {
        match self {
            Filter::Exclude(excluded) => {
                set.recursive_subtract(excluded);
                set
            }
            Filter::Include(paths) => {
                let paths: Vec<_> = paths.iter().map(Vec::as_slice).collect();
                include(&set, &paths)
            }
        }
    }
}

fn include(set: &FieldSet, paths: &[&[Step]]) -> FieldSet {
    if paths.iter().any(|path| path.is_empty()) {
        return set.clone();
    }
    let mut out = FieldSet::default();
    for node in set.nodes() {
        let rests: Vec<_> = paths
            .iter()
            .filter_map(|path| {
                let (first, rest) = path.split_first()?;
                let leads_here = match first {
                    Step::Any => true,
                    Step::One(element) => *element == node.element,
                };
                leads_here.then_some(rest)
            })
            .collect();
        if !rests.is_empty() {
            out.add(node.element.clone(), node.member, include(&node.below, &rests));
        }
    }
    out
}

/// Returns the filter for a version.
pub(crate) fn filter_at<'a>(reset: &'a [(&str, Filter)], api_version: &str) -> Option<&'a Filter> {
    reset.iter().find(|(version, _)| *version == api_version).map(|(_, filter)| filter)
}
