//! Go's structs inside of `.Chart`, as Helm 3 shows them: maintainers and dependencies.

use std::any::Any;

use goval::{Kind, Map, MapType, Object, Value};

/// A pointer to a struct with fields that JSON names otherwise.
#[derive(Debug)]
pub(crate) struct Record {
    /// `*chart.Maintainer`.
    pub(crate) type_name: &'static str,
    /// In the order of the struct.
    pub(crate) fields: Vec<Field>,
}

/// One field of a [`Record`].
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) in_json: &'static str,
    /// Whether JSON has it also where it is empty.
    pub(crate) always: bool,
    pub(crate) value: Value,
}

impl Object for Record {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn field(&self, name: &str) -> Option<Value> {
        let field = self.fields.iter().find(|field| field.name == name)?;
        Some(field.value.clone())
    }

    fn fields(&self) -> Option<Vec<(&str, Value)>> {
        Some(self.fields.iter().map(|field| (field.name, field.value.clone())).collect())
    }

    fn print(&self) -> String {
        let texts: Vec<String> =
            self.fields.iter().map(|field| goval::print_value(&field.value).to_string()).collect();
        format!("{{{}}}", texts.join(" "))
    }

    fn plain(&self) -> Option<Value> {
        let members = self.members()?.into_iter();
        let entries = members.map(|(name, value)| (name.as_str().into(), value));
        Some(Map::of(MapType::Any, entries).into())
    }

    fn members(&self) -> Option<Vec<(String, Value)>> {
        let shown = self.fields.iter().filter(|field| field.always || field.value.is_true());
        Some(shown.map(|field| (field.in_json.to_owned(), field.value.clone())).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
