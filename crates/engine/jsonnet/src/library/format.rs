//! `%`: texts with places for values, in the arithmetic of go-jsonnet's own library.
//!
//! Numbers are cut into digits with floating-point arithmetic there, and rounding shows: `%g` of
//! 1e15 is `10e+14`. It is the same here.

use jrsonnet_evaluator::{ObjValue, Result, Val, bail};

use super::text_of;

/// Puts values into a text: a list in order, an object by name, anything else alone.
pub(super) fn format(text: &str, values: &Val) -> Result<String> {
    let pieces = parse(text)?;
    match values {
        Val::Obj(object) => by_name(&pieces, object),
        Val::Arr(items) => {
            let items: Vec<Val> = items.iter().collect::<Result<_>>()?;
            in_order(&pieces, &items)
        }
        one => in_order(&pieces, std::slice::from_ref(one)),
    }
}

enum Piece {
    Text(String),
    Place(Place),
}

/// `%(name)-5.2f`
#[derive(Default)]
struct Place {
    name: Option<String>,
    flags: Flags,
    width: Size,
    precision: Option<Size>,
    conversion: char,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    alternate: bool,
    zero: bool,
    left: bool,
    blank: bool,
    plus: bool,
}

#[derive(Clone, Copy)]
enum Size {
    Fixed(usize),
    /// `*`: the next value says it.
    Given,
}

impl Default for Size {
    fn default() -> Self {
        Size::Fixed(0)
    }
}

/// Widths and precisions beyond this are refused.
const SIZE_MAX: usize = 1 << 20;

fn parse(text: &str) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        let mut reader = Reader(behind);
        pieces.push(Piece::Place(reader.place()?));
        rest = reader.0;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn peek(&self) -> Result<char> {
        match self.0.chars().next() {
            Some(char) => Ok(char),
            None => bail!("truncated format code."),
        }
    }

    fn pass(&mut self, char: char) {
        self.0 = &self.0[char.len_utf8()..];
    }

    fn place(&mut self) -> Result<Place> {
        let mut place = Place::default();
        if self.peek()? == '(' {
            let Some((name, rest)) = self.0[1..].split_once(')') else {
                bail!("truncated format code.")
            };
            place.name = Some(name.to_owned());
            self.0 = rest;
        }
        loop {
            let char = self.peek()?;
            match char {
                '#' => place.flags.alternate = true,
                '0' => place.flags.zero = true,
                '-' => place.flags.left = true,
                ' ' => place.flags.blank = true,
                '+' => place.flags.plus = true,
                _ => break,
            }
            self.pass(char);
        }
        place.width = self.size()?;
        if self.peek()? == '.' {
            self.pass('.');
            place.precision = Some(self.size()?);
        }
        while matches!(self.peek()?, 'h' | 'l' | 'L') {
            let char = self.peek()?;
            self.pass(char);
        }
        place.conversion = self.peek()?;
        if !"diuoxXeEfFgGcs%".contains(place.conversion) {
            bail!("unrecognised conversion type: {}", place.conversion);
        }
        self.pass(place.conversion);
        Ok(place)
    }

    fn size(&mut self) -> Result<Size> {
        if self.peek()? == '*' {
            self.pass('*');
            return Ok(Size::Given);
        }
        let mut size = 0;
        while let Some(digit) = self.peek()?.to_digit(10) {
            size = size * 10 + digit as usize;
            if size > SIZE_MAX {
                bail!("a width of more than {} in a format", SIZE_MAX);
            }
            self.0 = &self.0[1..];
        }
        Ok(Size::Fixed(size))
    }
}

