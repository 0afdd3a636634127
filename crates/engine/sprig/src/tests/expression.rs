//! Just enough of templates to call functions with: `{{ f "a" 1 (g 2) | h }}`.

use goval::{Budget, Context, Impure, IntType, Type, UintType, Value};

use crate::{Profile, functions};

/// The time of the rows, and nothing random.
pub(crate) struct Still;

impl Impure for Still {
    fn random(&mut self, _: &str, bytes: &mut [u8]) {
        bytes.fill(7);
    }

    fn now(&mut self) -> i128 {
        1_700_000_000_000_000_000
    }
}

pub(crate) fn budget() -> Budget {
    Budget { fuel: 50_000_000, bytes: 64 << 20 }
}

/// Renders a text with actions that are single pipelines; other actions are refused.
pub(crate) fn render(text: &str, profile: Profile) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    let mut impure = Still;
    let mut budget = budget();
    let mut context = Context { impure: &mut impure, budget: &mut budget, host: &mut () };
    while let Some((before, action)) = rest.split_once("{{") {
        out.extend_from_slice(before.as_bytes());
        let mut parser = Parser { rest: action, profile, context: &mut context };
        let value = parser.pipeline()?;
        parser.blanks();
        rest = parser.rest.strip_prefix("}}").ok_or("unsupported action")?;
        match value {
            Value::Nil => out.extend_from_slice(b"<no value>"),
            value => out.extend_from_slice(&goval::print_value(&value)),
        }
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

/// What stands in a template, or was calculated: constants suit more parameters.
enum Operand {
    Constant(Value),
    Calculated(Value),
}

impl Operand {
    fn value(self) -> Value {
        match self {
            Operand::Constant(value) | Operand::Calculated(value) => value,
        }
    }
}

struct Parser<'t, 'c, 'i> {
    rest: &'t str,
    profile: Profile,
    context: &'c mut Context<'i>,
}

impl Parser<'_, '_, '_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn pipeline(&mut self) -> Result<Value, String> {
        let mut value = None;
        loop {
            let piped = value.take();
            value = Some(self.command(piped)?);
            self.blanks();
            match self.rest.strip_prefix('|') {
                Some(rest) => self.rest = rest,
                None => return Ok(value.expect("just set")),
            }
        }
    }

    fn command(&mut self, piped: Option<Value>) -> Result<Value, String> {
        self.blanks();
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        let word = &self.rest[..end.unwrap_or(self.rest.len())];
        let is_name = word.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if !is_name || matches!(word, "true" | "false" | "nil") {
            let operand = self.operand()?;
            return match piped {
                Some(_) => Err("unsupported: an operand behind a pipe".to_owned()),
                None => Ok(operand.value()),
            };
        }
        self.rest = &self.rest[word.len()..];
        let mut args = Vec::new();
        loop {
            self.blanks();
            if self.rest.starts_with(['|', ')', '}']) || self.rest.is_empty() {
                break;
            }
            args.push(self.operand()?);
        }
        args.extend(piped.map(Operand::Calculated));
        self.call(word, args)
    }

    fn call(&mut self, name: &str, args: Vec<Operand>) -> Result<Value, String> {
        if name == "printf" {
            let args: Vec<Value> = args.into_iter().map(Operand::value).collect();
            let Some((Value::Str(format), rest)) = args.split_first() else {
                return Err("unsupported printf".to_owned());
            };
            return goval::sprintf(format, rest, self.context.budget).map(Value::Str);
        }
        let table = functions(self.profile);
        let function = table
            .iter()
            .find(|function| function.name == name)
            .ok_or_else(|| format!("unsupported: no function {name}"))?;
        let wanted = function.params.len();
        let suits = if function.variadic { args.len() + 1 >= wanted } else { args.len() == wanted };
        if !suits {
            return Err("unsupported: wrong number of args".to_owned());
        }
        let args: Vec<Value> = args
            .into_iter()
            .enumerate()
            .map(|(at, arg)| converted(arg, function.params[at.min(wanted - 1)]))
            .collect::<Result<_, _>>()?;
        (function.body)(self.context, &args)
            .map_err(|error| format!("error calling {name}: {error}"))
    }

    fn operand(&mut self) -> Result<Operand, String> {
        let first = self.rest.chars().next().ok_or("unsupported end")?;
        match first {
            '(' => {
                self.rest = &self.rest[1..];
                let mut value = self.pipeline()?;
                self.blanks();
                self.rest = self.rest.strip_prefix(')').ok_or("unsupported: no )")?;
                while let Some(rest) = self.rest.strip_prefix('.') {
                    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
                    let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
                    self.rest = rest;
                    value = self.field(&value, name)?;
                }
                Ok(Operand::Calculated(value))
            }
            '"' => {
                let mut end = 1;
                let bytes = self.rest.as_bytes();
                while bytes[end] != b'"' {
                    end += if bytes[end] == b'\\' { 2 } else { 1 };
                }
                let (literal, rest) = self.rest.split_at(end + 1);
                self.rest = rest;
                let text = goval::unquote(literal.as_bytes()).ok_or("unsupported literal")?;
                Ok(Operand::Constant(Value::str(text)))
            }
            '`' => {
                let (text, rest) = self.rest[1..].split_once('`').ok_or("unsupported raw")?;
                self.rest = rest;
                Ok(Operand::Constant(Value::str(text.replace('\r', ""))))
            }
            _ => {
                let end = self.rest.find([' ', ')', '|', '}']).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                let value = match word {
                    "now" => self.call("now", Vec::new())?,
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    "nil" => Value::Nil,
                    word if word.contains(['.', 'e', 'p']) && !word.contains('x') => {
                        Value::Float(word.parse().map_err(|_| "unsupported number")?)
                    }
                    word => Value::int(
                        goval::parse_int(word.as_bytes(), 0, 64)
                            .map_err(|_| format!("unsupported word {word}"))?,
                    ),
                };
                Ok(Operand::Constant(value))
            }
        }
    }

    fn field(&mut self, value: &Value, name: &str) -> Result<Value, String> {
        match value {
            Value::Object(object) if object.has_method(name) => object.call(name, &[]),
            Value::Object(object) => object.field(name).ok_or("unsupported field".to_owned()),
            Value::Map(map) => Ok(map.get(name.as_bytes()).unwrap_or_default()),
            _ => Err("unsupported field".to_owned()),
        }
    }
}

fn converted(arg: Operand, wanted: Type) -> Result<Value, String> {
    let constant = matches!(arg, Operand::Constant(_));
    let value = arg.value();
    let suits = match (wanted, &value) {
        (Type::Any, _)
        | (Type::String, Value::Str(_))
        | (Type::Bool, Value::Bool(_))
        | (Type::Int, Value::Int(_, IntType::Int))
        | (Type::Int64, Value::Int(_, IntType::Int64))
        | (Type::Float64, Value::Float(_))
        | (Type::Map, Value::Map(_) | Value::Nil)
        | (Type::List, Value::List(_) | Value::Nil)
        | (Type::Uint32, Value::Uint(_, UintType::Uint32)) => true,
        (Type::Float64, Value::Int(number, _)) if constant => {
            return Ok(Value::Float(*number as f64));
        }
        (Type::Uint32, Value::Int(number, _)) if constant => {
            return Ok(Value::Uint(*number as u64, UintType::Uint32));
        }
        (Type::Named(name), Value::Object(object)) => object.type_name() == name,
        _ => false,
    };
    if suits { Ok(value) } else { Err("unsupported: wrong type".to_owned()) }
}
