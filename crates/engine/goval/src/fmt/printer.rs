//! One value after the other, by verb and flags.

use crate::chars::char_count;
use crate::function::{Budget, TOO_MUCH_TEXT};
use crate::list::List;
use crate::map::Map;
use crate::object::Object;
use crate::quote::{Escape, quote_bytes, quote_char, quote_to_ascii};
use crate::text::Str;
use crate::value::{Kind, UintType, Value};

use super::number::{self, Integer};

/// Values nest no deeper than this in a text.
const DEPTH_MAX: usize = 1000;

/// What stands for the addresses that Go prints.
const ADDRESS: u64 = 0x00C0_0000_0000;

const TOO_DEEP: &str = "a value nests too deep to be printed";

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`: with the names of fields.
    pub(super) plus_v: bool,
    /// `%#v`: as Go source.
    pub(super) sharp_v: bool,
}

/// A text being made.
pub(super) struct Printer {
    pub(super) out: Vec<u8>,
    pub(super) flags: Flags,
    /// Bytes that the text may have.
    pub(super) limit: u64,
    pub(super) fault: Option<&'static str>,
    /// How many values we are in, as far as Go counts: notes begin anew.
    depth: usize,
    /// How many values we are in.
    level: usize,
    /// Inside a note on a verb that does not suit: methods are not asked.
    complaining: bool,
}

