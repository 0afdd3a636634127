//! Values files straight to what renderings copy.

use std::borrow::Cow;

use goval::Str;
use goyaml::{Make, quickly};
use serde_json::Number;

use crate::frozen::Frozen;

/// Reads a values file that is one map, or nothing, where nothing in it is unusual.
pub(crate) fn freeze(bytes: &[u8]) -> Option<Frozen> {
    match quickly(bytes, &mut Freezer)? {
        Frozen::Nil => Some(Frozen::Map(Vec::new())),
        values @ Frozen::Map(_) => Some(values),
        _ => None,
    }
}

struct Freezer;

impl Make for Freezer {
    type Node = Frozen;
    type Map = Vec<(Str, Frozen)>;
    type List = Vec<Frozen>;

    fn null(&mut self) -> Frozen {
        Frozen::Nil
    }

    fn bool(&mut self, value: bool) -> Frozen {
        Frozen::Bool(value)
    }

    fn number(&mut self, number: Number) -> Option<Frozen> {
        number.as_f64().map(Frozen::Float)
    }

    fn text(&mut self, text: Cow<'_, str>) -> Frozen {
        Frozen::Str(text.as_ref().into())
    }

    fn map(&mut self) -> Self::Map {
        Vec::new()
    }

    fn entry(&mut self, map: &mut Self::Map, key: &str, value: Frozen) {
        map.push((key.into(), value));
    }

    fn map_done(&mut self, mut map: Self::Map) -> Frozen {
        // Of two with one key the later one counts.
        map.reverse();
        map.sort_by(|(one, _), (other, _)| one.as_bytes().cmp(other.as_bytes()));
        map.dedup_by(|(one, _), (other, _)| one == other);
        Frozen::Map(map)
    }

    fn list(&mut self) -> Self::List {
        Vec::new()
    }

    fn pushed(&mut self, list: &mut Self::List, item: Frozen) {
        list.push(item);
    }

    fn list_done(&mut self, list: Self::List) -> Frozen {
        Frozen::List(list)
    }
}
