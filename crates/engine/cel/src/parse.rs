//! The grammar of CEL: text to a tree, each node with the place that errors about it name.

/// How deep an expression may be nested.
const DEPTH_MAX: usize = 200;

/// What may begin an operand, as the server lists it.
const OPERAND: &str = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/// A node and the offset, in characters, that errors about it name.
#[derive(Clone, Debug)]
pub struct Expr {
    /// In characters from the beginning.
    pub at: usize,
    /// What stands there.
    pub node: Node,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub enum Node {
    /// `true`, `false`.
    Bool(bool),
    /// `1`
    Int(i64),
    /// `1u`
    Uint(u64),
    /// `1.5`
    Double(f64),
    /// `'text'`
    Text(String),
    /// `b'bytes'`
    Bytes(Vec<u8>),
    /// `null`
    Null,
    /// The name of a variable or a type.
    Name(String),
    /// `of.field`, or `of.?field`.
    Select {
        /// What has the field.
        of: Box<Expr>,
        /// Its name.
        field: String,
        /// Whether it may be absent.
        optional: bool,
    },
    /// `of[by]`, or `of[?by]`.
    Index {
        /// A list or a map.
        of: Box<Expr>,
        /// A place or a key.
        by: Box<Expr>,
        /// Whether there may be nothing.
        optional: bool,
    },
    /// A call of a function, or of a method where there is a target. Operators are functions.
    Call {
        /// What the method is called on.
        target: Option<Box<Expr>>,
        /// `size`, `_+_`.
        name: String,
        /// In their order.
        arguments: Vec<Expr>,
    },
    /// Items, and whether each is left out where there is none.
    List(Vec<(Expr, bool)>),
    /// Keys, values, and whether each is left out where there is none.
    Map(Vec<(Expr, Expr, bool)>),
    /// `Object.spec{replicas: 1}`
    Struct {
        /// `Object.spec`
        name: String,
        /// In their order.
        fields: Vec<(String, Expr)>,
    },
}

/// What is wrong with an expression, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In characters from the beginning.
    pub at: usize,
    /// In the server's words.
    pub words: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Sign(&'static str),
    End,
}

struct Placed {
    at: usize,
    token: Token,
    text: String,
}

/// Reads an expression.
///
/// # Errors
///
/// The first fault.
pub fn parse(text: &str) -> Result<Expr, Fault> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens, next: 0, depth: 0, negative: false };
    let expr = parser.expression()?;
    let rest = parser.peek();
    match rest.token {
        Token::End => Ok(expr),
        _ => {
            let single = parser.tokens.get(parser.next + 1).is_some_and(|t| t.token == Token::End);
            let how = if single { "extraneous" } else { "mismatched" };
            let words = format!("Syntax error: {how} input '{}' expecting <EOF>", rest.text);
            Err(Fault { at: rest.at, words })
        }
    }
}

const SIGNS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?", ":",
    "+", "*", "/", "%", "<", ">",
];

fn tokens(text: &str) -> Result<Vec<Placed>, Fault> {
    let signs: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < signs.len() {
        let sign = signs[at];
        if sign.is_whitespace() {
            at += 1;
            continue;
        }
        if sign == '/' && signs.get(at + 1) == Some(&'/') {
            while at < signs.len() && signs[at] != '\n' {
                at += 1;
            }
            continue;
        }
        let (token, end) = one_token(&signs, at)?;
        out.push(Placed { at, token, text: signs[at..end].iter().collect() });
        at = end;
    }
    out.push(Placed { at: signs.len(), token: Token::End, text: "<EOF>".to_owned() });
    Ok(out)
}

fn one_token(signs: &[char], at: usize) -> Result<(Token, usize), Fault> {
    let sign = signs[at];
    let quote_at = prefix_length(signs, at);
    if let Some(length) = quote_at {
        let bytes = signs[at..at + length].iter().any(|sign| matches!(sign, 'b' | 'B'));
        let raw = signs[at..at + length].iter().any(|sign| matches!(sign, 'r' | 'R'));
        let end = quoted(signs, at, at + length, raw)?;
        return Ok((if bytes { Token::Bytes } else { Token::Text }, end));
    }
    if sign.is_ascii_digit() || (sign == '.' && next_digit(signs, at + 1)) {
        return Ok(number(signs, at));
    }
    if sign.is_ascii_alphabetic() || sign == '_' {
        let mut end = at;
        while signs.get(end).is_some_and(|sign| sign.is_ascii_alphanumeric() || *sign == '_') {
            end += 1;
        }
        return Ok((Token::Name(signs[at..end].iter().collect()), end));
    }
    for known in SIGNS {
        let length = known.chars().count();
        if signs[at..].starts_with(&known.chars().collect::<Vec<_>>()) {
            return Ok((Token::Sign(known), at + length));
        }
    }
    Err(Fault { at, words: format!("Syntax error: token recognition error at: '{sign}'") })
}

