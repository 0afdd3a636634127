//! Charts of any origin, rendered by both programs with their own values and with changed ones.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::ours::{self, Chosen, Setting};
use super::settings;
use super::tool::{self, Tool};
use crate::random::Random;

/// Renderings of ours that take longer are told, in debug builds too.
const SLOW_S: f64 = 20.0;

/// One comparison.
pub struct Case {
    /// Which seed or file.
    pub label: String,
    /// What was changed.
    pub what: String,
    /// As [`compared`] says.
    pub outcome: Outcome,
}

/// A word for what came out, and what is to be told.
pub type Outcome = (&'static str, Option<String>);

/// Compares every chart that `list` names.
pub fn run(list: &str, seeds: Range<u64>, name: &str) -> Result<()> {
    let Some(tool) = Tool::find() else {
        println!("skipped: no helm");
        return Ok(());
    };
    over(list, name, |chart, tell| {
        let cache = helm::Cache::default();
        for (label, setting) in settings_of(chart, seeds.clone()) {
            let outcome = compared(&tool, chart, &setting, &cache);
            tell(outcome.map(|outcome| Case { label, what: described(&setting), outcome }));
        }
    })
}

/// Looks at every chart of a list on a few threads, counts what is told, and prints differences.
pub fn over(
    list: &str,
    name: &str,
    look: impl Fn(&Path, &dyn Fn(Result<Case>)) + Sync,
) -> Result<()> {
    let list = fs::read_to_string(list).context("the list is read")?;
    let charts: Vec<&str> = list.lines().filter(|line| line.contains(name)).collect();
    let next = AtomicUsize::new(0);
    let counts: Mutex<BTreeMap<&'static str, u32>> = Mutex::default();
    let threads = std::env::var("DIFFTEST_THREADS").ok().and_then(|text| text.parse().ok());
    std::thread::scope(|scope| {
        for _ in 0..threads.unwrap_or(2) {
            scope.spawn(|| {
                while let Some(chart) = charts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    look(Path::new(chart), &|case| {
                        let (label, what, (word, told)) = match case {
                            Ok(case) => (case.label, case.what, case.outcome),
                            Err(error) => {
                                let told = Some(format!("{error:#}"));
                                (String::new(), String::new(), ("not compared", told))
                            }
                        };
                        *counts.lock().expect("no thread fails").entry(word).or_default() += 1;
                        if let Some(told) = told {
                            println!("== {chart} {label}: {told}\n   {what}");
                        }
                    });
                    let _ = fs::remove_file(ours::values_file());
                }
            });
        }
    });
    let counts = counts.into_inner().expect("no thread fails");
    println!("{} charts: {counts:?}", charts.len());
    if counts.contains_key("different") || counts.contains_key("other words") {
        bail!("some renderings differ");
    }
    Ok(())
}

/// What a chart is rendered with, each with a word for it.
fn settings_of(chart: &Path, seeds: Range<u64>) -> Vec<(String, Setting)> {
    let mut all = Vec::new();
    if seeds.start == 0 {
        all.push(("plain".to_owned(), Setting::default()));
        let folder = fs::read_dir(chart.join("ci")).into_iter().flatten().flatten();
        let is_values = |path: &PathBuf| path.to_string_lossy().ends_with("values.yaml");
        let mut files: Vec<PathBuf> = folder.map(|entry| entry.path()).filter(is_values).collect();
        files.sort();
        for file in files {
            let label = file.display().to_string();
            all.push((label, Setting { files: vec![file], ..Setting::default() }));
        }
    }
    let defaults = fs::read(chart.join("values.yaml")).unwrap_or_default();
    let defaults = goyaml::to_json(&defaults).unwrap_or_default();
    for seed in seeds {
        let mut random = Random::new(seed ^ settings::stirred(&chart.to_string_lossy()));
        all.push((format!("seed {seed}"), settings::changed(&defaults, &mut random)));
    }
    all
}

