//! Every kustomization below a directory of this host: as it is, and with changes on top.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use kustomize::edit::Overlay;

use super::tool::{self, Tool};
use super::trees::{self, Tree, first_difference};
use super::{Score, ours};

const FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Compares each kustomization below `root` whose directory contains `part`, and as many seeded
/// changes on top of those that the real program builds.
pub fn run(tool: &Tool, root: &Path, seeds: std::ops::Range<u64>, part: &str) -> Result<Score> {
    let mut directories = Vec::new();
    find(root, root, &mut directories)?;
    directories.retain(|directory| directory.contains(part));
    directories.sort();
    let mut score = Score::default();
    let mut built = Vec::new();
    for directory in directories {
        let ours = ours::build(root, &directory, Overlay::default());
        let real = tool.build(root, &directory, &[])?;
        match (ours, real) {
            (Ok(ours), Ok(golden)) => {
                let real = tool::objects(&golden)?;
                if ours == real {
                    score.equal += 1;
                } else {
                    let how = first_difference(&ours, &real);
                    score.differ(format!("== {directory}\n{how}"));
                }
                built.push(Tree { directory, golden });
            }
            (Err(_), Err(_)) => score.both_refuse += 1,
            (Ok(_), Err(refused)) => {
                score.differ(format!("== {directory}\nonly the real one refuses: {refused}"));
            }
            // What lies elsewhere is not fetched here.
            (Err(refused), Ok(_)) => {
                score.differ(format!("== {directory}\nonly ours refuses: {refused}"));
            }
        }
    }
    println!("{} kustomizations: {score}", score.all());
    if seeds.is_empty() {
        return Ok(score);
    }
    let changed = trees::changed(tool, root, built, seeds)?;
    score.add(changed);
    Ok(score)
}

fn find(root: &Path, directory: &Path, found: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() && entry.file_name() != ".git" {
            find(root, &path, found)?;
        }
    }
    let texts = FILES.iter().filter_map(|name| fs::read_to_string(directory.join(name)).ok());
    let texts: Vec<String> = texts.collect();
    // A component alone builds nothing.
    if !texts.is_empty() && !texts.iter().any(|text| text.contains("kind: Component")) {
        let below = directory.strip_prefix(root)?.to_str().context("a path is UTF-8")?;
        found.push(below.to_owned());
    }
    Ok(())
}
