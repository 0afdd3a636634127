//! What is wanted and the destination does not serve.

use std::collections::BTreeMap;

use cluster::Kinds;
use manifest::Gvk;
use reconcile::{Side, Unserved};

/// Returns the kinds that are wanted and that the cluster does not serve at their versions, with the
/// words in which its discovery says so.
pub(crate) fn unserved(wanted: &Side, kinds: &Kinds) -> BTreeMap<Gvk, Unserved> {
    let mut found = BTreeMap::new();
    let targets = wanted.prepared.iter().flat_map(|all| all.targets.iter().chain(&all.hooks));
    for gvk in targets.map(|target| &target.gvk) {
        if kinds.get(gvk).is_some() || found.contains_key(gvk) {
            continue;
        }
        let Gvk { group, version, kind } = gvk;
        let mut others = kinds.iter().map(|info| &info.gvk);
        let words = match others.any(|one| one.group == *group && one.version == *version) {
            true if group.is_empty() => format!("{kind} \"\" not found"),
            true => format!("{kind}.{group} \"\" not found"),
            false => sync::words::NOT_SERVED.to_owned(),
        };
        let namesake = || kinds.iter().find(|info| info.preferred && info.gvk.kind == *kind);
        let installed = kinds.preferred(&gvk.group_kind()).or_else(namesake);
        let installed = installed.map(|info| info.gvk.clone());
        found.insert(gvk.clone(), Unserved { words, installed });
    }
    found
}
