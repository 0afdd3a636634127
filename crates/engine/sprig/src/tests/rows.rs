//! What the real program answered, in `tests/data`.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::template::{render, table};
use crate::{Profile, functions};

fn rows() -> Vec<(String, Json)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    let mut rows = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "a test reads its own data")]
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        for (at, line) in text.lines().enumerate() {
            let row = serde_json::from_str(line).expect("a line is JSON");
            rows.push((format!("{name}:{}", at + 1), row));
        }
    }
    assert!(!rows.is_empty());
    rows
}

/// What comes behind the place: `error calling f: …`.
fn cause(error: &str) -> &str {
    error.find("error calling ").map_or(error, |at| &error[at..])
}

#[test]
fn every_row_comes_out_as_the_real_program_has_it() {
    let rows = rows();
    let mut wrong = Vec::new();
    let tables = [table(Profile::Helm3), table(Profile::Helm4)];
    for (place, row) in &rows {
        let template = row["t"].as_str().expect("a row has a template");
        let got = render(template, &tables[usize::from(row["profile"] != "3.19")]);
        let expected = if let Some(text) = row["out"].as_str() {
            Ok(text.as_bytes().to_vec())
        } else if let Some(digits) = row["hex"].as_str() {
            let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex digits");
            Ok((0..digits.len()).step_by(2).map(byte).collect())
        } else {
            Err(cause(row["err"].as_str().expect("a row has an answer")).to_owned())
        };
        let got = got.map_err(|error| cause(&error).to_owned());
        if got != expected {
            let shown = |answer: &Result<Vec<u8>, String>| match answer {
                Ok(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
                Err(error) => format!("error {error:?}"),
            };
            wrong.push(format!(
                "{place}: {template}\n     got {}\n  wanted {}",
                shown(&got),
                shown(&expected)
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn every_function_has_a_row() {
    let mut known: BTreeSet<&str> =
        functions(Profile::Helm4).iter().map(|function| function.name).collect();
    let all = rows();
    for (_, row) in &all {
        let template = row["t"].as_str().expect("a row has a template");
        for word in template.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
            known.remove(word);
        }
    }
    // What these give is random; see `crypto.rs`.
    for random in [
        "bcrypt",
        "genCA",
        "genSelfSignedCertWithKey",
        "genSignedCert",
        "genSignedCertWithKey",
        "uuidv4",
    ] {
        known.remove(random);
    }
    assert!(known.is_empty(), "no rows: {known:?}");
}
