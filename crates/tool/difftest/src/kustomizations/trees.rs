//! The trees of the corpus, and changes on top of them.

use std::path::Path;

use anyhow::{Context, Result};
use kustomize::edit::Overlay;
use serde_json::Value;

use super::changes::{self, Change};
use super::tool::{self, Tool};
use super::{Score, ours, scratch};

/// A tree of the corpus.
pub struct Tree {
    /// From the directory of all trees.
    pub directory: String,
    /// What the real program printed.
    pub golden: String,
}

/// The trees whose directory contains `part`.
pub fn trees(corpus: &Path, part: &str) -> Result<Vec<Tree>> {
    let manifest: Vec<Value> =
        serde_json::from_slice(&std::fs::read(corpus.join("manifest.json"))?)?;
    let mut trees = Vec::new();
    for entry in &manifest {
        let text =
            |name: &str| entry[name].as_str().map(str::to_owned).context("a manifest's entry");
        let directory = text("dir")?;
        if directory.contains(part) {
            let golden = std::fs::read_to_string(corpus.join("golden").join(text("golden")?))?;
            trees.push(Tree { directory, golden });
        }
    }
    Ok(trees)
}

/// Compares each tree as it is with what the real program printed.
pub fn goldens(corpus: &Path, part: &str) -> Result<Score> {
    let mut score = Score::default();
    for tree in trees(corpus, part)? {
        let real = tool::objects(&tree.golden)?;
        match ours::build(&corpus.join("trees"), &tree.directory, Overlay::default()) {
            Ok(ours) if ours == real => score.equal += 1,
            Ok(ours) => {
                score.differ(format!("{}: {}", tree.directory, first_difference(&ours, &real)))
            }
            Err(refused) => score.differ(format!("{}: {refused}", tree.directory)),
        }
    }
    Ok(score)
}

/// Compares seeded changes on each tree, live.
pub fn run(tool: &Tool, corpus: &Path, seeds: std::ops::Range<u64>, part: &str) -> Result<Score> {
    changed(tool, &corpus.join("trees"), trees(corpus, part)?, seeds)
}

/// Compares seeded changes on trees that lie below a directory.
pub fn changed(
    tool: &Tool,
    below: &Path,
    trees: Vec<Tree>,
    seeds: std::ops::Range<u64>,
) -> Result<Score> {
    let mut score = Score::default();
    let root = scratch("trees")?;
    let link = root.join("trees");
    if !link.exists() {
        std::os::unix::fs::symlink(below, &link)?;
    }
    for tree in trees {
        let objects = tool::objects(&tree.golden)?;
        for seed in seeds.clone() {
            let base = format!("trees/{}", tree.directory);
            let salt: u64 =
                tree.directory.bytes().fold(7, |sum, byte| sum * 31 % 1_000_003 + u64::from(byte));
            let change = changes::make(seed * 1_000_003 + salt, &base, &objects);
            match compare(tool, &root, &change)? {
                Verdict::Equal => score.equal += 1,
                Verdict::BothRefuse => score.both_refuse += 1,
                Verdict::Different(_) => {
                    let small = shrink(tool, &root, change)?;
                    let Verdict::Different(how) = compare(tool, &root, &small)? else { continue };
                    let mut told = format!("== {} seed {seed}\n{how}", tree.directory);
                    for (path, text) in small.files("case") {
                        told.push_str(&format!("\n-- {path}\n{text}"));
                    }
                    score.differ(told);
                }
            }
        }
    }
    std::fs::remove_dir_all(&root)?;
    Ok(score)
}

enum Verdict {
    Equal,
    BothRefuse,
    Different(String),
}

fn compare(tool: &Tool, root: &Path, change: &Change) -> Result<Verdict> {
    let case = root.join("case");
    if case.exists() {
        std::fs::remove_dir_all(&case)?;
    }
    tool::write(root, &change.files("case"))?;
    let ours = ours::build(root, "case", Overlay::default());
    let real = tool.build(root, "case", &[])?;
    Ok(match (ours, real) {
        (Ok(ours), Ok(printed)) => {
            let real = tool::objects(&printed)?;
            if ours == real {
                Verdict::Equal
            } else {
                Verdict::Different(first_difference(&ours, &real))
            }
        }
        (Err(ours), Err(real)) => {
            if std::env::var_os("REFUSALS").is_some() {
                println!("ours {ours}\nreal {real}");
            }
            Verdict::BothRefuse
        }
        (Ok(_), Err(refused)) => {
            Verdict::Different(format!("only the real one refuses: {refused}"))
        }
        (Err(refused), Ok(_)) => Verdict::Different(format!("only ours refuses: {refused}")),
    })
}

/// Takes away what the difference does not need.
fn shrink(tool: &Tool, root: &Path, change: Change) -> Result<Change> {
    let mut small = change;
    let differs = |change: &Change| -> Result<bool> {
        Ok(matches!(compare(tool, root, change)?, Verdict::Different(_)))
    };
    for layer in 0..small.layers.len() {
        let mut at = 0;
        while at < small.layers[layer].len() {
            let mut without = small.clone();
            without.layers[layer].remove(at);
            if differs(&without)? {
                small = without;
            } else {
                at += 1;
            }
        }
    }
    if small.layers.len() > 1 {
        for layer in [0, 1] {
            let mut without = small.clone();
            without.layers.remove(layer);
            if differs(&without)? {
                small = without;
                break;
            }
        }
    }
    let used = |text: &str, files: &Change| {
        files.layers.iter().flatten().any(|(_, value)| value.to_string().contains(text))
    };
    let names: Vec<String> = small.files.keys().cloned().collect();
    for name in names {
        let first = name.split('/').next().unwrap_or(&name).to_owned();
        if !used(&first, &small) {
            small.files.remove(&name);
        }
    }
    Ok(small)
}

/// Where two lists of objects differ first.
pub fn first_difference(ours: &[Value], real: &[Value]) -> String {
    let id = |value: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        format!("{}/{}", text(&value["kind"]), text(&value["metadata"]["name"]))
    };
    for (at, (one, other)) in ours.iter().zip(real).enumerate() {
        if id(one) != id(other) {
            return format!("object {at}: ours {} real {}", id(one), id(other));
        }
        if let Some(difference) = difference("", one, other) {
            return format!("{}: {difference}", id(one));
        }
    }
    format!("ours has {} objects, the real one {}", ours.len(), real.len())
}

fn difference(path: &str, ours: &Value, real: &Value) -> Option<String> {
    match (ours, real) {
        _ if ours == real => None,
        (Value::Object(one), Value::Object(other)) => {
            let names = one.keys().chain(other.keys());
            let found = names.into_iter().find_map(|name| {
                let nothing = Value::String("(nothing)".to_owned());
                let get = |map: &serde_json::Map<String, Value>| {
                    map.get(name).cloned().unwrap_or(nothing.clone())
                };
                difference(&format!("{path}/{name}"), &get(one), &get(other))
            });
            found.or_else(|| Some(format!("{path}: keys")))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => one
            .iter()
            .zip(other)
            .enumerate()
            .find_map(|(at, (one, other))| difference(&format!("{path}/{at}"), one, other)),
        _ => {
            let shown = |value: &Value| value.to_string().chars().take(700).collect::<String>();
            Some(format!("{path}:\n  ours {}\n  real {}", shown(ours), shown(real)))
        }
    }
}