fn in_order(pieces: &[Piece], values: &[Val]) -> Result<String> {
    let mut out = String::new();
    let mut at = 0;
    for piece in pieces {
        let place = match piece {
            Piece::Text(text) => {
                out.push_str(text);
                continue;
            }
            Piece::Place(place) => place,
        };
        let mut next = || -> Result<&Val> {
            at += 1;
            match values.get(at - 1) {
                Some(value) => Ok(value),
                None => bail!("not enough values to format, got {}", values.len()),
            }
        };
        let mut size = |size: Size| -> Result<usize> {
            match size {
                Size::Fixed(size) => Ok(size),
                Size::Given => match next()? {
                    Val::Num(number) if (0.0..=SIZE_MAX as f64).contains(&number.get()) => {
                        Ok(number.get() as usize)
                    }
                    _ => bail!("a width in a format must be a number from 0"),
                },
            }
        };
        let width = size(place.width)?;
        let precision = place.precision.map(&mut size).transpose()?;
        let value = match place.conversion {
            '%' => &Val::Null,
            _ => next()?,
        };
        out.push_str(&padded(place, width, precision, value)?);
    }
    if at < values.len() {
        bail!("too many values to format: {}, expected {}", values.len(), at);
    }
    Ok(out)
}

fn by_name(pieces: &[Piece], object: &ObjValue) -> Result<String> {
    let mut out = String::new();
    for piece in pieces {
        let place = match piece {
            Piece::Text(text) => {
                out.push_str(text);
                continue;
            }
            Piece::Place(place) => place,
        };
        let fixed = |size: Size| -> Result<usize> {
            match size {
                Size::Fixed(size) => Ok(size),
                Size::Given => bail!("cannot use * field width with object."),
            }
        };
        let width = fixed(place.width)?;
        let precision = place.precision.map(fixed).transpose()?;
        let value = match (place.conversion, &place.name) {
            ('%', _) => Val::Null,
            (_, None) => bail!("mapping keys required."),
            (_, Some(name)) => match object.get(name.as_str().into())? {
                Some(value) => value,
                None => bail!("no such field: {}", name),
            },
        };
        out.push_str(&padded(place, width, precision, &value)?);
    }
    Ok(out)
}

fn padded(place: &Place, width: usize, precision: Option<usize>, value: &Val) -> Result<String> {
    let text = converted(place, width, precision, value)?;
    Ok(match place.flags.left {
        true => format!("{text:<width$}"),
        false => format!("{text:>width$}"),
    })
}

fn converted(place: &Place, width: usize, precision: Option<usize>, value: &Val) -> Result<String> {
    let flags = place.flags;
    let zeros = if flags.zero && !flags.left { width } else { 0 };
    let number = || -> Result<f64> {
        match value {
            Val::Num(number) => Ok(number.get()),
            other => bail!("format required number, got {}", other.value_type()),
        }
    };
    let capitals = place.conversion.is_ascii_uppercase();
    let digits = precision.unwrap_or(0);
    let decimals = precision.unwrap_or(6);
    Ok(match place.conversion {
        '%' => "%".to_owned(),
        's' => text_of(value)?.to_string(),
        'd' | 'i' | 'u' => {
            let number = number()?;
            whole(number <= -1.0, number.abs().floor(), zeros, digits, flags, 10, "")
        }
        'o' => {
            let number = number()?;
            let zero = if flags.alternate { "0" } else { "" };
            whole(number <= -1.0, number.abs().floor(), zeros, digits, flags, 8, zero)
        }
        'x' | 'X' => hexadecimal(number()?.floor(), zeros, digits, flags, capitals),
        'f' | 'F' => decimal(number()?, zeros, flags, true, decimals),
        'e' | 'E' => scientific(number()?, zeros, flags, true, capitals, decimals),
        'g' | 'G' => {
            let number = number()?;
            let exponent = exponent(number);
            let decimals = decimals as f64;
            let left = |taken: f64| (decimals - taken).max(0.0) as usize;
            if exponent < -4.0 || exponent >= decimals {
                scientific(number, zeros, flags, flags.alternate, capitals, left(1.0))
            } else {
                let before = (exponent + 1.0).max(1.0);
                decimal(number, zeros, flags, flags.alternate, left(before))
            }
        }
        _ => match value {
            Val::Num(number) => match char::from_u32(number.get() as u32) {
                Some(char) => char.to_string(),
                None => bail!("invalid unicode codepoint, got {}", number.get()),
            },
            Val::Str(text) => {
                let text = text.clone().into_flat();
                if text.chars().count() != 1 {
                    bail!("%c expected 1-sized string got: {}", text.chars().count());
                }
                text.to_string()
            }
            other => bail!("%c expected number / string, got: {}", other.value_type()),
        },
    })
}

