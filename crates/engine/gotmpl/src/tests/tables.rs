use std::sync::Arc;

use goval::Value;
use serde_json::Value as Json;

use crate::{Functions, Parsed, TemplateSet};

use super::data::{bytes, for_each_row, value};
use super::world::{functions, run};

/// Parses the files, executes one of them, and gives its text or the error's.
fn outcome(
    functions: &Arc<Functions>,
    files: &[(String, Vec<u8>)],
    name: &str,
    data: &Value,
) -> Result<Vec<u8>, String> {
    let mut set = TemplateSet::new("gotpl");
    for (file, text) in files {
        Parsed::new(&text[..], functions)
            .and_then(|parsed| set.add(file, &parsed))
            .map_err(|error| error.text(file))?;
    }
    run(&set, name, data).map_err(|error| error.to_string())
}

fn compare(got: Result<Vec<u8>, String>, expected: &[Json]) -> Result<(), String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let expected = match expected {
        [_, error] => Err(text(&bytes(error))),
        _ => Ok(bytes(&expected[0])),
    };
    if got == expected {
        return Ok(());
    }
    let shown = |of: Result<Vec<u8>, String>| match of {
        Ok(bytes) => format!("text  {}", text(&bytes)),
        Err(error) => format!("error {error}"),
    };
    Err(format!("got {}\n   not {}", shown(got), shown(expected)))
}

fn data() -> Value {
    let table: Vec<Json> =
        serde_json::from_str(include_str!("../../tests/data/data.json")).unwrap();
    value(&table[0])
}

#[test]
fn templates_give_what_go_gives() {
    let functions = functions();
    for_each_row(include_str!("../../tests/data/templates.json"), |row| {
        let files = [("t".to_owned(), bytes(&row[0]))];
        compare(outcome(&functions, &files, "t", &data()), &row[1..])
    });
}

#[test]
fn sets_of_templates_give_what_go_gives() {
    let functions = functions();
    for_each_row(include_str!("../../tests/data/sets.json"), |row| {
        let files: Vec<(String, Vec<u8>)> = row[0]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| (file[0].as_str().unwrap().to_owned(), bytes(&file[1])))
            .collect();
        compare(outcome(&functions, &files, row[1].as_str().unwrap(), &data()), &row[2..])
    });
}
