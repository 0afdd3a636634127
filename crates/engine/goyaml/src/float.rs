//! Numbers with a fraction, as Go reads them.

/// Whether the text is `[-+]?(\.d+|d+(\.d*)?)([eE][-+]?d+)?`, a float of YAML's.
pub(crate) fn looks_like_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest),
        None => (0, rest),
    };
    if whole + fraction == 0 {
        return false;
    }
    let Some(rest) = rest.strip_prefix(['e', 'E']) else { return rest.is_empty() };
    let (exponent, rest) = digits(rest.strip_prefix(['-', '+']).unwrap_or(rest));
    exponent > 0 && rest.is_empty()
}

fn digits(text: &str) -> (usize, &str) {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    (count, &text[count..])
}

/// Reads a float; `None` for other text, and for what is too large to hold.
pub(crate) fn parse(text: &str) -> Option<f64> {
    if !looks_like_float(text) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}
