//! What an expression comes to.

use std::cmp::Ordering;

use crate::functions;
use crate::parse::{Expr, Node};
use crate::times;
use crate::value::{Value, equal, order};

/// How many steps an evaluation may take: about as much as the API server's budget buys.
const STEPS_MAX: usize = 2_000_000;

/// Why an expression came to nothing, in the server's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EvalError(pub String);

impl EvalError {
    /// No operator or function takes such values.
    pub fn no_overload() -> EvalError {
        EvalError("no such overload".to_owned())
    }

    /// A map has no such key.
    pub fn no_key(key: &Value) -> EvalError {
        EvalError(format!("no such key: {}", functions::shown(key)))
    }

    /// Whether it is the budget that was spent.
    pub fn is_budget(&self) -> bool {
        self.0.starts_with("operation cancelled")
    }
}

type Evaluated = Result<Value, EvalError>;

/// Evaluates an expression with what its names stand for.
///
/// # Errors
///
/// Where a key is not there, a type does not fit, or it takes too long.
pub fn eval(expr: &Expr, names: &[(&str, Value)]) -> Evaluated {
    let names = names.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Machine { names, steps: 0 }.eval(expr)
}

struct Machine {
    names: Vec<(String, Value)>,
    steps: usize,
}

impl Machine {
    fn eval(&mut self, expr: &Expr) -> Evaluated {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Err(EvalError("operation cancelled: actual cost limit exceeded".to_owned()));
        }
        match &expr.node {
            Node::Bool(on) => Ok(Value::Bool(*on)),
            Node::Int(number) => Ok(Value::Int(*number)),
            Node::Uint(number) => Ok(Value::Uint(*number)),
            Node::Double(number) => Ok(Value::Double(*number)),
            Node::Text(text) => Ok(Value::text(text)),
            Node::Bytes(bytes) => Ok(Value::Bytes(bytes.as_slice().into())),
            Node::Null => Ok(Value::Null),
            Node::Name(name) => self.name(name),
            Node::Select { of, field, optional } => {
                let of = self.eval(of)?;
                select(&of, field, *optional)
            }
            Node::Index { of, by, optional } => {
                let (of, by) = (self.eval(of)?, self.eval(by)?);
                index(&of, &by, *optional)
            }
            Node::List(items) => {
                let mut out = Vec::with_capacity(items.len());
                for (item, optional) in items {
                    match self.eval(item)? {
                        Value::Optional(inside) if *optional => {
                            out.extend(inside.map(|inside| (*inside).clone()));
                        }
                        other => out.push(other),
                    }
                }
                Ok(Value::list(out))
            }
            Node::Map(entries) => {
                let mut out = Vec::with_capacity(entries.len());
                for (key, value, optional) in entries {
                    let key = self.eval(key)?;
                    match self.eval(value)? {
                        Value::Optional(inside) if *optional => {
                            out.extend(inside.map(|inside| (key, (*inside).clone())));
                        }
                        other => out.push((key, other)),
                    }
                }
                Ok(Value::map(out))
            }
            Node::Struct { fields, .. } => {
                let mut out = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    out.push((Value::text(name), self.eval(value)?));
                }
                Ok(Value::map(out))
            }
            Node::Call { target, name, arguments } => self.call(target.as_deref(), name, arguments),
        }
    }

    fn name(&self, name: &str) -> Evaluated {
        let found = self.names.iter().rev().find(|(known, _)| known == name);
        match (found, functions::type_named(name)) {
            (Some((_, value)), _) => Ok(value.clone()),
            (None, Some(kind)) => Ok(Value::Type(kind)),
            (None, None) => Err(EvalError(format!("no such attribute(s): {name}"))),
        }
    }

    fn truth(&mut self, expr: &Expr) -> Result<bool, EvalError> {
        match self.eval(expr)? {
            Value::Bool(on) => Ok(on),
            _ => Err(EvalError::no_overload()),
        }
    }

    /// `||` and `&&`: one side that decides is enough, whatever is wrong with the other.
    fn either(&mut self, decides: bool, a: &Expr, b: &Expr) -> Evaluated {
        let first = self.truth(a);
        if first == Ok(decides) {
            return Ok(Value::Bool(decides));
        }
        let second = self.truth(b);
        if second == Ok(decides) {
            return Ok(Value::Bool(decides));
        }
        first?;
        second?;
        Ok(Value::Bool(!decides))
    }

    fn call(&mut self, target: Option<&Expr>, name: &str, arguments: &[Expr]) -> Evaluated {
        match (target, name, arguments) {
            (None, "_||_", [a, b]) => return self.either(true, a, b),
            (None, "_&&_", [a, b]) => return self.either(false, a, b),
            (None, "_?_:_", [condition, yes, no]) => {
                return if self.truth(condition)? { self.eval(yes) } else { self.eval(no) };
            }
            (None, "has", [Expr { node: Node::Select { of, field, .. }, .. }]) => {
                let of = self.eval(of)?;
                let there = match &of {
                    Value::Optional(inside) => {
                        inside.as_ref().is_some_and(|at| at.at(&Value::text(field)).is_some())
                    }
                    other => other.at(&Value::text(field)).is_some(),
                };
                return Ok(Value::Bool(there));
            }
            (Some(target), "orValue" | "or", [other]) => {
                return match (self.eval(target)?, name) {
                    (Value::Optional(Some(inside)), "orValue") => Ok((*inside).clone()),
                    (Value::Optional(None), _) => self.eval(other),
                    (found @ Value::Optional(_), _) => Ok(found),
                    _ => Err(EvalError::no_overload()),
                };
            }
            _ => {}
        }
        if let Some(target) = target {
            if let Some(done) = self.comprehension(target, name, arguments) {
                return done;
            }
            // The name of a library stands where a target would.
            if let Node::Name(library) = &target.node
                && functions::is_library(library)
                && self.name(library).is_err()
            {
                let given = self.all(arguments)?;
                return functions::function(&format!("{library}.{name}"), &given);
            }
            let of = self.eval(target)?;
            let given = self.all(arguments)?;
            return functions::method(&of, name, &given);
        }
        let given = self.all(arguments)?;
        match given.as_slice() {
            [a, b] if name.starts_with(['_', '@']) => operator(name, a, b),
            [a] if name == "!_" || name == "-_" => sign(name, a),
            given => functions::function(name, given),
        }
    }

    fn all(&mut self, expressions: &[Expr]) -> Result<Vec<Value>, EvalError> {
        expressions.iter().map(|one| self.eval(one)).collect()
    }

    /// Macros that go through a list or a map.
    fn comprehension(
        &mut self,
        target: &Expr,
        name: &str,
        arguments: &[Expr],
    ) -> Option<Evaluated> {
        let names: Vec<&String> = arguments
            .iter()
            .map_while(|argument| match &argument.node {
                Node::Name(name) => Some(name),
                _ => None,
            })
            .collect();
        let count = match (name, arguments.len()) {
            ("all" | "exists" | "exists_one" | "existsOne" | "filter", 2) => 1,
            ("map", 2 | 3) | ("optMap" | "optFlatMap" | "sortBy", 2) => 1,
            ("all" | "exists" | "exists_one" | "existsOne", 3) => 2,
            ("transformList" | "transformMap", 3 | 4) => 2,
            _ => return None,
        };
        if names.len() < count {
            return None;
        }
        Some(self.go_through(target, name, &names[..count], &arguments[count..]))
    }

    fn go_through(
        &mut self,
        target: &Expr,
        name: &str,
        names: &[&String],
        rest: &[Expr],
    ) -> Evaluated {
        let of = self.eval(target)?;
        if let Value::Optional(inside) = &of {
            let Some(inside) = inside else { return Ok(Value::Optional(None)) };
            let found =
                self.with(names, &[(**inside).clone()], |machine| machine.eval(&rest[0]))?;
            return Ok(match name {
                "optMap" => Value::Optional(Some(found.into())),
                _ => found,
            });
        }
        let items: Vec<[Value; 2]> = match (&of, names.len()) {
            (Value::List(items), 1) => items.iter().map(|one| [one.clone(), Value::Null]).collect(),
            (Value::List(items), _) => items
                .iter()
                .enumerate()
                .map(|(index, one)| [Value::Int(index as i64), one.clone()])
                .collect(),
            (Value::Map(entries), _) => {
                entries.iter().map(|(key, value)| [key.clone(), value.clone()]).collect()
            }
            _ => return Err(EvalError::no_overload()),
        };
        let (condition, result) = match (name, rest) {
            ("map" | "transformList" | "transformMap", [condition, result]) => {
                (Some(condition), Some(result))
            }
            ("map" | "transformList" | "transformMap" | "sortBy", [result]) => (None, Some(result)),
            (_, [condition]) => (Some(condition), None),
            _ => return Err(EvalError::no_overload()),
        };
        let (mut out, mut entries) = (Vec::new(), Vec::new());
        let (mut yes, mut wrong) = (0_usize, None);
        let total = items.len();
        for item in items {
            let fits = match condition {
                None => Ok(true),
                Some(condition) => self.with(names, &item, |machine| machine.truth(condition)),
            };
            match (name, fits) {
                ("all", Ok(false)) => return Ok(Value::Bool(false)),
                ("exists", Ok(true)) => return Ok(Value::Bool(true)),
                ("all" | "exists", Err(error)) if !error.is_budget() => {
                    wrong.get_or_insert(error);
                }
                (_, Err(error)) => return Err(error),
                (_, Ok(false)) => {}
                (_, Ok(true)) => {
                    yes += 1;
                    match result {
                        Some(result) => {
                            let found = self.with(names, &item, |machine| machine.eval(result))?;
                            entries.push((item[0].clone(), found.clone()));
                            out.push(found);
                        }
                        None => {
                            entries.push((item[0].clone(), item[1].clone()));
                            out.push(item[0].clone());
                        }
                    }
                }
            }
        }
        match (name, wrong) {
            ("all" | "exists", Some(error)) => Err(error),
            ("all", None) => Ok(Value::Bool(yes == total)),
            ("exists", None) => Ok(Value::Bool(false)),
            ("exists_one" | "existsOne", _) => Ok(Value::Bool(yes == 1)),
            ("transformMap", _) => Ok(Value::map(entries)),
            ("sortBy", _) => {
                entries.sort_by(|a, b| order(&a.1, &b.1).unwrap_or(Ordering::Equal));
                Ok(Value::list(entries.into_iter().map(|(item, _)| item).collect()))
            }
            ("filter", _) if matches!(of, Value::Map(_)) => Ok(Value::list(out)),
            _ => Ok(Value::list(out)),
        }
    }

    /// Evaluates with more names.
    fn with<T>(
        &mut self,
        names: &[&String],
        values: &[Value],
        act: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = self.names.len();
        for (name, value) in names.iter().zip(values) {
            self.names.push(((*name).clone(), value.clone()));
        }
        let found = act(self);
        self.names.truncate(before);
        found
    }
}

