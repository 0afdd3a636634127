//! Go's `fmt`: values as text.

mod number;
mod printer;
mod verbs;

use crate::function::Budget;
use crate::text::Str;
use crate::value::{Kind, Value};

use printer::Printer;

/// `fmt.Sprint`: a space between two neighbours of which neither is a string.
///
/// # Errors
///
/// When the budget does not allow the text, or a value nests without end.
pub fn sprint(args: &[Value], budget: &mut Budget) -> Result<Str, String> {
    let mut printer = Printer::new(budget.bytes);
    let mut string_before = false;
    for (at, arg) in args.iter().enumerate() {
        let is_string = arg.kind() == Kind::String;
        if at > 0 && !is_string && !string_before {
            printer.out.push(b' ');
        }
        printer.arg(arg, 'v');
        string_before = is_string;
    }
    printer.finish(budget)
}

/// `fmt.Sprintln`: spaces between all, and a newline.
///
/// # Errors
///
/// As [`sprint`].
pub fn sprintln(args: &[Value], budget: &mut Budget) -> Result<Str, String> {
    let mut printer = Printer::new(budget.bytes);
    for (at, arg) in args.iter().enumerate() {
        if at > 0 {
            printer.out.push(b' ');
        }
        printer.arg(arg, 'v');
    }
    printer.out.push(b'\n');
    printer.finish(budget)
}

/// `fmt.Sprintf`. A verb that does not suit its argument is text in the result, as in Go.
///
/// # Errors
///
/// As [`sprint`].
pub fn sprintf(format: &[u8], args: &[Value], budget: &mut Budget) -> Result<Str, String> {
    let mut printer = Printer::new(budget.bytes);
    printer.out.reserve(format.len() + 16 * args.len());
    verbs::print(&mut printer, format, args);
    printer.finish(budget)
}

/// Appends what an action prints: what `%v` does, or the `String()` of a pointer to it.
///
/// # Errors
///
/// As [`sprint`].
pub fn append_action(out: &mut Vec<u8>, value: &Value, budget: &mut Budget) -> Result<(), String> {
    match value {
        Value::Object(object) if object.is_stringer_by_pointer() => {
            let text = object.print();
            budget.charge(text.len() as u64)?;
            out.extend_from_slice(text.as_bytes());
            Ok(())
        }
        value => append_value(out, value, budget),
    }
}

/// Appends what `%v` prints.
///
/// # Errors
///
/// As [`sprint`].
pub fn append_value(out: &mut Vec<u8>, value: &Value, budget: &mut Budget) -> Result<(), String> {
    let before = out.len();
    match value {
        Value::Str(text) => {
            budget.charge(text.len() as u64)?;
            out.extend_from_slice(text);
            return Ok(());
        }
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(value, _) => number::append_int(out, *value),
        Value::Uint(value, _) => number::append_uint(out, *value),
        _ => {
            let mut printer = Printer::new(budget.bytes);
            printer.out = std::mem::take(out);
            printer.limit = printer.limit.saturating_add(before as u64);
            printer.arg(value, 'v');
            let fault = printer.fault.take();
            *out = printer.out;
            if let Some(fault) = fault {
                out.truncate(before);
                return Err(fault.to_owned());
            }
        }
    }
    budget.charge((out.len() - before) as u64)
}

/// Longer texts are cut here: they are for messages.
const PRINT_BYTES_MAX: u64 = 4 << 20;

/// What `%v` prints, for messages: where it is very long or nests without end, only its beginning.
pub fn print_value(value: &Value) -> Str {
    let mut printer = Printer::new(PRINT_BYTES_MAX);
    printer.arg(value, 'v');
    printer.out.truncate(PRINT_BYTES_MAX as usize);
    Str::from(printer.out)
}
