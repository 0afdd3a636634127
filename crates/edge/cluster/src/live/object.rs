//! One object as it is remembered: a small index, and its body where it is somebody's.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use manifest::{Gvk, ObjectKey, split_api_version};
use serde_json::Value;

use crate::compact::Compact;
use crate::kinds::KindInfo;

/// What the service knows about objects, and this crate does not.
///
/// Called once for each change of an object, on the watch's own task: it must be quick.
pub trait Lens: Send + Sync {
    /// The application that an object says it belongs to. Asked only of objects without an
    /// owner, as upstream does: what a controller made bears copied labels.
    fn app_of(&self, object: &Value) -> Option<String>;

    /// What of an object matters: the same number, nothing changed that anybody looks at.
    fn fingerprint(&self, object: &Value) -> u64 {
        fingerprint(object)
    }

    /// What is kept of an object that is no application's own, beside its metadata.
    fn summary(&self, object: &Value) -> Option<Value> {
        let _ = object;
        None
    }
}

/// A number for all of an object but `metadata.resourceVersion`, `metadata.generation` and
/// `metadata.managedFields`. The same in one process, not across versions of this program.
pub fn fingerprint(object: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    if let Some(map) = object.as_object() {
        for (field, value) in map {
            field.hash(&mut hasher);
            match (field.as_str(), value.as_object()) {
                ("metadata", Some(metadata)) => {
                    for (field, value) in metadata {
                        if !matches!(
                            field.as_str(),
                            "resourceVersion" | "generation" | "managedFields"
                        ) {
                            field.hash(&mut hasher);
                            hash_value(value, &mut hasher);
                        }
                    }
                }
                _ => hash_value(value, &mut hasher),
            }
        }
    }
    hasher.finish()
}

fn hash_value(value: &Value, hasher: &mut DefaultHasher) {
    match value {
        Value::Null => hasher.write_u8(0),
        Value::Bool(value) => hasher.write_u8(1 + u8::from(*value)),
        Value::Number(number) => {
            hasher.write_u8(3);
            number.hash(hasher);
        }
        Value::String(text) => {
            hasher.write_u8(4);
            text.hash(hasher);
        }
        Value::Array(list) => {
            hasher.write_u8(5);
            hasher.write_usize(list.len());
            list.iter().for_each(|item| hash_value(item, hasher));
        }
        Value::Object(map) => {
            hasher.write_u8(6);
            hasher.write_usize(map.len());
            for (field, value) in map {
                field.hash(hasher);
                hash_value(value, hasher);
            }
        }
    }
}

/// Who owns an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// `""` is the core group.
    pub group: Arc<str>,
    /// As in `ReplicaSet`.
    pub kind: Arc<str>,
    /// In the object's namespace, or in none.
    pub name: Arc<str>,
    /// `""` for an owner that is only known by its name.
    pub uid: Arc<str>,
    /// Whether the owner manages the object.
    pub controller: bool,
}

/// One object of a cluster.
#[derive(Clone)]
pub struct LiveObject {
    pub(super) kind: Arc<KindInfo>,
    pub(super) namespace: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) uid: Arc<str>,
    pub(super) resource_version: Box<str>,
    pub(super) created: Box<str>,
    pub(super) app: Option<Arc<str>>,
    pub(super) owners: Box<[Owner]>,
    pub(super) hash: u64,
    pub(super) deleting: bool,
    /// What the names of a StatefulSet's volume claims begin with.
    pub(super) claim_prefixes: Option<Box<[Box<str>]>>,
    /// Which lens looked at it.
    pub(super) lens: u32,
    summary: Option<Compact>,
    body: Option<Compact>,
}

impl std::fmt::Debug for LiveObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveObject")
            .field("key", &self.key().to_string())
            .field("uid", &self.uid)
            .field("resource_version", &self.resource_version)
            .field("app", &self.app)
            .finish_non_exhaustive()
    }
}

impl LiveObject {
    /// What it is called.
    pub fn key(&self) -> ObjectKey {
        let Gvk { group, kind, .. } = self.kind.gvk.clone();
        ObjectKey {
            group,
            kind,
            namespace: self.namespace.to_string(),
            name: self.name.to_string(),
        }
    }

    /// Its kind at the version at which it is watched.
    pub fn gvk(&self) -> &Gvk {
        &self.kind.gvk
    }

    /// What the cluster says about its kind.
    pub fn kind(&self) -> &KindInfo {
        &self.kind
    }

    /// `""` where it has none.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its unique id; `""` for the few kinds that have none.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The version that the cluster last wrote.
    pub fn resource_version(&self) -> &str {
        &self.resource_version
    }

    /// When it was made, as RFC 3339 writes it.
    pub fn created(&self) -> &str {
        &self.created
    }

    /// The application that it is tracked by itself.
    pub fn app(&self) -> Option<&str> {
        self.app.as_deref()
    }

    /// What the lens said of its content.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Who owns it, inferred owners among them.
    pub fn owners(&self) -> &[Owner] {
        &self.owners
    }

    /// Whether it is being deleted.
    pub fn deleting(&self) -> bool {
        self.deleting
    }

