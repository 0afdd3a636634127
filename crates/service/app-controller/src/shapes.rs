//! The shape of each kind in a destination: built-in ones from tables, custom ones from their definitions.

use std::collections::HashMap;
use std::sync::Arc;

use cluster::{Cluster, LiveSet};
use manifest::{Gvk, ObjectKey};
use merge::schema::{Schema, TypeId};
use parking_lot::Mutex;

/// A kind's shape, and whether its lists have merge keys for patches.
#[derive(Clone)]
pub(crate) struct Shape {
    pub schema: Arc<Schema>,
    pub type_id: TypeId,
    pub builtin: bool,
}

/// The shapes that were asked for, by the definition's version.
#[derive(Default)]
pub(crate) struct Shapes {
    custom: Mutex<HashMap<Gvk, (String, Option<Shape>)>>,
}

impl Shapes {
    /// Returns a kind's shape; `None` where nobody knows it.
    pub async fn of(&self, cluster: &Cluster, live: &LiveSet, gvk: &Gvk) -> Option<Shape> {
        if let Some(shape) = builtin(cluster, gvk) {
            return Some(shape);
        }
        let info = live.kinds().get(gvk).cloned()?;
        let name = format!("{}.{}", info.plural, gvk.group);
        let key = ObjectKey::new("apiextensions.k8s.io", "CustomResourceDefinition", "", name);
        let version = live.get(&key).map(|held| held.resource_version().to_owned())?;
        if let Some((held, shape)) = self.custom.lock().get(gvk)
            && *held == version
        {
            return shape.clone();
        }
        let definition = live.object(&key).await.ok()??;
        let shape = custom(&definition, gvk);
        self.custom.lock().insert(gvk.clone(), (version, shape.clone()));
        shape
    }
}

/// Returns the minor version whose tables hold for a cluster.
pub(crate) fn minor(cluster: &Cluster) -> u32 {
    cluster
        .known_version()
        .and_then(|version| version.minor.trim_end_matches('+').parse::<u32>().ok())
        .filter(|minor| kubetypes::MINORS.contains(minor))
        .unwrap_or(kubetypes::LATEST_MINOR)
}

fn builtin(cluster: &Cluster, gvk: &Gvk) -> Option<Shape> {
    let tables = kubetypes::tables(minor(cluster));
    let type_id = tables.type_of(gvk)?;
    Some(Shape { schema: tables.schema().clone(), type_id, builtin: true })
}

fn custom(definition: &serde_json::Value, gvk: &Gvk) -> Option<Shape> {
    let definition = structural::parse(definition);
    let version = definition.version(&gvk.version)?;
    let mut schema = Schema::default();
    let type_id = version.schema.to_merge(&mut schema, None);
    Some(Shape { schema: Arc::new(schema), type_id, builtin: false })
}
