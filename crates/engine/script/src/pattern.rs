//! Lua's patterns: matched with backtracking, each step counted.

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The meter ended it.
    TookTooLong,
    /// The pattern makes no sense.
    Malformed(&'static str),
}

/// A part of the text that was captured, from 0, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capture {
    /// A stretch of the text.
    Part(usize, usize),
    /// `()`: a place in the text.
    Position(usize),
}

/// One capture as it is being made.
#[derive(Clone, Copy, Debug)]
enum Group {
    Open(usize),
    Closed(usize, usize),
    Position(usize),
}

/// No more captures than this, nor levels of one match inside another.
const GROUPS_MAX: usize = 32;
const DEPTH_MAX: usize = 200;

/// How many steps are counted at once.
const COUNT_EVERY: u64 = 256;

/// Told how many steps were taken; true ends the search.
type Count<'a> = Box<dyn Fn(u64) -> bool + 'a>;

/// A search for a pattern in a text.
pub(crate) struct Matcher<'a> {
    text: &'a [u8],
    pattern: &'a [u8],
    anchored: bool,
    groups: Vec<Group>,
    steps: u64,
    count: Count<'a>,
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(text: &'a [u8], pattern: &'a [u8], count: Count<'a>) -> Self {
        let anchored = pattern.first() == Some(&b'^');
        let pattern = if anchored { &pattern[1..] } else { pattern };
        Self { text, pattern, anchored, groups: Vec::new(), steps: 0, count }
    }

    /// Takes a leading `^` as a letter, as `gmatch` does.
    pub(crate) fn not_anchored(&mut self) {
        self.anchored = false;
    }

    /// The first match from a place on: where it begins and ends.
    pub(crate) fn search(&mut self, from: usize) -> Result<Option<(usize, usize)>, Trouble> {
        let last = if self.anchored { from } else { self.text.len() };
        for at in from..=last {
            if let Some(end) = self.at(at)? {
                return Ok(Some((at, end)));
            }
        }
        Ok(None)
    }

    /// The match at a place: where it ends.
    pub(crate) fn at(&mut self, at: usize) -> Result<Option<usize>, Trouble> {
        self.groups.clear();
        self.matches(at, 0, 0)
    }

    /// What was captured by the match before; the whole where nothing was and a whole is given.
    pub(crate) fn captures(&self, whole: Option<(usize, usize)>) -> Result<Vec<Capture>, Trouble> {
        if self.groups.is_empty() {
            return Ok(whole.map(|(from, to)| Capture::Part(from, to)).into_iter().collect());
        }
        self.groups
            .iter()
            .map(|group| match group {
                Group::Open(_) => Err(Trouble::Malformed("unfinished capture")),
                Group::Closed(from, to) => Ok(Capture::Part(*from, *to)),
                Group::Position(at) => Ok(Capture::Position(*at)),
            })
            .collect()
    }

    fn step(&mut self) -> Result<(), Trouble> {
        self.steps += 1;
        if self.steps.is_multiple_of(COUNT_EVERY) && (self.count)(COUNT_EVERY) {
            return Err(Trouble::TookTooLong);
        }
        Ok(())
    }

    /// Matches the pattern from `p` on at `s`, and answers where the match ends.
    fn matches(&mut self, s: usize, p: usize, depth: usize) -> Result<Option<usize>, Trouble> {
        if depth > DEPTH_MAX {
            return Err(Trouble::Malformed("pattern too complex"));
        }
        let (mut s, mut p) = (s, p);
        loop {
            self.step()?;
            let Some(letter) = self.pattern.get(p).copied() else { return Ok(Some(s)) };
            match (letter, self.pattern.get(p + 1).copied()) {
                (b'(', Some(b')')) => return self.with_group(Group::Position(s), s, p + 2, depth),
                (b'(', _) => return self.with_group(Group::Open(s), s, p + 1, depth),
                (b')', _) => return self.close(s, p + 1, depth),
                (b'$', None) => return Ok((s == self.text.len()).then_some(s)),
                (b'%', Some(b'b')) => match self.balanced(s, p + 2)? {
                    Some(end) => (s, p) = (end, p + 4),
                    None => return Ok(None),
                },
                (b'%', Some(b'f')) => match self.frontier(s, p + 2)? {
                    Some(after) => p = after,
                    None => return Ok(None),
                },
                (b'%', Some(digit)) if digit.is_ascii_digit() => match self.again(s, digit)? {
                    Some(end) => (s, p) = (end, p + 2),
                    None => return Ok(None),
                },
                _ => {
                    let end = self.class_end(p)?;
                    match self.pattern.get(end).copied() {
                        Some(b'?') => {
                            if self.single(s, p, end)
                                && let Some(found) = self.matches(s + 1, end + 1, depth + 1)?
                            {
                                return Ok(Some(found));
                            }
                            p = end + 1;
                        }
                        Some(b'*') => return self.most(s, s, p, end, depth),
                        Some(b'+') if self.single(s, p, end) => {
                            return self.most(s + 1, s + 1, p, end, depth);
                        }
                        Some(b'+') => return Ok(None),
                        Some(b'-') => return self.fewest(s, p, end, depth),
                        _ if self.single(s, p, end) => (s, p) = (s + 1, end),
                        _ => return Ok(None),
                    }
                }
            }
        }
    }

    fn with_group(
        &mut self,
        group: Group,
        s: usize,
        p: usize,
        depth: usize,
    ) -> Result<Option<usize>, Trouble> {
        if self.groups.len() >= GROUPS_MAX {
            return Err(Trouble::Malformed("too many captures"));
        }
        let before = self.groups.len();
        self.groups.push(group);
        let found = self.matches(s, p, depth + 1)?;
        if found.is_none() {
            self.groups.truncate(before);
        }
        Ok(found)
    }

    fn close(&mut self, s: usize, p: usize, depth: usize) -> Result<Option<usize>, Trouble> {
        let open = self.groups.iter().rposition(|group| matches!(group, Group::Open(_)));
        let Some(index) = open else { return Err(Trouble::Malformed("invalid pattern capture")) };
        let before = self.groups[index];
        if let Group::Open(from) = before {
            self.groups[index] = Group::Closed(from, s);
        }
        let found = self.matches(s, p, depth + 1)?;
        if found.is_none() {
            self.groups[index] = before;
        }
        Ok(found)
    }

    /// As many as there are, then fewer.
    fn most(
        &mut self,
        start: usize,
        least: usize,
        p: usize,
        end: usize,
        depth: usize,
    ) -> Result<Option<usize>, Trouble> {
        let mut s = start;
        while self.single(s, p, end) {
            self.step()?;
            s += 1;
        }
        loop {
            if let Some(found) = self.matches(s, end + 1, depth + 1)? {
                return Ok(Some(found));
            }
            if s == least {
                return Ok(None);
            }
            s -= 1;
        }
    }

    /// As few as will do.
    fn fewest(
        &mut self,
        start: usize,
        p: usize,
        end: usize,
        depth: usize,
    ) -> Result<Option<usize>, Trouble> {
        let mut s = start;
        loop {
            if let Some(found) = self.matches(s, end + 1, depth + 1)? {
                return Ok(Some(found));
            }
            if !self.single(s, p, end) {
                return Ok(None);
            }
            s += 1;
        }
    }

    /// `%b()`: from one letter to its partner.
    fn balanced(&mut self, s: usize, p: usize) -> Result<Option<usize>, Trouble> {
        let (Some(open), Some(shut)) = (self.pattern.get(p), self.pattern.get(p + 1)) else {
            return Err(Trouble::Malformed("unbalanced pattern"));
        };
        let (open, shut) = (*open, *shut);
        if self.text.get(s) != Some(&open) {
            return Ok(None);
        }
        let mut level = 1;
        for at in s + 1..self.text.len() {
            self.step()?;
            let letter = self.text[at];
            if letter == shut {
                level -= 1;
                if level == 0 {
                    return Ok(Some(at + 1));
                }
            } else if letter == open {
                level += 1;
            }
        }
        Ok(None)
    }

    /// `%f[set]`: the place where a set begins. Answers where the pattern goes on.
    fn frontier(&mut self, s: usize, p: usize) -> Result<Option<usize>, Trouble> {
        if self.pattern.get(p) != Some(&b'[') {
            return Err(Trouble::Malformed("missing '[' after '%f' in pattern"));
        }
        let end = self.class_end(p)?;
        let before = if s == 0 { 0 } else { self.text[s - 1] };
        let here = self.text.get(s).copied().unwrap_or(0);
        Ok((!self.in_set(before, p, end - 1) && self.in_set(here, p, end - 1)).then_some(end))
    }

    /// `%1`: what was captured, once more.
    fn again(&mut self, s: usize, digit: u8) -> Result<Option<usize>, Trouble> {
        let number = usize::from(digit).wrapping_sub(usize::from(b'1'));
        let Some(Group::Closed(from, to)) = self.groups.get(number).copied() else {
            return Err(Trouble::Malformed("invalid capture index"));
        };
        let part = &self.text[from..to];
        Ok(self.text[s..].starts_with(part).then_some(s + part.len()))
    }

    /// Where the single class that begins at `p` ends.
    fn class_end(&self, p: usize) -> Result<usize, Trouble> {
        match self.pattern[p] {
            b'%' if p + 1 < self.pattern.len() => Ok(p + 2),
            b'%' => Err(Trouble::Malformed("malformed pattern (ends with '%')")),
            b'[' => {
                let mut at = p + 1;
                if self.pattern.get(at) == Some(&b'^') {
                    at += 1;
                }
                // The first letter of a set may be a bracket.
                let mut first = true;
                loop {
                    match self.pattern.get(at) {
                        None => return Err(Trouble::Malformed("malformed pattern (missing ']')")),
                        Some(b']') if !first => return Ok(at + 1),
                        Some(b'%') => at += 2,
                        Some(_) => at += 1,
                    }
                    first = false;
                }
            }
            _ => Ok(p + 1),
        }
    }

    /// Whether the letter at `s` is of the class at `p..end`.
    fn single(&self, s: usize, p: usize, end: usize) -> bool {
        let Some(letter) = self.text.get(s).copied() else { return false };
        match self.pattern[p] {
            b'.' => true,
            b'%' => is_of(letter, self.pattern[p + 1]),
            b'[' => self.in_set(letter, p, end - 1),
            other => other == letter,
        }
    }

    /// Whether a letter is of the set that begins with `[` at `p` and ends with `]` at `end`.
    fn in_set(&self, letter: u8, p: usize, end: usize) -> bool {
        let mut at = p + 1;
        let negated = self.pattern.get(at) == Some(&b'^');
        if negated {
            at += 1;
        }
        while at < end {
            let here = self.pattern[at];
            if here == b'%' {
                if is_of(letter, self.pattern[at + 1]) {
                    return !negated;
                }
                at += 2;
            } else if self.pattern[at + 1] == b'-' && at + 2 < end {
                if (here..=self.pattern[at + 2]).contains(&letter) {
                    return !negated;
                }
                at += 3;
            } else {
                if here == letter {
                    return !negated;
                }
                at += 1;
            }
        }
        negated
    }
}

/// Whether a letter is of the class that is named by a letter; in capitals: is not.
fn is_of(letter: u8, class: u8) -> bool {
    let is = match class.to_ascii_lowercase() {
        b'a' => letter.is_ascii_alphabetic(),
        b'c' => letter.is_ascii_control(),
        b'd' => letter.is_ascii_digit(),
        b'l' => letter.is_ascii_lowercase(),
        b'p' => letter.is_ascii_punctuation(),
        b's' => letter.is_ascii_whitespace() || letter == 0x0b,
        b'u' => letter.is_ascii_uppercase(),
        b'w' => letter.is_ascii_alphanumeric(),
        b'x' => letter.is_ascii_hexdigit(),
        b'z' => letter == 0,
        _ => return class == letter,
    };
    if class.is_ascii_uppercase() { !is } else { is }
}
