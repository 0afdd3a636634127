//! Functions of strings: cutting, padding, splitting, quoting.

use goval::{Budget, Context, Kind, Str, Value, scan};

use crate::args::{Answer, elements, int, string_map, strings, text, utf8};
use crate::letters::runes;
use crate::print::strval;

pub(crate) fn trunc(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let (count, text) = (int(args, 0)?, text(args, 1)?);
    let len = text.len() as i64;
    Ok(if count < 0 && len + count > 0 {
        Value::str(&text[(len + count) as usize..])
    } else if count >= 0 && len > count {
        Value::str(&text[..count as usize])
    } else {
        Value::Str(text.clone())
    })
}

pub(crate) fn substr(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let (start, end, text) = (int(args, 0)?, int(args, 1)?, text(args, 2)?);
    let len = text.len() as i64;
    if start < 0 {
        return cut(text, 0, end);
    }
    if end < 0 || end > len {
        return match usize::try_from(start).ok().and_then(|start| text.get(start..)) {
            Some(rest) => Ok(Value::str(rest)),
            None => Err(format!("runtime error: slice bounds out of range [{start}:{len}]")),
        };
    }
    cut(text, start, end)
}

fn cut(text: &Str, start: i64, end: i64) -> Answer {
    if end < 0 {
        return Err(format!("runtime error: slice bounds out of range [:{end}]"));
    }
    if end > text.len() as i64 {
        let len = text.len();
        return Err(format!("runtime error: slice bounds out of range [:{end}] with length {len}"));
    }
    if start > end {
        return Err(format!("runtime error: slice bounds out of range [{start}:{end}]"));
    }
    Ok(Value::str(&text[start as usize..end as usize]))
}

pub(crate) fn trim(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::str(trimmed(text(args, 0)?, char::is_whitespace)))
}

pub(crate) fn trim_all(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let set: Vec<char> = runes(text(args, 0)?).map(|(char, _)| char).collect();
    Ok(Value::str(trimmed(text(args, 1)?, |char| set.contains(&char))))
}

/// `strings.TrimFunc`.
fn trimmed(text: &[u8], drop: impl Fn(char) -> bool) -> &[u8] {
    let mut rest = text;
    while let Some((char, width)) = runes(rest).next() {
        if !drop(char) {
            break;
        }
        rest = &rest[width..];
    }
    loop {
        let (char, width) = last_rune(rest);
        if width == 0 || !drop(char) {
            return rest;
        }
        rest = &rest[..rest.len() - width];
    }
}

fn last_rune(text: &[u8]) -> (char, usize) {
    for width in 1..=text.len().min(4) {
        let tail = &text[text.len() - width..];
        if let Ok(tail) = std::str::from_utf8(tail) {
            return (tail.chars().next_back().unwrap_or('\u{FFFD}'), width);
        }
    }
    ('\u{FFFD}', text.len().min(1))
}

pub(crate) fn trim_prefix(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let (prefix, whole) = (text(args, 0)?, text(args, 1)?);
    Ok(match whole.strip_prefix(prefix.as_bytes()) {
        Some(rest) if !prefix.is_empty() => Value::str(rest),
        _ => Value::Str(whole.clone()),
    })
}

pub(crate) fn trim_suffix(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let (suffix, whole) = (text(args, 0)?, text(args, 1)?);
    Ok(match whole.strip_suffix(suffix.as_bytes()) {
        Some(rest) if !suffix.is_empty() => Value::str(rest),
        _ => Value::Str(whole.clone()),
    })
}

pub(crate) fn has_prefix(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Bool(text(args, 1)?.starts_with(text(args, 0)?)))
}

pub(crate) fn has_suffix(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Bool(text(args, 1)?.ends_with(text(args, 0)?)))
}

pub(crate) fn contains(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Bool(find(text(args, 1)?, text(args, 0)?).is_some()))
}

/// Shorter texts are looked through as they stand.
const SHORT: usize = 256;

/// Where `part` begins in `text`.
pub(crate) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    match part {
        [] => Some(0),
        [byte] => scan::find_byte(*byte, text),
        part if text.len() < SHORT => text.windows(part.len()).position(|window| window == part),
        part => memchr::memmem::find(text, part),
    }
}

