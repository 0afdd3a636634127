//! What is said of texts that are no TOML; the words are the real Helm's.

fn complaint(text: &str) -> String {
    match crate::toml::read(text.as_bytes()) {
        Ok(_) => "reads".to_owned(),
        Err(said) => said,
    }
}

#[test]
fn a_text_that_is_no_toml_is_told_its_line_its_key_and_what_was_expected() {
    for (text, words) in [
        ("a", "toml: line 1: unexpected EOF; expected key separator '='"),
        ("a\n", "toml: line 1: expected '.' or '=', but got '\\n' instead"),
        ("a: 1", "toml: line 1: expected '.' or '=', but got ':' instead"),
        ("= 1", "toml: line 1: unexpected '=': key name appears blank"),
        ("a =\n", "toml: line 1 (last key \"a\"): expected value but found '\\n' instead"),
        ("a = yes", "toml: line 1 (last key \"a\"): expected value but found \"yes\" instead"),
        ("a = int", "toml: line 1 (last key \"a\"): expected value but found \"nt\" instead"),
        ("a = 1\na = 2", "toml: line 2 (last key \"a\"): Key 'a' has already been defined."),
        ("[t]\nb = 'x", "toml: line 2 (last key \"t.b\"): unexpected EOF; expected \"'\""),
        ("a = \"x\n\"", "toml: line 1 (last key \"a\"): strings cannot contain newlines"),
        ("a = \"\\q\"", "toml: line 1 (last key \"a\"): invalid escape in string '\\q'"),
        (
            "a = 007",
            "toml: line 1 (last key \"a\"): Invalid integer \"007\": cannot have leading zeroes",
        ),
        ("a = 2020-13-01", "toml: line 1 (last key \"a\"): invalid datetime: \"2020-13-01\""),
        (
            "a = 1\0",
            "toml: line 1: files cannot contain NULL bytes; probably using UTF-16; TOML files must be UTF-8",
        ),
        (
            "a = 1 b",
            "toml: line 1: expected a top-level item to end with a newline, comment, or EOF, but got 'b' instead",
        ),
        (
            "a = [1 2]",
            "toml: line 1 (last key \"a\"): expected a comma (',') or array terminator (']'), but got '2'",
        ),
        (
            "a = {b = 1",
            "toml: line 1 (last key \"a.b\"): expected a comma or an inline table terminator '}', but got end of file instead",
        ),
        ("[", "toml: line 1: unexpected end of table name (table names cannot be empty)"),
        ("[a b]", "toml: line 1: expected '.' or ']' to end table name, but got 'b' instead"),
    ] {
        assert_eq!(complaint(text), words, "{text:?}");
    }
}
