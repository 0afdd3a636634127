//! What a map answers.

use crate::list::ListType;
use crate::map::{Map, MapType};
use crate::text::Str;
use crate::value::{IntType, UintType, Value};

use super::live::Live;
use super::questions::{Kind, Questions};
use super::{CONSTANT, COVERED, UNTRACEABLE, UNWATCHED};

/// Values inside each other in one answer.
const DEPTH_MAX: usize = 100;
/// Values in one answer, all together: one that holds itself has no end.
const VALUES_MAX: usize = 100_000;

/// An answer, to be kept.
#[derive(Debug)]
pub(super) enum Answer {
    /// Nothing stands there.
    Absent,
    /// A map that is watched itself.
    Place {
        place: u32,
        of: MapType,
        nil: bool,
    },
    /// A map that is always the same here.
    Constant {
        of: MapType,
    },
    /// One of the constant objects.
    Object(u32),
    /// Anything else, whole.
    Whole(Frozen),
    Is(bool),
    Count(usize),
    Keys(Vec<Str>),
    All(Vec<(Str, Answer)>),
}

/// A value that never changes, with Go's types.
#[derive(Debug)]
pub(super) enum Frozen {
    Nil,
    Bool(bool),
    Int(i64, IntType),
    Uint(u64, UintType),
    /// By its bits: what cannot be told apart by them prints alike.
    Float(u64),
    Str(Str),
    Bytes(Str),
    List {
        of: ListType,
        nil: bool,
        items: Vec<Frozen>,
    },
    Map {
        of: MapType,
        nil: bool,
        entries: Vec<(Str, Frozen)>,
    },
}

/// Looks for what the map answers now among the answers that the question had.
pub(super) fn find(questions: &Questions, live: &mut Live, asked: u32, map: &Map) -> Option<u32> {
    let answers = questions.answers(asked).iter();
    let is = |answer: &Answer, live: &mut Live| match (questions.kind(asked), answer) {
        (Kind::Value(key), answer) => map.look(key, |found| match (answer, found) {
            (Answer::Absent, None) => true,
            (answer, Some(found)) => is_answer(answer, found, questions, live),
            (_, None) => false,
        }),
        (Kind::Presence(key), Answer::Is(there)) => {
            map.look(key, |found| found.is_some()) == *there
        }
        (Kind::IsEmpty, Answer::Is(empty)) => map.look_at_all(<[_]>::is_empty) == *empty,
        (Kind::Count, Answer::Count(count)) => map.look_at_all(<[_]>::len) == *count,
        (Kind::Keys, Answer::Keys(keys)) => {
            map.look_at_all(|entries| entries.iter().map(|(key, _)| key).eq(keys))
        }
        (Kind::All, Answer::All(all)) => map.look_at_all(|entries| {
            entries.len() == all.len()
                && entries.iter().zip(all).all(|((key, value), (known, answer))| {
                    key == known && is_answer(answer, value, questions, live)
                })
        }),
        _ => false,
    };
    for (number, answer) in answers.enumerate() {
        if is(answer, live) {
            return Some(number as u32);
        }
    }
    None
}

/// Adds what the map answers now; `None` where that cannot be compared with anything.
pub(super) fn make(
    questions: &mut Questions,
    live: &mut Live,
    asked: u32,
    map: &Map,
) -> Option<u32> {
    let place = questions.place_of(asked);
    let answer = match questions.kind(asked).clone() {
        Kind::Value(key) => match map.look(&key, |found| found.cloned()) {
            None => Answer::Absent,
            Some(found) => answer_of(&found, place, &key, questions, live)?,
        },
        Kind::Presence(key) => Answer::Is(map.look(&key, |found| found.is_some())),
        Kind::IsEmpty => Answer::Is(map.look_at_all(<[_]>::is_empty)),
        Kind::Count => Answer::Count(map.look_at_all(<[_]>::len)),
        Kind::Keys => Answer::Keys(
            map.look_at_all(|entries| entries.iter().map(|(key, _)| key.clone()).collect()),
        ),
        Kind::All => {
            let mut all = Vec::new();
            let mut any_opaque = false;
            map.look_at_all(|entries| {
                for (key, value) in entries {
                    // Each is looked at, also behind one that cannot be compared: it gets a place.
                    match answer_of(value, place, key, questions, live) {
                        Some(answer) => all.push((key.clone(), answer)),
                        None => any_opaque = true,
                    }
                }
            });
            if any_opaque {
                return None;
            }
            Answer::All(all)
        }
    };
    Some(questions.push_answer(asked, answer))
}

/// What the value at a key is, as an answer; a map gets its place.
fn answer_of(
    value: &Value,
    place: u32,
    key: &Str,
    questions: &mut Questions,
    live: &mut Live,
) -> Option<Answer> {
    Some(match value {
        Value::Map(map) => match map.watch() {
            UNWATCHED => match questions.inside(place, key) {
                Some(inside) if live.adopt(inside, map) => of_place(inside, map),
                Some(_) => return None,
                None => {
                    map.set_watch(UNTRACEABLE);
                    return None;
                }
            },
            COVERED => Answer::Whole(freeze(value, 0, &mut VALUES_MAX.clone())?),
            CONSTANT => Answer::Constant { of: map.map_type() },
            UNTRACEABLE => return None,
            number => of_place(number - 1, map),
        },
        Value::Object(object) => Answer::Object(live.constant(object)?),
        other => Answer::Whole(freeze(other, 0, &mut VALUES_MAX.clone())?),
    })
}

