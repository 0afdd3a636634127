//! Ten waves of three hooks each, instant Jobs: how much longer than the cluster itself needs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cluster::{ObjectEvent, Write};
use manifest::Gvk;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::stage::{Stage, job_kind, text};

const WAVES: u32 = 10;
const HOOKS: u32 = 3;
/// How much longer a sync may take than the same Jobs made one wave after the other by hand.
const MORE_MAX: Duration = Duration::from_millis(200);
/// Syncs that are measured; the middle one counts.
const SYNCS: u32 = 7;

pub async fn measure() -> bool {
    let mut stage = Stage::set(&[("ARGOCD_SYNC_WAVE_DELAY", "0")]).await;
    let mut files = Vec::new();
    for wave in 0..WAVES {
        for hook in 0..HOOKS {
            files.push((format!("app/job-{wave}-{hook}.yaml"), job(wave, hook)));
        }
    }
    files.push((
        "app/config.yaml".to_owned(),
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\ndata: {a: one}\n".to_owned(),
    ));
    stage.repository().commit(&files);
    stage.start();
    stage.ready().await;
    stage.namespace("bare").await;
    let mut took = Vec::new();
    for number in 0..SYNCS {
        // Each finds its namespace empty: there is nothing to delete first.
        let name = format!("waves-{number}");
        stage.namespace(&name).await;
        stage.application(&name, &name, json!({})).await;
        let compared = |app: &Value| !text(app, "/status/sync/status").is_empty();
        stage.until(&name, "compared", compared).await;
        let begun = Instant::now();
        stage.sync(&name).await;
        let ended = |app: &Value| {
            app.get("operation").is_none()
                && !text(app, "/status/operationState/finishedAt").is_empty()
        };
        let app = stage.until(&name, "synced", ended).await;
        took.push(begun.elapsed());
        assert_eq!(text(&app, "/status/operationState/phase"), "Succeeded", "{app:#?}");
    }
    let mut least = Vec::new();
    for round in 0..3 {
        least.push(by_hand(&stage, round).await);
    }
    took.sort();
    least.sort();
    let (took, least) = (took[took.len() / 2], least[0]);
    let more = took.saturating_sub(least);
    println!(
        "{WAVES} waves x {HOOKS} hooks of instant Jobs: {} ms; the same Jobs by hand {} ms; difference {} ms (bar {} ms)",
        took.as_millis(),
        least.as_millis(),
        more.as_millis(),
        MORE_MAX.as_millis()
    );
    more <= MORE_MAX
}

fn job(wave: u32, hook: u32) -> String {
    format!(
        "apiVersion: batch/v1
kind: Job
metadata:
  name: job-{wave}-{hook}
  annotations:
    argocd.argoproj.io/hook: PreSync
    argocd.argoproj.io/sync-wave: \"{wave}\"
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: main
          image: example.com/main:1
"
    )
}

/// The theoretical minimum: the Jobs of a wave are made at once, and seen to complete.
async fn by_hand(stage: &Stage, round: u32) -> Duration {
    let complete: Arc<Mutex<BTreeMap<String, bool>>> = Arc::default();
    let changed = Arc::new(Notify::new());
    let (told, wake) = (complete.clone(), changed.clone());
    let watching = stage.watch(
        job_kind(),
        "bare",
        move |event| {
            if let ObjectEvent::Applied(job) = event {
                let name = manifest::name(&job).to_owned();
                told.lock().expect("no watcher panics").insert(name, is_complete(&job));
                wake.notify_one();
            }
        },
        "",
    );
    watching.ready().await;
    let begun = Instant::now();
    for wave in 0..WAVES {
        let names: Vec<String> =
            (0..HOOKS).map(|hook| format!("job-{round}-{wave}-{hook}")).collect();
        let jobs: Vec<Write> = names
            .iter()
            .map(|name| {
                Write::create(
                    json!({
                        "apiVersion": "batch/v1", "kind": "Job",
                        "metadata": {"name": name, "namespace": "bare"},
                        "spec": {"template": {"spec": {
                            "restartPolicy": "Never",
                            "containers": [{"name": "main", "image": "example.com/main:1"}],
                        }}},
                    }),
                    "bench",
                )
            })
            .collect();
        futures::future::join_all(jobs.iter().map(|job| stage.write(job))).await;
        loop {
            let done = {
                let complete = complete.lock().expect("no watcher panics");
                names.iter().all(|name| complete.get(name).copied().unwrap_or(false))
            };
            if done {
                break;
            }
            changed.notified().await;
        }
    }
    begun.elapsed()
}

fn is_complete(job: &Value) -> bool {
    let conditions = job.pointer("/status/conditions").and_then(Value::as_array);
    conditions
        .into_iter()
        .flatten()
        .any(|one| text(one, "/type") == "Complete" && text(one, "/status") == "True")
}

/// The kind of ConfigMaps.
pub fn config_map() -> Gvk {
    Gvk::new("", "v1", "ConfigMap")
}
