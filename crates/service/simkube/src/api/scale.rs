//! How many an object has: its replicas, shown and written as a Scale.
//!
//! Upstream shows what is there as a Scale whose owners are those of the replicas, lets the Scale
//! be written as any other object, and carries number and owners back.

use std::sync::Arc;

use merge::managed::{self, Owned};
use serde_json::{Value, json};

use super::negotiate::{Form, Wanted};
use super::problem::Problem;
use super::read;
use super::request::{Request, Response};
use super::route::{Query, Target};
use super::selector;
use super::write::{self, Write};
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::{convert, meta};

/// Where a kind's replicas stand: in the spec, in the status, and the selector.
struct Places {
    spec: String,
    status: String,
    selector: Option<String>,
}

fn places(kind: &Kind) -> Places {
    let definition = kind.definition.as_ref().and_then(|d| d.version(&kind.version));
    if let Some(scale) = definition.and_then(|version| version.scale.as_ref()) {
        return Places {
            spec: scale.spec_path.clone(),
            status: scale.status_path.clone(),
            selector: Some(scale.selector_path.clone()).filter(|path| !path.is_empty()),
        };
    }
    Places {
        spec: ".spec.replicas".to_owned(),
        status: ".status.replicas".to_owned(),
        selector: Some(".spec.selector".to_owned()),
    }
}

fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').filter(|step| !step.is_empty()).try_fold(object, |at, step| at.get(step))
}

fn set_at(object: &mut Value, path: &str, value: Value) {
    let mut place = object;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[step];
    }
    *place = value;
}

fn scale_of(kind: &Kind, object: &Value) -> Value {
    let places = places(kind);
    let number = |path: &str| at(object, path).and_then(Value::as_i64).unwrap_or(0);
    let selector = places.selector.as_deref().and_then(|path| at(object, path));
    let selector = selector.map(selector::text_of).unwrap_or_default();
    let mut metadata = json!({});
    for name in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = object["metadata"].get(name) {
            metadata[name] = value.clone();
        }
    }
    let mut status = json!({"replicas": number(&places.status)});
    if !selector.is_empty() {
        status["selector"] = json!(selector);
    }
    let replicas = number(&places.spec);
    let spec = if replicas == 0 { json!({}) } else { json!({"replicas": replicas}) };
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    })
}

/// Answers a request for an object's scale.
///
/// # Errors
///
/// In the server's words.
pub fn answer(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    target: &Target,
    request: &Request,
    query: &Query,
    wanted: Wanted,
) -> Result<Response, Problem> {
    let (code, object, warnings) = match request.method.as_str() {
        "GET" => {
            let key = kind.key(&target.namespace, &target.name);
            let entry = cluster.store.get(&kind.table, &key);
            let entry = entry.ok_or_else(|| Problem::not_found(kind, &target.name))?;
            let object = convert::out(kind, entry.value())?;
            let path = places(kind).spec;
            if !kind.built_in() && is_missing(&object, &path) {
                return Err(no_replicas(&path));
            }
            (200, object, Vec::new())
        }
        "PUT" | "PATCH" => {
            let options = write::options(kind, request, query)?;
            let write = Write::new(cluster, kind, target, &options, &request.user_agent);
            let (written, warnings) = write.scale(request)?;
            (200, convert::out(kind, written.entry.value())?, warnings)
        }
        verb if !kind.built_in() => return Err(Problem::not_supported(kind, verb)),
        _ => return Err(Problem::method_not_allowed()),
    };
    let scale = scale_of(kind, &object);
    let mut response = match wanted.form {
        Form::Table(_) | Form::Metadata(_) => {
            read::value(&kind_of_scales(kind), &scale, wanted, code)?
        }
        Form::Whole => read::written(code, &scale, wanted)?,
    };
    response.warnings = warnings;
    Ok(response)
}

/// Scales as tables know them, whatever they are of.
fn kind_of_scales(of: &Kind) -> Kind {
    Kind {
        group: "autoscaling".to_owned(),
        version: "v1".to_owned(),
        kind: "Scale".to_owned(),
        plural: "scales".to_owned(),
        definition: None,
        ..of.clone()
    }
}

/// What a custom object's scale says where the object has no replicas: less than any could be.
const NO_REPLICAS: i64 = i32::MIN as i64;

