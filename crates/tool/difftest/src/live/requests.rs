//! Requests that are odd as requests: verbs, paths, headers, parameters and bodies that nobody should send.

use serde_json::{Value, json};

use super::catalog::Kind;
use crate::random::Random;

/// Texts that stand where a name is expected.
const NAMES: [&str; 8] = [
    "none",
    "Bad_Name",
    "a..b",
    "%E2%82%AC",
    "a%2Fb",
    "-x",
    "x%20y",
    "n0000000000000000000000000000",
];

/// Bodies that are no objects, or hardly.
const BODIES: [&str; 16] = [
    "",
    "null",
    "{}",
    "[]",
    "7",
    "\"text\"",
    "{\"metadata\":null}",
    "{\"metadata\":{\"name\":7}}",
    "{\"metadata\":{\"name\":\"\u{20ac}\"}}",
    "{\"metadata\":{\"name\":\"a\",\"name\":\"b\"}}",
    "{\"metadata\":{\"generation\":1e30}}",
    "{\"metadata\":{\"generation\":9223372036854775808}}",
    "{\"metadata\":{\"labels\":{\"\u{e4}\":\"\u{1f600}\"}}}",
    "{\"a\":1} trailing",
    "metadata: {name: yaml}",
    "{\"metadata\":{\"name\":\"a\"},}",
];

/// What a body may be said to be.
const CONTENT_TYPES: [&str; 10] = [
    "application/json",
    "application/json; charset=utf-8",
    "APPLICATION/JSON",
    "application/yaml",
    "application/xml",
    "application/vnd.kubernetes.protobuf",
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
];

/// In what an answer may be wanted.
const ACCEPTED: [&str; 9] = [
    "application/json",
    "application/yaml",
    "application/json;q=0.1, application/yaml",
    "text/plain",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
    "application/json;as=Odd;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
];

/// Parameters, of which most belong to other verbs.
const PARAMETERS: [&str; 22] = [
    "",
    "pretty=true",
    "dryRun=All&dryRun=All",
    "dryRun=all",
    "fieldManager=%E2%82%AC",
    "fieldManager=a%0Ab",
    "fieldManager=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "force=true",
    "force=false&fieldManager=m",
    "fieldValidation=strict",
    "fieldValidation=Strict&fieldValidation=Ignore",
    "unknown=1",
    "limit=1&continue=",
    "limit=99999999999999999999",
    "resourceVersion=-1",
    "resourceVersion=99999999999",
    "timeoutSeconds=1",
    "labelSelector=a%20in%20()",
    "labelSelector=a%3Db&fieldSelector=metadata.name%3Done",
    "fieldSelector=metadata.name%3D%3Done",
    "propagationPolicy=Foreground&orphanDependents=false",
    "gracePeriodSeconds=99999999999999999999",
];

/// One odd request about a kind. Nothing that it asks is kept, or only as any other object.
pub fn odd(
    random: &mut Random,
    kind: &Kind,
    collection: &str,
    name: &str,
    object: &Value,
) -> Value {
    match random.below(12) {
        8 => gone(random, collection, name),
        9 => read_as(random, collection, name),
        10 | 11 => special(random, kind, collection, name, object),
        0 => verbs(random, collection, name, object),
        1 => paths(random, kind, collection, name),
        2 | 3 => bodies(random, collection, name),
        4 => parameters(random, collection, name, object),
        5 => headers(random, collection, name),
        6 => doors(random, kind, collection, name, object),
        _ => discovery(random, kind),
    }
}

