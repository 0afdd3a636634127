//! `--set` and its kin.

use goval::Value;
use serde_json::json;

use super::support::{json, values};
use crate::strvals::{Values, parse_into};

fn set(line: &str) -> Result<serde_json::Value, String> {
    set_over(line, json!({}))
}

fn set_over(line: &str, over: serde_json::Value) -> Result<serde_json::Value, String> {
    let into = values(over);
    parse_into(line, &Values::Typed, &into)?;
    Ok(json(&into))
}

#[test]
fn values_are_typed() {
    for (line, expected) in [
        ("a=1", json!({"a": "int 1"})),
        ("a=-5,b=+7", json!({"a": "int -5", "b": "int 7"})),
        ("a=0,b=00,c=01,d=0x1", json!({"a": "int 0", "b": "00", "c": "01", "d": "0x1"})),
        ("a=TRUE,b=False,c=null,d=NULL", json!({"a": true, "b": false, "c": null, "d": null})),
        (
            "a=1.5,b=1e3,c=9223372036854775808",
            json!({"a": "1.5", "b": "1e3", "c": "9223372036854775808"}),
        ),
        ("a=", json!({"a": ""})),
        ("a={1,x,}", json!({"a": ["int 1", "x", ""]})),
        ("a={},b=1", json!({"a": [""], "b": "int 1"})),
        (r"a=x\,y,b\.c=1", json!({"a": "x,y", "b.c": "int 1"})),
        (r"a=c:\\temp", json!({"a": r"c:\temp"})),
        ("a b=c d", json!({"a b": "c d"})),
        ("=x", json!({})),
        ("", json!({})),
    ] {
        assert_eq!(set(line), Ok(expected), "{line}");
    }
}

#[test]
fn names_and_indices_lead_inside() {
    for (line, expected) in [
        ("a.b.c=1,a.d=2", json!({"a": {"b": {"c": "int 1"}, "d": "int 2"}})),
        ("a[1]=x", json!({"a": [null, "x"]})),
        ("a[0].b=1,a[1].b=2", json!({"a": [{"b": "int 1"}, {"b": "int 2"}]})),
        ("a[0][1]=x", json!({"a": [[null, "x"]]})),
        ("a[0]={x,y},b=1", json!({"a": [["x", "y"]], "b": "int 1"})),
        ("a[0]=", json!({"a": [""]})),
        ("a[0", json!({})),
    ] {
        assert_eq!(set(line), Ok(expected), "{line}");
    }
    let over =
        set_over("list[1].x=2,map.b=null", json!({"list": ["keep", {"x": 1}], "map": {"a": 1}}));
    assert_eq!(over, Ok(json!({"list": ["keep", {"x": "int 2"}], "map": {"a": 1.0, "b": null}})));
}

#[test]
fn mistakes_are_told_in_helms_words() {
    let deep = "a.".repeat(31) + "x=1";
    for (line, words) in [
        ("a", r#"key "a" has no value"#),
        ("a,b=1", r#"key "a" has no value (cannot end with ,)"#),
        ("a.b", r#"key "b" has no value"#),
        ("a.=1", r#"key map "a" has no value"#),
        ("a={1", "list must terminate with '}'"),
        ("a[x]=1", r#"error parsing index: strconv.Atoi: parsing "x": invalid syntax"#),
        ("a[-1]=1", "negative -1 index not allowed"),
        ("a[65537]=1", "index of 65537 is greater than maximum supported index of 65536"),
        ("a[0]b=1", "unexpected data at end of array index: ['b']"),
        ("a[0]:'\n", r"unexpected data at end of array index: [':' '\'' '\n']"),
        (
            "a=1,a.b=2",
            "unable to parse key: interface conversion: interface {} is int64, not map[string]interface {}",
        ),
        (
            "a.b=1,a[0]=2",
            "unable to parse key: interface conversion: interface {} is map[string]interface {}, not []interface {}",
        ),
        (
            deep.as_str(),
            "value name nested level is greater than maximum supported nested level of 30",
        ),
    ] {
        assert_eq!(set(line), Err(words.to_owned()), "{line}");
    }
}

#[test]
fn texts_and_files_stay_text() {
    let into = values(json!({}));
    parse_into("a=1,b={true,x}", &Values::Text, &into).unwrap();
    let read = |path: &str| match path {
        "there" => Ok(Value::from("content, with = signs")),
        other => Err(format!("open {other}: no such file or directory")),
    };
    parse_into("c.d=there", &Values::Files(&read), &into).unwrap();
    assert_eq!(
        json(&into),
        json!({"a": "1", "b": ["true", "x"], "c": {"d": "content, with = signs"}})
    );
    let missing = parse_into("c=gone", &Values::Files(&read), &into);
    assert_eq!(missing, Err("open gone: no such file or directory".to_owned()));
}
