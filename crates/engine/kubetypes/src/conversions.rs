//! What the way through the internal types does to an object, beyond reading and writing it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use manifest::Gvk;
use serde_json::{Map, Value};

use crate::tables::Tables;
use crate::walk::{Visit, walk};

/// Changes an object as the conversion to the internal type and back does.
pub(crate) fn through_internal(tables: &Tables, kind: &Gvk, object: &mut Value) {
    if let Some(id) = tables.struct_of(kind) {
        walk(tables, id, object, &mut Converting);
    }
}

struct Converting;

impl Visit for Converting {
    fn object(&mut self, name: &'static str, object: &mut Map<String, Value>) {
        match name {
            "io.k8s.api.core.v1.Secret" => fold_string_data(object),
            "io.k8s.api.core.v1.PodSpec" => name_service_account_twice(object),
            "io.k8s.api.core.v1.Pod" => {
                drop_annotations(object, &INIT_CONTAINERS);
                let grace = object
                    .get_mut("spec")
                    .and_then(|spec| spec.get_mut("terminationGracePeriodSeconds"));
                if let Some(seconds) = grace
                    && seconds.as_i64().is_some_and(|seconds| seconds < 0)
                {
                    *seconds = 1.into();
                }
            }
            "io.k8s.api.core.v1.PodTemplateSpec" => drop_annotations(object, &INIT_CONTAINERS),
            "io.k8s.api.apps.v1.DaemonSet" => number_template(object),
            "io.k8s.api.apps.v1.StatefulSetSpec" => name_claim_templates(object),
            _ => {}
        }
    }
}

/// Written by servers before 1.8, and read by none since.
const INIT_CONTAINERS: [&str; 4] = [
    "pod.beta.kubernetes.io/init-containers",
    "pod.alpha.kubernetes.io/init-containers",
    "pod.beta.kubernetes.io/init-container-statuses",
    "pod.alpha.kubernetes.io/init-container-statuses",
];

fn drop_annotations(object: &mut Map<String, Value>, names: &[&str]) {
    let Some(Value::Object(metadata)) = object.get_mut("metadata") else { return };
    let Some(Value::Object(annotations)) = metadata.get_mut("annotations") else { return };
    annotations.retain(|name, _| !names.contains(&name.as_str()));
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
}

/// `stringData` is written into `data`, over what stands there, and is never read back.
fn fold_string_data(secret: &mut Map<String, Value>) {
    let Some(Value::Object(plain)) = secret.remove("stringData") else { return };
    let data = secret.entry("data").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(data) = data {
        for (key, value) in plain {
            let encoded = STANDARD.encode(value.as_str().unwrap_or_default());
            data.insert(key, encoded.into());
        }
    }
}

/// `serviceAccount` is an older name of `serviceAccountName`; both are always written.
fn name_service_account_twice(spec: &mut Map<String, Value>) {
    let name = ["serviceAccountName", "serviceAccount"]
        .iter()
        .find_map(|field| spec.get(*field).filter(|name| name.as_str().is_some_and(|n| !n.is_empty())))
        .cloned();
    if let Some(name) = name {
        spec.insert("serviceAccountName".to_owned(), name.clone());
        spec.insert("serviceAccount".to_owned(), name);
    }
}

/// The template's generation, which no version has as a field any more, is always written as an
/// annotation: 0 until the server's strategy counts it.
fn number_template(set: &mut Map<String, Value>) {
    if let Some(Value::Object(metadata)) = set.get_mut("metadata") {
        let annotations =
            metadata.entry("annotations").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(annotations) = annotations {
            annotations
                .entry("deprecated.daemonset.template.generation")
                .or_insert_with(|| "0".into());
        }
    }
}

/// Claim templates always say what they are.
fn name_claim_templates(spec: &mut Map<String, Value>) {
    let Some(Value::Array(templates)) = spec.get_mut("volumeClaimTemplates") else { return };
    for template in templates.iter_mut().filter_map(Value::as_object_mut) {
        template.insert("apiVersion".to_owned(), "v1".into());
        template.insert("kind".to_owned(), "PersistentVolumeClaim".into());
    }
}
