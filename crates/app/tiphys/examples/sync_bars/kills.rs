//! The controller is killed at random instants during syncs with hooks and waves: no hook runs
//! twice to success, none is lost, and the cluster ends as it would have ended undisturbed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cluster::{ListQuery, ObjectEvent};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::stage::{Stage, application_kind, job_kind, text};
use crate::waves::config_map;

/// Two Applications on the same files: one is synced by whoever asks, one by itself.
const ASKED: &str = "asked";
const BY_ITSELF: &str = "by-itself";
const APPLICATIONS: [&str; 2] = [ASKED, BY_ITSELF];
/// The controller is killed after so many changes of Jobs and Applications at most, whoever makes
/// them: on a slow machine, too, that is in the midst of its work…
const CHANGES_MAX: u64 = 12;
/// …and within so many milliseconds of the last one…
const AFTER_MAX_MS: u64 = 40;
/// …or where nothing changes for so long.
const STILL_MAX: Duration = Duration::from_secs(10);
/// One time in so many it is killed before it works, within so many milliseconds of its start.
const EARLY_EVERY: u64 = 10;
const EARLY_MAX_MS: u64 = 200;
/// How long one round may take.
const ROUND_MAX: Duration = Duration::from_secs(120);
/// How long what goes may take to be gone.
const SETTLE: Duration = Duration::from_secs(2);
/// After so many rounds all kinds of them have been.
const ROUNDS_THAT_DIFFER: u64 = 4;
/// Which commit a hook is of.
const ROUND: &str = "bench.tiphys.io/round";
/// Which hook a Job is.
const HOOK: &str = "bench.tiphys.io/hook";

/// What the watch saw of every Job that ever was: by namespace, round and hook, each Job's UID,
/// and whether it ended well.
type Seen = BTreeMap<(String, String, String), BTreeMap<String, bool>>;

pub async fn measure(kills: u64, seed: u64) -> bool {
    let mut random = Random(seed);
    let mut stage = Stage::set(&[("ARGOCD_SYNC_WAVE_DELAY", "0")]).await;
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let changed = Arc::new(Notify::new());
    let (told, wake) = (seen.clone(), changed.clone());
    let watching = stage.watch(
        job_kind(),
        "",
        move |event| {
            take(&told, event);
            wake.notify_one();
        },
        "",
    );
    watching.ready().await;
    let mut revision = stage.repository().commit(&files(0));
    stage.start();
    stage.ready().await;
    let wake = changed.clone();
    let _watching = stage.watch(application_kind(), "argocd", move |_| wake.notify_one(), "");
    for namespace in APPLICATIONS {
        stage.namespace(namespace).await;
    }
    stage.application(ASKED, ASKED, json!({})).await;
    let automated = json!({"automated": {"prune": true}, "retry": {"limit": 0}});
    stage.application(BY_ITSELF, BY_ITSELF, automated).await;

    let begun = Instant::now();
    let (mut killed, mut round) = (0, 0);
    let mut undisturbed: BTreeMap<(&str, u64), End> = BTreeMap::new();
    let mut wrong = Vec::new();
    while killed < kills {
        if round > 0 {
            revision = stage.repository().commit(&files(round));
        }
        stage.sync(ASKED).await;
        let round_begun = Instant::now();
        loop {
            let (count, after) = (random.below(CHANGES_MAX), random.below(AFTER_MAX_MS));
            let life = async {
                if round < 2 * ROUNDS_THAT_DIFFER {
                    // The first rounds show how it ends where nobody disturbs.
                    return std::future::pending().await;
                }
                for _ in 0..count {
                    // Where nothing changes any more, a kill is as good as any.
                    let _ = tokio::time::timeout(STILL_MAX, changed.notified()).await;
                }
                tokio::time::sleep(Duration::from_millis(after)).await;
            };
            let both = async {
                for name in APPLICATIONS {
                    let what = format!("round {round} ends");
                    stage.until(name, &what, |app| is_done(app, round, &revision)).await;
                }
            };
            tokio::select! {
                () = both => break,
                () = life => {}
            }
            stage.kill();
            killed += 1;
            while random.below(EARLY_EVERY) == 0 {
                stage.start();
                tokio::time::sleep(Duration::from_millis(random.below(EARLY_MAX_MS))).await;
                stage.kill();
                killed += 1;
            }
            if round_begun.elapsed() > ROUND_MAX {
                stage.print_log();
                panic!("round {round} does not end");
            }
            stage.start();
            stage.ready().await;
        }
        for name in APPLICATIONS {
            let mut found = runs(&seen, name, round);
            let kind = (name, round % ROUNDS_THAT_DIFFER);
            if round < 2 * ROUNDS_THAT_DIFFER {
                // Hooks that go are given the time to go. What a failure leaves is seen the second time.
                tokio::time::sleep(SETTLE).await;
                undisturbed.insert(kind, end(&stage, name, round).await);
            } else if let Some(expected) = undisturbed.get(&kind) {
                found.extend(differs(&stage, name, round, expected).await);
            }
            wrong.extend(found.into_iter().map(|words| format!("round {round}, {name}: {words}")));
        }
        round += 1;
    }
    for words in &wrong {
        println!("{words}");
    }
    let seen = seen.lock().expect("no watcher panics");
    println!(
        "{killed} kills (seed {seed}) in {round} rounds of 2 syncs, {} s: {} hooks to run, {} Jobs made for them; {} wrong (bar 0)",
        begun.elapsed().as_secs(),
        seen.len(),
        seen.values().map(BTreeMap::len).sum::<usize>(),
        wrong.len()
    );
    if !wrong.is_empty() {
        stage.print_log();
    }
    wrong.is_empty()
}

