//! Looking ahead, and what is said about tokens that are out of place.

use crate::error::ParseError;
use crate::lexer::{Token, TokenKind};

use super::{Parser, Scope};

/// Up to three tokens that were read and given back.
#[derive(Default)]
pub(super) struct Tokens {
    /// The last one read stands first.
    held: [Option<Token>; 3],
    given_back: usize,
}

impl Tokens {
    pub(super) fn back_up_two(&mut self, earlier: Token) {
        self.held[1] = Some(earlier);
        self.given_back = 2;
    }

    pub(super) fn back_up_three(&mut self, earliest: Token, earlier: Token) {
        self.held[1] = Some(earlier);
        self.held[2] = Some(earliest);
        self.given_back = 3;
    }

    /// The line that errors name: of the token read last.
    pub(super) fn last_line(&self) -> usize {
        self.held[0].as_ref().map_or(0, |token| token.line as usize)
    }
}

impl Parser<'_> {
    pub(super) fn scope(&mut self) -> &mut Scope {
        self.scopes.last_mut().expect("the main scope is never left")
    }

    pub(super) fn next(&mut self) -> Token {
        let tokens = &mut self.scopes.last_mut().expect("the main scope is never left").tokens;
        if tokens.given_back > 0 {
            tokens.given_back -= 1;
        } else {
            tokens.held[0] = Some(self.lexer.next());
        }
        tokens.held[tokens.given_back].expect("what was given back was read before")
    }

    pub(super) fn back_up(&mut self) {
        self.scope().tokens.given_back += 1;
    }

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

    pub(super) fn error(&mut self, message: &str) -> ParseError {
        ParseError {
            line: self.scope().tokens.last_line(),
            message: message.to_owned(),
            action_line: None,
        }
    }

    pub(super) fn unexpected(&mut self, token: &Token, context: &str) -> ParseError {
        if token.kind == TokenKind::Error {
            let started = self.scope().action_line.filter(|line| *line != token.line);
            let message = self.lexer.mistake().to_owned();
            let mut error = self.error(&message);
            error.action_line = started.map(|line| line as usize);
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
