//! Prints JSON as YAML in block style, keys sorted.

use serde_json::Value;

/// Returns one YAML document.
pub fn print(value: &Value) -> String {
    let mut text = String::new();
    block(value, 0, &mut text);
    text
}

/// Writes a value at a column; the caller has written everything before it on this line.
fn block(value: &Value, column: usize, out: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (at, (name, value)) in fields.iter().enumerate() {
                if at > 0 {
                    indent(column, out);
                }
                out.push_str(&scalar(name));
                out.push(':');
                inside(value, column + 2, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    indent(column, out);
                }
                out.push_str("- ");
                block(item, column + 2, out);
            }
        }
        leaf => {
            out.push_str(&flow(leaf));
            out.push('\n');
        }
    }
}

/// Writes what stands behind a field's colon.
fn inside(value: &Value, column: usize, out: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            out.push('\n');
            indent(column, out);
            block(value, column, out);
        }
        // Lists stand below their field's name without a further step in.
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            indent(column - 2, out);
            block(value, column - 2, out);
        }
        Value::String(text) if text.contains('\n') => literal(text, column, out),
        leaf => {
            out.push(' ');
            out.push_str(&flow(leaf));
            out.push('\n');
        }
    }
}

/// Writes a text of several lines.
fn literal(text: &str, column: usize, out: &mut String) {
    out.push_str(if text.ends_with('\n') { " |\n" } else { " |-\n" });
    for line in text.trim_end_matches('\n').lines() {
        if !line.is_empty() {
            indent(column, out);
            out.push_str(line);
        }
        out.push('\n');
    }
}

fn flow(leaf: &Value) -> String {
    match leaf {
        Value::String(text) => scalar(text),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        other => other.to_string(),
    }
}

/// A text, in quotes where a reader could take it for something else.
fn scalar(text: &str) -> String {
    let word = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '.' || c == '/')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && !text.chars().any(char::is_control);
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if word && !reserved.contains(&text.to_lowercase().as_str()) && text.parse::<f64>().is_err() {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

fn indent(column: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', column));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn words_stand_bare_and_what_could_be_something_else_in_quotes() {
        let value = json!({
            "a": {"b": [1, {"c": "x", "d": []}, ["y"]]},
            "e": "true", "f": "1", "g": "one: two", "h": "", "i": {}, "j": "two\n\nlines\n", "k": "it's `code`, 100%",
        });
        let expected = "\
a:
  b:
  - 1
  - c: x
    d: []
  - - \"y\"
e: \"true\"
f: \"1\"
g: \"one: two\"
h: \"\"
i: {}
j: |
  two

  lines
k: it's `code`, 100%
";
        assert_eq!(super::print(&value), expected);
    }
}
