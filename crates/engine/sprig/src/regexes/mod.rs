//! Regular expressions in Go's syntax.

mod class;
mod functions;
mod matches;
mod translate;

pub(crate) use functions::{
    find, find_all, must_find, must_find_all, must_matches, must_replace_all,
    must_replace_all_literal, must_split, quote_meta, replace_all, replace_all_literal, split,
    string_matches,
};
pub use translate::regex_problem;