fn next_digit(signs: &[char], at: usize) -> bool {
    signs.get(at).is_some_and(char::is_ascii_digit)
}

/// How many letters stand before the quote of a text: `r"…"`, `b'…'`.
fn prefix_length(signs: &[char], at: usize) -> Option<usize> {
    let mut length = 0;
    while length < 2
        && signs.get(at + length).is_some_and(|sign| matches!(sign, 'r' | 'R' | 'b' | 'B'))
    {
        length += 1;
    }
    signs.get(at + length).is_some_and(|sign| matches!(sign, '"' | '\'')).then_some(length)
}

fn quoted(signs: &[char], start: usize, open: usize, raw: bool) -> Result<usize, Fault> {
    let quote = signs[open];
    let triple = signs.get(open + 1) == Some(&quote) && signs.get(open + 2) == Some(&quote);
    let length = if triple { 3 } else { 1 };
    let mut at = open + length;
    while at < signs.len() {
        if signs[at] == '\\' && !raw {
            at += 2;
            continue;
        }
        if signs[at] == '\n' && !triple {
            break;
        }
        let closes = (0..length).all(|more| signs.get(at + more) == Some(&quote));
        if closes {
            return Ok(at + length);
        }
        at += 1;
    }
    let rest: String = signs[start..at.min(signs.len())].iter().collect();
    Err(Fault { at: start, words: format!("Syntax error: token recognition error at: '{rest}'") })
}

fn number(signs: &[char], at: usize) -> (Token, usize) {
    let mut end = at;
    if signs[at] == '0' && signs.get(at + 1) == Some(&'x') {
        end = at + 2;
        while signs.get(end).is_some_and(char::is_ascii_hexdigit) {
            end += 1;
        }
    } else {
        let mut double = false;
        while next_digit(signs, end) {
            end += 1;
        }
        if signs.get(end) == Some(&'.') && next_digit(signs, end + 1) {
            double = true;
            end += 1;
            while next_digit(signs, end) {
                end += 1;
            }
        }
        if matches!(signs.get(end), Some('e' | 'E')) {
            let sign = usize::from(matches!(signs.get(end + 1), Some('+' | '-')));
            if next_digit(signs, end + 1 + sign) {
                double = true;
                end += 1 + sign;
                while next_digit(signs, end) {
                    end += 1;
                }
            }
        }
        if double {
            return (Token::Double, end);
        }
    }
    match signs.get(end) {
        Some('u' | 'U') => (Token::Uint, end + 1),
        _ => (Token::Int, end),
    }
}

struct Parser {
    tokens: Vec<Placed>,
    next: usize,
    depth: usize,
    /// Whether the number that comes next has a sign.
    negative: bool,
}

