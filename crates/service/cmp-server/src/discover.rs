//! Which files a plugin is for.

use std::path::Path;

use globs::PathGlob;
use tokio::time::Instant;

use crate::command::{self, Run};
use crate::config::PluginConfig;

/// Files that are looked at; a directory with more is searched no further.
const FILES_MAX: usize = 100_000;

/// Whether the plugin is for the files in `directory`.
///
/// A file's name is asked for first, then a glob, then a program that prints something.
pub(crate) async fn is_for(
    config: &PluginConfig,
    directory: &Path,
    env: &[(String, String)],
    deadline: Instant,
) -> Result<bool, String> {
    let discover = &config.spec.discover;
    if !discover.file_name.is_empty() {
        return Ok(any_file(directory, &discover.file_name));
    }
    if !discover.find.glob.is_empty() {
        return Ok(any_file(directory, &discover.find.glob));
    }
    if discover.find.command.is_empty() {
        return Ok(false);
    }
    let find = Run {
        command: &discover.find.command,
        args: &discover.find.args,
        directory,
        env,
        deadline,
    };
    match command::run(find).await {
        Ok(printed) => Ok(!printed.is_empty()),
        Err(error) => Err(format!("error running find command: {error}")),
    }
}

/// Whether any file's path below `directory` matches; `**` is any number of directories.
fn any_file(directory: &Path, pattern: &str) -> bool {
    let pattern = pattern.trim_start_matches("./");
    let Ok(pattern) = PathGlob::new(pattern) else { return false };
    let mut open = vec![directory.to_owned()];
    let mut seen = 0;
    while let Some(next) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else { continue };
        for entry in entries.flatten() {
            seen += 1;
            if seen > FILES_MAX {
                return false;
            }
            let path = entry.path();
            let relative = path.strip_prefix(directory).unwrap_or(&path);
            if pattern.matches(&relative.to_string_lossy()) {
                return true;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(path);
            }
        }
    }
    false
}
