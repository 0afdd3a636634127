//! The language of label selectors: `a=b,c in (d,e),!f`.

/// One requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) key: String,
    pub(super) operator: Operator,
    /// As they stand, without those that stand twice.
    pub(super) values: Vec<String>,
}

/// What a requirement says of the label's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Exists,
    DoesNotExist,
    In,
    NotIn,
    Greater,
    Less,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Word,
    In,
    NotIn,
    Equals,
    NotEquals,
    Greater,
    Less,
    Not,
    Open,
    Close,
    Comma,
    End,
    Wrong,
}

/// Reads a selector.
///
/// # Errors
///
/// The server's words.
pub(super) fn parse(text: &str) -> Result<Vec<Rule>, String> {
    let mut parser = Parser { tokens: scan(text), at: 0 };
    let mut rules = Vec::new();
    loop {
        let (token, found) = parser.peek();
        match token {
            Token::Word | Token::Not => {}
            Token::End => return Ok(rules),
            _ => {
                return Err(format!(
                    "found '{found}', expected: !, identifier, or 'end of string'"
                ));
            }
        }
        let rule = parser.rule().map_err(|why| format!("unable to parse requirement: {why}"))?;
        rules.push(rule);
        match parser.next() {
            (Token::End, _) => return Ok(rules),
            (Token::Comma, _) => {
                let (after, found) = parser.peek();
                if !matches!(after, Token::Word | Token::Not) {
                    return Err(format!("found '{found}', expected: identifier after ','"));
                }
            }
            (_, found) => return Err(format!("found '{found}', expected: ',' or 'end of string'")),
        }
    }
}

struct Parser {
    tokens: Vec<(Token, String)>,
    at: usize,
}

impl Parser {
    /// The token here, `in` and `notin` being words.
    fn peek(&self) -> (Token, String) {
        let (token, text) = self.raw();
        match token {
            Token::In | Token::NotIn => (Token::Word, text),
            token => (token, text),
        }
    }

    fn raw(&self) -> (Token, String) {
        self.tokens.get(self.at).cloned().unwrap_or((Token::End, String::new()))
    }

    fn next(&mut self) -> (Token, String) {
        let found = self.peek();
        self.at += 1;
        found
    }

    fn rule(&mut self) -> Result<Rule, String> {
        let (mut token, mut key) = self.next();
        let absent = token == Token::Not;
        if absent {
            (token, key) = self.next();
        }
        if token != Token::Word {
            return Err(format!("found '{key}', expected: identifier"));
        }
        refuse("<nil>", &key, kubevalid::qualified(&key))?;
        let ends = matches!(self.peek().0, Token::End | Token::Comma);
        if absent || ends {
            let operator = if absent { Operator::DoesNotExist } else { Operator::Exists };
            return Ok(Rule { key, operator, values: Vec::new() });
        }
        let (token, found) = self.raw();
        self.at += 1;
        let (operator, values) = match token {
            Token::In => (Operator::In, self.values()?),
            Token::NotIn => (Operator::NotIn, self.values()?),
            Token::Equals => (Operator::In, vec![self.value()?]),
            Token::NotEquals => (Operator::NotIn, vec![self.value()?]),
            Token::Greater => (Operator::Greater, vec![self.value()?]),
            Token::Less => (Operator::Less, vec![self.value()?]),
            _ => {
                return Err(format!("found '{found}', expected: in, notin, =, ==, !=, gt, lt"));
            }
        };
        check(&key, operator, &values)?;
        Ok(Rule { key, operator, values })
    }

    fn value(&mut self) -> Result<String, String> {
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Ok(String::new());
        }
        match self.next() {
            (Token::Word, text) => Ok(text),
            (_, found) => Err(format!("found '{found}', expected: identifier")),
        }
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        if let (token, found) = self.next()
            && token != Token::Open
        {
            return Err(format!("found '{found}' expected: '('"));
        }
        let mut values = Vec::new();
        match self.peek() {
            (Token::Word | Token::Comma, _) => self.list(&mut values)?,
            (Token::Close, _) => {}
            (_, found) => return Err(format!("found '{found}', expected: ',', ')' or identifier")),
        }
        match self.next() {
            (Token::Close, _) => {}
            (_, found) => return Err(format!("found '{found}', expected: ')'")),
        }
        values.sort();
        values.dedup();
        Ok(values)
    }

    fn list(&mut self, values: &mut Vec<String>) -> Result<(), String> {
        loop {
            match self.next() {
                (Token::Word, text) => {
                    values.push(text);
                    match self.peek() {
                        (Token::Comma, _) => {}
                        (Token::Close, _) => return Ok(()),
                        (_, found) => return Err(format!("found '{found}', expected: ',' or ')'")),
                    }
                }
                (Token::Comma, _) => {
                    if values.is_empty() {
                        values.push(String::new());
                    }
                    match self.peek().0 {
                        Token::Close => {
                            values.push(String::new());
                            return Ok(());
                        }
                        Token::Comma => {
                            self.at += 1;
                            values.push(String::new());
                        }
                        _ => {}
                    }
                }
                (_, found) => return Err(format!("found '{found}', expected: ',', or identifier")),
            }
        }
    }
}

fn check(key: &str, operator: Operator, values: &[String]) -> Result<(), String> {
    let mut wrong = Vec::new();
    if matches!(operator, Operator::Greater | Operator::Less) {
        for (at, value) in values.iter().enumerate().filter(|(_, v)| v.parse::<i64>().is_err()) {
            wrong.push(format!(
                "values[{at}]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer"
            ));
        }
    }
    for (at, value) in values.iter().enumerate() {
        let refused = refuse(&format!("values[{at}][{key}]"), value, kubevalid::label_value(value));
        wrong.extend(refused.err());
    }
    match wrong.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        many => Err(format!("[{}]", many.join(", "))),
    }
}

fn refuse(path: &str, value: &str, refusals: Vec<String>) -> Result<(), String> {
    match refusals.is_empty() {
        true => Ok(()),
        false => Err(format!("{path}: Invalid value: \"{value}\": {}", refusals.join("; "))),
    }
}

fn is_sign(c: char) -> bool {
    matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

fn scan(text: &str) -> Vec<(Token, String)> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let Some(first) = rest.chars().next() else { return tokens };
        let length = match is_sign(first) {
            true if rest.starts_with("==") || rest.starts_with("!=") => 2,
            true => 1,
            false => {
                rest.find(|c: char| is_sign(c) || c.is_ascii_whitespace()).unwrap_or(rest.len())
            }
        };
        let (word, after) = rest.split_at(length);
        let token = match word {
            "=" | "==" => Token::Equals,
            "!=" => Token::NotEquals,
            ">" => Token::Greater,
            "<" => Token::Less,
            "!" => Token::Not,
            "(" => Token::Open,
            ")" => Token::Close,
            "," => Token::Comma,
            "in" => Token::In,
            "notin" => Token::NotIn,
            _ if is_sign(first) => Token::Wrong,
            _ => Token::Word,
        };
        tokens.push((token, word.to_owned()));
        rest = after;
    }
}
