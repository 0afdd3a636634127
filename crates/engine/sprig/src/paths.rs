//! Paths with slashes, taken apart as texts.

use goval::{Context, Value};

use crate::args::{Answer, text};

pub(crate) fn base(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let path: &[u8] = text(args, 0)?;
    if path.is_empty() {
        return Ok(Value::str("."));
    }
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at + 1);
    let path = &path[..end];
    let start = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    Ok(if path.is_empty() { Value::str("/") } else { Value::str(&path[start..]) })
}

pub(crate) fn dir(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let path: &[u8] = text(args, 0)?;
    let end = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    Ok(Value::str(cleaned(&path[..end])))
}

pub(crate) fn clean(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::str(cleaned(text(args, 0)?)))
}

/// The shortest path that means the same: no `.`, no doubled slashes, `..` only at the front.
fn cleaned(path: &[u8]) -> Vec<u8> {
    let rooted = path.first() == Some(&b'/');
    let mut kept: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if kept.last().is_some_and(|last| *last != b"..") => {
                kept.pop();
            }
            b".." if rooted => {}
            part => kept.push(part),
        }
    }
    let joined = kept.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

pub(crate) fn ext(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let path: &[u8] = text(args, 0)?;
    let at = path.iter().rposition(|byte| matches!(byte, b'/' | b'.'));
    Ok(Value::str(at.filter(|at| path[*at] == b'.').map_or(&b""[..], |at| &path[at..])))
}

pub(crate) fn is_abs(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Bool(text(args, 0)?.first() == Some(&b'/')))
}
