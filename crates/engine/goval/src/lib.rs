//! Go's values, and what Go prints for them.
//!
//! Templates, YAML and error messages carry text that Go made, and some of it is hashed, so
//! the bytes must be the same. [`Value`] keeps what a Go program can tell apart: integer and
//! float types, bytes, references ([`Map`] is one), named types ([`Object`]).

mod chars;
mod convert;
mod copy;
mod equal;
mod float;
mod fmt;
mod function;
pub mod json;
mod list;
mod map;
mod named;
mod number;
mod object;
mod quote;
mod release;
pub mod scan;
mod text;
mod value;
mod watch;

pub use chars::{char_count, first_char, is_digit, is_letter, is_print};
pub use convert::{from_json, to_json};
pub use copy::{deep_copy, dismantle};
pub use equal::deep_equal;
pub use float::{FloatBits, format_float, format_g};
pub use fmt::{append_action, append_value, print_value, sprint, sprintf, sprintln};
pub use function::{
    Body, Budget, Context, Function, Impure, Signature, TOO_MANY_STEPS, TOO_MUCH_TEXT, Type,
};
pub use list::{List, ListType};
pub use map::{Map, MapType};
pub use number::{NumError, NumProblem, atoi, parse_bool, parse_float, parse_int, parse_uint};
pub use object::Object;
pub use quote::{
    InvalidSyntax, Unit, quote, quote_bytes, quote_rune, quote_to_ascii, text_of, unquote,
    unquote_char,
};
pub use text::Str;
pub use value::{IntType, Kind, UintType, Value};
pub use watch::{Questions, Reads, Watching};

#[cfg(test)]
mod tests;