/// Deletions that are only tried, of one or of several.
fn gone(random: &mut Random, collection: &str, name: &str) -> Value {
    let query = *random.pick(&[
        "",
        "&labelSelector=a%3Db",
        "&labelSelector=app%20in%20(web,db)",
        "&fieldSelector=metadata.name%3Done",
        "&limit=1",
        "&propagationPolicy=Background",
        "&propagationPolicy=Orphan",
        "&gracePeriodSeconds=0",
        "&gracePeriodSeconds=30",
        "&uid=other",
        "&resourceVersion=1",
        "&ignoreStoreReadErrorWithClusterBreakingPotential=true",
    ]);
    let body = random
        .pick(&[
            Value::Null,
            Value::Null,
            json!({}),
            json!({"kind": "DeleteOptions", "apiVersion": "v1"}),
            json!({"kind": "DeleteOptions", "apiVersion": "apps/v1", "gracePeriodSeconds": 1}),
            json!({"kind": "Other", "apiVersion": "v1"}),
            json!({"preconditions": {"uid": "x", "resourceVersion": "y"}}),
            json!({"preconditions": {}}),
            json!({"dryRun": ["All", "All"]}),
            json!({"gracePeriodSeconds": "5"}),
            json!({"propagationPolicy": 5}),
            json!({"orphanDependents": false, "dryRun": ["All"]}),
        ])
        .clone();
    // What is in no namespace is others', too.
    let path = match random.one_in(2) {
        true if collection.contains("${ns}") => collection.to_owned(),
        _ => format!("{collection}/{name}"),
    };
    // A body says alone what is wanted.
    let mut body = body;
    if body.is_object() && body["dryRun"].is_null() {
        body["dryRun"] = json!(["All"]);
    }
    json!({"m": "DELETE", "p": format!("{path}?dryRun=All{query}"), "b": body})
}

/// Objects and lists in all their forms.
fn read_as(random: &mut Random, collection: &str, name: &str) -> Value {
    let accept = *random.pick(&[
        "application/json;as=Table;v=v1;g=meta.k8s.io",
        "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
        "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
        "application/yaml;as=Table;v=v1;g=meta.k8s.io",
        "application/json;as=Table;v=v2;g=meta.k8s.io",
        "application/json;as=Table;v=v1;g=other",
        "application/json;as=Table",
        "application/*",
        "text/html, */*;q=0.1",
        "application/json;pretty=1",
    ]);
    let query =
        *random.pick(&["", "includeObject=None", "includeObject=Object", "includeObject=Odd"]);
    let path = match random.below(3) {
        0 => format!("{collection}/{name}?{query}"),
        1 => format!("{collection}?fieldSelector=metadata.name%3Dnone&{query}"),
        _ => format!("{collection}?fieldSelector=metadata.name%3D{name}&{query}"),
    };
    let verb = if random.one_in(6) { "HEAD" } else { "GET" };
    json!({"m": verb, "p": path, "h": {"Accept": accept}})
}

