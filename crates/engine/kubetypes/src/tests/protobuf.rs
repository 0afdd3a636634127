//! Bodies in protobuf: one captured by hand, and upstream's pairs where its module stands in
//! Go's cache.

#![allow(clippy::disallowed_methods, reason = "tests read files")]

use std::path::PathBuf;

use manifest::Gvk;
use serde_json::{Value, json};

use crate::protobuf::{ProtobufError, decode};
use crate::{LATEST_MINOR, roundtrip, tables};

/// A namespace as kubectl sends it: envelope, name, and the zeros that travel.
const NAMESPACE: &[u8] = b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x0f\x0a\x09\x0a\x03web\x12\x00\x38\x00\x12\x00\x1a\x00\x1a\x00\x22\x00";

#[test]
fn a_namespace_is_read_and_its_zeros_are_left_out() {
    let (kind, object) = decode(tables(LATEST_MINOR), NAMESPACE).expect("it can be read");
    assert_eq!(kind, Gvk::new("", "v1", "Namespace"));
    let expected = json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}, "spec": {}, "status": {},
    });
    assert_eq!(object, expected);
}

#[test]
fn what_is_no_message_is_refused() {
    let tables = tables(LATEST_MINOR);
    assert_eq!(decode(tables, b"{}"), Err(ProtobufError::Prefix));
    let broken = &NAMESPACE[..NAMESPACE.len() - 3];
    assert!(matches!(decode(tables, broken), Err(ProtobufError::Broken(_))));
}

#[test]
fn upstreams_pairs_are_the_same_object() {
    let version = tables(LATEST_MINOR).release().replacen("v1.", "v0.", 1);
    let module = format!("go/pkg/mod/k8s.io/api@{version}/testdata/HEAD");
    let Some(folder) = option_env!("HOME").map(|home| PathBuf::from(home).join(module)) else {
        return;
    };
    let Ok(files) = std::fs::read_dir(&folder) else { return println!("no pairs here") };
    let tables = tables(LATEST_MINOR);
    let (mut equal, mut unknown, mut failures) = (0, 0, Vec::new());
    for file in files.flatten().filter(|f| f.path().extension().is_some_and(|e| e == "pb")) {
        let body = std::fs::read(file.path()).expect("a body can be read");
        let json = std::fs::read(file.path().with_extension("json")).expect("a pair has two");
        let json: Value = serde_json::from_slice(&json).expect("JSON");
        let kind = Gvk::from_api_version(
            json["apiVersion"].as_str().unwrap_or_default(),
            json["kind"].as_str().unwrap_or_default(),
        );
        let Ok(expected) = roundtrip(tables, &kind, &json) else {
            unknown += 1;
            continue;
        };
        match decode(tables, &body) {
            Ok((_, found)) if found == expected.object => equal += 1,
            Ok((_, found)) => {
                let mut all = Vec::new();
                super::goldens::differences("", &found, &expected.object, &mut all);
                failures.push(format!("{}: {}", kind.kind, all.join("; ")));
            }
            Err(error) => failures.push(format!("{}: {error}", kind.kind)),
        }
    }
    println!("{equal} pairs equal, {unknown} of kinds that are not served any more");
    assert!(failures.is_empty(), "{}:\n{}", failures.len(), failures.join("\n"));
}
