//! The functions themselves. Those without `must` panic in Go for a bad pattern, which names it.

use std::rc::Rc;

use goval::{Context, List, ListType, Str, Value, is_digit, is_letter};

use crate::args::{Answer, int, strings, text, utf8};
use crate::formats::is_of_budget;
use crate::regexes::matches::{Found, NoPattern, Pattern, Texts, all, compile};

/// What the text is that is looked through.
fn texts(args: &[Value]) -> Texts {
    match text(args, 1) {
        Ok(text) if text.is_ascii() => Texts::Ascii,
        _ => Texts::All,
    }
}

/// The pattern, for a look through the text, or what `regexp.MustCompile` says when it panics.
fn or_panic(context: &mut Context<'_>, args: &[Value]) -> Result<Rc<Pattern>, String> {
    let pattern = utf8(args, 0)?;
    let compiled =
        compile(&pattern, texts(args), context.budget).map_err(|trouble| match trouble {
            NoPattern::Budget(error) => error,
            NoPattern::Refused(error) => {
                let can_backquote = !pattern.chars().any(|char| {
                    char == '`'
                        || char == '\u{7F}'
                        || char == '\u{FEFF}'
                        || char < ' ' && char != '\t'
                });
                let shown =
                    if can_backquote { format!("`{pattern}`") } else { goval::quote(&pattern) };
                format!("regexp: Compile({shown}): {error}")
            }
        })?;
    compiled.spend(text(args, 1)?, context.budget)?;
    Ok(compiled)
}

/// The pattern, for a look through the text, or what is wrong with it.
fn or_error(context: &mut Context<'_>, args: &[Value]) -> Result<Rc<Pattern>, String> {
    let compiled =
        compile(&utf8(args, 0)?, texts(args), context.budget).map_err(|trouble| match trouble {
            NoPattern::Budget(error) => error,
            NoPattern::Refused(error) => error.to_string(),
        })?;
    compiled.spend(text(args, 1)?, context.budget)?;
    Ok(compiled)
}

/// A pattern that is none fits nothing.
pub(crate) fn string_matches(context: &mut Context<'_>, args: &[Value]) -> Answer {
    match or_error(context, args) {
        Ok(pattern) => Ok(Value::Bool(pattern.regex.is_match(&text(args, 1)?[..]))),
        Err(error) if is_of_budget(&error) => Err(error),
        Err(_) => Ok(Value::Bool(false)),
    }
}

pub(crate) fn must_matches(context: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Bool(or_error(context, args)?.regex.is_match(&text(args, 1)?[..])))
}

pub(crate) fn find(context: &mut Context<'_>, args: &[Value]) -> Answer {
    found(or_panic(context, args)?.as_ref(), args)
}

pub(crate) fn must_find(context: &mut Context<'_>, args: &[Value]) -> Answer {
    found(or_error(context, args)?.as_ref(), args)
}

fn found(pattern: &Pattern, args: &[Value]) -> Answer {
    let text = text(args, 1)?;
    Ok(Value::str(pattern.regex.find(&text[..]).map_or(&b""[..], |found| &text[found.range()])))
}

pub(crate) fn find_all(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let pattern = or_panic(context, args)?;
    found_all(context, &pattern, args)
}

pub(crate) fn must_find_all(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let pattern = or_error(context, args)?;
    found_all(context, &pattern, args)
}

fn found_all(context: &mut Context<'_>, pattern: &Pattern, args: &[Value]) -> Answer {
    let matches = all(&pattern.regex, text(args, 1)?, int(args, 2)?);
    context.budget.spend(matches.len() as u64)?;
    if matches.is_empty() {
        return Ok(Value::List(List::nil(ListType::String)));
    }
    Ok(strings(matches.iter().map(|found| Str::from(found.whole()))))
}

pub(crate) fn replace_all(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let pattern = or_panic(context, args)?;
    replaced(context, &pattern, args, true)
}

pub(crate) fn must_replace_all(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let pattern = or_error(context, args)?;
    replaced(context, &pattern, args, true)
}

pub(crate) fn replace_all_literal(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let pattern = or_panic(context, args)?;
    replaced(context, &pattern, args, false)
}

