//! Looking for bytes in texts that are mostly short, or full of what is looked for.
//!
//! Blocks of bytes are looked at together, in a way that compilers turn into a processor's wide
//! instructions; nothing asks at run time which ones there are.

/// Bytes that are looked at together.
const BLOCK: usize = 16;

/// Where the first byte is that `is` it.
#[inline]
pub fn find_where(text: &[u8], is: impl Fn(u8) -> bool + Copy) -> Option<usize> {
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let without = blocks.iter().take_while(|block| !any(block, is)).count() * BLOCK;
    // The last bytes together with some before them, where there are some.
    if without + rest.len() == text.len()
        && let Some(last) = text.last_chunk()
        && !any(last, is)
    {
        return None;
    }
    let found = text[without..].iter().position(|byte| is(*byte))?;
    Some(without + found)
}

/// Where one of a few bytes is for the first time.
#[inline]
pub fn find_any<const N: usize>(wanted: [u8; N], text: &[u8]) -> Option<usize> {
    // Each byte for itself: of several in one question compilers make no wide instructions.
    let has = |block: &[u8; BLOCK]| {
        wanted.iter().fold(false, |has, byte| has | any(block, |other| other == *byte))
    };
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let without = blocks.iter().take_while(|block| !has(block)).count() * BLOCK;
    // The last bytes together with some before them, where there are some.
    if without + rest.len() == text.len()
        && let Some(last) = text.last_chunk()
        && !has(last)
    {
        return None;
    }
    let found = text[without..].iter().position(|byte| wanted.contains(byte))?;
    Some(without + found)
}

/// Where the byte is for the first time.
#[inline(always)]
pub fn find_byte(byte: u8, text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xFF;
    let (blocks, _) = text.as_chunks::<BLOCK>();
    let mut at =
        blocks.iter().take_while(|block| !any(block, |other| other == byte)).count() * BLOCK;
    while let Some(word) = text[at..].first_chunk() {
        // What is subtracted runs over into the next byte only behind a byte that was found.
        let others = u64::from_le_bytes(*word) ^ (ONES * u64::from(byte));
        let found = others.wrapping_sub(ONES) & !others & (ONES << 7);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += word.len();
    }
    text[at..].iter().position(|other| *other == byte).map(|found| at + found)
}

/// How often the byte is there.
pub fn count_byte(byte: u8, text: &[u8]) -> usize {
    /// A byte holds what so many others count; compilers add up sixteen of them at once.
    const PART: usize = 240;
    let count = |part: &[u8]| part.iter().map(|other| u8::from(*other == byte)).sum::<u8>();
    text.chunks(PART).map(|part| usize::from(count(part))).sum()
}

/// Where a line break stands with three dashes behind it.
pub fn find_dashes(text: &[u8]) -> Option<usize> {
    const DASHES: &[u8] = b"---";
    let mut from = 0;
    loop {
        let at = from + find_byte(b'-', &text[from..])?;
        let is_begin = at.checked_sub(1).is_some_and(|before| text[before] == b'\n');
        if is_begin && text[at..].starts_with(DASHES) {
            return Some(at - 1);
        }
        from = at + 1;
    }
}

#[inline]
fn any(block: &[u8; BLOCK], is: impl Fn(u8) -> bool) -> bool {
    block.iter().fold(0, |any, byte| any | u8::from(is(*byte))) != 0
}

#[cfg(test)]
mod tests;