fn described(setting: &Setting) -> String {
    let plain = Setting::default();
    let mut words = Vec::new();
    words.extend(setting.set.iter().map(|line| format!("--set {line:?}")));
    words.extend(setting.set_string.iter().map(|line| format!("--set-string {line:?}")));
    if setting.api_versions != plain.api_versions {
        words.push(format!("apis {:?}", setting.api_versions));
    }
    for (one, other) in [
        (&setting.release_name, &plain.release_name),
        (&setting.namespace, &plain.namespace),
        (&setting.kube_version, &plain.kube_version),
    ] {
        if one != other {
            words.push(one.clone());
        }
    }
    words.extend(setting.values.clone());
    words.join(" ")
}

/// Renders with both.
pub fn compared(
    tool: &Tool,
    chart: &Path,
    setting: &Setting,
    cache: &helm::Cache,
) -> Result<Outcome> {
    let theirs = tool.template(chart, setting);
    let began = Instant::now();
    let rendered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        ours::render(chart, setting, Chosen::Stable, cache)
    }));
    let took_s = began.elapsed().as_secs_f64();
    let Ok(ours) = rendered else {
        return Ok(("different", Some("a panic".to_owned())));
    };
    if took_s > SLOW_S {
        println!("== {}: took {took_s:.1} s", chart.display());
    }
    let theirs = match theirs {
        Err(_) => return Ok(("too slow for helm", None)),
        Ok(theirs) => theirs,
    };
    let theirs = match theirs {
        Err(theirs) => {
            let Err(ours) = ours else {
                return Ok(("different", Some(format!("should be refused: {theirs}"))));
            };
            let (theirs, ours) = (first(&theirs), first(&ours));
            if theirs == ours {
                return Ok(("refused", None));
            }
            // Go's maps come in any order, and errors with them.
            if let Err(again) = tool.template(chart, setting)?
                && first(&again) != theirs
            {
                return Ok(("unstable", None));
            }
            return Ok(("other words", Some(format!("says\n    {ours}\n  not\n    {theirs}"))));
        }
        Ok(theirs) => theirs,
    };
    let objects = tool::objects(&theirs);
    let (theirs, ours) = match (objects, ours) {
        (Err(_), Err(_)) => return Ok(("no objects", None)),
        (Err(why), Ok(_)) => {
            return Ok(("different", Some(format!("no objects there, but here: {why:#}"))));
        }
        (Ok(_), Err(ours)) => {
            if tool.template(chart, setting)?.is_err() {
                return Ok(("unstable", None));
            }
            return Ok(("different", Some(format!("refused: {ours}"))));
        }
        (Ok(theirs), Ok(ours)) => (theirs, ours),
    };
    let Some(problem) = tool::difference(&theirs, &ours) else { return Ok(("equal", None)) };
    // The second after is another second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    // What is random differs between two runs of the real program, too.
    let again = tool.template(chart, setting)?.ok().map(|again| tool::objects(&again));
    let Some(Ok(again)) = again else { return Ok(("unstable", None)) };
    if again == theirs {
        return Ok(("different", Some(problem)));
    }
    if again.len() != theirs.len() {
        return Ok(("unstable", None));
    }
    let (mut theirs, mut ours) = (serde_json::Value::Array(theirs), serde_json::Value::Array(ours));
    tool::forget_what_changes(&mut theirs, &serde_json::Value::Array(again), &mut ours);
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    Ok(match tool::difference(&list(&theirs), &list(&ours)) {
        None => ("equal but for what is random", None),
        Some(problem) => ("different", Some(format!("besides what is random: {problem}"))),
    })
}

/// The line that says what is wrong; before it, Helm may warn.
fn first(text: &str) -> String {
    let lines = text.lines().find(|line| !line.starts_with("level="));
    lines.unwrap_or("").trim_start_matches("Error: ").to_owned()
}
