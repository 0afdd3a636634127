use crate::json::{Numbers, Style, read, write};
use crate::{deep_equal, from_json, to_json};

use super::data::{bytes, for_each_row, plenty, same, value};

#[test]
fn json_is_written_as_go_writes_it() {
    for_each_row(include_str!("../../tests/data/json_write.json"), |row| {
        let value = value(&row[0]);
        let quoted = Style { escape_html: true, indent: Some("\t"), prefix: "> " };
        for (style, expected) in [
            (Style::COMPACT, &row[1]),
            (Style::RAW, &row[2]),
            (Style::PRETTY, &row[3]),
            (quoted, &row[4]),
        ] {
            let got =
                write(&value, &style, &mut plenty()).map(|text| String::from_utf8(text).unwrap());
            match row[5].as_str() {
                Some(error) => same(got, Err(error.to_owned()))?,
                None => same(got, Ok(expected.as_str().unwrap().to_owned()))?,
            }
        }
        Ok(())
    });
}

#[test]
fn json_is_read_as_go_reads_it() {
    for_each_row(include_str!("../../tests/data/json_read.json"), |row| {
        let got = read(&bytes(&row[0]), Numbers::Float64, &mut plenty());
        match (got, row[2].as_str()) {
            (Err(error), expected) => same(Some(error.as_str()), expected),
            (Ok(_), Some(expected)) => Err(format!("no error, not {expected}")),
            (Ok(_), None) if row[1] == "ok" => Ok(()),
            (Ok(got), None) if deep_equal(&got, &value(&row[1])) => Ok(()),
            (Ok(got), None) => Err(format!("got {}", crate::print_value(&got))),
        }
    });
}

#[test]
fn whole_numbers_are_integers_where_asked_for() {
    let json =
        serde_json::json!({"whole": 3, "part": 1.5, "large": 12_345_678_901_234_567_890_u64});
    let read = from_json(&json, Numbers::Int64);
    assert_eq!(
        crate::print_value(&read).to_text(),
        "map[large:1.2345678901234567e+19 part:1.5 whole:3]"
    );
    assert_eq!(from_json(&json, Numbers::Float64).type_name(), "map[string]interface {}");
    let text = r#"{"large":12345678901234567000,"part":1.5,"whole":3}"#;
    assert_eq!(write(&read, &Style::COMPACT, &mut plenty()).unwrap(), text.as_bytes());
    let back = to_json(&read).unwrap();
    assert_eq!(back["whole"], 3);
    assert_eq!(to_json(&crate::Value::Float(1e15)).unwrap().to_string(), "1000000000000000");
}