fn select(of: &Value, field: &str, optional: bool) -> Evaluated {
    let key = Value::text(field);
    match of {
        Value::Optional(None) => Ok(Value::Optional(None)),
        Value::Optional(Some(inside)) => {
            Ok(Value::Optional(inside.at(&key).map(|found| found.clone().into())))
        }
        Value::Map(_) if optional => {
            Ok(Value::Optional(of.at(&key).map(|found| found.clone().into())))
        }
        Value::Map(_) => of.at(&key).cloned().ok_or_else(|| EvalError::no_key(&key)),
        _ => Err(EvalError::no_overload()),
    }
}

fn index(of: &Value, by: &Value, optional: bool) -> Evaluated {
    if let Value::Optional(inside) = of {
        let found = inside.as_ref().map(|inside| index(inside, by, true));
        return found.unwrap_or(Ok(Value::Optional(None)));
    }
    let found = match of {
        Value::Map(_) => of.at(by).cloned().ok_or_else(|| EvalError::no_key(by)),
        Value::List(items) => {
            let at = match by {
                Value::Int(at) => usize::try_from(*at).ok(),
                Value::Uint(at) => usize::try_from(*at).ok(),
                _ => return Err(EvalError::no_overload()),
            };
            at.and_then(|at| items.get(at))
                .cloned()
                .ok_or_else(|| EvalError(format!("index out of bounds: {}", functions::shown(by))))
        }
        _ => return Err(EvalError::no_overload()),
    };
    match (optional, found) {
        (true, found) => Ok(Value::Optional(found.ok().map(Into::into))),
        (false, found) => found,
    }
}

