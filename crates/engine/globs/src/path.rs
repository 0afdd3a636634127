//! doublestar's patterns: as Go's `filepath.Match`, with `**` for directories and `{a,b}`.

use crate::file::{BadPattern, no_slash};
use crate::machine::{Machine, Step};

/// A pattern for a whole path; `**` between slashes is any number of directories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathGlob {
    machine: Machine,
}

const DEPTH_MAX: usize = 100;

impl PathGlob {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// [`BadPattern`] for a class or alternatives that do not end.
    pub fn new(pattern: &str) -> Result<Self, BadPattern> {
        let chars: Vec<char> = pattern.chars().collect();
        let mut reader = Reader { chars: &chars, at: 0, machine: Machine::default(), depth: 0 };
        reader.sequence()?;
        if reader.at < chars.len() {
            return Err(BadPattern);
        }
        Ok(Self { machine: reader.machine })
    }

    /// Whether the whole path fits; `/` separates its names.
    pub fn matches(&self, path: &str) -> bool {
        self.machine.matches(path)
    }
}

struct Reader<'a> {
    chars: &'a [char],
    at: usize,
    machine: Machine,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn sequence(&mut self) -> Result<(), BadPattern> {
        while let Some(char) = self.peek(0) {
            if self.depth > 0 && matches!(char, ',' | '}') {
                return Ok(());
            }
            match char {
                '*' if self.peek(1) == Some('*') && self.at_name() => self.directories(),
                '*' => {
                    self.machine.push_star(no_slash());
                    self.at += 1;
                }
                '/' if self.rest_is_directories() => {
                    // `a/**` takes `a` itself too.
                    let split = self.machine.push(Step::Split(0, 0));
                    self.machine.push(Step::Char('/'));
                    self.machine.push_star(Step::Any);
                    let behind = self.machine.steps.len();
                    self.machine.steps[split] = Step::Split(split + 1, behind);
                    self.machine.push(Step::BeforeSlash);
                    self.at += 3;
                }
                '?' => {
                    self.machine.push(no_slash());
                    self.at += 1;
                }
                '[' => self.class()?,
                '{' => self.alternatives()?,
                '\\' => {
                    let char = self.peek(1).ok_or(BadPattern)?;
                    self.machine.push(Step::Char(char));
                    self.at += 2;
                }
                char => {
                    self.machine.push(Step::Char(char));
                    self.at += 1;
                }
            }
        }
        Ok(())
    }

    /// Whether a name begins here.
    fn at_name(&self) -> bool {
        self.at == 0 || self.chars[self.at - 1] == '/'
    }

    /// Whether `/**` is all that is left.
    fn rest_is_directories(&self) -> bool {
        self.depth == 0 && self.chars[self.at..] == ['/', '*', '*']
    }

    /// `**` at the beginning of a name: alone it takes directories, else it is a `*`.
    fn directories(&mut self) {
        self.at += 2;
        match self.peek(0) {
            None => self.machine.push_star(Step::Any),
            Some('/') => {
                self.at += 1;
                let split = self.machine.push(Step::Split(0, 0));
                self.machine.push_star(Step::Any);
                self.machine.push(Step::Char('/'));
                let behind = self.machine.steps.len();
                self.machine.steps[split] = Step::Split(split + 1, behind);
                self.machine.push(Step::AfterSlash);
            }
            Some(_) => self.machine.push_star(no_slash()),
        }
    }

    fn alternatives(&mut self) -> Result<(), BadPattern> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(BadPattern);
        }
        let mut ends = Vec::new();
        loop {
            let split = self.machine.push(Step::Split(0, 0));
            self.sequence()?;
            ends.push(self.machine.push(Step::Jump(0)));
            let other = self.machine.steps.len();
            self.machine.steps[split] = Step::Split(split + 1, other);
            let end = self.peek(0).ok_or(BadPattern)?;
            self.at += 1;
            if end == '}' {
                break;
            }
        }
        self.machine.push(Step::Class { ranges: Box::new([]), not: false });
        let behind = self.machine.steps.len();
        for end in ends {
            self.machine.steps[end] = Step::Jump(behind);
        }
        self.depth -= 1;
        Ok(())
    }

    fn class(&mut self) -> Result<(), BadPattern> {
        self.at += 1;
        let not = matches!(self.peek(0), Some('!' | '^'));
        if not {
            self.at += 1;
        }
        let mut ranges = Vec::new();
        loop {
            if self.peek(0) == Some(']') && !ranges.is_empty() {
                self.at += 1;
                break;
            }
            let low = self.class_char()?;
            let mut high = low;
            if self.peek(0) == Some('-') && self.peek(1) != Some(']') {
                self.at += 1;
                high = self.class_char()?;
            }
            ranges.push((low, high));
        }
        // A class takes no `/`.
        if not {
            ranges.push(('/', '/'));
        }
        self.machine.push(Step::Class { ranges: ranges.into(), not });
        Ok(())
    }

    fn class_char(&mut self) -> Result<char, BadPattern> {
        let mut char = self.peek(0).ok_or(BadPattern)?;
        self.at += 1;
        if char == '\\' {
            char = self.peek(0).ok_or(BadPattern)?;
            self.at += 1;
        }
        Ok(char)
    }
}
