//! `--resource [!]GROUP:KIND:[NAMESPACE/]NAME`: which of an Application's objects are meant.

use anyhow::{Result, bail};
use crd::{Application, SyncOperationResource};

/// One pattern; its fields may be `*` or hold other wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Whether what fits is left out.
    pub excludes: bool,
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Empty fits every namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Selection {
    /// Reads the patterns of a command line.
    pub fn parse_all(texts: &[String]) -> Result<Vec<Self>> {
        texts.iter().map(|text| Self::parse(text)).collect()
    }

    fn parse(given: &str) -> Result<Self> {
        let text = given.strip_prefix('!').unwrap_or(given);
        let excludes = text.len() < given.len();
        let fields: Vec<&str> = text.split(':').collect();
        let [group, kind, place] = fields[..] else {
            bail!("resource should have GROUP:KIND:NAME, but instead got: {text}");
        };
        let (namespace, name) = match place.split('/').collect::<Vec<_>>()[..] {
            [name] => ("", name),
            [namespace, name] => (namespace, name),
            _ => bail!(
                "resource with namespace should have GROUP:KIND:NAMESPACE/NAME, but instead got: \
                 {text}"
            ),
        };
        Ok(Self {
            excludes,
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    fn fits(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        fits(&self.group, group)
            && fits(&self.kind, kind)
            && fits(&self.name, name)
            && (self.namespace.is_empty() || fits(&self.namespace, namespace))
    }
}

fn fits(pattern: &str, text: &str) -> bool {
    pattern == text || globs::Glob::new(pattern, &[]).is_ok_and(|glob| glob.matches(text))
}

/// Whether an object is meant: a pattern that excludes and fits wins; patterns that include must
/// have one that fits; exclusions alone mean everything else.
pub fn selects(
    selections: &[Selection],
    group: &str,
    kind: &str,
    namespace: &str,
    name: &str,
) -> bool {
    let fitting = |excludes: bool| {
        let mut of_kind = selections.iter().filter(move |one| one.excludes == excludes);
        of_kind.any(|one| one.fits(group, kind, namespace, name))
    };
    let only_excludes = selections.iter().all(|one| one.excludes);
    !fitting(true) && (only_excludes || fitting(false))
}

/// The objects of an Application that are meant, for a sync of these alone.
pub fn selected(application: &Application, selections: &[Selection]) -> Vec<SyncOperationResource> {
    if selections.is_empty() {
        return Vec::new();
    }
    let resources = application.status.resources.iter();
    resources
        .filter(|one| selects(selections, &one.group, &one.kind, &one.namespace, &one.name))
        .map(|one| SyncOperationResource {
            group: one.group.clone(),
            kind: one.kind.clone(),
            name: one.name.clone(),
            namespace: one.namespace.clone(),
            ..SyncOperationResource::default()
        })
        .collect()
}
