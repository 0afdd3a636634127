//! Quantities against what upstream's library made of the same texts (`tests/data`).

use serde_json::Value;

use crate::quantity::Quantity;

#[test]
fn quantities_are_read_written_and_counted_as_upstream_does() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../../tests/data/quantities.json")).expect("JSON");
    let mut previous = Quantity::parse("1").expect("a quantity");
    let mut failures = Vec::new();
    for case in &cases {
        let input = case["in"].as_str().expect("an input");
        let mut check = |what: &str, ours: String| {
            let theirs = match &case[what] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            if ours != theirs {
                failures.push(format!("{input:?} {what}: {ours}, there {theirs}"));
            }
        };
        let read = match Quantity::parse(input) {
            Ok(read) => read,
            Err(error) => {
                check("error", error.to_string());
                continue;
            }
        };
        check("error", "null".to_owned());
        check("out", read.to_string());
        let again = Quantity::parse(&read.to_string()).map(|q| q.to_string());
        check("again", again.unwrap_or_else(|error| format!("!{error}")));
        let mut rounded = read.clone();
        rounded.round_up_to_milli();
        check("roundedToMilli", rounded.to_string());
        check("canonical", read.canonical());
        // Beyond 64 bits, and below zero with a fraction, upstream's own count goes astray.
        if read.sign() >= 0 && read.value() < i64::MAX {
            check("value", read.value().to_string());
        }
        if read.sign() >= 0 && read.milli_value() < i64::MAX {
            check("milliValue", read.milli_value().to_string());
        }
        let mut sum = read.clone();
        sum.add(&previous);
        check("plusPrevious", sum.to_string());
        let mut difference = read.clone();
        difference.sub(&previous);
        check("minusPrevious", difference.to_string());
        check("againstPrevious", (read.cmp(&previous) as i32).to_string());
        previous = read;
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(cases.len() > 400);
}
