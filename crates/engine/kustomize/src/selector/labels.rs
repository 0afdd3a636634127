//! Selectors by label: `app=web, tier in (a, b), !old, weight>3`.

use super::raw_text;
use crate::error::KustomizeError;
use crate::node::{Mapping, Node};

/// What labels must say; no requirement means any.
#[derive(Debug, Default)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Debug)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Greater,
    Less,
}

impl LabelSelector {
    /// Reads a selector.
    ///
    /// # Errors
    ///
    /// What is no selector, in the words of Kubernetes.
    pub fn parse(text: &str) -> Result<Self, KustomizeError> {
        let mut parser = Parser { tokens: tokens(text), at: 0 };
        let requirements = parser.selector().map_err(KustomizeError::said)?;
        Ok(Self { requirements })
    }

    /// Whether labels meet every requirement.
    pub fn matches(&self, labels: Option<&Node>) -> bool {
        let labels = labels.and_then(Node::as_mapping);
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }
}

impl Requirement {
    fn matches(&self, labels: Option<&Mapping>) -> bool {
        let value = labels.and_then(|labels| labels.get(&self.key)).map(raw_text);
        let is_one = |value: &str| self.values.iter().any(|one| one == value);
        let compares = |value: &str| {
            let (value, limit) = (value.parse::<i64>().ok()?, self.values.first()?.parse().ok()?);
            Some(value.cmp(&limit))
        };
        match self.operator {
            Operator::In => value.is_some_and(is_one),
            Operator::NotIn => !value.is_some_and(is_one),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Greater => value.and_then(compares).is_some_and(|order| order.is_gt()),
            Operator::Less => value.and_then(compares).is_some_and(|order| order.is_lt()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    End,
    /// `!`, `=`, `==`, `!=`, `<`, `>`, `(`, `)`, `,`
    Sign(&'static str),
    /// A key or a value; `in` and `notin` too.
    Word(String),
    /// Signs that mean nothing together.
    Bad(String),
}

impl Token {
    fn text(&self) -> String {
        match self {
            Token::End => String::new(),
            Token::Sign(sign) => (*sign).to_owned(),
            Token::Word(word) => word.clone(),
            Token::Bad(signs) => format!("error expected: keyword found '{signs}'"),
        }
    }
}

const SIGNS: [&str; 9] = ["==", "!=", "=", "!", "<", ">", "(", ")", ","];

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    // A zero byte ends the text, as upstream.
    let mut rest = text.split('\0').next().unwrap_or_default();
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        if rest.is_empty() {
            tokens.push(Token::End);
            return tokens;
        }
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
            continue;
        }
        let ends = |char: char| "=!(),<> \t\r\n".contains(char);
        let end = rest.find(ends).unwrap_or(rest.len());
        tokens.push(if end == 0 {
            Token::Bad(rest.to_owned())
        } else {
            Token::Word(rest[..end].to_owned())
        });
        rest = &rest[end.max(1).min(rest.len())..];
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn look(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&Token::End)
    }

    fn take(&mut self) -> Token {
        let token = self.look().clone();
        self.at += 1;
        token
    }

    fn selector(&mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        loop {
            match self.look() {
                Token::End => return Ok(requirements),
                Token::Word(_) | Token::Sign("!") => {}
                other => {
                    let found = other.text();
                    return Err(format!(
                        "found '{found}', expected: !, identifier, or 'end of string'"
                    ));
                }
            }
            let requirement = self.requirement();
            requirements.push(
                requirement.map_err(|reason| format!("unable to parse requirement: {reason}"))?,
            );
            match self.take() {
                Token::End => return Ok(requirements),
                Token::Sign(",") => match self.look() {
                    Token::Word(_) | Token::Sign("!") => {}
                    other => {
                        let found = other.text();
                        return Err(format!("found '{found}', expected: identifier after ','"));
                    }
                },
                other => {
                    let found = other.text();
                    return Err(format!("found '{found}', expected: ',' or 'end of string'"));
                }
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let mut token = self.take();
        let denied = token == Token::Sign("!");
        if denied {
            token = self.take();
        }
        let Token::Word(key) = token else {
            return Err(format!("found '{}', expected: identifier", token.text()));
        };
        check_key(&key)?;
        let alone = matches!(self.look(), Token::End | Token::Sign(","));
        if denied || alone {
            let operator = if denied { Operator::DoesNotExist } else { Operator::Exists };
            return Ok(Requirement { key, operator, values: Vec::new() });
        }
        let token = self.take();
        let (operator, several) = match &token {
            Token::Word(word) if word == "in" => (Operator::In, true),
            Token::Word(word) if word == "notin" => (Operator::NotIn, true),
            Token::Sign("=" | "==") => (Operator::In, false),
            Token::Sign("!=") => (Operator::NotIn, false),
            Token::Sign(">") => (Operator::Greater, false),
            Token::Sign("<") => (Operator::Less, false),
            other => {
                let found = other.text();
                return Err(format!("found '{found}', expected: '=', '!=', '==', 'in', notin'"));
            }
        };
        let values = if several { self.values()? } else { vec![self.value()?] };
        if matches!(operator, Operator::Greater | Operator::Less)
            && values.iter().any(|value| value.parse::<i64>().is_err())
        {
            return Err("for 'Gt', 'Lt' operators, the value must be an integer".to_owned());
        }
        values.iter().try_for_each(|value| check_value(&key, value))?;
        Ok(Requirement { key, operator, values })
    }

    fn value(&mut self) -> Result<String, String> {
        if matches!(self.look(), Token::End | Token::Sign(",")) {
            return Ok(String::new());
        }
        match self.take() {
            Token::Word(word) => Ok(word),
            other => Err(format!("found '{}', expected: identifier", other.text())),
        }
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        let token = self.take();
        if token != Token::Sign("(") {
            return Err(format!("found '{}' expected: '('", token.text()));
        }
        let mut values = Vec::new();
        // Nothing between two commas, or beside a bracket, is the empty value.
        let mut wants_value = true;
        loop {
            match self.take() {
                Token::Word(word) if wants_value => {
                    values.push(word);
                    wants_value = false;
                }
                Token::Sign(",") => {
                    if wants_value {
                        values.push(String::new());
                    }
                    wants_value = true;
                }
                Token::Sign(")") => {
                    if wants_value {
                        values.push(String::new());
                    }
                    return Ok(values);
                }
                other if wants_value => {
                    return Err(format!("found '{}', expected: ',', or identifier", other.text()));
                }
                other => return Err(format!("found '{}', expected: ',' or ')'", other.text())),
            }
        }
    }
}

const NAME_RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_RULE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const PREFIX_RULE: &str = "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// The longest name of a key, and the longest value.
const LABEL_LENGTH_MAX: usize = 63;
const PREFIX_LENGTH_MAX: usize = 253;

fn is_name(text: &str) -> bool {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    ends(bytes.first()) && ends(bytes.last()) && bytes.iter().all(inside)
}

/// Whether a text is a DNS subdomain.
fn is_subdomain(text: &str) -> bool {
    text.split('.').all(|part| {
        let bytes = part.as_bytes();
        let small = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        bytes.first().is_some_and(small)
            && bytes.last().is_some_and(small)
            && bytes.iter().all(|byte| small(byte) || *byte == b'-')
    })
}

fn check_key(key: &str) -> Result<(), String> {
    let mut problems = Vec::new();
    let parts: Vec<&str> = key.split('/').collect();
    let name = match parts.as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                problems.push("prefix part must be non-empty".to_owned());
            } else {
                if prefix.len() > PREFIX_LENGTH_MAX {
                    let rule =
                        format!("prefix part must be no more than {PREFIX_LENGTH_MAX} characters");
                    problems.push(rule);
                }
                if !is_subdomain(prefix) {
                    problems.push(PREFIX_RULE.to_owned());
                }
            }
            *name
        }
        _ => {
            let rule = NAME_RULE.trim_start_matches("must ");
            return Err(format!(
                "invalid label key {key:?}: a qualified name must {rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            ));
        }
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    } else if name.len() > LABEL_LENGTH_MAX {
        problems.push(format!("name part must be no more than {LABEL_LENGTH_MAX} characters"));
    }
    if !is_name(name) {
        problems.push(format!("name part {NAME_RULE}"));
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(format!("invalid label key {key:?}: {}", problems.join("; "))),
    }
}

fn check_value(key: &str, value: &str) -> Result<(), String> {
    let mut problems = Vec::new();
    if value.len() > LABEL_LENGTH_MAX {
        problems.push(format!("must be no more than {LABEL_LENGTH_MAX} characters"));
    }
    if !value.is_empty() && !is_name(value) {
        problems.push(VALUE_RULE.to_owned());
    }
    match problems.is_empty() {
        true => Ok(()),
        false => {
            Err(format!("invalid label value: {value:?}: at key: {key:?}: {}", problems.join("; ")))
        }
    }
}
