//! JSON values to YAML, byte for byte as `sigs.k8s.io/yaml.Marshal` prints them.
//!
//! Mappings are in natural order, sequences stand at the column of their key, and lines are
//! folded at 80 columns. A string is quoted only where it would read as something else.

mod direct;

use goval::scan::{find_any, find_byte};
use goval::{FloatBits, format_g};
use serde_json::{Map, Number, Value};

use crate::analysis::Analysis;
use crate::chars::{break_len, byte, count_chars, width};
use crate::decode::json_number;
use crate::error::YamlError;
use crate::order;
use crate::read_back::read_back;
use crate::resolve::{Dialect, Scalar, resolve};

pub use direct::to_yaml_of;

/// Columns after which a line is folded at the next blank.
const WIDTH: usize = 80;
/// Columns of one step inwards.
const STEP: i32 = 2;
/// A longer key is written with a `?`.
const SIMPLE_KEY_BYTES_MAX: usize = 128;
const BLANKS: &str = "                                                                ";

/// Prints a value as `sigs.k8s.io/yaml.Marshal` does; the text ends with a line break.
///
/// # Errors
///
/// [`YamlError`] for what Go cannot print either: it reads its own JSON text as YAML first, in
/// which some control characters, and keys of more than 1,024 characters, are not allowed.
pub fn to_yaml(value: &Value) -> Result<String, YamlError> {
    emit(value, Dialect::V2)
}

/// Prints a value as go-yaml v3 does with an indent of 2: sequences stand further in than their
/// key, nothing is folded, and a float is printed as such (`1e+06`). Ends with a line break.
///
/// # Errors
///
/// None today; Go's refuses only what a JSON value cannot hold.
pub fn to_yaml_pretty(value: &Value) -> Result<String, YamlError> {
    emit(value, Dialect::V3)
}

