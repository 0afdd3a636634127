//! Random values of a type, from a seed.

use std::sync::Arc;

use merge::schema::{ListKind, Map, Scalar, Schema, Type, TypeId};
use serde_json::{Value, json};

/// A generator that gives the same again for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

const WORDS: [&str; 5] = ["a", "b", "c", "d", "x<y"];

/// Makes values of the types of one schema.
pub struct Maker<'s> {
    pub schema: &'s Schema,
    /// Whether nulls, empty maps and duplicates are made.
    pub odd: bool,
}

impl Maker<'_> {
    /// Makes a value of a type; `depth` is how deep it may still go.
    pub fn value(&self, random: &mut Random, id: TypeId, depth: usize) -> Value {
        if self.odd && random.one_in(60) {
            return Value::Null;
        }
        match self.schema.get(id) {
            Type::Scalar(Scalar::Numeric) => self.number(random),
            Type::Scalar(Scalar::String) => json!(random.pick(&WORDS)),
            Type::Scalar(Scalar::Boolean) => json!(random.one_in(2)),
            Type::Scalar(Scalar::Untyped) => match random.one_in(2) {
                true => self.number(random),
                false => json!(random.pick(&WORDS)),
            },
            Type::Deduced | Type::Atomic => self.anything(random, depth.min(3)),
            Type::List(list) => self.list(random, list, depth),
            Type::Map(map) => self.map(random, map, depth),
        }
    }

    fn number(&self, random: &mut Random) -> Value {
        match random.below(8) {
            0 => json!(80),
            1 => json!(1.5),
            2 => json!(-1),
            3 => json!(10),
            _ => json!(random.below(4)),
        }
    }

    fn anything(&self, random: &mut Random, depth: usize) -> Value {
        match random.below(if depth == 0 { 3 } else { 6 }) {
            0 => json!(random.pick(&WORDS)),
            1 => self.number(random),
            2 => json!(true),
            3 => {
                let items = (0..random.below(3)).map(|_| self.anything(random, depth - 1));
                Value::Array(items.collect())
            }
            _ => {
                let entries = (0..random.below(4))
                    .map(|_| (random.pick(&WORDS).to_string(), self.anything(random, depth - 1)));
                Value::Object(entries.collect())
            }
        }
    }

    fn list(&self, random: &mut Random, list: &merge::schema::List, depth: usize) -> Value {
        let mut items: Vec<Value> = Vec::new();
        for _ in 0..random.below(4) {
            let mut item = self.value(random, list.element, depth.saturating_sub(1));
            if let ListKind::Map(keys) = &list.kind {
                self.add_keys(random, list.element, keys, &mut item);
            }
            if !self.odd && !item.is_object() && items.contains(&item) {
                continue;
            }
            items.push(item);
        }
        if list.kind != ListKind::Atomic && !(self.odd && random.one_in(8)) {
            items.retain(|item| !item.is_null());
            self.drop_twins(list, &mut items);
        }
        Value::Array(items)
    }

    fn drop_twins(&self, list: &merge::schema::List, items: &mut Vec<Value>) {
        let identity = |item: &Value| match &list.kind {
            ListKind::Map(keys) => {
                let Type::Map(map) = self.schema.get(list.element) else { return item.clone() };
                let key = |key: &str| {
                    let default = map.field(key).and_then(|field| field.default.clone());
                    item.get(key).cloned().or(default).unwrap_or(Value::Null)
                };
                Value::Array(keys.iter().map(|name| key(name)).collect())
            }
            _ => item.clone(),
        };
        let mut seen = Vec::new();
        items.retain(|item| {
            let identity = identity(item);
            let is_new = !seen.contains(&identity);
            seen.push(identity);
            is_new
        });
    }

    fn add_keys(&self, random: &mut Random, element: TypeId, keys: &[Arc<str>], item: &mut Value) {
        let Type::Map(map) = self.schema.get(element) else { return };
        if !item.is_object() {
            *item = json!({});
        }
        for key in keys {
            let Some(field) = map.field(key) else { continue };
            let may_miss = field.default.is_some() || keys.len() > 1;
            if may_miss && random.one_in(3) {
                item.as_object_mut().expect("it is a map").remove(&**key);
                continue;
            }
            item[&**key] = match self.schema.get(field.type_id) {
                Type::Scalar(Scalar::Numeric) => json!(random.pick(&[80, 9, 10, 443])),
                _ if &**key == "protocol" => json!(random.pick(&["TCP", "UDP"])),
                _ => json!(random.pick(&WORDS)),
            };
        }
        if item.as_object().is_some_and(|map| keys.iter().all(|key| !map.contains_key(&**key))) {
            item[&*keys[0]] = json!("a");
        }
    }

    fn map(&self, random: &mut Random, map: &Map, depth: usize) -> Value {
        let mut out = serde_json::Map::new();
        if depth > 0 {
            let wanted = 3;
            for field in &map.fields {
                if matches!(&*field.name, "managedFields" | "apiVersion" | "kind") {
                    continue;
                }
                if random.below(map.fields.len().max(wanted)) < wanted {
                    out.insert(
                        field.name.to_string(),
                        self.value(random, field.type_id, depth - 1),
                    );
                }
            }
            if let Some(rest) = map.rest {
                for _ in 0..random.below(3) {
                    let name = random.pick(&WORDS).to_string();
                    out.insert(name, self.value(random, rest, depth - 1));
                }
            }
        }
        Value::Object(out)
    }

    /// Changes a value here and there.
    pub fn mutate(&self, random: &mut Random, id: TypeId, value: &mut Value, depth: usize) {
        if depth == 0 || random.one_in(10) {
            *value = self.value(random, id, depth.min(4));
            return;
        }
        match (self.schema.get(id), &mut *value) {
            (Type::Map(map), Value::Object(entries)) => {
                let names: Vec<String> = entries.keys().cloned().collect();
                for name in names {
                    if matches!(name.as_str(), "apiVersion" | "kind" | "managedFields") {
                        continue;
                    }
                    let inside = map.field(&name).map(|field| field.type_id).or(map.rest);
                    let Some(inside) = inside else { continue };
                    match random.below(12) {
                        0 => {
                            entries.remove(&name);
                        }
                        1..=5 => self.mutate(random, inside, &mut entries[&name], depth - 1),
                        _ => {}
                    }
                }
                if random.one_in(3)
                    && let Value::Object(more) = self.map(random, map, depth.min(4))
                {
                    for (name, value) in more {
                        entries.entry(name).or_insert(value);
                    }
                }
            }
            (Type::List(list), Value::Array(items)) => {
                if random.one_in(5) && !items.is_empty() {
                    let at = random.below(items.len());
                    items.remove(at);
                }
                if random.one_in(5) && items.len() > 1 {
                    let (a, b) = (random.below(items.len()), random.below(items.len()));
                    items.swap(a, b);
                }
                for item in items.iter_mut() {
                    if item.is_object() && random.one_in(3) {
                        let before = item.clone();
                        self.mutate(random, list.element, item, depth - 1);
                        if let ListKind::Map(keys) = &list.kind {
                            for key in keys {
                                match before.get(&**key) {
                                    Some(value) if item.is_object() => item[&**key] = value.clone(),
                                    _ => {}
                                }
                            }
                            if !item.is_object() {
                                *item = before;
                            }
                        }
                    }
                }
                if random.one_in(4)
                    && let Value::Array(more) = self.list(random, list, depth.min(4))
                {
                    items.extend(more.into_iter().take(1));
                    if list.kind != ListKind::Atomic && !(self.odd && random.one_in(6)) {
                        self.drop_twins(list, items);
                    }
                }
            }
            _ => *value = self.value(random, id, depth.min(4)),
        }
    }
}