/// What only some kinds have: evictions, bindings, tokens.
fn special(
    random: &mut Random,
    kind: &Kind,
    collection: &str,
    name: &str,
    object: &Value,
) -> Value {
    let of_one = format!("{collection}/{name}");
    let dry = if random.one_in(3) { "?dryRun=All" } else { "" };
    match kind.plural.as_str() {
        "pods" if random.one_in(2) => {
            let body = random
                .pick(&[
                    json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}),
                    json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "other"}}),
                    json!({"apiVersion": "policy/v1", "kind": "Eviction"}),
                    json!({"metadata": {"name": name}, "deleteOptions": {"dryRun": ["All"]}}),
                    json!({"metadata": {"name": name}, "deleteOptions": {"preconditions": {"uid": "x"}}}),
                    json!({"metadata": {"name": name}, "deleteOptions": {"gracePeriodSeconds": "x"}}),
                    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}),
                    json!({}),
                ])
                .clone();
            json!({"m": "POST", "p": format!("{of_one}/eviction{dry}"), "b": body})
        }
        "pods" => {
            let body = random
                .pick(&[
                    json!({"metadata": {"name": name}, "target": {"kind": "Node", "name": "node-a"}}),
                    json!({"metadata": {"name": name}, "target": {"name": "node-a"}}),
                    json!({"metadata": {"name": name}, "target": {"kind": "Pod", "name": "node-a"}}),
                    json!({"metadata": {"name": name}, "target": {"kind": "Node"}}),
                    json!({"metadata": {"name": "other"}, "target": {"kind": "Node", "name": "n"}}),
                    json!({"target": {"kind": "Node", "name": "n"}}),
                    json!({"metadata": {"name": name, "labels": {"a": "b"}, "annotations": {"c": "d"}}, "target": {"kind": "Node", "name": "n"}}),
                    json!({}),
                ])
                .clone();
            json!({"m": "POST", "p": format!("{of_one}/binding{dry}"), "b": body})
        }
        "serviceaccounts" => {
            let body = random
                .pick(&[
                    json!({}),
                    json!({"spec": {}}),
                    json!({"spec": {"audiences": ["a", "b"], "expirationSeconds": 600}}),
                    json!({"spec": {"expirationSeconds": 10}}),
                    json!({"spec": {"expirationSeconds": 4_294_967_297_i64}}),
                    json!({"spec": {"expirationSeconds": "x"}}),
                    json!({"spec": {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "none"}}}),
                    json!({"spec": {"boundObjectRef": {"kind": "Odd", "apiVersion": "v1", "name": "none"}}}),
                    json!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {"name": "other"}}),
                    json!({"kind": "Other"}),
                ])
                .clone();
            json!({"m": "POST", "p": format!("{of_one}/token{dry}"), "b": body})
        }
        _ => {
            let query = *random.pick(&[
                "fieldValidation=Strict",
                "fieldValidation=Warn",
                "fieldValidation=Ignore&dryRun=All",
                "fieldManager=m&fieldValidation=Strict",
            ]);
            let mut object = object.clone();
            object["odd"] = json!(1);
            let text = object.to_string();
            let body = match random.below(3) {
                0 => object,
                1 => json!(format!("{},\"kind\":\"Twice\"}}", &text[..text.len() - 1])),
                _ => json!(format!(
                    "{},\"odd\":2,\"metadata\":{{\"odd\":1}}}}",
                    &text[..text.len() - 1]
                )),
            };
            match random.below(3) {
                0 => json!({"m": "POST", "p": tried(format!("{collection}?{query}")), "b": body}),
                1 => json!({"m": "PUT", "p": tried(format!("{of_one}?{query}")), "b": body}),
                _ => {
                    json!({"m": "PATCH", "p": tried(format!("{of_one}?{query}")), "b": body, "h": {"Content-Type": "application/merge-patch+json"}})
                }
            }
        }
    }
}

fn tried(path: String) -> String {
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}dryRun=All")
}

fn verbs(random: &mut Random, collection: &str, name: &str, object: &Value) -> Value {
    let of_one = format!("{collection}/{name}");
    match random.below(6) {
        0 => json!({"m": "POST", "p": of_one, "b": object}),
        1 => json!({"m": "PUT", "p": collection, "b": object}),
        2 => {
            json!({"m": "PATCH", "p": collection, "b": {}, "h": {"Content-Type": "application/merge-patch+json"}})
        }
        3 => json!({"m": "OPTIONS", "p": of_one}),
        4 => json!({"m": "ODD", "p": of_one}),
        _ => json!({"m": "POST", "p": tried(collection.to_owned()), "b": object}),
    }
}

fn paths(random: &mut Random, kind: &Kind, collection: &str, name: &str) -> Value {
    let odd = *random.pick(&NAMES);
    let root = collection.split("/namespaces/").next().unwrap_or_default();
    let path = match random.below(8) {
        0 => format!("{collection}/{odd}"),
        1 => format!("{collection}/{name}/odd"),
        2 => format!("{collection}/{name}/status/more"),
        // What is in no namespace is others', too.
        3 if collection.contains("${ns}") => format!("{collection}/"),
        3 => format!("{collection}/{name}/"),
        4 => format!("{root}/odds"),
        5 => format!("{root}/namespaces/none/{}/{name}", kind.plural),
        6 => format!("{root}/{}/{name}", kind.plural),
        _ => format!("{root}/namespaces/{odd}/{}", kind.plural),
    };
    let verb = *random.pick(&["GET", "GET", "DELETE"]);
    json!({"m": verb, "p": if verb == "DELETE" { tried(path) } else { path }})
}

