//! Scalars, and the small things with names: anchors, tags and directives.

use crate::chars::{byte, ends_line, ends_word, is_blank, is_tag_mark, is_word, width};
use crate::document::{Style, Text};
use crate::error::YamlError;
use crate::scanner::Scanner;
use crate::token::{Token, TokenKind};

/// Line breaks between two parts of a scalar.
#[derive(Default)]
struct Breaks {
    first: &'static str,
    more: String,
}

impl Breaks {
    /// Adds a break that is not the first.
    fn push(&mut self, reads_as: &str) {
        self.more.push_str(reads_as);
    }

    /// Writes what the breaks fold to, and forgets them.
    fn fold_into(&mut self, out: &mut String) {
        if self.first != "\n" {
            out.push_str(self.first);
            out.push_str(&self.more);
        } else if self.more.is_empty() {
            out.push(' ');
        } else {
            out.push_str(&self.more);
        }
        self.first = "";
        self.more.clear();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomp {
    Clip,
    Strip,
    Keep,
}

impl Scanner<'_> {
    fn str_of(&self, start: usize, end: usize) -> &str {
        std::str::from_utf8(&self.text[start..end])
            .expect("scalars begin and end between characters")
    }

    fn text_or(&self, built: Option<String>, start: usize, end: usize) -> Text {
        match built {
            Some(built) => Text::Owned(built.into()),
            None => Text::Range(start as u32, end as u32),
        }
    }

    pub(crate) fn plain_scalar(&mut self) -> Result<Token, YamlError> {
        let start = self.mark;
        let first = self.pos;
        let indent = (self.indent + 1) as u32;
        let flow = self.in_flow();
        let mut built: Option<String> = None;
        let mut breaks = Breaks::default();
        let mut blank_from = self.pos;
        let mut end = self.pos;
        let mut broken = false;
        loop {
            self.guard(4)?;
            if self.at_document_mark() || self.here() == b'#' {
                break;
            }
            let run = self.pos;
            let stop = self.plain_run_end(flow);
            if stop > run {
                if broken {
                    let built = built.get_or_insert_with(|| self.str_of(first, end).to_owned());
                    breaks.fold_into(built);
                    broken = false;
                } else if let Some(built) = &mut built {
                    built.push_str(self.str_of(blank_from, run));
                }
                if let Some(built) = &mut built {
                    built.push_str(self.str_of(run, stop));
                }
                self.skip_to(stop);
                end = stop;
                self.guard(2)?;
            }
            if !ends_word(self.text, self.pos) || self.here() == 0 {
                break;
            }
            blank_from = self.pos;
            loop {
                if is_blank(self.here()) {
                    if broken && self.here() == b'\t' && self.mark.column < indent {
                        return Err(self.error("found a tab character that violates indentation"));
                    }
                    self.skip();
                } else {
                    self.guard(2)?;
                    match self.skip_break() {
                        "" => break,
                        reads_as if broken => breaks.push(reads_as),
                        reads_as => {
                            breaks.first = reads_as;
                            broken = true;
                        }
                    }
                }
                self.guard(1)?;
            }
            if !flow && self.mark.column < indent {
                break;
            }
        }
        if broken {
            self.key_allowed = true;
        }
        let text = self.text_or(built, first, end);
        Ok(Token { kind: TokenKind::Scalar(text, Style::Plain), start })
    }

    /// Where the characters end that a plain scalar may hold without a blank between them.
    fn plain_run_end(&self, flow: bool) -> usize {
        let mut at = self.pos;
        loop {
            match byte(self.text, at) {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'/' | b'_' => at += 1,
                b':' if ends_word(self.text, at + 1) => return at,
                b',' | b'?' | b'[' | b']' | b'{' | b'}' if flow => return at,
                0 | b' ' | b'\t' | b'\n' | b'\r' => return at,
                0xC2 | 0xE2 if ends_line(self.text, at) => return at,
                lead => at += width(lead),
            }
        }
    }

    pub(crate) fn quoted_scalar(&mut self, single: bool) -> Result<Token, YamlError> {
        let start = self.mark;
        let quote = if single { b'\'' } else { b'"' };
        self.skip();
        let first = self.pos;
        let mut built: Option<String> = None;
        let mut breaks = Breaks::default();
        let end = loop {
            self.guard(4)?;
            if self.at_document_mark() {
                return Err(self.error("found unexpected document indicator"));
            }
            if self.here() == 0 {
                return Err(self.error("found unexpected end of stream"));
            }
            let mut broken = false;
            while !ends_word(self.text, self.pos) {
                let here = self.here();
                if single && here == quote && self.ahead(1) == quote {
                    let built =
                        built.get_or_insert_with(|| self.str_of(first, self.pos).to_owned());
                    built.push('\'');
                    self.skip_to(self.pos + 2);
                } else if here == quote {
                    break;
                } else if !single && here == b'\\' {
                    let mut out = match built.take() {
                        Some(built) => built,
                        None => self.str_of(first, self.pos).to_owned(),
                    };
                    broken = self.escape(&mut out)?;
                    built = Some(out);
                    if broken {
                        break;
                    }
                } else {
                    let run = self.pos;
                    let stop = self.quoted_run_end(quote, single);
                    if let Some(built) = &mut built {
                        built.push_str(self.str_of(run, stop));
                    }
                    self.skip_to(stop);
                }
                self.guard(2)?;
            }
            self.guard(1)?;
            if self.here() == quote {
                break self.pos;
            }
            let blanks = self.pos;
            let mut blanks_end = self.pos;
            loop {
                if is_blank(self.here()) {
                    self.skip();
                    if !broken {
                        blanks_end = self.pos;
                    }
                } else {
                    self.guard(2)?;
                    let before = self.pos;
                    match self.skip_break() {
                        "" => break,
                        reads_as if broken => breaks.push(reads_as),
                        reads_as => {
                            if built.is_none() {
                                built = Some(self.str_of(first, blanks).to_owned());
                            }
                            debug_assert!(before >= blanks);
                            breaks.first = reads_as;
                            broken = true;
                        }
                    }
                }
                self.guard(1)?;
            }
            if let Some(built) = &mut built {
                if broken {
                    breaks.fold_into(built);
                } else {
                    built.push_str(self.str_of(blanks, blanks_end));
                }
            }
        };
        self.skip();
        let text = self.text_or(built, first, end);
        let style = if single { Style::SingleQuoted } else { Style::DoubleQuoted };
        Ok(Token { kind: TokenKind::Scalar(text, style), start })
    }

    fn quoted_run_end(&self, quote: u8, single: bool) -> usize {
        let mut at = self.pos;
        loop {
            match byte(self.text, at) {
                0 | b' ' | b'\t' | b'\n' | b'\r' => return at,
                b'\\' if !single => return at,
                here if here == quote => return at,
                0xC2 | 0xE2 if ends_line(self.text, at) => return at,
                lead => at += width(lead),
            }
        }
    }

    /// Reads `\…`; says whether it was a line break that is to be left out.
    fn escape(&mut self, out: &mut String) -> Result<bool, YamlError> {
        if crate::chars::break_len(self.text, self.pos + 1) > 0 {
            self.guard(3)?;
            self.skip();
            self.skip_break();
            return Ok(true);
        }
        let mut digits = 0;
        out.push(match self.ahead(1) {
            b'0' => '\0',
            b'a' => '\x07',
            b'b' => '\x08',
            b't' | b'\t' => '\t',
            b'n' => '\n',
            b'v' => '\x0B',
            b'f' => '\x0C',
            b'r' => '\r',
            b'e' => '\x1B',
            b' ' => ' ',
            b'"' => '"',
            b'\'' => '\'',
            b'\\' => '\\',
            b'N' => '\u{85}',
            b'_' => '\u{A0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            kind @ (b'x' | b'u' | b'U') => {
                digits = match kind {
                    b'x' => 2,
                    b'u' => 4,
                    _ => 8,
                };
                '\0'
            }
            _ => return Err(self.error("found unknown escape character")),
        });
        self.skip();
        self.skip();
        if digits > 0 {
            out.pop();
            self.guard(digits)?;
            let mut value: u64 = 0;
            for at in 0..digits {
                let Some(digit) = char::from(self.ahead(at)).to_digit(16) else {
                    return Err(self.error("did not find expected hexdecimal number"));
                };
                value = value << 4 | u64::from(digit);
            }
            let char = u32::try_from(value).ok().and_then(char::from_u32);
            out.push(
                char.ok_or_else(|| self.error("found invalid Unicode character escape code"))?,
            );
            self.skip_to(self.pos + digits);
        }
        Ok(false)
    }