fn no_replicas(path: &str) -> Problem {
    let why = format!("the spec replicas field \"{path}\" does not exist");
    let mut problem = Problem::new(500, "InternalError", format!("Internal error occurred: {why}"));
    problem.details = Some(json!({"causes": [{"message": why}]}));
    problem
}

fn is_missing(object: &Value, path: &str) -> bool {
    at(object, path).is_none_or(Value::is_null)
}

/// An object's scale before it is written.
pub struct Before {
    /// With the owners of the replicas as its own.
    pub scale: Value,
    /// Whether anybody owns the replicas.
    pub is_owned: bool,
    owned: Vec<Owned>,
}

/// Shows an object as the scale that is then written.
///
/// # Errors
///
/// Where the object's own owners cannot be read.
pub fn before(kind: &Kind, object: &Value) -> Result<Before, Problem> {
    let owned =
        managed::owners(object).map_err(|error| Problem::new(500, "", error.to_string()))?;
    let mut scale = scale_of(kind, object);
    let path = places(kind).spec;
    if !kind.built_in() && is_missing(object, &path) {
        scale["spec"]["replicas"] = json!(NO_REPLICAS);
    }
    let of_scale = with_paths(kind, |paths| managed::to_scale(&owned, paths));
    let is_owned = !of_scale.is_empty();
    managed::set_owners(&mut scale, of_scale);
    Ok(Before { scale, is_owned, owned })
}

/// Returns the object as a written scale leaves it.
///
/// # Errors
///
/// In the server's words, where the scale is none.
pub fn carried_back(
    kind: &Kind,
    object: &Value,
    before: &Before,
    scale: &Value,
) -> Result<Value, Problem> {
    let path = places(kind).spec;
    let name = meta::text(object, "name");
    let replicas = scale["spec"].get("replicas").and_then(Value::as_i64).unwrap_or(0);
    if kind.built_in() {
        let mut causes = crate::validation::create(&Kind::scale(), scale);
        if replicas < 0 {
            causes.push(meta::cause(
                "FieldValueInvalid",
                "spec.replicas",
                &format!("Invalid value: {replicas}: must be greater than or equal to 0"),
            ));
        }
        if !causes.is_empty() {
            return Err(Problem::invalid("autoscaling", "Scale", name, &causes));
        }
        let (asked, stands) = (meta::text(scale, "uid"), meta::text(object, "uid"));
        if !asked.is_empty() && asked != stands {
            let why = format!(
                "Precondition failed: UID in precondition: {asked}, UID in object meta: {stands}"
            );
            return Err(Problem::conflict_at(kind, "scale", name, &why));
        }
    } else if replicas == NO_REPLICAS {
        return Err(Problem::bad_request(format!(
            "the spec replicas field \"{path}\" cannot be empty"
        )));
    }
    let mut object = object.clone();
    set_at(&mut object, &path, json!(replicas));
    let version = meta::text(scale, "resourceVersion");
    if kind.built_in() || !version.is_empty() {
        meta::of(&mut object).insert("resourceVersion".to_owned(), json!(version));
    }
    let of_scale =
        managed::owners(scale).map_err(|error| Problem::new(500, "", error.to_string()))?;
    let owned = with_paths(kind, |paths| {
        managed::from_scale(&before.owned, of_scale, &kind.api_version(), paths)
    });
    managed::set_owners(&mut object, owned);
    Ok(object)
}

/// Tells where the replicas stand in each version of a kind.
fn with_paths<T>(kind: &Kind, act: impl FnOnce(&managed::ReplicasPaths<'_>) -> T) -> T {
    let versions: Vec<(String, Option<String>)> = match &kind.definition {
        Some(definition) => definition
            .api_versions()
            .map(|api_version| {
                let (_, version) = manifest::split_api_version(&api_version);
                let scale = definition.version(version).and_then(|found| found.scale.as_ref());
                let path = scale.map(|scale| scale.spec_path.clone());
                (api_version, path)
            })
            .collect(),
        None => vec![(kind.api_version(), Some(places(kind).spec))],
    };
    let paths: Vec<(&str, Option<&str>)> =
        versions.iter().map(|(version, path)| (version.as_str(), path.as_deref())).collect();
    act(&paths)
}
