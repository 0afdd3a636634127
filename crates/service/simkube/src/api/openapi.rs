//! The OpenAPI documents. Their content is `kubetypes`'; here they are kept until definitions change.

use std::collections::HashMap;
use std::fmt;

use bytes::Bytes;
use kubetypes::openapi::{self, CustomKind};
use parking_lot::Mutex;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::VERSION;
use super::problem::Problem;
use super::request::{PLAIN_TEXT, Response};
use crate::cluster::Cluster;
use crate::kinds::{Kind, Kinds};
use crate::types::tables;

/// Documents that were asked for, by path. They belong to one state of what is served.
#[derive(Default)]
pub struct Documents(Mutex<HashMap<String, Bytes>>);

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Documents")
    }
}

impl Clone for Documents {
    /// What is served has changed: the copy begins empty.
    fn clone(&self) -> Self {
        Documents::default()
    }
}

impl Documents {
    fn get(&self, path: &str, make: impl FnOnce() -> Vec<u8>) -> Bytes {
        if let Some(kept) = self.0.lock().get(path) {
            return kept.clone();
        }
        let made = Bytes::from(make());
        self.0.lock().insert(path.to_owned(), made.clone());
        made
    }
}

fn custom(kind: &Kind) -> Option<CustomKind<'_>> {
    let version = kind.definition.as_ref()?.version(&kind.version)?;
    Some(CustomKind {
        group: &kind.group,
        version: &kind.version,
        plural: &kind.plural,
        kind: &kind.kind,
        list_kind: &kind.list_kind,
        namespaced: kind.namespaced,
        schema: (!version.schema_text.is_null()).then_some(&version.schema_text),
        status: version.has_status,
        scale: version.scale.is_some(),
    })
}

fn all_custom(kinds: &Kinds) -> Vec<CustomKind<'_>> {
    let versions = kinds
        .groups
        .iter()
        .flat_map(|group| group.versions.iter().flat_map(|version| kinds.at(&group.name, version)));
    versions.filter_map(|kind| custom(kind)).collect()
}

/// Names what a group serves at a version, so that clients know when to ask again.
fn digest(kinds: &Kinds, group: &str, version: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(VERSION);
    for kind in kinds.at(group, version) {
        hasher.update(&kind.plural);
        if let Some(custom) = custom(kind) {
            hasher.update(custom.schema.map(ToString::to_string).unwrap_or_default());
            hasher.update([u8::from(custom.status), u8::from(custom.scale)]);
        }
    }
    hex::encode_upper(hasher.finalize())
}

/// Answers `/openapi/v3`.
pub fn v3_index(cluster: &Cluster) -> Response {
    let kinds = cluster.kinds();
    let body = kinds.documents.get("v3", || {
        let documents: Vec<(String, String)> = kinds
            .groups
            .iter()
            .flat_map(|group| group.versions.iter().map(|version| (group.name.as_str(), version)))
            .map(|(group, version)| {
                (openapi::v3_path(group, version), digest(&kinds, group, version))
            })
            .collect();
        let pairs = documents.iter().map(|(path, hash)| (path.as_str(), hash.as_str()));
        openapi::v3_index(pairs).to_string().into_bytes()
    });
    // As the server tells it: nobody says there what it is.
    let mut response = Response::json(200, body);
    response.content_type = PLAIN_TEXT.to_owned();
    response
}

/// Answers `/openapi/v3/PATH`; with nothing where nothing is served there.
pub fn v3(cluster: &Cluster, path: &str) -> Response {
    let nothing = || {
        let mut response = Response::json(404, Bytes::new());
        response.content_type.clear();
        response
    };
    let (group, version) = match path.split('/').collect::<Vec<_>>().as_slice() {
        ["api", version] => (String::new(), (*version).to_owned()),
        ["apis", group, version] => ((*group).to_owned(), (*version).to_owned()),
        _ => return nothing(),
    };
    let kinds = cluster.kinds();
    if kinds.at(&group, &version).next().is_none() {
        return nothing();
    }
    let body = kinds.documents.get(path, || {
        let custom: Vec<CustomKind<'_>> =
            kinds.at(&group, &version).filter_map(|kind| custom(kind)).collect();
        openapi::v3_document(tables(), &group, &version, &custom, VERSION).to_string().into_bytes()
    });
    let mut response = Response::json(200, body);
    response.headers.push(("etag", format!("\"{}\"", digest(&kinds, &group, &version))));
    response.headers.push(("vary", "Accept".to_owned()));
    response
}

/// Answers `/openapi/v2`, as protobuf where that is all the client takes.
///
/// # Errors
///
/// Never; it is made of what is there.
pub fn v2(cluster: &Cluster, accept: &str) -> Result<Response, Problem> {
    // Asked for with `@` in it by older clients, too, and always answered without.
    const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    let kinds = cluster.kinds();
    let document = || {
        let serves = |group: &str, version: &str| kinds.at(group, version).next().is_some();
        openapi::v2_document(tables(), serves, &all_custom(&kinds), VERSION)
    };
    let protobuf = accept.contains("proto-openapi.spec.v2");
    let body = if protobuf {
        kinds.documents.get("v2.pb", || openapi::v2_protobuf(&document()))
    } else {
        kinds.documents.get("v2", || document().to_string().into_bytes())
    };
    let mut response = Response::json(200, body);
    if protobuf {
        response.content_type = PROTOBUF.to_owned();
    }
    let tag = hex::encode_upper(Sha256::digest(json!([VERSION, kinds.groups.len()]).to_string()));
    response.headers.push(("etag", format!("\"{tag}\"")));
    response.headers.push(("vary", "Accept".to_owned()));
    Ok(response)
}
