//! Real kustomizations build to what the real kustomize made of them.
//!
//! The corpus lies beside the repository (or where `TIPHYS_CORPUS` points); without it nothing
//! is tested here. `CASE=part` builds only directories that have it in their path.

#![expect(clippy::disallowed_methods, reason = "a test reads the corpus from the disk")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use filetree::{ContentId, Entry, EntryKind, FileTree, Listed, TreeError, TreePath};
use kustomize::{Extras, Options, build};
use serde_json::Value;

#[test]
fn real_kustomizations_build_to_the_same_objects_in_order() {
    let Some(corpus) = corpus() else {
        println!("skipped: no corpus");
        return;
    };
    let manifest = fs::read(corpus.join("manifest.json")).expect("the corpus has a manifest");
    let cases: Value = serde_json::from_slice(&manifest).expect("the manifest is JSON");
    let only = std::env::var("CASE").unwrap_or_default();
    let tree = Disk { root: corpus.join("trees") };
    let (mut ran, mut failures) = (0, Vec::new());
    for case in cases.as_array().expect("the manifest is a list") {
        let (dir, golden) = (text(case, "dir"), text(case, "golden"));
        if !dir.contains(&only) {
            continue;
        }
        ran += 1;
        let golden = fs::read(corpus.join("golden").join(golden)).expect("the golden is there");
        let wanted = objects(&golden);
        let directory = TreePath::parse(dir).expect("it lies in the tree");
        match build(&tree, &directory, &Options::default(), &Extras::default()) {
            Ok(built) => {
                let got = built.objects.into_iter().map(|object| object.value).collect::<Vec<_>>();
                if let Some(difference) = difference(&wanted, &got) {
                    failures.push(format!("{dir}: {difference}"));
                }
            }
            Err(error) => failures.push(format!("{dir}: {error}")),
        }
    }
    assert!(failures.is_empty(), "{} of {ran} differ:\n{}", failures.len(), failures.join("\n"));
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().expect("the manifest names it")
}

/// The objects as Argo CD reads them.
fn objects(printed: &[u8]) -> Vec<Value> {
    let chunks = goyaml::split(printed).map(|chunk| chunk.expect("goldens have documents"));
    let values = chunks.map(|chunk| goyaml::to_json(&chunk.bytes).expect("goldens are YAML"));
    values.filter(|value| !value.is_null()).collect()
}

fn name(object: &Value) -> String {
    format!("{} {}", object["kind"], object["metadata"]["name"])
}

fn difference(wanted: &[Value], got: &[Value]) -> Option<String> {
    for (at, (wanted, got)) in wanted.iter().zip(got).enumerate() {
        if wanted != got {
            let path = first_difference(wanted, got, &mut String::new());
            return Some(format!("object {at}: {} or {}: {path}", name(wanted), name(got)));
        }
    }
    (wanted.len() != got.len()).then(|| format!("{} objects, not {}", got.len(), wanted.len()))
}

fn first_difference(wanted: &Value, got: &Value, path: &mut String) -> String {
    match (wanted, got) {
        (Value::Object(one), Value::Object(other)) => {
            for key in one.keys().chain(other.keys()) {
                let (one, other) = (one.get(key), other.get(key));
                if one != other {
                    path.push('/');
                    path.push_str(key);
                    let (one, other) = (one.unwrap_or(&Value::Null), other.unwrap_or(&Value::Null));
                    return first_difference(one, other, path);
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (at, (one, other)) in one.iter().zip(other).enumerate() {
                if one != other {
                    path.push_str(&format!("/{at}"));
                    return first_difference(one, other, path);
                }
            }
        }
        _ => {}
    }
    let short = |value: &Value| value.to_string().chars().take(300).collect::<String>();
    format!("{path}: wanted {}, got {}", short(wanted), short(got))
}

fn corpus() -> Option<PathBuf> {
    let shared = match std::env::var_os("TIPHYS_CORPUS") {
        Some(corpus) => PathBuf::from(corpus),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/corpus"),
    };
    let archive = shared.join("kustomize.tar.xz");
    if !archive.is_file() {
        return None;
    }
    let unpacked = std::env::temp_dir().join("tiphys-kustomize-corpus");
    if !unpacked.join("kustomize/manifest.json").is_file() {
        fs::create_dir_all(&unpacked).expect("a directory for the corpus");
        let tar = Command::new("tar").arg("xJf").arg(&archive).arg("-C").arg(&unpacked).status();
        assert!(tar.is_ok_and(|status| status.success()), "the corpus does not unpack");
    }
    Some(unpacked.join("kustomize"))
}

/// A directory of the disk.
struct Disk {
    root: PathBuf,
}

impl FileTree for Disk {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let Ok(metadata) = fs::metadata(self.root.join(path.as_str())) else { return Ok(None) };
        let kind = match metadata.is_dir() {
            true => EntryKind::Directory,
            false => EntryKind::File { size_bytes: metadata.len(), executable: false },
        };
        Ok(Some(Entry { kind, id: ContentId([0; 20]) }))
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        let content = fs::read(self.root.join(path.as_str()));
        content.map(Arc::from).map_err(|_| TreeError::Missing { path: path.to_string() })
    }

    fn list(&self, _path: &TreePath) -> Result<Option<Vec<Listed>>, TreeError> {
        Ok(None)
    }
}
