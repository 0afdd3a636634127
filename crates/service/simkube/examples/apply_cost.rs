//! What a server-side apply costs without sockets: `apply_cost [APPLIES]`. Prints microseconds each.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::json;
use simkube::api::{self, request::Request};
use simkube::cluster::Cluster;
use simkube::store::{Limits, Store};

fn main() {
    let applies: u32 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(5_000);
    let store = Store::in_memory(Limits::default());
    let cluster = Cluster::new("main", store, Arc::new(Timestamp::now), false);
    for round in ["create", "change"] {
        let begun = Instant::now();
        for number in 0..applies {
            let name = format!("web-{}", number % 500);
            let value = if round == "create" { 0 } else { number };
            let environment: Vec<_> = (0..12)
                .map(|at| json!({"name": format!("VARIABLE_{at}"), "value": format!("{}", value + at)}))
                .collect();
            let labels =
                json!({"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "shop"});
            let body = json!({
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": name, "labels": labels},
                "spec": {
                    "replicas": 2,
                    "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
                    "template": {"metadata": {"labels": labels}, "spec": {"containers": [{
                        "name": "web", "image": "registry.example.com/shop/web:1.2.3",
                        "env": environment,
                        "ports": [{"containerPort": 8080, "name": "http"}],
                        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
                        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}},
                    }]}},
                },
            });
            let request = Request {
                method: "PATCH".to_owned(),
                path: format!("/apis/apps/v1/namespaces/default/deployments/{name}"),
                query: "fieldManager=load&force=true".to_owned(),
                content_type: "application/apply-patch+yaml".to_owned(),
                body: body.to_string().into(),
                ..Request::default()
            };
            let api::request::Answer::Response(response) = api::answer(&cluster, &request, "")
            else {
                panic!("an apply is no watch");
            };
            assert!(response.code < 300, "{}", String::from_utf8_lossy(&response.whole_body()));
        }
        println!("{round}: {} us", begun.elapsed().as_micros() / u128::from(applies));
    }
}
