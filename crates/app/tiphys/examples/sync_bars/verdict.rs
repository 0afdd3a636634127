//! An Application of 500 objects of which one changes: the controller's CPU time to the new verdict.

use std::time::Duration;

use cluster::{Patch, Write};
use serde_json::{Value, json};

use crate::stage::{Stage, text};
use crate::waves::config_map;

const OBJECTS: u32 = 500;
/// Each look at the CPU time is this long after the last change, so that all that follows counts.
const SETTLE: Duration = Duration::from_millis(400);
const ROUNDS: usize = 21;
/// CPU time of the whole process.
const CPU_MAX: Duration = Duration::from_millis(5);

pub async fn measure() -> bool {
    let mut stage = Stage::set(&[]).await;
    let files: Vec<_> = (0..OBJECTS).map(|at| object(at, "git")).collect();
    stage.repository().commit(&files);
    stage.start();
    stage.ready().await;
    stage.namespace("shop").await;
    stage.application("many", "shop", json!({})).await;
    stage.sync("many").await;
    let synced = |app: &Value| {
        text(app, "/status/sync/status") == "Synced" && app.get("operation").is_none()
    };
    stage.until("many", "synced", synced).await;

    // An object is changed by hand, and back.
    let mut by_hand = Vec::new();
    for round in 0..ROUNDS {
        tokio::time::sleep(SETTLE).await;
        let before = stage.cpu();
        let (value, expected) =
            if round % 2 == 0 { ("hand", "OutOfSync") } else { ("git", "Synced") };
        let patch = Patch::Merge(json!({"data": {"value": value}}));
        stage.write(&Write::patch(config_map(), "shop", "config-7", patch, "hand")).await;
        stage.until("many", expected, |app| text(app, "/status/sync/status") == expected).await;
        tokio::time::sleep(SETTLE).await;
        by_hand.push(stage.cpu() - before);
    }
    // Back to what git has.
    let patch = Patch::Merge(json!({"data": {"value": "git"}}));
    stage.write(&Write::patch(config_map(), "shop", "config-7", patch, "hand")).await;
    stage.until("many", "Synced", |app| text(app, "/status/sync/status") == "Synced").await;

    // Git changes one of the 500 files, to what it never was before.
    let mut by_commit = Vec::new();
    for round in 0..ROUNDS {
        tokio::time::sleep(SETTLE).await;
        let before = stage.cpu();
        let (value, expected) =
            if round % 2 == 0 { ("other", "OutOfSync") } else { ("git", "Synced") };
        let (name, content) = object(7, value);
        stage.repository().commit(&[(name, format!("# round {round}\n{content}"))]);
        stage.until("many", expected, |app| text(app, "/status/sync/status") == expected).await;
        tokio::time::sleep(SETTLE).await;
        by_commit.push(stage.cpu() - before);
    }
    tokio::time::sleep(SETTLE).await;
    let before = stage.cpu();
    tokio::time::sleep(SETTLE * 2).await;
    let idle = stage.cpu() - before;
    let middle = |list: &mut Vec<Duration>| {
        list.sort();
        list[list.len() / 2]
    };
    let (hand, commit) = (middle(&mut by_hand), middle(&mut by_commit));
    println!(
        "{OBJECTS} objects, one changed in the cluster: {:.1} ms of CPU to the new verdict; in git: {:.1} ms (bar {} ms; idle as long: {:.1} ms)",
        hand.as_secs_f64() * 1e3,
        commit.as_secs_f64() * 1e3,
        CPU_MAX.as_millis(),
        idle.as_secs_f64() * 1e3,
    );
    hand <= CPU_MAX && commit <= CPU_MAX
}

fn object(at: u32, value: &str) -> (String, String) {
    let content = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config-{at}\ndata:\n  value: {value}\n  number: \"{at}\"\n"
    );
    (format!("app/config-{at}.yaml"), content)
}