fn bodies(random: &mut Random, collection: &str, name: &str) -> Value {
    let body = *random.pick(&BODIES);
    let content_type = *random.pick(&CONTENT_TYPES);
    let options = *random.pick(&["", "fieldValidation=Strict", "fieldManager=m&force=true"]);
    let (verb, path) = match random.below(4) {
        0 => ("POST", collection.to_owned()),
        1 => ("PUT", format!("{collection}/{name}")),
        2 => ("DELETE", format!("{collection}/{name}")),
        _ => ("PATCH", format!("{collection}/{name}")),
    };
    let path = tried(format!("{path}?{options}"));
    json!({"m": verb, "p": path, "b": body, "h": {"Content-Type": content_type}})
}

fn parameters(random: &mut Random, collection: &str, name: &str, object: &Value) -> Value {
    let query = *random.pick(&PARAMETERS);
    let of_one = format!("{collection}/{name}?{query}");
    match random.below(6) {
        0 => json!({"m": "GET", "p": of_one}),
        // What is in no namespace is others', too.
        1 if !collection.contains("${ns}") => json!({"m": "GET", "p": of_one}),
        1 => json!({"m": "GET", "p": format!("{collection}?{query}")}),
        2 => json!({"m": "POST", "p": tried(format!("{collection}?{query}")), "b": object}),
        3 => json!({"m": "PUT", "p": tried(of_one), "b": object}),
        4 => json!({"m": "DELETE", "p": tried(of_one)}),
        _ => {
            json!({"m": "PATCH", "p": tried(of_one), "b": {"metadata": {"labels": {"o": "d"}}}, "h": {"Content-Type": "application/merge-patch+json"}})
        }
    }
}

fn headers(random: &mut Random, collection: &str, name: &str) -> Value {
    let accept = *random.pick(&ACCEPTED);
    let path = match random.below(3) {
        0 if collection.contains("${ns}") => collection.to_owned(),
        0 => format!("{collection}?fieldSelector=metadata.name%3D{name}"),
        1 => format!("{collection}/none"),
        _ => format!("{collection}/{name}"),
    };
    json!({"m": "GET", "p": path, "h": {"Accept": accept}})
}

fn doors(random: &mut Random, kind: &Kind, collection: &str, name: &str, object: &Value) -> Value {
    let usual = ["status", "scale"];
    let doors: Vec<&str> = kind
        .subresources
        .iter()
        .map(String::as_str)
        // What needs a kubelet is not asked.
        .filter(|door| {
            !matches!(*door, "log" | "exec" | "attach" | "portforward" | "proxy" | "token")
        })
        .collect();
    let door = if doors.is_empty() { *random.pick(&usual) } else { *random.pick(&doors) };
    let path = format!("{collection}/{name}/{door}");
    match random.below(6) {
        0 => json!({"m": "GET", "p": path}),
        1 => json!({"m": "PUT", "p": tried(path), "b": object}),
        2 => json!({"m": "PUT", "p": tried(path), "b": {}}),
        3 => json!({"m": "POST", "p": tried(path), "b": object}),
        4 => json!({"m": "DELETE", "p": tried(path)}),
        _ => {
            json!({"m": "PATCH", "p": tried(path), "b": {"status": {"x": 1}, "metadata": {"labels": {"o": "d"}}}, "h": {"Content-Type": "application/merge-patch+json"}})
        }
    }
}

fn discovery(random: &mut Random, kind: &Kind) -> Value {
    let (group, version) = manifest::split_api_version(&kind.api_version);
    let of_version = match group {
        "" => format!("/api/{version}"),
        group => format!("/apis/{group}/{version}"),
    };
    let path = match random.below(8) {
        0 | 1 => of_version,
        2 if !group.is_empty() => format!("/apis/{group}"),
        3 => "/apis/none.example.com".to_owned(),
        4 => format!("/apis/{group}/v99"),
        5 => "/api/v2".to_owned(),
        6 => "/none".to_owned(),
        _ => of_version + "/",
    };
    let verb = *random.pick(&["GET", "GET", "GET", "POST", "DELETE"]);
    json!({"m": verb, "p": path})
}
