//! What an apply and an update of a 2 KB Deployment with two managers cost.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use merge::managed::{
    ApplyOptions, Context, OneVersion, UpdateOptions, apply, owners, set_owners, update,
};
use merge::typed::{Duplicates, Typed};
use serde_json::{Value, json};

use crate::managed::definitions;
use crate::openapi;

pub fn run(openapi_dir: &str) -> Result<()> {
    let types = openapi::read(&definitions(&format!("{openapi_dir}/apis__apps__v1_openapi.json"))?);
    let type_id = types.kinds["apps/v1/Deployment"];
    let versions = OneVersion { api_version: "apps/v1".to_owned(), type_id };
    let zero = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {}, "spec": {"selector": null, "strategy": {}, "template": {"metadata": {}, "spec": {"containers": null}}}, "status": {}});
    let context = Context { schema: &types.schema, versions: &versions, zero: &zero };
    let config: Value = serde_json::from_str(include_str!("../data/deployment.json"))?;
    let applied_by = ApplyOptions {
        manager: "argocd-controller",
        force: true,
        subresource: "",
        api_version: "apps/v1",
        kind: "Deployment",
        now: "2026-01-01T00:00:00Z",
        reset: &[],
    };
    let mut live = apply(None, &config, &applied_by, &context)?.object;
    live["metadata"]["uid"] = "u".into();
    let mut with_status = live.clone();
    with_status["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "1".into();
    with_status["status"] = json!({"replicas": 3, "readyReplicas": 3, "availableReplicas": 3, "updatedReplicas": 3, "observedGeneration": 1,
        "conditions": [{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": "ok", "lastUpdateTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": "ok", "lastUpdateTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z"}]});
    let updated_by = UpdateOptions {
        manager: "kube-controller-manager",
        subresource: "status",
        api_version: "apps/v1",
        now: "2026-01-01T00:00:10Z",
        reset: &[],
    };
    let live = update(Some(&live), &with_status, &updated_by, &context);
    let mut changed = config.clone();
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2".into();
    let mut fewer = config.clone();
    fewer["spec"]["template"]["spec"]["containers"][0]
        .as_object_mut()
        .context("a map")?
        .remove("livenessProbe");
    println!(
        "config {} bytes, live {} bytes, {} owners",
        config.to_string().len(),
        live.to_string().len(),
        owners(&live)?.len()
    );

    time("clone of live", || live.clone());
    time("owners read", || owners(&live));
    let typed = Typed::new(&types.schema, type_id);
    let owned = owners(&live)?;
    time("owners written", || {
        let mut out = json!({});
        set_owners(&mut out, owned.clone());
        out
    });
    time("owners cloned", || owned.clone());
    time("validate config", || typed.validate(&config, Duplicates::Refused));
    time("validate live", || typed.validate(&live, Duplicates::Allowed));
    time("field set of config", || typed.field_set(&config));
    time("merge (with a clone)", || {
        let mut merged = live.clone();
        typed.merge(&mut merged, &config);
        merged
    });
    time("compare", || typed.compare(&live, &live));
    time("apply, nothing changes", || {
        apply(Some(&live), &config, &applied_by, &context).map(|a| a.object)
    });
    time("apply, an image changes", || {
        apply(Some(&live), &changed, &applied_by, &context).map(|a| a.object)
    });
    time("apply, a probe is dropped", || {
        apply(Some(&live), &fewer, &applied_by, &context).map(|a| a.object)
    });
    time("apply, created", || apply(None, &config, &applied_by, &context).map(|a| a.object));
    time("update, status changes", || update(Some(&live), &with_status, &updated_by, &context));
    Ok(())
}

/// Prints the median of many runs.
fn time<T>(what: &str, mut run: impl FnMut() -> T) {
    let mut took: Vec<Duration> = (0..3000)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed()
        })
        .collect();
    took.sort();
    println!("{what:28} {:>8.1} us", took[took.len() / 2].as_secs_f64() * 1e6);
}
