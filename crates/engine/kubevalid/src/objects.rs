//! ConfigMaps, Secrets and Namespaces.

use manifest::field::FieldError;

use crate::cursor::At;
use crate::meta::OF_KUBE;
use crate::names;

/// The data of a ConfigMap or a Secret, in bytes.
const DATA_BYTES_MAX: u64 = 1024 * 1024;

pub fn config_map(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    if let Some(old) = old {
        return immutable(&object, &old, &["data", "binaryData"], errors);
    }
    let (data, binary) = (object.at("data"), object.at("binaryData"));
    let mut bytes = 0_u64;
    for (key, value) in data.entries() {
        let at = data.key(key);
        errors.extend(
            names::config_key(key)
                .into_iter()
                .map(|words| FieldError::invalid(at.path.clone(), key, words)),
        );
        if binary.at(key).is_set() {
            let words = "duplicate of key present in binaryData";
            errors.push(FieldError::invalid(at.path.clone(), key, words));
        }
        bytes += value.as_str().unwrap_or("").len() as u64;
    }
    for (key, value) in binary.entries() {
        let at = binary.key(key);
        errors.extend(
            names::config_key(key)
                .into_iter()
                .map(|words| FieldError::invalid(at.path.clone(), key, words)),
        );
        bytes += decoded_length(value.as_str().unwrap_or(""));
    }
    if bytes > DATA_BYTES_MAX {
        let mut error = FieldError::too_long("", DATA_BYTES_MAX);
        error.field = "[]".into();
        errors.push(error);
    }
}

/// How many bytes a text in base64 stands for.
pub fn decoded_length(base64: &str) -> u64 {
    (base64.trim_end_matches('=').len() * 3 / 4) as u64
}

fn immutable(object: &At<'_>, old: &At<'_>, fields: &[&str], errors: &mut Vec<FieldError>) {
    if !old.at("immutable").flag() {
        return;
    }
    let words = "field is immutable when `immutable` is set";
    if !object.at("immutable").flag() {
        errors.push(object.at("immutable").forbidden(words));
    }
    for field in fields {
        let (new, old) = (object.at(field), old.at(field));
        // These are compared to the letter.
        if new.value != old.value {
            errors.push(new.forbidden(words));
        }
    }
}

pub fn secret(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let data = object.at("data");
    if let Some(old) = &old {
        object.at("type").unchanged(&old.at("type"), errors);
        return immutable(&object, old, &["data"], errors);
    }
    let mut bytes = 0_u64;
    for (key, value) in data.entries() {
        let at = data.key(key);
        errors.extend(
            names::config_key(key)
                .into_iter()
                .map(|words| FieldError::invalid(at.path.clone(), key, words)),
        );
        bytes += decoded_length(value.as_str().unwrap_or(""));
    }
    if bytes > DATA_BYTES_MAX {
        errors.push(FieldError::too_long(data.path.clone(), DATA_BYTES_MAX));
    }
    let mut required = |keys: &[&str]| {
        for key in keys {
            if !data.key(key).is_set() {
                errors.push(data.key(key).required(""));
            }
        }
    };
    match object.at("type").text() {
        "kubernetes.io/service-account-token" => {
            let name = "kubernetes.io/service-account.name";
            let account = object.to(&["metadata", "annotations"]).key(name);
            if account.is_empty() {
                errors.push(account.required(""));
            }
        }
        "kubernetes.io/tls" => required(&["tls.crt", "tls.key"]),
        "kubernetes.io/ssh-auth" => required(&["ssh-privatekey"]),
        "kubernetes.io/basic-auth" => {
            let (user, password) = (data.key("username"), data.key("password"));
            if !user.is_set() && !password.is_set() {
                errors.extend([user.required(""), password.required("")]);
            }
        }
        "kubernetes.io/dockerconfigjson" => json_key(&data.key(".dockerconfigjson"), errors),
        "kubernetes.io/dockercfg" => json_key(&data.key(".dockercfg"), errors),
        _ => {}
    }
}

fn json_key(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if !at.is_set() {
        errors.push(at.required(""));
        return;
    }
    let content = decode(at.text());
    if serde_json::from_slice::<serde::de::IgnoredAny>(&content).is_err() {
        let words = match content.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => "unexpected end of JSON input".to_owned(),
            Some(first) if b"{[\"tfn-0123456789".contains(first) => {
                "unexpected end of JSON input".to_owned()
            }
            Some(first) => {
                format!("invalid character '{}' looking for beginning of value", char::from(*first))
            }
        };
        errors.push(FieldError::invalid(at.path.clone(), "<secret contents redacted>", words));
    }
}

/// Whether a text is base64, padded as it must be.
pub fn decodes(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    text.len().is_multiple_of(4) && text.len() - digits.len() <= 2 && digits.bytes().all(is_digit)
}

/// Base64, as the object was checked to hold.
pub fn decode(text: &str) -> Vec<u8> {
    let value = |byte: u8| -> u32 {
        u32::from(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            _ => 63,
        })
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').collect();
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for chunk in digits.chunks(4) {
        let bits =
            chunk.iter().fold(0, |bits, byte| bits << 6 | value(*byte)) << (6 * (4 - chunk.len()));
        let whole = bits.to_be_bytes();
        bytes.extend_from_slice(&whole[1..chunk.len()]);
    }
    bytes
}

pub fn namespace(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let finalizers = object.to(&["spec", "finalizers"]);
    for finalizer in finalizers.items() {
        let refusals = names::qualified(finalizer.text());
        let plain = !finalizer.text().contains('/') && !OF_KUBE.contains(&finalizer.text());
        let words = "name is neither a standard finalizer name nor is it fully qualified";
        let own = plain.then(|| words.to_owned());
        errors.extend(
            refusals
                .into_iter()
                .chain(own)
                .map(|words| FieldError::invalid(finalizers.path.clone(), finalizer.text(), words)),
        );
    }
}
