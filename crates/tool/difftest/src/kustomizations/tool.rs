//! The real kustomize, and trees on disk that both read.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use filetree::{ContentId, Entry, EntryKind, FileTree, Listed, TreeError, TreePath};
use serde_json::Value;

/// Files of one case, by their path from the root.
pub type Files = BTreeMap<String, String>;

/// The real program.
pub struct Tool {
    program: PathBuf,
}

impl Tool {
    /// The program that `make kube` builds; `None` where it is not built.
    pub fn find() -> Option<Self> {
        if let Some(program) = std::env::var_os("TIPHYS_KUSTOMIZE") {
            return Some(Self { program: program.into() });
        }
        let home = PathBuf::from(std::env::var_os("HOME")?);
        let versions = fs::read_dir(home.join(".cache/tiphys/kube")).ok()?;
        let programs = versions.flatten().map(|version| version.path().join("bin/kustomize"));
        let program = programs.into_iter().find(|program| program.is_file())?;
        Some(Self { program })
    }

    /// Builds a directory; the answer is what it printed, or what it complained of.
    pub fn build(
        &self,
        root: &Path,
        directory: &str,
        flags: &[&str],
    ) -> Result<Result<String, String>> {
        let mut command = Command::new(&self.program);
        command.arg("build").arg(root.join(directory)).args(flags).current_dir(root);
        // No network: what would be fetched fails at once.
        command.env_clear().env("PATH", "/nonexistent").env("HOME", "/nonexistent");
        let output = command.output().context("kustomize does not start")?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) })
    }

    /// Runs `kustomize edit` in a directory.
    pub fn edit(&self, directory: &Path, arguments: &[String]) -> Result<Result<(), String>> {
        let mut command = Command::new(&self.program);
        command.arg("edit").args(arguments).current_dir(directory);
        command.env_clear().env("PATH", "/nonexistent").env("HOME", "/nonexistent");
        let output = command.output().context("kustomize does not start")?;
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(if output.status.success() { Ok(()) } else { Err(complaint) })
    }
}

/// Objects as Argo CD reads them from what a tool printed.
pub fn objects(printed: &str) -> Result<Vec<Value>> {
    let mut objects = Vec::new();
    for document in goyaml::split(printed.as_bytes()) {
        let value = goyaml::to_json(&document?.bytes).context("a document is no YAML")?;
        if !value.is_null() {
            objects.push(value);
        }
    }
    Ok(objects)
}

/// Where the corpus is, unpacked into a directory of the machine's own; `None` without one.
pub fn corpus() -> Result<Option<PathBuf>> {
    let archive = match std::env::var_os("TIPHYS_CORPUS") {
        Some(corpus) => PathBuf::from(corpus),
        None => {
            let mut at = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
            while !at.join("Cargo.lock").is_file() {
                if !at.pop() {
                    return Ok(None);
                }
            }
            at.join("../shared/corpus")
        }
    }
    .join("kustomize.tar.xz");
    if !archive.is_file() {
        return Ok(None);
    }
    let unpacked = std::env::temp_dir().join("tiphys-kustomize-corpus");
    let done = unpacked.join("kustomize/manifest.json");
    if !done.is_file() {
        fs::create_dir_all(&unpacked)?;
        let status = Command::new("tar").arg("xJf").arg(&archive).arg("-C").arg(&unpacked).status();
        if !status.context("tar does not start")?.success() {
            bail!("the corpus does not unpack");
        }
    }
    Ok(Some(unpacked.join("kustomize")))
}

/// Writes a case's files below a root.
pub fn write(root: &Path, files: &Files) -> Result<()> {
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().context("a file lies in a directory")?)?;
        fs::write(path, content)?;
    }
    Ok(())
}

/// A directory of the disk as a tree.
pub struct Disk {
    pub root: PathBuf,
}

impl Disk {
    fn full(&self, path: &TreePath) -> PathBuf {
        self.root.join(path.as_str())
    }
}

fn kind(metadata: &fs::Metadata) -> EntryKind {
    if metadata.is_dir() {
        EntryKind::Directory
    } else {
        EntryKind::File { size_bytes: metadata.len(), executable: false }
    }
}

impl FileTree for Disk {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let metadata = fs::metadata(self.full(path)).ok();
        Ok(metadata.map(|metadata| Entry { kind: kind(&metadata), id: ContentId([0; 20]) }))
    }

    fn place(&self, path: &TreePath) -> Result<Option<TreePath>, TreeError> {
        let Ok(place) = self.full(path).canonicalize() else { return Ok(None) };
        let below = self
            .root
            .canonicalize()
            .ok()
            .and_then(|root| TreePath::parse(place.strip_prefix(root).ok()?.to_str()?).ok());
        // Trees lie elsewhere, by a link; inside of them there is none that counts.
        Ok(Some(below.unwrap_or_else(|| path.clone())))
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        let missing = |_| TreeError::Missing { path: path.to_string() };
        let mut file = fs::File::open(self.full(path)).map_err(missing)?;
        let size = file.metadata().map_err(missing)?.len();
        // Read where it stays: a copy costs as much as parsing a part of it.
        let mut bytes: Arc<[u8]> =
            std::iter::repeat_n(0, usize::try_from(size).unwrap_or(0)).collect();
        if let Some(bytes) = Arc::get_mut(&mut bytes) {
            file.read_exact(bytes).map_err(missing)?;
        }
        Ok(bytes)
    }

    fn list(&self, path: &TreePath) -> Result<Option<Vec<Listed>>, TreeError> {
        let Ok(entries) = fs::read_dir(self.full(path)) else { return Ok(None) };
        let listed = entries.flatten().map(|entry| Listed {
            name: entry.file_name().to_string_lossy().into_owned(),
            kind: fs::metadata(entry.path()).ok().map(|metadata| kind(&metadata)),
            link: false,
        });
        let mut listed: Vec<Listed> = listed.collect();
        listed.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Some(listed))
    }
}