/// Numbers that look random; the same seed gives the same ones (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % end
    }
}

fn take(seen: &Mutex<Seen>, event: ObjectEvent) {
    let jobs = match event {
        ObjectEvent::Restarted { objects, .. } => objects,
        ObjectEvent::Applied(object) | ObjectEvent::Deleted(object) => vec![object],
    };
    let mut seen = seen.lock().expect("no watcher panics");
    for job in jobs {
        let Some(round) = manifest::annotation(&job, ROUND) else { continue };
        let hook = manifest::annotation(&job, HOOK).unwrap_or_default();
        let key = (manifest::namespace(&job).to_owned(), round.to_owned(), hook.to_owned());
        let well = seen.entry(key).or_default().entry(manifest::uid(&job).to_owned()).or_default();
        let conditions = job.pointer("/status/conditions").and_then(Value::as_array);
        *well |= conditions
            .into_iter()
            .flatten()
            .any(|one| text(one, "/type") == "Complete" && text(one, "/status") == "True");
    }
}

/// One hook of every round.
struct Hook {
    name: &'static str,
    phase: &'static str,
    wave: i32,
    policy: &'static str,
    generated: bool,
}

const HOOKS: [Hook; 9] = [
    hook("before", "PreSync", -1, "BeforeHookCreation"),
    hook("before-too", "PreSync", -1, "BeforeHookCreation,HookSucceeded"),
    hook("migrate", "PreSync", 2, "BeforeHookCreation,HookSucceeded"),
    Hook { generated: true, ..hook("named-later", "PreSync", 2, "HookSucceeded") },
    hook("between", "Sync", 1, "BeforeHookCreation"),
    hook("between-too", "Sync", 1, "BeforeHookCreation,HookSucceeded,HookFailed"),
    hook("after", "PostSync", 0, "BeforeHookCreation,HookSucceeded"),
    hook("last", "PostSync", 3, "BeforeHookCreation,HookFailed"),
    hook("alarm", "SyncFail", 0, "BeforeHookCreation"),
];

const fn hook(name: &'static str, phase: &'static str, wave: i32, policy: &'static str) -> Hook {
    Hook { name, phase, wave, policy, generated: false }
}

fn fails(round: u64) -> bool {
    round % ROUNDS_THAT_DIFFER == ROUNDS_THAT_DIFFER - 1
}

fn files(round: u64) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for hook in &HOOKS {
        let Hook { name, phase, wave, policy, generated } = hook;
        let named = if *generated { "generateName" } else { "name" };
        let dash = if *generated { "-" } else { "" };
        let outcome = match *name == "last" && fails(round) {
            true => "        sim.tiphys.io/outcome: fail\n",
            false => "",
        };
        files.push((
            format!("app/{name}.yaml"),
            format!(
                "apiVersion: batch/v1
kind: Job
metadata:
  {named}: {name}{dash}
  annotations:
    argocd.argoproj.io/hook: {phase}
    argocd.argoproj.io/sync-wave: \"{wave}\"
    argocd.argoproj.io/hook-delete-policy: {policy}
    {ROUND}: \"{round}\"
    {HOOK}: {name}
spec:
  backoffLimit: 0
  template:
    metadata:
      annotations:
        sim.tiphys.io/delay: 300ms
{outcome}    spec:
      restartPolicy: Never
      containers:
        - name: main
          image: example.com/main:1
"
            ),
        ));
    }
    for wave in 0..4 {
        files.push((
            format!("app/config-{wave}.yaml"),
            format!(
                "apiVersion: v1
kind: ConfigMap
metadata:
  name: config-{wave}
  annotations:
    argocd.argoproj.io/sync-wave: \"{wave}\"
data:
  round: \"{round}\"
"
            ),
        ));
    }
    // One that only every other round has: it is made, and pruned.
    let extra = match round % 2 {
        0 => "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: extra\n",
        _ => "",
    };
    files.push(("app/extra.yaml".to_owned(), extra.to_owned()));
    files
}

