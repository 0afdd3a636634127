//! Deletion: preconditions, grace, finalizers, and what becomes of what the object owns.

use std::sync::Arc;

use serde_json::{Value, json};

use super::negotiate::Wanted;
use super::options::{DeleteOptions, ListOptions, Propagation};
use super::problem::Problem;
use super::read;
use super::request::{Request, Response, User};
use super::route::Query;
use super::selector::Selector;
use super::write;
use crate::body;
use crate::cluster::Cluster;
use crate::crds::CLEANUP;
use crate::kinds::Kind;
use crate::store::{CommitError, Draft, Entry, Expect};
use crate::strategy::policies;
use crate::{convert, meta, strategy};

/// The finalizer that waits for what the object owns to go.
pub const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer that waits for what the object owns to be let go of.
pub const ORPHAN: &str = "orphan";

const ATTEMPTS_MAX: usize = 16;
/// How many objects one deletion of a collection reads.
const PAGE_MAX: usize = 10_000;

/// How a deletion ended.
#[derive(Debug)]
pub enum Deleted {
    /// The object is gone; this is how it stood last.
    Gone(Entry),
    /// Something holds it: it stands there with a deletion timestamp.
    Waits(Entry),
}

/// Reads the options of a deletion from its body or its query.
///
/// # Errors
///
/// 400 or 422 where they are nonsense.
pub fn options(request: &Request, query: &Query) -> Result<DeleteOptions, Problem> {
    let options = said(request, query)?;
    Ok(DeleteOptions { user: Some(request.user.clone()), ..options })
}

fn said(request: &Request, query: &Query) -> Result<DeleteOptions, Problem> {
    if request.body.is_empty() {
        return DeleteOptions::parse(query, None);
    }
    // What is wrong with options is told without saying what they should have been.
    let plainly = |mut problem: Problem| {
        if let Some((_, said)) = problem.message.split_once("couldn't get version/kind") {
            let said = said.rsplit_once(" (").map_or(said, |(said, _)| said);
            problem.message = format!("couldn't get version/kind{said}");
        }
        problem
    };
    let parsed = match body::media(&request.content_type).to_ascii_lowercase().as_str() {
        "application/vnd.kubernetes.protobuf" => {
            if !request.body.starts_with(body::PROTOBUF) {
                return Err(Problem::bad_request(body::NO_PROTOBUF));
            }
            crate::types::from_protobuf(&request.body).map_err(Problem::bad_request)?
        }
        "application/yaml" => body::json_or_yaml(&request.body)?.value,
        "" | "application/json" | "*/*" => {
            body::json(&request.body, "DeleteOptions").map_err(plainly)?.value
        }
        _ => {
            return Err(Problem::new(415, "UnsupportedMediaType", body::UNKNOWN_FORMAT));
        }
    };
    if !parsed.is_object() && !parsed.is_null() {
        return Err(Problem::bad_request(format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}",
            body::go_type(&parsed)
        )));
    }
    are_options(&parsed)?;
    DeleteOptions::parse(query, Some(&parsed))
}

/// Refuses a body that says it is something else, or whose fields are of other types.
fn are_options(body: &Value) -> Result<(), Problem> {
    let (api_version, named) = (manifest::api_version(body), manifest::kind(body));
    let is_other = !api_version.is_empty() && !named.is_empty() && named != "DeleteOptions";
    if is_other && crate::kinds::Kinds::built_in().of(api_version, named).is_none() {
        return Err(Problem::bad_request(format!(
            "no kind \"{named}\" is registered for version \"{api_version}\" in scheme \"pkg/runtime/scheme.go:111\""
        )));
    }
    type Fits = fn(&Value) -> bool;
    let fields: [(&str, &str, Fits); 4] = [
        ("gracePeriodSeconds", "int64", Value::is_i64),
        ("preconditions", "v1.Preconditions", Value::is_object),
        ("orphanDependents", "bool", Value::is_boolean),
        ("propagationPolicy", "v1.DeletionPropagation", Value::is_string),
    ];
    for (name, wanted, fits) in fields {
        let found = &body[name];
        if !found.is_null() && !fits(found) {
            let what = match found {
                Value::Number(number) if wanted == "int64" => format!("number {number}"),
                other => body::go_type(other).to_owned(),
            };
            return Err(Problem::bad_request(format!(
                "json: cannot unmarshal {what} into Go struct field DeleteOptions.{name} of type {wanted}"
            )));
        }
    }
    Ok(())
}

