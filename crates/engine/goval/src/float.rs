//! Floating-point numbers as text.

/// How many bits the shortest text must give back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatBits {
    /// Digits that a `float32` needs.
    F32,
    /// Digits that a `float64` needs.
    F64,
}

/// Formats as `strconv.FormatFloat(value, 'g', -1, bits)`, `fmt`'s `%v` and go-yaml do.
///
/// The digits are the fewest that give the number back; the exponent form is taken exactly
/// when the decimal exponent is below −4 or at least 6, however many digits there are.
pub fn format_g(value: f64, bits: FloatBits) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let scientific = match bits {
        FloatBits::F32 => format!("{:e}", value as f32),
        FloatBits::F64 => format!("{value:e}"),
    };
    let (sign, scientific) = match scientific.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", scientific.as_str()),
    };
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return if sign.is_empty() { "+Inf".to_owned() } else { "-Inf".to_owned() };
    };
    let exponent: i32 = exponent.parse().expect("Rust prints a decimal exponent");
    if !(-4..6).contains(&exponent) {
        let direction = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{mantissa}e{direction}{:02}", exponent.abs());
    }
    let digits: String = mantissa.chars().filter(|char| *char != '.').collect();
    if exponent < 0 {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{sign}{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}
