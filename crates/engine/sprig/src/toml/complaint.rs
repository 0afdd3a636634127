//! What the library says of a text that is no TOML.
//!
//! Charts see these words: `fromToml` hands them on as an entry. They name the line, and the key
//! that was read last. Reading itself is done elsewhere; this looks at a text only after it was
//! refused, and finds the first fault.

use std::collections::{BTreeMap, BTreeSet};

use super::forms::{is_time, leads_with_zero, underscores_hold};

/// Returns the complaint about a text that was refused; `None` where no fault is found here.
pub(super) fn complaint(text: &str) -> Option<String> {
    if text.bytes().take(6).any(|byte| byte == 0) {
        let words =
            "files cannot contain NULL bytes; probably using UTF-16; TOML files must be UTF-8";
        return Some(format!("toml: line 1: {words}"));
    }
    let mut look = Look {
        text: text.strip_prefix('\u{feff}').unwrap_or(text),
        at: 0,
        line: 1,
        context: Vec::new(),
        key: String::new(),
        root: Table::new(),
        implicit: BTreeSet::new(),
        arrays: BTreeSet::new(),
    };
    look.document().err()
}

type Table = BTreeMap<String, Node>;
type Path = Vec<String>;

/// What stands under a key, as far as keys that come twice are concerned.
enum Node {
    Value,
    Table(Table),
    Tables(Vec<Table>),
}

struct Look<'a> {
    text: &'a str,
    at: usize,
    /// Of the place that was read last, from 1.
    line: usize,
    /// The table that keys are read into.
    context: Path,
    /// The key whose value is read.
    key: String,
    root: Table,
    /// Tables that stand there only because something lies below them.
    implicit: BTreeSet<Path>,
    /// Keys with a list for a value.
    arrays: BTreeSet<Path>,
}

/// What a text in quotes holds, and the line where it ends.
struct Quoted {
    text: String,
    line: usize,
}