/// Answers DELETE on an object.
///
/// # Errors
///
/// In the server's words.
pub fn one(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    namespace: &str,
    name: &str,
    options: &DeleteOptions,
    wanted: Wanted,
) -> Result<Response, Problem> {
    let outcome = delete(cluster, kind, namespace, name, options)
        .and_then(|deleted| told(kind, name, deleted, wanted));
    warned_of_pods(kind, options, outcome)
}

/// Who deletes jobs is told what becomes of their pods before anything is looked at.
fn warned_of_pods(
    kind: &Kind,
    options: &DeleteOptions,
    outcome: Result<Response, Problem>,
) -> Result<Response, Problem> {
    if !kind.is("batch", "Job") || options.propagation.is_some() {
        return outcome;
    }
    match outcome {
        Ok(mut response) => {
            response.warnings.push(JOB_WARNING.to_owned());
            Ok(response)
        }
        Err(mut problem) => {
            problem.warnings.push(JOB_WARNING.to_owned());
            Err(problem)
        }
    }
}

/// Returns the answer to a deletion.
fn told(kind: &Kind, name: &str, deleted: Deleted, wanted: Wanted) -> Result<Response, Problem> {
    match deleted {
        Deleted::Gone(entry) if strategy::returns_deleted(kind) => {
            read::one(kind, &entry, wanted, 200)
        }
        Deleted::Gone(entry) => {
            let mut details = json!({"name": name, "kind": kind.plural, "uid": &*entry.meta.uid});
            if !kind.group.is_empty() {
                details["group"] = json!(kind.group);
            }
            Ok(Response::value(
                200,
                &json!({
                    "kind": "Status",
                    "apiVersion": "v1",
                    "metadata": {},
                    "status": "Success",
                    "details": details,
                }),
            ))
        }
        Deleted::Waits(entry) => read::one(kind, &entry, wanted, 200),
    }
}

const JOB_WARNING: &str = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";

/// Answers DELETE on a collection.
///
/// # Errors
///
/// In the server's words; what went before the error is gone.
pub fn collection(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    namespace: &str,
    list: &ListOptions,
    options: &DeleteOptions,
) -> Result<Response, Problem> {
    let selector = Selector::parse(&list.labels, &list.fields, kind)?;
    let options = &DeleteOptions { of_many: true, ..options.clone() };
    warned_of_pods(kind, options, selected(cluster, kind, namespace, list, &selector, options))
}

/// Deletes what is selected.
fn selected(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    namespace: &str,
    list: &ListOptions,
    selector: &Selector,
    options: &DeleteOptions,
) -> Result<Response, Problem> {
    let limit = if list.limit == 0 { PAGE_MAX } else { list.limit };
    let list = &ListOptions { limit, ..list.clone() };
    let page = read::select(cluster, kind, namespace, list, selector)?;
    let mut items = Vec::new();
    for entry in &page.entries {
        let object = entry.value();
        let (ns, name) = (meta::text(&object, "namespace"), meta::text(&object, "name"));
        match delete(cluster, kind, ns, name, options) {
            Ok(Deleted::Gone(_) | Deleted::Waits(_)) => {}
            Err(problem) if problem.code == 404 => {}
            Err(problem) => return Err(problem),
        }
        let mut shown = convert::out(kind, object)?;
        if let (true, Some(fields)) = (kind.built_in(), shown.as_object_mut()) {
            fields.remove("kind");
            fields.remove("apiVersion");
        }
        items.push(shown);
    }
    let mut metadata = json!({"resourceVersion": page.revision.to_string()});
    match &page.next {
        Some(token) => metadata["continue"] = json!(token),
        None if !kind.built_in() => metadata["continue"] = json!(""),
        None => {}
    }
    if let Some(remaining) = page.remaining {
        metadata["remainingItemCount"] = json!(remaining);
    }
    Ok(Response::value(
        200,
        &json!({
            "kind": kind.list_kind,
            "apiVersion": kind.api_version(),
            "metadata": metadata,
            "items": items,
        }),
    ))
}

