//! The functions that every template has.

mod compare;
mod elements;
mod escape;

use goval::{Budget, Kind, Str, Type, Value, append_value, sprint, sprintf, sprintln};

/// One of Go's own functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    And,
    Call,
    Html,
    Index,
    Slice,
    Js,
    Len,
    Not,
    Or,
    Print,
    Printf,
    Println,
    UrlQuery,
    Eq,
    Ge,
    Gt,
    Le,
    Lt,
    Ne,
}

/// Which arguments are still in their interfaces: a nil there is not the same as no value.
#[derive(Clone, Copy)]
pub(crate) struct Boxes<'a> {
    pub(crate) last: bool,
    /// Of `slice` all.
    pub(crate) each: &'a [bool],
}

impl Builtin {
    pub(crate) const ALL: &[Self] = &[
        Self::And,
        Self::Call,
        Self::Html,
        Self::Index,
        Self::Slice,
        Self::Js,
        Self::Len,
        Self::Not,
        Self::Or,
        Self::Print,
        Self::Printf,
        Self::Println,
        Self::UrlQuery,
        Self::Eq,
        Self::Ge,
        Self::Gt,
        Self::Le,
        Self::Lt,
        Self::Ne,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Call => "call",
            Self::Html => "html",
            Self::Index => "index",
            Self::Slice => "slice",
            Self::Js => "js",
            Self::Len => "len",
            Self::Not => "not",
            Self::Or => "or",
            Self::Print => "print",
            Self::Printf => "printf",
            Self::Println => "println",
            Self::UrlQuery => "urlquery",
            Self::Eq => "eq",
            Self::Ge => "ge",
            Self::Gt => "gt",
            Self::Le => "le",
            Self::Lt => "lt",
            Self::Ne => "ne",
        }
    }

    /// What it takes, and whether the last may come any number of times.
    pub(crate) fn params(self) -> (&'static [Type], bool) {
        const ONE: &[Type] = &[Type::Any];
        const TWO: &[Type] = &[Type::Any, Type::Any];
        match self {
            Self::Not | Self::Len => (ONE, false),
            Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge => (TWO, false),
            Self::And | Self::Or => (TWO, true),
            Self::Eq | Self::Index | Self::Slice | Self::Call => (TWO, true),
            Self::Html | Self::Js | Self::UrlQuery | Self::Print | Self::Println => (ONE, true),
            Self::Printf => (&[Type::String, Type::Any], true),
        }
    }

    /// Calls it. `callee` is how the template spells what `call` calls.
    pub(crate) fn call(
        self,
        args: &[Value],
        boxes: Boxes<'_>,
        callee: impl FnOnce() -> String,
        budget: &mut Budget,
    ) -> Result<Value, String> {
        let truth = match self {
            Self::Not => Ok(!args[0].is_true()),
            Self::Eq => compare::equal(&args[0], &args[1..]),
            Self::Ne => compare::equal(&args[0], &args[1..]).map(|equal| !equal),
            Self::Lt => compare::less(&args[0], &args[1]),
            Self::Le => compare::less_or_equal(&args[0], &args[1]),
            Self::Gt => compare::less_or_equal(&args[0], &args[1]).map(|less| !less),
            Self::Ge => compare::less(&args[0], &args[1]).map(|less| !less),
            Self::Len => return elements::length(&args[0], boxes.last).map(Value::int),
            Self::Index => return elements::index(&args[0], &args[1..]),
            Self::Slice => return elements::slice(&args[0], &args[1..], boxes.each),
            Self::Call => return elements::call(&args[0], &args[1..], callee),
            Self::Print => return sprint(args, budget).map(Value::Str),
            Self::Println => return sprintln(args, budget).map(Value::Str),
            Self::Printf => {
                let Value::Str(format) = &args[0] else {
                    return Err("the format is no string".to_owned());
                };
                return sprintf(format, &args[1..], budget).map(Value::Str);
            }
            Self::Html | Self::Js | Self::UrlQuery => {
                let text = printed(args, budget)?;
                let escaped = match self {
                    Self::Html => escape::html(&text),
                    Self::Js => escape::js(&text),
                    _ => escape::url_query(&text),
                };
                budget.charge(escaped.len() as u64)?;
                return Ok(Value::Str(Str::from(escaped)));
            }
            // These decide whether their arguments are evaluated: the machine does it.
            Self::And | Self::Or => Ok(args.last().is_some_and(Value::is_true)),
        };
        truth.map(Value::Bool)
    }
}

/// The arguments as one text, each as an action would print it.
fn printed(args: &[Value], budget: &mut Budget) -> Result<Str, String> {
    if let [Value::Str(text)] = args {
        return Ok(text.clone());
    }
    let mut out = Vec::new();
    let mut string_before = true;
    for arg in args {
        let is_string = matches!(arg, Value::Nil | Value::Str(_));
        if !is_string && !string_before {
            out.push(b' ');
        }
        string_before = is_string;
        match arg {
            Value::Nil => out.extend_from_slice(b"<no value>"),
            // Pointers are followed first.
            Value::Object(object) if object.kind() == Kind::Ptr => {
                out.extend_from_slice(object.print().as_bytes());
            }
            other => append_value(&mut out, other, budget)?,
        }
    }
    Ok(Str::from(out))
}