    pub(crate) fn block_scalar(&mut self, literal: bool) -> Result<Token, YamlError> {
        let start = self.mark;
        self.skip();
        self.guard(1)?;
        let (chomp, increment) = self.block_header()?;
        self.skip_blanks();
        self.guard(1)?;
        self.skip_comment()?;
        if !ends_line(self.text, self.pos) {
            return Err(self.error("did not find expected comment or line break"));
        }
        self.guard(2)?;
        self.skip_break();
        let mut indent = match increment {
            0 => 0,
            increment => self.indent.max(0) as u32 + increment,
        };
        let mut out = String::new();
        let mut leading: &str = "";
        let mut trailing = String::new();
        let mut was_blank = false;
        self.block_breaks(&mut indent, &mut trailing)?;
        self.guard(1)?;
        while self.mark.column == indent && self.here() != 0 {
            let blank = is_blank(self.here());
            if !literal && !was_blank && !blank && leading == "\n" {
                if trailing.is_empty() {
                    out.push(' ');
                }
            } else {
                out.push_str(leading);
            }
            out.push_str(&trailing);
            trailing.clear();
            was_blank = blank;
            let line = self.pos;
            let mut end = line;
            while !ends_line(self.text, end) {
                end += 1;
            }
            out.push_str(self.str_of(line, end));
            self.skip_to(end);
            self.guard(2)?;
            leading = self.skip_break();
            self.block_breaks(&mut indent, &mut trailing)?;
        }
        if chomp != Chomp::Strip {
            out.push_str(leading);
        }
        if chomp == Chomp::Keep {
            out.push_str(&trailing);
        }
        let style = if literal { Style::Literal } else { Style::Folded };
        Ok(Token { kind: TokenKind::Scalar(Text::Owned(out.into()), style), start })
    }

