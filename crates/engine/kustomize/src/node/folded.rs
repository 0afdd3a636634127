//! Folded text (`>`) after kustomize printed it and read it again.
//!
//! Kustomize's YAML library prints a line break in folded text twice, so that reading makes one
//! of both; but it does so too before lines that are indented deeper, where reading keeps both,
//! and nowhere in a text that begins with a blank.

/// Returns what a folded text is once it was printed and read; `None` where it stays.
pub(super) fn printed_and_read(text: &str) -> Option<String> {
    if !text.contains('\n') || !stays_folded(text) {
        return None;
    }
    let read = read(&printed(text), kept_breaks(text));
    (read != text).then_some(read)
}

/// Whether it is printed as a block at all, and with no line breaks that only YAML knows.
fn stays_folded(text: &str) -> bool {
    let special = |char: char| match char {
        '\n' | '\t' => false,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        char => char < ' ' || ('\u{7f}'..'\u{a0}').contains(&char) || char > '\u{ffff}',
    };
    !text.ends_with(' ') && !text.contains(" \n") && !text.contains(special)
}

/// How many line breaks at the end are said to count; `None` for all.
fn kept_breaks(text: &str) -> Option<usize> {
    match text.strip_suffix('\n') {
        None => Some(0),
        Some("") => None,
        Some(body) if body.ends_with('\n') => None,
        Some(_) => Some(1),
    }
}

/// The lines below the `>`, without their indentation.
fn printed(text: &str) -> String {
    // Upstream looks at the text's first character where it means the next line's.
    let breaks_twice = !text.trim_start_matches('\n').starts_with([' ', '\t']);
    let mut out = String::with_capacity(text.len() + 8);
    // Whether a line break stood here, and whether the line began with a blank.
    let (mut broken, mut blank) = (true, true);
    for char in text.chars() {
        if char == '\n' {
            if !broken && !blank && breaks_twice {
                out.push('\n');
            }
            broken = true;
        } else {
            if broken {
                blank = matches!(char, ' ' | '\t');
            }
            broken = false;
        }
        out.push(char);
    }
    out
}

/// Reads folded lines.
fn read(lines: &str, kept: Option<usize>) -> String {
    let body = lines.trim_end_matches('\n');
    let mut out = String::with_capacity(lines.len());
    let lines_left = body.split('\n');
    let mut blank_before = true;
    let mut breaks = 0;
    let mut is_first = true;
    for line in lines_left {
        if line.is_empty() {
            breaks += 1;
            continue;
        }
        let blank = line.starts_with([' ', '\t']);
        if is_first {
            out.extend(std::iter::repeat_n('\n', breaks));
        } else if blank || blank_before {
            out.extend(std::iter::repeat_n('\n', breaks + 1));
        } else if breaks == 0 {
            out.push(' ');
        } else {
            out.extend(std::iter::repeat_n('\n', breaks));
        }
        out.push_str(line);
        (is_first, blank_before, breaks) = (false, blank, 0);
    }
    let at_end = lines.len() - body.len();
    out.extend(std::iter::repeat_n('\n', kept.map_or(at_end, |kept| kept.min(at_end))));
    out
}
