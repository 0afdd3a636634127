//! What an expression uses.

use crate::parse::{Expr, Node, is_reserved};

/// Functions that are checked and not evaluated.
const UNKNOWN: [&str; 1] = ["transformMapEntry"];

/// Whether everything in an expression can be evaluated.
pub fn is_known(expr: &Expr) -> bool {
    let mut known = true;
    walk(expr, &mut |at| {
        if let Node::Call { name, .. } = &at.node {
            known &= !UNKNOWN.contains(&name.as_str());
        }
    });
    known
}

/// Whether an expression uses a name.
pub fn names_used(expr: &Expr, wanted: &str) -> bool {
    let mut found = false;
    walk(expr, &mut |at| {
        if let Node::Name(name) = &at.node {
            found |= name == wanted;
        }
    });
    found
}

fn walk(expr: &Expr, see: &mut impl FnMut(&Expr)) {
    see(expr);
    match &expr.node {
        Node::Bool(_)
        | Node::Int(_)
        | Node::Uint(_)
        | Node::Double(_)
        | Node::Text(_)
        | Node::Bytes(_)
        | Node::Null
        | Node::Name(_) => {}
        Node::Select { of, .. } => walk(of, see),
        Node::Index { of, by, .. } => {
            walk(of, see);
            walk(by, see);
        }
        Node::List(items) => items.iter().for_each(|(item, _)| walk(item, see)),
        Node::Map(entries) => {
            for (key, value, _) in entries {
                walk(key, see);
                walk(value, see);
            }
        }
        Node::Struct { fields, .. } => fields.iter().for_each(|(_, field)| walk(field, see)),
        Node::Call { target, arguments, .. } => {
            if let Some(target) = target {
                walk(target, see);
            }
            arguments.iter().for_each(|argument| walk(argument, see));
        }
    }
}

/// Returns the name of a field as expressions say it; `None` where they cannot.
pub fn escaped(name: &str) -> Option<String> {
    if name.starts_with(|first: char| first.is_ascii_digit()) || name.is_empty() {
        return None;
    }
    if is_reserved(name) || ["true", "false", "null", "in"].contains(&name) {
        return Some(format!("__{name}__"));
    }
    let mut out = String::new();
    let mut rest = name;
    while let Some(sign) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("__") {
            out.push_str("__underscores__");
            rest = after;
            continue;
        }
        match sign {
            '.' => out.push_str("__dot__"),
            '-' => out.push_str("__dash__"),
            '/' => out.push_str("__slash__"),
            sign if sign.is_ascii_alphanumeric() || sign == '_' => out.push(sign),
            _ => return None,
        }
        rest = &rest[sign.len_utf8()..];
    }
    Some(out)
}
