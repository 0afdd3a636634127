use serde_json::{Value, json};

use crate::{JsonText, json_text_of};

#[test]
fn a_text_is_escaped_as_serde_escapes_it() {
    let all: String = (0..0x180).filter_map(char::from_u32).collect();
    let mut text = JsonText::with_capacity(0);
    text.string(&all);
    assert_eq!(text.as_str(), serde_json::to_string(&all).expect("values print"));
}

#[test]
fn an_escape_is_found_wherever_it_stands() {
    for length in 1..20 {
        for at in 0..length {
            for char in ['"', '\\', '\n', '\u{1f}', ' ', '!', '#', '[', ']', '\u{7f}'] {
                let mut of = "a".repeat(length);
                of.replace_range(at..=at, char.encode_utf8(&mut [0; 4]));
                let mut text = JsonText::with_capacity(0);
                text.string(&of);
                assert_eq!(text.as_str(), serde_json::to_string(&of).expect("texts print"));
            }
        }
    }
}

#[test]
fn parts_are_indented_as_in_a_list() {
    let value = json!({"a": [1, {}, []], "b": {"c": "x"}, "d": {}});
    let mut text = JsonText::with_capacity(0);
    write(&value, &mut text);
    assert_eq!(text.as_str(), json_text_of(&value));
    assert!(text.as_str().starts_with("{\n    \"a\": [\n      1,\n"));
}

fn write(value: &Value, text: &mut JsonText) {
    match value {
        Value::Object(fields) => {
            text.enter();
            for (at, (key, value)) in fields.iter().enumerate() {
                text.part(at == 0, '{');
                text.string(key);
                text.raw(": ");
                write(value, text);
            }
            text.leave(fields.is_empty(), ['{', '}']);
        }
        Value::Array(items) => {
            text.enter();
            for (at, item) in items.iter().enumerate() {
                text.part(at == 0, '[');
                write(item, text);
            }
            text.leave(items.is_empty(), ['[', ']']);
        }
        value => text.scalar(value),
    }
}
