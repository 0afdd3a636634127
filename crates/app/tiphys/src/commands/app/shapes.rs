//! The shapes of kinds, as far as a comparison asks: built-in ones from tables, custom ones from
//! their definitions in the cluster.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;
use cluster::Cluster;
use manifest::Gvk;
use merge::schema::{Schema, TypeId};

use super::live;

/// A kind's shape.
pub type Shape = (Arc<Schema>, TypeId);

/// The shapes that were asked for.
pub struct Shapes<'a> {
    cluster: &'a Cluster,
    minor: u32,
    custom: HashMap<Gvk, Option<Shape>>,
}

impl<'a> Shapes<'a> {
    /// Of a cluster of this minor version.
    pub fn new(cluster: &'a Cluster, minor: u32) -> Self {
        Self { cluster, minor, custom: HashMap::new() }
    }

    /// Returns a kind's shape; `None` where nobody knows it.
    pub async fn of(&mut self, gvk: &Gvk) -> Result<Option<Shape>> {
        let tables = kubetypes::tables(self.minor);
        if let Some(type_id) = tables.type_of(gvk) {
            return Ok(Some((tables.schema().clone(), type_id)));
        }
        if let Some(known) = self.custom.get(gvk) {
            return Ok(known.clone());
        }
        let shape = self.custom_shape(gvk).await?;
        self.custom.insert(gvk.clone(), shape.clone());
        Ok(shape)
    }

    async fn custom_shape(&self, gvk: &Gvk) -> Result<Option<Shape>> {
        let kinds = self.cluster.kinds();
        let Some(info) = kinds.get(gvk) else { return Ok(None) };
        let definitions = Gvk::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
        let name = format!("{}.{}", info.plural, gvk.group);
        let Some(definition) = live::object(self.cluster, &definitions, "", &name).await? else {
            return Ok(None);
        };
        let definition = structural::parse(&definition);
        let version = definition.version(&gvk.version);
        Ok(version.map(|version| {
            let mut schema = Schema::default();
            let type_id = version.schema.to_merge(&mut schema, None);
            (Arc::new(schema), type_id)
        }))
    }
}
