//! What patches do to one resource; whole builds are in `tests/data/builds`.

use std::sync::Arc;

use super::*;
use crate::node::parse_first;
use crate::resource::Origin;

struct Files;

impl PatchSource for Files {
    fn load(&self, path: &str) -> Result<Arc<[u8]>, KustomizeError> {
        Err(KustomizeError::said(format!("no `{path}`")))
    }

    fn resources(&self, text: &[u8]) -> Result<Vec<Resource>, KustomizeError> {
        Ok(crate::read::resources(text, &Origin::default())?)
    }
}

fn object() -> Resource {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {app: web}}\n\
                spec:\n  template:\n    spec:\n      containers:\n      - {name: a, ports: [{containerPort: 80}]}\n";
    let node = parse_first(text.as_bytes()).expect("it is YAML").expect("it is not empty");
    Resource::new(node, Origin::default())
}

fn step(text: &str, target: Option<Selector>) -> Result<PatchStep, KustomizeError> {
    PatchStep::read(&Patch { patch: text.to_owned(), target, ..Patch::default() }, &Files)
}

#[test]
fn a_text_of_both_kinds_of_patch_is_refused() {
    // One line is a mapping with a kind and a name to one parser, a list to none: what both
    // take is only what is empty to one of them, and that is no error.
    assert!(step("[]", None).is_ok());
    assert!(step("# nothing", None).is_ok());
}

#[test]
fn operations_that_are_no_list_say_what_they_are() {
    let refused = JsonPatch::read(b"{\"op\": \"add\"}").expect_err("it is no list").to_string();
    assert_eq!(refused, "json: cannot unmarshal object into Go value of type jsonpatch.Patch");
    let refused = JsonPatch::read(b"[1]").expect_err("it is no operation").to_string();
    assert_eq!(refused, "json: cannot unmarshal number into Go value of type jsonpatch.Operation");
    assert!(JsonPatch::read(b"null").expect("null is empty").is_none());
    assert!(JsonPatch::read(b"").is_err());
}

#[test]
fn numbers_are_floats_after_operations() {
    let operations = br#"[{"op": "add", "path": "/spec/n", "value": 12345678901234567}]"#;
    let patch = JsonPatch::read(operations).expect("it is a patch").expect("it is not empty");
    let mut resource = object();
    patch.apply(&mut resource).expect("it applies");
    let value = resource.node.to_json().expect("it has JSON");
    assert_eq!(value["spec"]["n"], serde_json::json!(12_345_678_901_234_568_i64));
}

#[test]
fn an_annotation_of_kustomizes_own_is_seen_by_operations_and_gone_afterwards() {
    let operations = br#"[{"op": "add", "path": "/metadata/annotations/a", "value": "x"}]"#;
    let patch = JsonPatch::read(operations).expect("it is a patch").expect("it is not empty");
    let mut resource = object();
    assert!(patch.apply(&mut resource.clone()).is_err());
    resource.store_previous_id();
    patch.apply(&mut resource).expect("it applies");
    let value = resource.node.to_json().expect("it has JSON");
    assert_eq!(value["metadata"]["annotations"], serde_json::json!({"a": "x"}));
}

#[test]
fn a_schema_in_yaml_is_read_and_what_is_none_refused() {
    let yaml = b"definitions:\n  A:\n    properties: {l: {type: array, items: {$ref: '#/definitions/B'}, \
                 x-kubernetes-patch-strategy: merge, x-kubernetes-patch-merge-key: id}}\n    \
                 x-kubernetes-group-version-kind: [{group: g, version: v1, kind: A}]\n  B: {$ref: '#/definitions/B'}\n";
    let schema = Schema::read(yaml).expect("it is a schema");
    let kind = schema.of_kind("g/v1", "A").expect("the kind is known");
    let list = schema.field(kind, "l").expect("the field is known");
    assert_eq!(schema.merge_keys(list).map(<[_]>::len), Some(1));
    assert!(schema.items(list).is_none(), "a type that is only itself is not known");
    assert!(Schema::read(b"- a").is_err());
    assert!(Schema::read(b"{").is_err());
}

#[test]
fn the_builtin_schema_knows_lists_that_merge() {
    let schema = Schema::builtin();
    let walk = |api_version: &str, kind: &str, path: &[&str]| {
        let start = schema.of_kind(api_version, kind)?;
        path.iter().try_fold(start, |of, name| match *name {
            "[]" => schema.items(of),
            name => schema.field(of, name),
        })
    };
    let pod = walk("apps/v1", "Deployment", &["spec", "template", "spec"]).expect("it is known");
    let keys = |name: &str| {
        let keys = schema.merge_keys(schema.field(pod, name)?)?;
        Some(keys.iter().map(|key| key.to_string()).collect::<Vec<_>>().join("+"))
    };
    assert_eq!(keys("containers").as_deref(), Some("name"));
    assert_eq!(keys("topologySpreadConstraints").as_deref(), Some("topologyKey+whenUnsatisfiable"));
    assert_eq!(keys("tolerations"), None);
    let ports = walk("v1", "Pod", &["spec", "containers", "[]", "ports"]).expect("it is known");
    assert_eq!(schema.merge_keys(ports).map(<[_]>::len), Some(2));
    assert!(schema.of_kind("example.com/v1", "Foo").is_none());
}

/// Pieces that make texts which come near to patches.
const PIECES: [&str; 40] = [
    "apiVersion: apps/v1\n",
    "kind: Deployment\n",
    "metadata: {name: web}\n",
    "metadata:\n",
    "  name: web\n",
    "spec:\n",
    "  template:\n",
    "    spec:\n",
    "      containers:\n",
    "      - name: a\n",
    "        ports:\n",
    "        - containerPort: 80\n",
    "          protocol: TCP\n",
    "      - $patch: replace\n",
    "  $patch: delete\n",
    "$patch: other\n",
    "[",
    "]",
    "{",
    "}",
    ", ",
    ": ",
    "- ",
    "op: add",
    "path: /spec/x/0",
    "value: ",
    "null",
    "~",
    "\"",
    "'",
    "&a ",
    "*a",
    "<<: ",
    "\n",
    "---\n",
    "!!int x",
    "\u{0}",
    "\t",
    "é",
    "0x1F",
];

/// A generator of choices.
fn choices(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |end| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % end
    }
}

#[test]
fn no_text_makes_a_patch_panic() {
    let schema = Schema::builtin();
    for seed in 0..2_000 {
        let mut choose = choices(seed);
        let mut text = String::new();
        for _ in 0..choose(18) {
            text.push_str(PIECES[choose(PIECES.len())]);
        }
        let mut bytes = text.into_bytes();
        if choose(4) == 0 && !bytes.is_empty() {
            let at = choose(bytes.len());
            bytes[at] = choose(256) as u8;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let target = (choose(2) == 0).then(Selector::default);
        if let Ok(step) = step(&text, target) {
            let _ = step.apply(&mut vec![object()], &schema);
        }
        let _ = PatchStep::read_strategic(std::slice::from_ref(&text), &Files);
        let _ = JsonPatch::read(&bytes).map(|patch| patch.map(|patch| patch.apply(&mut object())));
        let _ = Schema::read(&bytes);
    }
}
