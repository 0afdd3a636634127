//! Whether a text is a schedule, in the words of the cron library that Kubernetes uses.

struct Bounds {
    low: u64,
    high: u64,
    names: &'static [&'static str],
    first: u64,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Bounds; 5] = [
    Bounds { low: 0, high: 59, names: &[], first: 0 },
    Bounds { low: 0, high: 23, names: &[], first: 0 },
    Bounds { low: 1, high: 31, names: &[], first: 0 },
    Bounds { low: 1, high: 12, names: &MONTHS, first: 1 },
    Bounds { low: 0, high: 6, names: &WEEKDAYS, first: 0 },
];

/// Answers why a text is no schedule.
pub fn check(text: &str) -> Result<(), String> {
    if let Some(rest) = text.strip_prefix('@') {
        return match rest {
            "yearly" | "annually" | "monthly" | "weekly" | "daily" | "midnight" | "hourly" => {
                Ok(())
            }
            _ => match rest.strip_prefix("every ") {
                Some(duration) => every(duration)
                    .map_err(|words| format!("failed to parse duration {text}: {words}")),
                None => Err(format!("unrecognized descriptor: {text}")),
            },
        };
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != 5 {
        let found = fields.len();
        return Err(format!("expected exactly 5 fields, found {found}: [{}]", fields.join(" ")));
    }
    fields.iter().zip(&FIELDS).try_for_each(|(field, bounds)| {
        field.split(',').filter(|part| !part.is_empty()).try_for_each(|part| range(part, bounds))
    })
}

fn range(text: &str, bounds: &Bounds) -> Result<(), String> {
    let parts: Vec<&str> = text.split('/').collect();
    let ends: Vec<&str> = parts[0].split('-').collect();
    let open = matches!(ends[0], "*" | "?");
    let (from, mut to) = if open {
        (bounds.low, bounds.high)
    } else {
        let from = value(ends[0], bounds)?;
        match ends.as_slice() {
            [_] => (from, from),
            [_, to] => (from, value(to, bounds)?),
            _ => return Err(format!("too many hyphens: {text}")),
        }
    };
    match parts.as_slice() {
        [_] => {}
        [_, step] => {
            let step = number(step)?;
            if ends.len() == 1 && !open {
                to = bounds.high;
            }
            if step == 0 {
                return Err(format!("step of range should be a positive number: {text}"));
            }
        }
        _ => return Err(format!("too many slashes: {text}")),
    }
    if from < bounds.low {
        return Err(format!("beginning of range ({from}) below minimum ({}): {text}", bounds.low));
    }
    if to > bounds.high {
        return Err(format!("end of range ({to}) above maximum ({}): {text}", bounds.high));
    }
    if from > to {
        return Err(format!("beginning of range ({from}) beyond end of range ({to}): {text}"));
    }
    Ok(())
}

fn value(text: &str, bounds: &Bounds) -> Result<u64, String> {
    match bounds.names.iter().position(|name| text.eq_ignore_ascii_case(name)) {
        Some(at) => Ok(at as u64 + bounds.first),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u64, String> {
    let quoted = manifest::field::quote(text);
    match text.parse::<i64>() {
        Ok(negative) if negative < 0 => {
            Err(format!("negative number ({text}) not allowed: {text}"))
        }
        Ok(number) => Ok(number.unsigned_abs()),
        Err(_) => Err(format!(
            "failed to parse int from {text}: strconv.Atoi: parsing {quoted}: invalid syntax"
        )),
    }
}

/// A Go duration.
fn every(text: &str) -> Result<(), String> {
    let quoted = manifest::field::quote(text);
    let mut rest = text.trim_start_matches(['+', '-']);
    if rest == "0" {
        return Ok(());
    }
    if rest.is_empty() {
        return Err(format!("time: invalid duration {quoted}"));
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
        let at = match digits {
            Some(at) if at > 0 => at,
            Some(_) => return Err(format!("time: invalid duration {quoted}")),
            None => return Err(format!("time: missing unit in duration {quoted}")),
        };
        let unit = &rest[at..];
        let end = unit
            .find(|letter: char| letter.is_ascii_digit() || letter == '.')
            .unwrap_or(unit.len());
        if !["ns", "us", "µs", "μs", "ms", "s", "m", "h"].contains(&&unit[..end]) {
            let unit = manifest::field::quote(&unit[..end]);
            return Err(format!("time: unknown unit {unit} in duration {quoted}"));
        }
        rest = &unit[end..];
    }
    Ok(())
}
