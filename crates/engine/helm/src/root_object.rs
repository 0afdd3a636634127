//! What a template is given: `.Values`, `.Chart`, `.Release` and the others.

use std::any::Any;
use std::rc::Rc;

use goval::{List, ListType, Map, MapType, Object, Str, Value};

use crate::capabilities::Capabilities;
use crate::chart::{ChartId, Charts};
use crate::files::Files;
use crate::metadata::{Dependency, Import, Metadata};
use crate::profile::Profile;
use crate::record::{Field, Record};

/// One template file, and what it is given.
pub(crate) struct Renderable {
    /// `parent/charts/child/templates/x.yaml`.
    pub(crate) name: String,
    pub(crate) text: std::sync::Arc<[u8]>,
    /// The chart's root object: all its templates share it.
    pub(crate) data: Map,
    /// `parent/charts/child/templates`.
    pub(crate) base_path: Str,
    /// Where the file lies, from the root chart's folder.
    pub(crate) stored_at: String,
}

/// The release, as templates see it.
#[derive(Clone, Copy)]
pub(crate) struct Release<'a> {
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
}

/// The root objects of a chart and its subcharts.
#[derive(Default)]
pub(crate) struct Roots {
    pub(crate) charts: Vec<ChartId>,
    /// Of each chart its root object.
    pub(crate) data: Vec<Map>,
    /// Objects in them that follow from the charts' files and the cluster.
    pub(crate) constants: Vec<Rc<dyn Object>>,
}

/// All templates of a chart and its subcharts, in no certain order, and what they are given.
pub(crate) fn renderables(
    charts: &Charts,
    root: ChartId,
    values: &Map,
    release: Release<'_>,
    capabilities: &Capabilities,
    profile: Profile,
) -> (Vec<Renderable>, Roots) {
    let release = Map::of(
        MapType::Any,
        [
            ("Name".into(), release.name.into()),
            ("Namespace".into(), release.namespace.into()),
            ("IsUpgrade".into(), false.into()),
            ("IsInstall".into(), true.into()),
            ("Revision".into(), Value::int(1)),
            ("Service".into(), "Helm".into()),
        ],
    );
    let mut all = Vec::new();
    let capabilities: Rc<dyn Object> = Rc::new(capabilities.clone());
    let mut roots = Roots { constants: vec![capabilities.clone()], ..Roots::default() };
    let maker = Maker { charts, release, capabilities: Value::Object(capabilities), profile };
    maker.chart(root, Some(values.clone()), &mut all, &mut roots);
    (all, roots)
}

struct Maker<'a> {
    charts: &'a Charts,
    release: Map,
    capabilities: Value,
    profile: Profile,
}

impl Maker<'_> {
    fn chart(
        &self,
        chart: ChartId,
        values: Option<Map>,
        all: &mut Vec<Renderable>,
        roots: &mut Roots,
    ) -> Map {
        let named = MapType::Named(self.profile.values_type());
        let values = values.unwrap_or_default().seen_as(named);
        let subcharts = Map::new();
        let metadata = self.charts.metadata(chart);
        let is_root = self.charts.is_root(chart);
        let files: Rc<dyn Object> = Rc::new(Files::new(&self.charts.content(chart).files));
        roots.constants.push(files.clone());
        let data = Map::of(
            named,
            [
                ("Chart".into(), describe(metadata, is_root, self.profile)),
                ("Files".into(), Value::Object(files)),
                ("Release".into(), self.release.clone().into()),
                ("Capabilities".into(), self.capabilities.clone()),
                ("Values".into(), values.clone().into()),
                ("Subcharts".into(), subcharts.clone().into()),
            ],
        );
        roots.charts.push(chart);
        roots.data.push(data.clone());
        for sub in self.charts.dependencies(chart) {
            let name = self.charts.name(sub);
            let values = crate::dependencies::table(&values, name);
            let inner = self.chart(sub, values, all, roots);
            subcharts.insert(name.into(), inner.seen_as(MapType::Any).into());
        }
        let path = self.charts.full_path(chart);
        let is_library = self.charts.is_library(chart);
        let folder = self.charts.folder(chart);
        let base_path = Str::from(format!("{path}/templates"));
        for file in &self.charts.content(chart).templates {
            if is_library && !crate::file::base(&file.name).starts_with('_') {
                continue;
            }
            all.push(Renderable {
                name: [&path, "/", &*file.name].concat(),
                text: file.data().clone(),
                data: data.clone(),
                base_path: base_path.clone(),
                stored_at: [folder, &*file.name].concat(),
            });
        }
        data
    }
}

