//! Values over defaults, chart by chart.
//!
//! Maps are references here as they are in Go: a subchart's values are the map that its parent
//! has under the subchart's name, and tables two levels below `global` belong to all charts.
//! Templates see that, because they may change what they are given.

use goval::{Map, Str, Value};

use crate::chart::{ChartId, Charts};
use crate::profile::Profile;
use crate::tables::{deep_copy_map, percent_t};

const GLOBAL: &[u8] = b"global";

/// What happens to nulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// A null over a default takes the default away, and vanishes itself.
    Remove,
    /// Nulls stay, for a later pass that removes.
    Keep,
}

/// Puts `values` over the defaults of a chart and of its subcharts; `values` stays as it is.
///
/// # Errors
///
/// Where something that is no table stands under a subchart's name.
pub(crate) fn coalesce(
    charts: &Charts,
    chart: ChartId,
    values: &Map,
    nulls: Nulls,
    profile: Profile,
) -> Result<Map, String> {
    let result = deep_copy_map(&values.seen_as(goval::MapType::Any));
    Pass { charts, profile }.chart(chart, &result, nulls)?;
    Ok(result)
}

struct Pass<'a> {
    charts: &'a Charts,
    profile: Profile,
}

impl Pass<'_> {
    fn chart(&self, chart: ChartId, into: &Map, nulls: Nulls) -> Result<(), String> {
        self.defaults(chart, into, nulls);
        for sub in self.charts.dependencies(chart) {
            let name: Str = self.charts.name(sub).into();
            let values = match into.get(&name) {
                None => {
                    let values = Map::new();
                    into.insert(name, Value::Map(values.clone()));
                    values
                }
                Some(Value::Map(values)) => values,
                Some(other) => {
                    return Err(format!("type mismatch on {name}: {}", percent_t(&other)));
                }
            };
            self.globals(&values, into);
            self.chart(sub, &values, nulls)?;
        }
        Ok(())
    }

    fn defaults(&self, chart: ChartId, into: &Map, nulls: Nulls) {
        let Some(defaults) = self.charts.values(chart) else { return };
        let defaults = deep_copy_map(defaults);
        defaults.for_each(|key, default| match into.get(key) {
            Some(Value::Nil) if nulls == Nulls::Remove => {
                into.remove(key);
            }
            Some(Value::Map(known)) => {
                let Value::Map(default) = default else { return };
                let nulls =
                    if self.charts.has_dependency(chart, key) { Nulls::Keep } else { nulls };
                if nulls == Nulls::Remove && self.profile.cleans_null_defaults() {
                    remove_nulls(default);
                }
                self.tables(&known, default, nulls);
            }
            Some(_) => {}
            None => {
                if nulls == Nulls::Remove && self.profile.cleans_null_defaults() {
                    match default {
                        Value::Nil => return,
                        Value::Map(default) => remove_nulls(default),
                        _ => {}
                    }
                }
                into.insert(key.clone(), default.clone());
            }
        });
    }

    /// Hands a parent's globals down; the parent's count more.
    fn globals(&self, into: &Map, from: &Map) {
        let own = match into.get(GLOBAL) {
            None => Map::new(),
            Some(Value::Map(own)) => own,
            Some(_) => return,
        };
        let above = match from.get(GLOBAL) {
            None => Map::new(),
            Some(Value::Map(above)) => above,
            Some(_) => return,
        };
        for (key, value) in above.entries() {
            match (value, own.get(&key)) {
                (Value::Map(table), None) => {
                    own.insert(key, Value::Map(table.copy()));
                }
                (Value::Map(table), Some(Value::Map(known))) => {
                    let table = table.copy();
                    self.tables(&table, &known, Nulls::Keep);
                    own.insert(key, Value::Map(table));
                }
                (Value::Map(_), Some(_)) | (_, Some(Value::Map(_))) => {}
                (value, _) => {
                    own.insert(key, value);
                }
            }
        }
        into.insert("global".into(), Value::Map(own));
    }

    /// Merges `under` into `into`, which counts more. A table and a scalar never replace each
    /// other.
    fn tables(&self, into: &Map, under: &Map, nulls: Nulls) {
        if into.is(under) {
            return;
        }
        let mut was_set = Vec::new();
        if self.profile.cleans_null_defaults() {
            under.for_each(|key, value| {
                if !matches!(value, Value::Nil) {
                    was_set.push(key.clone());
                }
            });
        }
        let removes = |key: &Str| {
            nulls == Nulls::Remove
                && (!self.profile.cleans_null_defaults() || was_set.binary_search(key).is_ok())
        };
        into.for_each(|key, value| {
            if matches!(value, Value::Nil) {
                under.insert(key.clone(), Value::Nil);
            }
        });
        for (key, value) in under.entries() {
            match into.get(&key) {
                None => {
                    into.insert(key, value);
                }
                Some(Value::Nil) if removes(&key) => {
                    into.remove(&key);
                }
                Some(Value::Map(known)) => {
                    if let Value::Map(value) = value {
                        self.tables(&known, &value, nulls);
                    }
                }
                Some(_) => {}
            }
        }
    }
}

/// Merges `under` into `into`, which counts more, and keeps nulls.
pub(crate) fn merge_tables(charts: &Charts, into: &Map, under: &Map, profile: Profile) {
    Pass { charts, profile }.tables(into, under, Nulls::Keep);
}

fn remove_nulls(map: &Map) {
    for (key, value) in map.entries() {
        match value {
            Value::Nil => {
                map.remove(&key);
            }
            Value::Map(inner) => remove_nulls(&inner),
            _ => {}
        }
    }
}
