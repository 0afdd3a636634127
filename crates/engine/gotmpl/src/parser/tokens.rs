//! Looking ahead, and what is said about tokens that are out of place.

use crate::error::ParseError;
use crate::lexer::{Token, TokenKind};

use super::{Parser, Scope};

/// Stands where no token was read yet.
const NONE: Token = Token { kind: TokenKind::Eof, start: u32::MAX, end: u32::MAX };

/// Up to three tokens that were read and given back.
pub(super) struct Tokens {
    /// The last one read stands first.
    held: [Token; 3],
    given_back: usize,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { held: [NONE; 3], given_back: 0 }
    }
}

impl Tokens {
    pub(super) fn back_up_two(&mut self, earlier: Token) {
        self.held[1] = earlier;
        self.given_back = 2;
    }

    pub(super) fn back_up_three(&mut self, earliest: Token, earlier: Token) {
        self.held[1] = earlier;
        self.held[2] = earliest;
        self.given_back = 3;
    }
}

impl Parser<'_> {
    #[inline]
    pub(super) fn scope(&mut self) -> &mut Scope {
        &mut self.scope
    }

    #[inline]
    pub(super) fn next(&mut self) -> Token {
        let tokens = &mut self.scope.tokens;
        if tokens.given_back > 0 {
            tokens.given_back -= 1;
            return tokens.held[tokens.given_back];
        }
        let token = self.lexer.next();
        tokens.held[0] = token;
        token
    }

    #[inline]
    pub(super) fn back_up(&mut self) {
        self.scope().tokens.given_back += 1;
    }

    #[inline]
    pub(super) fn peek(&mut self) -> Token {
        let token = self.next();
        self.back_up();
        token
    }

    pub(super) fn next_non_space(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != TokenKind::Space {
                return token;
            }
        }
    }

    pub(super) fn peek_non_space(&mut self) -> Token {
        let token = self.next_non_space();
        self.back_up();
        token
    }

    pub(super) fn expect(&mut self, kind: &TokenKind, context: &str) -> Result<Token, ParseError> {
        let token = self.next_non_space();
        if token.kind == *kind { Ok(token) } else { Err(self.unexpected(&token, context)) }
    }

    /// The token's text in the source.
    pub(super) fn source(&self, token: &Token) -> &[u8] {
        &self.ast.text[token.start as usize..token.end as usize]
    }

    /// Where the token begins that was read last.
    pub(super) fn last_start(&self) -> u32 {
        self.scope.tokens.held[0].start
    }

    /// The line that errors name: of the token read last.
    fn last_line(&self) -> usize {
        match self.last_start() {
            u32::MAX => 0,
            start => self.lexer.line_of(start),
        }
    }

    #[cold]
    pub(super) fn error(&mut self, message: &str) -> ParseError {
        ParseError { line: self.last_line(), message: message.to_owned(), action_line: None }
    }

    pub(super) fn unexpected(&mut self, token: &Token, context: &str) -> ParseError {
        if token.kind == TokenKind::Error {
            let line = self.lexer.line_of(token.start);
            let started = self.scope.action_at.map(|at| self.lexer.line_of(at));
            let started = started.filter(|started| *started != line);
            let message = self.lexer.mistake().to_owned();
            let mut error = self.error(&message);
            error.action_line = started;
            return error;
        }
        let shown = match &token.kind {
            TokenKind::Eof => "EOF".to_owned(),
            TokenKind::Keyword(_) => format!("<{}>", String::from_utf8_lossy(self.source(token))),
            _ => quoted_beginning(self.source(token)),
        };
        self.error(&format!("unexpected {shown} in {context}"))
    }
}

/// A text in quotes, or its first ten characters where it is longer than ten bytes.
fn quoted_beginning(text: &[u8]) -> String {
    if text.len() <= 10 {
        return goval::quote_bytes(text);
    }
    let mut length = 0;
    for _ in 0..10 {
        length += goval::first_char(&text[length..]).map_or(0, |(_, bytes)| bytes);
    }
    format!("{}...", goval::quote_bytes(&text[..length]))
}