/// Whether the Application's operation on this round's commit has ended.
fn is_done(app: &Value, round: u64, revision: &str) -> bool {
    let phase = if fails(round) { "Failed" } else { "Succeeded" };
    app.get("operation").is_none()
        && text(app, "/status/operationState/phase") == phase
        && text(app, "/status/operationState/syncResult/revision") == revision
}

/// What is wrong with how often this round's hooks ran.
fn runs(seen: &Mutex<Seen>, name: &str, round: u64) -> Vec<String> {
    let seen = seen.lock().expect("no watcher panics");
    let mut wrong = Vec::new();
    for hook in &HOOKS {
        let key = (name.to_owned(), round.to_string(), hook.name.to_owned());
        let (made, well) = match seen.get(&key) {
            Some(jobs) => (jobs.len(), jobs.values().filter(|well| **well).count()),
            None => (0, 0),
        };
        let expected = match hook.name {
            "alarm" if !fails(round) => (0, 0),
            "last" if fails(round) => (1, 0),
            _ => (1, 1),
        };
        if (made, well) != expected {
            wrong.push(format!("{} was made {made} times, {well} times to success", hook.name));
        }
    }
    wrong
}

/// How a round ended: what stands in the cluster, and what the status says became of it.
#[derive(Debug, PartialEq, Eq)]
struct End {
    objects: BTreeSet<String>,
    results: BTreeSet<String>,
}

async fn end(stage: &Stage, name: &str, round: u64) -> End {
    let mut objects = BTreeSet::new();
    for gvk in [config_map(), job_kind()] {
        let query = ListQuery::in_namespace(name);
        for object in stage.cluster.list(&gvk, &query).await.expect("the cluster answers") {
            let of = match manifest::annotation(&object, ROUND) {
                Some(round) => round,
                None => text(&object, "/data/round"),
            };
            let age = of.parse::<u64>().map_or(0, |of| round - of);
            if age >= ROUNDS_THAT_DIFFER {
                // Hooks named after their operation stay where it failed.
                continue;
            }
            let held = object.pointer("/metadata/finalizers/0").is_some();
            let name = manifest::annotation(&object, HOOK).unwrap_or(manifest::name(&object));
            objects.insert(format!("{} {name}, {age} rounds old, held: {held}", gvk.kind));
        }
    }
    let app = stage.cluster.get(&application_kind(), "argocd", name).await;
    let app = app.expect("the cluster answers").expect("the Application is there");
    let rows = app.pointer("/status/operationState/syncResult/resources");
    // What a killed process has pruned is gone, and told by nobody.
    let rows = rows.and_then(Value::as_array).into_iter().flatten();
    let results = rows.filter(|row| text(row, "/status") != "Pruned").map(|row| {
        let name = text(row, "/name");
        let name = if name.starts_with("named-later-") { "named-later" } else { name };
        let [kind, phase, status, hook] =
            ["/kind", "/syncPhase", "/status", "/hookPhase"].map(|at| text(row, at));
        format!("{kind} {name} in {phase}: {status} {hook}")
    });
    End { objects, results: results.collect() }
}

/// What is different at the end of a round from one that nobody disturbed.
async fn differs(stage: &Stage, name: &str, round: u64, expected: &End) -> Vec<String> {
    let until = Instant::now() + SETTLE;
    loop {
        let found = end(stage, name, round).await;
        if found == *expected {
            return Vec::new();
        }
        if Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        }
        let lists = [(&expected.objects, &found.objects), (&expected.results, &found.results)];
        let words = lists.iter().flat_map(|(expected, found)| {
            let missing = expected.difference(found).map(|one| format!("missing: {one}"));
            missing.chain(found.difference(expected).map(|one| format!("too many: {one}")))
        });
        return words.collect();
    }
}
