//! The language of formats: `%`, flags, width, precision, indexes, verb.

use crate::chars::first_char;
use crate::value::Value;

use super::printer::{Flags, Printer};

/// Widths and precisions beyond this are taken for mistakes.
const SIZE_MAX: i64 = 1_000_000;

/// Prints the arguments as the format says.
pub(super) fn print(printer: &mut Printer, format: &[u8], args: &[Value]) {
    let mut reader = Reader { format, at: 0, args, next: 0, reordered: false, good: true };
    loop {
        let text_end = reader.rest().iter().position(|byte| *byte == b'%');
        let text_end = text_end.map_or(format.len(), |length| reader.at + length);
        printer.out.extend_from_slice(&format[reader.at..text_end]);
        if text_end == format.len() || printer.fault.is_some() {
            break;
        }
        reader.at = text_end + 1;
        if !reader.directive(printer) {
            break;
        }
    }
    if !reader.reordered && reader.next < args.len() {
        printer.flags = Flags::default();
        printer.out.extend_from_slice(b"%!(EXTRA ");
        for (at, arg) in args[reader.next..].iter().enumerate() {
            if at > 0 {
                printer.out.extend_from_slice(b", ");
            }
            if matches!(arg, Value::Nil) {
                printer.out.extend_from_slice(b"<nil>");
            } else {
                printer.out.extend_from_slice(arg.type_name().as_bytes());
                printer.out.push(b'=');
                printer.arg(arg, 'v');
            }
        }
        printer.out.push(b')');
    }
}

struct Reader<'a> {
    format: &'a [u8],
    at: usize,
    args: &'a [Value],
    /// The argument that comes next.
    next: usize,
    /// Whether arguments were named by their place: then none is called extra.
    reordered: bool,
    /// Whether the place named last is there.
    good: bool,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        &self.format[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    /// Prints one directive, the `%` being behind; `false` at the format's end.
    fn directive(&mut self, printer: &mut Printer) -> bool {
        self.good = true;
        let mut flags = Flags::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        let mut after_index = self.index();
        if self.peek() == Some(b'*') {
            self.at += 1;
            match self.size_from_arg() {
                Some(width) => {
                    if width < 0 {
                        flags.minus = true;
                        // No zeros to the right.
                        flags.zero = false;
                    }
                    flags.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => printer.out.extend_from_slice(b"%!(BADWIDTH)"),
            }
            after_index = false;
        } else {
            flags.width = self.number();
            if after_index && flags.width.is_some() {
                self.good = false;
            }
        }
        if self.peek() == Some(b'.') && self.at + 1 < self.format.len() {
            self.at += 1;
            if after_index {
                self.good = false;
            }
            after_index = self.index();
            if self.peek() == Some(b'*') {
                self.at += 1;
                flags.precision = self.size_from_arg().and_then(|size| usize::try_from(size).ok());
                if flags.precision.is_none() {
                    printer.out.extend_from_slice(b"%!(BADPREC)");
                }
                after_index = false;
            } else {
                flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !after_index {
            self.index();
        }
        let Some((verb, length)) = first_char(self.rest()) else {
            printer.out.extend_from_slice(b"%!(NOVERB)");
            return false;
        };
        self.at += length;
        self.verb(printer, flags, verb);
        true
    }

    fn verb(&mut self, printer: &mut Printer, mut flags: Flags, verb: char) {
        let note = |printer: &mut Printer, what: &[u8]| {
            printer.out.extend_from_slice(b"%!");
            printer.out.extend_from_slice(verb.encode_utf8(&mut [0; 4]).as_bytes());
            printer.out.extend_from_slice(what);
        };
        if verb == '%' {
            printer.out.push(b'%');
            return;
        }
        if !self.good {
            note(printer, b"(BADINDEX)");
            return;
        }
        let Some(arg) = self.args.get(self.next) else {
            note(printer, b"(MISSING)");
            return;
        };
        if matches!(verb, 'v' | 'w') {
            flags.sharp_v = std::mem::take(&mut flags.sharp);
            flags.plus_v = std::mem::take(&mut flags.plus);
        }
        printer.flags = flags;
        printer.arg(arg, verb);
        self.next += 1;
    }

    /// Reads `[n]`; whether one stood there and is well-formed.
    fn index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let rest = self.rest();
        let Some(close) = rest.iter().position(|byte| *byte == b']').filter(|_| rest.len() >= 3)
        else {
            self.at += 1;
            self.good = false;
            return false;
        };
        let number = digits(&rest[1..close]);
        self.at += close + 1;
        match number {
            Some(number) if (1..=self.args.len()).contains(&number) => {
                self.next = number - 1;
                true
            }
            _ => {
                self.good = false;
                number.is_some()
            }
        }
    }

    /// Reads a number in the format.
    fn number(&mut self) -> Option<usize> {
        let mut value: i64 = 0;
        let mut any = false;
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            if value > SIZE_MAX {
                self.at = self.format.len();
                return None;
            }
            value = value * 10 + i64::from(byte - b'0');
            any = true;
            self.at += 1;
        }
        if any { usize::try_from(value).ok() } else { None }
    }

    /// Takes the next argument for `*`.
    fn size_from_arg(&mut self) -> Option<i64> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        let size = match arg {
            Value::Int(size, _) => *size,
            Value::Uint(size, _) => i64::try_from(*size).ok()?,
            _ => return None,
        };
        (-SIZE_MAX..=SIZE_MAX).contains(&size).then_some(size)
    }
}

/// All of a text as a number.
fn digits(text: &[u8]) -> Option<usize> {
    let mut value: i64 = 0;
    for byte in text {
        if !byte.is_ascii_digit() || value > SIZE_MAX {
            return None;
        }
        value = value * 10 + i64::from(byte - b'0');
    }
    if text.is_empty() { None } else { usize::try_from(value).ok() }
}
