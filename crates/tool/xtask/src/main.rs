//! What developers print and check: `cargo run -p xtask -- COMMAND`.
//!
//! Each printing command writes files of this repository, and a test beside it fails when they
//! are stale. Nothing here runs in the product.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

mod crds;
mod floors;
mod goldens;
mod install;
mod kubetypes;
mod settings_doc;
#[cfg(test)]
mod settings_used;
mod yaml;

/// A command: its name, what it does, and the function, which takes the arguments behind the name.
type Command = (&'static str, &'static str, fn(Arguments) -> Result<()>);

/// What stands behind a command's name.
type Arguments = std::iter::Skip<std::env::Args>;

const COMMANDS: &[Command] = &[
    ("crds", "prints manifests/crds", |_| crds::write()),
    ("install", "prints manifests/install", |_| install::write()),
    ("goldens", "captures what a real API server answers", goldens::run),
    ("settings-doc", "prints docs/settings.md", |_| settings_doc::write()),
    ("floors", "names every arrow between crates that runs up", |_| floors::check()),
    ("kubetypes", "makes the type tables of the built-in kinds", kubetypes::run),
];

fn main() -> ExitCode {
    let asked = std::env::args().nth(1);
    match run(asked.as_deref(), std::env::args().skip(2)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(asked: Option<&str>, arguments: Arguments) -> Result<()> {
    match COMMANDS.iter().find(|(name, ..)| Some(*name) == asked) {
        Some((_, _, command)) => command(arguments),
        None => {
            for (name, does, _) in COMMANDS {
                eprintln!("xtask {name:14} {does}");
            }
            bail!("name one of these commands");
        }
    }
}

/// The repository's root: cargo tells it when it runs this program. What was compiled in may be another
/// clone's, as clones share a target directory.
fn root() -> PathBuf {
    let ours = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    ours.ancestors().nth(3).expect("this crate lies three folders below the root").to_owned()
}

/// Writes a file of the repository, folders included; says which.
fn write_file(path: &str, text: &str) -> Result<()> {
    let full = root().join(path);
    if let Some(folder) = full.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("make `{}`", folder.display()))?;
    }
    std::fs::write(&full, text).with_context(|| format!("write `{path}`"))?;
    println!("{path}");
    Ok(())
}

/// Fails where a file of the repository is not what its command prints.
#[cfg(test)]
fn assert_fresh(path: &str, text: &str, command: &str) {
    let have = std::fs::read_to_string(root().join(path)).unwrap_or_default();
    assert!(have == text, "`{path}` is stale: run `cargo run -p xtask -- {command}`");
}
