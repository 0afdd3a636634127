//! The language of gobwas/glob: `*`, `**`, `?`, `[a-z]`, `[!ab]`, `{a,b}` and `\`.

use crate::machine::{Machine, Step};

/// A pattern for a whole text.
///
/// `*` and `?` take no separator, `**` takes everything. With no separators (as Argo CD
/// matches paths) `*` crosses `/` too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    machine: Machine,
}

/// Why a pattern is none, in the words of the Go library.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct GlobError {
    problem: String,
}

fn bad(problem: impl Into<String>) -> GlobError {
    GlobError { problem: problem.into() }
}

/// Alternatives inside alternatives; more is no pattern that a person wrote.
const DEPTH_MAX: usize = 100;

impl Glob {
    /// Reads a pattern.
    ///
    /// As in Go, a `{` that is not closed ends with the pattern, and a last `\` is dropped.
    ///
    /// # Errors
    ///
    /// [`GlobError`] for a class that is empty, open or runs backwards.
    pub fn new(pattern: &str, separators: &[char]) -> Result<Self, GlobError> {
        if pattern.contains('\u{FFFD}') {
            return Err(bad("could not read rune"));
        }
        let chars: Vec<char> = pattern.chars().collect();
        let mut reader =
            Reader { chars: &chars, at: 0, separators, machine: Machine::default(), depth: 0 };
        reader.sequence()?;
        Ok(Self { machine: reader.machine })
    }

    /// Whether the whole text fits.
    pub fn matches(&self, text: &str) -> bool {
        match self.machine.steps.as_slice() {
            // Alone, what takes one character that is not this or that takes none to Go, too.
            [Step::Any | Step::AnyBut(_) | Step::Class { not: true, .. }] if text.is_empty() => {
                true
            }
            _ => self.machine.matches(text),
        }
    }
}

struct Reader<'a> {
    chars: &'a [char],
    at: usize,
    separators: &'a [char],
    machine: Machine,
    depth: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let char = self.chars.get(self.at).copied()?;
        self.at += 1;
        Some(char)
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn one(&self) -> Step {
        match self.separators {
            [] => Step::Any,
            separators => Step::AnyBut(separators.into()),
        }
    }

    /// Reads up to the end, or inside alternatives up to what ends this one.
    fn sequence(&mut self) -> Result<(), GlobError> {
        while let Some(char) = self.peek() {
            if self.depth > 0 && matches!(char, ',' | '}') {
                return Ok(());
            }
            self.at += 1;
            match char {
                '*' if self.peek() == Some('*') => {
                    self.at += 1;
                    self.machine.push_star(Step::Any);
                }
                '*' => {
                    let one = self.one();
                    self.machine.push_star(one);
                }
                '?' => {
                    let one = self.one();
                    self.machine.push(one);
                }
                '[' => self.class()?,
                '{' => self.alternatives()?,
                '\\' => {
                    if let Some(char) = self.next() {
                        self.machine.push(Step::Char(char));
                    }
                }
                char => {
                    self.machine.push(Step::Char(char));
                }
            }
        }
        Ok(())
    }

    fn alternatives(&mut self) -> Result<(), GlobError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(bad(format!("more than {DEPTH_MAX} alternatives inside each other")));
        }
        let mut ends = Vec::new();
        loop {
            let split = self.machine.push(Step::Split(0, 0));
            self.sequence()?;
            ends.push(self.machine.push(Step::Jump(0)));
            let other = self.machine.steps.len();
            self.machine.steps[split] = Step::Split(split + 1, other);
            if self.next() != Some(',') {
                break;
            }
        }
        // Behind the last alternative there is no other one: a class that takes nothing.
        self.machine.push(Step::Class { ranges: Box::new([]), not: false });
        let behind = self.machine.steps.len();
        for end in ends {
            self.machine.steps[end] = Step::Jump(behind);
        }
        self.depth -= 1;
        Ok(())
    }

    fn class(&mut self) -> Result<(), GlobError> {
        let open = || bad("unexpected end of input");
        let mut first = self.next().ok_or_else(open)?;
        let not = first == '!';
        if not {
            first = self.next().ok_or_else(open)?;
        }
        let ranges: Vec<(char, char)> = if self.peek() == Some('-') {
            self.at += 1;
            let last = self.next().ok_or_else(open)?;
            if last < first {
                let problem = format!("hi character '{last}' should be greater than lo '{first}'");
                return Err(bad(problem));
            }
            vec![(first, last)]
        } else {
            self.at -= 1;
            let mut ranges = Vec::new();
            while let Some(char) = self.peek() {
                if char == ']' {
                    break;
                }
                self.at += 1;
                match char {
                    '\\' => {
                        if let Some(char) = self.next() {
                            ranges.push((char, char));
                        }
                    }
                    char => ranges.push((char, char)),
                }
            }
            ranges
        };
        match self.next() {
            None => return Err(open()),
            Some(']') => {}
            Some(_) => return Err(bad("expected close range character")),
        }
        if ranges.is_empty() {
            return Err(bad("could not parse range"));
        }
        self.machine.push(Step::Class { ranges: ranges.into(), not });
        Ok(())
    }
}
