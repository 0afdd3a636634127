//! Objects and texts that are given as files.

use std::io::Read as _;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// Reads a file; `-` is the standard input. URLs are not fetched.
pub fn bytes(path: &str) -> Result<Vec<u8>> {
    if path == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("cannot read the standard input")?;
        return Ok(bytes);
    }
    if path.starts_with("http://") || path.starts_with("https://") {
        bail!("`{path}` is not fetched: save it first, or pipe it in with `-`");
    }
    std::fs::read(path).with_context(|| format!("open {path}"))
}

/// Reads a file as text.
pub fn text(path: &str) -> Result<String> {
    String::from_utf8(bytes(path)?).with_context(|| format!("`{path}` is not UTF-8"))
}

/// Reads the objects of a YAML or JSON file.
pub fn objects(path: &str) -> Result<Vec<Value>> {
    let bytes = bytes(path)?;
    let mut objects = Vec::new();
    for chunk in goyaml::split(&bytes) {
        let chunk = chunk.with_context(|| format!("`{path}` does not parse"))?;
        let object =
            goyaml::to_json(&chunk.bytes).with_context(|| format!("`{path}` does not parse"))?;
        if !object.is_null() {
            objects.push(object);
        }
    }
    Ok(objects)
}

/// Reads `key=value` texts, as flags for labels and facts take them.
pub fn pairs(texts: &[String]) -> Result<Vec<(String, String)>> {
    texts
        .iter()
        .map(|text| match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => bail!("invalid label: {text}"),
        })
        .collect()
}
