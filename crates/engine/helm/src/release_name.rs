//! The name of a release.

use crate::error::Failure;

/// Bytes; names of objects have some to add.
const BYTES_MAX: usize = 53;

/// Refuses a name that is none.
///
/// # Errors
///
/// Helm's words.
pub(crate) fn check(name: &str) -> Result<(), Failure> {
    let problem = if name.is_empty() {
        "no name provided"
    } else if name.len() > BYTES_MAX || !name.split('.').all(is_label) {
        r"invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53"
    } else {
        return Ok(());
    };
    Err(Failure::values(format!(
        "release name check failed: release name {}: {problem}",
        goval::quote(name)
    ))
    .with_hint("set helm.releaseName; without it the Application's name is the release's"))
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = label.as_bytes();
    bytes.iter().all(|byte| inner(*byte) || *byte == b'-')
        && bytes.first().is_some_and(|byte| inner(*byte))
        && bytes.last().is_some_and(|byte| inner(*byte))
}
