//! Arguments and the types that functions want: Go's rules and words.

use goval::{IntType, Kind, List, ListType, Map, MapType, Str, Type, UintType, Value};

use crate::ast::{Ast, NodeId, NodeKind};
use crate::code::Constant;
use crate::constant::Number;

/// A type's name, as in Go's messages.
pub(crate) fn type_name(of: Type) -> &'static str {
    match of {
        Type::Any => "interface {}",
        Type::String => "string",
        Type::Bool => "bool",
        Type::Int => "int",
        Type::Int64 => "int64",
        Type::Uint32 => "uint32",
        Type::Float64 => "float64",
        Type::Map => "map[string]interface {}",
        Type::List => "[]interface {}",
        Type::Strings => "[]string",
        Type::Bytes => "[]uint8",
        Type::Named(name) => name,
    }
}

/// Whether nil is a value of the type.
fn can_be_nil(of: Type) -> bool {
    match of {
        Type::Any | Type::Map | Type::List | Type::Strings | Type::Bytes => true,
        Type::Named(name) => name.starts_with(['*', '[']) || name.starts_with("map["),
        Type::String | Type::Bool | Type::Int | Type::Int64 | Type::Uint32 | Type::Float64 => false,
    }
}

/// The nil of a type.
fn nil_of(of: Type) -> Value {
    match of {
        Type::Map => Value::Map(Map::nil(MapType::Any)),
        Type::List => Value::List(List::nil(ListType::Any)),
        Type::Strings => Value::List(List::nil(ListType::String)),
        Type::Bytes => Value::Bytes(Str::default()),
        _ => Value::Nil,
    }
}

/// A literal as an argument.
pub(crate) enum Literal {
    Constant(Constant),
    /// A nil map.
    NilMap,
}

/// Converts a literal to the type of a parameter.
pub(crate) fn literal(ast: &Ast, node: NodeId, to: Type) -> Result<Literal, String> {
    let shown = || ast.print(node);
    let kind = ast.kind(node);
    if let NodeKind::Nil = kind {
        if !can_be_nil(to) {
            return Err(format!("cannot assign nil to {}", type_name(to)));
        }
        return Ok(match to {
            Type::Map => Literal::NilMap,
            Type::List => Literal::Constant(Constant::NilList(ListType::Any)),
            Type::Strings => Literal::Constant(Constant::NilList(ListType::String)),
            Type::Bytes => Literal::Constant(Constant::Bytes(Str::default())),
            _ => Literal::Constant(Constant::Nil),
        });
    }
    let number = match kind {
        NodeKind::Number(number) => Some(&ast.numbers[number as usize]),
        _ => None,
    };
    let constant = match to {
        Type::Any => return ideal(ast, node).map(Literal::Constant),
        Type::Bool => match kind {
            NodeKind::Bool(truth) => Constant::Bool(truth),
            _ => return Err(format!("expected bool; found {}", shown())),
        },
        Type::String => match kind {
            NodeKind::String { value, .. } => Constant::Str(ast.strings[value as usize].clone()),
            _ => return Err(format!("expected string; found {}", shown())),
        },
        Type::Int | Type::Int64 => {
            let of = if to == Type::Int { IntType::Int } else { IntType::Int64 };
            let int = number.and_then(|number| number.int);
            Constant::Int(int.ok_or_else(|| format!("expected integer; found {}", shown()))?, of)
        }
        Type::Uint32 => {
            let uint = number.and_then(|number| number.uint);
            let uint =
                uint.ok_or_else(|| format!("expected unsigned integer; found {}", shown()))?;
            Constant::Uint(uint & u64::from(u32::MAX), UintType::Uint32)
        }
        Type::Float64 => {
            let float = number.and_then(|number| number.float);
            Constant::Float(float.ok_or_else(|| format!("expected float; found {}", shown()))?)
        }
        Type::Map | Type::List | Type::Strings | Type::Bytes | Type::Named(_) => {
            return Err(format!("can't handle {} for arg of type {}", shown(), type_name(to)));
        }
    };
    Ok(Literal::Constant(constant))
}

/// A literal where nothing asks for a type.
pub(crate) fn ideal(ast: &Ast, node: NodeId) -> Result<Constant, String> {
    match ast.kind(node) {
        NodeKind::Bool(truth) => Ok(Constant::Bool(truth)),
        NodeKind::String { value, .. } => Ok(Constant::Str(ast.strings[value as usize].clone())),
        NodeKind::Number(number) => {
            let at: &Number = &ast.numbers[number as usize];
            Ok(match at.ideal(ast.source(at.text))? {
                Value::Float(float) => Constant::Float(float),
                Value::Int(int, of) => Constant::Int(int, of),
                _ => Constant::Number(number),
            })
        }
        _ => Ok(Constant::Nil),
    }
}

impl Constant {
    pub(crate) fn value(&self, ast: &Ast) -> Value {
        match self {
            Self::Nil => Value::Nil,
            Self::NilList(of) => Value::List(List::nil(*of)),
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Int(int, of) => Value::Int(*int, *of),
            Self::Uint(uint, of) => Value::Uint(*uint, *of),
            Self::Float(float) => Value::Float(*float),
            Self::Str(text) => Value::Str(text.clone()),
            Self::Bytes(bytes) => Value::Bytes(bytes.clone()),
            Self::Number(number) => {
                let number = &ast.numbers[*number as usize];
                number.ideal(ast.source(number.text)).unwrap_or_default()
            }
        }
    }
}

/// What becomes of a value that does not suit as it is.
pub(crate) enum Suited {
    AsItIs,
    Instead(Value),
}

/// Checks that a value may be given to a parameter. `boxed` tells a nil interface from no value.
pub(crate) fn suit(value: &Value, boxed: bool, to: Type) -> Result<Suited, String> {
    let suits = match (to, value) {
        (Type::Any, _) => true,
        (_, Value::Nil) if boxed => {
            let to = type_name(to);
            return Err(format!("wrong type for value; expected {to}; got interface {{}}"));
        }
        (_, Value::Nil) if can_be_nil(to) => return Ok(Suited::Instead(nil_of(to))),
        (_, Value::Nil) => return Err(format!("invalid value; expected {}", type_name(to))),
        (Type::String, Value::Str(_))
        | (Type::Bool, Value::Bool(_))
        | (Type::Int, Value::Int(_, IntType::Int))
        | (Type::Int64, Value::Int(_, IntType::Int64))
        | (Type::Uint32, Value::Uint(_, UintType::Uint32))
        | (Type::Float64, Value::Float(_))
        | (Type::Bytes, Value::Bytes(_)) => true,
        (Type::Map, Value::Map(map)) => match map.map_type() {
            MapType::Any => true,
            // A named type becomes the plain one that it is made of.
            MapType::Named(_) => {
                return Ok(Suited::Instead(Value::Map(map.seen_as(MapType::Any))));
            }
            MapType::String => false,
        },
        (Type::List, Value::List(list)) => list.list_type() == ListType::Any,
        (Type::Strings, Value::List(list)) => match list.list_type() {
            ListType::String => true,
            ListType::Named(_) => list.iter().all(|item| matches!(item, Value::Str(_))),
            ListType::Any | ListType::Int | ListType::Lists => false,
        },
        (Type::Named(name), _) => {
            let found = value.type_name();
            found == name || (value.kind() == Kind::Ptr && found.strip_prefix('*') == Some(name))
        }
        _ => false,
    };
    if suits {
        return Ok(Suited::AsItIs);
    }
    let (to, found) = (type_name(to), value.type_name());
    Err(format!("wrong type for value; expected {to}; got {found}"))
}
