//! Version constraints over tags, as Masterminds/semver v3 reads them.
//!
//! Users write `1.x`, `^2.1`, `~1.2.3`, `>=1.0 <2.0`, `1.2 - 1.4` or `1.x || 3.x` where a
//! revision stands, and mean the highest tag that fits. The rules are those of the library
//! that upstream uses, its oddities included (`^*` fits 0.0.0 alone); `tests/data/semver`
//! holds what that library answered.

use std::cmp::Ordering;

/// One version: `v1.2.3-rc.1+build`, where minor and patch may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    pre: String,
}

impl Version {
    /// Reads a version; leading `v`, leading zeros and missing parts are forgiven, as upstream does.
    ///
    /// `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let scanned = Scanned::at(text, is_digit)?;
        if scanned.len != text.len() {
            return None;
        }
        Self::from_parts(
            scanned.major,
            scanned.minor.unwrap_or("0"),
            scanned.patch.unwrap_or("0"),
            scanned.pre.unwrap_or(""),
        )
    }

    fn from_parts(major: &str, minor: &str, patch: &str, pre: &str) -> Option<Self> {
        let leading_zero =
            |part: &str| part.len() > 1 && part.starts_with('0') && part.chars().all(is_digit);
        if pre.split('.').any(leading_zero) {
            return None;
        }
        Some(Self {
            major: major.parse().ok()?,
            minor: minor.parse().ok()?,
            patch: patch.parse().ok()?,
            pre: pre.to_owned(),
        })
    }

    /// Whether it names a pre-release (`1.0.0-rc.1`).
    pub fn is_prerelease(&self) -> bool {
        !self.pre.is_empty()
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| match (self.pre.is_empty(), other.pre.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_pre(&self.pre, &other.pre),
            })
    }
}

fn compare_pre(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let (one, other) = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(one), Some(other)) => (one, other),
        };
        let order = match (one.parse::<u64>(), other.parse::<u64>()) {
            (Ok(one), Ok(other)) => one.cmp(&other),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => one.cmp(other),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// A whole constraint: alternatives, each a list of conditions that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    alternatives: Vec<Vec<Condition>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    operator: Operator,
    bound: Version,
    given: Given,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// How much of a version a condition wrote down; the rest was `x`, `*` or left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    Nothing,
    Major,
    MajorMinor,
    Whole,
}

impl Constraint {
    /// Reads a constraint; `None` where it is none (a branch's name, for one).
    pub fn parse(text: &str) -> Option<Self> {
        let text = rewrite_hyphen_ranges(text);
        let alternatives: Option<Vec<_>> = text.split("||").map(parse_conditions).collect();
        Some(Self { alternatives: alternatives? })
    }

    /// Whether a version fits. A pre-release fits only where its alternative names one.
    pub fn allows(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|conditions| {
            let names_pre = conditions.iter().any(|condition| condition.bound.is_prerelease());
            (names_pre || !version.is_prerelease())
                && conditions.iter().all(|condition| condition.allows(version))
        })
    }

    /// Returns the tag with the highest version that fits; of equal ones, the first.
    ///
    /// Tags that are no version are passed over.
    pub fn highest<'a>(&self, tags: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        let mut highest: Option<(Version, &str)> = None;
        for tag in tags {
            let Some(version) = Version::parse(tag) else { continue };
            let higher = highest.as_ref().is_none_or(|(known, _)| version > *known);
            if higher && self.allows(&version) {
                highest = Some((version, tag));
            }
        }
        highest.map(|(_, tag)| tag)
    }
}

impl Condition {
    fn allows(&self, version: &Version) -> bool {
        match self.operator {
            Operator::Equal if self.given == Given::Whole => *version == self.bound,
            Operator::Equal | Operator::Tilde => self.allows_tilde(version),
            Operator::NotEqual => self.allows_not_equal(version),
            Operator::Greater => self.allows_greater(version),
            Operator::Less => *version < self.bound,
            Operator::GreaterOrEqual => *version >= self.bound,
            Operator::LessOrEqual => self.allows_less_or_equal(version),
            Operator::Caret => self.allows_caret(version),
        }
    }

    fn allows_tilde(&self, version: &Version) -> bool {
        let bound = &self.bound;
        if version < bound {
            return false;
        }
        let zero = (bound.major, bound.minor, bound.patch) == (0, 0, 0);
        if zero && matches!(self.given, Given::Nothing | Given::Whole) {
            return true;
        }
        version.major == bound.major && (self.given == Given::Major || version.minor == bound.minor)
    }

    fn allows_not_equal(&self, version: &Version) -> bool {
        let bound = &self.bound;
        let other_minor = (version.major, version.minor) != (bound.major, bound.minor);
        match self.given {
            Given::Major => version.major != bound.major,
            Given::MajorMinor => other_minor || version.pre != bound.pre,
            Given::Nothing | Given::Whole => version != bound,
        }
    }

    fn allows_greater(&self, version: &Version) -> bool {
        let bound = &self.bound;
        match self.given {
            Given::Whole => version > bound,
            Given::Major => version.major > bound.major,
            Given::MajorMinor => (version.major, version.minor) > (bound.major, bound.minor),
            Given::Nothing => version.major > bound.major || version > bound,
        }
    }

    fn allows_less_or_equal(&self, version: &Version) -> bool {
        let bound = &self.bound;
        match self.given {
            Given::Whole => version <= bound,
            Given::Major => version.major <= bound.major,
            Given::Nothing | Given::MajorMinor => {
                (version.major, version.minor) <= (bound.major, bound.minor)
            }
        }
    }

