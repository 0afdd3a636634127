//! Choosing between values, and asking what they are.

use goval::{Context, Kind, Value, deep_equal};

use crate::args::{Answer, boolean, text};

/// Sprig's emptiness: no value, zero, `false`, nothing in it. Structs never are.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) => match object.kind() {
            Kind::Struct | Kind::Ptr | Kind::Func => false,
            _ => !object.is_true(),
        },
        other => !other.is_true(),
    }
}

pub(crate) fn default(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let given = args.get(1).filter(|given| !is_empty(given));
    Ok(given.or(args.first()).cloned().unwrap_or_default())
}

pub(crate) fn empty(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Bool(args.first().is_none_or(is_empty)))
}

pub(crate) fn coalesce(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(args.iter().find(|value| !is_empty(value)).cloned().unwrap_or_default())
}

pub(crate) fn all(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Bool(!args.iter().any(is_empty)))
}

pub(crate) fn any(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Bool(args.iter().any(|value| !is_empty(value))))
}

pub(crate) fn ternary(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(args[usize::from(!boolean(args, 2)?)].clone())
}

fn one(args: &[Value], at: usize) -> &Value {
    args.get(at).unwrap_or(&Value::Nil)
}

pub(crate) fn type_of(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::str(one(args, 0).type_name()))
}

pub(crate) fn type_is(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Bool(text(args, 0)?.as_bytes() == one(args, 1).type_name().as_bytes()))
}

pub(crate) fn type_is_like(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let (target, name) = (text(args, 0)?, one(args, 1).type_name());
    let pointed = name.strip_prefix('*').unwrap_or(name);
    let target = target.as_bytes();
    Ok(Value::Bool(target == name.as_bytes() || target == pointed.as_bytes()))
}

pub(crate) fn kind_of(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::str(one(args, 0).kind().name()))
}

pub(crate) fn kind_is(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Bool(text(args, 0)?.as_bytes() == one(args, 1).kind().name().as_bytes()))
}

pub(crate) fn deep_equal_values(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Bool(deep_equal(one(args, 0), one(args, 1))))
}
