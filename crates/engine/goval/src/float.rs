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
    format_float(value, b'g', None, bits)
}

/// Formats as `strconv.FormatFloat`: `format` is one of `b e E f g G x X`, `None` as the
/// precision takes the fewest digits that give the number back.
///
/// Any other format is printed as `%` and its letter, as in Go.
pub fn format_float(value: f64, format: u8, precision: Option<usize>, bits: FloatBits) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let size = value.abs();
    let text = match format {
        b'b' => binary(size, bits),
        b'x' | b'X' => hexadecimal(size, format, precision, bits),
        b'e' | b'E' => {
            let digits = match precision {
                Some(precision) => Digits::rounded(size, precision.saturating_add(1)),
                None => Digits::shortest(size, bits),
            };
            let fraction = precision.unwrap_or(digits.digits.len() - 1);
            digits.with_exponent(fraction, format)
        }
        b'f' => match precision {
            Some(precision) => format!("{size:.precision$}"),
            None => Digits::shortest(size, bits).without_exponent(),
        },
        b'g' | b'G' => general(size, format, precision, bits),
        _ => return format!("%{}", char::from(format)),
    };
    format!("{sign}{text}")
}

fn general(size: f64, format: u8, precision: Option<usize>, bits: FloatBits) -> String {
    let letter = if format == b'g' { b'e' } else { b'E' };
    let Some(precision) = precision else {
        let digits = Digits::shortest(size, bits);
        return if (-4..6).contains(&digits.exponent) {
            digits.without_exponent()
        } else {
            digits.with_exponent(digits.digits.len() - 1, letter)
        };
    };
    let precision = precision.max(1);
    let mut digits = Digits::rounded(size, precision);
    let kept = digits.digits.trim_end_matches('0').len().max(1);
    digits.digits.truncate(kept);
    let point = digits.exponent + 1;
    let count = i32::try_from(kept).unwrap_or(i32::MAX);
    let mut from = i32::try_from(precision).unwrap_or(i32::MAX);
    if from > count && count >= point {
        from = count;
    }
    if digits.exponent < -4 || digits.exponent >= from {
        digits.with_exponent(kept - 1, letter)
    } else {
        digits.without_exponent()
    }
}

/// Decimal digits, the point after the first of them, times a power of ten.
struct Digits {
    digits: String,
    exponent: i32,
}

impl Digits {
    fn shortest(size: f64, bits: FloatBits) -> Self {
        let (shortest, many) = match bits {
            FloatBits::F32 => (Self::read(&format!("{:e}", size as f32)), 6),
            FloatBits::F64 => (Self::read(&format!("{size:e}")), 15),
        };
        // Of two texts equally near, Go takes the one whose last digit is even.
        if shortest.digits.len() < many {
            return shortest;
        }
        let places = shortest.digits.len() - 1;
        let (nearest, is_same) = match bits {
            FloatBits::F32 => {
                let nearest = format!("{:.places$e}", size as f32);
                let is_same = nearest.parse() == Ok(size as f32);
                (nearest, is_same)
            }
            FloatBits::F64 => {
                let nearest = format!("{size:.places$e}");
                let is_same = nearest.parse() == Ok(size);
                (nearest, is_same)
            }
        };
        if is_same { Self::read(&nearest) } else { shortest }
    }

    fn rounded(size: f64, count: usize) -> Self {
        Self::read(&format!("{size:.*e}", count - 1))
    }

    fn read(scientific: &str) -> Self {
        let (mantissa, exponent) =
            scientific.split_once('e').expect("Rust prints finite numbers with an exponent");
        Self {
            digits: mantissa.chars().filter(|char| *char != '.').collect(),
            exponent: exponent.parse().expect("Rust prints a decimal exponent"),
        }
    }

    /// `1.25e+06`, with so many digits after the point.
    fn with_exponent(&self, fraction: usize, letter: u8) -> String {
        let mut out = self.digits[..1].to_owned();
        if fraction > 0 {
            let known = &self.digits[1..self.digits.len().min(fraction + 1)];
            out.push('.');
            out.push_str(known);
            out.extend(std::iter::repeat_n('0', fraction - known.len()));
        }
        let direction = if self.exponent < 0 { '-' } else { '+' };
        out.push_str(&format!("{}{direction}{:02}", char::from(letter), self.exponent.abs()));
        out
    }

    /// `1250000`, with all digits.
    fn without_exponent(&self) -> String {
        let digits = &self.digits;
        let mut out = String::new();
        if self.exponent < 0 {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', self.exponent.unsigned_abs() as usize - 1));
            out.push_str(digits);
            return out;
        }
        let whole = self.exponent.unsigned_abs() as usize + 1;
        if digits.len() <= whole {
            out.push_str(digits);
            out.extend(std::iter::repeat_n('0', whole - digits.len()));
        } else {
            out.push_str(&digits[..whole]);
            out.push('.');
            out.push_str(&digits[whole..]);
        }
        out
    }
}

/// Mantissa and exponent of the value as the type stores it: `mantissa · 2^exponent`.
fn parts(size: f64, bits: FloatBits) -> (u64, i32) {
    let (stored, fraction_bits, bias) = match bits {
        FloatBits::F32 => (u64::from((size as f32).to_bits()), 23, 127),
        FloatBits::F64 => (size.to_bits(), 52, 1023),
    };
    let fraction = stored & ((1 << fraction_bits) - 1);
    let exponent = i32::try_from(stored >> fraction_bits).expect("eleven bits at most");
    if exponent == 0 {
        (fraction, 1 - bias - fraction_bits)
    } else {
        (fraction | 1 << fraction_bits, exponent - bias - fraction_bits)
    }
}

/// `4503599627370496p-52`.
fn binary(size: f64, bits: FloatBits) -> String {
    let (mantissa, exponent) = parts(size, bits);
    format!("{mantissa}p{exponent:+}")
}

/// `0x1.8p+01`.
fn hexadecimal(size: f64, format: u8, precision: Option<usize>, bits: FloatBits) -> String {
    let (mut mantissa, mut exponent) = parts(size, bits);
    if mantissa == 0 {
        exponent = 0;
    } else {
        // The leading bit stands at bit 60, so that fifteen hexadecimal digits follow it.
        let shift = mantissa.leading_zeros() - 3;
        mantissa <<= shift;
        exponent += 60 - i32::try_from(shift).expect("at most 63");
    }
    if let Some(digits) = precision.filter(|digits| *digits < 15) {
        let cut = 4 * (15 - u32::try_from(digits).expect("fewer than 15"));
        let lost = mantissa & ((1 << cut) - 1);
        let half = 1 << (cut - 1);
        mantissa >>= cut;
        if lost > half || (lost == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= cut;
        if mantissa >> 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut fraction = format!("{:015x}", mantissa & ((1 << 60) - 1));
    match precision {
        Some(digits) if digits <= 15 => fraction.truncate(digits),
        Some(digits) => fraction.extend(std::iter::repeat_n('0', digits - 15)),
        None => fraction.truncate(fraction.trim_end_matches('0').len()),
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let direction = if exponent < 0 { '-' } else { '+' };
    let text = format!("0x{}{point}{fraction}p{direction}{:02}", mantissa >> 60, exponent.abs());
    if format == b'X' { text.to_ascii_uppercase() } else { text }
}
