//! Changing objects at random, so that some stay valid and some become wrong in one place.

use merge::schema::{Schema, Type, TypeId};
use serde_json::{Map, Value, json};

use super::catalog::Catalog;
use crate::random::Random;

/// Texts that some field refuses.
const TEXTS: [&str; 40] = [
    "",
    "a",
    "web",
    "A-b_c",
    "-x",
    "a.b/c",
    "a/b/c",
    "1",
    "80",
    "1Gi",
    "100m",
    "1.5",
    "-1",
    "10%",
    "abc%",
    "true",
    "2026-01-02T03:04:05Z",
    "ü",
    " a",
    "10.0.0.1",
    "fe80::1",
    "/abs/path",
    "../x",
    "nginx:1",
    "*/5 * * * *",
    "None",
    "Always",
    "https://x.io",
    "x y",
    "a=b",
    "x.io/y",
    "0",
    "TCP",
    "1e3",
    "500",
    "NodePort",
    "a..b",
    "Never",
    "kubernetes.io/x",
    "5s",
];

/// Makes and changes values.
pub struct Mutator<'c> {
    /// Where plausible values come from.
    pub catalog: &'c Catalog,
    /// The types of the built-in kinds.
    pub schema: &'c Schema,
}

impl Mutator<'_> {
    /// Changes an object in `count` places. Names, kinds and versions stay.
    pub fn change(
        &self,
        random: &mut Random,
        id: Option<TypeId>,
        object: &mut Value,
        count: usize,
    ) {
        for _ in 0..count {
            self.change_at(random, id, object, 0);
        }
    }

    fn change_at(&self, random: &mut Random, id: Option<TypeId>, at: &mut Value, depth: usize) {
        match at {
            Value::Object(fields) => self.change_map(random, id, fields, depth),
            Value::Array(items) => self.change_list(random, id, items, depth),
            _ => *at = self.scalar(random, at, ""),
        }
    }

    fn change_map(
        &self,
        random: &mut Random,
        id: Option<TypeId>,
        fields: &mut Map<String, Value>,
        depth: usize,
    ) {
        let names: Vec<String> = fields
            .keys()
            .filter(|name| depth > 0 || !matches!(name.as_str(), "apiVersion" | "kind"))
            .filter(|name| depth != 1 || *name != "name")
            .cloned()
            .collect();
        let inside = |name: &str| match id.map(|id| self.schema.get(id)) {
            Some(Type::Map(map)) => map.field(name).map(|field| field.type_id).or(map.rest),
            _ => None,
        };
        if names.is_empty() || random.one_in(8) {
            return self.add_field(random, id, fields, depth);
        }
        let name = random.pick(&names).clone();
        let value = &mut fields[&name];
        if (value.is_object() || value.is_array()) && !random.one_in(7) {
            return self.change_at(random, inside(&name), value, depth + 1);
        }
        match random.below(10) {
            0 | 1 => {
                fields.remove(&name);
            }
            2 => *value = Value::Null,
            3..=7 => *value = self.plausible(random, &name, value),
            _ => *value = self.scalar(random, value, &name),
        }
    }

    fn add_field(
        &self,
        random: &mut Random,
        id: Option<TypeId>,
        fields: &mut Map<String, Value>,
        depth: usize,
    ) {
        if random.one_in(12) {
            fields.insert("bogus".to_owned(), json!(1));
            return;
        }
        let Some(Type::Map(map)) = id.map(|id| self.schema.get(id)) else {
            let name = *random.pick(&["a", "b", "x", "spec", "name", "size"]);
            fields.insert(name.to_owned(), self.scalar(random, &Value::Null, name));
            return;
        };
        if map.fields.is_empty() {
            let name = *random.pick(&["a", "b.c/d", "x y", "app", "", "a/b/c", "cpu", "web.txt"]);
            let like = fields.values().next().cloned().unwrap_or(json!("v"));
            fields.insert(name.to_owned(), self.scalar(random, &like, name));
            return;
        }
        let field = random.pick(&map.fields);
        let frozen = matches!(
            &*field.name,
            "managedFields" | "apiVersion" | "kind" | "uid" | "resourceVersion" | "generateName"
        );
        if depth < 2 && frozen || field.name.as_ref() == "deletionTimestamp" {
            return;
        }
        let value = self.of_type(random, field.type_id, &field.name, 3);
        fields.insert(field.name.to_string(), value);
    }

    fn change_list(
        &self,
        random: &mut Random,
        id: Option<TypeId>,
        items: &mut Vec<Value>,
        depth: usize,
    ) {
        let element = match id.map(|id| self.schema.get(id)) {
            Some(Type::List(list)) => Some(list.element),
            _ => None,
        };
        if items.is_empty() {
            items.push(match element {
                Some(element) => self.of_type(random, element, "", 3),
                None => self.scalar(random, &Value::Null, ""),
            });
            return;
        }
        let at = random.below(items.len());
        match random.below(12) {
            0 => {
                items.remove(at);
            }
            1 => items.push(items[at].clone()),
            2 => {
                let mut twin = items[at].clone();
                self.change_at(random, element, &mut twin, depth + 1);
                items.push(twin);
            }
            3 => items.reverse(),
            4 => items[at] = self.scalar(random, &items[at], ""),
            _ => self.change_at(random, element, &mut items[at], depth + 1),
        }
    }

    /// A value that the field has in another object, or another of the same form.
    fn plausible(&self, random: &mut Random, name: &str, like: &Value) -> Value {
        match self.catalog.seen.get(name) {
            Some(values) if !values.is_empty() => random.pick(values).clone(),
            _ => self.scalar(random, like, name),
        }
    }

    /// Another single value, mostly of the same form.
    fn scalar(&self, random: &mut Random, like: &Value, name: &str) -> Value {
        match like {
            _ if random.one_in(10) => random
                .pick(&[
                    json!(true),
                    json!("t"),
                    json!(7),
                    json!([1]),
                    json!({"a": 1}),
                    json!(1.5),
                    Value::Null,
                ])
                .clone(),
            Value::Bool(on) => json!(!on),
            Value::Number(_) => self.number(random),
            Value::Null | Value::Array(_) | Value::Object(_) => match random.below(3) {
                0 => self.number(random),
                1 => self.text(random),
                _ => self.plausible_or_text(random, name),
            },
            Value::String(_) => self.text(random),
        }
    }

    fn plausible_or_text(&self, random: &mut Random, name: &str) -> Value {
        match self.catalog.seen.get(name) {
            Some(values) if !values.is_empty() => random.pick(values).clone(),
            _ => self.text(random),
        }
    }

    fn text(&self, random: &mut Random) -> Value {
        match random.below(24) {
            0 => json!("x".repeat(64)),
            1 => json!("x".repeat(254)),
            2 => json!("a.".repeat(130)),
            _ => json!(random.pick(&TEXTS)),
        }
    }

    fn number(&self, random: &mut Random) -> Value {
        random
            .pick(&[
                json!(0),
                json!(1),
                json!(-1),
                json!(2),
                json!(80),
                json!(443),
                json!(30000),
                json!(65535),
                json!(65536),
                json!(2_147_483_647_i64),
                json!(2_147_483_648_i64),
                json!(1.5),
                json!(100),
                json!(101),
                json!(600),
                json!(3.0),
                json!(9_223_372_036_854_775_807_i64),
                json!(-9_223_372_036_854_775_808_i64),
                json!(9_223_372_036_854_775_808_u64),
                json!(9_007_199_254_740_993_i64),
                json!(-2_147_483_649_i64),
                json!(0.1),
                json!(-0.5),
                json!(1e20),
            ])
            .clone()
    }

    /// A value of a type; `depth` is how deep it may go.
    pub fn of_type(&self, random: &mut Random, id: TypeId, name: &str, depth: usize) -> Value {
        if !random.one_in(3)
            && let Some(values) = self.catalog.seen.get(name)
        {
            return random.pick(values).clone();
        }
        match self.schema.get(id) {
            Type::Map(map) if !map.fields.is_empty() && depth > 0 => {
                let mut out = Map::new();
                for _ in 0..=random.below(3) {
                    let field = random.pick(&map.fields);
                    out.insert(
                        field.name.to_string(),
                        self.of_type(random, field.type_id, &field.name, depth - 1),
                    );
                }
                Value::Object(out)
            }
            Type::Map(map) => match map.rest {
                Some(rest) if depth > 0 => {
                    json!({"k": self.of_type(random, rest, "", depth - 1)})
                }
                _ => json!({}),
            },
            Type::List(list) if depth > 0 => {
                let items = (0..random.below(3))
                    .map(|_| self.of_type(random, list.element, "", depth - 1))
                    .collect();
                Value::Array(items)
            }
            Type::List(_) => json!([]),
            Type::Scalar(merge::schema::Scalar::Numeric) => self.number(random),
            Type::Scalar(merge::schema::Scalar::Boolean) => json!(random.one_in(2)),
            Type::Scalar(merge::schema::Scalar::String) => self.text(random),
            Type::Scalar(merge::schema::Scalar::Untyped) => match random.one_in(2) {
                true => self.number(random),
                false => self.text(random),
            },
            Type::Deduced | Type::Atomic => json!({"a": self.text(random)}),
        }
    }
}