fn describe(metadata: &Metadata, is_root: bool, profile: Profile) -> Value {
    match profile {
        Profile::V4 => Value::Map(as_map(metadata, is_root)),
        Profile::V3 => Value::Object(Rc::new(Chart(as_map(metadata, is_root)))),
    }
}

fn as_map(metadata: &Metadata, is_root: bool) -> Map {
    let texts = |texts: &Option<Vec<String>>| {
        Value::list(texts.iter().flatten().map(|text| text.as_str().into()).collect())
    };
    // Of all fields, only this one stays nil where the file has none.
    let annotations = match &metadata.annotations {
        None => Map::nil(MapType::String),
        Some(annotations) => Map::of(
            MapType::String,
            annotations.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())),
        ),
    };
    let maintainers = metadata.maintainers.iter().flatten().flatten().map(|maintainer| {
        Value::Map(Map::of(
            MapType::Any,
            [
                ("Name".into(), maintainer.name.as_str().into()),
                ("Email".into(), maintainer.email.as_str().into()),
                ("URL".into(), maintainer.url.as_str().into()),
            ],
        ))
    });
    Map::of(
        MapType::Any,
        [
            ("Name".into(), metadata.name.as_str().into()),
            ("Home".into(), metadata.home.as_str().into()),
            ("Sources".into(), texts(&metadata.sources)),
            ("Version".into(), metadata.version.as_str().into()),
            ("Description".into(), metadata.description.as_str().into()),
            ("Keywords".into(), texts(&metadata.keywords)),
            ("Maintainers".into(), Value::list(maintainers.collect())),
            ("Icon".into(), metadata.icon.as_str().into()),
            ("APIVersion".into(), metadata.api_version.as_str().into()),
            ("Condition".into(), metadata.condition.as_str().into()),
            ("Tags".into(), metadata.tags.as_str().into()),
            ("AppVersion".into(), metadata.app_version.as_str().into()),
            ("Deprecated".into(), metadata.deprecated.into()),
            ("Annotations".into(), annotations.into()),
            ("KubeVersion".into(), metadata.kube_version.as_str().into()),
            ("Dependencies".into(), Value::list(metadata.listed().map(dependency).collect())),
            ("Type".into(), metadata.kind.as_str().into()),
            ("IsRoot".into(), is_root.into()),
        ],
    )
}

fn dependency(listed: &Dependency) -> Value {
    let imports = listed.import_values.iter().flatten().map(|import| match import {
        Import::Pair { child, parent } => Value::Map(Map::of(
            MapType::String,
            [("child".into(), child.as_str().into()), ("parent".into(), parent.as_str().into())],
        )),
        Import::Raw(value) => crate::frozen::Frozen::from_json(value).thaw(),
    });
    let tags = listed.tags.iter().flatten().map(|tag| tag.as_str().into()).collect();
    Value::Map(Map::of(
        MapType::Any,
        [
            ("Name".into(), listed.name.as_str().into()),
            ("Version".into(), listed.version.as_str().into()),
            ("Repository".into(), listed.repository.as_str().into()),
            ("Condition".into(), listed.condition.as_str().into()),
            ("Tags".into(), Value::list(tags)),
            ("Enabled".into(), listed.enabled.into()),
            ("ImportValues".into(), Value::list(imports.collect())),
            ("Alias".into(), listed.alias.as_str().into()),
        ],
    ))
}

