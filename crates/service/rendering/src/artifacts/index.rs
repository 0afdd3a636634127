//! `index.yaml` of a chart repository.
//!
//! Indexes have tens of megabytes, of which one chart is wanted. Those that Helm writes (all
//! but a few) are cut at their lines, and only the chart's own entry is parsed.

use serde_json::Value;

/// One version of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    pub(crate) version: String,
    /// The first of its URLs, perhaps relative to the index.
    pub(crate) url: String,
    /// SHA-256 in hexadecimal; may be empty.
    pub(crate) digest: String,
}

/// What is wrong with an index.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadIndex(pub(crate) String);

/// The versions of a chart, as the index lists them; none where it does not know the chart.
pub(crate) fn releases(index: &[u8], chart: &str) -> Result<Vec<Release>, BadIndex> {
    if let Some(entry) = entry_of(index, chart)
        && let Ok(value) = goyaml::to_json(entry)
    {
        return read(&value);
    }
    let bad = |error: goyaml::YamlError| BadIndex(error.to_string());
    let whole = goyaml::to_json(index).map_err(bad)?;
    match whole.get("entries") {
        Some(entries) => entries.get(chart).map_or(Ok(Vec::new()), read),
        None => Err(BadIndex("it has no `entries`".to_owned())),
    }
}

fn read(entry: &Value) -> Result<Vec<Release>, BadIndex> {
    let Value::Array(versions) = entry else {
        return Err(BadIndex("a chart's entry is no list".to_owned()));
    };
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let release = |version: &Value| Release {
        version: text(version.get("version")),
        url: text(version.get("urls").and_then(|urls| urls.get(0))),
        digest: text(version.get("digest")),
    };
    Ok(versions.iter().map(release).filter(|release| !release.version.is_empty()).collect())
}

/// The lines of a chart's entry, in an index in the layout that Helm writes; `None` where it
/// looks otherwise, or the chart is not there.
fn entry_of<'a>(index: &'a [u8], chart: &str) -> Option<&'a [u8]> {
    let entries = lines(index).find(|(_, line)| trimmed(line) == b"entries:")?;
    let begins = entries.0 + entries.1.len();
    let indent = "  ";
    let names = [
        format!("{indent}{chart}:"),
        format!("{indent}\"{chart}\":"),
        format!("{indent}'{chart}':"),
    ];
    let mut found: Option<usize> = None;
    for (at, line) in lines(&index[begins..]) {
        let text = trimmed(line);
        match found {
            None if names.iter().any(|name| name.as_bytes() == text) => {
                found = Some(begins + at + line.len());
            }
            Some(from) if ends_entry(text) => return Some(&index[from..begins + at]),
            None if !text.is_empty() && !text.starts_with(b" ") => return None,
            _ => {}
        }
    }
    found.map(|from| &index[from..])
}

/// Whether a line belongs to what follows a chart's list, whose items begin at two blanks.
fn ends_entry(line: &[u8]) -> bool {
    let indent = line.iter().take_while(|byte| **byte == b' ').count();
    !line.is_empty() && (indent < 2 || (indent == 2 && !line[2..].starts_with(b"-")))
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
}

/// Lines with where they begin and their line breaks.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    text.split_inclusive(|byte| *byte == b'\n').map(move |line| {
        let begins = at;
        at += line.len();
        (begins, line)
    })
}
