//! Whole objects that stand within others (`x-kubernetes-embedded-resource`).

use serde_json::{Map, Value};

use crate::schema::{Additional, Schema};

impl Schema {
    /// Visits the fields of each object within an object, with the path to it; stops where the visitor does.
    ///
    /// # Errors
    ///
    /// What the visitor says.
    pub fn each_inside<E>(
        &self,
        object: &mut Value,
        visit: &mut impl FnMut(&str, &mut Map<String, Value>) -> Result<(), E>,
    ) -> Result<(), E> {
        each(self, object, "", visit)
    }
}

fn each<E>(
    schema: &Schema,
    value: &mut Value,
    path: &str,
    visit: &mut impl FnMut(&str, &mut Map<String, Value>) -> Result<(), E>,
) -> Result<(), E> {
    if !schema.holds.embedded {
        return Ok(());
    }
    match value {
        Value::Object(fields) => {
            if schema.embedded && !path.is_empty() {
                visit(path, fields)?;
            }
            for (name, field) in fields {
                let node = match (schema.properties.get(name), &schema.additional) {
                    (Some(node), _) => node,
                    (None, Some(Additional::Schema(node))) => node,
                    (None, _) => continue,
                };
                let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                each(node, field, &at, visit)?;
            }
        }
        Value::Array(items) => {
            let Some(node) = schema.items.as_deref() else { return Ok(()) };
            for (index, item) in items.iter_mut().enumerate() {
                each(node, item, &format!("{path}[{index}]"), visit)?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Ok(())
}