/// `.Chart` of Helm 3: a struct, in which an unknown field is an error.
#[derive(Debug)]
struct Chart(Map);

/// In the order of the struct.
const FIELDS: [&str; 18] = [
    "Name",
    "Home",
    "Sources",
    "Version",
    "Description",
    "Keywords",
    "Maintainers",
    "Icon",
    "APIVersion",
    "Condition",
    "Tags",
    "AppVersion",
    "Deprecated",
    "Annotations",
    "KubeVersion",
    "Dependencies",
    "Type",
    "IsRoot",
];

impl Object for Chart {
    fn type_name(&self) -> &str {
        "struct { chart.Metadata; IsRoot bool }"
    }

    fn field(&self, name: &str) -> Option<Value> {
        let value = self.0.get(name.as_bytes())?;
        Some(match (name, value) {
            ("Sources" | "Keywords", Value::List(list)) => {
                Value::List(List::typed(ListType::String, list.to_vec()))
            }
            ("Maintainers", Value::List(list)) => {
                records(&list, "[]*chart.Maintainer", "*chart.Maintainer", &MAINTAINER)
            }
            ("Dependencies", Value::List(list)) => {
                records(&list, "[]*chart.Dependency", "*chart.Dependency", &DEPENDENCY)
            }
            (_, value) => value,
        })
    }

    fn print(&self) -> String {
        let values = FIELDS.iter().filter_map(|name| self.field(name));
        let texts: Vec<String> =
            values.map(|value| goval::print_value(&value).to_string()).collect();
        let (last, metadata) =
            texts.split_last().map_or(("", &[][..]), |(last, rest)| (last.as_str(), rest));
        format!("{{{{{}}} {last}}}", metadata.join(" "))
    }

    fn plain(&self) -> Option<Value> {
        let members = self.members()?.into_iter();
        let entries = members.map(|(name, value)| (name.as_str().into(), value));
        Some(Map::of(MapType::Any, entries).into())
    }

    /// JSON has the field names of `Chart.yaml`, and leaves out what is empty.
    fn members(&self) -> Option<Vec<(String, Value)>> {
        let members = FIELDS.iter().filter_map(|name| {
            let key = match *name {
                "APIVersion" => "apiVersion".to_owned(),
                "IsRoot" => "IsRoot".to_owned(),
                name => name[..1].to_lowercase() + &name[1..],
            };
            let value = self.field(name)?;
            (key == "IsRoot" || value.is_true()).then_some((key, value))
        });
        Some(members.collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A field's name, its name in JSON, and whether JSON has it also where it is empty.
type FieldRule = (&'static str, &'static str, bool);

const MAINTAINER: [FieldRule; 3] =
    [("Name", "name", false), ("Email", "email", false), ("URL", "url", false)];

const DEPENDENCY: [FieldRule; 8] = [
    ("Name", "name", true),
    ("Version", "version", false),
    ("Repository", "repository", true),
    ("Condition", "condition", false),
    ("Tags", "tags", false),
    ("Enabled", "enabled", false),
    ("ImportValues", "import-values", false),
    ("Alias", "alias", false),
];

/// Maps as the structs that they stand for.
fn records(maps: &List, list: &'static str, type_name: &'static str, rules: &[FieldRule]) -> Value {
    let record = |map: &Map| {
        let fields = rules.iter().map(|(name, in_json, always)| Field {
            name,
            in_json,
            always: *always,
            value: map.get(name.as_bytes()).unwrap_or(Value::Nil),
        });
        Value::Object(Rc::new(Record { type_name, fields: fields.collect() }))
    };
    let records = maps.iter().filter_map(|map| match map {
        Value::Map(map) => Some(record(map)),
        _ => None,
    });
    Value::List(List::typed(ListType::Named(list), records.collect()))
}
