//! The corpus on this machine.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The charts of the corpus.
pub struct Corpus {
    pub charts: Vec<Chart>,
}

/// One of them.
pub struct Chart {
    /// Repository and path: `bitnami/bitnami/redis`.
    pub name: String,
    /// Its folder.
    pub place: PathBuf,
    /// What the real Helm printed, where it rendered.
    pub golden: Option<PathBuf>,
    /// What it said, where it refused.
    pub error: Option<String>,
}

/// Finds the corpus, and unpacks it into a directory of the machine's own; `None` without one.
pub fn find() -> Result<Option<Corpus>> {
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
    .join("helm.tar.xz");
    if !archive.is_file() {
        return Ok(None);
    }
    let unpacked = std::env::temp_dir().join("tiphys-helm-corpus");
    let manifest = unpacked.join("helm/manifest.json");
    if !manifest.is_file() {
        fs::create_dir_all(&unpacked)?;
        let status = Command::new("tar").arg("xJf").arg(&archive).arg("-C").arg(&unpacked).status();
        if !status.context("tar does not start")?.success() {
            bail!("the corpus does not unpack");
        }
    }
    let root = unpacked.join("helm");
    let listed: Vec<Value> = serde_json::from_slice(&fs::read(manifest)?)?;
    let chart = |entry: &Value| {
        let text = |field: &str| entry[field].as_str().map(str::to_owned);
        let name = text("chart").context("an entry names its chart")?;
        Ok(Chart {
            place: root.join("charts").join(&name),
            golden: text("golden").map(|file| root.join("golden").join(file)),
            error: if entry["renders"] == true { None } else { text("error") },
            name,
        })
    };
    Ok(Some(Corpus { charts: listed.iter().map(chart).collect::<Result<_>>()? }))
}