pub(crate) fn must_replace_all_literal(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let pattern = or_error(context, args)?;
    replaced(context, &pattern, args, false)
}

fn replaced(
    context: &mut Context<'_>,
    pattern: &Pattern,
    args: &[Value],
    is_template: bool,
) -> Answer {
    let (source, replacement) = (text(args, 1)?, utf8(args, 2)?);
    let matches = all(&pattern.regex, source, -1);
    if matches.is_empty() {
        return Ok(Value::Str(source.clone()));
    }
    let mut out = Vec::with_capacity(source.len());
    let mut at = 0;
    for found in &matches {
        let whole = found.span();
        let before = out.len();
        out.extend_from_slice(&source[at..whole.start]);
        if is_template {
            expand(&replacement, pattern, found, &mut out);
        } else {
            out.extend_from_slice(replacement.as_bytes());
        }
        context.budget.charge((out.len() - before) as u64)?;
        at = whole.end;
    }
    out.extend_from_slice(&source[at..]);
    Ok(Value::str(out))
}

/// `$name`, `${name}`, `$1`; `$$` is a dollar, and so is one that names nothing.
fn expand(template: &str, pattern: &Pattern, found: &Found<'_>, out: &mut Vec<u8>) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.extend_from_slice(before.as_bytes());
        rest = after;
        if let Some(left) = rest.strip_prefix('$') {
            out.push(b'$');
            rest = left;
            continue;
        }
        let Some((name, left)) = group_name(rest) else {
            out.push(b'$');
            continue;
        };
        rest = left;
        let digits = name.len() < 9 && name.bytes().all(|byte| byte.is_ascii_digit());
        let group = if digits && (name.len() == 1 || !name.starts_with('0')) {
            found.group(name.parse().unwrap_or(usize::MAX))
        } else {
            let named = |known: &Option<Box<str>>| known.as_deref() == Some(name);
            let mut groups = pattern.names.iter().enumerate().filter(|(_, known)| named(known));
            groups.find_map(|(number, _)| found.group(number))
        };
        if let Some(group) = group {
            out.extend_from_slice(group);
        }
    }
    out.extend_from_slice(rest.as_bytes());
}

fn group_name(text: &str) -> Option<(&str, &str)> {
    let (inside, braces) = match text.strip_prefix('{') {
        Some(inside) => (inside, true),
        None => (text, false),
    };
    let is_name = |char: char| char == '_' || is_letter(char) || is_digit(char);
    let end = inside.find(|char| !is_name(char)).unwrap_or(inside.len());
    if end == 0 {
        return None;
    }
    let (name, left) = inside.split_at(end);
    if braces { Some((name, left.strip_prefix('}')?)) } else { Some((name, left)) }
}

pub(crate) fn split(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let pattern = or_panic(context, args)?;
    parts(context, &pattern, args)
}

pub(crate) fn must_split(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let pattern = or_error(context, args)?;
    parts(context, &pattern, args)
}

fn parts(context: &mut Context<'_>, pattern: &Pattern, args: &[Value]) -> Answer {
    let (source, limit) = (text(args, 1)?, int(args, 2)?);
    if limit == 0 {
        return Ok(Value::List(List::nil(ListType::String)));
    }
    if source.is_empty() && !text(args, 0)?.is_empty() {
        return Ok(strings([Str::default()]));
    }
    let matches = all(&pattern.regex, source, limit);
    context.budget.spend(matches.len() as u64)?;
    let mut parts: Vec<Str> = Vec::new();
    let (mut from, mut to) = (0, 0);
    for found in &matches {
        if limit > 0 && parts.len() as i64 == limit - 1 {
            break;
        }
        let whole = found.span();
        to = whole.start;
        if whole.end != 0 {
            parts.push(Str::from(&source[from..to]));
        }
        from = whole.end;
    }
    if to != source.len() {
        parts.push(Str::from(&source[from..]));
    }
    Ok(strings(parts))
}

pub(crate) fn quote_meta(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let text = text(args, 0)?;
    let mut out = Vec::with_capacity(text.len() + 8);
    for byte in text.iter() {
        if b"\\.+*?()|[]{}^$".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    Ok(Value::str(out))
}
