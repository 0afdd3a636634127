//! Values, changed by seeds, in our rendering and in the real one.

use std::ops::Range;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::corpus;
use super::ours::{self, Chosen, Setting};
use super::tool::{self, Tool};
use crate::random::Random;

/// Changes each chart's values once a seed, and compares what a rendering gives that remembers
/// all earlier ones with what one gives that remembers nothing.
pub fn run_remembering(seeds: Range<u64>, name: &str) -> Result<()> {
    let Some(corpus) = corpus::find()? else {
        println!("skipped: no corpus");
        return Ok(());
    };
    let (mut equal, mut refused, mut different) = (0, 0, 0);
    for chart in corpus.charts.iter().filter(|chart| chart.name.contains(name)) {
        let remembering = helm::Cache::default().remembering(64 << 20);
        let forgetting = helm::Cache::default();
        let defaults = std::fs::read(chart.place.join("values.yaml")).unwrap_or_default();
        let Ok(defaults) = goyaml::to_json(&defaults) else { continue };
        for seed in seeds.clone() {
            let mut random = Random::new(seed ^ stirred(&chart.name));
            let setting = match seed % 4 {
                0 => Setting::default(),
                _ => {
                    let values = changed(&defaults, &mut random);
                    Setting::with(serde_json::to_string_pretty(&values)?)
                }
            };
            let one = ours::render(&chart.place, &setting, Chosen::Stable, &remembering);
            let other = ours::render(&chart.place, &setting, Chosen::Stable, &forgetting);
            if one != other {
                different += 1;
                println!("{} seed {seed} differs", chart.name);
            } else if one.is_ok() {
                equal += 1;
            } else {
                refused += 1;
            }
        }
    }
    println!("{equal} equal, {refused} refused by both, {different} different");
    if different > 0 {
        bail!("{different} renderings differ");
    }
    Ok(())
}

/// Changes each chart's values once a seed, and compares.
pub fn run(seeds: Range<u64>, name: &str) -> Result<()> {
    let (Some(corpus), Some(tool)) = (corpus::find()?, Tool::find()) else {
        println!("skipped: no corpus, or no helm");
        return Ok(());
    };
    let cache = helm::Cache::default();
    let mut counts = Counts::default();
    for chart in corpus.charts.iter().filter(|chart| chart.name.contains(name)) {
        let plain = Setting::default();
        if chart.error.is_some()
            || tool.template(&chart.place, &plain)? != tool.template(&chart.place, &plain)?
        {
            counts.unstable += 1;
            continue;
        }
        let defaults = std::fs::read(chart.place.join("values.yaml")).unwrap_or_default();
        let Ok(defaults) = goyaml::to_json(&defaults) else { continue };
        for seed in seeds.clone() {
            let mut random = Random::new(seed ^ stirred(&chart.name));
            let values = changed(&defaults, &mut random);
            let setting = Setting::with(serde_json::to_string_pretty(&values)?);
            let theirs = tool.template(&chart.place, &setting)?;
            let ours = ours::render(&chart.place, &setting, Chosen::Stable, &cache);
            let problem = match (&theirs, &ours) {
                (Err(theirs), Err(ours)) => {
                    counts.refused += 1;
                    // Before its error, Helm may warn.
                    let first = |text: &str| {
                        let lines = text.lines().find(|line| !line.starts_with("level="));
                        lines.unwrap_or("").trim_start_matches("Error: ").to_owned()
                    };
                    if first(theirs) != first(ours) {
                        counts.other_words += 1;
                        println!(
                            "{} seed {seed}: says\n    {}\n  not\n    {}",
                            chart.name,
                            first(ours),
                            first(theirs)
                        );
                    }
                    None
                }
                // Helm prints what Argo CD takes for no object.
                (Ok(theirs), Err(_)) if tool::objects(theirs).is_err() => {
                    counts.refused += 1;
                    continue;
                }
                (Ok(_), Err(ours)) => Some(format!("refused: {ours}")),
                (Err(theirs), Ok(_)) => Some(format!("should be refused: {theirs}")),
                (Ok(theirs), Ok(ours)) => match tool::objects(theirs) {
                    Ok(objects) => tool::difference(&objects, ours),
                    Err(_) => None,
                },
            };
            let Some(problem) = problem else {
                counts.equal += u32::from(theirs.is_ok());
                continue;
            };
            // A change may switch on what is random.
            if theirs != tool.template(&chart.place, &setting)? {
                counts.unstable += 1;
                continue;
            }
            counts.different += 1;
            println!("{} seed {seed}: {problem}\n  with {values}", chart.name);
        }
    }
    println!("{counts:?}");
    if counts.different > 0 {
        bail!("{} renderings differ", counts.different);
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Counts {
    equal: u32,
    refused: u32,
    other_words: u32,
    unstable: u32,
    different: u32,
}

fn stirred(name: &str) -> u64 {
    name.bytes().fold(17, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
}

/// A values file that changes one to four of the values that a chart has.
fn changed(defaults: &Value, random: &mut Random) -> Value {
    let mut paths = Vec::new();
    collect(defaults, &mut Vec::new(), &mut paths);
    let mut values = Value::Object(Map::new());
    if paths.is_empty() {
        return json!({"added": "by a seed"});
    }
    for _ in 0..=random.below(4) {
        let (path, value) = random.pick(&paths).clone();
        put(&mut values, &path, other(&value, random));
    }
    values
}

/// Every value that is no map with entries, with the keys that lead to it.
fn collect(value: &Value, path: &mut Vec<String>, into: &mut Vec<(Vec<String>, Value)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                path.push(key.clone());
                collect(value, path, into);
                path.pop();
            }
        }
        value => into.push((path.clone(), value.clone())),
    }
}