fn sign(name: &str, a: &Value) -> Evaluated {
    match (name, a) {
        ("!_", Value::Bool(on)) => Ok(Value::Bool(!on)),
        ("-_", Value::Int(number)) => number.checked_neg().map(Value::Int).ok_or_else(overflow),
        ("-_", Value::Double(number)) => Ok(Value::Double(-number)),
        ("-_", Value::Span(span)) => span.checked_neg().map(Value::Span).ok_or_else(overflow),
        _ => Err(EvalError::no_overload()),
    }
}

fn overflow() -> EvalError {
    EvalError("integer overflow".to_owned())
}

fn operator(name: &str, a: &Value, b: &Value) -> Evaluated {
    let compare = |fits: fn(Ordering) -> bool| {
        order(a, b).map(|found| Value::Bool(fits(found))).ok_or_else(EvalError::no_overload)
    };
    match name {
        "_==_" => Ok(Value::Bool(equal(a, b))),
        "_!=_" => Ok(Value::Bool(!equal(a, b))),
        "_<_" => compare(Ordering::is_lt),
        "_<=_" => compare(Ordering::is_le),
        "_>_" => compare(Ordering::is_gt),
        "_>=_" => compare(Ordering::is_ge),
        "@in" => match b {
            Value::List(items) => Ok(Value::Bool(items.iter().any(|item| equal(item, a)))),
            Value::Map(_) => Ok(Value::Bool(b.at(a).is_some())),
            _ => Err(EvalError::no_overload()),
        },
        _ => arithmetic(name, a, b),
    }
}