    /// Reads the signs after `|` or `>`: what to do with the last breaks, and the indentation.
    fn block_header(&mut self) -> Result<(Chomp, u32), YamlError> {
        let mut chomp = None;
        let mut increment = 0;
        for _ in 0..2 {
            match self.here() {
                b'+' if chomp.is_none() => chomp = Some(Chomp::Keep),
                b'-' if chomp.is_none() => chomp = Some(Chomp::Strip),
                b'0' if increment == 0 => {
                    return Err(self.error("found an indentation indicator equal to 0"));
                }
                digit @ b'1'..=b'9' if increment == 0 => increment = u32::from(digit - b'0'),
                _ => break,
            }
            self.skip();
            self.guard(1)?;
        }
        Ok((chomp.unwrap_or(Chomp::Clip), increment))
    }

    /// Goes over empty lines and indentation; finds the indentation where it is not known.
    fn block_breaks(&mut self, indent: &mut u32, breaks: &mut String) -> Result<(), YamlError> {
        let mut deepest = 0;
        loop {
            self.guard(1)?;
            while (*indent == 0 || self.mark.column < *indent) && self.here() == b' ' {
                self.skip();
            }
            self.guard(1)?;
            deepest = deepest.max(self.mark.column);
            if (*indent == 0 || self.mark.column < *indent) && self.here() == b'\t' {
                return Err(
                    self.error("found a tab character where an indentation space is expected")
                );
            }
            self.guard(2)?;
            match self.skip_break() {
                "" => break,
                reads_as => breaks.push_str(reads_as),
            }
        }
        if *indent == 0 {
            *indent = deepest.max((self.indent + 1) as u32).max(1);
        }
        Ok(())
    }

    pub(crate) fn anchor(&mut self, alias: bool) -> Result<Token, YamlError> {
        let start = self.mark;
        self.skip();
        let name = self.word()?;
        let follows = ends_word(self.text, self.pos)
            || matches!(self.here(), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.0 == name.1 || !follows {
            return Err(self.error("did not find expected alphabetic or numeric character"));
        }
        let text = Text::Range(name.0 as u32, name.1 as u32);
        let kind = if alias { TokenKind::Alias(text) } else { TokenKind::Anchor(text) };
        Ok(Token { kind, start })
    }

    /// Goes over letters, digits, `_` and `-`; says from where to where.
    fn word(&mut self) -> Result<(usize, usize), YamlError> {
        self.guard(1)?;
        let first = self.pos;
        while is_word(self.here()) {
            self.skip();
            self.guard(1)?;
        }
        Ok((first, self.pos))
    }

    pub(crate) fn tag(&mut self) -> Result<Token, YamlError> {
        let start = self.mark;
        self.guard(2)?;
        let (handle, suffix) = if self.ahead(1) == b'<' {
            self.skip();
            self.skip();
            let suffix = self.tag_uri("")?;
            if self.here() != b'>' {
                return Err(self.error("did not find the expected '>'"));
            }
            self.skip();
            (String::new(), suffix)
        } else {
            let handle = self.tag_handle(false)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.tag_uri("")?;
                (handle, suffix)
            } else {
                let suffix = self.tag_uri(&handle)?;
                if suffix.is_empty() { (suffix, "!".to_owned()) } else { ("!".to_owned(), suffix) }
            }
        };
        self.guard(1)?;
        if !ends_word(self.text, self.pos) {
            return Err(self.error("did not find expected whitespace or line break"));
        }
        Ok(Token { kind: TokenKind::Tag { handle, suffix }, start })
    }

