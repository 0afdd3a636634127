//! A schema's text to rules, where nothing in it is unusual.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::{Rule, Type, Usual};

/// Schemas inside each other; the real validator takes more.
const DEPTH_MAX: usize = 100;

/// Reads a schema. `None` says nothing about it.
pub(in crate::schema) fn read(text: &[u8]) -> Option<Usual> {
    let mut found = Found::default();
    let mut reader = serde_json::Deserializer::from_slice(text);
    let root = OneRule { found: &mut found, depth: 0 }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    // Where nothing is said it is the newest.
    let draft = found.draft.unwrap_or(Draft::Newer);
    if draft == Draft::Seven && (found.has_ids || found.has_defs) {
        return None;
    }
    let named = sorted(found.named);
    let usual = Usual { root, named, reference_is_all: draft == Draft::Seven };
    // Where one leads nowhere, or elsewhere, the real validator says so.
    found.references.iter().all(|to| usual.named(to).is_some()).then_some(usual)
}

/// Which of the standard's versions a schema follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Draft {
    Seven,
    /// 2019-09 and 2020-12.
    Newer,
}

impl Draft {
    fn parse(url: &str) -> Option<Self> {
        let url = url.strip_suffix('#').unwrap_or(url);
        let url = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
        match url {
            "json-schema.org/draft-07/schema" => Some(Self::Seven),
            "json-schema.org/schema"
            | "json-schema.org/draft/2019-09/schema"
            | "json-schema.org/draft/2020-12/schema" => Some(Self::Newer),
            _ => None,
        }
    }
}

/// What concerns the whole schema.
#[derive(Default)]
struct Found {
    draft: Option<Draft>,
    has_ids: bool,
    has_defs: bool,
    named: Vec<(Box<str>, Rule)>,
    references: Vec<Box<str>>,
}

/// Reads one (sub)schema.
struct OneRule<'f> {
    found: &'f mut Found,
    depth: usize,
}

impl OneRule<'_> {
    fn below(&mut self) -> OneRule<'_> {
        OneRule { found: &mut *self.found, depth: self.depth + 1 }
    }

    /// Reads one keyword's value into the rule.
    fn keyword<'de, A: MapAccess<'de>>(
        &mut self,
        rule: &mut Rule,
        name: &str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let unusual = || A::Error::custom("unusual");
        match name {
            "title" | "description" | "$comment" => drop(map.next_value::<Text<'de>>()?),
            "deprecated" | "readOnly" | "writeOnly" => drop(map.next_value::<bool>()?),
            "examples" => drop(map.next_value::<Vec<Value>>()?),
            "default" => drop(map.next_value::<Value>()?),
            "$schema" if self.depth == 0 => {
                let url = map.next_value::<Text<'de>>()?;
                self.found.draft = Some(Draft::parse(&url.0).ok_or_else(unusual)?);
            }
            "$id" if self.depth == 0 => {
                let url = map.next_value::<Text<'de>>()?;
                let rest = url.0.strip_prefix("https://").ok_or_else(unusual)?;
                let is_plain =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'/');
                if !rest.starts_with(|char: char| char.is_ascii_alphabetic())
                    || rest.contains("..")
                    || rest.contains("//")
                    || !rest.bytes().all(is_plain)
                {
                    return Err(unusual());
                }
                self.found.has_ids = true;
            }
            "$ref" => {
                let to: Box<str> = map.next_value::<Text<'de>>()?.0.into();
                self.found.references.push(to.clone());
                rule.reference = Some(to);
            }
            "type" => {
                let Types(types) = map.next_value()?;
                rule.types = types;
            }
            "properties" => rule.properties = sorted(map.next_value_seed(Rules(self.below()))?),
            "definitions" | "$defs" => {
                if self.depth > 0 {
                    return Err(unusual());
                }
                self.found.has_defs |= name == "$defs";
                let named = map.next_value_seed(Rules(self.below()))?;
                let named = named.into_iter().map(|(of, rule)| {
                    // Such characters are written otherwise in references.
                    let is_plain = |byte: u8| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
                    };
                    let is_plain = of.bytes().all(is_plain);
                    is_plain.then(|| (format!("#/{name}/{of}").into_boxed_str(), rule))
                });
                let named: Option<Vec<_>> = named.collect();
                let before = format!("#/{name}/");
                self.found.named.retain(|(known, _)| !known.starts_with(&before));
                self.found.named.extend(named.ok_or_else(unusual)?);
            }
            "additionalProperties" => {
                rule.additional = Some(Box::new(map.next_value_seed(self.below())?));
            }
            "items" => rule.items = Some(Box::new(map.next_value_seed(self.below())?)),
            "oneOf" => rule.one_of = map.next_value_seed(Several(self.below()))?,
            "anyOf" => rule.any_of = map.next_value_seed(Several(self.below()))?,
            "allOf" => rule.all_of = map.next_value_seed(Several(self.below()))?,
            "required" => {
                let names: Vec<Text<'de>> = map.next_value()?;
                rule.required = names.into_iter().map(|name| name.0.into()).collect();
                let mut unique: Vec<&str> = rule.required.iter().map(|name| &**name).collect();
                unique.sort_unstable();
                if unique.windows(2).any(|pair| pair[0] == pair[1]) {
                    return Err(unusual());
                }
            }
            "enum" => {
                let known: Vec<Value> = map.next_value()?;
                if known.is_empty() || !known.iter().all(is_scalar) {
                    return Err(unusual());
                }
                rule.enumeration = Some(known);
            }
            "const" => {
                rule.constant = Some(map.next_value().ok().filter(is_scalar).ok_or_else(unusual)?);
            }
            "minimum" => rule.minimum = Some(map.next_value::<Number>()?),
            "maximum" => rule.maximum = Some(map.next_value::<Number>()?),
            "minLength" => rule.min_length = Some(map.next_value()?),
            "minItems" => rule.min_items = Some(map.next_value()?),
            "maxItems" => rule.max_items = Some(map.next_value()?),
            "pattern" => {
                if !is_plain_pattern(&map.next_value::<Text<'de>>()?.0) {
                    return Err(unusual());
                }
                rule.examines_texts = true;
            }
            "format" => {
                drop(map.next_value::<Text<'de>>()?);
                rule.examines_texts = true;
            }
            name if OTHERS.contains(&name) => return Err(unusual()),
            // A word of nobody's: it means nothing, and its value may be anything.
            _ => drop(map.next_value::<Value>()?),
        }
        Ok(())
    }
}

