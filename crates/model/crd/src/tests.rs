//! Reading, printing and meaning.

mod helpers;
mod meaning;
mod round_trip;
mod schema;
