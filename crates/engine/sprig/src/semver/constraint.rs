//! What a version must be.

use std::cmp::Ordering;

use crate::semver::scan::{self, Scanned};
use crate::semver::version::{Version, compare_pre};

const CONSTRAINT_BYTES_MAX: usize = 512;
const GROUPS_MAX: usize = 32;

/// Groups, of which one must hold in whole: `>=1.2 <2 || 3.x`.
#[derive(Clone, Debug)]
pub struct Constraint {
    groups: Vec<Vec<Single>>,
}

/// One comparison.
#[derive(Clone, Debug)]
struct Single {
    operator: Operator,
    version: Version,
    /// Some part is left out or a wildcard.
    dirty: bool,
    minor_dirty: bool,
    patch_dirty: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    TildeOrEqual,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// In the order in which they are tried: the first that fits is taken.
const OPERATORS: [(&str, Operator); 12] = [
    ("=>", Operator::GreaterOrEqual),
    ("=<", Operator::LessOrEqual),
    ("=", Operator::TildeOrEqual),
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    (">", Operator::Greater),
    ("<=", Operator::LessOrEqual),
    ("<", Operator::Less),
    ("~>", Operator::Tilde),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
    ("", Operator::TildeOrEqual),
];

impl Constraint {
    /// Reads a constraint.
    ///
    /// # Errors
    ///
    /// Upstream's, in its words.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::parse_naming(text, goval::quote)
    }

    /// As [`Constraint::parse`]; older releases name the text without quotes.
    pub(super) fn parse_naming(text: &str, name: fn(&str) -> String) -> Result<Self, String> {
        if text.len() > CONSTRAINT_BYTES_MAX {
            return Err(format!(
                "constraint string is too long (max {CONSTRAINT_BYTES_MAX} bytes)"
            ));
        }
        let text = without_ranges(text);
        let groups: Vec<&str> = text.split("||").collect();
        if groups.len() > GROUPS_MAX {
            return Err(format!("too many constraint groups (max {GROUPS_MAX})"));
        }
        let groups = groups.into_iter().map(|text| group(text, name)).collect::<Result<_, _>>()?;
        Ok(Self { groups })
    }

    /// Whether a version fits. A pre-release fits only a group that names one.
    pub fn allows(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| {
            let names_pre = group.iter().any(|single| !single.version.pre.is_empty());
            (version.pre.is_empty() || names_pre)
                && group.iter().all(|single| single.allows(version))
        })
    }
}

/// A digit or a wildcard; upstream's pattern lets a `|` pass, too.
fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*' | b'|')
}

fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\x0C' | '\r')
}

/// `1.2 - 1.4` means `>= 1.2, <= 1.4`.
fn without_ranges(text: &str) -> String {
    let mut out = text.to_owned();
    let mut from = 0;
    while from < text.len() {
        let Some((start, end, low, high)) = next_range(text, from) else { break };
        out = out.replacen(&text[start..end], &format!(">= {low}, <= {high} "), 1);
        from = end;
    }
    out
}

/// The next range at or behind `from`, blanks around it included.
fn next_range(text: &str, from: usize) -> Option<(usize, usize, &str, &str)> {
    let mut start = from;
    while start < text.len() {
        if text.is_char_boundary(start) {
            let rest = &text[start..];
            let trimmed = rest.trim_start_matches(is_blank);
            if let Some((low, high, left)) = range_at(trimmed) {
                let left = left.trim_start_matches(is_blank);
                return Some((start, text.len() - left.len(), low, high));
            }
        }
        start += 1;
    }
    None
}

fn range_at(text: &str) -> Option<(&str, &str, &str)> {
    let low = scan::version(text, is_digit)?.whole;
    let rest = &text[low.len()..];
    let after = rest.trim_start_matches(is_blank);
    let dash = after.strip_prefix('-')?;
    let before_high = dash.trim_start_matches(is_blank);
    if after.len() == rest.len() || before_high.len() == dash.len() {
        return None;
    }
    let high = scan::version(before_high, is_digit)?.whole;
    Some((low, high, &before_high[high.len()..]))
}

