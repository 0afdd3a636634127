//! A short way for the schemas that charts mostly bring: types, properties, enumerations.
//!
//! It says that a schema is in order and takes the values, or nothing: whatever is unusual in the
//! schema, or not surely right in the values, is left to the real validator, and so are all
//! complaints.

mod read;

use serde_json::{Number, Value};

pub(super) use read::read;

/// References and collections inside each other; the real validator takes more.
const DEPTH_MAX: usize = 100;

/// A schema that holds nothing unusual.
#[derive(Debug)]
pub(super) struct Usual {
    root: Rule,
    /// Those of `definitions` and `$defs`, by the reference to them, in its order.
    named: Vec<(Box<str>, Rule)>,
    /// Whether what stands beside a reference counts for nothing.
    reference_is_all: bool,
}

/// What one (sub)schema asks for. What it does not speak of is empty.
#[derive(Debug, Default)]
struct Rule {
    /// `true` and `false` as schemas.
    always: Option<bool>,
    reference: Option<Box<str>>,
    /// [`Type`]s, as bits.
    types: u8,
    /// In the order of their names.
    properties: Vec<(Box<str>, Rule)>,
    additional: Option<Box<Rule>>,
    required: Vec<Box<str>>,
    items: Option<Box<Rule>>,
    one_of: Vec<Rule>,
    any_of: Vec<Rule>,
    all_of: Vec<Rule>,
    enumeration: Option<Vec<Value>>,
    constant: Option<Value>,
    minimum: Option<Number>,
    maximum: Option<Number>,
    min_length: Option<u64>,
    min_items: Option<u64>,
    max_items: Option<u64>,
    /// `pattern` or `format`: texts are looked at closely.
    examines_texts: bool,
}

/// A type of JSON Schema, as a bit.
#[derive(Clone, Copy)]
enum Type {
    Null = 1,
    Boolean = 2,
    Object = 4,
    Array = 8,
    Number = 16,
    String = 32,
    Integer = 64,
}

impl Usual {
    /// Whether the values are surely right.
    pub(super) fn takes(&self, values: &Value) -> bool {
        self.holds(&self.root, values, 0) == Some(true)
    }

    fn named(&self, reference: &str) -> Option<&Rule> {
        if reference == "#" {
            return Some(&self.root);
        }
        let at = self.named.binary_search_by(|(name, _)| (**name).cmp(reference)).ok()?;
        Some(&self.named[at].1)
    }

    /// Whether a rule takes a value; `None` where that is not sure.
    fn holds(&self, rule: &Rule, value: &Value, depth: usize) -> Option<bool> {
        if depth > DEPTH_MAX {
            return None;
        }
        if let Some(always) = rule.always {
            return Some(always);
        }
        let mut all = All::default();
        if let Some(reference) = &rule.reference {
            all.and(self.holds(self.named(reference)?, value, depth + 1));
            if self.reference_is_all {
                return all.told();
            }
        }
        if rule.types != 0 {
            all.and(is_of(rule.types, value));
        }
        if let Some(known) = &rule.enumeration {
            all.and(any(known.iter().map(|known| same(known, value))));
        }
        if let Some(constant) = &rule.constant {
            all.and(same(constant, value));
        }
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => {
                let (minimum, maximum) = (&rule.minimum, &rule.maximum);
                all.and(minimum.as_ref().map_or(Some(true), |least| at_most(least, number)));
                all.and(maximum.as_ref().map_or(Some(true), |most| at_most(number, most)));
            }
            Value::String(text) => {
                if rule.examines_texts {
                    all.and(None);
                }
                if let Some(least) = rule.min_length {
                    all.and(Some(text.chars().count() as u64 >= least));
                }
            }
            Value::Array(items) => {
                let count = items.len() as u64;
                all.and(Some(rule.min_items.is_none_or(|least| count >= least)));
                all.and(Some(rule.max_items.is_none_or(|most| count <= most)));
                if let Some(each) = &rule.items {
                    items.iter().for_each(|item| all.and(self.holds(each, item, depth + 1)));
                }
            }
            Value::Object(entries) => {
                all.and(Some(rule.required.iter().all(|name| entries.contains_key(&**name))));
                for (name, value) in entries {
                    let known = rule.properties.binary_search_by(|(known, _)| (**known).cmp(name));
                    let property = match known {
                        Ok(at) => Some(&rule.properties[at].1),
                        Err(_) => rule.additional.as_deref(),
                    };
                    if let Some(property) = property {
                        all.and(self.holds(property, value, depth + 1));
                    }
                }
            }
        }
        rule.all_of.iter().for_each(|rule| all.and(self.holds(rule, value, depth + 1)));
        if !rule.any_of.is_empty() {
            all.and(any(rule.any_of.iter().map(|rule| self.holds(rule, value, depth + 1))));
        }
        if !rule.one_of.is_empty() {
            let mut taken = Some(0);
            for rule in &rule.one_of {
                let holds = self.holds(rule, value, depth + 1);
                taken = taken.zip(holds).map(|(taken, holds)| taken + usize::from(holds));
            }
            all.and(taken.map(|taken| taken == 1));
        }
        all.told()
    }
}

/// Whether all of some answers were yes.
#[derive(Default)]
struct All {
    is_refused: bool,
    is_unsure: bool,
}

impl All {
    fn and(&mut self, holds: Option<bool>) {
        self.is_refused |= holds == Some(false);
        self.is_unsure |= holds.is_none();
    }

    /// One that surely says no is enough.
    fn told(&self) -> Option<bool> {
        match (self.is_refused, self.is_unsure) {
            (true, _) => Some(false),
            (false, true) => None,
            (false, false) => Some(true),
        }
    }
}

/// Whether one of some answers is yes.
fn any(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut told = Some(false);
    for answer in answers {
        match answer {
            Some(true) => return Some(true),
            Some(false) => {}
            None => told = None,
        }
    }
    told
}

fn is_of(types: u8, value: &Value) -> Option<bool> {
    let one_of = |wanted: u8| Some(types & wanted != 0);
    match value {
        Value::Null => one_of(Type::Null as u8),
        Value::Bool(_) => one_of(Type::Boolean as u8),
        Value::Object(_) => one_of(Type::Object as u8),
        Value::Array(_) => one_of(Type::Array as u8),
        Value::String(_) => one_of(Type::String as u8),
        Value::Number(_) if types & Type::Number as u8 != 0 => Some(true),
        Value::Number(number) if number.is_f64() => {
            // A float may be a whole number.
            if types & Type::Integer as u8 == 0 { Some(false) } else { None }
        }
        Value::Number(_) => one_of(Type::Integer as u8),
    }
}

/// Whether two values are the same; numbers are that across their kinds.
fn same(one: &Value, other: &Value) -> Option<bool> {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => Some(one.as_i64()? == other.as_i64()?),
        (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_)) => None,
        _ => Some(one == other),
    }
}

fn at_most(one: &Number, other: &Number) -> Option<bool> {
    Some(one.as_i64()? <= other.as_i64()?)
}

#[cfg(test)]
mod tests;
