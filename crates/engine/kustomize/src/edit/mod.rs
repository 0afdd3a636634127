//! What Argo CD does to a kustomization before it builds it: its own parameters, as
//! `kustomize edit` writes them into the file.

mod components;
mod image;
mod metadata;

use std::collections::BTreeMap;

use filetree::{FileTree, TreePath};

use crate::error::KustomizeError;
use crate::kustomization::{Kustomization, Patch, Replica};

/// An Application's `source.kustomize`, variables of the build environment put in already
/// (in images and labels always, in annotations where `commonAnnotationsEnvsubst` says so).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overlay {
    /// `""` leaves the kustomization's.
    pub name_prefix: String,
    /// `""` leaves the kustomization's.
    pub name_suffix: String,
    /// `""` leaves the kustomization's.
    pub namespace: String,
    /// `name:tag`, `name=new:tag`, `name@digest`, `*` for what stays.
    pub images: Vec<String>,
    /// Names with counts; the last of a name counts.
    pub replicas: Vec<(String, i64)>,
    /// Labels to add.
    pub common_labels: BTreeMap<String, String>,
    /// Whether a label that the kustomization has is overwritten.
    pub force_common_labels: bool,
    /// Whether labels stay out of selectors.
    pub label_without_selector: bool,
    /// Whether labels that stay out of selectors go into templates.
    pub label_include_templates: bool,
    /// Annotations to add.
    pub common_annotations: BTreeMap<String, String>,
    /// Whether an annotation that the kustomization has is overwritten.
    pub force_common_annotations: bool,
    /// Patches behind the kustomization's own.
    pub patches: Vec<Patch>,
    /// Components behind the kustomization's own; may be glob patterns.
    pub components: Vec<String>,
    /// Whether components that are not there are left out.
    pub ignore_missing_components: bool,
}

/// Where the kustomization lies.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The repository.
    pub tree: &'a dyn FileTree,
    /// The kustomization's directory.
    pub directory: &'a TreePath,
}

impl Overlay {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        let switches_alone = Self {
            force_common_labels: self.force_common_labels,
            label_without_selector: self.label_without_selector,
            label_include_templates: self.label_include_templates,
            force_common_annotations: self.force_common_annotations,
            ignore_missing_components: self.ignore_missing_components,
            ..Self::default()
        };
        *self == switches_alone
    }

    /// Changes a kustomization as the commands would change its file. Returns the commands,
    /// for people who want to do the same by hand.
    ///
    /// # Errors
    ///
    /// What `kustomize edit` says: an image that is none, a label that is there already, a
    /// component that is nowhere.
    pub fn apply(
        &self,
        kustomization: &mut Kustomization,
        place: Place<'_>,
    ) -> Result<Vec<String>, KustomizeError> {
        let mut commands = Commands::default();
        if !self.name_prefix.is_empty() {
            commands.ran(&["set", "nameprefix", "--", &self.name_prefix], []);
            kustomization.name_prefix.clone_from(&self.name_prefix);
        }
        if !self.name_suffix.is_empty() {
            commands.ran(&["set", "namesuffix", "--", &self.name_suffix], []);
            kustomization.name_suffix.clone_from(&self.name_suffix);
        }
        if !self.images.is_empty() {
            commands.ran(&["set", "image"], self.images.iter().cloned());
            image::set(&mut kustomization.images, &self.images)?;
        }
        if !self.replicas.is_empty() {
            let shown = self.replicas.iter().map(|(name, count)| format!("{name}={count}"));
            commands.ran(&["set", "replicas"], shown);
            set_replicas(&mut kustomization.replicas, &self.replicas)?;
        }
        if !self.common_labels.is_empty() {
            let mut command = vec!["add", "label"];
            command.extend(self.force_common_labels.then_some("--force"));
            command.extend(self.label_without_selector.then_some("--without-selector"));
            command.extend(self.label_include_templates.then_some("--include-templates"));
            commands.ran(&command, pairs(&self.common_labels));
            metadata::add_labels(kustomization, self)?;
        }
        if !self.common_annotations.is_empty() {
            let mut command = vec!["add", "annotation"];
            command.extend(self.force_common_annotations.then_some("--force"));
            commands.ran(&command, pairs(&self.common_annotations));
            metadata::add_annotations(kustomization, self)?;
        }
        if !self.namespace.is_empty() {
            commands.ran(&["set", "namespace", "--", &self.namespace], []);
            kustomization.namespace.clone_from(&self.namespace);
        }
        if !self.patches.is_empty() {
            // A command that ran before has written the file without it.
            if kustomization.patches_are_null && commands.0.is_empty() {
                return Err(KustomizeError::said(
                    "expected 'patches' field in kustomization.yaml to be []any, but got <nil>",
                ));
            }
            commands.0.push(
                "# kustomization.yaml updated with patches. There is no `kustomize edit` command \
                 for adding patches. In order to generate the manifests in your local \
                 environment, you will need to copy the patches into kustomization.yaml manually."
                    .to_owned(),
            );
            kustomization.patches.extend(self.patches.iter().cloned());
        }
        if !self.components.is_empty() {
            components::add(kustomization, self, place, &mut commands)?;
        }
        Ok(commands.0)
    }
}

fn pairs(of: &BTreeMap<String, String>) -> impl Iterator<Item = String> {
    of.iter().map(|(key, value)| format!("{key}:{value}"))
}

fn set_replicas(replicas: &mut Vec<Replica>, add: &[(String, i64)]) -> Result<(), KustomizeError> {
    let mut by_name: BTreeMap<String, Replica> = BTreeMap::new();
    for (name, count) in add {
        if name.contains('=') {
            return Err(KustomizeError::said(
                "invalid format of replica, use the following format: <name>=<count>",
            ));
        }
        by_name.insert(name.clone(), Replica { name: name.clone(), count: *count });
    }
    for replica in replicas.drain(..) {
        // The first of a name counts among those of the file.
        by_name.entry(replica.name.clone()).or_insert(replica);
    }
    replicas.extend(by_name.into_values());
    Ok(())
}

/// Command lines as a person would type them.
#[derive(Default)]
struct Commands(Vec<String>);

impl Commands {
    fn ran(&mut self, words: &[&str], more: impl IntoIterator<Item = String>) {
        let words = ["kustomize", "edit"].iter().chain(words).map(|word| (*word).to_owned());
        let quoted = |word: String| match word.as_str() {
            "" => "\"\"".to_owned(),
            word if word.contains(char::is_whitespace) => goval::quote(word),
            _ => word,
        };
        let line: Vec<String> = words.chain(more).map(quoted).collect();
        self.0.push(line.join(" "));
    }
}

#[cfg(test)]
mod tests;
