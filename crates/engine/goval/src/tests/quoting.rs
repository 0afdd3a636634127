use crate::{quote_bytes, quote_to_ascii, unquote};

use super::data::{bytes, for_each_row, same};

#[test]
fn a_quoted_string_escapes_as_go_does() {
    for_each_row(include_str!("../../tests/data/quote.json"), |row| {
        let text = bytes(&row[0]);
        same(quote_bytes(&text).as_str(), row[1].as_str().unwrap())?;
        same(quote_to_ascii(&text).as_str(), row[2].as_str().unwrap())
    });
}

#[test]
fn a_literal_is_unquoted_as_go_does() {
    for_each_row(include_str!("../../tests/data/unquote.json"), |row| {
        let expected = if row[1].is_null() { None } else { Some(bytes(&row[1])) };
        same(unquote(&bytes(&row[0])), expected)
    });
}
