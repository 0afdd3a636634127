//! The functions of Helm's templates: Sprig's, and Helm's own that write and read formats.
//!
//! Charts are written against one program, so every rule is that program's, odd ones too: how
//! texts become numbers, where bytes are cut, what a merge leaves alone, which words an error
//! has. What a function answers depends on its arguments and on [`goval::Impure`] alone, from
//! which all randomness and time come.
//!
//! Nothing here looks a name up, reads a file or asks for the time, and what grows with a number
//! in a template counts against [`goval::Budget`].
//!
//! Start at [`functions`]; [`Stable`], [`Fresh`] and [`Pinned`] are the ways to be random.

mod args;
mod cast;
mod crypto;
mod decimal;
mod dicts;
mod encoding;
mod formats;
mod gathered;
mod impure;
mod letters;
mod lists;
mod logic;
mod merge;
mod numbers;
mod paths;
mod print;
mod random;
mod regexes;
mod semver;
mod strings;
mod table;
mod time;
mod toml;
mod urls;
mod words;

pub use crypto::Certificate;
pub use impure::{Fresh, Made, Pinned, Stable};
pub use regexes::regex_problem;
pub use semver::{Constraint, Version};
pub use table::{Profile, functions};
pub use time::{Duration, Time};

#[cfg(test)]
mod tests;