fn emit(value: &Value, dialect: Dialect) -> Result<String, YamlError> {
    let mut emitter = Emitter::new(dialect);
    emitter.node(value, Place::Root)?;
    emitter.write_indent();
    Ok(emitter.out)
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Item,
    /// A key with no `?`, on one line.
    SimpleKey,
    /// A key behind a `?`, or a value.
    InMapping,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

struct Emitter {
    dialect: Dialect,
    out: String,
    /// Characters in the line so far.
    column: usize,
    /// Of the innermost collection; −1 outside of all.
    indent: i32,
    /// Whether a blank or nothing stands before.
    whitespace: bool,
    /// Whether only indentation and indicators stand in the line.
    indention: bool,
}

impl Emitter {
    fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            out: String::with_capacity(256),
            column: 0,
            indent: -1,
            whitespace: true,
            indention: true,
        }
    }

    fn node(&mut self, value: &Value, place: Place) -> Result<(), YamlError> {
        match value {
            Value::Null => self.scalar("null", Style::Plain, place),
            Value::Bool(true) => self.scalar("true", Style::Plain, place),
            Value::Bool(false) => self.scalar("false", Style::Plain, place),
            Value::Number(number) => {
                let text = match self.dialect {
                    Dialect::V2 => number_text(number),
                    Dialect::V3 => own_number_text(number),
                };
                self.scalar(&text, Style::Plain, place);
            }
            Value::String(text) if self.dialect == Dialect::V3 => self.string(text, place),
            Value::String(text) => self.string(&read_back(text)?, place),
            Value::Array(items) => return self.sequence(items, place),
            Value::Object(fields) => return self.mapping(fields),
        }
        Ok(())
    }

    fn sequence(&mut self, items: &[Value], place: Place) -> Result<(), YamlError> {
        if items.is_empty() {
            self.empty("[", "]");
            return Ok(());
        }
        let before = self.enter_sequence(place);
        for item in items {
            self.dash();
            self.node(item, Place::Item)?;
        }
        self.indent = before;
        Ok(())
    }

    fn empty(&mut self, opening: &str, closing: &str) {
        self.indicator(opening, true, true, false);
        self.indicator(closing, false, false, false);
    }

    /// Goes where a sequence's items stand, and says from where.
    fn enter_sequence(&mut self, place: Place) -> i32 {
        let before = self.indent;
        let at_key = place == Place::InMapping && !self.indention && self.dialect == Dialect::V2;
        self.indent = match before {
            ..0 => 0,
            before if at_key => before,
            before => before + STEP,
        };
        before
    }

    fn dash(&mut self) {
        self.write_indent();
        self.indicator("-", true, false, true);
    }

    fn mapping(&mut self, fields: &Map<String, Value>) -> Result<(), YamlError> {
        if fields.is_empty() {
            self.empty("{", "}");
            return Ok(());
        }
        let mut entries = Vec::with_capacity(fields.len());
        for (key, value) in fields {
            let key = match self.dialect {
                Dialect::V2 => crate::read_back::key(key)?,
                Dialect::V3 => key.into(),
            };
            entries.push((key, value));
        }
        let dialect = self.dialect;
        order::sort(&mut entries, |one, other| order::less(&one.0, &other.0, dialect));
        let before = self.enter_mapping();
        for (key, value) in entries {
            self.key(&key);
            self.node(value, Place::InMapping)?;
        }
        self.indent = before;
        Ok(())
    }

    /// Goes where a mapping's keys stand, and says from where.
    fn enter_mapping(&mut self) -> i32 {
        let before = self.indent;
        self.indent = if before < 0 { 0 } else { before + STEP };
        before
    }

    /// A key, and the sign between it and its value.
    fn key(&mut self, key: &str) {
        self.write_indent();
        let analysis = Analysis::of(key, self.dialect);
        if !analysis.multiline && key.len() <= SIMPLE_KEY_BYTES_MAX {
            self.analysed(key, analysis, Place::SimpleKey);
            self.indicator(":", false, false, false);
        } else {
            self.indicator("?", true, false, true);
            self.analysed(key, analysis, Place::InMapping);
            self.write_indent();
            self.indicator(":", true, false, true);
        }
    }

    fn string(&mut self, text: &str, place: Place) {
        self.analysed(text, Analysis::of(text, self.dialect), place);
    }

    fn analysed(&mut self, text: &str, analysis: Analysis, place: Place) {
        let reads_as_text = || {
            // The newer library does not quote what would merge.
            (resolve(self.dialect, text) == Scalar::Str
                || self.dialect == Dialect::V3 && text == "<<")
                && !order::is_base_60(text)
                && !(self.dialect == Dialect::V3 && is_old_bool(text))
        };
        let style = if analysis.multiline && text.contains('\n') {
            Style::Literal
        } else if reads_as_text() {
            Style::Plain
        } else {
            Style::DoubleQuoted
        };
        self.styled(text, style, analysis, place);
    }

    /// A text that reads as itself in the style that is wanted.
    fn scalar(&mut self, text: &str, wanted: Style, place: Place) {
        self.styled(text, wanted, Analysis::of(text, self.dialect), place);
    }

    fn styled(&mut self, text: &str, wanted: Style, analysis: Analysis, place: Place) {
        let key = place == Place::SimpleKey;
        let mut style = if key && analysis.multiline { Style::DoubleQuoted } else { wanted };
        if style == Style::Plain && (!analysis.plain_allowed || (text.is_empty() && key)) {
            style = Style::SingleQuoted;
        }
        if style == Style::SingleQuoted && !analysis.single_quoted_allowed {
            style = Style::DoubleQuoted;
        }
        if style == Style::Literal && (!analysis.block_allowed || key) {
            style = Style::DoubleQuoted;
        }
        let before = self.indent;
        self.indent = if before < 0 { STEP } else { before + STEP };
        match style {
            Style::Plain => self.plain(text, !key),
            Style::SingleQuoted => self.single_quoted(text, !key),
            Style::DoubleQuoted => self.double_quoted(text, !key),
            Style::Literal => self.literal(text),
        }
        self.indent = before;
    }

    /// Whether the line is folded at the next blank.
    fn is_full(&self) -> bool {
        self.dialect == Dialect::V2 && self.column > WIDTH
    }

    fn put(&mut self, char: char) {
        self.out.push(char);
        self.column += 1;
    }

    fn put_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    /// Writes the character at `at`, and says where the next one is.
    fn write(&mut self, text: &str, at: usize) -> usize {
        let end = at + width(text.as_bytes()[at]);
        self.out.push_str(&text[at..end]);
        self.column += 1;
        end
    }

    /// Writes the line break at `at`, and says where the next character is.
    fn write_break(&mut self, text: &str, at: usize) -> usize {
        let end = self.write(text, at);
        self.column = 0;
        end
    }

    /// Goes to the indentation: on this line if nothing else stands there, else on the next.
    fn write_indent(&mut self) {
        let indent = self.indent.max(0) as usize;
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put_break();
        }
        while self.column < indent {
            let some = (indent - self.column).min(BLANKS.len());
            self.out.push_str(&BLANKS[..some]);
            self.column += some;
        }
        self.whitespace = true;
        self.indention = true;
    }

    fn indicator(&mut self, sign: &str, needs_blank: bool, blank: bool, indention: bool) {
        if needs_blank && !self.whitespace {
            self.put(' ');
        }
        self.out.push_str(sign);
        self.column += sign.len();
        self.whitespace = blank;
        self.indention = self.indention && indention;
    }

    fn end_scalar(&mut self) {
        self.whitespace = false;
        self.indention = false;
    }

    fn plain(&mut self, text: &str, folds: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        self.flowing(text, folds, None);
        self.end_scalar();
    }

    fn single_quoted(&mut self, text: &str, folds: bool) {
        self.indicator("'", true, false, false);
        self.flowing(text, folds, Some('\''));
        self.indicator("'", false, false, false);
        self.end_scalar();
    }

    /// Text without escapes: lines are folded at single blanks, line breaks are doubled.
    fn flowing(&mut self, text: &str, folds: bool, quote: Option<char>) {
        let bytes = text.as_bytes();
        if is_one_line(bytes, quote) {
            let fits = !folds || self.dialect == Dialect::V3 || self.column + bytes.len() <= WIDTH;
            match fits {
                true => self.whole(text),
                false => self.words(text, quote.is_some()),
            }
            return;
        }
        let mut blanks = false;
        let mut breaks = false;
        let mut at = 0;
        while at < bytes.len() {
            if bytes[at] == b' ' {
                // Between quotes, blanks at either end stay where they are.
                let inside = quote.is_none() || (at > 0 && at < bytes.len() - 1);
                let folded =
                    folds && !blanks && self.is_full() && inside && byte(bytes, at + 1) != b' ';
                if folded {
                    self.write_indent();
                    at += 1;
                } else {
                    at = self.write(text, at);
                }
                blanks = true;
            } else if break_len(bytes, at) > 0 {
                if !breaks && bytes[at] == b'\n' {
                    self.put_break();
                }
                at = self.write_break(text, at);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                if quote == Some('\'') && bytes[at] == b'\'' {
                    self.put('\'');
                }
                at = self.write(text, at);
                self.indention = false;
                blanks = false;
                breaks = false;
            }
        }
    }

    /// A piece of a line, of ASCII.
    fn whole(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.len();
    }

    /// Words of ASCII in one line, which is folded at single blanks.
    fn words(&mut self, text: &str, quoted: bool) {
        let bytes = text.as_bytes();
        let mut done = 0;
        // Before where a line is full there is no question.
        let mut at = WIDTH.saturating_sub(self.column).min(bytes.len());
        while let Some(blanks) = find_byte(b' ', &bytes[at..]) {
            let blank = at + blanks;
            at = blank + 1;
            let single = (blank == 0 || bytes[blank - 1] != b' ') && byte(bytes, at) != b' ';
            // Between quotes, blanks at either end stay where they are.
            let inside = !quoted || (blank > 0 && at < bytes.len());
            if single && inside && self.column + (blank - done) > WIDTH {
                self.whole(&text[done..blank]);
                self.indention = false;
                self.write_indent();
                done = at;
                at = (done + WIDTH.saturating_sub(self.column)).min(bytes.len());
            }
        }
        self.whole(&text[done..]);
        self.indention = false;
    }

    fn double_quoted(&mut self, text: &str, folds: bool) {
        self.indicator("\"", true, false, false);
        let bytes = text.as_bytes();
        // Go looks for a byte order mark at the beginning whatever character it is at, so that
        // a text with one there is escaped as a whole.
        let marked = text.starts_with('\u{FEFF}');
        let mut blanks = false;
        let mut at = 0;
        while at < bytes.len() {
            let char = text[at..].chars().next().expect("`at` is a character's first byte");
            let escaped = marked
                || !crate::analysis::is_printable(char)
                || break_len(bytes, at) > 0
                || matches!(char, '"' | '\\');
            if escaped {
                self.escape(char);
                at += char.len_utf8();
                blanks = false;
            } else if char == ' ' {
                if folds && !blanks && self.is_full() && at > 0 && at < bytes.len() - 1 {
                    self.write_indent();
                    if byte(bytes, at + 1) == b' ' {
                        self.put('\\');
                    }
                    at += 1;
                } else {
                    at = self.write(text, at);
                }
                blanks = true;
            } else {
                at = self.write(text, at);
                blanks = false;
            }
        }
        self.indicator("\"", false, false, false);
        self.end_scalar();
    }

    fn escape(&mut self, char: char) {
        let before = self.out.len();
        match char {
            '\0' => self.out.push_str("\\0"),
            '\x07' => self.out.push_str("\\a"),
            '\x08' => self.out.push_str("\\b"),
            '\t' => self.out.push_str("\\t"),
            '\n' => self.out.push_str("\\n"),
            '\x0B' => self.out.push_str("\\v"),
            '\x0C' => self.out.push_str("\\f"),
            '\r' => self.out.push_str("\\r"),
            '\x1B' => self.out.push_str("\\e"),
            '"' => self.out.push_str("\\\""),
            '\\' => self.out.push_str("\\\\"),
            '\u{85}' => self.out.push_str("\\N"),
            '\u{A0}' => self.out.push_str("\\_"),
            '\u{2028}' => self.out.push_str("\\L"),
            '\u{2029}' => self.out.push_str("\\P"),
            char => {
                let code = u32::from(char);
                let escaped = match code {
                    0..=0xFF => format!("\\x{code:02X}"),
                    0x100..=0xFFFF => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                };
                self.out.push_str(&escaped);
            }
        }
        self.column += self.out.len() - before;
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|", true, false, false);
        let bytes = text.as_bytes();
        if bytes[0] == b' ' || break_len(bytes, 0) > 0 {
            self.indicator("2", false, false, false);
        }
        match trailing_breaks(text) {
            0 => self.indicator("-", false, false, false),
            1 => {}
            _ => self.indicator("+", false, false, false),
        }
        self.put_break();
        self.indention = true;
        self.whitespace = true;
        let mut breaks = true;
        let mut at = 0;
        while at < bytes.len() {
            if break_len(bytes, at) > 0 {
                at = self.write_break(text, at);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                let end = next_break(bytes, at);
                self.out.push_str(&text[at..end]);
                self.column += count_chars(&bytes[at..end]);
                at = end;
                self.indention = false;
                breaks = false;
            }
        }
    }
}