pub(crate) fn replace(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let (old, new, source) = (text(args, 0)?, text(args, 1)?, text(args, 2)?);
    if old == new {
        return Ok(Value::Str(source.clone()));
    }
    let mut out = Vec::with_capacity(source.len());
    if old.is_empty() {
        context.budget.charge(((source.len() + 1) * (new.len() + 1)) as u64)?;
        out.extend_from_slice(new);
        let mut at = 0;
        for (_, width) in runes(source) {
            out.extend_from_slice(&source[at..at + width]);
            out.extend_from_slice(new);
            at += width;
        }
        return Ok(Value::str(out));
    }
    let mut rest: &[u8] = source;
    while let Some(at) = find(rest, old) {
        context.budget.charge((at + new.len()) as u64)?;
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(new);
        rest = &rest[at + old.len()..];
    }
    out.extend_from_slice(rest);
    Ok(Value::str(out))
}

pub(crate) fn repeat(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let (count, text) = (int(args, 0)?, text(args, 1)?);
    let count = u64::try_from(count).map_err(|_| "strings: negative Repeat count".to_owned())?;
    let bytes = (text.len() as u64)
        .checked_mul(count)
        .filter(|bytes| i64::try_from(*bytes).is_ok())
        .ok_or_else(|| "strings: Repeat output length overflow".to_owned())?;
    context.budget.charge(bytes)?;
    if text.is_empty() {
        return Ok(Value::Str(text.clone()));
    }
    Ok(Value::str(text.repeat(count as usize)))
}

pub(crate) fn indent(context: &mut Context<'_>, args: &[Value]) -> Answer {
    indented(context, args, b"")
}

pub(crate) fn nindent(context: &mut Context<'_>, args: &[Value]) -> Answer {
    indented(context, args, b"\n")
}

fn indented(context: &mut Context<'_>, args: &[Value], before: &[u8]) -> Answer {
    let (columns, text) = (int(args, 0)?, text(args, 1)?);
    let columns = usize::try_from(columns).map_err(|_| "strings: negative Repeat count")?;
    let lines = scan::count_byte(b'\n', text) + 1;
    let bytes = columns.saturating_mul(lines).saturating_add(text.len() + before.len());
    context.budget.charge(bytes as u64)?;
    let mut out = Vec::with_capacity(bytes);
    out.extend_from_slice(before);
    out.resize(out.len() + columns, b' ');
    let mut from = 0;
    while let Some(length) = scan::find_byte(b'\n', &text[from..]) {
        let next = from + length + 1;
        out.extend_from_slice(&text[from..next]);
        out.resize(out.len() + columns, b' ');
        from = next;
    }
    out.extend_from_slice(&text[from..]);
    Ok(Value::str(out))
}

pub(crate) fn quote(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let mut out = Vec::new();
    let mut first = true;
    for value in args.iter().filter(|value| !matches!(value, Value::Nil)) {
        if !std::mem::take(&mut first) {
            out.push(b' ');
        }
        let text = strval(value, context.budget)?;
        context.budget.charge(text.len() as u64)?;
        out.extend_from_slice(goval::quote_bytes(&text).as_bytes());
    }
    Ok(Value::str(out))
}

pub(crate) fn squote(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let mut out = Vec::new();
    let mut first = true;
    for value in args.iter().filter(|value| !matches!(value, Value::Nil)) {
        if !std::mem::take(&mut first) {
            out.push(b' ');
        }
        out.push(b'\'');
        goval::append_value(&mut out, value, context.budget)?;
        out.push(b'\'');
    }
    Ok(Value::str(out))
}

pub(crate) fn cat(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let mut out = Vec::new();
    let mut first = true;
    for value in args.iter().filter(|value| !matches!(value, Value::Nil)) {
        if !std::mem::take(&mut first) {
            out.push(b' ');
        }
        goval::append_value(&mut out, value, context.budget)?;
    }
    Ok(Value::str(out))
}

pub(crate) fn to_string(context: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Str(strval(args.first().unwrap_or(&Value::Nil), context.budget)?))
}

pub(crate) fn plural(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let chosen = if int(args, 2)? == 1 { text(args, 0)? } else { text(args, 1)? };
    Ok(Value::Str(chosen.clone()))
}

