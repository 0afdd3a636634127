//! Compiled patterns, and finding all matches as Go does.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use goval::Budget;
use regex_automata::meta::Regex;
use regex_automata::util::captures::Captures;
use regex_automata::util::syntax;
use regex_automata::{Input, Span};

use crate::regexes::translate::{Refused, refused, translate};

/// Bytes that a compiled pattern may take.
const COMPILED_BYTES_MAX: usize = 32 << 20;
/// Patterns kept compiled in a thread; beyond, all are forgotten.
const PATTERNS_MAX: usize = 256;
/// A pattern of more parts is not kept: it may be megabytes.
const KEPT_PARTS_MAX: u64 = 4_096;

thread_local! {
    static COMPILED: RefCell<Compiled> = RefCell::default();
}

/// Patterns, by the texts that they are for and by how they are written.
#[derive(Default)]
struct Compiled {
    for_ascii: HashMap<Box<str>, Rc<Pattern>>,
    for_all: HashMap<Box<str>, Rc<Pattern>>,
}

impl Compiled {
    fn of(&mut self, texts: Texts) -> &mut HashMap<Box<str>, Rc<Pattern>> {
        match texts {
            Texts::Ascii => &mut self.for_ascii,
            Texts::All => &mut self.for_all,
        }
    }
}

/// Which texts a pattern is for. All that are no ASCII are much in the automaton of a class that
/// takes what is not named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    Ascii,
    All,
}

/// A compiled pattern.
pub(super) struct Pattern {
    pub(super) regex: Regex,
    /// Of each group that captures; the first is the whole match.
    pub(super) names: Vec<Option<Box<str>>>,
    /// About how many parts it has, repetitions counted.
    parts: u64,
}

impl Pattern {
    /// Takes what it costs to look through a text.
    ///
    /// # Errors
    ///
    /// The budget's.
    pub(super) fn spend(&self, text: &[u8], budget: &mut Budget) -> Result<(), String> {
        budget.spend(1 + (text.len() as u64).saturating_mul(self.parts) / 1_024)
    }
}

/// Why there is no compiled pattern.
pub(super) enum NoPattern {
    Refused(Refused),
    /// The budget's error.
    Budget(String),
}

/// Compiles a pattern, or finds it compiled.
///
/// # Errors
///
/// [`NoPattern`], with Go's words for what is none.
pub(super) fn compile(
    pattern: &str,
    texts: Texts,
    budget: &mut Budget,
) -> Result<Rc<Pattern>, NoPattern> {
    let known = COMPILED.with_borrow_mut(|known| known.of(texts).get(pattern).cloned());
    if let Some(known) = known {
        return Ok(known);
    }
    let translated = translate(pattern).map_err(NoPattern::Refused)?;
    let parts = translated.largest.saturating_mul(pattern.len() as u64);
    budget.spend(parts).map_err(NoPattern::Budget)?;
    // Building whole automata in advance takes longer than looking through what charts give.
    let config = Regex::config()
        .utf8_empty(false)
        .nfa_size_limit(Some(COMPILED_BYTES_MAX))
        .dfa(false)
        .hybrid(false)
        .onepass(false);
    let build = |unicode| {
        Regex::builder()
            .configure(config.clone())
            .syntax(syntax::Config::new().utf8(false).unicode(unicode).nest_limit(4_000))
            .build(&translated.pattern)
            .ok()
    };
    // Of ASCII, bytes are the characters; a class that names others is none of bytes.
    let of_bytes = (texts == Texts::Ascii && pattern.is_ascii()).then(|| build(false)).flatten();
    let regex = of_bytes
        .or_else(|| build(true))
        .ok_or_else(|| NoPattern::Refused(refused("expression too large", pattern)))?;
    let regex = Rc::new(Pattern { regex, names: translated.names, parts });
    if parts > KEPT_PARTS_MAX {
        return Ok(regex);
    }
    COMPILED.with_borrow_mut(|known| {
        let known = known.of(texts);
        if known.len() >= PATTERNS_MAX {
            known.clear();
        }
        known.insert(pattern.into(), Rc::clone(&regex));
    });
    Ok(regex)
}

/// One match.
pub(super) struct Found<'t> {
    text: &'t [u8],
    groups: Captures,
}

impl<'t> Found<'t> {
    pub(super) fn span(&self) -> Span {
        self.groups.get_match().map_or_else(|| Span::from(0..0), |found| found.span())
    }

    pub(super) fn whole(&self) -> &'t [u8] {
        &self.text[self.span()]
    }

    /// A group; the first is the whole match. `None` where it is no part of the match.
    pub(super) fn group(&self, number: usize) -> Option<&'t [u8]> {
        Some(&self.text[self.groups.get_group(number)?])
    }
}

/// Finds up to `limit` matches, all where it is negative. A match of nothing directly behind
/// another match does not count, nor does one in the middle of a character.
pub(super) fn all<'t>(regex: &Regex, text: &'t [u8], limit: i64) -> Vec<Found<'t>> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    let mut at = 0;
    let mut last_end = None;
    while at <= text.len() && found.len() < limit {
        let mut groups = regex.create_captures();
        regex.captures(Input::new(text).span(at..text.len()), &mut groups);
        let Some(whole) = groups.get_match() else { break };
        let empty = whole.is_empty();
        let (start, end) = (whole.start(), whole.end());
        if empty && is_inside_a_character(text, start) {
            at = start + 1;
            continue;
        }
        at = if empty { end + width(text, end) } else { end };
        if !(empty && last_end == Some(end)) {
            found.push(Found { text, groups });
        }
        last_end = Some(end);
    }
    found
}

fn is_inside_a_character(text: &[u8], at: usize) -> bool {
    matches!(text.get(at), Some(0x80..=0xBF))
        && (1..=3.min(at)).any(|back| width(text, at - back) > back)
}

/// Bytes of the character at `at`; 1 at the end and for what is no character.
fn width(text: &[u8], at: usize) -> usize {
    crate::letters::runes(&text[at..text.len().min(at + 4)]).next().map_or(1, |(_, width)| width)
}

#[cfg(test)]
mod tests;
