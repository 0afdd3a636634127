//! One version.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt;

use goval::{Kind, Object, Signature, Type, UintType, Value};

use crate::args::named;
use crate::semver::scan;

const VERSION_BYTES_MAX: usize = 256;
const INVALID: &str = "invalid semantic version";
const INVALID_PRERELEASE: &str = "invalid prerelease string";
const INVALID_METADATA: &str = "invalid metadata string";
const SEGMENT_STARTS_ZERO: &str = "version segment starts with 0";

/// A version; `Display` is the canonical text (`1.2.0` of `v1.2`).
#[derive(Clone, Debug)]
pub struct Version {
    /// The first number.
    pub major: u64,
    /// The second number; 0 where it is left out.
    pub minor: u64,
    /// The third number; 0 where it is left out.
    pub patch: u64,
    /// What stands behind `-`; empty for a release.
    pub pre: String,
    /// What stands behind `+`; it orders nothing.
    pub metadata: String,
    original: String,
}

impl Version {
    /// Reads a version leniently: `1`, `v1.2` and `01.2.3` are versions, too.
    ///
    /// # Errors
    ///
    /// Upstream's, in its words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > VERSION_BYTES_MAX {
            return Err(format!("version string is too long (max {VERSION_BYTES_MAX} bytes)"));
        }
        let scanned = scan::version(text, |byte| byte.is_ascii_digit())
            .filter(|scanned| scanned.whole.len() == text.len())
            .ok_or(INVALID)?;
        let number = |digits: &str| {
            if digits.is_empty() {
                return Ok(0);
            }
            digits.parse().map_err(|_| {
                format!(
                    "error parsing version segment: strconv.ParseUint: parsing {}: \
                     value out of range",
                    goval::quote(digits)
                )
            })
        };
        let version = Self {
            major: number(scanned.major)?,
            minor: number(scanned.minor)?,
            patch: number(scanned.patch)?,
            pre: scanned.pre.to_owned(),
            metadata: scanned.metadata.to_owned(),
            original: text.to_owned(),
        };
        if !version.pre.is_empty() {
            check_pre(&version.pre)?;
        }
        Ok(version)
    }

    /// As it was written.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// Orders two versions; metadata counts for nothing.
    pub fn compare(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| match (self.pre.is_empty(), other.pre.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_pre(&self.pre, &other.pre),
            })
    }

    /// The same with other numbers, `v` kept, all behind the numbers dropped.
    fn release(&self, major: u64, minor: u64, patch: u64) -> Self {
        Self::made(self, major, minor, patch, String::new(), String::new())
    }

    fn made(&self, major: u64, minor: u64, patch: u64, pre: String, metadata: String) -> Self {
        let mut version = Self { major, minor, patch, pre, metadata, original: String::new() };
        let prefix = if self.original.starts_with('v') { "v" } else { "" };
        version.original = format!("{prefix}{version}");
        version
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.pre.is_empty() {
            write!(f, "-{}", self.pre)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

/// Orders pre-releases word by word: numbers before letters, fewer words first.
pub(super) fn compare_pre(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.split('.'), other.split('.'));
    loop {
        let (a, b) = (one.next(), other.next());
        let order = match (a, b) {
            (None, None) => return Ordering::Equal,
            (a, b) => compare_word(a.unwrap_or_default(), b.unwrap_or_default()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn compare_word(one: &str, other: &str) -> Ordering {
    if one == other {
        return Ordering::Equal;
    }
    if one.is_empty() {
        return Ordering::Less;
    }
    if other.is_empty() {
        return Ordering::Greater;
    }
    match (one.parse::<u64>(), other.parse::<u64>()) {
        (Err(_), Err(_)) => one.cmp(other),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Ok(one), Ok(other)) if one > other => Ordering::Greater,
        (Ok(_), Ok(_)) => Ordering::Less,
    }
}

fn check_pre(pre: &str) -> Result<(), String> {
    for word in pre.split('.') {
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        if word.is_empty() || !is_word(word) {
            return Err(INVALID_PRERELEASE.to_owned());
        }
        if digits && word.len() > 1 && word.starts_with('0') {
            return Err(SEGMENT_STARTS_ZERO.to_owned());
        }
    }
    Ok(())
}

fn is_word(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn other(args: &[Value]) -> Result<&Version, String> {
    crate::args::object(args, 0, "*semver.Version")
}

impl Object for Version {
    fn type_name(&self) -> &str {
        "*semver.Version"
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn has_method(&self, name: &str) -> bool {
        self.signature(name).is_some()
    }

    fn signature(&self, name: &str) -> Option<Signature> {
        let params: &'static [Type] = match name {
            "Major" | "Minor" | "Patch" | "Prerelease" | "Metadata" | "Original" | "String"
            | "IncMajor" | "IncMinor" | "IncPatch" => &[],
            "SetPrerelease" | "SetMetadata" => &[Type::String],
            "Compare" | "Equal" | "LessThan" | "LessThanEqual" | "GreaterThan"
            | "GreaterThanEqual" => &[Type::Named("*semver.Version")],
            _ => return None,
        };
        Some(Signature { params, variadic: false })
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Value, String> {
        let number = |value: u64| Ok(Value::Uint(value, UintType::Uint64));
        let next = |value: u64, which: &str| {
            let overflow = || format!("{which} version increment would overflow uint64");
            value.checked_add(1).ok_or_else(overflow)
        };
        match name {
            "Major" => number(self.major),
            "Minor" => number(self.minor),
            "Patch" => number(self.patch),
            "Prerelease" => Ok(Value::str(self.pre.as_str())),
            "Metadata" => Ok(Value::str(self.metadata.as_str())),
            "Original" => Ok(Value::str(self.original.as_str())),
            "String" => Ok(Value::str(self.to_string())),
            "IncMajor" => Ok(struct_of(self.release(next(self.major, "major")?, 0, 0))),
            "IncMinor" => Ok(struct_of(self.release(self.major, next(self.minor, "minor")?, 0))),
            "IncPatch" if !self.pre.is_empty() => {
                Ok(struct_of(self.release(self.major, self.minor, self.patch)))
            }
            "IncPatch" => {
                let patch = next(self.patch, "patch")?;
                Ok(struct_of(self.release(self.major, self.minor, patch)))
            }
            "SetPrerelease" => {
                let pre = crate::args::utf8(args, 0)?;
                if !pre.is_empty() {
                    check_pre(&pre)?;
                }
                let (major, minor, patch) = (self.major, self.minor, self.patch);
                let metadata = self.metadata.clone();
                Ok(struct_of(self.made(major, minor, patch, pre, metadata)))
            }
            "SetMetadata" => {
                let metadata = crate::args::utf8(args, 0)?;
                let words = || metadata.split('.');
                if !metadata.is_empty() && !words().all(|word| !word.is_empty() && is_word(word)) {
                    return Err(INVALID_METADATA.to_owned());
                }
                let (major, minor, patch) = (self.major, self.minor, self.patch);
                Ok(struct_of(self.made(major, minor, patch, self.pre.clone(), metadata)))
            }
            "Compare" => Ok(Value::int(self.compare(other(args)?) as i64)),
            "Equal" => Ok(Value::Bool(self.compare(other(args)?).is_eq())),
            "LessThan" => Ok(Value::Bool(self.compare(other(args)?).is_lt())),
            "LessThanEqual" => Ok(Value::Bool(self.compare(other(args)?).is_le())),
            "GreaterThan" => Ok(Value::Bool(self.compare(other(args)?).is_gt())),
            "GreaterThanEqual" => Ok(Value::Bool(self.compare(other(args)?).is_ge())),
            _ => Err(format!("no method {name}")),
        }
    }

    fn print(&self) -> String {
        self.to_string()
    }

    fn is_stringer(&self) -> bool {
        true
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::str(self.to_string()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What `IncMajor` and its like give: the struct itself, which for all uses is the same.
fn struct_of(version: Version) -> Value {
    named(version)
}