/// Keywords that are left to the real validator.
const OTHERS: [&str; 38] = [
    "$schema",
    "$id",
    "id",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$recursiveRef",
    "$recursiveAnchor",
    "$vocabulary",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependencies",
    "prefixItems",
    "additionalItems",
    "contains",
    "patternProperties",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "multipleOf",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxLength",
    "uniqueItems",
    "maxContains",
    "minContains",
    "maxProperties",
    "minProperties",
    "dependentRequired",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "extends",
    "disallow",
    "divisibleBy",
];

impl<'de> DeserializeSeed<'de> for OneRule<'_> {
    type Value = Rule;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Rule, D::Error> {
        if self.depth > DEPTH_MAX {
            return Err(D::Error::custom("too deep"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneRule<'_> {
    type Value = Rule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a schema")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Rule, E> {
        Ok(Rule { always: Some(value), ..Rule::default() })
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Rule, A::Error> {
        let mut rule = Rule::default();
        while let Some(Text(name)) = map.next_key()? {
            self.keyword(&mut rule, &name, &mut map)?;
        }
        Ok(rule)
    }
}

/// Schemas under names.
struct Rules<'f>(OneRule<'f>);

impl<'de> DeserializeSeed<'de> for Rules<'_> {
    type Value = Vec<(Box<str>, Rule)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Rules<'_> {
    type Value = Vec<(Box<str>, Rule)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("schemas under names")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut rules = Vec::new();
        while let Some(Text(name)) = map.next_key()? {
            rules.push((name.into(), map.next_value_seed(self.0.below())?));
        }
        Ok(rules)
    }
}

/// A list of schemas that is not empty.
struct Several<'f>(OneRule<'f>);

impl<'de> DeserializeSeed<'de> for Several<'_> {
    type Value = Vec<Rule>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Rule>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Several<'_> {
    type Value = Vec<Rule>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("schemas")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Vec<Rule>, A::Error> {
        let mut rules = Vec::new();
        while let Some(rule) = list.next_element_seed(self.0.below())? {
            rules.push(rule);
        }
        if rules.is_empty() {
            return Err(A::Error::custom("unusual"));
        }
        Ok(rules)
    }
}

/// A text, as it stands in the schema where that has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// One type, or several that differ.
struct Types(u8);

impl<'de> Deserialize<'de> for Types {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfTypes)
    }
}

struct OfTypes;

impl<'de> Visitor<'de> for OfTypes {
    type Value = Types;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("types")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Types, E> {
        type_of(name).map(|of| Types(of as u8)).ok_or_else(|| E::custom("unusual"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Types, A::Error> {
        let mut types = 0;
        while let Some(Text(name)) = list.next_element()? {
            let known = type_of(&name).map(|of| of as u8).filter(|bit| types & bit == 0);
            types |= known.ok_or_else(|| A::Error::custom("unusual"))?;
        }
        if types == 0 { Err(A::Error::custom("unusual")) } else { Ok(Types(types)) }
    }
}

fn is_scalar(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

fn type_of(name: &str) -> Option<Type> {
    Some(match name {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "object" => Type::Object,
        "array" => Type::Array,
        "number" => Type::Number,
        "string" => Type::String,
        "integer" => Type::Integer,
        _ => return None,
    })
}

/// In the order of their names; of two with one name the later counts.
fn sorted(mut rules: Vec<(Box<str>, Rule)>) -> Vec<(Box<str>, Rule)> {
    rules.reverse();
    rules.sort_by(|one, other| one.0.cmp(&other.0));
    rules.dedup_by(|later, first| later.0 == first.0);
    rules
}

/// Whether a pattern is surely one: letters, digits and ranges of them, repeated or not.
fn is_plain_pattern(pattern: &str) -> bool {
    let inside = pattern.strip_prefix('^').unwrap_or(pattern);
    let mut rest = inside.strip_suffix('$').unwrap_or(inside).as_bytes();
    while let [first, behind @ ..] = rest {
        rest = match first {
            b'[' => {
                let Some(end) = behind.iter().position(|byte| *byte == b']') else { return false };
                let is_range = |range: &[u8]| match range {
                    [from, b'-', to] => {
                        from < to && from.is_ascii_alphanumeric() && to.is_ascii_alphanumeric()
                    }
                    _ => false,
                };
                if end == 0 || !behind[..end].chunks(3).all(is_range) {
                    return false;
                }
                &behind[end + 1..]
            }
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'%' | b'_') => {
                behind
            }
            _ => return false,
        };
        rest = match rest {
            [b'+' | b'*' | b'?', behind @ ..] => behind,
            [b'{', tens, ones, b'}', behind @ ..]
                if tens.is_ascii_digit() && ones.is_ascii_digit() =>
            {
                behind
            }
            _ => rest,
        };
    }
    true
}
