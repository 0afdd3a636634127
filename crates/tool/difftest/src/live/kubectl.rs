//! A session of kubectl, the same commands to both clusters, and what it printed.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

/// Commands; what stands second is their input, or says that only the end of what is printed counts.
pub const SESSIONS: [&str; 5] = [
    include_str!("../../data/kubectl.json"),
    include_str!("../../data/kubectl-more.json"),
    include_str!("../../data/kubectl-rest.json"),
    include_str!("../../data/kubectl-roles.json"),
    include_str!("../../data/kubectl-services.json"),
];

/// What an editor does to the object that it is given.
const EDITOR: &str = "#!/bin/sh\nsed -i 's/colour: blue/colour: green/' \"$1\"\n";

/// A cluster as kubectl reaches it.
pub struct Kubectl<'a> {
    /// The program.
    pub program: &'a Path,
    /// Where the cluster is.
    pub kubeconfig: &'a Path,
    /// Files of its own.
    pub home: &'a Path,
}

/// Returns the commands of a session that print different things to the two, with what they
/// printed.
///
/// # Errors
///
/// Where kubectl cannot be run.
pub fn differences(real: &Kubectl<'_>, here: &Kubectl<'_>, session: &str) -> Result<Vec<String>> {
    let session: Vec<Vec<String>> = serde_json::from_str(session)?;
    let mut out = Vec::new();
    for command in &session {
        let (real, here) = (real.run(command)?, here.run(command)?);
        if real != here {
            out.push(format!("kubectl {}\n--- real\n{real}\n--- here\n{here}", command[0]));
        }
    }
    Ok(out)
}

impl Kubectl<'_> {
    fn run(&self, command: &[String]) -> Result<String> {
        let input = command.get(1).map(String::as_str).unwrap_or_default();
        let mut child = Command::new(self.program)
            .arg("--kubeconfig")
            .arg(self.kubeconfig)
            .args(["--namespace", "shop"])
            .args(words(&command[0]))
            .env("HOME", self.home)
            .env("KUBE_EDITOR", self.editor()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("kubectl does not start")?;
        if input != "ends" {
            // Who ends before reading everything says why.
            let _unread = child.stdin.take().context("no input")?.write_all(input.as_bytes());
        }
        let output = child.wait_with_output()?;
        let explains = command[0].starts_with("explain");
        let text = |bytes: &[u8]| {
            let text = comparable(&String::from_utf8_lossy(bytes));
            if explains { without_prose(&text) } else { text }
        };
        let mut printed = text(&output.stdout);
        if input == "ends" {
            printed = printed.lines().last().unwrap_or_default().to_owned();
        }
        Ok(format!("{printed}{}exit {:?}", text(&output.stderr), output.status.code()))
    }

    fn editor(&self) -> Result<PathBuf> {
        let path = self.home.join("editor");
        if !path.exists() {
            std::fs::write(&path, EDITOR)?;
            let status = Command::new("chmod").arg("+x").arg(&path).status()?;
            anyhow::ensure!(status.success(), "the editor is no program");
        }
        Ok(path)
    }
}

/// Arguments stand apart; what single quotes enclose belongs together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (place, part) in line.split('\'').enumerate() {
        if place % 2 == 1 {
            words.last_mut().expect("there is one from the start").push_str(part);
            continue;
        }
        let mut parts = part.split(' ');
        let first = parts.next().unwrap_or_default();
        words.last_mut().expect("there is one from the start").push_str(first);
        words.extend(parts.map(str::to_owned));
    }
    words
}

/// Takes out what differs from run to run: times, uids, versions, names that were drawn, and blanks that
/// depend on how wide those were.
fn comparable(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        // Where diff put its files.
        if line.starts_with("diff -u") || line.starts_with("--- /") || line.starts_with("+++ /") {
            continue;
        }
        let words: Vec<String> = line.split_whitespace().map(word).collect();
        let indent = line.len() - line.trim_start().len();
        out.push_str(&" ".repeat(indent));
        out.push_str(&words.join(" "));
        out.push('\n');
    }
    out
}

/// Upstream's descriptions stay upstream's; names, types and enumerations are compared.
fn without_prose(text: &str) -> String {
    let counts = |line: &&str| {
        let line = line.trim();
        let is_field = line.ends_with('>') && line.contains(" <") && !line.contains("description");
        is_field || line.contains(": ") && line.starts_with(char::is_uppercase)
    };
    let is_name = |line: &&str| {
        let line = line.trim();
        line.starts_with(['K', 'V', 'G', 'F']) || line.ends_with('>')
    };
    text.lines().filter(counts).filter(is_name).map(|line| format!("{line}\n")).collect()
}

fn word(word: &str) -> String {
    let is_age = word.len() > 1
        && word.ends_with(['s', 'm', 'h', 'd'])
        && word[..word.len() - 1].chars().all(|c| c.is_ascii_digit() || c == 'm');
    let bare = word.trim_matches('"');
    let is_clock = word.len() == 8
        && word.split(':').all(|part| part.len() == 2 && part.parse::<u8>().is_ok());
    let is_time = bare.len() >= 20 && bare.ends_with('Z') && bare.as_bytes()[10] == b'T';
    let is_uid = bare.len() == 36 && bare.matches('-').count() == 4;
    let is_number = bare.chars().all(|c| c.is_ascii_digit()) && bare.len() > 1 && word != bare;
    let is_address =
        bare.matches('.').count() == 3 && bare.chars().all(|c| c.is_ascii_digit() || c == '.');
    match () {
        () if is_age => "AGE".to_owned(),
        () if is_time || is_clock => "TIME".to_owned(),
        () if is_uid => "UID".to_owned(),
        () if is_number => "NUMBER".to_owned(),
        () if is_address => "ADDRESS".to_owned(),
        () => word.to_owned(),
    }
}