/// Deletes an object, or begins to.
///
/// # Errors
///
/// 404 where it is not there, 409 where a precondition does not hold.
pub fn delete(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    namespace: &str,
    name: &str,
    options: &DeleteOptions,
) -> Result<Deleted, Problem> {
    let key = kind.key(namespace, name);
    for _attempt in 0..ATTEMPTS_MAX {
        let entry =
            cluster.store.get(&kind.table, &key).ok_or_else(|| Problem::not_found(kind, name))?;
        preconditions(kind, name, &entry, options)?;
        strategy::admit_delete(kind, name)?;
        if let Some(user) = &options.user {
            held_to_policies(cluster, kind, &entry, user, options)?;
        }
        match attempt(cluster, kind, &key, &entry, options) {
            Err(problem) if write::was_overtaken(&problem) => {}
            outcome => return outcome,
        }
    }
    Err(Problem::modified(kind, name))
}

/// Holds a deletion to the policies that are bound. What they warn of is told by refusals alone.
fn held_to_policies(
    cluster: &Cluster,
    kind: &Kind,
    entry: &Entry,
    user: &User,
    options: &DeleteOptions,
) -> Result<(), Problem> {
    if !policies::are_bound(cluster) {
        return Ok(());
    }
    let old = convert::out(kind, entry.value())?;
    let change = policies::Change {
        kind,
        door: "",
        named: !options.of_many,
        old: Some(&old),
        new: None,
        user,
        dry_run: options.dry_run,
    };
    policies::admit(cluster, &change).map(drop)
}

fn preconditions(
    kind: &Kind,
    name: &str,
    entry: &Entry,
    options: &DeleteOptions,
) -> Result<(), Problem> {
    if let Some(uid) = options.uid.as_deref().filter(|uid| **uid != *entry.meta.uid) {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            entry.meta.uid
        );
        return Err(precondition_problem(kind, name, &why));
    }
    let version = entry.revision.to_string();
    if let Some(wanted) = options.resource_version.as_deref().filter(|wanted| **wanted != version) {
        let why = format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({version}). The object might have been modified"
        );
        return Err(precondition_problem(kind, name, &why));
    }
    Ok(())
}

/// A failed precondition names the kind, not the resource.
fn precondition_problem(kind: &Kind, name: &str, why: &str) -> Problem {
    let mut named = Kind { plural: kind.kind.clone(), ..kind.clone() };
    if kind.group == "events.k8s.io" {
        named.group = String::new();
    }
    Problem::conflict(&named, name, why)
}

