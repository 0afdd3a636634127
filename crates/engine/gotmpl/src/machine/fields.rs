//! Fields, entries and methods.

use goval::{Kind, MapType, Signature, Str, Type, Value};

use crate::ast::{Ast, NodeId, Span, Symbol};
use crate::parsed::Tree;

use super::{Fault, Machine};

impl Machine<'_, '_> {
    /// Follows a chain of names from a receiver; also whether what it ends at is still in its
    /// interface.
    pub(super) fn fields(
        &mut self,
        tree: &Tree,
        receiver: Value,
        boxed: bool,
        names: Span,
    ) -> Result<(Value, bool), Fault> {
        let ast = &tree.shared.ast;
        let mut at = (receiver, boxed);
        for name in names.range() {
            let symbol = ast.symbol(name as u32);
            at = match &at.0 {
                Value::Map(map) if !symbol.is_method || !has_method(tree, &at.0, symbol) => {
                    match (map.get(&symbol.name), map.map_type()) {
                        (Some(value), of) => (value, of != MapType::String),
                        (None, MapType::String) => (Value::Str(Str::default()), false),
                        (None, MapType::Any | MapType::Named(_)) => (Value::Nil, true),
                    }
                }
                Value::Nil if !at.1 => return Ok((Value::Nil, false)),
                _ => self.field(tree, &at.0, at.1, symbol)?,
            };
        }
        Ok(at)
    }

    /// One field of what is no plain map, or a method without arguments.
    fn field(
        &mut self,
        tree: &Tree,
        receiver: &Value,
        boxed: bool,
        symbol: &Symbol,
    ) -> Result<(Value, bool), Fault> {
        if let Value::Nil = receiver {
            return Err(format!("nil pointer evaluating interface {{}}.{}", symbol.name).into());
        }
        if has_method(tree, receiver, symbol) {
            let signature = signature(tree, receiver, symbol);
            check_count(symbol, signature, 0, false)?;
            let value = self.call_with(tree, receiver, symbol, &[], self.at)?;
            return Ok((value, false));
        }
        if let Value::Object(object) = receiver {
            let name = symbol.name.to_text();
            match (object.field(&name), object.kind()) {
                (Some(value), _) => {
                    let boxed = matches!(value, Value::Nil);
                    return Ok((value, boxed));
                }
                (None, Kind::Map) => return Ok((Value::Nil, true)),
                (None, _) => {}
            }
        }
        let of = if boxed { "interface {}" } else { receiver.type_name() };
        Err(format!("can't evaluate field {} in type {of}", symbol.name).into())
    }

    /// Looks for the method that the top value is asked for with arguments; `false` where there
    /// is no value to ask: then nothing is in its place.
    pub(super) fn find_method(
        &mut self,
        tree: &Tree,
        name: u32,
        args: usize,
        piped: bool,
        boxed: bool,
    ) -> Result<bool, Fault> {
        let symbol = tree.shared.ast.symbol(name);
        let boxed = boxed && self.boxed;
        let receiver = self.values.last().expect("the receiver was evaluated");
        if matches!(receiver, Value::Nil) {
            if boxed {
                let name = &symbol.name;
                return Err(format!("nil pointer evaluating interface {{}}.{name}").into());
            }
            if piped {
                let below = self.values.len() - 2;
                self.values.swap_remove(below);
            }
            return Ok(false);
        }
        if !has_method(tree, receiver, symbol) {
            return Err(no_method(receiver, boxed, symbol).into());
        }
        let signature = signature(tree, receiver, symbol);
        check_count(symbol, signature, args, piped)?;
        self.signatures.push(signature);
        Ok(true)
    }

    /// The type of a parameter of the method whose arguments are being evaluated.
    pub(super) fn method_param(&self, at: usize) -> Type {
        match self.signatures.last().copied().flatten() {
            Some(Signature { params, .. }) => {
                params.get(at).or(params.last()).copied().unwrap_or(Type::Any)
            }
            None => Type::Any,
        }
    }

    pub(super) fn call_method(
        &mut self,
        tree: &Tree,
        name: u32,
        args: usize,
        node: NodeId,
    ) -> Result<(), Fault> {
        let symbol = tree.shared.ast.symbol(name);
        self.signatures.pop();
        let from = self.values.len() - args;
        let given = self.values.split_off(from);
        let receiver = self.values.pop().expect("the receiver was evaluated");
        let value = self.call_with(tree, &receiver, symbol, &given, node)?;
        self.values.push(value);
        Ok(())
    }

