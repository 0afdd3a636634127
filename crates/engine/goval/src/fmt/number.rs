//! Numbers, padded and signed as flags say.

use crate::chars::is_print;
use crate::float::{FloatBits, format_float};

use super::printer::{Flags, Printer};

/// Appends an integer in decimal.
pub(super) fn append_int(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    append_uint(out, value.unsigned_abs());
}

/// Appends an unsigned integer in decimal.
pub(super) fn append_uint(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// An integer: its size, and whether it is below zero.
#[derive(Clone, Copy)]
pub(super) struct Integer {
    pub(super) size: u64,
    pub(super) negative: bool,
    pub(super) signed: bool,
}

impl Integer {
    pub(super) fn signed(value: i64) -> Self {
        Self { size: value.unsigned_abs(), negative: value < 0, signed: true }
    }

    pub(super) fn unsigned(value: u64) -> Self {
        Self { size: value, negative: false, signed: false }
    }

    /// The bits as Go's `uint64` has them.
    pub(super) fn bits(self) -> u64 {
        if self.negative { self.size.wrapping_neg() } else { self.size }
    }
}

/// Prints an integer in a base; `verb` is `O` for `0o`.
pub(super) fn integer(printer: &mut Printer, value: Integer, base: u32, upper: bool, verb: char) {
    let flags = printer.flags;
    // `%.3d` and `%03d` both ask for zeros; with both, spaces pad.
    let digits_min = if let Some(precision) = flags.precision {
        if precision == 0 && value.size == 0 {
            printer.pad_spaces(flags.width.unwrap_or(0));
            return;
        }
        precision
    } else if let (true, false, Some(width)) = (flags.zero, flags.minus, flags.width) {
        width.saturating_sub(usize::from(value.negative || flags.plus || flags.space))
    } else {
        0
    };
    let mut digits = in_base(value.size, base);
    if upper {
        digits.make_ascii_uppercase();
    }
    let zeros = digits_min.saturating_sub(digits.len());
    let mut text = Vec::with_capacity(digits.len() + zeros + 3);
    if value.negative {
        text.push(b'-');
    } else if flags.plus {
        text.push(b'+');
    } else if flags.space {
        text.push(b' ');
    }
    if verb == 'O' {
        text.extend_from_slice(b"0o");
    }
    if flags.sharp {
        match base {
            2 => text.extend_from_slice(b"0b"),
            8 if zeros == 0 && !digits.starts_with('0') => text.push(b'0'),
            16 => text.extend_from_slice(if upper { b"0X" } else { b"0x" }),
            _ => {}
        }
    }
    text.extend(std::iter::repeat_n(b'0', zeros));
    text.extend_from_slice(digits.as_bytes());
    printer.pad_with_spaces(&text);
}

fn in_base(value: u64, base: u32) -> String {
    match base {
        2 => format!("{value:b}"),
        8 => format!("{value:o}"),
        16 => format!("{value:x}"),
        _ => value.to_string(),
    }
}

/// `%U`.
pub(super) fn unicode(printer: &mut Printer, code: u64) {
    let digits = printer.flags.precision.unwrap_or(0).max(4);
    let mut text = format!("U+{code:0digits$X}");
    if let Some(char) = u32::try_from(code).ok().and_then(char::from_u32)
        && printer.flags.sharp
        && is_print(char)
    {
        text.push_str(&format!(" '{char}'"));
    }
    printer.pad_with_spaces(text.as_bytes());
}

/// A float in one of `strconv`'s formats, with the verb's own precision where none is given.
pub(super) fn float(printer: &mut Printer, value: f64, format: u8, precision: Option<usize>) {
    let flags = printer.flags;
    let precision = flags.precision.or(precision);
    let text = format_float(value, format, precision, FloatBits::F64).into_bytes();
    let (mut sign, mut digits) = match text.split_first() {
        Some((sign @ (b'-' | b'+'), digits)) => (*sign, digits.to_vec()),
        _ => (b'+', text),
    };
    if flags.space && sign == b'+' && !flags.plus {
        sign = b' ';
    }
    if value.is_nan() || value.is_infinite() {
        // These are no digits: no zeros before them.
        if value.is_nan() && !flags.space && !flags.plus {
            printer.pad_with_spaces(&digits);
        } else {
            printer.pad_with_spaces(&[&[sign], &digits[..]].concat());
        }
        return;
    }
    if flags.sharp && format != b'b' {
        digits = with_point(&digits, format, precision);
    }
    if !flags.plus && sign == b'+' {
        printer.pad(&digits);
        return;
    }
    let length = digits.len() + 1;
    if let (true, false, Some(width)) = (flags.zero, flags.minus, flags.width)
        && width > length
    {
        // The sign stands before the zeros.
        printer.out.push(sign);
        printer.pad_zeros(width - length);
        printer.out.extend_from_slice(&digits);
        return;
    }
    printer.pad(&[&[sign], &digits[..]].concat());
}

/// The flag `#`: a point in any case, and for the general forms all digits of the precision.
fn with_point(digits: &[u8], format: u8, precision: Option<usize>) -> Vec<u8> {
    let hex = matches!(format, b'x' | b'X');
    let mut wanted = match format {
        b'g' | b'G' | b'x' => precision.map_or(6, |count| i64::try_from(count).unwrap_or(i64::MAX)),
        _ => 0,
    };
    let tail_at = digits
        .iter()
        .position(|byte| match byte {
            b'p' | b'P' => true,
            b'e' | b'E' => !hex,
            _ => false,
        })
        .unwrap_or(digits.len());
    let (number, tail) = digits.split_at(tail_at);
    let mut point = false;
    let mut significant = false;
    for byte in number {
        if *byte == b'.' {
            point = true;
            continue;
        }
        significant |= *byte != b'0';
        if significant {
            wanted -= 1;
        }
    }
    let mut out = number.to_vec();
    if !point {
        if number == b"0" {
            wanted -= 1;
        }
        out.push(b'.');
    }
    out.extend(std::iter::repeat_n(b'0', usize::try_from(wanted).unwrap_or(0)));
    out.extend_from_slice(tail);
    out
}

impl Flags {
    /// The flags for `0x…`, whatever `#` says.
    pub(super) fn with_sharp(self, sharp: bool) -> Self {
        Self { sharp, ..self }
    }
}
