//! Go's values, and what Go prints for them.
//!
//! Templates, YAML and error messages carry text that Go made, and some of it is hashed, so
//! the bytes must be the same. [`Value`] keeps what a Go program can tell apart: integer and
//! float types, bytes, references ([`Map`] is one), named types ([`Object`]).

mod chars;
mod float;
mod function;
mod list;
mod map;
mod object;
mod quote;
mod text;
mod value;

pub use chars::{char_count, first_char, is_digit, is_letter, is_print};
pub use float::{FloatBits, format_g};
pub use function::{Body, Budget, Context, Function, Impure, Signature, Type};
pub use list::{List, ListType};
pub use map::{Map, MapType};
pub use object::Object;
pub use quote::{
    InvalidSyntax, Unit, quote, quote_bytes, quote_to_ascii, text_of, unquote, unquote_char,
};
pub use text::Str;
pub use value::{IntType, Kind, UintType, Value};

#[cfg(test)]
mod tests;
