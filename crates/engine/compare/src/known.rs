//! Fields of custom kinds that hold built-in types (DIF-12): `0.1` is `100m` in a quantity there too.

use kubetypes::Tables;
use kubetypes::quantity::Quantity;
use kubetypes::shape::{Field, Scalar, Shape, StructId};
use kubetypes::walk::Visit;
use manifest::gvk;
use serde_json::{Map, Value};

/// Rules for fields, by kind. The default knows what upstream knows without being told.
#[derive(Clone, Debug, Default)]
pub struct KnownTypes {
    fields: Vec<KnownField>,
}

/// A field of a kind, and the type that it holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KnownField {
    /// `group/Kind`, or `Kind` for the core group.
    pub kind: String,
    /// With dots in between; lists on the way are walked.
    pub field: String,
    /// As in `core/v1/PodSpec`, `core/Quantity`, `meta/v1/Duration`.
    pub type_name: String,
}

impl KnownTypes {
    /// Rules of the settings.
    pub fn new(fields: impl IntoIterator<Item = KnownField>) -> Self {
        Self { fields: fields.into_iter().collect() }
    }

    /// Brings the known fields of an object into the form in which their types print.
    pub(crate) fn settle(&self, object: &mut Value, minor: u32) {
        let kind = gvk(object);
        let name = match kind.group.as_str() {
            "" => kind.kind.clone(),
            group => format!("{group}/{}", kind.kind),
        };
        let tables = kubetypes::tables(minor);
        if name == "argoproj.io/Rollout" {
            settle_at(object, "spec.template.spec", "core/v1/PodSpec", tables);
        }
        for known in self.fields.iter().filter(|known| known.kind == name) {
            settle_at(object, &known.field, &known.type_name, tables);
        }
    }
}

fn settle_at(value: &mut Value, path: &str, type_name: &str, tables: &Tables) {
    if let Value::Array(items) = value {
        for item in items {
            settle_at(item, path, type_name, tables);
        }
        return;
    }
    if path.is_empty() {
        settle_value(value, type_name, tables);
        return;
    }
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    if let Some(next) = value.get_mut(step) {
        settle_at(next, rest, type_name, tables);
    }
}

fn settle_value(value: &mut Value, type_name: &str, tables: &Tables) {
    match type_name {
        "core/Quantity" | "core/v1/Quantity" => settle_quantity(value),
        // How Go prints a duration depends on how long it is, not on how it was written.
        "meta/v1/Duration" => {
            if let Some(nanos) = value.as_str().and_then(|text| crd::parse_go_duration(text).ok()) {
                *value = format!("{}ns", nanos.as_nanos()).into();
            }
        }
        "core/v1/ResourceList" => {
            if let Value::Object(map) = value {
                map.values_mut().for_each(settle_quantity);
            }
        }
        name => {
            if let Some(id) = struct_named(tables, name) {
                settle_struct(tables, id, value);
            }
        }
    }
}

fn settle_quantity(value: &mut Value) {
    let text = match &*value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return,
    };
    if let Ok(quantity) = Quantity::parse(&text) {
        *value = quantity.canonical().into();
    }
}

/// Upstream's names lack what OpenAPI puts before them.
fn struct_named(tables: &Tables, name: &str) -> Option<StructId> {
    let dotted = name.replace('/', ".");
    ["io.k8s.api", "io.k8s.apimachinery.pkg.apis"]
        .iter()
        .find_map(|prefix| tables.struct_named(&format!("{prefix}.{dotted}")))
}

fn settle_struct(tables: &Tables, id: StructId, value: &mut Value) {
    kubetypes::walk::walk(tables, id, value, &mut Quantities);
}

struct Quantities;

impl Visit for Quantities {
    fn object(&mut self, _name: &'static str, object: &mut Map<String, Value>) {
        // A field that is null is one that is not there.
        object.retain(|_, value| !value.is_null());
    }

    fn field(&mut self, field: &Field, object: &mut Map<String, Value>) {
        let Some(value) = object.get_mut(field.name) else { return };
        match (&field.shape, value) {
            (Shape::Scalar(Scalar::Quantity, _), value) => settle_quantity(value),
            (Shape::Map { value: of, .. }, Value::Object(map))
                if matches!(**of, Shape::Scalar(Scalar::Quantity, _)) =>
            {
                map.values_mut().for_each(settle_quantity);
            }
            _ => {}
        }
    }
}
