//! Which fields differ, and who owns them.

use merge::fields::path_string;
use merge::managed::owners;
use merge::schema::{Schema, Type, TypeId};
use merge::typed::Typed;
use serde_json::Value;

use crate::compare::Sides;
use crate::rules::Rules;

/// One field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDifference {
    /// As in `.spec.containers[name="web"].image`; `""` is the order of something.
    pub path: String,
    /// As an apply would make it; `None` takes it away.
    pub desired: Option<Value>,
    /// As it is; `None` is not there.
    pub live: Option<Value>,
    /// Who owns it in the live object.
    pub owners: Vec<String>,
}

/// Returns the fields in which two sides differ, by path. `live` is the live object whole,
/// which says who owns what.
pub fn differences(sides: &Sides, live: &Value, rules: &Rules<'_>) -> Vec<FieldDifference> {
    let deduced = Schema { types: vec![Type::Deduced] };
    let (schema, type_id) = rules.schema.unwrap_or((&deduced, TypeId(0)));
    let typed = Typed::new(schema, type_id);
    let owned = owners(live).unwrap_or_default();
    let comparison = typed.compare(&sides.live, &sides.predicted);
    let mut changed = comparison.modified;
    changed.absorb(&comparison.added.leaves());
    changed.absorb(&comparison.removed.leaves());
    let mut out: Vec<_> = changed
        .paths()
        .into_iter()
        .map(|path| FieldDifference {
            path: path_string(&path),
            desired: typed.find(&sides.predicted, &path).cloned(),
            live: typed.find(&sides.live, &path).cloned(),
            owners: owned
                .iter()
                .filter(|owned| owned.fields.has(&path))
                .map(|owned| owned.manager.clone())
                .collect(),
        })
        .collect();
    if out.is_empty() {
        // Only an order differs.
        out.push(FieldDifference {
            path: String::new(),
            desired: Some(sides.predicted.clone()),
            live: Some(sides.live.clone()),
            owners: Vec::new(),
        });
    }
    out.sort_by(|left, right| left.path.cmp(&right.path));
    out
}