impl Printer {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            out: Vec::new(),
            flags: Flags::default(),
            limit,
            fault: None,
            depth: 0,
            level: 0,
            complaining: false,
        }
    }

    pub(super) fn finish(self, budget: &mut Budget) -> Result<Str, String> {
        if let Some(fault) = self.fault {
            return Err(fault.to_owned());
        }
        budget.charge(self.out.len() as u64)?;
        Ok(Str::from(self.out))
    }

    /// Prints one argument.
    pub(super) fn arg(&mut self, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.pad(b"<nil>"),
            (Value::Nil, _) => self.unsuitable(value, verb),
            (_, 'T') => self.string(value.type_name().as_bytes()),
            (_, 'p') => self.address(value),
            (Value::List(_) | Value::Map(_) | Value::Object(_), 'w') => {
                self.unsuitable(value, verb);
            }
            _ => self.value(value, verb),
        }
    }

    /// Prints a value, at the top or inside another.
    fn value(&mut self, value: &Value, verb: char) {
        match value {
            Value::Nil if self.flags.sharp_v => self.out.extend_from_slice(b"interface {}(nil)"),
            Value::Nil => self.out.extend_from_slice(b"<nil>"),
            Value::Bool(truth) => match verb {
                't' | 'v' => self.pad(if *truth { b"true" } else { b"false" }),
                _ => self.unsuitable(value, verb),
            },
            Value::Int(number, _) => self.integer(value, Integer::signed(*number), verb),
            Value::Uint(number, _) => self.integer(value, Integer::unsigned(*number), verb),
            Value::Float(number) => self.float(value, *number, verb),
            Value::Str(text) => self.text(value, text, verb),
            Value::Bytes(bytes) => self.bytes(bytes, verb),
            Value::List(list) => self.list(list, verb),
            Value::Map(map) => self.map(map, verb),
            Value::Object(object) => self.object(value, object.as_ref(), verb),
        }
    }

    fn integer(&mut self, value: &Value, number: Integer, verb: char) {
        match verb {
            'v' if self.flags.sharp_v && !number.signed => self.hex(number, true),
            'v' | 'd' => number::integer(self, number, 10, false, verb),
            'b' => number::integer(self, number, 2, false, verb),
            'o' | 'O' => number::integer(self, number, 8, false, verb),
            'x' => number::integer(self, number, 16, false, verb),
            'X' => number::integer(self, number, 16, true, verb),
            'c' => {
                let char = char_of(number.bits());
                self.pad(char.encode_utf8(&mut [0; 4]).as_bytes());
            }
            'q' => {
                let quoted = quote_char(char_of(number.bits()), self.escape());
                self.pad(quoted.as_bytes());
            }
            'U' => number::unicode(self, number.bits()),
            _ => self.unsuitable(value, verb),
        }
    }

    fn float(&mut self, value: &Value, number: f64, verb: char) {
        match verb {
            'v' => number::float(self, number, b'g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => number::float(self, number, verb as u8, None),
            'f' | 'e' | 'E' => number::float(self, number, verb as u8, Some(6)),
            'F' => number::float(self, number, b'f', Some(6)),
            _ => self.unsuitable(value, verb),
        }
    }

    fn text(&mut self, value: &Value, text: &[u8], verb: char) {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(text),
            'v' | 's' => self.string(text),
            'x' | 'X' => self.hex_text(text, verb),
            'q' => self.quoted(text),
            _ => self.unsuitable(value, verb),
        }
    }

    fn bytes(&mut self, bytes: &Str, verb: char) {
        match verb {
            's' => self.string(bytes),
            'x' | 'X' => self.hex_text(bytes, verb),
            'q' => self.quoted(bytes),
            'v' if self.flags.sharp_v => {
                self.out.extend_from_slice(if self.depth == 0 { b"[]byte{" } else { b"[]uint8{" });
                self.each(bytes.iter(), b", ", |printer, byte| {
                    printer.hex(Integer::unsigned(u64::from(*byte)), true);
                });
                self.out.push(b'}');
            }
            _ => {
                self.out.push(b'[');
                self.each(bytes.iter(), b" ", |printer, byte| {
                    let byte = Value::Uint(u64::from(*byte), UintType::Uint8);
                    printer.value(&byte, verb);
                });
                self.out.push(b']');
            }
        }
    }

    fn list(&mut self, list: &List, verb: char) {
        let sharp = self.flags.sharp_v;
        if sharp {
            self.out.extend_from_slice(list.type_name().as_bytes());
            if list.is_nil() {
                self.out.extend_from_slice(b"(nil)");
                return;
            }
        }
        self.out.push(if sharp { b'{' } else { b'[' });
        let joint: &[u8] = if sharp { b", " } else { b" " };
        self.nested(|printer| {
            printer.each(list.iter(), joint, |printer, item| printer.value(item, verb))
        });
        self.out.push(if sharp { b'}' } else { b']' });
    }

    fn map(&mut self, map: &Map, verb: char) {
        let sharp = self.flags.sharp_v;
        if sharp {
            self.out.extend_from_slice(map.type_name().as_bytes());
            if map.is_nil() {
                self.out.extend_from_slice(b"(nil)");
                return;
            }
        } else {
            self.out.extend_from_slice(b"map");
        }
        self.out.push(if sharp { b'{' } else { b'[' });
        self.nested(|printer| {
            let mut first = true;
            map.for_each(|key, value| {
                if printer.fault.is_some() {
                    return;
                }
                if !first {
                    printer.out.extend_from_slice(if sharp { b", " } else { b" " });
                }
                first = false;
                printer.value(&Value::Str(key.clone()), verb);
                printer.out.push(b':');
                printer.value(value, verb);
                printer.look_at_limit();
            });
        });
        self.out.push(if sharp { b'}' } else { b']' });
    }

    fn object(&mut self, value: &Value, object: &dyn Object, verb: char) {
        let string_verb = matches!(verb, 'v' | 's' | 'x' | 'X' | 'q');
        if object.is_stringer() && string_verb && !self.complaining && !self.flags.sharp_v {
            let text = object.print();
            self.text(value, text.as_bytes(), verb);
            return;
        }
        if object.kind() == Kind::Ptr && self.depth > 0 {
            match verb {
                'v' => self.address(value),
                'b' | 'o' | 'd' | 'x' | 'X' => {
                    self.integer(value, Integer::unsigned(ADDRESS), verb);
                }
                _ => self.unsuitable(value, verb),
            }
            return;
        }
        if object.kind() == Kind::Complex128 {
            self.complex(value, object, verb);
        } else if let Some(fields) = object.fields() {
            self.structure(object, &fields, verb);
        } else if let Some(entries) = object.entries() {
            self.entries(object, &entries, verb);
        } else if string_verb {
            self.string(object.print().as_bytes());
        } else {
            self.unsuitable(value, verb);
        }
    }

    /// A `complex128`: its fields are the real and the imaginary part.
    fn complex(&mut self, value: &Value, object: &dyn Object, verb: char) {
        let parts = object.fields().unwrap_or_default();
        let suits = matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E');
        let [(_, Value::Float(real)), (_, Value::Float(imaginary))] = &parts[..] else {
            return;
        };
        if !suits {
            self.unsuitable(value, verb);
            return;
        }
        let plus = self.flags.plus;
        self.out.push(b'(');
        self.float(value, *real, verb);
        self.flags.plus = true;
        self.float(value, *imaginary, verb);
        self.flags.plus = plus;
        self.out.extend_from_slice(b"i)");
    }

    fn structure(&mut self, object: &dyn Object, fields: &[(&str, Value)], verb: char) {
        let sharp = self.flags.sharp_v;
        let named = sharp || self.flags.plus_v;
        if object.kind() == Kind::Ptr {
            self.out.push(b'&');
        }
        if sharp {
            self.out.extend_from_slice(object.type_name().trim_start_matches('*').as_bytes());
        }
        self.out.push(b'{');
        let joint: &[u8] = if sharp { b", " } else { b" " };
        self.nested(|printer| {
            printer.each(fields.iter(), joint, |printer, (name, value)| {
                if named {
                    printer.out.extend_from_slice(name.as_bytes());
                    printer.out.push(b':');
                }
                printer.value(value, verb);
            });
        });
        self.out.push(b'}');
    }

    fn entries(&mut self, object: &dyn Object, entries: &[(Value, Value)], verb: char) {
        let sharp = self.flags.sharp_v;
        let is_map = object.kind() == Kind::Map;
        if sharp {
            self.out.extend_from_slice(object.type_name().as_bytes());
        } else if is_map {
            self.out.extend_from_slice(b"map");
        }
        self.out.push(if sharp { b'{' } else { b'[' });
        let joint: &[u8] = if sharp { b", " } else { b" " };
        self.nested(|printer| {
            printer.each(entries.iter(), joint, |printer, (key, value)| {
                if is_map {
                    printer.value(key, verb);
                    printer.out.push(b':');
                }
                printer.value(value, verb);
            });
        });
        self.out.push(if sharp { b'}' } else { b']' });
    }

    /// `%!d(string=x)`.
    fn unsuitable(&mut self, value: &Value, verb: char) {
        let before = std::mem::replace(&mut self.complaining, true);
        self.out.extend_from_slice(b"%!");
        self.out.extend_from_slice(verb.encode_utf8(&mut [0; 4]).as_bytes());
        self.out.push(b'(');
        match value {
            Value::Nil => self.out.extend_from_slice(b"<nil>"),
            _ => {
                self.out.extend_from_slice(value.type_name().as_bytes());
                self.out.push(b'=');
                let depth = std::mem::take(&mut self.depth);
                self.value(value, 'v');
                self.depth = depth;
            }
        }
        self.out.push(b')');
        self.complaining = before;
    }

    /// What stands for an address: it tells one map from another, and is the same in two runs
    /// for nothing else.
    fn address(&mut self, value: &Value) {
        let number = match value {
            Value::Map(map) => map.identity() as u64,
            Value::List(_) | Value::Bytes(_) | Value::Object(_) => ADDRESS,
            Value::Nil
            | Value::Bool(_)
            | Value::Int(..)
            | Value::Uint(..)
            | Value::Float(_)
            | Value::Str(_) => {
                self.unsuitable(value, 'p');
                return;
            }
        };
        let leading = !self.flags.sharp;
        self.hex(Integer::unsigned(number), leading);
    }

    /// A number in hexadecimal, with `0x` or without, whatever the flag `#` says.
    fn hex(&mut self, number: Integer, leading: bool) {
        let before = self.flags;
        self.flags = before.with_sharp(leading);
        number::integer(self, number, 16, false, 'v');
        self.flags = before;
    }

    fn string(&mut self, text: &[u8]) {
        let cut = self.cut(text);
        self.pad(cut);
    }

    fn quoted(&mut self, text: &[u8]) {
        let text = self.cut(text);
        if self.flags.sharp && can_backquote(text) {
            let mut raw = vec![b'`'];
            raw.extend_from_slice(text);
            raw.push(b'`');
            self.pad(&raw);
            return;
        }
        let quoted = match self.escape() {
            Escape::BeyondAscii => quote_to_ascii(text),
            Escape::Unprintable => quote_bytes(text),
        };
        self.pad(quoted.as_bytes());
    }

    fn escape(&self) -> Escape {
        if self.flags.plus { Escape::BeyondAscii } else { Escape::Unprintable }
    }

    /// Bytes in hexadecimal.
    fn hex_text(&mut self, bytes: &[u8], verb: char) {
        let digits: &[u8; 17] =
            if verb == 'x' { b"0123456789abcdefx" } else { b"0123456789ABCDEFX" };
        let Flags { width, precision, minus, sharp, space, .. } = self.flags;
        let bytes = &bytes[..bytes.len().min(precision.unwrap_or(usize::MAX))];
        if bytes.is_empty() {
            self.pad_text_width(width.unwrap_or(0));
            return;
        }
        let mut text = Vec::with_capacity(bytes.len() * 2 + 2);
        for (at, byte) in bytes.iter().enumerate() {
            if space && at > 0 {
                text.push(b' ');
            }
            if sharp && (space || at == 0) {
                text.extend_from_slice(&[b'0', digits[16]]);
            }
            text.push(digits[usize::from(byte >> 4)]);
            text.push(digits[usize::from(byte & 15)]);
        }
        let missing = width.unwrap_or(0).saturating_sub(text.len());
        if !minus {
            self.pad_text_width(missing);
        }
        self.out.extend_from_slice(&text);
        if minus {
            self.pad_text_width(missing);
        }
    }

    /// As many characters as the precision allows.
    fn cut<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.flags.precision else {
            return text;
        };
        let mut length = 0;
        for _ in 0..precision {
            match crate::chars::first_char(&text[length..]) {
                Some((_, bytes)) => length += bytes,
                None => break,
            }
        }
        &text[..length]
    }

    /// Writes a text, padded to the width.
    pub(super) fn pad(&mut self, text: &[u8]) {
        let Some(width) = self.flags.width.filter(|width| *width > 0) else {
            self.out.extend_from_slice(text);
            self.look_at_limit();
            return;
        };
        let missing = width.saturating_sub(char_count(text));
        if self.flags.minus {
            self.out.extend_from_slice(text);
            self.pad_text_width(missing);
        } else {
            self.pad_text_width(missing);
            self.out.extend_from_slice(text);
        }
        self.look_at_limit();
    }

    /// Writes a text, padded to the width with spaces whatever the flag `0` says.
    pub(super) fn pad_with_spaces(&mut self, text: &[u8]) {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.pad(text);
        self.flags.zero = zero;
    }

    pub(super) fn pad_spaces(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(b' ', count));
    }

    pub(super) fn pad_zeros(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(b'0', count));
    }

    fn pad_text_width(&mut self, count: usize) {
        if self.flags.zero && !self.flags.minus {
            self.pad_zeros(count);
        } else {
            self.pad_spaces(count);
        }
    }

    fn each<T>(
        &mut self,
        items: impl Iterator<Item = T>,
        joint: &[u8],
        mut print: impl FnMut(&mut Self, T),
    ) {
        for (at, item) in items.enumerate() {
            if at > 0 {
                self.out.extend_from_slice(joint);
            }
            print(self, item);
            self.look_at_limit();
            if self.fault.is_some() {
                return;
            }
        }
    }

    fn nested(&mut self, print: impl FnOnce(&mut Self)) {
        if self.level >= DEPTH_MAX {
            self.fault = Some(TOO_DEEP);
            return;
        }
        self.depth += 1;
        self.level += 1;
        print(self);
        self.depth -= 1;
        self.level -= 1;
    }

    fn look_at_limit(&mut self) {
        if self.out.len() as u64 > self.limit {
            self.fault = Some(TOO_MUCH_TEXT);
        }
    }
}

/// The character of a number; U+FFFD where there is none.
fn char_of(code: u64) -> char {
    u32::try_from(code).ok().and_then(char::from_u32).unwrap_or('\u{FFFD}')
}

/// `strconv.CanBackquote`.
fn can_backquote(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| {
        text.chars().all(|char| match char {
            '\t' => true,
            '`' | '\u{7F}' | '\u{FEFF}' => false,
            _ => char >= ' ',
        })
    })
}
