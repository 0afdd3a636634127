//! Which subcharts take part, under which names, and what their parents import from them.

use goval::{Map, Value};

use crate::chart::{ChartId, Charts};
use crate::coalesce::{Nulls, coalesce, merge_tables};
use crate::error::Failure;
use crate::metadata::{Dependency, Import};
use crate::profile::Profile;
use crate::tables::deep_copy_map;
use crate::versions::satisfies;

/// A dependency that `Chart.yaml` names and `charts/` has not.
///
/// # Errors
///
/// Their names, in Helm's words.
pub(crate) fn missing(charts: &Charts, chart: ChartId) -> Vec<&Dependency> {
    let listed = charts.metadata(chart).listed();
    listed.filter(|listed| !charts.has_dependency(chart, listed.name.as_bytes())).collect()
}

/// Leaves the subcharts that are enabled, renames them, and imports their values.
pub(crate) fn process(
    charts: &mut Charts,
    chart: ChartId,
    values: &Map,
    profile: Profile,
) -> Result<(), Failure> {
    enable(charts, chart, values, "", profile)?;
    import(charts, chart, profile)
}

fn enable(
    charts: &mut Charts,
    chart: ChartId,
    values: &Map,
    path: &str,
    profile: Profile,
) -> Result<(), Failure> {
    if charts.metadata(chart).dependencies.is_none() {
        return Ok(());
    }
    let fits = |charts: &Charts, sub: ChartId, listed: &Dependency| {
        charts.name(sub) == listed.name && satisfies(&listed.version, &charts.metadata(sub).version)
    };
    let loaded: Vec<ChartId> = charts.dependencies(chart).collect();
    let mut subs: Vec<ChartId> = loaded
        .iter()
        .copied()
        .filter(|sub| !charts.metadata(chart).listed().any(|listed| fits(charts, *sub, listed)))
        .collect();
    // Names change one by one as aliases are given, and the search sees it.
    let count = charts.metadata(chart).listed().count();
    for index in 0..count {
        let Some(listed) = charts.metadata(chart).listed().nth(index).cloned() else { continue };
        let found = loaded.iter().copied().find(|sub| fits(charts, *sub, &listed));
        if let Some(sub) = found {
            let copy = charts.copy_for_parent(sub)?;
            if !listed.alias.is_empty() {
                charts.metadata_mut(copy).name.clone_from(&listed.alias);
            }
            subs.push(copy);
        }
    }
    let metadata = charts.metadata_mut(chart);
    for listed in metadata.dependencies.iter_mut().flatten().flatten() {
        if !listed.alias.is_empty() {
            listed.name.clone_from(&listed.alias);
        }
        listed.enabled = true;
    }
    charts.set_dependencies(chart, &subs);

    let coalesced = coalesce(charts, chart, values, Nulls::Remove, profile).map_err(failed)?;
    let metadata = charts.metadata_mut(chart);
    for listed in metadata.dependencies.iter_mut().flatten().flatten() {
        by_tags(listed, &coalesced);
        by_condition(listed, &coalesced, path);
    }
    let disabled: Vec<String> = metadata
        .listed()
        .filter(|listed| !listed.enabled)
        .map(|listed| listed.name.clone())
        .collect();
    let is_disabled = |name: &str| disabled.iter().any(|known| known == name);
    let mut kept = metadata.dependencies.take().unwrap_or_default();
    kept.retain(|listed| listed.as_ref().is_none_or(|listed| !is_disabled(&listed.name)));
    subs.retain(|sub| !is_disabled(charts.name(*sub)));

    // A subchart may share this metadata, and works on it before it is put back.
    charts.metadata_mut(chart).dependencies = Some(kept.clone());
    for sub in &subs {
        let path = format!("{path}{}.", charts.name(*sub));
        enable(charts, *sub, &coalesced, &path, profile)?;
    }
    charts.metadata_mut(chart).dependencies = (!kept.is_empty()).then_some(kept);
    charts.set_dependencies(chart, &subs);
    Ok(())
}

fn failed(problem: String) -> Failure {
    Failure::values(format!("chart dependencies processing failed: {problem}"))
}

