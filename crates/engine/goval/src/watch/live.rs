//! What is known while one watch lasts.

use std::rc::Rc;

use crate::map::Map;
use crate::object::Object;
use crate::value::Value;

use super::questions::Questions;
use super::{UNTRACEABLE, UNWATCHED};

/// Looked for, and none of the known answers.
const UNKNOWN: u32 = u32::MAX;

pub(super) struct Live {
    /// The map of each place, as far as it was found: it stays its map until the watch ends.
    maps: Vec<Option<Map>>,
    constants: Vec<Rc<dyn Object>>,
    /// Of each question its answer, and the generation in which it was found.
    known: Vec<(u32, u32)>,
    /// Grows with each change of a map.
    generation: u32,
    /// Of each question the epoch in which it was asked last.
    asked: Vec<u32>,
    /// Grows with each stretch, and with each change of a map.
    epoch: u32,
    noting: bool,
    reads: Vec<(u32, u32)>,
    /// The stretch has changed a map, or met what cannot be compared.
    unrepeatable: bool,
    /// There were too many questions: no more are noted.
    given_up: bool,
}

impl Live {
    pub(super) fn new(
        questions: &mut Questions,
        roots: &[Map],
        constants: Vec<Rc<dyn Object>>,
    ) -> Self {
        let mut live = Self {
            maps: Vec::new(),
            constants,
            known: Vec::new(),
            generation: 1,
            asked: Vec::new(),
            epoch: 0,
            noting: false,
            reads: Vec::new(),
            unrepeatable: false,
            given_up: false,
        };
        for (number, root) in roots.iter().enumerate() {
            questions.root(number);
            live.adopt(number as u32, root);
        }
        live.maps.resize_with(questions.places(), || None);
        live.known.resize(questions.count(), (0, UNKNOWN));
        live.asked.resize(questions.count(), 0);
        live
    }

    pub(super) fn is_noting(&self) -> bool {
        self.noting
    }

    pub(super) fn start(&mut self) {
        self.noting = true;
        self.unrepeatable = self.given_up;
        self.reads.clear();
        self.epoch += 1;
    }

    pub(super) fn stop(&mut self) -> Option<Vec<(u32, u32)>> {
        self.noting = false;
        let reads = std::mem::take(&mut self.reads);
        (!self.unrepeatable).then_some(reads)
    }

    pub(super) fn changed(&mut self) {
        self.unrepeatable = true;
        self.generation += 1;
        self.epoch += 1;
    }

    pub(super) fn met_opaque(&mut self) {
        self.unrepeatable = true;
    }

    pub(super) fn give_up(&mut self) {
        self.given_up = true;
        self.unrepeatable = true;
    }

    pub(super) fn has_given_up(&self) -> bool {
        self.given_up
    }

    /// Whether the stretch has not asked it yet.
    pub(super) fn is_first(&mut self, asked: u32) -> bool {
        let asked = asked as usize;
        if self.asked.len() <= asked {
            self.asked.resize(asked + 1, 0);
        }
        std::mem::replace(&mut self.asked[asked], self.epoch) != self.epoch
    }

    pub(super) fn read(&mut self, asked: u32, answer: u32) {
        self.reads.push((asked, answer));
    }

    pub(super) fn known(&self, asked: u32) -> Option<u32> {
        let (generation, answer) = *self.known.get(asked as usize)?;
        (generation == self.generation && answer != UNKNOWN).then_some(answer)
    }

    pub(super) fn is_unknown(&self, asked: u32) -> bool {
        self.known.get(asked as usize) == Some(&(self.generation, UNKNOWN))
    }

    pub(super) fn know(&mut self, asked: u32, answer: u32) {
        let asked = asked as usize;
        if self.known.len() <= asked {
            self.known.resize(asked + 1, (0, UNKNOWN));
        }
        self.known[asked] = (self.generation, answer);
    }

    pub(super) fn know_nothing(&mut self, asked: u32) {
        self.know(asked, UNKNOWN);
    }

    /// Which of the constants an object is.
    pub(super) fn constant(&self, object: &Rc<dyn Object>) -> Option<u32> {
        let at = self.constants.iter().position(|known| Rc::ptr_eq(known, object))?;
        Some(at as u32)
    }

    /// Makes a map that has no place the one of a place; whether it is that now.
    pub(super) fn adopt(&mut self, place: u32, map: &Map) -> bool {
        let at = place as usize;
        if self.maps.len() <= at {
            self.maps.resize_with(at + 1, || None);
        }
        if self.maps[at].is_some() || map.watch() != UNWATCHED {
            map.set_watch(if map.watch() == UNWATCHED { UNTRACEABLE } else { map.watch() });
            return false;
        }
        map.set_watch(place + 1);
        self.maps[at] = Some(map.clone());
        true
    }

    /// The map of a place.
    pub(super) fn map_at(&mut self, questions: &Questions, place: u32) -> Option<Map> {
        if let Some(known) = self.maps.get(place as usize).and_then(Option::as_ref) {
            return Some(known.clone());
        }
        // No deeper than places are.
        let (around, key) = questions.around(place)?;
        let around = self.map_at(questions, *around)?;
        let found = around.look(key, |found| match found {
            Some(Value::Map(found)) if found.watch() == UNWATCHED => Some(found.clone()),
            _ => None,
        })?;
        self.adopt(place, &found).then_some(found)
    }
}