/// Whether a text is ASCII without line breaks, and without the quote that is doubled.
fn is_one_line(text: &[u8], quote: Option<char>) -> bool {
    let doubled = quote.map_or(b'\n', |_| b'\'');
    text.is_ascii() && find_any([b'\n', b'\r', doubled], text).is_none()
}

/// Where the next line break is, or the end.
fn next_break(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(found) = find_any([b'\n', b'\r', 0xC2, 0xE2], &text[at..]) {
        at += found;
        if break_len(text, at) > 0 {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// How many line breaks end the text, as far as it matters: 0, 1, or 2 for more, which a text
/// of nothing but one break counts as.
fn trailing_breaks(text: &str) -> usize {
    let is_break =
        |char: Option<char>| matches!(char, Some('\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'));
    let mut back = text.chars().rev();
    if !is_break(back.next()) {
        return 0;
    }
    match back.next() {
        None => 2,
        before if is_break(before) => 2,
        Some(_) => 1,
    }
}

/// Words that were booleans in YAML 1.1, and are quoted for who still reads it.
fn is_old_bool(text: &str) -> bool {
    matches!(resolve(Dialect::V2, text), Scalar::Bool(_))
}

/// A number as Go prints it if nothing stands between.
fn own_number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(value) if number.is_f64() => format_g(value, FloatBits::F64),
        _ => number.to_string(),
    }
}

/// A number as Go prints it after reading it from JSON.
fn number_text(number: &Number) -> String {
    if number.is_i64() || number.is_u64() {
        return number.to_string();
    }
    let value = number.as_f64().unwrap_or(f64::NAN);
    match json_number(value) {
        Some(whole) if whole.is_i64() || whole.is_u64() => whole.to_string(),
        _ => format_g(value, FloatBits::F64),
    }
}
