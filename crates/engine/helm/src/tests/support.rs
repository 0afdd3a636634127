//! Charts in memory, and values as JSON.

use std::sync::LazyLock;

use filetree::{FileTree, MapTree, TreePath};
use goval::{Map, Value};

use crate::cache::Cache;
use crate::chart::{ChartId, Charts};
use crate::directory;
use crate::error::Failure;
use crate::frozen::Frozen;
use crate::profile::Profile;
use crate::{ChartSource, Limits, Reading, Request, render_texts};

/// A tree of files, each written as path and content.
pub(crate) fn tree(files: &[(&str, &str)]) -> MapTree {
    let mut tree = MapTree::new();
    for (path, content) in files {
        let path = TreePath::parse(path).expect("a test's path is safe");
        tree.insert(path, content.as_bytes());
    }
    tree
}

/// A chart of the files, loaded.
pub(crate) fn load(files: &[(&str, &str)]) -> Result<(Charts, ChartId), Failure> {
    let files = directory::read(&tree(files), &TreePath::root(), &Cache::default())?;
    Charts::load(&files, Profile::V4, &Cache::default())
}

/// A chart at a tree's root with nothing asked of it, for Kubernetes 1.33.
pub(crate) fn request(tree: &dyn FileTree) -> Request<'_> {
    static ROOT: LazyLock<TreePath> = LazyLock::new(TreePath::root);
    Request {
        chart: ChartSource::Directory { tree, path: &ROOT },
        vendored: &[],
        release_name: "rel",
        namespace: "ns1",
        kube_version: Some("1.33.0"),
        api_versions: &[],
        values_files: &[],
        set: &[],
        set_string: &[],
        set_file: &[],
        read_file: &|path| Err(path.to_owned()),
        include_definitions: true,
        skip_tests: false,
        skip_schema_validation: false,
        profile: Profile::V4,
        limits: Limits::default(),
        reading: Reading { objects: |_| Ok(Vec::new()), as_text: None },
    }
}

/// What the first template of a chart gives, or what is wrong.
pub(crate) fn rendered(files: &[(&str, &str)], profile: Profile) -> Result<String, String> {
    let tree = tree(files);
    let request = Request { profile, ..request(&tree) };
    let texts = render_texts(&request, &mut sprig::Pinned, &mut || false, &Cache::default());
    let texts = texts.map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&texts[0].text).into_owned())
}

/// Values as a values file has them.
pub(crate) fn values(json: serde_json::Value) -> Map {
    Frozen::from_json(&json).thaw_map()
}

/// What is in a map, as JSON.
pub(crate) fn json(map: &Map) -> serde_json::Value {
    fn one(value: &Value) -> serde_json::Value {
        match value {
            Value::Nil => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(value, _) => format!("int {value}").into(),
            Value::Float(value) => (*value).into(),
            Value::Str(text) => text.to_text().into_owned().into(),
            Value::List(list) => list.iter().map(one).collect(),
            Value::Map(map) => json(map),
            other => other.type_name().into(),
        }
    }
    let mut object = serde_json::Map::new();
    map.for_each(|key, value| {
        object.insert(key.to_text().into_owned(), one(value));
    });
    object.into()
}
