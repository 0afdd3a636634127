//! Request bodies: JSON, YAML and protobuf, as values.

use bytes::Bytes;
use serde_json::{Deserializer, Value};

use crate::api::problem::Problem;
use crate::building::{Merged, Places, Twice, build};
use crate::kinds::Kind;

/// A body as a value, with the keys that stand twice in it.
#[derive(Debug)]
pub struct Body {
    /// The last of equal keys counts.
    pub value: Value,
    /// Paths of keys that stand twice, in their order, for example `spec.replicas`.
    pub duplicates: Vec<String>,
    /// The text, as JSON: faults are told in the order in which they stand there.
    pub text: Bytes,
    /// What strict reading says of YAML, in its own words.
    pub said: Vec<String>,
}

impl Body {
    /// Returns a body that did not come as text.
    pub fn of(value: Value) -> Body {
        Body { value, duplicates: Vec::new(), text: Bytes::new(), said: Vec::new() }
    }

    /// Puts faults, for example `unknown field "spec.x"`, in the order in which they stand in the text.
    pub fn in_order(&self, mut faults: Vec<String>) -> Vec<String> {
        if faults.len() < 2 || self.text.is_empty() {
            return faults;
        }
        let mut places = Places::default();
        // It has been parsed before.
        let _same = build(&mut Deserializer::from_slice(&self.text), &mut places);
        let order = places.order;
        faults.sort_by_key(|fault| {
            let path = fault.split('"').nth(1).unwrap_or_default();
            // A key that stands twice is told where it stands the second time.
            match fault.starts_with("duplicate") {
                true => order.iter().rposition(|at| at == path),
                false => order.iter().position(|at| at == path),
            }
        });
        faults
    }
}

/// How protobuf begins.
pub const PROTOBUF: &[u8] = b"k8s\0";

/// What is said of a body that should be protobuf.
pub const NO_PROTOBUF: &str =
    "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";

/// What is said of a body of a type that nobody reads.
pub const UNKNOWN_FORMAT: &str = "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// Objects larger than this are refused, as upstream's default does (3 MiB).
pub const BODY_BYTES_MAX: usize = 3 << 20;

/// Reads the body of a create or an update.
///
/// # Errors
///
/// 400 where it does not parse, 415 where its type is unknown.
pub fn read(content_type: &str, bytes: &Bytes, kind: &Kind) -> Result<Body, Problem> {
    match media(content_type).to_ascii_lowercase().as_str() {
        "" | "application/json" | "*/*" => json(bytes, &kind.kind),
        "application/yaml" | "application/x-yaml" | "text/yaml" => yaml(bytes),
        "application/vnd.kubernetes.protobuf" if !bytes.starts_with(PROTOBUF) => {
            let why = if bytes.is_empty() { "empty data" } else { NO_PROTOBUF };
            Err(Problem::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): {why} ({})",
                kind.kind,
                summary(bytes)
            )))
        }
        "application/vnd.kubernetes.protobuf" => protobuf(bytes),
        _ => Err(Problem::new(415, "UnsupportedMediaType", UNKNOWN_FORMAT)),
    }
}

/// Refuses a body of a type that nobody reads.
///
/// # Errors
///
/// 415.
pub fn is_readable(content_type: &str) -> Result<(), Problem> {
    let known = [
        "",
        "*/*",
        "application/json",
        "application/vnd.kubernetes.protobuf",
        "application/x-yaml",
        "application/yaml",
        "text/yaml",
    ];
    match known.contains(&media(content_type).to_ascii_lowercase().as_str()) {
        true => Ok(()),
        false => Err(Problem::new(415, "UnsupportedMediaType", UNKNOWN_FORMAT)),
    }
}

/// Returns a media type without its parameters.
pub fn media(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Returns the media type of a patch: what stands before the first `;`, as it is.
pub fn patch_media(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default()
}

/// Returns how Go calls the JSON type of a value.
pub fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Reads JSON, or YAML where it is none, as apply patches may be either.
///
/// # Errors
///
/// 400 where it is neither.
pub fn json_or_yaml(bytes: &Bytes) -> Result<Body, Problem> {
    if bytes.first() == Some(&b'{')
        && let Ok(body) = strict_json(bytes)
    {
        return Ok(body);
    }
    yaml(bytes)
}

/// Reads JSON.
///
/// # Errors
///
/// 400 where it does not parse; `expected` is the kind that should have stood there.
pub fn json(bytes: &Bytes, expected: &str) -> Result<Body, Problem> {
    strict_json(bytes).map_err(|error| {
        let why = go_words(&error, bytes);
        let shown = summary(bytes);
        Problem::bad_request(format!(
            "the object provided is unrecognized (must be of type {expected}): couldn't get version/kind; json parse error: {why} ({shown})"
        ))
    })
}

/// Returns the beginning of a body, as messages show it.
pub fn summary(bytes: &[u8]) -> String {
    const SHOWN_BYTES_MAX: usize = 30;
    let shown = &bytes[..bytes.len().min(SHOWN_BYTES_MAX)];
    let more = if bytes.len() > SHOWN_BYTES_MAX { " ..." } else { "" };
    match bytes.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => format!("{}{more}", String::from_utf8_lossy(shown)),
        Some(_) => format!("{}{more}", hex::encode(shown)),
    }
}