impl Parser {
    fn peek(&self) -> &Placed {
        // The end is never passed.
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn sees(&self, sign: &str) -> bool {
        matches!(self.peek().token, Token::Sign(seen) if seen == sign)
    }

    /// Takes a sign, and says where it stood.
    fn take(&mut self, sign: &str) -> Option<usize> {
        let at = self.peek().at;
        self.sees(sign).then(|| {
            self.next += 1;
            at
        })
    }

    fn expect(&mut self, sign: &str) -> Result<usize, Fault> {
        let seen = self.peek();
        let fault = Fault {
            at: seen.at,
            words: format!("Syntax error: missing '{sign}' at '{}'", seen.text),
        };
        self.take(sign).ok_or(fault)
    }

    fn expression(&mut self) -> Result<Expr, Fault> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let words = format!("expression recursion limit exceeded: {DEPTH_MAX}");
            return Err(Fault { at: self.peek().at, words });
        }
        let condition = self.binary(0)?;
        let out = match self.take("?") {
            None => condition,
            Some(at) => {
                let yes = self.binary(0)?;
                self.expect(":")?;
                let no = self.expression()?;
                operator(at, "_?_:_", vec![condition, yes, no])
            }
        };
        self.depth -= 1;
        Ok(out)
    }

    fn binary(&mut self, level: usize) -> Result<Expr, Fault> {
        const LEVELS: [&[(&str, &str)]; 5] = [
            &[("||", "_||_")],
            &[("&&", "_&&_")],
            &[
                ("==", "_==_"),
                ("!=", "_!=_"),
                ("<=", "_<=_"),
                (">=", "_>=_"),
                ("<", "_<_"),
                (">", "_>_"),
            ],
            &[("+", "_+_"), ("-", "_-_")],
            &[("*", "_*_"), ("/", "_/_"), ("%", "_%_")],
        ];
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        loop {
            let found = operators.iter().find_map(|(sign, name)| Some((self.take(sign)?, *name)));
            let found = found.or_else(|| {
                let is_in = level == 2 && self.peek().token == Token::Name("in".to_owned());
                is_in.then(|| {
                    self.next += 1;
                    (self.tokens[self.next - 1].at, "@in")
                })
            });
            let Some((at, name)) = found else { return Ok(left) };
            let right = self.binary(level + 1)?;
            left = operator(at, name, vec![left, right]);
        }
    }

    fn unary(&mut self) -> Result<Expr, Fault> {
        for (sign, name) in [("!", "!_"), ("-", "-_")] {
            if let Some(first) = self.take(sign) {
                let mut count = 1;
                while self.take(sign).is_some() {
                    count += 1;
                }
                let number = matches!(self.peek().token, Token::Int | Token::Double);
                self.negative = sign == "-" && number && count % 2 == 1;
                let operand = self.member()?;
                // Twice is not at all; the sign of a number is part of it.
                return Ok(match count % 2 == 0 || (sign == "-" && number) {
                    true => operand,
                    false => operator(first, name, vec![operand]),
                });
            }
        }
        self.member()
    }

    fn member(&mut self) -> Result<Expr, Fault> {
        let mut of = self.primary()?;
        loop {
            if let Some(dot) = self.take(".") {
                let optional = self.take("?").is_some();
                let field = self.name()?;
                of = match self.sees("(") && !optional {
                    true => {
                        let at = self.peek().at;
                        let arguments = self.arguments()?;
                        let target = Some(Box::new(of));
                        Expr { at, node: Node::Call { target, name: field, arguments } }
                    }
                    false => match self.struct_name(&of, &field) {
                        Some(name) if self.sees("{") => self.structure(name)?,
                        _ => Expr {
                            at: dot,
                            node: Node::Select { of: Box::new(of), field, optional },
                        },
                    },
                };
            } else if let Some(at) = self.take("[") {
                let optional = self.take("?").is_some();
                let by = self.expression()?;
                self.expect("]")?;
                let (inside, by) = (Box::new(of), Box::new(by));
                of = Expr { at, node: Node::Index { of: inside, by, optional } };
            } else {
                return Ok(of);
            }
        }
    }

    /// `a.b.c` where it could be the name of a type.
    fn struct_name(&self, of: &Expr, field: &str) -> Option<String> {
        let before = match &of.node {
            Node::Name(name) => name.clone(),
            Node::Select { of, field, optional: false } => self.struct_name(of, field)?,
            _ => return None,
        };
        Some(format!("{before}.{field}"))
    }

    fn structure(&mut self, name: String) -> Result<Expr, Fault> {
        let at = self.expect("{")?;
        let mut fields = Vec::new();
        while !self.sees("}") {
            let _optional = self.take("?");
            let field = self.name()?;
            self.expect(":")?;
            fields.push((field, self.expression()?));
            if self.take(",").is_none() {
                break;
            }
        }
        self.expect("}")?;
        Ok(Expr { at, node: Node::Struct { name, fields } })
    }

    fn name(&mut self) -> Result<String, Fault> {
        let seen = self.peek();
        match &seen.token {
            Token::Name(name) => {
                let name = name.clone();
                self.next += 1;
                Ok(name)
            }
            _ => Err(Fault {
                at: seen.at,
                words: match seen.token {
                    Token::End => "Syntax error: no viable alternative at input '.'".to_owned(),
                    _ => format!("Syntax error: no viable alternative at input '.{}'", seen.text),
                },
            }),
        }
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, Fault> {
        self.expect("(")?;
        let mut out = Vec::new();
        if self.take(")").is_some() {
            return Ok(out);
        }
        loop {
            out.push(self.expression()?);
            if self.take(",").is_none() {
                break;
            }
        }
        self.expect(")")?;
        Ok(out)
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        let at = self.peek().at;
        let seen = self.peek();
        let literal = match &seen.token {
            Token::Int => Some(Node::Int(whole(&seen.text, self.negative)?)),
            Token::Uint => Some(Node::Uint(unsigned(&seen.text))),
            Token::Double => Some(Node::Double(
                seen.text.parse::<f64>().unwrap_or(0.0) * if self.negative { -1.0 } else { 1.0 },
            )),
            Token::Text => Some(Node::Text(unquoted(&seen.text))),
            Token::Bytes => Some(Node::Bytes(unquoted(&seen.text).into_bytes())),
            Token::Name(name) if name == "true" || name == "false" => {
                Some(Node::Bool(name == "true"))
            }
            Token::Name(name) if name == "null" => Some(Node::Null),
            Token::Name(_) | Token::Sign(_) | Token::End => None,
        };
        self.negative = false;
        if let Some(node) = literal {
            self.next += 1;
            return Ok(Expr { at, node });
        }
        if self.take("(").is_some() {
            let inside = self.expression()?;
            self.expect(")")?;
            return Ok(inside);
        }
        if self.take("[").is_some() {
            let mut items = Vec::new();
            while !self.sees("]") {
                let optional = self.take("?").is_some();
                items.push((self.expression()?, optional));
                if self.take(",").is_none() {
                    break;
                }
            }
            self.expect("]")?;
            return Ok(Expr { at, node: Node::List(items) });
        }
        if self.take("{").is_some() {
            let mut entries = Vec::new();
            while !self.sees("}") {
                let optional = self.take("?").is_some();
                let key = self.expression()?;
                self.expect(":")?;
                entries.push((key, self.expression()?, optional));
                if self.take(",").is_none() {
                    break;
                }
            }
            self.expect("}")?;
            return Ok(Expr { at, node: Node::Map(entries) });
        }
        let _root = self.take(".");
        let seen = self.peek();
        let Token::Name(name) = &seen.token else {
            let words =
                format!("Syntax error: mismatched input '{}' expecting {OPERAND}", seen.text);
            return Err(Fault { at: seen.at, words });
        };
        if name == "in" {
            let words = format!("Syntax error: mismatched input 'in' expecting {OPERAND}");
            return Err(Fault { at: seen.at, words });
        }
        let name = name.clone();
        self.next += 1;
        if is_reserved(&name) {
            return Err(Fault { at, words: format!("Syntax error: reserved identifier: {name}") });
        }
        if self.sees("(") {
            let at = self.peek().at;
            let arguments = self.arguments()?;
            return Ok(Expr { at, node: Node::Call { target: None, name, arguments } });
        }
        if self.sees("{") {
            return self.structure(name);
        }
        Ok(Expr { at, node: Node::Name(name) })
    }
}

