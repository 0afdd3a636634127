//! CPU seconds beside the real program, process start included on both sides.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use kustomize::edit::Overlay;

use super::ours;
use super::tool::Tool;
use super::trees::trees;

/// Clock ticks in a second, as `/proc` counts them on Linux.
const TICKS_PER_S: f64 = 100.0;

/// Builds one directory and prints the objects as JSON: what the measured process does.
pub fn one(root: &str, directory: &str) -> Result<()> {
    match ours::build(Path::new(root), directory, Overlay::default()) {
        Ok(objects) => {
            let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
            serde_json::to_writer(&mut out, &objects)?;
            out.flush()?;
            // As a program that prints does: what is left goes with the process.
            std::process::exit(0);
        }
        Err(refused) => bail!(refused),
    }
}

/// CPU seconds of all processes that were started and have ended.
fn children_s() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').context("a name in brackets")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    Ok((ticks(13).context("cutime")? + ticks(14).context("cstime")?) / TICKS_PER_S)
}

/// Prints what the trees cost, `rounds` times each.
pub fn run(tool: &Tool, corpus: &Path, rounds: u64, part: &str) -> Result<()> {
    let root = corpus.join("trees");
    let itself = std::env::current_exe()?;
    let trees = trees(corpus, part)?;
    let start = children_s()?;
    for tree in &trees {
        for _ in 0..rounds {
            if let Err(refused) = tool.build(&root, &tree.directory, &[])? {
                bail!("{}: {refused}", tree.directory);
            }
        }
    }
    let real = children_s()? - start;
    let start = children_s()?;
    for tree in &trees {
        for _ in 0..rounds {
            let root = root.to_str().context("a path in UTF-8")?;
            let arguments = format!("one {root} {}", tree.directory);
            // Tests run in a thread, where the C library asks for memory in small pieces; a
            // program's own thread does not.
            let mut command = Command::new(&itself);
            command.env("KUSTOMIZATIONS", arguments).env("MALLOC_ARENA_MAX", "1");
            let status = command.output()?.status;
            if !status.success() {
                bail!("{}: ours refuses", tree.directory);
            }
        }
    }
    let ours = children_s()? - start;
    let builds = trees.len() as u64 * rounds;
    println!("{builds} builds: real {real:.2} s, ours {ours:.2} s, {:.1} times", real / ours);
    Ok(())
}
