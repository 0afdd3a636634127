//! Charts in memory, and values as JSON.

use filetree::{MapTree, TreePath};
use goval::{Map, Value};

use crate::cache::Cache;
use crate::chart::{ChartId, Charts};
use crate::directory;
use crate::error::Failure;
use crate::frozen::Frozen;
use crate::profile::Profile;

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
    let files = directory::read(&tree(files), &TreePath::root())?;
    Charts::load(&files, Profile::V4, &Cache::default())
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
