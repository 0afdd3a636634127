use crate::json::{Style, write};
use crate::{Budget, List, ListType, Map, Value, deep_copy, deep_equal, dismantle, sprint};

use super::data::plenty;

fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::Nil, |inner, _| Value::list(vec![inner]))
}

#[test]
fn a_million_levels_are_freed_without_a_million_calls() {
    drop(nested(1_000_000));
    let mut inner = Value::Map(Map::new());
    for _ in 0..1_000_000 {
        let map = Map::new();
        map.insert("k".into(), inner);
        inner = Value::Map(map);
    }
    drop(inner);
}

#[test]
fn what_nests_without_end_is_refused_where_it_would_be_walked() {
    let map = Map::new();
    map.insert("self".into(), Value::Map(map.clone()));
    let endless = Value::Map(map);
    assert!(sprint(std::slice::from_ref(&endless), &mut plenty()).is_err());
    assert_eq!(
        write(&endless, &Style::COMPACT, &mut plenty()).unwrap_err(),
        "json: unsupported value: encountered a cycle via map[string]interface {}"
    );
    assert!(deep_copy(&endless, &mut plenty()).is_err());
    assert!(deep_equal(&endless, &endless));
    dismantle(endless);
}

#[test]
fn a_text_that_doubles_at_each_level_ends_with_the_budget() {
    let doubled = (0..60).fold(Value::str("x"), |inner, _| Value::list(vec![inner.clone(), inner]));
    let mut budget = Budget { fuel: 0, bytes: 100_000 };
    assert!(sprint(std::slice::from_ref(&doubled), &mut budget).is_err());
    assert!(write(&doubled, &Style::COMPACT, &mut Budget { fuel: 0, bytes: 100_000 }).is_err());
    assert!(deep_copy(&doubled, &mut Budget { fuel: 1000, bytes: 1 << 40 }).is_err());
    let other = (0..60).fold(Value::str("x"), |inner, _| Value::list(vec![inner.clone(), inner]));
    assert!(deep_equal(&doubled, &other));
}

#[test]
fn a_copy_shares_no_map_with_what_it_was_made_of() {
    let inner = Map::new();
    let outer = Map::new();
    outer.insert("one".into(), Value::Map(inner.clone()));
    outer.insert("two".into(), Value::list(vec![Value::Map(inner.clone())]));
    let copy = deep_copy(&Value::Map(outer.clone()), &mut plenty()).unwrap();
    inner.insert("k".into(), Value::int(1));
    assert_eq!(crate::print_value(&copy).to_text(), "map[one:map[] two:[map[]]]");
    assert_eq!(
        crate::print_value(&Value::Map(outer)).to_text(),
        "map[one:map[k:1] two:[map[k:1]]]"
    );
}

#[test]
fn equal_values_have_equal_types() {
    let same = |left: Value, right: Value| deep_equal(&left, &right);
    assert!(same(Value::int(1), Value::int(1)));
    assert!(!same(Value::int(1), Value::int64(1)));
    assert!(!same(Value::int(1), Value::Float(1.0)));
    assert!(!same(Value::Float(f64::NAN), Value::Float(f64::NAN)));
    assert!(!same(Value::List(List::nil(ListType::Any)), Value::list(Vec::new())));
    assert!(!same(
        Value::List(List::typed(ListType::String, vec![Value::str("a")])),
        Value::list(vec![Value::str("a")])
    ));
    assert!(same(Value::list(vec![Value::str("a")]), Value::list(vec![Value::str("a")])));
}
