//! Whole builds, a file each in `data/builds`: the files of a tree, and what the real kustomize
//! makes of it.
//!
//! A case is text: `-- path --` begins a file, `-- want --` the objects as the real program printed
//! them, `-- refused --` a piece of our error where both refuse. With `RECORD=1` and the real
//! program built, `-- want --` is written anew.

#![expect(clippy::disallowed_methods, reason = "cases are read from disk")]

#[path = "../../../tool/difftest/src/kustomizations/tool.rs"]
#[expect(dead_code, reason = "only a part is used here")]
mod tool;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use filetree::{MapTree, TreePath};
use kustomize::{Extras, Options, build};
use serde_json::Value;

struct Case {
    files: tool::Files,
    want: Option<String>,
    refused: Option<String>,
}

impl Case {
    fn read(text: &str) -> Self {
        let mut case = Case { files: tool::Files::new(), want: None, refused: None };
        let mut sections: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            match line.strip_prefix("-- ").and_then(|line| line.strip_suffix(" --")) {
                Some(name) => sections.push((name.to_owned(), String::new())),
                None => {
                    let (_, body) = sections.last_mut().expect("a case begins with `-- path --`");
                    body.push_str(line);
                    body.push('\n');
                }
            }
        }
        for (name, body) in sections {
            match name.as_str() {
                "want" => case.want = Some(body),
                "refused" => case.refused = Some(body.trim().to_owned()),
                _ => drop(case.files.insert(name, body)),
            }
        }
        case
    }

    fn build(&self) -> Result<Vec<Value>, String> {
        let mut tree = MapTree::new();
        for (path, text) in &self.files {
            tree.insert(TreePath::parse(path).expect("a path"), text.as_bytes());
        }
        let root = TreePath::root();
        let built = build(&tree, &root, &Options::default(), &Extras::default());
        let built = built.map_err(|error| error.to_string())?;
        Ok(built.objects.into_iter().map(|object| object.value).collect())
    }

    fn check(&self) -> Result<(), String> {
        match (self.build(), &self.want, &self.refused) {
            (Ok(ours), Some(want), None) => {
                let want = tool::objects(want).map_err(|error| error.to_string())?;
                if ours == want {
                    return Ok(());
                }
                let shown = |objects: &[Value]| {
                    let lines: Vec<String> = objects.iter().map(Value::to_string).collect();
                    lines.join("\n  ")
                };
                Err(format!("built\n  {}\nwanted\n  {}", shown(&ours), shown(&want)))
            }
            (Err(error), None, Some(words)) if error.contains(words.as_str()) => Ok(()),
            (Err(error), _, _) => Err(format!("refused: {error}")),
            (Ok(_), None, _) => Err("built, but should be refused".to_owned()),
            (Ok(_), Some(_), Some(_)) => Err("says both `want` and `refused`".to_owned()),
        }
    }
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/builds");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut cases: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    cases.sort();
    cases
}

#[test]
fn builds_are_as_recorded() {
    let mut problems = String::new();
    let cases = cases();
    assert!(!cases.is_empty());
    for path in cases {
        let text = std::fs::read_to_string(&path).expect("a case is readable");
        if std::env::var_os("RECORD").is_some() {
            record(&path, &text);
        }
        let text = std::fs::read_to_string(&path).expect("a case is readable");
        if let Err(problem) = Case::read(&text).check() {
            let _ = writeln!(problems, "{}: {problem}\n", path.display());
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

/// Asks the real program.
fn record(path: &Path, text: &str) {
    let Some(real) = tool::Tool::find() else { return };
    let case = Case::read(text);
    let root = tempfile::tempdir().expect("a temporary directory");
    tool::write(root.path(), &case.files).expect("files are written");
    match real.build(root.path(), ".", &[]).expect("the real program runs") {
        Ok(printed) => {
            if case.refused.is_some() {
                return println!("{}: the real program builds it:\n{printed}", path.display());
            }
            let files = text.split("-- want --").next().unwrap_or(text);
            let text = format!("{files}-- want --\n{printed}");
            std::fs::write(path, text).expect("a case is written");
        }
        Err(complaint) => {
            let expected = if case.refused.is_some() { "" } else { " (not expected)" };
            println!("{}{expected}: {complaint}", path.display());
        }
    }
}
