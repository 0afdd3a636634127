//! Streams.

use crate::split;

fn chunks(stream: &str) -> Vec<Result<(String, u32), String>> {
    split(stream.as_bytes())
        .map(|chunk| {
            chunk
                .map(|chunk| (String::from_utf8_lossy(&chunk.bytes).into_owned(), chunk.line))
                .map_err(|error| error.to_string())
        })
        .collect()
}

fn ok(text: &str, line: u32) -> Result<(String, u32), String> {
    Ok((text.to_owned(), line))
}

#[test]
fn a_line_of_dashes_ends_a_document_and_begins_the_next() {
    assert_eq!(chunks("a: 1\n---\nb: 2"), [ok("a: 1\n", 1), ok("b: 2\n", 3)]);
    assert_eq!(chunks("--- # c\na: 1\n"), [ok("--- # c\na: 1\n", 1)]);
    assert_eq!(chunks(""), []);
}

#[test]
fn other_text_behind_the_dashes_is_refused() {
    assert_eq!(
        chunks("a: 1\n---\nb: 2\n--- c: 3\nd: 4\n"),
        [ok("a: 1\n", 1), Err("invalid Yaml document separator: c: 3".to_owned())]
    );
}
