//! Places, and what was asked of them so far.

use hashbrown::HashMap;

use crate::text::Str;

use super::Asks;
use super::answer::Answer;

/// Places inside each other; what lies deeper has none.
const DEPTH_MAX: u32 = 100;
/// Not asked yet, or no such place yet.
const NONE: u32 = u32::MAX;

/// Questions that were asked of maps at any time, with all answers that they had.
///
/// It grows; whoever keeps it looks at [`Questions::bytes`] and begins anew where it is too much.
#[derive(Debug, Default)]
pub struct Questions {
    places: Vec<Place>,
    asked: Vec<Asked>,
    bytes: usize,
}

/// Where a map stands.
#[derive(Debug)]
struct Place {
    /// The place around it, and the key there; `None` for a root.
    inside: Option<(u32, Str)>,
    depth: u32,
    slots: HashMap<Str, Slot>,
    keys: u32,
    count: u32,
    is_empty: u32,
    all: u32,
}

/// What belongs to one key of a place.
#[derive(Clone, Copy, Debug)]
struct Slot {
    inside: u32,
    value: u32,
    presence: u32,
}

/// One question, and the answers that it had.
#[derive(Debug)]
struct Asked {
    place: u32,
    kind: Kind,
    answers: Vec<Answer>,
}

/// [`Asks`], to be kept.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Value(Str),
    Presence(Str),
    Keys,
    Count,
    IsEmpty,
    All,
}

impl Questions {
    /// About how many bytes they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes the places of the roots, where they are not there from earlier times.
    pub(super) fn root(&mut self, number: usize) {
        if self.places.len() <= number {
            self.push_place(None, 0);
        }
    }

    pub(super) fn places(&self) -> usize {
        self.places.len()
    }

    pub(super) fn count(&self) -> usize {
        self.asked.len()
    }

    /// The place around a place, and the key there.
    pub(super) fn around(&self, place: u32) -> Option<&(u32, Str)> {
        self.places[place as usize].inside.as_ref()
    }

    pub(super) fn place_of(&self, asked: u32) -> u32 {
        self.asked[asked as usize].place
    }

    pub(super) fn kind(&self, asked: u32) -> &Kind {
        &self.asked[asked as usize].kind
    }

    pub(super) fn answers(&self, asked: u32) -> &[Answer] {
        &self.asked[asked as usize].answers
    }

    pub(super) fn push_answer(&mut self, asked: u32, answer: Answer) -> u32 {
        self.bytes += answer.bytes();
        let answers = &mut self.asked[asked as usize].answers;
        answers.push(answer);
        (answers.len() - 1) as u32
    }

    /// The place at a key of a place; `None` where that is too deep.
    pub(super) fn inside(&mut self, place: u32, key: &Str) -> Option<u32> {
        let known = self.slot(place, key).inside;
        if known != NONE {
            return Some(known);
        }
        let depth = self.places[place as usize].depth + 1;
        if depth > DEPTH_MAX {
            return None;
        }
        let made = self.push_place(Some((place, key.clone())), depth);
        self.slot(place, key).inside = made;
        Some(made)
    }

    /// The number of a question.
    pub(super) fn number(&mut self, place: u32, asks: Asks<'_>) -> u32 {
        let next = self.asked.len() as u32;
        let of = &mut self.places[place as usize];
        let (known, kind) = match asks {
            Asks::Value(key) | Asks::Presence(key) => {
                let is_value = matches!(asks, Asks::Value(_));
                if let Some(slot) = of.slots.get(key) {
                    let known = if is_value { slot.value } else { slot.presence };
                    if known != NONE {
                        return known;
                    }
                }
                let key = Str::from(key);
                let slot = self.slot(place, &key);
                match is_value {
                    true => (&mut slot.value, Kind::Value(key)),
                    false => (&mut slot.presence, Kind::Presence(key)),
                }
            }
            Asks::Keys => (&mut of.keys, Kind::Keys),
            Asks::Count => (&mut of.count, Kind::Count),
            Asks::IsEmpty => (&mut of.is_empty, Kind::IsEmpty),
            Asks::All => (&mut of.all, Kind::All),
        };
        if *known != NONE {
            return *known;
        }
        *known = next;
        self.bytes += size_of::<Asked>() + size_of::<u64>() * 2;
        self.asked.push(Asked { place, kind, answers: Vec::new() });
        next
    }

    fn slot(&mut self, place: u32, key: &Str) -> &mut Slot {
        let slots = &mut self.places[place as usize].slots;
        if !slots.contains_key(key) {
            self.bytes += key.len() + size_of::<Slot>() * 3;
        }
        let none = Slot { inside: NONE, value: NONE, presence: NONE };
        slots.entry(key.clone()).or_insert(none)
    }

    fn push_place(&mut self, inside: Option<(u32, Str)>, depth: u32) -> u32 {
        let slots = HashMap::new();
        let [keys, count, is_empty, all] = [NONE; 4];
        self.bytes += size_of::<Place>();
        self.places.push(Place { inside, depth, slots, keys, count, is_empty, all });
        (self.places.len() - 1) as u32
    }
}
