//! Watching what is read of maps, so that what was made of them can be used again.
//!
//! A template's text is a function of what it read. While a [`Watching`] lives, the maps it was
//! given, and all that are found in them, note each question that is asked of them: what stands
//! at a key, whether it is there, how many there are. [`Watching::stop`] gives the questions of
//! one stretch with their answers ([`Reads`]); [`Watching::holds`] says, of other maps at another
//! time, whether all of them are answered alike: then the stretch would go as it went.
//!
//! Maps watch themselves, so no function can read past it; one that nobody watches pays the look
//! at one number. What is asked is asked of *places* (the map at a key of the map at a key of a
//! root), and an answer that is a map says which place it is: two places that are one map, or
//! are no longer, make another answer. Lists are taken whole. A stretch that changes a map that
//! was watched can never be used again, nor one that meets a value that cannot be compared.

mod answer;
mod live;
mod questions;

use std::cell::RefCell;
use std::rc::Rc;

use crate::map::Map;
use crate::object::Object;

use live::Live;
pub use questions::Questions;

thread_local! {
    /// Who watches on this thread: values do not leave theirs.
    static WATCH: RefCell<Option<Box<Watch>>> = const { RefCell::new(None) };
}

/// No place was found for the map, or nobody watches.
pub(crate) const UNWATCHED: u32 = 0;
/// The map lies in a list, whose answer holds all of it.
const COVERED: u32 = u32::MAX;
/// The map is the same whenever the same stretch runs.
const CONSTANT: u32 = u32::MAX - 1;
/// The map's place is that of another one: whoever reads it cannot be used again.
const UNTRACEABLE: u32 = u32::MAX - 2;

/// Where questions take more, nothing can be used again until the watch ends.
const QUESTIONS_BYTES_MAX: usize = 16 << 20;

/// A question about one map.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asks<'a> {
    /// What stands at the key?
    Value(&'a [u8]),
    /// Does anything?
    Presence(&'a [u8]),
    /// Which keys are there?
    Keys,
    /// How many?
    Count,
    /// Any?
    IsEmpty,
    /// What stands at each of them?
    All,
}

struct Watch {
    questions: Questions,
    live: Live,
}

/// Questions of one stretch with their answers, by their numbers in [`Questions`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads(Box<[(u32, u32)]>);

impl Reads {
    /// How many bytes they take.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

/// The watch over the maps of one rendering. It ends when this is dropped.
#[derive(Debug)]
pub struct Watching(());

impl Watching {
    /// Begins to watch the maps in `roots` and all that can be reached from them; `None` where
    /// somebody watches on this thread already.
    ///
    /// `questions` are those of earlier times, when there were as many roots, in the same order.
    /// `constants` are objects that need not be looked into, in the same order too.
    pub fn begin(
        questions: Questions,
        roots: &[Map],
        constants: Vec<Rc<dyn Object>>,
    ) -> Option<Self> {
        WATCH.with_borrow_mut(|watch| {
            if watch.is_some() {
                return None;
            }
            let mut questions = questions;
            let live = Live::new(&mut questions, roots, constants);
            *watch = Some(Box::new(Watch { questions, live }));
            Some(Self(()))
        })
    }

    /// A stretch begins: what is read from here on is noted.
    pub fn start(&self) {
        with(|watch| watch.live.start());
    }

    /// The stretch ends. What it read, where the same reads would make it the same again.
    pub fn stop(&self) -> Option<Reads> {
        with(|watch| watch.live.stop().map(|reads| Reads(reads.into()))).flatten()
    }

    /// Whether all is answered now as it was.
    pub fn holds(&self, reads: &Reads) -> bool {
        let holds =
            |watch: &mut Watch| reads.0.iter().all(|(asked, answer)| watch.is(*asked, *answer));
        with(|watch| !watch.live.has_given_up() && holds(watch)).unwrap_or_default()
    }

    /// Ends the watch, and gives the questions for the next time.
    pub fn end(self) -> Questions {
        // Values are freed when nobody holds the watch any more.
        let watch = WATCH.take();
        watch.map(|watch| watch.questions).unwrap_or_default()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        drop(WATCH.take());
    }
}

fn with<T>(act: impl FnOnce(&mut Watch) -> T) -> Option<T> {
    WATCH.with_borrow_mut(|watch| watch.as_deref_mut().map(act))
}

/// A map that is watched is asked.
pub(crate) fn note(map: &Map, asks: Asks<'_>) {
    with(|watch| watch.note(map, asks));
}

/// A map that is watched is changed.
pub(crate) fn changed() {
    with(|watch| watch.live.changed());
}

impl Map {
    /// Says that this map is the same whenever what reads it runs: nothing is noted of it.
    pub fn set_constant(&self) {
        self.set_watch(CONSTANT);
    }
}

impl Watch {
    fn note(&mut self, map: &Map, asks: Asks<'_>) {
        if !self.live.is_noting() {
            return;
        }
        let place = match map.watch() {
            UNWATCHED | COVERED | CONSTANT => return,
            UNTRACEABLE => return self.live.met_opaque(),
            number => number - 1,
        };
        if self.questions.bytes() > QUESTIONS_BYTES_MAX {
            return self.live.give_up();
        }
        let asked = self.questions.number(place, asks);
        if !self.live.is_first(asked) {
            return;
        }
        let answer = match self.live.known(asked) {
            Some(answer) => answer,
            None => {
                let answer = answer::find(&self.questions, &mut self.live, asked, map)
                    .or_else(|| answer::make(&mut self.questions, &mut self.live, asked, map));
                let Some(answer) = answer else { return self.live.met_opaque() };
                self.live.know(asked, answer);
                answer
            }
        };
        self.live.read(asked, answer);
    }

    /// Whether a question has this answer now.
    fn is(&mut self, asked: u32, answer: u32) -> bool {
        if let Some(known) = self.live.known(asked) {
            return known == answer;
        }
        if self.live.is_unknown(asked) {
            return false;
        }
        let place = self.questions.place_of(asked);
        let found = self
            .live
            .map_at(&self.questions, place)
            .and_then(|map| answer::find(&self.questions, &mut self.live, asked, &map));
        match found {
            Some(found) => self.live.know(asked, found),
            None => self.live.know_nothing(asked),
        }
        found == Some(answer)
    }
}
