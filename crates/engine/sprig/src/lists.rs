//! Functions of lists. All give new lists; none changes its argument.

use goval::{Context, List, ListType, Value, deep_equal};

use crate::args::{Answer, Elements, NIL_POINTER, elements, int};
use crate::cast::{to_int, truncate};
use crate::logic::is_empty;

const NOTHING: Value = Value::Nil;

fn arg(args: &[Value], at: usize) -> &Value {
    args.get(at).unwrap_or(&NOTHING)
}

/// The elements, or Go's refusal: `Cannot {doing} type {kind}`.
fn items<'a>(
    context: &mut Context<'_>,
    value: &'a Value,
    doing: &str,
) -> Result<Elements<'a>, String> {
    let items = elements(value).map_err(|kind| match kind {
        Some(kind) => format!("Cannot {doing} type {kind}"),
        None => NIL_POINTER.to_owned(),
    })?;
    context.budget.spend(items.len() as u64)?;
    Ok(items)
}

pub(crate) fn list(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::list(args.to_vec()))
}

pub(crate) fn push(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let mut all = items(context, arg(args, 0), "push on")?.to_vec();
    all.push(arg(args, 1).clone());
    Ok(Value::list(all))
}

pub(crate) fn prepend(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let rest = items(context, arg(args, 0), "prepend on")?;
    let mut all = Vec::with_capacity(rest.len() + 1);
    all.push(arg(args, 1).clone());
    all.extend_from_slice(&rest);
    Ok(Value::list(all))
}

pub(crate) fn concat(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let mut all = Vec::new();
    for list in args {
        let items = elements(list).map_err(|kind| match kind {
            Some(kind) => format!("Cannot concat type {kind} as list"),
            None => NIL_POINTER.to_owned(),
        })?;
        context.budget.spend(items.len() as u64)?;
        all.extend_from_slice(&items);
    }
    Ok(Value::List(if all.is_empty() { List::nil(ListType::Any) } else { List::new(all) }))
}

pub(crate) fn chunk(context: &mut Context<'_>, args: &[Value]) -> Answer {
    const TOO_LARGE: &str = "runtime error: makeslice: len out of range";
    let size = int(args, 0)?;
    let all = items(context, arg(args, 1), "chunk")?;
    let len = all.len() as i64;
    let count = truncate(((len - 1) as f64 / size as f64).floor() + 1.0);
    if count < 0 || count > 0 && size <= 0 {
        return Err(TOO_LARGE.to_owned());
    }
    if count == 0 {
        return Ok(Value::List(List::typed(ListType::Lists, Vec::new())));
    }
    let chunks = all.chunks(size as usize).map(|chunk| Value::list(chunk.to_vec())).collect();
    Ok(Value::List(List::typed(ListType::Lists, chunks)))
}

pub(crate) fn first(context: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(items(context, arg(args, 0), "find first on")?.first().cloned().unwrap_or_default())
}

pub(crate) fn last(context: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(items(context, arg(args, 0), "find last on")?.last().cloned().unwrap_or_default())
}

pub(crate) fn rest(context: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(match &*items(context, arg(args, 0), "find rest on")? {
        [] => Value::List(List::nil(ListType::Any)),
        [_, rest @ ..] => Value::list(rest.to_vec()),
    })
}

pub(crate) fn initial(context: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(match &*items(context, arg(args, 0), "find initial on")? {
        [] => Value::List(List::nil(ListType::Any)),
        [initial @ .., _] => Value::list(initial.to_vec()),
    })
}

pub(crate) fn reverse(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let all = items(context, arg(args, 0), "find reverse on")?;
    Ok(Value::list(all.iter().rev().cloned().collect()))
}

pub(crate) fn compact(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let all = items(context, arg(args, 0), "compact on")?;
    Ok(Value::list(all.iter().filter(|item| !is_empty(item)).cloned().collect()))
}

pub(crate) fn uniq(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let all = items(context, arg(args, 0), "find uniq on")?;
    let mut kept: Vec<Value> = Vec::new();
    for item in all.iter() {
        context.budget.spend(kept.len() as u64)?;
        if !kept.iter().any(|known| deep_equal(item, known)) {
            kept.push(item.clone());
        }
    }
    Ok(Value::list(kept))
}

pub(crate) fn without(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let all = items(context, arg(args, 0), "find without on")?;
    let dropped = args.get(1..).unwrap_or_default();
    context.budget.spend((all.len() * dropped.len()) as u64)?;
    let kept = all.iter().filter(|item| !dropped.iter().any(|drop| deep_equal(drop, item)));
    Ok(Value::list(kept.cloned().collect()))
}

pub(crate) fn has(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let (needle, haystack) = (arg(args, 0), arg(args, 1));
    if matches!(haystack, Value::Nil) {
        return Ok(Value::Bool(false));
    }
    let all = items(context, haystack, "find has on")?;
    Ok(Value::Bool(all.iter().any(|item| deep_equal(needle, item))))
}

pub(crate) fn slice(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let whole = arg(args, 0);
    let all = elements(whole).map_err(|kind| match kind {
        Some(kind) => format!("list should be type of slice or array but {kind}"),
        None => NIL_POINTER.to_owned(),
    })?;
    context.budget.spend(all.len() as u64)?;
    if all.is_empty() {
        return Ok(Value::Nil);
    }
    let start = args.get(1).map_or(0, to_int);
    let end = args.get(2).map_or(all.len() as i64, to_int);
    let part = match (usize::try_from(start), usize::try_from(end)) {
        (Ok(start), Ok(end)) => all.get(start..end),
        _ => None,
    };
    let part = part.ok_or("reflect.Value.Slice: slice index out of bounds")?.to_vec();
    Ok(match whole {
        Value::List(list) => Value::List(List::typed(list.list_type(), part)),
        Value::Bytes(bytes) => Value::Bytes(bytes[start as usize..end as usize].into()),
        _ => Value::list(part),
    })
}
