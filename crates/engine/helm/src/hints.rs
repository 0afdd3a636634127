//! What to do about the mistakes that charts make again and again.

/// For a template that does not parse.
pub(crate) fn for_parsing(message: &str) -> Option<String> {
    if message.starts_with("function ") && message.ends_with(" not defined") {
        return Some(
            "Helm's templates know Sprig's functions (but env and expandenv) and Helm's own; look for a slip of the pen".to_owned(),
        );
    }
    if message.contains("unexpected EOF") {
        return Some("an `if`, `range`, `with`, `define` or `block` has no `end`".to_owned());
    }
    if message.contains("unexpected {{end}}") {
        return Some("there is one `end` too many".to_owned());
    }
    if message.contains("undefined variable") {
        return Some(
            "a variable lives up to the `end` of the block in which `:=` made it, and never in another template".to_owned(),
        );
    }
    None
}

/// For a template that fails while it is executed; `node` is what was executed.
pub(crate) fn for_execution(message: &str, node: &str) -> Option<String> {
    // The chart says itself what is wrong.
    if message.contains("HELM_ERR_START") {
        return None;
    }
    let value =
        values_path(node).map_or("the value".to_owned(), |path| format!("`.Values.{path}`"));
    let hint = if message.contains("incompatible types for comparison") {
        if message.contains("float64") {
            format!(
                "numbers of values files are float64, numbers of templates int: compare `int {value}`"
            )
        } else {
            "both sides of a comparison need one type: turn one with `toString` or `int`".to_owned()
        }
    } else if message.contains("nil pointer evaluating") {
        let field = message.rsplit('.').next().unwrap_or("");
        format!(
            "what stands before `.{field}` is not set: set it, or guard it with `with`, `dig` or `default dict`"
        )
    } else if message.contains("range can't iterate over") {
        format!("{value} is no list or map; to count, use `until (int …)`")
    } else if message.contains("wrong type for value; expected string") {
        format!("a text is wanted: set {value}, quote it in the values file, or use `toString`")
    } else if message.contains("wrong type for value; expected map") {
        format!("a map is wanted: look at how {value} is indented in the values file")
    } else if message.contains("can't evaluate field") {
        "what stands before the last dot is no map: look at what `.` is inside `range` and `with`, and use `$` for the outermost".to_owned()
    } else if message.contains("nested reference name") {
        "a template includes itself without end".to_owned()
    } else if message.contains("no template ") {
        "no file of the chart or of its subcharts defines it: fetch the dependencies, or correct the name".to_owned()
    } else if message.contains("index of untyped nil") {
        format!("{value} is not set: set it, or guard it with `with`")
    } else {
        return None;
    };
    Some(hint)
}

/// The first `.Values.…` in a text: `a.b` of `.Values.a.b`.
pub(crate) fn values_path(text: &str) -> Option<&str> {
    let start = text.find(".Values.")? + ".Values.".len();
    let rest = &text[start..];
    let end = rest
        .find(|char: char| !(char.is_alphanumeric() || matches!(char, '_' | '.')))
        .unwrap_or(rest.len());
    let path = rest[..end].trim_end_matches('.');
    (!path.is_empty()).then_some(path)
}