/// Puts a value where a path leads, with maps on the way.
pub(super) fn put(into: &mut Value, path: &[String], value: Value) {
    let Value::Object(fields) = into else { return };
    match path {
        [] => {}
        [last] => drop(fields.insert(last.clone(), value)),
        [first, rest @ ..] => {
            let inner = fields.entry(first.clone()).or_insert_with(|| json!({}));
            put(inner, rest, value);
        }
    }
}

const TEXTS: [&str; 14] = [
    "changed",
    "",
    "a: b #c",
    "yes",
    "1.5",
    "0777",
    "two words",
    "{{ .Release.Name }}-x",
    "line\nline\n",
    "'quoted'",
    "http://example.com/?a=b&c=d",
    " lead",
    "näme",
    "x,y=z",
];

fn other(value: &Value, random: &mut Random) -> Value {
    if random.one_in(25) {
        return json!(null);
    }
    match value {
        Value::Bool(value) => json!(!value),
        Value::Number(_) => {
            [json!(0), json!(1), json!(2500), json!(1_000_000), json!(1.5), json!("7")]
                [random.below(6)]
            .clone()
        }
        Value::String(text) => match random.below(4) {
            0 if !text.is_empty() => json!(format!("{text}-x")),
            _ => json!(random.pick(&TEXTS)),
        },
        Value::Array(items) => {
            let mut items = items.clone();
            let more = items.first().cloned();
            items.push(match more {
                Some(first) if random.one_in(2) => first,
                _ => match random.below(3) {
                    0 => json!({"name": "added", "value": "1"}),
                    _ => json!(random.pick(&TEXTS)),
                },
            });
            Value::Array(items)
        }
        Value::Object(_) => {
            [json!({"added": "x"}), json!({"a.b/c": "true", "n": 5}), json!({"enabled": true})]
                [random.below(3)]
            .clone()
        }
        Value::Null => [json!("set"), json!(true), json!(3), json!({"a": "b"}), json!(["a"])]
            [random.below(5)]
        .clone(),
    }
}
