//! A text cut into tokens, in Go's two modes: text, and inside an action.

use goval::scan::{count_byte, find_byte};
use goval::{first_char, is_digit, is_letter, is_print};

/// One token. Its text is `start..end` of the source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// No token but a mistake: see [`Lexer::mistake`].
    Error,
    Bool,
    /// Printable ASCII that means nothing else.
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Keyword(Keyword),
}

/// Words that no function may have as its name, and the dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

const LEFT: &[u8] = b"{{";
const RIGHT: &[u8] = b"}}";

pub(crate) struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
    /// Where the token being read starts.
    start: usize,
    inside_action: bool,
    paren_depth: u32,
    /// Whether `break` and `continue` are keywords: not where functions have these names.
    break_is_keyword: bool,
    continue_is_keyword: bool,
    /// Whether the space behind the action that just ended is dropped.
    trims_next: bool,
    mistake: Option<String>,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t [u8], break_is_keyword: bool, continue_is_keyword: bool) -> Self {
        Self {
            text,
            at: 0,
            start: 0,
            inside_action: false,
            paren_depth: 0,
            break_is_keyword,
            continue_is_keyword,
            trims_next: false,
            mistake: None,
        }
    }

    /// The next token; after a mistake and at the end always the same.
    #[inline(never)]
    pub(crate) fn next(&mut self) -> Token {
        if self.mistake.is_some() {
            return self.token(TokenKind::Eof);
        }
        if self.inside_action {
            let kind = self.action();
            let token = self.token(kind);
            if self.trims_next {
                self.trims_next = false;
                self.at += leading_spaces(self.rest());
                self.ignore();
            }
            return token;
        }
        match self.text() {
            Ok(token) => token,
            Err(message) => {
                let kind = self.failed(message);
                self.token(kind)
            }
        }
    }

    /// What is wrong with the text, once there was a token that is none.
    pub(crate) fn mistake(&self) -> &str {
        self.mistake.as_deref().unwrap_or_default()
    }

    #[cold]
    fn failed(&mut self, message: impl Into<String>) -> TokenKind {
        self.mistake = Some(message.into());
        TokenKind::Error
    }

    /// Ends the token here.
    #[inline]
    fn token(&mut self, kind: TokenKind) -> Token {
        let token = Token { kind, start: self.start as u32, end: self.at as u32 };
        self.start = self.at;
        token
    }

    /// The line on which a byte stands, counted from 1.
    pub(crate) fn line_of(&self, at: u32) -> usize {
        line_of(self.text, at)
    }

    /// Skips what was passed over since the last token.
    fn ignore(&mut self) {
        self.start = self.at;
    }

    fn rest(&self) -> &'t [u8] {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        first_char(self.rest()).map(|(char, _)| char)
    }

    #[inline]
    fn bump(&mut self) -> Option<char> {
        let (char, length) = first_char(self.rest())?;
        self.at += length;
        Some(char)
    }

    /// Text up to the next action, or the delimiter that begins one.
    fn text(&mut self) -> Result<Token, String> {
        loop {
            let rest = self.rest();
            let Some(length) = find(rest, LEFT) else {
                self.at = self.text.len();
                if self.at == self.start {
                    return Ok(self.token(TokenKind::Eof));
                }
                return Ok(self.token(TokenKind::Text));
            };
            if length > 0 {
                let delimiter = self.at + length;
                let mut kept = length;
                if trims_left(&self.text[delimiter + LEFT.len()..]) {
                    kept = length_without_end_spaces(&rest[..length]);
                }
                self.at += kept;
                let token = self.token(TokenKind::Text);
                self.at = delimiter;
                self.ignore();
                if kept > 0 {
                    return Ok(token);
                }
            }
            if let Some(token) = self.left_delimiter()? {
                return Ok(token);
            }
        }
    }

    /// The delimiter, or `None` behind a comment.
    fn left_delimiter(&mut self) -> Result<Option<Token>, String> {
        let marker = if trims_left(&self.rest()[LEFT.len()..]) { 2 } else { 0 };
        if self.rest()[LEFT.len() + marker..].starts_with(b"/*") {
            self.at += LEFT.len() + marker;
            self.ignore();
            self.comment()?;
            return Ok(None);
        }
        self.at += LEFT.len();
        let token = self.token(TokenKind::LeftDelim);
        self.inside_action = true;
        self.at += marker;
        self.ignore();
        self.paren_depth = 0;
        Ok(Some(token))
    }

    fn comment(&mut self) -> Result<(), String> {
        let Some(length) = find(&self.rest()[2..], b"*/") else {
            return Err("unclosed comment".to_owned());
        };
        self.at += 2 + length + 2;
        let Some(trims) = self.right_delimiter() else {
            return Err("comment ends before closing delimiter".to_owned());
        };
        self.at += if trims { 2 } else { 0 } + RIGHT.len();
        if trims {
            self.at += leading_spaces(self.rest());
        }
        self.ignore();
        Ok(())
    }

    /// Whether the right delimiter stands here, and whether it trims.
    #[inline]
    fn right_delimiter(&self) -> Option<bool> {
        let rest = self.rest();
        if !matches!(rest.first(), Some(b'}' | b' ' | b'\t' | b'\r' | b'\n')) {
            return None;
        }
        if trims_right(rest) && rest[2..].starts_with(RIGHT) {
            Some(true)
        } else if rest.starts_with(RIGHT) {
            Some(false)
        } else {
            None
        }
    }

    fn end_action(&mut self, trims: bool) -> TokenKind {
        if trims {
            self.at += 2;
            self.ignore();
        }
        self.at += RIGHT.len();
        self.inside_action = false;
        self.trims_next = trims;
        TokenKind::RightDelim
    }

    /// A token inside an action.
    fn action(&mut self) -> TokenKind {
        match self.text.get(self.at) {
            Some(b'a'..=b'z' | b'A'..=b'Z') => {
                self.at += 1;
                return self.identifier();
            }
            Some(b'.') if !self.text.get(self.at + 1).is_none_or(u8::is_ascii_digit) => {
                self.at += 1;
                return self.field_or_variable(TokenKind::Field);
            }
            _ => {}
        }
        if let Some(trims) = self.right_delimiter() {
            if self.paren_depth > 0 {
                return self.failed("unclosed left paren");
            }
            return self.end_action(trims);
        }
        let Some(char) = self.bump() else {
            return self.failed("unclosed action");
        };
        match char {
            ' ' | '\t' | '\r' | '\n' => self.space(),
            '=' => TokenKind::Assign,
            ':' if self.bump() == Some('=') => TokenKind::Declare,
            ':' => self.failed("expected :="),
            '|' => TokenKind::Pipe,
            '"' => self.quoted(b'"', TokenKind::String, "unterminated quoted string"),
            '\'' => self.quoted(b'\'', TokenKind::CharConstant, "unterminated character constant"),
            '`' => match find(self.rest(), b"`") {
                Some(length) => {
                    self.at += length + 1;
                    TokenKind::RawString
                }
                None => {
                    self.at = self.text.len();
                    self.failed("unterminated raw quoted string")
                }
            },
            '$' => self.field_or_variable(TokenKind::Variable),
            '.' if !self.rest().first().is_none_or(u8::is_ascii_digit) => {
                self.field_or_variable(TokenKind::Field)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.at -= 1;
                self.number()
            }
            '(' => {
                self.paren_depth += 1;
                TokenKind::LeftParen
            }
            ')' if self.paren_depth == 0 => self.failed("unexpected right paren"),
            ')' => {
                self.paren_depth -= 1;
                TokenKind::RightParen
            }
            _ if is_alphanumeric(char) => self.identifier(),
            _ if char.is_ascii() && is_print(char) => TokenKind::Char,
            _ => self.failed(format!("unrecognized character in action: {}", named(char))),
        }
    }

    /// The rest of a run of spaces. The last one may belong to the delimiter.
    fn space(&mut self) -> TokenKind {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.text.get(self.at) {
            self.at += 1;
        }
        let last = self.at - 1;
        let before_delimiter = &self.text[last..];
        if trims_right(before_delimiter) && before_delimiter[2..].starts_with(RIGHT) {
            self.at = last;
            if self.at == self.start {
                return self.end_action(true);
            }
        }
        TokenKind::Space
    }

    fn identifier(&mut self) -> TokenKind {
        self.name();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let name = &self.text[self.start..self.at];
        // None of these words is longer.
        if name.len() > 8 {
            return TokenKind::Identifier;
        }
        match name {
            b"block" => TokenKind::Keyword(Keyword::Block),
            b"break" if self.break_is_keyword => TokenKind::Keyword(Keyword::Break),
            b"continue" if self.continue_is_keyword => TokenKind::Keyword(Keyword::Continue),
            b"define" => TokenKind::Keyword(Keyword::Define),
            b"else" => TokenKind::Keyword(Keyword::Else),
            b"end" => TokenKind::Keyword(Keyword::End),
            b"if" => TokenKind::Keyword(Keyword::If),
            b"nil" => TokenKind::Keyword(Keyword::Nil),
            b"range" => TokenKind::Keyword(Keyword::Range),
            b"template" => TokenKind::Keyword(Keyword::Template),
            b"with" => TokenKind::Keyword(Keyword::With),
            b"true" | b"false" => TokenKind::Bool,
            _ => TokenKind::Identifier,
        }
    }

    /// What follows a `.` or `$`.
    #[inline]
    fn field_or_variable(&mut self, kind: TokenKind) -> TokenKind {
        if self.at_terminator() {
            return match kind {
                TokenKind::Variable => kind,
                _ => TokenKind::Keyword(Keyword::Dot),
            };
        }
        self.name();
        if self.at_terminator() { kind } else { self.bad_character() }
    }

    /// A name ends at what may not end it.
    #[cold]
    fn bad_character(&mut self) -> TokenKind {
        let char = self.peek().map(named).unwrap_or_default();
        self.failed(format!("bad character {char}"))
    }

    /// Whether a name may end here.
    #[inline]
    fn at_terminator(&self) -> bool {
        match self.text.get(self.at) {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'.' | b',' | b'|' | b':' | b')' | b'(') => {
                true
            }
            Some(_) => self.rest().starts_with(RIGHT),
        }
    }

    /// The rest of a literal in `quote`; the parser looks at what is inside.
    fn quoted(&mut self, quote: u8, kind: TokenKind, unterminated: &str) -> TokenKind {
        loop {
            let special = |byte| byte == quote || matches!(byte, b'\\' | b'\n');
            let Some(length) = self.rest().iter().position(|byte| special(*byte)) else {
                self.at = self.text.len();
                return self.failed(unterminated);
            };
            self.at += length;
            match self.bump() {
                Some('\\') => {
                    if let None | Some('\n') = self.bump() {
                        return self.failed(unterminated);
                    }
                }
                Some('\n') => return self.failed(unterminated),
                _ => return kind,
            }
        }
    }

    /// Something like a number; the parser looks closer.
    fn number(&mut self) -> TokenKind {
        let mut good = self.scan_number();
        let mut kind = TokenKind::Number;
        if good && let Some(b'+' | b'-') = self.rest().first() {
            good = self.scan_number() && self.text[self.at - 1] == b'i';
            kind = TokenKind::Complex;
        }
        if good {
            return kind;
        }
        let text = goval::quote_bytes(&self.text[self.start..self.at]);
        self.failed(format!("bad number syntax: {text}"))
    }

    fn scan_number(&mut self) -> bool {
        self.accept(b"+-");
        let mut digits: fn(char) -> bool = |char| char.is_ascii_digit() || char == '_';
        let mut base = 10;
        if self.accept(b"0") {
            if self.accept(b"xX") {
                base = 16;
                digits = |char| char.is_ascii_hexdigit() || char == '_';
            } else if self.accept(b"oO") {
                base = 8;
                digits = |char| char.is_digit(8) || char == '_';
            } else if self.accept(b"bB") {
                base = 2;
                digits = |char| char.is_digit(2) || char == '_';
            }
        }
        self.run(digits);
        if self.accept(b".") {
            self.run(digits);
        }
        let exponent: &[u8] = match base {
            10 => b"eE",
            16 => b"pP",
            _ => b"",
        };
        if self.accept(exponent) {
            self.accept(b"+-");
            self.run(|char| char.is_ascii_digit() || char == '_');
        }
        self.accept(b"i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.bump();
            return false;
        }
        true
    }

    fn accept(&mut self, any_of: &[u8]) -> bool {
        match self.rest().first() {
            Some(byte) if any_of.contains(byte) => {
                self.at += 1;
                true
            }
            _ => false,
        }
    }

    fn run(&mut self, belongs: impl Fn(char) -> bool) {
        loop {
            match self.text.get(self.at) {
                Some(byte) if byte.is_ascii() => {
                    if !belongs(char::from(*byte)) {
                        return;
                    }
                    self.at += 1;
                }
                _ if self.peek().is_some_and(&belongs) => drop(self.bump()),
                _ => return,
            }
        }
    }

    /// The rest of a name.
    fn name(&mut self) {
        loop {
            match self.text.get(self.at) {
                Some(byte) if byte.is_ascii() => {
                    if !IS_NAMES[usize::from(*byte)] {
                        return;
                    }
                    self.at += 1;
                }
                _ if self.peek().is_some_and(is_alphanumeric) => drop(self.bump()),
                _ => return,
            }
        }
    }
}