    fn tag_handle(&mut self, directive: bool) -> Result<String, YamlError> {
        self.guard(1)?;
        if self.here() != b'!' {
            return Err(self.error("did not find expected '!'"));
        }
        let first = self.pos;
        self.skip();
        self.word()?;
        if self.here() == b'!' {
            self.skip();
        } else if directive && self.pos - first > 1 {
            return Err(self.error("did not find expected '!'"));
        }
        Ok(self.str_of(first, self.pos).to_owned())
    }

    /// Reads a tag's name; `handle` was read already and is its beginning.
    fn tag_uri(&mut self, handle: &str) -> Result<String, YamlError> {
        let mut uri = handle.get(1..).unwrap_or("").as_bytes().to_vec();
        let mut any = !handle.is_empty();
        self.guard(1)?;
        loop {
            match self.here() {
                b'%' => self.tag_escape(&mut uri)?,
                here if is_word(here) || is_tag_mark(here) => {
                    uri.push(here);
                    self.skip();
                }
                _ => break,
            }
            any = true;
            self.guard(1)?;
        }
        if !any {
            return Err(self.error("did not find expected tag URI"));
        }
        Ok(String::from_utf8_lossy(&uri).into_owned())
    }

    fn tag_escape(&mut self, uri: &mut Vec<u8>) -> Result<(), YamlError> {
        let mut left = 1;
        let mut first = true;
        while left > 0 {
            self.guard(3)?;
            let digit = |at| char::from(self.ahead(at)).to_digit(16);
            let (b'%', Some(high), Some(low)) = (self.here(), digit(1), digit(2)) else {
                return Err(self.error("did not find URI escaped octet"));
            };
            let octet = (high << 4 | low) as u8;
            if first {
                left = match octet {
                    0x00..=0x7F => 1,
                    0xC0..=0xDF => 2,
                    0xE0..=0xEF => 3,
                    0xF0..=0xF7 => 4,
                    _ => return Err(self.error("found an incorrect leading UTF-8 octet")),
                };
                first = false;
            } else if octet & 0xC0 != 0x80 {
                return Err(self.error("found an incorrect trailing UTF-8 octet"));
            }
            uri.push(octet);
            self.skip_to(self.pos + 3);
            left -= 1;
        }
        Ok(())
    }

    pub(crate) fn directive(&mut self) -> Result<Token, YamlError> {
        let start = self.mark;
        self.skip();
        let name = self.word()?;
        if name.0 == name.1 {
            return Err(self.error("could not find expected directive name"));
        }
        if !ends_word(self.text, self.pos) {
            return Err(self.error("found unexpected non-alphabetical character"));
        }
        let kind = match self.str_of(name.0, name.1) {
            "YAML" => self.version()?,
            "TAG" => self.tag_directive()?,
            _ => return Err(self.error("found unknown directive name")),
        };
        self.guard(1)?;
        self.skip_blanks();
        self.guard(1)?;
        self.skip_comment()?;
        if !ends_line(self.text, self.pos) {
            return Err(self.error("did not find expected comment or line break"));
        }
        self.guard(2)?;
        self.skip_break();
        Ok(Token { kind, start })
    }

    fn version(&mut self) -> Result<TokenKind, YamlError> {
        self.skip_blanks();
        let major = self.version_number()?;
        if self.here() != b'.' {
            return Err(self.error("did not find expected digit or '.' character"));
        }
        self.skip();
        let minor = self.version_number()?;
        Ok(TokenKind::VersionDirective { major, minor })
    }

    fn version_number(&mut self) -> Result<u8, YamlError> {
        self.guard(1)?;
        let mut value = 0;
        let mut digits = 0;
        while self.here().is_ascii_digit() {
            digits += 1;
            if digits > 2 {
                return Err(self.error("found extremely long version number"));
            }
            value = value * 10 + (self.here() - b'0');
            self.skip();
            self.guard(1)?;
        }
        if digits == 0 {
            return Err(self.error("did not find expected version number"));
        }
        Ok(value)
    }

    fn tag_directive(&mut self) -> Result<TokenKind, YamlError> {
        self.skip_blanks();
        let handle = self.tag_handle(true)?;
        self.guard(1)?;
        if !is_blank(self.here()) {
            return Err(self.error("did not find expected whitespace"));
        }
        self.skip_blanks();
        let prefix = self.tag_uri("")?;
        self.guard(1)?;
        if !ends_word(self.text, self.pos) {
            return Err(self.error("did not find expected whitespace or line break"));
        }
        Ok(TokenKind::TagDirective { handle, prefix })
    }
}
