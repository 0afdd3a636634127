//! What the way through the internal types does to an object, beyond reading and writing it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use manifest::Gvk;
use serde_json::{Map, Value};

/// Changes an object as the conversion to the internal type and back does.
pub(crate) fn through_internal(kind: &Gvk, object: &mut Value) {
    if (&*kind.group, &*kind.kind) == ("", "Secret") {
        fold_string_data(object);
    }
}

/// `stringData` is written into `data`, over what stands there, and is never read back.
fn fold_string_data(secret: &mut Value) {
    let Some(secret) = secret.as_object_mut() else { return };
    let Some(Value::Object(plain)) = secret.remove("stringData") else { return };
    let data = secret.entry("data").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(data) = data {
        for (key, value) in plain {
            let encoded = STANDARD.encode(value.as_str().unwrap_or_default());
            data.insert(key, encoded.into());
        }
    }
}