/// Comparisons with blanks or commas between them, all of which must hold.
fn group(text: &str, name: fn(&str) -> String) -> Result<Vec<Single>, String> {
    let improper = || format!("improper constraint: {}", name(text));
    // The whole must have the right shape before any version is looked at.
    let mut scanned_all = Vec::new();
    let mut rest = text.trim_start_matches(is_blank);
    loop {
        let (operator, scanned, left) = single_at(rest).ok_or_else(improper)?;
        scanned_all.push((operator, scanned));
        let blank = left.trim_start_matches(is_blank);
        if blank.is_empty() {
            let singles = scanned_all.into_iter();
            return singles.map(|(operator, scanned)| Single::new(operator, scanned)).collect();
        }
        rest = match blank.strip_prefix(',') {
            Some(next) => next.trim_start_matches(is_blank),
            None if blank.len() < left.len() => blank,
            None => return Err(improper()),
        };
    }
}

fn single_at(text: &str) -> Option<(Operator, Scanned<'_>, &str)> {
    OPERATORS.iter().find_map(|(sign, operator)| {
        let rest = text.strip_prefix(sign)?.trim_start_matches(is_blank);
        let scanned = scan::version(rest, is_digit)?;
        Some((*operator, scanned, &rest[scanned.whole.len()..]))
    })
}

fn is_wild(part: &str) -> bool {
    matches!(part, "x" | "X" | "*" | "")
}

impl Single {
    fn new(operator: Operator, scanned: Scanned<'_>) -> Result<Self, String> {
        let pre = match scanned.pre {
            "" => String::new(),
            pre => format!("-{pre}"),
        };
        let (major, minor) = (scanned.major, scanned.minor);
        let mut single = Self {
            operator,
            version: Version::parse("0").expect("0 is a version"),
            dirty: true,
            minor_dirty: false,
            patch_dirty: false,
        };
        let text = if is_wild(major) {
            format!("0.0.0{pre}")
        } else if is_wild(minor) {
            single.minor_dirty = true;
            format!("{major}.0.0{pre}")
        } else if is_wild(scanned.patch) {
            single.patch_dirty = true;
            format!("{major}.{minor}.0{pre}")
        } else {
            single.dirty = false;
            scanned.whole.to_owned()
        };
        single.version = Version::parse(&text).map_err(|_| "constraint parser error")?;
        Ok(single)
    }

    fn allows(&self, version: &Version) -> bool {
        let order = version.compare(&self.version);
        match self.operator {
            Operator::TildeOrEqual if !self.dirty => order.is_eq(),
            Operator::TildeOrEqual | Operator::Tilde => self.tilde(version, order),
            Operator::NotEqual => self.differs(version, order),
            Operator::Greater => self.greater(version, order),
            Operator::Less => order.is_lt(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::LessOrEqual => self.less_or_equal(version, order),
            Operator::Caret => self.caret(version, order),
        }
    }

    fn tilde(&self, version: &Version, order: Ordering) -> bool {
        let own = &self.version;
        if order.is_lt() {
            return false;
        }
        let anything = (own.major, own.minor, own.patch) == (0, 0, 0)
            && !self.minor_dirty
            && !self.patch_dirty;
        anything || version.major == own.major && (self.minor_dirty || version.minor == own.minor)
    }

    fn differs(&self, version: &Version, order: Ordering) -> bool {
        let own = &self.version;
        if !self.dirty {
            return order.is_ne();
        }
        if own.major != version.major {
            return true;
        }
        if self.minor_dirty {
            return false;
        }
        if own.minor != version.minor {
            return true;
        }
        if !self.patch_dirty {
            return own.patch != version.patch || order.is_ne();
        }
        compare_pre(&version.pre, &own.pre).is_ne()
    }

    fn greater(&self, version: &Version, order: Ordering) -> bool {
        let own = &self.version;
        if !self.dirty || version.major != own.major {
            return if self.dirty { version.major > own.major } else { order.is_gt() };
        }
        if self.minor_dirty {
            return false;
        }
        if self.patch_dirty { version.minor > own.minor } else { order.is_gt() }
    }

    fn less_or_equal(&self, version: &Version, order: Ordering) -> bool {
        let own = &self.version;
        if !self.dirty {
            return order.is_le();
        }
        version.major <= own.major
            && (version.major != own.major || version.minor <= own.minor || self.minor_dirty)
    }

    fn caret(&self, version: &Version, order: Ordering) -> bool {
        let own = &self.version;
        if order.is_lt() || version.major != own.major {
            return false;
        }
        if own.major > 0 || self.minor_dirty {
            return true;
        }
        if version.minor != own.minor {
            return false;
        }
        own.minor > 0 || self.patch_dirty || own.patch == version.patch
    }
}
