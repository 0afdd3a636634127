//! Versions and constraints in the dialect of the package `Masterminds/semver`.
//!
//! It is neither npm's nor Cargo's: versions may lack parts, a comma or a blank means "and",
//! and a pre-release fits only a constraint that names one.

mod constraint;
mod scan;
mod version;

use goval::{Context, Value};

use crate::args::{Answer, named, utf8};

pub use constraint::Constraint;
pub use version::Version;

pub(crate) fn semver(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(named(Version::parse(&utf8(args, 0)?)?))
}

pub(crate) fn semver_compare(_: &mut Context<'_>, args: &[Value]) -> Answer {
    compare(args, Constraint::parse(&utf8(args, 0)?)?)
}

/// Helm 3.19's: its errors name the constraint without quotes.
pub(crate) fn semver_compare_3_19(_: &mut Context<'_>, args: &[Value]) -> Answer {
    compare(args, Constraint::parse_naming(&utf8(args, 0)?, str::to_owned)?)
}

fn compare(args: &[Value], constraint: Constraint) -> Answer {
    Ok(Value::Bool(constraint.allows(&Version::parse(&utf8(args, 1)?)?)))
}
