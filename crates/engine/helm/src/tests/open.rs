//! Files that are opened and read later.

use std::sync::Arc;
use std::sync::Mutex;

use filetree::{Entry, FileTree, Later, Listed, MapTree, TreeError, TreePath};

use crate::cache::Cache;
use crate::render_texts;

use super::support::{request, tree};

/// Notes what is read at once, and what is opened.
struct Noting {
    tree: MapTree,
    read: Mutex<Vec<String>>,
    opened: Mutex<Vec<String>>,
}

impl FileTree for Noting {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        self.tree.entry(path)
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        self.read.lock().expect("one thread").push(path.to_string());
        self.tree.read(path)
    }

    fn later(&self, path: &TreePath) -> Option<Later> {
        self.opened.lock().expect("one thread").push(path.to_string());
        let bytes = self.tree.read(path).ok()?;
        Some(Box::new(move || Ok(bytes.clone())))
    }

    fn list(&self, path: &TreePath) -> Result<Option<Vec<Listed>>, TreeError> {
        self.tree.list(path)
    }
}

#[test]
fn what_only_templates_ask_for_is_opened_in_a_single_rendering() {
    let sub = "apiVersion: v2\nname: sub\nversion: 0.1.0\n";
    let tree = tree(&[
        ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
        ("README.md", "\u{FEFF}read me"),
        ("charts/sub/Chart.yaml", sub),
        ("charts/sub/notes/x.txt", "x"),
        ("charts/sub/values.yaml", "{}"),
        ("crds/a.yaml", ""),
        ("templates/a.yaml", "{{ .Files.Get \"README.md\" }}|{{ len .Files }}"),
        ("values.schema.json", "{}"),
    ]);
    for (cache, opened) in [
        (Cache::default(), &[][..]),
        (Cache::for_one(), &["README.md", "charts/sub/notes/x.txt"][..]),
    ] {
        let noting =
            Noting { tree: tree.clone(), read: Mutex::default(), opened: Mutex::default() };
        let request = request(&noting);
        let texts = render_texts(&request, &mut sprig::Pinned, &mut || false, &cache);
        let texts = texts.expect("it renders");
        assert_eq!(String::from_utf8_lossy(&texts[0].text), "read me|2");
        assert_eq!(*noting.opened.lock().expect("one thread"), opened);
        let read = noting.read.lock().expect("one thread");
        assert!(read.iter().all(|path| !opened.contains(&path.as_str())));
    }
}
