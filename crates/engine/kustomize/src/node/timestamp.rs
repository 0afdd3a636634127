//! Dates and times as JSON shows them.

/// Prints what YAML resolved as a date or time in the form of RFC 3339, fraction's zeros cut.
pub(super) fn rfc3339(text: &str) -> String {
    let split = text.find([' ', 'T', 't']);
    let (date, rest) = split.map_or((text, ""), |at| (&text[..at], text[at + 1..].trim_start()));
    let mut out: Vec<String> = date.split('-').map(two_digits).collect();
    let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone_at);
    let (clock, fraction) = time.split_once(['.', ',']).unwrap_or((time, ""));
    let clock = match clock {
        "" => "00:00:00".to_owned(),
        clock => clock.split(':').map(two_digits).collect::<Vec<_>>().join(":"),
    };
    // Go keeps nanoseconds.
    let fraction = fraction.get(..9).unwrap_or(fraction).trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    let zone = match zone {
        "" | "Z" | "+00:00" | "-00:00" => "Z",
        zone => zone,
    };
    let date = std::mem::take(&mut out).join("-");
    format!("{date}T{clock}{dot}{fraction}{zone}")
}

fn two_digits(number: &str) -> String {
    format!("{number:0>2}")
}
