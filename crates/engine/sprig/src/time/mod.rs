//! Dates as Go's `time` has them: its layouts, its zones, its durations.
//!
//! The local zone is UTC, as in the containers in which templates are rendered elsewhere.

mod calendar;
mod duration;
mod functions;
mod layout;
mod moment;
mod parse;
mod zone;

pub use duration::Duration;
pub use moment::Time;

pub(crate) use functions::{
    ago, date, date_in_zone, date_modify, duration, duration_round, html_date, html_date_in_zone,
    must_date_modify, must_to_date, now, to_date, unix_epoch,
};
pub(crate) use zone::Zone;
