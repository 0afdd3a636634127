//! Versions and ranges of versions, as charts write them.

use sprig::{Constraint, Version};

/// Whether the text is a version (`1.2`, `v1.2.3-rc.1`).
pub(crate) fn is_version(text: &str) -> bool {
    Version::parse(text).is_ok()
}

/// Whether a version lies in a range; what does not parse lies nowhere.
pub(crate) fn satisfies(range: &str, version: &str) -> bool {
    match (Version::parse(version), Constraint::parse(range)) {
        (Ok(version), Ok(range)) => range.allows(&version),
        _ => false,
    }
}
