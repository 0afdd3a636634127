use crate::{Value, append_value, print_value, sprint, sprintf, sprintln};

use super::data::{bytes, for_each_row, plenty, same, value};

#[test]
fn sprintf_prints_as_go() {
    for_each_row(include_str!("../../tests/data/sprintf.json"), |row| {
        let args: Vec<Value> = row[1].as_array().unwrap().iter().map(value).collect();
        let got = sprintf(&bytes(&row[0]), &args, &mut plenty()).unwrap();
        same(got.to_text().into_owned(), crate::Str::from(bytes(&row[2])).to_text().into_owned())
    });
}

#[test]
fn sprint_puts_a_space_only_between_two_that_are_no_strings() {
    for_each_row(include_str!("../../tests/data/sprint.json"), |row| {
        let args: Vec<Value> = row[0].as_array().unwrap().iter().map(value).collect();
        same(sprint(&args, &mut plenty()).unwrap().as_bytes(), &bytes(&row[1]))?;
        same(sprintln(&args, &mut plenty()).unwrap().as_bytes(), &bytes(&row[2]))
    });
}

#[test]
fn a_value_is_appended_as_it_is_printed_alone() {
    for_each_row(include_str!("../../tests/data/sprint.json"), |row| {
        for arg in row[0].as_array().unwrap().iter().map(value) {
            let mut out = b"before".to_vec();
            append_value(&mut out, &arg, &mut plenty()).unwrap();
            let alone = sprint(std::slice::from_ref(&arg), &mut plenty()).unwrap();
            same(&out[6..], alone.as_bytes())?;
            same(print_value(&arg), alone)?;
        }
        Ok(())
    });
}
