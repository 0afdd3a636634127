//! Text to tokens.
//!
//! YAML shows that something was a key only at the `:` after it. The scanner therefore notes
//! each place where a key may have begun, and puts the key's token there when the `:` comes:
//! a token leaves the queue only when no key can begin at it any more.

use std::collections::VecDeque;

use crate::chars::{break_len, byte, count_chars, ends_line, ends_word, is_blank, width};
use crate::error::{Stage, YamlError};
use crate::input::Input;
use crate::token::{Mark, Token, TokenKind};

/// A key is on one line, and its `:` comes within so many characters.
const KEY_CHARS_MAX: u32 = 1024;

/// A place where a key may have begun.
#[derive(Clone, Copy, Debug, Default)]
struct KeyStart {
    possible: bool,
    /// Whether nothing but a key may stand here.
    required: bool,
    /// The number of the token that begins there.
    token: usize,
    mark: Mark,
}

/// How the refusal of a text that is too deep begins.
pub(crate) const TOO_DEEP: &str = "exceeded max depth";

pub(crate) struct Scanner<'a> {
    pub(crate) text: &'a [u8],
    fault: Option<&'a YamlError>,
    ascii: bool,
    pub(crate) pos: usize,
    pub(crate) mark: Mark,
    /// The column of the innermost block collection, −1 outside of all.
    pub(crate) indent: i32,
    indents: Vec<i32>,
    /// One a flow level, the block level first.
    keys: Vec<KeyStart>,
    /// Tokens at which a key may begin, with the level; both ascend.
    keys_by_token: VecDeque<(usize, usize)>,
    pub(crate) key_allowed: bool,
    queue: VecDeque<Token>,
    /// How many tokens left the queue.
    taken: usize,
    depth_max: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(input: &'a Input, depth_max: usize) -> Self {
        Self {
            text: input.text.as_bytes(),
            fault: input.fault.as_ref(),
            ascii: input.ascii,
            pos: 0,
            mark: Mark::default(),
            indent: -1,
            indents: Vec::new(),
            keys: vec![KeyStart::default()],
            keys_by_token: VecDeque::new(),
            key_allowed: true,
            queue: VecDeque::new(),
            taken: 0,
            depth_max,
        }
    }

    /// Returns the next token and leaves it.
    pub(crate) fn peek(&mut self) -> Result<&Token, YamlError> {
        while self.queue.is_empty() || self.head_may_be_key()? {
            self.fetch()?;
        }
        Ok(self.queue.front().expect("the loop ends with a token in the queue"))
    }

    /// Takes the token that was peeked at.
    pub(crate) fn take(&mut self) -> Token {
        self.taken += 1;
        self.queue.pop_front().expect("a token is taken after it was peeked at")
    }

    fn head_may_be_key(&mut self) -> Result<bool, YamlError> {
        while let Some(&(token, level)) = self.keys_by_token.front() {
            if token > self.taken {
                return Ok(false);
            }
            if token == self.taken {
                return match self.keys.get(level) {
                    Some(_) => self.key_is_valid(level),
                    None => Ok(false),
                };
            }
            self.keys_by_token.pop_front();
        }
        Ok(false)
    }

    /// Whether a key can still have begun where this level noted it.
    fn key_is_valid(&mut self, level: usize) -> Result<bool, YamlError> {
        let key = self.keys[level];
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < self.mark.line || key.mark.index + KEY_CHARS_MAX < self.mark.index {
            if key.required {
                return Err(self.error("could not find expected ':'"));
            }
            self.keys[level].possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn flow_level(&self) -> usize {
        self.keys.len() - 1
    }

    pub(crate) fn in_flow(&self) -> bool {
        self.keys.len() > 1
    }

    /// Notes that a key may begin here.
    fn note_key(&mut self) -> Result<(), YamlError> {
        if !self.key_allowed {
            return Ok(());
        }
        let required = !self.in_flow() && self.indent == self.mark.column as i32;
        let token = self.taken + self.queue.len();
        self.drop_key()?;
        let level = self.flow_level();
        self.keys[level] = KeyStart { possible: true, required, token, mark: self.mark };
        self.keys_by_token.push_back((token, level));
        Ok(())
    }

    /// Nothing on this level can be a key any more.
    fn drop_key(&mut self) -> Result<(), YamlError> {
        let level = self.flow_level();
        let key = self.keys[level];
        if key.possible {
            if key.required {
                return Err(self.error("could not find expected ':'"));
            }
            self.keys[level].possible = false;
            self.forget_token(key.token);
        }
        Ok(())
    }

    fn forget_token(&mut self, token: usize) {
        if self.keys_by_token.back().is_some_and(|(noted, _)| *noted == token) {
            self.keys_by_token.pop_back();
        }
    }

    pub(crate) fn error(&self, problem: impl Into<String>) -> YamlError {
        YamlError::at(Stage::Scanner, self.mark.line, self.mark.column, problem)
    }

    /// Refuses to go on where a bad character lies within the next `chars` characters.
    pub(crate) fn guard(&self, chars: usize) -> Result<(), YamlError> {
        match self.fault {
            None => Ok(()),
            Some(_) if count_chars(&self.text[self.pos..]) >= chars => Ok(()),
            Some(fault) => Err(fault.clone()),
        }
    }

    pub(crate) fn here(&self) -> u8 {
        byte(self.text, self.pos)
    }

    pub(crate) fn ahead(&self, bytes: usize) -> u8 {
        byte(self.text, self.pos + bytes)
    }

    /// Goes over one character that is no line break.
    pub(crate) fn skip(&mut self) {
        self.pos = (self.pos + width(self.here())).min(self.text.len());
        self.mark.index += 1;
        self.mark.column += 1;
    }

    /// Goes over characters of this line, up to `end`.
    pub(crate) fn skip_to(&mut self, end: usize) {
        let run = &self.text[self.pos..end];
        let chars = if self.ascii { run.len() } else { count_chars(run) } as u32;
        self.pos = end;
        self.mark.index += chars;
        self.mark.column += chars;
    }

    /// Goes over a line break, if one is here; says what it reads as.
    pub(crate) fn skip_break(&mut self) -> &'static str {
        let bytes = break_len(self.text, self.pos);
        if bytes == 0 {
            return "";
        }
        let reads_as = match (self.here(), self.ahead(2)) {
            (0xE2, 0xA8) => "\u{2028}",
            (0xE2, _) => "\u{2029}",
            _ => "\n",
        };
        self.mark.index += if self.here() == b'\r' { bytes as u32 } else { 1 };
        self.mark.line += 1;
        self.mark.column = 0;
        self.pos += bytes;
        reads_as
    }

    pub(crate) fn skip_blanks(&mut self) {
        while is_blank(self.here()) {
            self.skip();
        }
    }

    pub(crate) fn skip_comment(&mut self) -> Result<(), YamlError> {
        if self.here() == b'#' {
            let mut end = self.pos;
            while !ends_line(self.text, end) {
                end += 1;
            }
            self.skip_to(end);
        }
        self.guard(1)
    }

    /// Whether `---` or `...` stands here as a word at the beginning of a line.
    pub(crate) fn at_document_mark(&self) -> bool {
        self.mark.column == 0
            && matches!(self.text.get(self.pos..self.pos + 3), Some(b"---" | b"..."))
            && ends_word(self.text, self.pos + 3)
    }

    fn fetch(&mut self) -> Result<(), YamlError> {
        self.skip_to_token()?;
        self.close_blocks(self.mark.column as i32);
        self.guard(4)?;
        let here = self.here();
        if here == 0 {
            return self.stream_end();
        }
        if self.mark.column == 0 && here == b'%' {
            self.leave_blocks()?;
            let directive = self.directive()?;
            self.queue.push_back(directive);
            return Ok(());
        }
        if self.at_document_mark() {
            self.leave_blocks()?;
            let kind = if here == b'-' { TokenKind::DocumentStart } else { TokenKind::DocumentEnd };
            return self.push_mark(kind, 3);
        }
        let word_follows = !ends_word(self.text, self.pos + 1);
        match here {
            b'[' => self.flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.flow_start(TokenKind::FlowMappingStart),
            b']' => self.flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.flow_end(TokenKind::FlowMappingEnd),
            b',' => {
                self.drop_key()?;
                self.key_allowed = true;
                self.push_mark(TokenKind::FlowEntry, 1)
            }
            b'-' if !word_follows => self.block_entry(),
            b'?' if self.in_flow() || !word_follows => self.key(),
            b':' if self.in_flow() || !word_follows => self.value(),
            b'*' | b'&' => {
                self.begin_node()?;
                let token = self.anchor(here == b'*')?;
                self.queue.push_back(token);
                Ok(())
            }
            b'!' => {
                self.begin_node()?;
                let token = self.tag()?;
                self.queue.push_back(token);
                Ok(())
            }
            b'|' | b'>' if !self.in_flow() => {
                self.drop_key()?;
                self.key_allowed = true;
                let token = self.block_scalar(here == b'|')?;
                self.queue.push_back(token);
                Ok(())
            }
            b'\'' | b'"' => {
                self.begin_node()?;
                let token = self.quoted_scalar(here == b'\'')?;
                self.queue.push_back(token);
                Ok(())
            }
            _ if self.plain_may_start(here, word_follows) => {
                self.begin_node()?;
                let token = self.plain_scalar()?;
                self.queue.push_back(token);
                Ok(())
            }
            _ => Err(self.error("found character that cannot start any token")),
        }
    }

    fn plain_may_start(&self, here: u8, word_follows: bool) -> bool {
        match here {
            b'-' => !is_blank(self.ahead(1)),
            b'?' | b':' => !self.in_flow() && word_follows,
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
            | b'"' | b'%' | b'@' | b'`' => false,
            _ => !ends_word(self.text, self.pos),
        }
    }

    /// What begins here may be a key; after it none begins.
    fn begin_node(&mut self) -> Result<(), YamlError> {
        self.note_key()?;
        self.key_allowed = false;
        Ok(())
    }

    fn skip_to_token(&mut self) -> Result<(), YamlError> {
        loop {
            self.guard(1)?;
            // A second byte order mark is dropped where the first one was.
            if self.pos == 0 && self.text.starts_with(b"\xEF\xBB\xBF") {
                self.skip();
            }
            while self.here() == b' '
                || (self.here() == b'\t' && (self.in_flow() || !self.key_allowed))
            {
                self.skip();
            }
            self.guard(1)?;
            self.skip_comment()?;
            if break_len(self.text, self.pos) == 0 {
                return Ok(());
            }
            self.guard(2)?;
            self.skip_break();
            if !self.in_flow() {
                self.key_allowed = true;
            }
        }
    }

    fn push_mark(&mut self, kind: TokenKind, chars: usize) -> Result<(), YamlError> {
        let start = self.mark;
        self.skip_to(self.pos + chars);
        self.queue.push_back(Token { kind, start });
        Ok(())
    }

    /// Opens a block collection at `column`, if it lies deeper than the last one.
    fn open_block(
        &mut self,
        column: u32,
        token: Option<usize>,
        kind: TokenKind,
        start: Mark,
    ) -> Result<(), YamlError> {
        if self.in_flow() || self.indent >= column as i32 {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column as i32;
        if self.indents.len() > self.depth_max {
            return Err(self.error(format!("{TOO_DEEP} of {}", self.depth_max)));
        }
        self.insert(token, Token { kind, start });
        Ok(())
    }

    /// Puts a token before token number `number`, or at the end where that one is gone.
    fn insert(&mut self, number: Option<usize>, token: Token) {
        match number.and_then(|number| number.checked_sub(self.taken)) {
            Some(at) if at <= self.queue.len() => self.queue.insert(at, token),
            _ => self.queue.push_back(token),
        }
    }

    fn close_blocks(&mut self, column: i32) {
        if self.in_flow() {
            return;
        }
        while self.indent > column {
            self.queue.push_back(Token { kind: TokenKind::BlockEnd, start: self.mark });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn leave_blocks(&mut self) -> Result<(), YamlError> {
        self.close_blocks(-1);
        self.drop_key()?;
        self.key_allowed = false;
        Ok(())
    }

    fn stream_end(&mut self) -> Result<(), YamlError> {
        if self.mark.column != 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
        self.leave_blocks()?;
        self.queue.push_back(Token { kind: TokenKind::StreamEnd, start: self.mark });
        Ok(())
    }

    fn flow_start(&mut self, kind: TokenKind) -> Result<(), YamlError> {
        self.note_key()?;
        let token = self.taken + self.queue.len();
        self.keys.push(KeyStart { token, ..KeyStart::default() });
        if self.flow_level() > self.depth_max {
            return Err(self.error(format!("{TOO_DEEP} of {}", self.depth_max)));
        }
        self.key_allowed = true;
        self.push_mark(kind, 1)
    }

    fn flow_end(&mut self, kind: TokenKind) -> Result<(), YamlError> {
        self.drop_key()?;
        if self.in_flow()
            && let Some(level) = self.keys.pop()
        {
            // An empty collection noted no key of its own, so that the number is its own
            // token's: what stood before it is forgotten, and `{}: x` is no mapping to Go.
            self.forget_token(level.token);
        }
        self.key_allowed = false;
        self.push_mark(kind, 1)
    }

    fn block_entry(&mut self) -> Result<(), YamlError> {
        if !self.in_flow() {
            if !self.key_allowed {
                return Err(self.error("block sequence entries are not allowed in this context"));
            }
            self.open_block(self.mark.column, None, TokenKind::BlockSequenceStart, self.mark)?;
        }
        self.drop_key()?;
        self.key_allowed = true;
        self.push_mark(TokenKind::BlockEntry, 1)
    }

    fn key(&mut self) -> Result<(), YamlError> {
        if !self.in_flow() {
            if !self.key_allowed {
                return Err(self.error("mapping keys are not allowed in this context"));
            }
            self.open_block(self.mark.column, None, TokenKind::BlockMappingStart, self.mark)?;
        }
        self.drop_key()?;
        self.key_allowed = !self.in_flow();
        self.push_mark(TokenKind::Key, 1)
    }

    fn value(&mut self) -> Result<(), YamlError> {
        let level = self.flow_level();
        if self.key_is_valid(level)? {
            let key = self.keys[level];
            let token = Some(key.token);
            self.insert(token, Token { kind: TokenKind::Key, start: key.mark });
            self.open_block(key.mark.column, token, TokenKind::BlockMappingStart, key.mark)?;
            self.keys[level].possible = false;
            self.forget_token(key.token);
            self.key_allowed = false;
        } else {
            if !self.in_flow() {
                if !self.key_allowed {
                    return Err(self.error("mapping values are not allowed in this context"));
                }
                self.open_block(self.mark.column, None, TokenKind::BlockMappingStart, self.mark)?;
            }
            self.key_allowed = !self.in_flow();
        }
        self.push_mark(TokenKind::Value, 1)
    }
}
