//! What a kind's objects look like: the built-in kinds by `kubetypes`, others by their definition.

use kubetypes::{DecodeError, Source, Tables};
use manifest::Gvk;
use serde_json::{Map, Value, json};

use crate::api::problem::Problem;
use crate::kinds::Kind;
use crate::{body, convert, crds};

/// An object as its kind reads it.
#[derive(Debug)]
pub struct Decoded {
    /// Without unknown fields, in canonical form.
    pub value: Value,
    /// What strict decoding objects to, for example `unknown field "spec.foo"`.
    pub faults: Vec<String>,
}

/// The tables of the version that is simulated.
pub fn tables() -> &'static Tables {
    kubetypes::tables(36)
}

/// Why an object cannot be read as its kind; the text is the server's.
#[derive(Debug)]
pub struct Undecodable(pub String);

impl Undecodable {
    /// Returns the answer to a request whose body it is.
    pub fn of_body(self, kind: &Kind) -> Problem {
        Problem::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: {}",
            kind.kind, kind.version, kind.kind, self.0
        ))
    }
}

/// Reads an object as its kind: unknown fields go, quantities become canonical.
///
/// # Errors
///
/// Where a field has a type that the kind cannot hold.
pub fn decode(kind: &Kind, value: Value) -> Result<Decoded, Undecodable> {
    decode_as(kind, value, true)
}

/// `new`: whether the object comes from outside. What the server made of a patch is validated later.
fn decode_as(kind: &Kind, mut value: Value, new: bool) -> Result<Decoded, Undecodable> {
    let Some(schema) = crds::schema_of(kind) else {
        if tables().struct_of(&kind.gvk).is_none() {
            return Ok(Decoded { value, faults: Vec::new() });
        }
        return read_as(kind, kubetypes::read_owned(tables(), &kind.gvk, value, Source::Text));
    };
    // A patch may make anything of an object.
    if !value.is_object() && !value.is_null() {
        let found = body::go_type(&value);
        return Err(Undecodable(format!(
            r#"couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go value of type struct {{ APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }}"#
        )));
    }
    // An apply is read as YAML, which writes whole numbers as such.
    if !new {
        whole_numbers(&mut value);
    }
    let metadata = value.get_mut("metadata").map(Value::take).unwrap_or_default();
    let (metadata, mut faults) = match decode_metadata(metadata.clone()) {
        Err(_) if !new => decode_metadata(without_malformed(metadata))?,
        read => read?,
    };
    let mut inside = Vec::new();
    schema.each_inside(&mut value, &mut |path: &str, fields: &mut Map<String, Value>| {
        decode_inside(path, fields, new).map(|unknown| inside.extend(unknown))
    })?;
    let unknown = schema.prune(&mut value);
    faults.extend(unknown.iter().map(|path| format!("unknown field \"{path}\"")));
    // What nobody knows in objects within others is told last, in the order of its paths.
    inside.sort();
    faults.extend(inside);
    value["metadata"] = metadata;
    Ok(Decoded { value, faults })
}

/// As [`decode`], of an object that the server has already parsed: what an apply or a strategic merge
/// patch led to. The words are others.
///
/// # Errors
///
/// Where a field has a type that the kind cannot hold.
pub fn decode_parsed(kind: &Kind, value: Value) -> Result<Decoded, Undecodable> {
    if !kind.built_in() || tables().struct_of(&kind.gvk).is_none() {
        return decode_as(kind, value, false);
    }
    read_as(kind, kubetypes::read_owned(tables(), &kind.gvk, value, Source::Parsed))
}

fn read_as(
    kind: &Kind,
    read: Result<kubetypes::Decoded, DecodeError>,
) -> Result<Decoded, Undecodable> {
    let read = read.map_err(|error| match error {
        DecodeError::Wrong(said) => Undecodable(said),
        DecodeError::UnknownKind(_) => Undecodable(error.to_string()),
    })?;
    let faults = read.warnings().collect();
    let mut value = read.object;
    named(kind, &mut value);
    if kind.is("autoscaling", "HorizontalPodAutoscaler")
        && kind.version == "v1"
        && convert::has_carriers(&value)
    {
        // The server reads the annotations, and writes them as it would.
        value = convert::between(value, "autoscaling/v2")
            .and_then(|newer| convert::between(newer, "autoscaling/v1"))
            .map_err(|problem| Undecodable(problem.message))?;
    }
    Ok(Decoded { value, faults })
}

/// Objects within others have metadata of their own, and say what they are.
fn decode_inside(
    path: &str,
    fields: &mut Map<String, Value>,
    new: bool,
) -> Result<Vec<String>, Undecodable> {
    for name in ["apiVersion", "kind"] {
        if let Some(said) = fields.get(name).filter(|said| new && !said.is_string()) {
            let why = format!("{path}.{name}: Invalid value: {said}: must be a string");
            return Err(Undecodable(why));
        }
    }
    if fields.get("metadata").is_some_and(Value::is_null) {
        fields.insert("metadata".to_owned(), json!({}));
    }
    if let Some(metadata) = fields.get("metadata") {
        let (read, faults) = match decode_metadata(metadata.clone()) {
            Err(_) if !new => decode_metadata(without_malformed(metadata.clone()))?,
            Err(why) => {
                let said = format!("{path}.metadata: Invalid value: {metadata}: {}", why.0);
                return Err(Undecodable(said));
            }
            Ok(read) => read,
        };
        fields.insert("metadata".to_owned(), read);
        let inside =
            |fault: &String| fault.replacen("\"metadata", &format!("\"{path}.metadata"), 1);
        return Ok(faults.iter().map(inside).collect());
    }
    Ok(Vec::new())
}

