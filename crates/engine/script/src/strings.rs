//! The functions of `string` that take a pattern, counted.
//!
//! LuaJIT's own ones can run for ever on a short text, and nothing can stop them. These are made
//! from the manual (5.4 of Lua 5.1's), and take steps from the run's meter.

use std::sync::Arc;

use mlua::{Function, Lua, MultiValue, Table, Value};

use crate::meter::{Meter, ended};
use crate::pattern::{Capture, Matcher, Trouble};

/// Puts our functions in the place of the machine's.
pub(crate) fn replace_patterns(lua: &Lua) -> mlua::Result<()> {
    let string: Table = lua.globals().get("string")?;
    string.raw_set("dump", Value::Nil)?;
    string.raw_set("find", lua.create_function(find)?)?;
    string.raw_set("match", lua.create_function(matched)?)?;
    string.raw_set("gmatch", lua.create_function(gmatch)?)?;
    string.raw_set("gfind", Value::Nil)?;
    string.raw_set("gsub", lua.create_function(gsub)?)?;
    Ok(())
}

type Text = mlua::LuaString;

/// Where a search begins, from 0; beyond the end where there is nothing to search.
fn start(init: Option<i64>, length: usize) -> usize {
    match init.unwrap_or(1) {
        init if init > 0 => usize::try_from(init - 1).unwrap_or(usize::MAX),
        0 => 0,
        init => length.saturating_sub(usize::try_from(-init).unwrap_or(usize::MAX)),
    }
}

fn matcher<'a>(lua: &Lua, text: &'a [u8], pattern: &'a [u8]) -> Matcher<'a> {
    let meter = lua.app_data_ref::<Arc<Meter>>().map(|meter| meter.clone());
    Matcher::new(
        text,
        pattern,
        Box::new(move |steps| meter.as_ref().is_some_and(|meter| meter.take(steps))),
    )
}

fn told(trouble: Trouble) -> mlua::Error {
    match trouble {
        Trouble::TookTooLong => ended(),
        Trouble::Malformed(words) => mlua::Error::runtime(words),
    }
}

fn capture(lua: &Lua, text: &[u8], capture: Capture) -> mlua::Result<Value> {
    Ok(match capture {
        Capture::Part(from, to) => Value::String(lua.create_string(&text[from..to])?),
        Capture::Position(at) => Value::Integer(i64::try_from(at + 1).unwrap_or(i64::MAX)),
    })
}

fn position(at: usize) -> Value {
    Value::Integer(i64::try_from(at).unwrap_or(i64::MAX))
}

fn find(
    lua: &Lua,
    (text, pattern, init, plain): (Text, Text, Option<i64>, Option<bool>),
) -> mlua::Result<MultiValue> {
    let (text, pattern) = (text.as_bytes().to_vec(), pattern.as_bytes().to_vec());
    let from = start(init, text.len());
    let nothing = || Ok(MultiValue::from_vec(vec![Value::Nil]));
    if from > text.len() {
        return nothing();
    }
    if plain == Some(true) {
        let found = if pattern.is_empty() {
            Some(from)
        } else {
            text[from..].windows(pattern.len()).position(|part| part == pattern).map(|at| at + from)
        };
        return match found {
            Some(at) => {
                Ok(MultiValue::from_vec(vec![position(at + 1), position(at + pattern.len())]))
            }
            None => nothing(),
        };
    }
    let mut matcher = matcher(lua, &text, &pattern);
    match matcher.search(from).map_err(told)? {
        None => nothing(),
        Some((at, end)) => {
            let mut all = vec![position(at + 1), position(end)];
            for part in matcher.captures(None).map_err(told)? {
                all.push(capture(lua, &text, part)?);
            }
            Ok(MultiValue::from_vec(all))
        }
    }
}

fn matched(
    lua: &Lua,
    (text, pattern, init): (Text, Text, Option<i64>),
) -> mlua::Result<MultiValue> {
    let (text, pattern) = (text.as_bytes().to_vec(), pattern.as_bytes().to_vec());
    let from = start(init, text.len());
    let mut matcher = matcher(lua, &text, &pattern);
    let found = if from > text.len() { None } else { matcher.search(from).map_err(told)? };
    let Some(whole) = found else { return Ok(MultiValue::from_vec(vec![Value::Nil])) };
    let mut all = Vec::new();
    for part in matcher.captures(Some(whole)).map_err(told)? {
        all.push(capture(lua, &text, part)?);
    }
    Ok(MultiValue::from_vec(all))
}

