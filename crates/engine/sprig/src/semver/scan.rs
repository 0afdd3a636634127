//! The shape of a version in a text.

/// A version's parts as they are written; `x` and `*` may stand for a number in a constraint.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scanned<'a> {
    /// All of it.
    pub(super) whole: &'a str,
    pub(super) major: &'a str,
    pub(super) minor: &'a str,
    pub(super) patch: &'a str,
    /// Without its `-`.
    pub(super) pre: &'a str,
    /// Without its `+`.
    pub(super) metadata: &'a str,
}

/// Reads a version at the beginning of a text, as far as it goes.
pub(super) fn version(text: &str, is_digit: impl Fn(u8) -> bool) -> Option<Scanned<'_>> {
    let bytes = text.as_bytes();
    let number = |at: usize| bytes[at..].iter().take_while(|byte| is_digit(**byte)).count();
    let mut at = usize::from(bytes.first() == Some(&b'v'));
    let mut scanned = Scanned::default();
    let mut parts = [""; 3];
    for (index, part) in parts.iter_mut().enumerate() {
        let start = if index == 0 {
            at
        } else if bytes.get(at) == Some(&b'.') {
            at + 1
        } else {
            break;
        };
        let digits = number(start);
        if digits == 0 {
            break;
        }
        *part = &text[start..start + digits];
        at = start + digits;
    }
    [scanned.major, scanned.minor, scanned.patch] = parts;
    if scanned.major.is_empty() {
        return None;
    }
    if let Some(identifiers) = identifiers(text, at, b'-') {
        scanned.pre = identifiers;
        at += 1 + identifiers.len();
    }
    if let Some(identifiers) = identifiers(text, at, b'+') {
        scanned.metadata = identifiers;
        at += 1 + identifiers.len();
    }
    scanned.whole = &text[..at];
    Some(scanned)
}

/// Dotted words behind a sign.
fn identifiers(text: &str, at: usize, sign: u8) -> Option<&str> {
    let bytes = text.as_bytes();
    if bytes.get(at) != Some(&sign) {
        return None;
    }
    let word = |at: usize| {
        let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'-';
        bytes[at..].iter().take_while(is_word).count()
    };
    let start = at + 1;
    let mut end = start + word(start);
    if end == start {
        return None;
    }
    while bytes.get(end) == Some(&b'.') {
        let more = word(end + 1);
        if more == 0 {
            break;
        }
        end += 1 + more;
    }
    Some(&text[start..end])
}