fn operator(at: usize, name: &str, arguments: Vec<Expr>) -> Expr {
    Expr { at, node: Node::Call { target: None, name: name.to_owned(), arguments } }
}

/// Words that may name nothing.
pub fn is_reserved(name: &str) -> bool {
    const WORDS: [&str; 17] = [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ];
    WORDS.contains(&name)
}

fn whole(text: &str, negative: bool) -> Result<i64, Fault> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => i128::from_str_radix(digits, 16),
        None => text.parse::<i128>(),
    };
    let number = number.unwrap_or(i128::MAX);
    i64::try_from(if negative { -number } else { number })
        .map_err(|_| Fault { at: 0, words: "Syntax error: invalid int literal".to_owned() })
}

fn unsigned(text: &str) -> u64 {
    let digits = text.trim_end_matches(['u', 'U']);
    match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap_or(u64::MAX),
        None => digits.parse().unwrap_or(u64::MAX),
    }
}

/// What a text in quotes says.
fn unquoted(token: &str) -> String {
    let raw = token.starts_with(['r', 'R']) || token[1..].starts_with(['r', 'R']);
    let open = token.find(['"', '\'']).unwrap_or(0);
    let quoted = &token[open..];
    let length =
        match quoted.len() >= 6 && (quoted.starts_with("\"\"\"") || quoted.starts_with("'''")) {
            true => 3,
            false => 1,
        };
    let inside = &quoted[length..quoted.len() - length];
    if raw {
        return inside.to_owned();
    }
    let mut out = String::new();
    let mut signs = inside.chars();
    while let Some(sign) = signs.next() {
        if sign != '\\' {
            out.push(sign);
            continue;
        }
        let Some(escape) = signs.next() else { break };
        let mut coded = |length: usize, radix: u32, first: Option<char>| {
            let digits: String = first.into_iter().chain(signs.by_ref().take(length)).collect();
            u32::from_str_radix(&digits, radix).ok().and_then(char::from_u32).unwrap_or('\u{fffd}')
        };
        out.push(match escape {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            'x' | 'X' => coded(2, 16, None),
            'u' => coded(4, 16, None),
            'U' => coded(8, 16, None),
            digit @ '0'..='3' => coded(2, 8, Some(digit)),
            other => other,
        });
    }
    out
}