pub(crate) fn hello(_: &mut Context<'_>, _: &[Value]) -> Answer {
    Ok(Value::str("Hello!"))
}

/// Anything as strings: the elements of a slice, nil ones left out, or the one value.
fn each_text(value: &Value, budget: &mut Budget) -> Result<Vec<Str>, String> {
    match elements(value) {
        Ok(items) => {
            budget.spend(items.len() as u64)?;
            let present = items.iter().filter(|item| !matches!(item, Value::Nil));
            present.map(|item| strval(item, budget)).collect()
        }
        Err(None) => Ok(Vec::new()),
        Err(Some(_)) => Ok(vec![strval(value, budget)?]),
    }
}

pub(crate) fn join(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let separator = text(args, 0)?;
    let parts = each_text(args.get(1).unwrap_or(&Value::Nil), context.budget)?;
    let bytes = parts.iter().map(|part| part.len() + separator.len()).sum::<usize>();
    context.budget.charge(bytes as u64)?;
    let mut out = Vec::with_capacity(bytes);
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(separator);
        }
        out.extend_from_slice(part);
    }
    Ok(Value::str(out))
}

pub(crate) fn to_strings(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let value = args.first().unwrap_or(&Value::Nil);
    if let Value::List(list) = value
        && list.list_type() == goval::ListType::String
    {
        return Ok(value.clone());
    }
    let parts = each_text(value, context.budget)?;
    Ok(strings(parts))
}

pub(crate) fn sort_alpha(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let value = args.first().unwrap_or(&Value::Nil);
    if value.kind() != Kind::Slice {
        return Ok(strings([strval(value, context.budget)?]));
    }
    let mut parts = each_text(value, context.budget)?;
    parts.sort();
    Ok(strings(parts))
}

/// `strings.SplitN`: at most `limit` parts, all where it is negative, none where it is 0.
pub(crate) fn split_parts(text: &[u8], separator: &[u8], limit: i64) -> Vec<Str> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    if limit == 0 {
        return parts;
    }
    let mut rest = text;
    if separator.is_empty() {
        while !rest.is_empty() {
            let width = match runes(rest).next() {
                Some((_, width)) if parts.len() + 1 < limit => width,
                _ => rest.len(),
            };
            parts.push(Str::from(&rest[..width]));
            rest = &rest[width..];
        }
        return parts;
    }
    while parts.len() + 1 < limit
        && let Some(at) = find(rest, separator)
    {
        parts.push(Str::from(&rest[..at]));
        rest = &rest[at + separator.len()..];
    }
    parts.push(Str::from(rest));
    parts
}

pub(crate) fn split_list(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let parts = split_parts(text(args, 1)?, text(args, 0)?, -1);
    context.budget.spend(parts.len() as u64)?;
    Ok(strings(parts))
}

pub(crate) fn split(context: &mut Context<'_>, args: &[Value]) -> Answer {
    numbered(context, split_parts(text(args, 1)?, text(args, 0)?, -1))
}

pub(crate) fn splitn(context: &mut Context<'_>, args: &[Value]) -> Answer {
    numbered(context, split_parts(text(args, 2)?, text(args, 0)?, int(args, 1)?))
}

fn numbered(context: &mut Context<'_>, parts: Vec<Str>) -> Answer {
    context.budget.spend(parts.len() as u64)?;
    let mut entries: Vec<(Str, Str)> = parts
        .into_iter()
        .enumerate()
        .map(|(at, part)| (Str::from(format!("_{at}")), part))
        .collect();
    entries.sort();
    Ok(string_map(entries))
}

pub(crate) fn upper(_: &mut Context<'_>, args: &[Value]) -> Answer {
    mapped(args, crate::letters::to_upper)
}

pub(crate) fn lower(_: &mut Context<'_>, args: &[Value]) -> Answer {
    mapped(args, crate::letters::to_lower)
}

fn mapped(args: &[Value], map: impl Fn(char) -> char) -> Answer {
    if text(args, 0)?.iter().all(|byte| byte.is_ascii_digit()) {
        return Ok(args[0].clone());
    }
    Ok(Value::str(utf8(args, 0)?.chars().map(map).collect::<String>()))
}