/// Writes numbers without a fraction without one, and those that only a float holds as Go prints it.
pub fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.as_u64().is_some_and(|whole| whole > i64::MAX as u64) => {
            let printed = number.as_f64().unwrap_or_default().to_string();
            if let Ok(printed) = printed.parse::<u64>() {
                *value = json!(printed);
            }
        }
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 1e15);
            if let Some(whole) = whole {
                *value = json!(whole as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Returns metadata without the fields that cannot be read.
fn without_malformed(mut metadata: Value) -> Value {
    if let Some(fields) = metadata.as_object_mut() {
        fields.retain(|name, value| decode_metadata(json!({name.as_str(): value})).is_ok());
    }
    metadata
}

/// Reads the metadata of a custom object alone; answers what strict decoding objects to in it.
///
/// # Errors
///
/// Where a field has a type that it cannot hold.
pub fn read_metadata(object: &Value) -> Result<Vec<String>, Undecodable> {
    let metadata = object.get("metadata").cloned().unwrap_or_default();
    decode_metadata(metadata).map(|(_, faults)| faults)
}

/// Every kind's metadata is the same struct: it is read as that of a ConfigMap.
fn decode_metadata(metadata: Value) -> Result<(Value, Vec<String>), Undecodable> {
    let carrier =
        Gvk { group: String::new(), version: "v1".to_owned(), kind: "ConfigMap".to_owned() };
    if !metadata.is_object() && !metadata.is_null() {
        let found = body::go_type(&metadata);
        return Err(Undecodable(format!(
            "json: cannot unmarshal {found} into Go value of type v1.ObjectMeta"
        )));
    }
    let mut holder = json!({"apiVersion": "v1", "kind": "ConfigMap"});
    holder["metadata"] = metadata;
    // It is read by itself, so paths begin below it.
    let read = kubetypes::roundtrip_owned(tables(), &carrier, holder).map_err(|error| {
        let said = error.to_string();
        Undecodable(match said.split_once("into Go struct field ") {
            Some((head, field)) => {
                format!("{head}into Go struct field {}", field.replacen(".metadata.", ".", 1))
            }
            None => said,
        })
    })?;
    let faults = read.warnings().collect();
    let mut object = read.object;
    Ok((object["metadata"].take(), faults))
}

fn named(kind: &Kind, value: &mut Value) {
    value["kind"] = json!(kind.kind);
    value["apiVersion"] = json!(kind.api_version());
}

/// Sets what the kind defaults.
pub fn set_defaults(kind: &Kind, value: &mut Value) {
    match crds::schema_of(kind) {
        Some(schema) => schema.default(value),
        None => kubetypes::default(tables(), &kind.gvk, value),
    }
}

/// Makes of an object what is kept of it.
pub fn keep(kind: &Kind, value: &mut Value) {
    match crds::schema_of(kind) {
        Some(schema) => {
            schema.drop_nulls(value);
            whole_numbers(value);
        }
        None => kubetypes::keep(tables(), &kind.gvk, value),
    }
}

/// Returns an object as it is written, where that differs from how it stands in memory: without what
/// is empty and left out.
pub fn written(kind: &Kind, value: &Value) -> Option<Value> {
    if !kind.built_in() || !kubetypes::leaves_out(tables(), &kind.gvk, value) {
        return None;
    }
    let mut written = value.clone();
    kubetypes::write(tables(), &kind.gvk, &mut written);
    Some(written)
}

/// Sets what the kind defaults in what an apply led to: a custom object's nulls are not looked at.
pub fn set_defaults_applied(kind: &Kind, value: &mut Value) {
    match crds::schema_of(kind) {
        Some(schema) => schema.fill(value),
        None => set_defaults(kind, value),
    }
}

/// Returns what an empty object of a kind looks like.
pub fn zero(kind: &Kind) -> &Value {
    kind.zero.get_or_init(|| {
        if !kind.built_in() {
            return json!({"apiVersion": kind.api_version(), "kind": kind.kind});
        }
        let empty = kubetypes::roundtrip(tables(), &kind.gvk, &json!({}));
        let mut zero = empty.map(|read| read.object).unwrap_or_else(|_| json!({"metadata": {}}));
        if let Some(fields) = zero.as_object_mut() {
            fields.remove("kind");
            fields.remove("apiVersion");
        }
        // What a conversion writes into metadata is no part of an empty object.
        zero["metadata"] = json!({});
        zero
    })
}

/// Reads a protobuf body, envelope included.
///
/// # Errors
///
/// What the decoder says.
pub fn from_protobuf(bytes: &[u8]) -> Result<Value, String> {
    let decoded = kubetypes::protobuf::decode(tables(), bytes);
    decoded.map(|(_, value)| value).map_err(|error| error.to_string())
}

/// Writes a value as YAML; what YAML cannot say is written as JSON, which is YAML too.
pub fn to_yaml(value: &Value) -> String {
    goyaml::to_yaml(value).unwrap_or_else(|_| value.to_string() + "\n")
}