    /// The whole object, where it is kept: for an application's own objects and for CRDs.
    pub fn body(&self) -> Option<Value> {
        self.body.as_ref().map(Compact::unpack)
    }

    /// Whether the whole object is kept.
    pub fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// What the lens kept of it.
    pub fn summary(&self) -> Option<Value> {
        self.summary.as_ref().map(Compact::unpack)
    }

    /// Whether nothing is kept of it that a change of its content would change.
    pub(super) fn is_untold(&self) -> bool {
        self.app.is_none()
            && self.body.is_none()
            && self.summary.is_none()
            && self.claim_prefixes.is_none()
    }

    /// Bytes at rest, about: what stands behind the index is counted, the index itself is not.
    pub fn size_bytes(&self) -> usize {
        std::mem::size_of::<Self>()
            + self.body.as_ref().map_or(0, Compact::len)
            + self.summary.as_ref().map_or(0, Compact::len)
            + self.owners.len() * std::mem::size_of::<Owner>()
    }

    pub(super) fn is_kind(&self, group: &str, kind: &str) -> bool {
        self.kind.gvk.group == group && self.kind.gvk.kind == kind
    }

    /// Whether `claim` is the name of a volume claim that this StatefulSet made.
    pub(super) fn made_claim(&self, claim: &str) -> bool {
        self.claim_prefixes.iter().flat_map(|prefixes| prefixes.iter()).any(|prefix| {
            claim.rfind(&**prefix).is_some_and(|at| {
                let ordinal = &claim[at + prefix.len()..];
                !ordinal.is_empty() && ordinal.bytes().all(|byte| byte.is_ascii_digit())
            })
        })
    }

    /// Takes what is to be remembered out of an object.
    pub(super) fn of(
        kind: &Arc<KindInfo>,
        object: &Value,
        lens: &dyn Lens,
        lens_number: u32,
        share: &mut dyn FnMut(&str) -> Arc<str>,
    ) -> Self {
        let owners = owners_of(object, share);
        let app = match owners.is_empty() {
            true => lens.app_of(object).map(|app| share(&app)),
            false => None,
        };
        let keeps = app.is_some() || is_crd(kind);
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or("");
        Self {
            namespace: share(manifest::namespace(object)),
            name: manifest::name(object).into(),
            uid: manifest::uid(object).into(),
            resource_version: manifest::resource_version(object).into(),
            created: text("/metadata/creationTimestamp").into(),
            owners,
            hash: lens.fingerprint(object),
            deleting: object.pointer("/metadata/deletionTimestamp").is_some(),
            claim_prefixes: claim_prefixes(kind, object),
            lens: lens_number,
            summary: lens.summary(object).as_ref().map(Compact::pack),
            body: keeps.then(|| Compact::pack(object)),
            app,
            kind: kind.clone(),
        }
    }
}

/// Upstream keeps CRDs whole: they bear no tracking, and are compared all the same.
fn is_crd(kind: &KindInfo) -> bool {
    kind.gvk.kind == "CustomResourceDefinition" && kind.gvk.group == "apiextensions.k8s.io"
}

fn claim_prefixes(kind: &KindInfo, object: &Value) -> Option<Box<[Box<str>]>> {
    if kind.gvk.kind != "StatefulSet" || kind.gvk.group != "apps" {
        return None;
    }
    let name = manifest::name(object);
    let templates = object.pointer("/spec/volumeClaimTemplates")?.as_array()?;
    Some(templates.iter().map(|t| format!("{}-{name}-", manifest::name(t)).into()).collect())
}

/// The owners that an object names, and those that upstream infers where it names none of them.
fn owners_of(object: &Value, share: &mut dyn FnMut(&str) -> Arc<str>) -> Box<[Owner]> {
    let mut owners: Vec<Owner> = manifest::owner_references(object)
        .into_iter()
        .map(|reference| Owner {
            group: share(split_api_version(&reference.api_version).0),
            kind: share(&reference.kind),
            name: share(&reference.name),
            uid: share(&reference.uid),
            controller: reference.controller,
        })
        .collect();
    let mut infer = |group: &str, kind: &str, name: &str, uid: &str| {
        owners.push(Owner {
            group: share(group),
            kind: share(kind),
            name: share(name),
            uid: share(uid),
            controller: false,
        });
    };
    match (manifest::gvk(object).group.as_str(), manifest::kind(object)) {
        ("", "Endpoints") => infer("", "Service", manifest::name(object), ""),
        ("", "Secret") if is_token(object) => {
            let annotation = |key| manifest::annotation(object, key).unwrap_or("");
            let name = annotation("kubernetes.io/service-account.name");
            let uid = annotation("kubernetes.io/service-account.uid");
            if !name.is_empty() && !uid.is_empty() {
                infer("", "ServiceAccount", name, uid);
            }
        }
        ("operators.coreos.com", "ClusterServiceVersion") => {
            let group = manifest::annotation(object, "olm.operatorGroup").unwrap_or("");
            if !group.is_empty() {
                infer("operators.coreos.com", "OperatorGroup", group, "");
            }
        }
        _ => {}
    }
    owners.into()
}

fn is_token(object: &Value) -> bool {
    object.get("type").and_then(Value::as_str) == Some("kubernetes.io/service-account-token")
}
