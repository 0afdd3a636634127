//! Compares our kustomize with the real one, over inputs from seeds.
//!
//! `merges FROM TO`: random objects with random patches; `paths FROM TO`: with random replacements. `trees FROM TO [PART]`: changes on top of the
//! trees of the corpus, and `edits FROM TO [PART]`: Argo CD's parameters on top of those. `goldens 0 0
//! [PART]`: the trees as they are. `survey FROM TO DIR [PART]`: every kustomization below a directory of
//! this host, and changes on top. All print what differs, made as small as it gets. `bench 0 ROUNDS
//! [PART]`: CPU seconds of both.

mod bench;
mod changes;
mod edits;
mod merges;
mod ours;
mod paths;
mod seed;
mod survey;
mod tool;
mod trees;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::Value;

use kustomize::edit::Overlay;
use merges::Merge;
use tool::Tool;

/// What came out of a run.
#[derive(Debug, Default)]
pub struct Score {
    pub equal: usize,
    pub both_refuse: usize,
    pub different: Vec<String>,
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { equal, both_refuse, different } = self;
        write!(f, "{equal} equal, {both_refuse} refused by both, {} different", different.len())
    }
}

impl Score {
    fn all(&self) -> usize {
        self.equal + self.both_refuse + self.different.len()
    }

    fn add(&mut self, other: Score) {
        self.equal += other.equal;
        self.both_refuse += other.both_refuse;
        self.different.extend(other.different);
    }

    fn differ(&mut self, how: String) {
        println!("{how}\n");
        self.different.push(how);
    }
}

/// Runs one of the comparisons.
pub fn run(arguments: &[String]) -> Result<()> {
    if let [what, root, directory] = arguments
        && what == "one"
    {
        return bench::one(root, directory);
    }
    let Some(tool) = Tool::find() else {
        println!("skipped: the real kustomize is not built (`make kube`)");
        return Ok(());
    };
    let [what, from, to, ..] = arguments else {
        bail!("usage: kustomizations merges|paths|trees|edits|goldens|survey FROM TO [PART]");
    };
    let seeds: std::ops::Range<u64> = from.parse()?..to.parse()?;
    if what == "survey" {
        let [_, _, _, root, part @ ..] = arguments else {
            bail!("usage: kustomizations survey FROM TO DIR [PART]");
        };
        let root = Path::new(root).canonicalize()?;
        let part = part.first().map_or("", String::as_str);
        return told(&survey::run(&tool, &root, seeds, part)?);
    }
    let part = arguments.get(3).map_or("", String::as_str);
    let corpus = match tool::corpus()? {
        Some(corpus) => corpus,
        None if what == "merges" || what == "paths" => PathBuf::new(),
        None => {
            println!("skipped: no corpus");
            return Ok(());
        }
    };
    if what == "bench" {
        return bench::run(&tool, &corpus, seeds.end, part);
    }
    let score = match what.as_str() {
        "merges" => merges(&tool, seeds)?,
        "paths" => paths::run(&tool, seeds)?,
        "goldens" => trees::goldens(&corpus, part)?,
        "edits" => edits::run(&tool, &corpus, seeds, part)?,
        "trees" => trees::run(&tool, &corpus, seeds, part)?,
        _ => bail!("`{what}` is not known"),
    };
    told(&score)
}

fn told(score: &Score) -> Result<()> {
    println!("{score}");
    if !score.different.is_empty() {
        bail!("{} builds differ", score.different.len());
    }
    Ok(())
}

fn scratch(name: &str) -> Result<PathBuf> {
    let path = std::env::temp_dir().join(format!("tiphys-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&path)?;
    Ok(path)
}

const BATCH: usize = 40;

fn merges(tool: &Tool, seeds: std::ops::Range<u64>) -> Result<Score> {
    let root = scratch("merges")?;
    let mut score = Score::default();
    let all: Vec<Merge> = seeds.map(Merge::make).collect();
    for batch in all.chunks(BATCH) {
        compare(tool, &root, batch, &mut score)?;
    }
    std::fs::remove_dir_all(&root)?;
    Ok(score)
}

/// Builds many at once; where one of both refuses, halves are tried.
fn compare(tool: &Tool, root: &Path, batch: &[Merge], score: &mut Score) -> Result<()> {
    tool::write(root, &merges::files(batch))?;
    let ours = ours::build(root, ".", Overlay::default());
    let mut real = None;
    if ours.is_ok() || batch.len() == 1 {
        real = Some(tool.build(root, ".", &[])?);
    }
    match (ours, real) {
        (Ok(ours), Some(Ok(printed))) => {
            let real = tool::objects(&printed)?;
            for (at, merge) in batch.iter().enumerate() {
                let name = format!("case-{at:04}");
                let of_case = |object: &&Value| object["metadata"]["name"] == name.as_str();
                let ours: Vec<&Value> = ours.iter().filter(of_case).collect();
                let real: Vec<&Value> = real.iter().filter(of_case).collect();
                if ours == real {
                    score.equal += 1;
                } else {
                    let shown = |objects: &[&Value]| serde_json::to_string(objects);
                    score.differ(format!(
                        "object {}\npatch  {} target {}\nours {}\nreal {}",
                        merge.object,
                        merge.patch,
                        merge.with_target,
                        shown(&ours)?,
                        shown(&real)?
                    ));
                }
            }
            Ok(())
        }
        (Err(_), Some(Err(_))) => {
            score.both_refuse += 1;
            Ok(())
        }
        (ours, real) => {
            if let [merge] = batch {
                score.differ(format!(
                    "object {}\npatch  {} target {}\nours {:?}\nreal {:?}",
                    merge.object,
                    merge.patch,
                    merge.with_target,
                    ours.err(),
                    real.and_then(Result::err)
                ));
                return Ok(());
            }
            let (one, other) = batch.split_at(batch.len() / 2);
            compare(tool, root, one, score)?;
            compare(tool, root, other, score)
        }
    }
}
