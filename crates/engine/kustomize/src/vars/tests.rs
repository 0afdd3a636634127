//! What `$(NAME)` becomes; whole builds are in `tests/data/builds`.

use super::*;

fn expanded(text: &str) -> VarValue {
    expand(text, &mut |name| match name {
        "A" => Some(VarValue::Text("a".to_owned())),
        "N" => Some(VarValue::Int(7)),
        "F" => Some(VarValue::Float(1e6)),
        "B" => Some(VarValue::Bool(true)),
        _ => None,
    })
}

#[test]
fn a_variable_alone_keeps_its_type() {
    assert_eq!(expanded("$(N)"), VarValue::Int(7));
    assert_eq!(expanded("$(B)"), VarValue::Bool(true));
    assert_eq!(expanded("$(A)"), VarValue::Text("a".to_owned()));
}

#[test]
fn among_other_text_it_is_text() {
    for (text, want) in [
        ("x$(N)y", "x7y"),
        ("$(A)$(B)", "atrue"),
        ("$(F)!", "1e+06!"),
        ("$$(A)", "$(A)"),
        ("$(NONE)", "$(NONE)"),
        ("$(A", "$(A"),
        ("$A", "$A"),
        ("$", "$"),
        ("a$", "a$"),
        ("$()", "$()"),
        ("$$$(A)", "$a"),
        ("é$(A)é", "éaé"),
    ] {
        assert_eq!(expanded(text), VarValue::Text(want.to_owned()), "{text}");
    }
}

#[test]
fn an_index_behind_a_name_is_a_part_of_its_own() {
    let split = |text: &str| split_index(text.to_owned());
    assert_eq!(split("ports[0]"), ["ports", "0"]);
    assert_eq!(split("[2]"), ["2"]);
    assert_eq!(split("a[b]"), ["a[b]"]);
    assert_eq!(split("plain"), ["plain"]);
}
