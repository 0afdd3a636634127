//! What two answers differ in.

use serde_json::Value;

/// Lists the places in which the answers differ, as lines.
pub fn differences(real: &Value, here: &Value) -> Vec<String> {
    let mut out = Vec::new();
    walk(real, here, "", &mut out);
    out
}

fn walk(real: &Value, here: &Value, at: &str, out: &mut Vec<String>) {
    match (real, here) {
        _ if real == here => {}
        (Value::Object(a), Value::Object(b)) => {
            let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let at = format!("{at}.{name}");
                match (a.get(name), b.get(name)) {
                    (Some(a), Some(b)) => walk(a, b, &at, out),
                    (Some(a), None) => out.push(format!("{at}: only real {}", short(a))),
                    (None, Some(b)) => out.push(format!("{at}: only here {}", short(b))),
                    (None, None) => {}
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                walk(a, b, &format!("{at}[{index}]"), out);
            }
        }
        (Value::String(a), Value::String(b)) if a.len().min(b.len()) > 300 => {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
            let near = |text: &[u8]| {
                let from = same.saturating_sub(80);
                String::from_utf8_lossy(&text[from..text.len().min(same + 160)]).into_owned()
            };
            out.push(format!("{at}: real …{:?} here …{:?}", near(a), near(b)));
        }
        _ => out.push(format!("{at}: real {} here {}", short(real), short(here))),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(900) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// What sort of difference it is: the first place, without the values.
pub fn sort_of(lines: &[String]) -> String {
    // The message repeats what the causes say.
    if let Some(code) = lines.iter().find(|line| line.starts_with(".code")) {
        let message = lines.iter().find(|line| line.starts_with(".body.message")).unwrap_or(code);
        let (_, message) = message.split_once(": ").unwrap_or_default();
        return format!(
            "{code} | {}",
            message.chars().filter(|c| !c.is_ascii_digit()).take(120).collect::<String>()
        );
    }
    let first = lines.first();
    let mut out = String::new();
    let mut quoted = false;
    for c in first.map(String::as_str).unwrap_or_default().chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_ascii_digit() => {}
            c if !quoted || out.len() < 140 => out.push(c),
            _ => {}
        }
    }
    out.chars().take(260).collect()
}