impl Look<'_> {
    fn document(&mut self) -> Result<(), String> {
        loop {
            match self.next()? {
                None => return Ok(()),
                Some(' ' | '\t' | '\n' | '\r') => {}
                Some('#') => self.comment()?,
                Some('[') => {
                    self.header()?;
                    self.line_end()?;
                }
                Some(char) => {
                    self.back(char);
                    let outer = self.context.clone();
                    self.entry()?;
                    self.context = outer;
                    self.key.clear();
                    self.line_end()?;
                }
            }
        }
    }

    fn line_end(&mut self) -> Result<(), String> {
        loop {
            match self.next()? {
                None | Some('\n' | '\r') => return Ok(()),
                Some(' ' | '\t') => {}
                Some('#') => return self.comment(),
                Some(char) => {
                    let quoted = goval::quote_rune(char);
                    return Err(self.error(&format!(
                        "expected a top-level item to end with a newline, comment, or EOF, but got {quoted} instead"
                    )));
                }
            }
        }
    }

    fn comment(&mut self) -> Result<(), String> {
        while let Some(char) = self.next()? {
            if is_break(char) {
                self.back(char);
                break;
            }
        }
        Ok(())
    }

    /// `[a.b]` or `[[a.b]]`, its first bracket read.
    fn header(&mut self) -> Result<(), String> {
        let is_list = self.peek()? == Some('[');
        if is_list {
            self.next()?;
        }
        let mut path = Path::new();
        let mut first_line = None;
        loop {
            self.skip_blanks()?;
            match self.peek()? {
                None | Some(']') => {
                    return Err(self
                        .error_here("unexpected end of table name (table names cannot be empty)"));
                }
                Some('.') => {
                    return Err(
                        self.error_here("unexpected table separator (table names cannot be empty)")
                    );
                }
                _ => path.push(self.name()?),
            }
            first_line.get_or_insert(self.line);
            self.skip_blanks()?;
            match self.next()? {
                Some('.') => {}
                Some(']') => break,
                other => {
                    let got = goval::quote_rune(other.unwrap_or('\0'));
                    let words =
                        format!("expected '.' or ']' to end table name, but got {got} instead");
                    return Err(self.error_or_end(other, &words));
                }
            }
        }
        if is_list {
            let closing = self.next()?;
            if closing != Some(']') {
                let got = goval::quote_rune(closing.unwrap_or('\0'));
                let words = format!(
                    "expected end of table array name delimiter ']', but got {got} instead"
                );
                return Err(self.error_or_end(closing, &words));
            }
        }
        self.enter(&path, is_list, first_line.unwrap_or(self.line))
    }

    /// One part of a key: bare, or in quotes.
    fn name(&mut self) -> Result<String, String> {
        match self.peek()? {
            Some(quote @ ('"' | '\'')) => {
                self.next()?;
                let quoted = if quote == '"' { self.basic()? } else { self.raw()? };
                if quote == '"' { self.unescaped(&quoted) } else { Ok(quoted.text) }
            }
            _ => {
                let start = self.at;
                while let Some(char) = self.next()? {
                    if !is_bare(char) {
                        self.back(char);
                        break;
                    }
                }
                Ok(self.text[start..self.at].to_owned())
            }
        }
    }

    /// A key with its value.
    fn entry(&mut self) -> Result<(), String> {
        match self.peek()? {
            None | Some('=') => {
                return Err(self.error_here("unexpected '=': key name appears blank"));
            }
            Some('.') => {
                return Err(self.error_here("unexpected '.': keys cannot start with a '.'"));
            }
            _ => {}
        }
        let mut path = Path::new();
        let mut first_line = None;
        loop {
            path.push(self.name()?);
            first_line.get_or_insert(self.line);
            self.skip_blanks()?;
            match self.next()? {
                Some('=') => break,
                Some('.') => {}
                None => {
                    return Err(self.error_at_end("unexpected EOF; expected key separator '='"));
                }
                Some(other) => {
                    let words = format!(
                        "expected '.' or '=', but got {} instead",
                        goval::quote_rune(other)
                    );
                    let line = self.line - usize::from(other == '\n');
                    return Err(self.error_on(line, &words));
                }
            }
            self.skip_blanks()?;
            match self.peek()? {
                None | Some('=') => return Err(self.error_here("unexpected '='")),
                Some('.') => return Err(self.error_here("unexpected '.'")),
                _ => {}
            }
        }
        let line = first_line.unwrap_or(self.line);
        self.key = path.pop().unwrap_or_default();
        for part in path {
            let mut deeper = self.context.clone();
            deeper.push(part);
            self.implicit.insert(deeper.clone());
            self.enter(&deeper, false, line)?;
        }
        self.value(false)?;
        let key = self.key.clone();
        self.set(&key, Node::Value, line)
    }

    fn value(&mut self, in_array: bool) -> Result<(), String> {
        self.skip_blanks()?;
        let Some(first) = self.next()? else {
            return Err(self.error_at_end("unexpected EOF; expected value"));
        };
        match first {
            '0'..='9' => {
                self.back(first);
                self.number()
            }
            '[' => self.array(),
            '{' => self.inline_table(in_array),
            '"' | '\'' => self.quoted_value(first),
            '.' => Err(self.error("floats must start with a digit, not '.'")),
            '-' | '+' => self.signed(first),
            'i' | 'n' if self.is_no_number() => {
                self.at += 2;
                Ok(())
            }
            letter if letter.is_alphabetic() => {
                // What was taken for a number is not read again, but for its last letter.
                let start = match letter {
                    'i' | 'n' => self.at + self.tried() - 1,
                    _ => self.at - letter.len_utf8(),
                };
                self.at = start;
                while let Some(char) = self.next()? {
                    if !char.is_alphabetic() {
                        self.back(char);
                        break;
                    }
                }
                match &self.text[start..self.at] {
                    "true" | "false" => Ok(()),
                    word => {
                        let word = goval::quote(word);
                        Err(self.error_here(&format!("expected value but found {word} instead")))
                    }
                }
            }
            other => {
                let words =
                    format!("expected value but found {} instead", goval::quote_rune(other));
                let line = self.line - usize::from(other == '\n');
                Err(self.error_on(line, &words))
            }
        }
    }

    /// Whether the rest of `inf` or `nan` follows.
    fn is_no_number(&self) -> bool {
        let rest = &self.text[self.at..];
        rest.starts_with("nf") || rest.starts_with("an")
    }

    /// How many letters look like the rest of `inf` or `nan` before one that does not.
    fn tried(&self) -> usize {
        let rest = &self.text[self.at..];
        let after = rest.strip_prefix('n').unwrap_or(rest);
        let after = after.strip_prefix('a').unwrap_or(after);
        rest.len() - after.len()
    }

    fn quoted_value(&mut self, quote: char) -> Result<(), String> {
        let rest = &self.text[self.at..];
        let three = rest.starts_with(if quote == '"' { "\"\"" } else { "''" });
        match (quote, three) {
            ('"', true) => {
                self.at += 2;
                let quoted = self.many_lines('"')?;
                self.unescaped(&Quoted { text: without_ends(&quoted.text), line: quoted.line })?;
            }
            ('"', false) => {
                let quoted = self.basic()?;
                self.unescaped(&quoted)?;
            }
            (_, true) => {
                self.at += 2;
                self.many_lines('\'')?;
            }
            _ => {
                self.raw()?;
            }
        }
        Ok(())
    }

    /// A text between `"`, the first one read.
    fn basic(&mut self) -> Result<Quoted, String> {
        let start = self.at;
        loop {
            match self.next()? {
                None => return Err(self.error_at_end("unexpected EOF; expected '\"'")),
                Some('\n' | '\r') => {
                    return Err(self.error_on(self.line - 1, "strings cannot contain newlines"));
                }
                Some('\\') => self.escape(start)?,
                Some('"') => {
                    let text = self.text[start..self.at - 1].to_owned();
                    return Ok(Quoted { text, line: self.line });
                }
                Some(_) => {}
            }
        }
    }

    fn raw(&mut self) -> Result<Quoted, String> {
        let start = self.at;
        loop {
            match self.next()? {
                None => return Err(self.error_at_end("unexpected EOF; expected \"'\"")),
                Some('\n' | '\r') => {
                    return Err(self.error_on(self.line - 1, "strings cannot contain newlines"));
                }
                Some('\'') => {
                    let text = self.text[start..self.at - 1].to_owned();
                    return Ok(Quoted { text, line: self.line });
                }
                Some(_) => {}
            }
        }
    }

    /// A text between three quotes, the first three read. Two more may stand before the last ones.
    fn many_lines(&mut self, quote: char) -> Result<Quoted, String> {
        let start = self.at;
        loop {
            match self.next()? {
                None => {
                    let words = match quote {
                        '"' => "unexpected EOF; expected '\"\"\"'",
                        _ => "unexpected EOF; expected \"'''\"",
                    };
                    return Err(self.error_at_end(words));
                }
                Some('\\') if quote == '"' => match self.peek()? {
                    Some('\n' | '\r') => drop(self.next()?),
                    _ => self.escape(start)?,
                },
                Some(char) if char == quote => {
                    let rest = &self.text[self.at..];
                    let more = rest.chars().take_while(|char| *char == quote).count();
                    if more >= 5 {
                        let words = match quote {
                            '"' => "unexpected '\"\"\"\"\"\"'",
                            _ => "unexpected \"''''''\"",
                        };
                        return Err(self.error_here(words));
                    }
                    self.at += more;
                    if more >= 2 {
                        let text = self.text[start..self.at - 3].to_owned();
                        return Ok(Quoted { text, line: self.line });
                    }
                }
                Some(_) => {}
            }
        }
    }

    /// What follows a `\`; `start` is where the text began.
    fn escape(&mut self, start: usize) -> Result<(), String> {
        let (count, words) = match self.next()? {
            Some('e' | 'b' | 't' | 'n' | 'f' | 'r' | '"' | ' ' | '\t' | '\\') => return Ok(()),
            Some('x') => (2, "two hexadecimal digits after '\\x'"),
            Some('u') => (4, "four hexadecimal digits after '\\u'"),
            Some('U') => (8, "eight hexadecimal digits after '\\U'"),
            other => {
                let line = self.line - usize::from(other.is_none());
                let shown = other.unwrap_or('\0');
                return Err(self.error_on(line, &format!("invalid escape in string '\\{shown}'")));
            }
        };
        for _ in 0..count {
            let digit = self.next()?;
            if !digit.is_some_and(|digit| digit.is_ascii_hexdigit()) {
                let got = goval::quote(&self.text[start..self.at]);
                let words = format!("expected {words}, but got {got} instead");
                return Err(self.error_or_end(digit, &words));
            }
        }
        Ok(())
    }

    /// The text that escapes stand for; only what a key says needs it, and faults.
    fn unescaped(&self, quoted: &Quoted) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = quoted.text.as_str();
        while let Some((before, after)) = rest.split_once('\\') {
            out.push_str(before);
            let Some(code) = after.chars().next() else { break };
            rest = &after[code.len_utf8()..];
            let digits = match code {
                ' ' | '\t' => {
                    return Err(self.error_on(quoted.line, &format!("invalid escape: '\\{code}'")));
                }
                'b' | 't' | 'n' | 'f' | 'r' | 'e' => {
                    out.push(match code {
                        'b' => '\u{8}',
                        't' => '\t',
                        'n' => '\n',
                        'f' => '\u{c}',
                        'r' => '\r',
                        _ => '\u{1b}',
                    });
                    continue;
                }
                'x' => 2,
                'u' => 4,
                'U' => 8,
                other => {
                    out.push(other);
                    continue;
                }
            };
            let Some(hex) = rest.get(..digits) else { break };
            rest = &rest[digits..];
            match u32::from_str_radix(hex, 16).ok().and_then(char::from_u32) {
                Some(char) => out.push(char),
                None => {
                    let words = format!("Escaped character '\\u{hex}' is not valid UTF-8.");
                    return Err(self.error_on(quoted.line, &words));
                }
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    fn signed(&mut self, sign: char) -> Result<(), String> {
        let start = self.at - sign.len_utf8();
        let first = self.next()?;
        match first {
            Some(word @ ('i' | 'n')) => {
                for wanted in if word == 'i' { ['n', 'f'] } else { ['a', 'n'] } {
                    if self.peek()? != Some(wanted) {
                        let got = &self.text[start..self.at];
                        return Err(self.error_here(&format!("invalid float: '{got}'")));
                    }
                    self.next()?;
                }
                Ok(())
            }
            Some('.') => Err(self.error("floats must start with a digit, not '.'")),
            Some(digit @ '0'..='9') => {
                if digit == '0'
                    && let Some(base @ ('b' | 'o' | 'x')) = self.peek()?
                {
                    let got = &self.text[start..self.at];
                    return Err(self.error_here(&format!(
                        "cannot use sign with non-decimal numbers: '{got}{base}'"
                    )));
                }
                self.decimal(start)
            }
            other => {
                let words = format!(
                    "expected a digit but got {}",
                    goval::quote_rune(other.unwrap_or('\0'))
                );
                Err(self.error_or_end(other, &words))
            }
        }
    }

    /// A number or a time that begins with a digit.
    fn number(&mut self) -> Result<(), String> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        if let [b'0', base @ (b'b' | b'o' | b'x'), ..] = rest {
            let (radix, words) = match base {
                b'b' => (2, "a binary"),
                b'o' => (8, "an octal"),
                _ => (16, "a hexadecimal"),
            };
            self.at += 2;
            let digit = self.peek()?;
            if !digit.is_some_and(|digit| digit.is_digit(radix)) {
                let (got, next) = (&self.text[start..self.at], digit.unwrap_or('\0'));
                return Err(self.error_here(&format!("not {words} number: '{got}{next}'")));
            }
            self.take(|char| char == '_' || char.is_digit(radix))?;
            return self.integer(start);
        }
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let starts_a_time = matches!(rest.get(digits), Some(b'-' | b':'));
        // After a zero alone there is no time.
        if starts_a_time && !(digits == 1 && rest[0] == b'0') {
            self.take(|char| char.is_ascii_digit() || "-:Tt .Zz+".contains(char))?;
            return self.time(start);
        }
        self.decimal(start)
    }

    fn decimal(&mut self, start: usize) -> Result<(), String> {
        self.take(|char| char.is_ascii_digit() || char == '_')?;
        if !matches!(self.peek()?, Some('.' | 'e' | 'E')) {
            return self.integer(start);
        }
        self.take(|char| char.is_ascii_digit() || "_.-+eE".contains(char))?;
        let text = &self.text[start..self.at];
        let shown = goval::quote(text);
        let invalid = |why: &str| Err(self.error_here(&format!("Invalid float {shown}: {why}")));
        let parts: Vec<&str> =
            text.split(['.', 'e', 'E']).filter(|part| !part.is_empty()).collect();
        if parts.iter().any(|part| !underscores_hold(part)) {
            return invalid("underscores must be surrounded by digits");
        }
        if parts.first().is_some_and(|part| leads_with_zero(part)) {
            return invalid("cannot have leading zeroes");
        }
        let digit_follows = |part: &str| part.starts_with(|char: char| char.is_ascii_digit());
        if text.split('.').skip(1).any(|part| !digit_follows(part)) {
            return invalid("'.' must be followed by one or more digits");
        }
        match text.replace('_', "").parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(()),
            Ok(_) => Err(self.error_here(&format!("{text} is out of range for float64"))),
            Err(_) => Err(self.error_here(&format!("Invalid float value: {shown}"))),
        }
    }

    fn integer(&mut self, start: usize) -> Result<(), String> {
        let text = &self.text[start..self.at];
        let shown = goval::quote(text);
        let invalid = |why: &str| Err(self.error_here(&format!("Invalid integer {shown}: {why}")));
        if !underscores_hold(text) {
            return invalid("underscores must be surrounded by digits");
        }
        if leads_with_zero(text) {
            return invalid("cannot have leading zeroes");
        }
        let digits = text.replace('_', "");
        let number = match digits.get(..2) {
            Some("0x") => i64::from_str_radix(&digits[2..], 16),
            Some("0o") => i64::from_str_radix(&digits[2..], 8),
            Some("0b") => i64::from_str_radix(&digits[2..], 2),
            _ => digits.parse(),
        };
        match number {
            Ok(_) => Ok(()),
            Err(_) => Err(self.error_here(&format!("{text} is out of range for int64"))),
        }
    }

    fn time(&self, start: usize) -> Result<(), String> {
        let text = self.text[start..self.at].trim();
        let text = text.replace('z', "Z").replace(['t', ' '], "T");
        if is_time(&text) {
            return Ok(());
        }
        Err(self.error_here(&format!("invalid datetime: {}", goval::quote(&text))))
    }

    fn array(&mut self) -> Result<(), String> {
        let path = [self.context.as_slice(), std::slice::from_ref(&self.key)].concat();
        self.arrays.insert(path);
        loop {
            match self.next()? {
                Some(' ' | '\t' | '\n' | '\r') => continue,
                Some('#') => {
                    self.comment()?;
                    continue;
                }
                Some(',') => return Err(self.error("unexpected comma")),
                Some(']') => return Ok(()),
                Some(char) => self.back(char),
                None => {}
            }
            self.value(true)?;
            loop {
                match self.next()? {
                    Some(' ' | '\t' | '\n' | '\r') => {}
                    Some('#') => self.comment()?,
                    Some(',') => break,
                    Some(']') => return Ok(()),
                    other => {
                        let words = format!(
                            "expected a comma (',') or array terminator (']'), but got {}",
                            or_end(other)
                        );
                        return Err(self.error_or_end(other, &words));
                    }
                }
            }
        }
    }

    fn inline_table(&mut self, in_array: bool) -> Result<(), String> {
        let (outer_context, outer_key) = (self.context.clone(), std::mem::take(&mut self.key));
        let mut inside = outer_context.clone();
        inside.push(outer_key.clone());
        self.implicit.insert(inside.clone());
        self.context.clone_from(&inside);
        self.enter(&inside, in_array, self.line)?;
        'entries: loop {
            match self.next()? {
                Some(' ' | '\t' | '\n' | '\r') => continue,
                Some('#') => {
                    self.comment()?;
                    continue;
                }
                Some(',') => return Err(self.error("unexpected comma")),
                Some('}') => break,
                Some(char) => self.back(char),
                None => {}
            }
            self.entry()?;
            self.context.clone_from(&inside);
            loop {
                match self.next()? {
                    Some(' ' | '\t' | '\n' | '\r') => {}
                    Some('#') => self.comment()?,
                    Some(',') => {
                        self.skip_blanks()?;
                        if self.peek()? != Some('}') {
                            break;
                        }
                    }
                    Some('}') => break 'entries,
                    other => {
                        let words = format!(
                            "expected a comma or an inline table terminator '}}', but got {} instead",
                            or_end(other)
                        );
                        return Err(self.error_or_end(other, &words));
                    }
                }
            }
        }
        self.context = outer_context;
        self.key = outer_key;
        Ok(())
    }

    /// Makes a table the one that keys are read into; tables above it come to be by that.
    fn enter(&mut self, path: &[String], is_list: bool, line: usize) -> Result<(), String> {
        let Some((last, parents)) = path.split_last() else { return Ok(()) };
        for length in 1..=parents.len() {
            let parent = &path[..length];
            let Some(above) = table_at(&mut self.root, &parent[..length - 1]) else { break };
            let name = &parent[length - 1];
            if !above.contains_key(name) {
                above.insert(name.clone(), Node::Table(Table::new()));
                self.implicit.insert(parent.to_vec());
            } else if matches!(above.get(name), Some(Node::Value)) {
                let words = format!("Key '{}' was already created as a hash.", shown(parent));
                return Err(self.error_on(line, &words));
            }
        }
        self.context = parents.to_vec();
        if !is_list {
            self.set(last, Node::Table(Table::new()), line)?;
        } else if let Some(above) = table_at(&mut self.root, parents) {
            let node = above.entry(last.clone()).or_insert_with(|| Node::Tables(Vec::new()));
            if let Node::Tables(tables) = node {
                tables.push(Table::new());
            } else {
                let words = format!(
                    "Key '{}' was already created and cannot be used as an array.",
                    shown(path)
                );
                return Err(self.error_on(line, &words));
            }
        }
        self.context.push(last.clone());
        Ok(())
    }

    /// Puts something under a key; what stands there only by implication may come to be.
    fn set(&mut self, key: &str, node: Node, line: usize) -> Result<(), String> {
        let path = [self.context.as_slice(), &[key.to_owned()]].concat();
        let is_array = self.arrays.contains(&path);
        let Some(table) = table_at(&mut self.root, &self.context) else {
            let taken = (1..=self.context.len())
                .find(|length| table_at(&mut self.root, &self.context[..*length]).is_none());
            let words = format!(
                "Key '{}' has already been defined.",
                shown(&self.context[..taken.unwrap_or(self.context.len())])
            );
            return Err(self.error_on(line, &words));
        };
        if !table.contains_key(key) {
            table.insert(key.to_owned(), node);
            return Ok(());
        }
        if !self.implicit.remove(&path) {
            let words = format!("Key '{}' has already been defined.", shown(&path));
            return Err(self.error_on(line, &words));
        }
        if is_array {
            table.insert(key.to_owned(), node);
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<char>, String> {
        let Some(char) = self.text[self.at..].chars().next() else { return Ok(None) };
        let lone_return = char == '\r' && self.text.as_bytes().get(self.at + 1) != Some(&b'\n');
        let is_control = char.is_ascii_control() && !matches!(char, '\t' | '\r' | '\n');
        if lone_return || is_control {
            return Err(self.error_here(&format!(
                "TOML files cannot contain control characters: '0x{:02x}'",
                u32::from(char)
            )));
        }
        self.at += char.len_utf8();
        self.line += usize::from(char == '\n');
        Ok(Some(char))
    }

    fn back(&mut self, char: char) {
        self.at -= char.len_utf8();
        self.line -= usize::from(char == '\n');
    }

    fn peek(&mut self) -> Result<Option<char>, String> {
        let char = self.next()?;
        if let Some(char) = char {
            self.back(char);
        }
        Ok(char)
    }

    fn skip_blanks(&mut self) -> Result<(), String> {
        while let Some(' ' | '\t') = self.peek()? {
            self.next()?;
        }
        Ok(())
    }

    /// Reads characters of ASCII while they fit, and looks at the one after them.
    fn take(&mut self, fits: impl Fn(char) -> bool) -> Result<(), String> {
        self.at += self.text[self.at..].chars().take_while(|char| fits(*char)).count();
        self.peek().map(drop)
    }

    fn error(&self, words: &str) -> String {
        self.error_on(self.line, words)
    }

    /// As [`Self::error`], for what was only looked at.
    fn error_here(&self, words: &str) -> String {
        self.error_on(self.line, words)
    }

    /// At the text's end: an empty last line is not counted.
    fn error_at_end(&self, words: &str) -> String {
        let after_break = self.text[..self.at].ends_with('\n');
        self.error_on(self.line - usize::from(after_break), words)
    }

    fn error_or_end(&self, read: Option<char>, words: &str) -> String {
        if read.is_none() { self.error_at_end(words) } else { self.error(words) }
    }

    fn error_on(&self, line: usize, words: &str) -> String {
        let context = shown(&self.context);
        let last = match (self.context.is_empty(), self.key.is_empty()) {
            (_, true) => context,
            (true, false) => self.key.clone(),
            (false, false) => format!("{context}.{}", self.key),
        };
        if last.is_empty() {
            return format!("toml: line {line}: {words}");
        }
        format!("toml: line {line} (last key {}): {words}", goval::quote(&last))
    }
}

/// The table at a path, the last one of a list; `None` where something else stands there.
fn table_at<'t>(root: &'t mut Table, path: &[String]) -> Option<&'t mut Table> {
    path.iter().try_fold(root, |table, name| match table.get_mut(name)? {
        Node::Table(table) => Some(table),
        Node::Tables(tables) => tables.last_mut(),
        Node::Value => None,
    })
}

fn is_break(char: char) -> bool {
    matches!(char, '\n' | '\r')
}

fn is_bare(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '-')
}

/// A path as messages show it: names that are not bare stand in quotes.
fn shown(path: &[String]) -> String {
    let part = |name: &String| match !name.is_empty() && name.chars().all(is_bare) {
        true => name.clone(),
        false => format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
    };
    path.iter().map(part).collect::<Vec<_>>().join(".")
}

fn or_end(char: Option<char>) -> String {
    char.map_or("end of file".to_owned(), |char| format!("'{char}'"))
}

/// A text of many lines without the ends of lines that a `\` takes away.
fn without_ends(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let blank = after.len() - after.trim_start_matches([' ', '\t', '\r', '\n']).len();
        if after[..blank].contains('\n') {
            rest = &after[blank..];
            continue;
        }
        out.push('\\');
        let next = after.chars().next().map_or(0, char::len_utf8);
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    out.push_str(rest);
    out
}
