//! Values as text: what `std.toString`, `%s` and `+` make of them.
//!
//! The interpreter prints a number with the fewest digits that give it back, go-jsonnet with 17:
//! that is why lists and objects are written here.

use jrsonnet_evaluator::manifest::escape_string_json_buf;
use jrsonnet_evaluator::{IStr, Result, Val, bail};

use super::numbers;

/// A value as text; a text stays as it is.
pub(super) fn text_of(value: &Val) -> Result<IStr> {
    match value {
        Val::Num(number) => Ok(numbers::text(number.get()).into()),
        Val::Arr(_) | Val::Obj(_) => {
            let mut out = String::new();
            write(value, &mut out)?;
            Ok(out.into())
        }
        Val::Func(_) => bail!("couldn't manifest function as JSON"),
        other => other.to_string(),
    }
}

/// Adds a value in one line.
fn write(value: &Val, out: &mut String) -> Result<()> {
    match value {
        Val::Str(text) => escape_string_json_buf(&text.clone().into_flat(), out),
        Val::Arr(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write(&item?, out)?;
            }
            out.push_str(if items.is_empty() { " ]" } else { "]" });
        }
        Val::Obj(object) => {
            object.run_assertions()?;
            out.push('{');
            let mut is_empty = true;
            for (key, value) in object.iter() {
                out.push_str(if is_empty { "" } else { ", " });
                is_empty = false;
                escape_string_json_buf(&key, out);
                out.push_str(": ");
                write(&value?, out)?;
            }
            out.push_str(if is_empty { " }" } else { "}" });
        }
        other => out.push_str(&text_of(other)?),
    }
    Ok(())
}