    fn allows_caret(&self, version: &Version) -> bool {
        let bound = &self.bound;
        if version < bound || version.major != bound.major {
            return false;
        }
        if bound.major > 0 || self.given == Given::Major {
            return true;
        }
        if version.minor != bound.minor {
            return false;
        }
        bound.minor > 0 || self.given == Given::MajorMinor || version.patch == bound.patch
    }
}

fn parse_conditions(text: &str) -> Option<Vec<Condition>> {
    let mut conditions = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let (condition, after) = parse_condition(rest)?;
        conditions.push(condition);
        let trimmed = after.trim_start();
        if trimmed.is_empty() {
            return Some(conditions);
        }
        rest = match trimmed.strip_prefix(',') {
            Some(next) => next.trim_start(),
            // Two conditions that touch are one that cannot be read.
            None if trimmed.len() == after.len() => return None,
            None => trimmed,
        };
    }
}

fn parse_condition(text: &str) -> Option<(Condition, &str)> {
    let operator_len = text.find(|c| !"=!<>~^".contains(c))?;
    let operator = match &text[..operator_len] {
        "" | "=" => Operator::Equal,
        "!=" => Operator::NotEqual,
        ">" => Operator::Greater,
        "<" => Operator::Less,
        ">=" | "=>" => Operator::GreaterOrEqual,
        "<=" | "=<" => Operator::LessOrEqual,
        "~" | "~>" => Operator::Tilde,
        "^" => Operator::Caret,
        _ => return None,
    };
    let text = text[operator_len..].trim_start();
    let scanned = Scanned::at(text, is_digit_or_wildcard)?;
    let open = |part: Option<&str>| part.is_none_or(is_wildcard);
    let pre = scanned.pre.unwrap_or("");
    let (given, bound) = if is_wildcard(scanned.major) {
        (Given::Nothing, Version::from_parts("0", "0", "0", pre))
    } else if open(scanned.minor) {
        (Given::Major, Version::from_parts(scanned.major, "0", "0", pre))
    } else if open(scanned.patch) {
        let minor = scanned.minor.unwrap_or("0");
        (Given::MajorMinor, Version::from_parts(scanned.major, minor, "0", pre))
    } else {
        let (minor, patch) = (scanned.minor.unwrap_or("0"), scanned.patch.unwrap_or("0"));
        (Given::Whole, Version::from_parts(scanned.major, minor, patch, pre))
    };
    Some((Condition { operator, bound: bound?, given }, &text[scanned.len..]))
}

/// Turns each `A - B` into `>= A, <= B`.
fn rewrite_hyphen_ranges(text: &str) -> String {
    let mut rewritten = String::with_capacity(text.len() + 8);
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        if let Some((low, high, len)) = hyphen_range(&text[at..]) {
            rewritten.push_str(&format!(">= {low}, <= {high} "));
            at += len;
        } else {
            rewritten.push(next);
            at += next.len_utf8();
        }
    }
    rewritten
}

fn hyphen_range(text: &str) -> Option<(&str, &str, usize)> {
    let from = text.trim_start();
    let low = Scanned::at(from, is_digit_or_wildcard)?;
    let gap = &from[low.len..];
    let dash = gap.trim_start();
    let after_dash = dash.strip_prefix('-')?;
    let to = after_dash.trim_start();
    if dash.len() == gap.len() || to.len() == after_dash.len() {
        return None;
    }
    let high = Scanned::at(to, is_digit_or_wildcard)?;
    let rest = to[high.len..].trim_start();
    Some((&from[..low.len], &to[..high.len], text.len() - rest.len()))
}

/// The parts of a version at the start of a text.
struct Scanned<'a> {
    major: &'a str,
    minor: Option<&'a str>,
    patch: Option<&'a str>,
    pre: Option<&'a str>,
    /// Bytes, the build metadata included.
    len: usize,
}

impl<'a> Scanned<'a> {
    fn at(text: &'a str, is_part: fn(char) -> bool) -> Option<Self> {
        let mut rest = text.strip_prefix('v').unwrap_or(text);
        let major = take_while(&mut rest, is_part)?;
        let minor = take_after(&mut rest, '.', |rest| take_while(rest, is_part));
        let patch = match minor {
            Some(_) => take_after(&mut rest, '.', |rest| take_while(rest, is_part)),
            None => None,
        };
        let pre = take_after(&mut rest, '-', take_identifiers);
        take_after(&mut rest, '+', take_identifiers);
        Some(Self { major, minor, patch, pre, len: text.len() - rest.len() })
    }
}

fn take_while<'a>(rest: &mut &'a str, keep: fn(char) -> bool) -> Option<&'a str> {
    let len = rest.find(|c| !keep(c)).unwrap_or(rest.len());
    let (taken, left) = rest.split_at(len);
    *rest = left;
    (len > 0).then_some(taken)
}

fn take_after<'a>(
    rest: &mut &'a str,
    sign: char,
    take: impl Fn(&mut &'a str) -> Option<&'a str>,
) -> Option<&'a str> {
    let mut after = rest.strip_prefix(sign)?;
    let taken = take(&mut after)?;
    *rest = after;
    Some(taken)
}

fn take_identifiers<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let start = *rest;
    take_while(rest, is_identifier)?;
    while take_after(rest, '.', |rest| take_while(rest, is_identifier)).is_some() {}
    Some(&start[..start.len() - rest.len()])
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn is_digit_or_wildcard(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, 'x' | 'X' | '*')
}

fn is_identifier(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

fn is_wildcard(part: &str) -> bool {
    matches!(part, "x" | "X" | "*")
}

#[cfg(test)]
mod tests;