/// The ASCII bytes of which names are made.
const IS_NAMES: [bool; 256] = {
    let mut is = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        is[byte as usize] = byte == b'_' || byte.is_ascii_alphanumeric();
        byte += 1;
    }
    is
};

#[inline]
fn is_alphanumeric(char: char) -> bool {
    match char.is_ascii() {
        true => char == '_' || char.is_ascii_alphanumeric(),
        false => is_letter(char) || is_digit(char),
    }
}

/// `%#U`.
fn named(char: char) -> String {
    let code = u32::from(char);
    if is_print(char) { format!("U+{code:04X} '{char}'") } else { format!("U+{code:04X}") }
}

/// The line of a text on which a byte stands, counted from 1.
pub(crate) fn line_of(text: &[u8], at: u32) -> usize {
    1 + count_byte(b'\n', &text[..at as usize])
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    let first = what[0];
    let mut from = 0;
    loop {
        from += find_byte(first, &text[from..])?;
        if text[from..].starts_with(what) {
            return Some(from);
        }
        from += 1;
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// `- ` right after the left delimiter.
fn trims_left(text: &[u8]) -> bool {
    matches!(text, [b'-', space, ..] if is_space(*space))
}

/// ` -` right before the right delimiter.
fn trims_right(text: &[u8]) -> bool {
    matches!(text, [space, b'-', ..] if is_space(*space))
}

fn leading_spaces(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_space(**byte)).count()
}

fn length_without_end_spaces(text: &[u8]) -> usize {
    text.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1)
}