/// Returns what Go says of JSON that does not parse.
pub fn go_words(error: &serde_json::Error, bytes: &[u8]) -> String {
    if error.is_eof() {
        // Go reads on with a blank where a word has only begun.
        let begun = bytes.len() - bytes.iter().rev().take_while(|b| b.is_ascii_lowercase()).count();
        let (head, word) = bytes.split_at(begun);
        let is_value = matches!(head.trim_ascii_end().last(), None | Some(b':' | b',' | b'['));
        let whole = ["null", "true", "false"].into_iter().find(|whole| {
            !word.is_empty() && word.len() < whole.len() && whole.as_bytes().starts_with(word)
        });
        if let Some(whole) = whole.filter(|_| is_value) {
            let expected = char::from(whole.as_bytes()[word.len()]);
            return format!("invalid character ' ' in literal {whole} (expecting '{expected}')");
        }
        return "unexpected end of JSON input".to_owned();
    }
    let at = bytes
        .split(|byte| *byte == b'\n')
        .take(error.line().saturating_sub(1))
        .map(|line| line.len() + 1)
        .sum::<usize>()
        + error.column().saturating_sub(1);
    let found = bytes.get(at).copied().map_or(' ', char::from);
    // Where a map begins, its first key is looked for.
    let before = bytes.get(..at).unwrap_or_default().trim_ascii_end();
    let what = match before.last() {
        Some(b'{') => "object key string",
        Some(b',') if found == '}' => "object key string",
        _ if error.to_string().starts_with("trailing characters") => {
            return format!("invalid character '{found}' after top-level value");
        }
        _ => "value",
    };
    format!("invalid character '{found}' looking for beginning of {what}")
}

fn yaml(bytes: &[u8]) -> Result<Body, Problem> {
    let value = goyaml::to_json(bytes)
        .map_err(|error| Problem::bad_request(format!("error converting YAML to JSON: {error}")))?;
    let said = goyaml::to_json_strict(bytes).err().map(|error| error.to_string());
    // Of nothing nothing is made.
    let text = if bytes.is_empty() { Bytes::new() } else { Bytes::from(value.to_string()) };
    Ok(Body { value, duplicates: Vec::new(), text, said: said.into_iter().collect() })
}

fn protobuf(bytes: &[u8]) -> Result<Body, Problem> {
    let value = crate::types::from_protobuf(bytes).map_err(Problem::bad_request)?;
    Ok(Body::of(value))
}

/// Writes a value as YAML, with sorted keys.
pub fn to_yaml(value: &Value) -> String {
    crate::types::to_yaml(value)
}

/// Reads JSON, and notes keys that stand twice.
///
/// # Errors
///
/// Where it does not parse.
pub fn strict_json(bytes: &Bytes) -> Result<Body, serde_json::Error> {
    let mut deserializer = Deserializer::from_slice(bytes);
    let mut twice = Twice::default();
    let value = build(&mut deserializer, &mut twice)?;
    deserializer.end()?;
    let mut places = Places::default();
    if twice.0 {
        build(&mut Deserializer::from_slice(bytes), &mut places)?;
    }
    let duplicates = places.twice;
    Ok(Body { value, duplicates, text: bytes.clone(), said: Vec::new() })
}

/// Reads JSON as Go reads it into a struct: where a key stands twice, its values are put together.
///
/// # Errors
///
/// Where it does not parse.
pub fn merged_json(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    build(&mut Deserializer::from_slice(bytes), &mut Merged)
}

/// Returns what is said of a number as it stands in the text: Go quotes it, and never reads it.
pub fn as_written(said: &str, text: &[u8]) -> String {
    const BEFORE: &str = "cannot unmarshal number ";
    let Some((head, rest)) = said.split_once(BEFORE) else { return said.to_owned() };
    let Some((shown, tail)) = rest.split_once(' ').filter(|(shown, _)| *shown != "into") else {
        return said.to_owned();
    };
    let text = String::from_utf8_lossy(text);
    let is_part = |sign: char| sign.is_ascii_digit() || "+-.eE".contains(sign);
    let value = |text: &str| text.parse::<f64>().ok();
    let words: Vec<&str> = text.split(|sign| !is_part(sign)).collect();
    if words.contains(&shown) {
        return said.to_owned();
    }
    let written =
        words.into_iter().find(|word| value(word).is_some() && value(word) == value(shown));
    match written {
        Some(written) => format!("{head}{BEFORE}{written} {tail}"),
        None => said.to_owned(),
    }
}