fn sign(negative: bool, flags: Flags) -> &'static str {
    match flags {
        _ if negative => "-",
        Flags { plus: true, .. } => "+",
        Flags { blank: true, .. } => " ",
        _ => "",
    }
}

fn digits_of(number: f64, radix: u32, capitals: bool) -> String {
    let mut digits = Vec::new();
    let (mut left, radix_float) = (number, f64::from(radix));
    while left > 0.0 {
        let digit = char::from_digit((left % radix_float) as u32, radix).unwrap_or('0');
        digits.push(if capitals { digit.to_ascii_uppercase() } else { digit });
        left = (left / radix_float).floor();
    }
    digits.iter().rev().collect()
}

fn whole(
    negative: bool,
    number: f64,
    width: usize,
    digits_min: usize,
    flags: Flags,
    radix: u32,
    zero: &str,
) -> String {
    let sign = sign(negative, flags);
    let digits = match number {
        0.0 => "0".to_owned(),
        number => format!("{zero}{}", digits_of(number, radix, false)),
    };
    let width = width.saturating_sub(sign.len()).max(digits_min);
    format!("{sign}{digits:0>width$}")
}

fn hexadecimal(
    number: f64,
    width: usize,
    digits_min: usize,
    flags: Flags,
    capitals: bool,
) -> String {
    let sign = sign(number < 0.0, flags);
    let digits = match number {
        0.0 => "0".to_owned(),
        number => digits_of(number.abs(), 16, capitals),
    };
    let mark = match (flags.alternate, capitals) {
        (false, _) => "",
        (true, false) => "0x",
        (true, true) => "0X",
    };
    let width = width.saturating_sub(sign.len() + mark.len()).max(digits_min);
    format!("{sign}{mark}{digits:0>width$}")
}

/// `flags.alternate` keeps the point, `trailing` the zeros behind it.
fn decimal(number: f64, width: usize, flags: Flags, trailing: bool, decimals: usize) -> String {
    let scale = 10_f64.powi(i32::try_from(decimals).unwrap_or(i32::MAX));
    let scaled = number.abs() * scale + 0.5;
    let (before, behind) = ((scaled / scale).floor(), scaled.floor() % scale);
    let point = usize::from(decimals > 0 || flags.alternate);
    let width = width.saturating_sub(decimals + point);
    let text = whole(number < 0.0, before, width, 0, flags, 10, "");
    if decimals == 0 {
        return if flags.alternate { text + "." } else { text };
    }
    if !trailing && behind <= 0.0 {
        return text;
    }
    let fraction = whole(false, behind, decimals, 0, Flags::default(), 10, "");
    let fraction = if trailing { &fraction } else { fraction.trim_end_matches('0') };
    format!("{text}.{fraction}")
}

fn exponent(number: f64) -> f64 {
    match number {
        0.0 => 0.0,
        number => (number.abs().ln() / 10_f64.ln()).floor(),
    }
}

fn scientific(
    number: f64,
    width: usize,
    flags: Flags,
    trailing: bool,
    capitals: bool,
    decimals: usize,
) -> String {
    let exponent = exponent(number);
    let power = |exponent: f64| 10_f64.powf(exponent);
    // The power of the smallest numbers would be zero.
    let mantissa = match exponent {
        -324.0 => number * 10.0 / power(exponent + 1.0),
        exponent => number / power(exponent),
    };
    let with_sign = Flags { plus: true, ..Flags::default() };
    let letter = if capitals { 'E' } else { 'e' };
    let end = format!("{letter}{}", whole(exponent < 0.0, exponent.abs(), 3, 0, with_sign, 10, ""));
    decimal(mantissa, width.saturating_sub(end.len()), flags, trailing, decimals) + &end
}
