use super::{as_it_stands, set_parameters};

#[test]
fn a_flag_of_settings_is_cut_at_the_commas_that_end_a_value() {
    let flags = ["a=1,b.c={x,y},d=p\\,q".to_owned(), "e=".to_owned()];
    let found = set_parameters(&flags, false).expect("they have values");
    let found: Vec<(&str, &str)> =
        found.iter().map(|one| (one.name.as_str(), one.value.as_str())).collect();
    assert_eq!(found, [("a", "1"), ("b.c", "{x,y}"), ("d", "p\\,q"), ("e", "")]);
    assert!(set_parameters(&["a".to_owned()], false).is_err());
}

#[test]
fn a_files_text_has_no_meaning_to_the_flag() {
    assert_eq!(as_it_stands("{a, b\\"), "\\{a\\, b\\\\");
}