fn gmatch(lua: &Lua, (text, pattern): (Text, Text)) -> mlua::Result<Function> {
    let (text, pattern) = (text.as_bytes().to_vec(), pattern.as_bytes().to_vec());
    let mut next = 0_usize;
    lua.create_function_mut(move |lua, _: MultiValue| {
        let nothing = MultiValue::from_vec(vec![Value::Nil]);
        if next > text.len() {
            return Ok(nothing);
        }
        let mut matcher = matcher(lua, &text, &pattern);
        matcher.not_anchored();
        let Some((at, end)) = matcher.search(next).map_err(told)? else {
            next = text.len() + 1;
            return Ok(nothing);
        };
        next = if end == at { end + 1 } else { end };
        let mut all = Vec::new();
        for part in matcher.captures(Some((at, end))).map_err(told)? {
            all.push(capture(lua, &text, part)?);
        }
        Ok(MultiValue::from_vec(all))
    })
}

fn gsub(
    lua: &Lua,
    (text, pattern, by, most): (Text, Text, Value, Option<i64>),
) -> mlua::Result<(Text, i64)> {
    let (text, pattern) = (text.as_bytes().to_vec(), pattern.as_bytes().to_vec());
    let most = most.unwrap_or(i64::MAX);
    let anchored = pattern.first() == Some(&b'^');
    let mut made: Vec<u8> = Vec::new();
    let (mut at, mut count) = (0, 0);
    let mut matcher = matcher(lua, &text, &pattern);
    while count < most {
        let found = matcher.at(at).map_err(told)?;
        if let Some(end) = found {
            count += 1;
            let parts = matcher.captures(Some((at, end))).map_err(told)?;
            put(lua, &mut made, &text, (at, end), &parts, &by)?;
        }
        match found {
            Some(end) if end > at => at = end,
            _ if at < text.len() => {
                made.push(text[at]);
                at += 1;
            }
            _ => break,
        }
        if anchored {
            break;
        }
    }
    made.extend_from_slice(text.get(at..).unwrap_or_default());
    Ok((lua.create_string(made)?, count))
}

/// Appends what stands for one match.
fn put(
    lua: &Lua,
    made: &mut Vec<u8>,
    text: &[u8],
    (from, to): (usize, usize),
    parts: &[Capture],
    by: &Value,
) -> mlua::Result<()> {
    let first = capture(lua, text, parts.first().copied().unwrap_or(Capture::Part(from, to)))?;
    let instead = match by {
        Value::String(words) => {
            return put_words(lua, made, text, (from, to), parts, &words.as_bytes());
        }
        Value::Integer(_) | Value::Number(_) => {
            let words = lua.coerce_string(by.clone())?;
            let words = words.ok_or_else(|| mlua::Error::runtime("string expected"))?;
            return put_words(lua, made, text, (from, to), parts, &words.as_bytes());
        }
        Value::Table(table) => table.get::<Value>(first)?,
        Value::Function(function) => {
            let mut arguments = Vec::new();
            for part in parts {
                arguments.push(capture(lua, text, *part)?);
            }
            function.call::<Value>(MultiValue::from_vec(arguments))?
        }
        _ => {
            return Err(mlua::Error::runtime(
                "bad argument #3 to 'gsub' (string/function/table expected)",
            ));
        }
    };
    match instead {
        Value::Nil | Value::Boolean(false) => made.extend_from_slice(&text[from..to]),
        Value::String(words) => made.extend_from_slice(&words.as_bytes()),
        number @ (Value::Integer(_) | Value::Number(_)) => {
            if let Some(words) = lua.coerce_string(number)? {
                made.extend_from_slice(&words.as_bytes());
            }
        }
        other => {
            let kind = other.type_name();
            return Err(mlua::Error::runtime(format!("invalid replacement value (a {kind})")));
        }
    }
    Ok(())
}

/// Words in which `%1` is a capture and `%0` the whole.
fn put_words(
    lua: &Lua,
    made: &mut Vec<u8>,
    text: &[u8],
    (from, to): (usize, usize),
    parts: &[Capture],
    words: &[u8],
) -> mlua::Result<()> {
    let mut letters = words.iter();
    while let Some(letter) = letters.next() {
        if *letter != b'%' {
            made.push(*letter);
            continue;
        }
        match letters.next() {
            Some(b'0') => made.extend_from_slice(&text[from..to]),
            Some(digit @ b'1'..=b'9') => {
                let number = usize::from(digit - b'1');
                let part = parts
                    .get(number)
                    .copied()
                    .ok_or_else(|| mlua::Error::runtime("invalid capture index"))?;
                let value = capture(lua, text, part)?;
                if let Some(words) = lua.coerce_string(value)? {
                    made.extend_from_slice(&words.as_bytes());
                }
            }
            Some(other) => made.push(*other),
            None => return Err(mlua::Error::runtime("invalid use of '%' in replacement string")),
        }
    }
    Ok(())
}
