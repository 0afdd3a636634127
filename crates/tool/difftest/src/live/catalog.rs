//! The kinds that are asked about, with whole objects of each to begin from.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use kubetypes::Tables;
use manifest::Gvk;
use merge::schema::TypeId;
use serde_json::{Map, Value, json};

/// Where the objects of the goldens are.
const INPUTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/kube/inputs");

/// The definitions of the custom kinds, with objects of each.
const CRDS: &str = include_str!("../../data/crds.json");

/// Custom kinds that only [`Catalog::wide`] knows.
const WIDE: &str = include_str!("../../data/wide.json");

/// Objects of built-in kinds for which there are no goldens.
const MORE: &str = include_str!("../../data/more.json");

/// A kind, and objects of it.
pub struct Kind {
    /// As in the objects.
    pub api_version: String,
    /// As in the objects.
    pub kind: String,
    /// As in paths.
    pub plural: String,
    /// Whether its objects stand in namespaces.
    pub namespaced: bool,
    /// The versions at which objects of the kind may be asked for, too.
    pub other_versions: Vec<String>,
    /// `status`, `scale` and the like.
    pub subresources: Vec<String>,
    /// Whole objects that are accepted, most of them.
    pub objects: Vec<Value>,
    /// The type of a built-in kind's objects.
    pub type_id: Option<TypeId>,
    /// Whether objects would change how the server treats others: these are only tried.
    pub only_tried: bool,
}

/// All kinds, and what values their fields have in the objects.
pub struct Catalog {
    /// Built-in kinds first.
    pub kinds: Vec<Kind>,
    /// Values by the name of their field.
    pub seen: BTreeMap<String, Vec<Value>>,
    /// The definitions to make before anything is asked.
    pub definitions: Vec<Value>,
}

/// Kinds whose objects others feel.
const ONLY_TRIED: [&str; 11] = [
    "APIService",
    "CustomResourceDefinition",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "Namespace",
    "StorageClass",
    "LimitRange",
];

impl Catalog {
    /// Reads the objects.
    pub fn read() -> Result<Catalog> {
        Catalog::with(&[CRDS])
    }

    /// Reads the objects, those of more custom kinds among them.
    pub fn wide() -> Result<Catalog> {
        Catalog::with(&[CRDS, WIDE])
    }

    fn with(customs: &[&str]) -> Result<Catalog> {
        let tables = kubetypes::tables(36);
        let mut catalog =
            Catalog { kinds: Vec::new(), seen: BTreeMap::new(), definitions: Vec::new() };
        let mut files: Vec<_> = std::fs::read_dir(INPUTS)?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
            .collect();
        files.sort();
        for file in &files {
            let input = json_of(file)?;
            catalog.kinds.extend(built_in(
                tables,
                &input["apiVersion"],
                &input["kind"],
                objects(&input)?,
            ));
        }
        let more: Vec<Value> = serde_json::from_str(MORE)?;
        for object in more {
            let (api_version, kind) = (object["apiVersion"].clone(), object["kind"].clone());
            let same = |known: &&mut Kind| known.api_version == api_version && known.kind == kind;
            match catalog.kinds.iter_mut().find(same) {
                Some(known) => known.objects.push(object),
                None => catalog.kinds.extend(built_in(tables, &api_version, &kind, vec![object])),
            }
        }
        for customs in customs {
            let customs: Vec<Value> = serde_json::from_str(customs)?;
            for custom in &customs {
                catalog.kinds.push(custom_kind(custom));
                catalog.definitions.push(custom["crd"].clone());
            }
        }
        let mut seen = BTreeMap::new();
        for object in catalog.kinds.iter().flat_map(|kind| &kind.objects) {
            note(object, &mut seen);
        }
        catalog.seen = seen;
        Ok(catalog)
    }
}