fn attempt(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    key: &str,
    entry: &Entry,
    options: &DeleteOptions,
) -> Result<Deleted, Problem> {
    let mut object = entry.value();
    let before = meta::texts(&object, "finalizers");
    let mut after = finalizers_for(kind, &before, options);
    // A definition waits for its objects.
    let defines = kind.is("apiextensions.k8s.io", "CustomResourceDefinition");
    if defines && !entry.meta.deleting && !after.iter().any(|name| name == CLEANUP) {
        after.push(CLEANUP.to_owned());
    }
    let grace = strategy::grace_s(kind, &object, options.grace_period_s);
    let was_deleting = entry.meta.deleting;
    let mut changed = before != after;
    if changed {
        set_finalizers(&mut object, &after);
    }
    let namespace = kind.is("", "Namespace");
    let held = !after.is_empty() || grace > 0 || (namespace && namespace_held(&object));
    if !held {
        return go(cluster, kind, key, entry, object, options);
    }
    let now = cluster.now();
    if was_deleting {
        // A shorter grace replaces a longer one.
        let left = object["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(0);
        if grace < left && options.grace_period_s.is_some() {
            strategy::mark_deleting(&mut object, now, grace);
            changed = true;
        }
    } else {
        strategy::mark_deleting(&mut object, now, grace);
        if namespace {
            object["status"]["phase"] = json!("Terminating");
            meta::of(&mut object).remove("deletionGracePeriodSeconds");
        }
        changed = true;
    }
    if !changed {
        return Ok(Deleted::Waits(entry.clone()));
    }
    meta::of(&mut object).remove("resourceVersion");
    let draft = Draft::new(&object);
    if options.dry_run {
        return Ok(Deleted::Waits(draft.kept_as(entry.revision)));
    }
    match cluster.store.commit(&kind.table, key, Expect::Revision(entry.revision), draft) {
        Ok(entry) => {
            cluster.unwritten.kept_as_shown(&object);
            Ok(Deleted::Waits(entry))
        }
        Err(CommitError::Conflict) => Err(write::overtaken()),
        Err(CommitError::NotKept(error)) => Err(write::not_kept(&error)),
    }
}

fn go(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    key: &str,
    entry: &Entry,
    mut object: Value,
    options: &DeleteOptions,
) -> Result<Deleted, Problem> {
    let left = object["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(0);
    if strategy::graceful(kind) && (!entry.meta.deleting || left > 0) {
        // Who has a grace period of zero is still seen to be deleted, and then goes at once.
        strategy::mark_deleting(&mut object, cluster.now(), 0);
    }
    meta::of(&mut object).remove("resourceVersion");
    let draft = Draft::new(&object);
    if options.dry_run {
        return Ok(Deleted::Gone(draft.kept_as(entry.revision)));
    }
    finish(cluster, kind, key, entry, draft).map(Deleted::Gone)
}

/// Returns whether nothing holds an object that is being deleted any longer.
pub fn may_go(kind: &Kind, object: &Value) -> bool {
    let waits = object["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(0) > 0;
    let held = kind.is("", "Namespace") && namespace_held(object);
    !waits && !held && meta::texts(object, "finalizers").is_empty()
}

fn namespace_held(object: &Value) -> bool {
    object["spec"]["finalizers"].as_array().is_some_and(|list| !list.is_empty())
}

/// Removes an object; `last` is how watchers see it go.
///
/// # Errors
///
/// The mark of an overtaken write, or what the disk said.
pub fn finish(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    key: &str,
    entry: &Entry,
    last: Draft,
) -> Result<Entry, Problem> {
    match cluster.store.remove_as(&kind.table, key, entry.revision, last) {
        Ok(gone) => {
            strategy::after_removal(cluster, kind, &gone);
            Ok(gone)
        }
        Err(CommitError::Conflict) => Err(write::overtaken()),
        Err(CommitError::NotKept(error)) => Err(write::not_kept(&error)),
    }
}

/// Returns the finalizers that a deletion with these options leaves.
fn finalizers_for(kind: &Kind, before: &[String], options: &DeleteOptions) -> Vec<String> {
    let has = |name: &str| before.iter().any(|at| at == name);
    let propagation = options.propagation;
    let orphan = match propagation {
        Some(policy) => policy == Propagation::Orphan,
        None => has(ORPHAN) || (!has(FOREGROUND) && strategy::orphans_by_default(kind)),
    };
    let foreground = match propagation {
        Some(policy) => policy == Propagation::Foreground,
        None => has(FOREGROUND) && !has(ORPHAN),
    };
    if !strategy::is_collected(kind) {
        return before.to_vec();
    }
    let mut after: Vec<String> =
        before.iter().filter(|name| *name != ORPHAN && *name != FOREGROUND).cloned().collect();
    if orphan {
        after.push(ORPHAN.to_owned());
    }
    if foreground {
        after.push(FOREGROUND.to_owned());
    }
    after
}

fn set_finalizers(object: &mut Value, finalizers: &[String]) {
    let metadata = meta::of(object);
    if finalizers.is_empty() {
        metadata.remove("finalizers");
    } else {
        metadata.insert("finalizers".to_owned(), json!(finalizers));
    }
}
