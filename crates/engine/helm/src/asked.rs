//! What a rendering asked of the cluster and the release.

use std::collections::BTreeMap;

/// The questions of one rendering with their answers.
///
/// With the read set of the files, they say exactly when another rendering gives the same: a
/// new API that nobody asked for changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Whether the Kubernetes version was looked at.
    pub kube_version: bool,
    /// API versions that were asked for, and whether they were there.
    pub api_versions: BTreeMap<String, bool>,
    /// Whether the whole list of API versions was looked at.
    pub all_api_versions: bool,
    /// Whether the time was asked for, or chance.
    pub impure: bool,
}

impl Asked {
    /// Adds the questions of a part.
    pub(crate) fn add(&mut self, part: &Self) {
        let Self { kube_version, api_versions, all_api_versions, impure } = part;
        self.kube_version |= kube_version;
        self.all_api_versions |= all_api_versions;
        self.impure |= impure;
        for (asked, there) in api_versions {
            if !self.api_versions.contains_key(asked) {
                self.api_versions.insert(asked.clone(), *there);
            }
        }
    }

    /// Whether the same would be answered again.
    ///
    /// `same_kube_version` and `same_api_versions` say whether all of it is the same as then;
    /// `has` answers one question.
    pub fn holds(
        &self,
        same_kube_version: bool,
        same_api_versions: bool,
        has: impl Fn(&str) -> bool,
    ) -> bool {
        (same_kube_version || !self.kube_version)
            && (same_api_versions
                || (!self.all_api_versions
                    && self.api_versions.iter().all(|(asked, there)| has(asked) == *there)))
    }
}
