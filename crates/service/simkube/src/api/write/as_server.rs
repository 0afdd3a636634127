//! Writes of the server itself.

use std::sync::Arc;

use serde_json::Value;

use super::super::delete;
use super::super::options::{FieldValidation, WriteOptions};
use super::super::problem::Problem;
use super::super::request::User;
use super::super::route::Target;
use super::Write;
use super::carry_out::{ATTEMPTS_MAX, OVERTAKEN, not_kept};
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::store::{CommitError, Draft, Expect};
use crate::{meta, strategy};

/// Reads, changes and writes an object on behalf of the server itself.
///
/// `change` answers whether it changed anything. An object that is not there is left alone.
///
/// # Errors
///
/// In the server's words.
pub fn change_as_server(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    namespace: &str,
    name: &str,
    change: impl Fn(&mut Value) -> bool,
) -> Result<(), Problem> {
    let key = kind.key(namespace, name);
    for _attempt in 0..ATTEMPTS_MAX {
        let Some(entry) = cluster.store.get(&kind.table, &key) else { return Ok(()) };
        let mut object = entry.value();
        if !change(&mut object) {
            return Ok(());
        }
        meta::of(&mut object).remove("resourceVersion");
        let draft = Draft::new(&object);
        if entry.meta.deleting && delete::may_go(kind, &object) {
            match delete::finish(cluster, kind, &key, &entry, draft) {
                Err(problem) if problem.reason == OVERTAKEN => continue,
                outcome => return outcome.map(drop),
            }
        }
        match cluster.store.commit(&kind.table, &key, Expect::Revision(entry.revision), draft) {
            Ok(_) => {
                strategy::after_write(cluster, kind, Some(&entry.value()), &object);
                return Ok(());
            }
            Err(CommitError::Conflict) => {}
            Err(CommitError::NotKept(error)) => return Err(not_kept(&error)),
        }
    }
    Err(Problem::modified(kind, name))
}

/// Writes an object, or a part of it that has a door of its own, on behalf of the server under a
/// name.
///
/// # Errors
///
/// In the server's words; an object that is not there is left alone.
pub fn write_as(
    cluster: &Arc<Cluster>,
    manager: &str,
    object: &Value,
    subresource: &str,
) -> Result<(), Problem> {
    let Some((kind, target)) = target_of(cluster, object, subresource) else { return Ok(()) };
    let options = options_of(manager);
    match Write::new(cluster, &kind, &target, &options, "").replace_value(object.clone()) {
        Err(problem) if problem.code == 404 => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// The options of what the server writes under a name.
pub fn options_of(manager: &str) -> WriteOptions {
    WriteOptions {
        dry_run: false,
        field_manager: manager.to_owned(),
        field_validation: FieldValidation::Ignore,
        force: false,
        user: User::default(),
    }
}

/// Where an object stands, or a part of it; `None` where its kind is not served.
pub fn target_of(
    cluster: &Cluster,
    object: &Value,
    subresource: &str,
) -> Option<(Arc<Kind>, Target)> {
    let kinds = cluster.kinds();
    let kind = kinds.of(manifest::api_version(object), manifest::kind(object))?.clone();
    let target = Target {
        group: kind.group.clone(),
        version: kind.version.clone(),
        namespace: manifest::namespace(object).to_owned(),
        plural: kind.plural.clone(),
        name: manifest::name(object).to_owned(),
        subresource: subresource.to_owned(),
        watch: false,
    };
    Some((kind, target))
}