fn arithmetic(name: &str, a: &Value, b: &Value) -> Evaluated {
    if let Some(found) = times::arithmetic(name, a, b) {
        return found;
    }
    let zero =
        || EvalError(if name == "_%_" { "modulus by zero" } else { "division by zero" }.into());
    match (name, a, b) {
        ("_+_", Value::Text(a), Value::Text(b)) => Ok(Value::text(&format!("{a}{b}"))),
        ("_+_", Value::Bytes(a), Value::Bytes(b)) => Ok(Value::Bytes([&**a, &**b].concat().into())),
        ("_+_", Value::List(a), Value::List(b)) => {
            Ok(Value::list(a.iter().chain(b.iter()).cloned().collect()))
        }
        ("_/_" | "_%_", _, Value::Int(0) | Value::Uint(0)) if !matches!(a, Value::Double(_)) => {
            Err(zero())
        }
        (_, Value::Int(a), Value::Int(b)) => match name {
            "_+_" => a.checked_add(*b),
            "_-_" => a.checked_sub(*b),
            "_*_" => a.checked_mul(*b),
            "_/_" => a.checked_div(*b),
            _ => a.checked_rem(*b),
        }
        .map(Value::Int)
        .ok_or_else(overflow),
        (_, Value::Uint(a), Value::Uint(b)) => match name {
            "_+_" => a.checked_add(*b),
            "_-_" => a.checked_sub(*b),
            "_*_" => a.checked_mul(*b),
            "_/_" => a.checked_div(*b),
            _ => a.checked_rem(*b),
        }
        .map(Value::Uint)
        .ok_or_else(|| EvalError("unsigned integer overflow".to_owned())),
        (_, Value::Double(a), Value::Double(b)) => match name {
            "_+_" => Ok(Value::Double(a + b)),
            "_-_" => Ok(Value::Double(a - b)),
            "_*_" => Ok(Value::Double(a * b)),
            "_/_" => Ok(Value::Double(a / b)),
            _ => Err(EvalError::no_overload()),
        },
        _ => Err(EvalError::no_overload()),
    }
}