fn by_tags(listed: &mut Dependency, values: &Map) {
    let Some(Value::Map(tags)) = values.get(b"tags") else { return };
    let mut any_true = false;
    let mut any_false = false;
    for tag in listed.tags.iter().flatten() {
        match tags.get(tag.as_bytes()) {
            Some(Value::Bool(true)) => any_true = true,
            Some(Value::Bool(false)) => any_false = true,
            _ => {}
        }
    }
    listed.enabled = any_true || !any_false;
}

fn by_condition(listed: &mut Dependency, values: &Map, path: &str) {
    for condition in listed.condition.trim().split(',').filter(|text| !text.is_empty()) {
        if let Some(Value::Bool(enabled)) = path_value(values, &format!("{path}{condition}")) {
            listed.enabled = enabled;
            return;
        }
    }
}

/// The value at `a.b.c`, where it is no table.
pub(crate) fn path_value(values: &Map, path: &str) -> Option<Value> {
    let (tables, last) = match path.rsplit_once('.') {
        Some((tables, last)) => (table(values, tables)?, last),
        None => (values.clone(), path),
    };
    tables.get(last.as_bytes()).filter(|value| !matches!(value, Value::Map(_)))
}

/// The table at `a.b.c`.
pub(crate) fn table(values: &Map, path: &str) -> Option<Map> {
    let mut at = values.clone();
    for name in path.split('.') {
        match at.get(name.as_bytes()) {
            Some(Value::Map(inner)) => at = inner,
            _ => return None,
        }
    }
    Some(at)
}

/// Carries out `import-values`, subcharts first. A chart's defaults have all values of its
/// subcharts in them afterwards.
fn import(charts: &mut Charts, chart: ChartId, profile: Profile) -> Result<(), Failure> {
    let subs: Vec<ChartId> = charts.dependencies(chart).collect();
    for sub in subs {
        import(charts, sub, profile)?;
    }
    if charts.metadata(chart).dependencies.is_none() {
        return Ok(());
    }
    let merged = coalesce(charts, chart, &Map::new(), Nulls::Keep, profile).map_err(failed)?;
    let imported = Map::new();
    let mut listed = charts.metadata_mut(chart).dependencies.take().unwrap_or_default();
    for dependency in listed.iter_mut().flatten() {
        let mut done = Vec::new();
        for import in dependency.import_values.iter().flatten() {
            let (child, parent) = match import {
                Import::Raw(serde_json::Value::String(name)) => {
                    (format!("exports.{name}"), ".".to_owned())
                }
                Import::Raw(serde_json::Value::Object(pair)) => {
                    (as_go_prints(pair.get("child")), as_go_prints(pair.get("parent")))
                }
                // A pair that was carried out before is of another type, and passed over.
                Import::Raw(_) | Import::Pair { .. } => continue,
            };
            if let Some(found) = table(&merged, &format!("{}.{child}", dependency.name)) {
                merge_tables(charts, &imported, &nested(&parent, found), profile);
            }
            done.push(Import::Pair { child, parent });
        }
        dependency.import_values = (!done.is_empty()).then_some(done);
    }
    charts.metadata_mut(chart).dependencies = Some(listed);
    let values = deep_copy_map(&merged);
    merge_tables(charts, &values, &imported, profile);
    charts.set_values(chart, values);
    Ok(())
}

/// `%v` of a value in a file.
fn as_go_prints(value: Option<&serde_json::Value>) -> String {
    match value {
        None | Some(serde_json::Value::Null) => "<nil>".to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Number(number)) => {
            goval::format_g(number.as_f64().unwrap_or_default(), goval::FloatBits::F64)
        }
        Some(other) => other.to_string(),
    }
}

/// The map that has `data` at `a.b.c`; `.` is the data itself.
fn nested(path: &str, data: Map) -> Map {
    if path == "." {
        return data;
    }
    let mut map = data;
    for name in path.rsplit('.') {
        map = Map::of(goval::MapType::Any, [(name.into(), Value::Map(map))]);
    }
    map
}
