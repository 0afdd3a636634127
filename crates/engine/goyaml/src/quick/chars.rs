//! Which characters stand in a text.

/// Bytes that are looked at together.
const BLOCK: usize = 32;

/// Whether there are tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tabs {
    None,
    Some,
}

/// Whether every character of a UTF-8 text may stand in YAML, and none ends a line but `\n`:
/// `None` where not.
pub(super) fn usual(bytes: &[u8]) -> Option<Tabs> {
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let mut tabs = Tabs::None;
    for (at, block) in blocks.iter().enumerate() {
        if !is_plain(block) {
            one_by_one(bytes, at * BLOCK..(at + 1) * BLOCK, &mut tabs)?;
        }
    }
    one_by_one(bytes, bytes.len() - rest.len()..bytes.len(), &mut tabs)?;
    Some(tabs)
}

/// Whether all bytes are printable ASCII or line breaks.
#[inline]
fn is_plain(block: &[u8; BLOCK]) -> bool {
    const PRINTABLE: u8 = b'~' - b' ';
    let odd = block.iter().fold(0, |odd, byte| {
        odd | (u8::from(byte.wrapping_sub(b' ') > PRINTABLE) & u8::from(*byte != b'\n'))
    });
    odd == 0
}

fn one_by_one(bytes: &[u8], mut places: std::ops::Range<usize>, tabs: &mut Tabs) -> Option<()> {
    places.all(|at| is_usual_at(bytes, at, tabs)).then_some(())
}

fn is_usual_at(bytes: &[u8], at: usize, tabs: &mut Tabs) -> bool {
    match bytes[at] {
        b'\n' | b' '..=b'~' => true,
        b'\t' => {
            *tabs = Tabs::Some;
            true
        }
        // Control characters, other ends of lines, byte order marks and what is no character.
        0xC2 => bytes.get(at + 1).is_some_and(|next| *next >= 0xA0),
        0xE2 => !matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xA8 | 0xA9])),
        0xEF => !matches!(bytes.get(at + 1..at + 3), Some([0xBB, 0xBF] | [0xBF, 0xBE | 0xBF])),
        0x80..=0xFF => true,
        _ => false,
    }
}
