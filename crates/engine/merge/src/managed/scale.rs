//! Owners of a scale: the one field of the whole object that the subresource shows.

use crate::fields::{FieldSet, PathElement};
use crate::managed::owned::Owned;

const SCALE_API_VERSION: &str = "autoscaling/v1";

/// The place of `replicas` in an object, by API version; `None` is a version without scale.
pub type ReplicasPaths<'a> = [(&'a str, Option<&'a str>)];

fn path_at(paths: &ReplicasPaths<'_>, api_version: &str) -> Option<Option<Vec<PathElement>>> {
    let (_, path) = paths.iter().find(|(version, _)| *version == api_version)?;
    Some(path.map(|path| path.trim_start_matches('.').split('.').map(PathElement::field).collect()))
}

fn one(path: &[PathElement]) -> FieldSet {
    let mut set = FieldSet::default();
    set.insert(path);
    set
}

/// Returns the owners of `replicas` as owners of a Scale's.
pub fn to_scale(owned: &[Owned], paths: &ReplicasPaths<'_>) -> Vec<Owned> {
    let owns_replicas = |owned: &&Owned| {
        path_at(paths, &owned.api_version).flatten().is_some_and(|path| owned.fields.has(&path))
    };
    owned
        .iter()
        .filter(owns_replicas)
        .map(|owned| Owned {
            api_version: SCALE_API_VERSION.to_owned(),
            fields: FieldSet::of_names(&["spec.replicas"]),
            ..owned.clone()
        })
        .collect()
}

/// Returns the owners of the whole object after a Scale with these owners was written.
///
/// An updater of `replicas` always becomes an entry of its own without a time, as upstream:
/// the Scale's version makes it another manager.
pub fn from_scale(
    owned: &[Owned],
    of_scale: Vec<Owned>,
    api_version: &str,
    paths: &ReplicasPaths<'_>,
) -> Vec<Owned> {
    let mut out = Vec::with_capacity(owned.len() + 1);
    let mut of_scale = of_scale;
    for owned in owned {
        let Some(path) = path_at(paths, &owned.api_version) else { continue };
        let Some(path) = path.filter(|path| owned.fields.has(path)) else {
            out.push(owned.clone());
            continue;
        };
        match of_scale.iter().position(|scale| scale.is_same_manager(owned)) {
            Some(at) => {
                of_scale.remove(at);
                out.push(owned.clone());
            }
            None => {
                let mut rest = owned.clone();
                rest.fields.subtract(&one(&path));
                if !rest.fields.is_empty() {
                    out.push(rest);
                }
            }
        }
    }
    let path = path_at(paths, api_version).flatten().unwrap_or_default();
    let replicas_in_scale = [PathElement::field("spec"), PathElement::field("replicas")];
    for scale in of_scale.into_iter().filter(|scale| scale.fields.has(&replicas_in_scale)) {
        let known = owned.iter().find(|owned| owned.is_same_manager(&scale));
        let time_s = known.and_then(|owned| owned.time_s);
        let api_version = api_version.to_owned();
        out.push(Owned { api_version, fields: one(&path), time_s, ..scale });
    }
    out
}