    fn call_with(
        &mut self,
        tree: &Tree,
        receiver: &Value,
        symbol: &Symbol,
        args: &[Value],
        node: NodeId,
    ) -> Result<Value, Fault> {
        let name = symbol.name.to_text();
        let outcome = match receiver {
            Value::Object(object) => object.call(&name, args),
            _ => match tree.shared.functions.method(receiver.type_name(), &name) {
                Some(method) => {
                    let mut all = Vec::with_capacity(args.len() + 1);
                    all.push(receiver.clone());
                    all.extend_from_slice(args);
                    (method.body)(self.context, &all)
                }
                None => Err(format!("no method {name}")),
            },
        };
        outcome.map_err(|said| self.failed(&name, said, node))
    }
}

/// Longer chains of names are followed step by step.
const QUICK_NAMES_MAX: usize = 8;

/// Follows names through plain maps and takes out what is there, with whether it is in an
/// interface; `None` where something else is met.
pub(super) fn quick(ast: &Ast, receiver: &Value, names: Span) -> Option<(Value, bool)> {
    let mut taken = None;
    look(ast, receiver, names, &mut |value, boxed| {
        taken = Some((value.clone(), boxed));
        true
    });
    taken
}

/// Follows names through plain maps and looks at what is there, with whether it is in an
/// interface; `false` where something else is met, or the look said so.
pub(super) fn look(
    ast: &Ast,
    receiver: &Value,
    names: Span,
    then: &mut dyn FnMut(&Value, bool) -> bool,
) -> bool {
    names.len() <= QUICK_NAMES_MAX && look_at(ast, receiver, &ast.names[names.range()], then)
}

fn look_at(
    ast: &Ast,
    receiver: &Value,
    names: &[u32],
    then: &mut dyn FnMut(&Value, bool) -> bool,
) -> bool {
    let (Value::Map(map), [name, rest @ ..]) = (receiver, names) else {
        return false;
    };
    let symbol = &ast.symbols[*name as usize];
    if symbol.is_method || !map.holds_anything() {
        return false;
    }
    map.with(&symbol.name, |found| match found {
        Some(value) if rest.is_empty() => then(value, true),
        Some(value) => look_at(ast, value, rest, then),
        None => rest.is_empty() && then(&Value::Nil, true),
    })
}

/// Whether the value's type has a method of that name. Methods come before fields and entries.
fn has_method(tree: &Tree, receiver: &Value, symbol: &Symbol) -> bool {
    match receiver {
        Value::Object(object) => object.has_method(&symbol.name.to_text()),
        Value::Map(_) | Value::List(_) if symbol.is_method => {
            tree.shared.functions.method(receiver.type_name(), &symbol.name.to_text()).is_some()
        }
        _ => false,
    }
}

/// What the method takes, without its receiver; `None` where it takes anything.
fn signature(tree: &Tree, receiver: &Value, symbol: &Symbol) -> Option<Signature> {
    let name = symbol.name.to_text();
    if let Value::Object(object) = receiver {
        return object.signature(&name);
    }
    let method = tree.shared.functions.method(receiver.type_name(), &name)?;
    Some(Signature { params: method.params.get(1..)?, variadic: method.variadic })
}

fn check_count(
    symbol: &Symbol,
    signature: Option<Signature>,
    args: usize,
    piped: bool,
) -> Result<(), String> {
    let Some(Signature { params, variadic }) = signature else {
        return Ok(());
    };
    let given = args + usize::from(piped);
    let name = &symbol.name;
    if variadic {
        let least = params.len().saturating_sub(1);
        if given < least {
            return Err(format!(
                "wrong number of args for {name}: want at least {least} got {args}"
            ));
        }
    } else if given != params.len() {
        let wanted = params.len();
        return Err(format!("wrong number of args for {name}: want {wanted} got {given}"));
    }
    Ok(())
}

/// Go's words for arguments given to what is no method.
fn no_method(receiver: &Value, boxed: bool, symbol: &Symbol) -> String {
    let name = &symbol.name;
    let is_map = match receiver {
        Value::Map(_) => true,
        Value::Object(object) if object.kind() == Kind::Map => true,
        Value::Object(object) if object.field(&name.to_text()).is_some() => {
            return format!("{name} has arguments but cannot be invoked as function");
        }
        _ => false,
    };
    if is_map {
        return format!("{name} is not a method but has arguments");
    }
    let of = if boxed { "interface {}" } else { receiver.type_name() };
    format!("can't evaluate field {name} in type {of}")
}
