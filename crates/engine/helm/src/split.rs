//! A rendered file to its documents, as Helm cuts it.

use crate::profile::Profile;

/// The documents of a file, in order; what holds nothing but white space is none.
pub(crate) fn split(text: &[u8], profile: Profile) -> Vec<&[u8]> {
    match profile {
        Profile::V3 => by_breaks(text),
        Profile::V4 => by_lines(text),
    }
}

/// Cuts at every line that begins with `---`, whatever follows there, and keeps the white space
/// behind a document.
fn by_lines(text: &[u8]) -> Vec<&[u8]> {
    let text = trim_start(text);
    let mut documents = Vec::new();
    let mut begin = 0;
    let mut found = text.starts_with(b"---").then_some(0);
    loop {
        if let Some(line) = found {
            push(&mut documents, &text[begin..line], Side::Start);
            begin = line + 3;
            while matches!(text.get(begin), Some(b' ' | b'\t')) {
                begin += 1;
            }
        }
        found = goval::scan::find_dashes(&text[begin..]).map(|at| begin + at + 1);
        if found.is_none() {
            break;
        }
    }
    push(&mut documents, &text[begin..], Side::Start);
    documents
}

/// Cuts at `---` at the beginning or behind a line break, with all white space around it.
fn by_breaks(text: &[u8]) -> Vec<&[u8]> {
    let is_space = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0C');
    let text = trim_end(trim_start(text));
    let mut documents = Vec::new();
    let mut begin = 0;
    let mut at = 0;
    while let Some(found) = find(&text[at..], b"---") {
        let found = at + found;
        let behind_break = found > begin && text[found - 1] == b'\n';
        if found != 0 && !behind_break {
            at = found + 1;
            continue;
        }
        let mut end = found;
        while end > begin && is_space(text[end - 1]) {
            end -= 1;
        }
        push(&mut documents, &text[begin..end], Side::Both);
        begin = found + 3;
        while text.get(begin).is_some_and(|byte| is_space(*byte)) {
            begin += 1;
        }
        at = begin;
    }
    push(&mut documents, &text[begin..], Side::Both);
    documents
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Start,
    Both,
}

fn push<'a>(documents: &mut Vec<&'a [u8]>, document: &'a [u8], side: Side) {
    let document = trim_start(document);
    let document = if side == Side::Both { trim_end(document) } else { document };
    if !document.is_empty() {
        documents.push(document);
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// Without Unicode's white space at the beginning.
pub(crate) fn trim_start(text: &[u8]) -> &[u8] {
    let mut rest = text;
    loop {
        match rest {
            [b' ' | b'\t'..=b'\r', after @ ..] => rest = after,
            [first, ..] if *first >= 0x80 => {
                let Some(char) = first_char(rest).filter(|char| char.is_whitespace()) else {
                    return rest;
                };
                rest = &rest[char.len_utf8()..];
            }
            _ => return rest,
        }
    }
}

/// Without Unicode's white space at the end.
pub(crate) fn trim_end(text: &[u8]) -> &[u8] {
    let mut rest = text;
    loop {
        match rest {
            [before @ .., b' ' | b'\t'..=b'\r'] => rest = before,
            [.., last] if *last >= 0x80 => {
                let start = (rest.len().saturating_sub(4)..rest.len())
                    .rev()
                    .find(|at| rest[*at] & 0xC0 != 0x80);
                let char = start.and_then(|start| Some((start, first_char(&rest[start..])?)));
                match char {
                    Some((start, char)) if char.is_whitespace() => rest = &rest[..start],
                    _ => return rest,
                }
            }
            _ => return rest,
        }
    }
}

fn first_char(bytes: &[u8]) -> Option<char> {
    let head = &bytes[..bytes.len().min(4)];
    head.utf8_chunks().next()?.valid().chars().next()
}
