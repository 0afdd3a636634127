//! Texts that a person edits.

use std::io::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// What edits where nobody names another.
const EDITOR: &str = "vi";

/// Hands a text to the editor, and answers what comes back without the lines of comment.
pub fn edited(text: &str, problem: Option<&str>) -> Result<String> {
    let mut file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
    writeln!(
        file,
        "# Lines that begin with '#' are left out; an empty text, or one without changes, changes nothing."
    )?;
    for line in problem.into_iter().flat_map(str::lines) {
        writeln!(file, "# {line}")?;
    }
    file.write_all(text.as_bytes())?;
    file.flush()?;
    let named = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let editor = named("KUBE_EDITOR").or_else(|| named("EDITOR")).unwrap_or_else(|| EDITOR.into());
    // The variable holds words, as for other programs: the editor and its arguments.
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or(EDITOR);
    let ended = Command::new(program)
        .args(words)
        .arg(file.path())
        .status()
        .with_context(|| format!("cannot start the editor `{program}`"))?;
    if !ended.success() {
        bail!("the editor `{program}` ended with {ended}");
    }
    let back = std::fs::read_to_string(file.path()).context("the edited file is gone")?;
    let kept: Vec<&str> = back.lines().filter(|line| !line.starts_with('#')).collect();
    Ok(format!("{}\n", kept.join("\n")))
}
