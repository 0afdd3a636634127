//! Times as Go writes them: a layout is an example, the reference time in the wished form.

use jiff::{Timestamp, fmt::strtime};

/// Parts of the reference time `Mon Jan 2 15:04:05 MST 2006`, and what stands for them; a part
/// that begins like a shorter one comes before it.
const PARTS: &[(&str, &str)] = &[
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("MST", "UTC"),
    ("2006", "%Y"),
    ("-07:00:00", "+00:00:00"),
    ("-07:00", "+00:00"),
    ("-0700", "+0000"),
    ("-07", "+00"),
    ("Z07:00:00", "Z"),
    ("Z07:00", "Z"),
    ("Z0700", "Z"),
    ("Z07", "Z"),
    ("002", "%j"),
    ("__2", "%_j"),
    ("_2", "%e"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
];

/// Writes a time in UTC after a layout of Go's; `""` is RFC 3339, to the second.
pub(crate) fn time_text(time: Timestamp, layout: &str) -> String {
    let format = match layout {
        "" => "%Y-%m-%dT%H:%M:%SZ".to_owned(),
        layout => format_of(layout),
    };
    // A form that nobody can print would cost every line its time.
    strtime::format(&format, time).unwrap_or_else(|_| time.to_string())
}

fn format_of(layout: &str) -> String {
    let mut format = String::new();
    let mut rest = layout;
    while let Some(letter) = rest.chars().next() {
        if let Some((digits, zeros)) = fraction(rest) {
            match zeros {
                true => format.push_str(&format!("{letter}%{digits}f")),
                // `%.Nf` is not for this: trailing zeros go, and the point with them.
                false => format.push_str("%.f"),
            }
            rest = &rest[1 + digits..];
            continue;
        }
        let part = PARTS.iter().find(|(part, _)| rest.starts_with(part));
        match part {
            // `Janet` is no month, as Go reads it.
            Some((part @ ("Jan" | "Mon"), _))
                if rest[3..].starts_with(|c: char| c.is_ascii_lowercase()) =>
            {
                format.push_str(part);
                rest = &rest[3..];
            }
            Some((part, written)) => {
                format.push_str(written);
                rest = &rest[part.len()..];
            }
            None => {
                match letter {
                    '%' => format.push_str("%%"),
                    other => format.push(other),
                }
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    format
}

/// Reads `.000`, `,000` or `.999`: how many digits, and whether trailing zeros are written.
fn fraction(rest: &str) -> Option<(usize, bool)> {
    let behind = rest.strip_prefix(['.', ','])?;
    let digit = behind.chars().next().filter(|digit| matches!(digit, '0' | '9'))?;
    let digits = behind.chars().take_while(|c| *c == digit).count();
    let ends = !behind[digits..].starts_with(|c: char| c.is_ascii_digit());
    (ends && digits <= 9).then_some((digits, digit == '0'))
}

#[cfg(test)]
mod tests {
    use super::time_text;

    #[test]
    fn times_are_written_as_go_writes_them() {
        let time = "2026-03-04T17:06:07.089Z".parse().unwrap();
        for (layout, text) in [
            ("", "2026-03-04T17:06:07Z"),
            ("2006-01-02T15:04:05Z07:00", "2026-03-04T17:06:07Z"),
            ("2006-01-02T15:04:05.000Z07:00", "2026-03-04T17:06:07.089Z"),
            ("2006-01-02T15:04:05,000000", "2026-03-04T17:06:07,089000"),
            ("15:04:05.999999999", "17:06:07.089"),
            ("Mon Jan _2 15:04:05 MST 2006", "Wed Mar  4 17:06:07 UTC 2026"),
            ("Monday, 02-Jan-06 15:04:05 MST", "Wednesday, 04-Mar-26 17:06:07 UTC"),
            ("Mon, 02 Jan 2006 15:04:05 -0700", "Wed, 04 Mar 2026 17:06:07 +0000"),
            ("January 2, 3:04PM", "March 4, 5:06PM"),
            ("1/2 3:4:5 pm, day 002", "3/4 5:6:7 pm, day 063"),
            ("100% Janet, Monet", "300% Janet, Monet"),
        ] {
            assert_eq!(time_text(time, layout), text, "{layout}");
        }
    }
}