fn of_place(place: u32, map: &Map) -> Answer {
    Answer::Place { place, of: map.map_type(), nil: map.is_made_nil() }
}

/// Whether a value is the answer. A map that has no place yet is looked for at the answer's.
fn is_answer(answer: &Answer, value: &Value, questions: &Questions, live: &mut Live) -> bool {
    match (answer, value) {
        (Answer::Place { place, of, nil }, Value::Map(map)) => {
            if map.map_type() != *of || map.is_made_nil() != *nil {
                return false;
            }
            if map.watch() == UNWATCHED {
                live.map_at(questions, *place);
            }
            map.watch() == place + 1
        }
        (Answer::Constant { of }, Value::Map(map)) => {
            map.watch() == CONSTANT && map.map_type() == *of
        }
        (Answer::Object(number), Value::Object(object)) => live.constant(object) == Some(*number),
        (Answer::Whole(frozen), Value::Map(map)) => {
            map.watch() == COVERED && is_frozen(frozen, value)
        }
        (Answer::Whole(frozen), value) => is_frozen(frozen, value),
        _ => false,
    }
}

/// Keeps a value whole. Maps in it are covered by it from now on.
fn freeze(value: &Value, depth: usize, left: &mut usize) -> Option<Frozen> {
    *left = left.checked_sub(1)?;
    if depth > DEPTH_MAX {
        return None;
    }
    Some(match value {
        Value::Nil => Frozen::Nil,
        Value::Bool(value) => Frozen::Bool(*value),
        Value::Int(value, of) => Frozen::Int(*value, *of),
        Value::Uint(value, of) => Frozen::Uint(*value, *of),
        Value::Float(value) => Frozen::Float(value.to_bits()),
        Value::Str(text) => Frozen::Str(text.clone()),
        Value::Bytes(bytes) => Frozen::Bytes(bytes.clone()),
        Value::List(list) => Frozen::List {
            of: list.list_type(),
            nil: list.is_nil(),
            items: list.iter().map(|item| freeze(item, depth + 1, left)).collect::<Option<_>>()?,
        },
        Value::Map(map) => {
            cover(map);
            Frozen::Map {
                of: map.map_type(),
                nil: map.is_made_nil(),
                entries: map.look_at_all(|entries| {
                    let frozen = entries
                        .iter()
                        .map(|(key, value)| Some((key.clone(), freeze(value, depth + 1, left)?)));
                    frozen.collect::<Option<_>>()
                })?,
            }
        }
        Value::Object(_) => return None,
    })
}

/// Whether a value is the frozen one. If so, maps in it are covered by it from now on.
fn is_frozen(frozen: &Frozen, value: &Value) -> bool {
    match (frozen, value) {
        (Frozen::Nil, Value::Nil) => true,
        (Frozen::Bool(known), Value::Bool(value)) => known == value,
        (Frozen::Int(known, of), Value::Int(value, other)) => known == value && of == other,
        (Frozen::Uint(known, of), Value::Uint(value, other)) => known == value && of == other,
        (Frozen::Float(known), Value::Float(value)) => *known == value.to_bits(),
        (Frozen::Str(known), Value::Str(value)) | (Frozen::Bytes(known), Value::Bytes(value)) => {
            known == value
        }
        (Frozen::List { of, nil, items }, Value::List(list)) => {
            list.list_type() == *of
                && list.is_nil() == *nil
                && list.len() == items.len()
                && items.iter().zip(list.iter()).all(|(known, value)| is_frozen(known, value))
        }
        (Frozen::Map { of, nil, entries }, Value::Map(map)) => {
            cover(map);
            map.map_type() == *of
                && map.is_made_nil() == *nil
                && map.look_at_all(|found| {
                    found.len() == entries.len()
                        && entries.iter().zip(found).all(|((key, known), (name, value))| {
                            key == name && is_frozen(known, value)
                        })
                })
        }
        _ => false,
    }
}

fn cover(map: &Map) {
    if map.watch() == UNWATCHED {
        map.set_watch(COVERED);
    }
}

impl Answer {
    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let hanging = match self {
            Self::Whole(frozen) => frozen.bytes() - size_of::<Frozen>(),
            Self::Keys(keys) => keys.len() * size_of::<Str>(),
            Self::All(all) => all.iter().map(|(_, answer)| size_of::<Str>() + answer.bytes()).sum(),
            _ => 0,
        };
        size_of::<Self>() + hanging
    }
}

impl Frozen {
    fn bytes(&self) -> usize {
        let hanging = match self {
            Self::Str(text) | Self::Bytes(text) => text.len() + 16,
            Self::List { items, .. } => items.iter().map(Self::bytes).sum(),
            Self::Map { entries, .. } => {
                entries.iter().map(|(_, value)| size_of::<Str>() + value.bytes()).sum()
            }
            _ => 0,
        };
        size_of::<Self>() + hanging
    }
}
