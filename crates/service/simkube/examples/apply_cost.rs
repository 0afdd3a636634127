//! What a write costs without sockets: `apply_cost [WRITES]`. Prints microseconds of CPU each, of
//! creates, of applies that change something, and of applies that change nothing.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use simkube::api::{self, request::Request};
use simkube::cluster::Cluster;
use simkube::store::{Limits, Store};

// What users run has this allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let writes: u32 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(5_000);
    let store = Store::in_memory(Limits::default());
    let cluster = Cluster::new("main", store, Arc::new(Timestamp::now), false);
    for round in ["create", "change", "nothing"] {
        let requests: Vec<Request> = (0..writes)
            .map(|number| match round {
                "create" => request("POST", &format!("new-{number}"), 0),
                "change" => request("PATCH", &format!("web-{}", number % 500), number),
                _ => request("PATCH", "web-0", 1),
            })
            .collect();
        let begun = cpu_us();
        for request in &requests {
            let api::request::Answer::Response(response) = api::answer(&cluster, request, "")
            else {
                panic!("a write is no watch");
            };
            assert!(response.code < 300, "{}", String::from_utf8_lossy(&response.whole_body()));
        }
        println!("{round}: {} us", (cpu_us() - begun) / u64::from(writes));
    }
}

fn request(method: &str, name: &str, number: u32) -> Request {
    let collection = "/apis/apps/v1/namespaces/default/deployments";
    let (path, content_type) = match method {
        "POST" => (collection.to_owned(), "application/json"),
        _ => (format!("{collection}/{name}"), "application/apply-patch+yaml"),
    };
    Request {
        method: method.to_owned(),
        path,
        query: if method == "POST" { "" } else { "fieldManager=load&force=true" }.to_owned(),
        content_type: content_type.to_owned(),
        body: deployment(name, number).to_string().into(),
        ..Request::default()
    }
}

/// A Deployment of 2 KB, like those of `load`.
fn deployment(name: &str, number: u32) -> Value {
    let environment: Vec<_> = (0..22)
        .map(|at| json!({"name": format!("VARIABLE_{at}"), "value": format!("value {}", number + at)}))
        .collect();
    let labels = json!({"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "shop"});
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": {"example.com/revision": number.to_string()},
        },
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {"metadata": {"labels": labels}, "spec": {
                "serviceAccountName": "default",
                "containers": [{
                    "name": "web", "image": format!("registry.example.com/shop/web:1.2.{number}"),
                    "args": ["--listen=:8080"],
                    "env": environment,
                    "ports": [{"containerPort": 8080, "name": "http"}],
                    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
                    "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}},
                    "volumeMounts": [{"name": "config", "mountPath": "/etc/web"}],
                }],
                "volumes": [{"name": "config", "configMap": {"name": "web"}}],
            }},
        },
    })
}

/// CPU that this thread, the only one, has used, in microseconds.
fn cpu_us() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let ns = stat.split(' ').next().and_then(|ns| ns.parse::<u64>().ok());
    ns.unwrap_or(0) / 1000
}
