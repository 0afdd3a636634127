//! Text that many nodes share.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A piece of a document's text, or text of its own; a clone shares it.
#[derive(Clone)]
pub struct Text(Repr);

#[derive(Clone)]
enum Repr {
    Static(&'static str),
    Shared { source: Arc<str>, start: u32, end: u32 },
}

impl Text {
    /// A piece of a source that others share; it must lie between characters.
    pub fn slice(source: &Arc<str>, range: Range<u32>) -> Self {
        debug_assert!(source.get(range.start as usize..range.end as usize).is_some());
        Self(Repr::Shared { source: source.clone(), start: range.start, end: range.end })
    }

    /// A piece of this text that shares its source; it must lie between characters.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        debug_assert!(self.get(range.clone()).is_some());
        Self(match &self.0 {
            Repr::Static(text) => Repr::Static(&text[range]),
            Repr::Shared { source, start, .. } => Repr::Shared {
                source: source.clone(),
                start: start + range.start as u32,
                end: start + range.end as u32,
            },
        })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Static(text) => text,
            Repr::Shared { source, start, end } => &source[*start as usize..*end as usize],
        }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Default for Text {
    fn default() -> Self {
        Self(Repr::Static(""))
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self(Repr::Static(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        let source: Arc<str> = text.into();
        source.into()
    }
}

impl From<Arc<str>> for Text {
    fn from(source: Arc<str>) -> Self {
        let end = u32::try_from(source.len()).expect("a document has less than 4 GiB");
        Self(Repr::Shared { source, start: 0, end })
    }
}

impl From<&Text> for Text {
    fn from(text: &Text) -> Self {
        text.clone()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        &**self == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl std::borrow::Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}