fn built_in(
    tables: &'static Tables,
    api_version: &Value,
    kind: &Value,
    objects: Vec<Value>,
) -> Option<Kind> {
    let (api_version, kind) = (api_version.as_str()?, kind.as_str()?);
    let (group, version) = manifest::split_api_version(api_version);
    let gvk = Gvk { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() };
    let resource = tables.resource_of(&gvk)?;
    Some(Kind {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        plural: resource.plural.to_owned(),
        namespaced: resource.namespaced,
        other_versions: match api_version {
            "autoscaling/v1" => vec!["autoscaling/v2".to_owned()],
            "autoscaling/v2" => vec!["autoscaling/v1".to_owned()],
            _ => Vec::new(),
        },
        subresources: resource.subresources.iter().map(|sub| sub.name.to_owned()).collect(),
        objects,
        type_id: tables.type_of(&gvk),
        only_tried: ONLY_TRIED.contains(&kind),
    })
}

fn custom_kind(custom: &Value) -> Kind {
    let spec = &custom["crd"]["spec"];
    let base = &custom["base"];
    let mut objects = vec![base.clone()];
    for case in custom["cases"].as_array().into_iter().flatten() {
        objects.push(patched(base, case));
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let subresources = spec["versions"][0]["subresources"].as_object();
    Kind {
        api_version: text(&base["apiVersion"]),
        kind: text(&base["kind"]),
        plural: text(&spec["names"]["plural"]),
        namespaced: spec["scope"] == "Namespaced",
        other_versions: spec["versions"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|version| version["served"] == true)
            .map(|version| format!("{}/{}", text(&spec["group"]), text(&version["name"])))
            .filter(|version| *version != text(&base["apiVersion"]))
            .collect(),
        subresources: subresources.into_iter().flat_map(Map::keys).cloned().collect(),
        objects,
        type_id: None,
        only_tried: false,
    }
}

/// The objects of one file of `tests/kube/inputs`, see the README there.
fn objects(input: &Value) -> Result<Vec<Value>> {
    let mut base = input["base"].clone();
    base["apiVersion"] = input["apiVersion"].clone();
    base["kind"] = input["kind"].clone();
    let mut out = vec![base.clone()];
    for (shared, at) in input["include"].as_object().into_iter().flatten() {
        let at = at.as_str().context("a pointer")?;
        let more = json_of(&Path::new(INPUTS).join(format!("shared/{shared}.json")))?;
        for patch in more["cases"].as_object().context("cases")?.values() {
            let mut patch = patch.clone();
            for part in at.split('/').skip(1).collect::<Vec<_>>().into_iter().rev() {
                patch = json!({part: patch});
            }
            out.push(patched(&base, &patch));
        }
    }
    out.extend(
        input["cases"].as_object().context("cases")?.values().map(|patch| patched(&base, patch)),
    );
    Ok(out)
}

fn json_of(file: &Path) -> Result<Value> {
    let text = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("reading {}", file.display()))
}

fn patched(object: &Value, patch: &Value) -> Value {
    let mut object = object.clone();
    patch_into(&mut object, patch);
    real_nulls(&mut object);
    object
}

fn patch_into(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    let Value::Object(into) = into else { return };
    for (key, value) in patch {
        if value.is_null() {
            into.remove(key);
        } else {
            patch_into(into.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

fn real_nulls(value: &mut Value) {
    match value {
        Value::String(text) if text == "$null" => *value = Value::Null,
        Value::Array(items) => items.iter_mut().for_each(real_nulls),
        Value::Object(map) => map.values_mut().for_each(real_nulls),
        _ => {}
    }
}

/// Notes the values of fields, lists' items included.
fn note(value: &Value, seen: &mut BTreeMap<String, Vec<Value>>) {
    match value {
        Value::Object(fields) => {
            for (name, item) in fields {
                let values = seen.entry(name.clone()).or_default();
                if values.len() < 40 && !values.contains(item) {
                    values.push(item.clone());
                }
                note(item, seen);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| note(item, seen)),
        _ => {}
    }
}
