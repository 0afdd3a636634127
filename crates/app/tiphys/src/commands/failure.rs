//! How commands fail: most with upstream's general code, some with a code of their own.

/// The exit code of what failed for any reason that has no code of its own, as upstream's.
pub const GENERAL_ERROR: u8 = 20;

/// The exit code of a command that was used wrongly, or whose answer is no, as upstream's.
pub const REFUSED: u8 = 1;

/// A failure with an exit code of its own.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What people read; where it is empty, everything is said already.
    pub message: String,
    /// The process's exit code.
    pub code: u8,
}

/// A failure that ends with code 1.
pub fn refused(message: impl Into<String>) -> anyhow::Error {
    Failure { message: message.into(), code: REFUSED }.into()
}

/// Where a command failed: what to say, and the exit code.
pub fn told(error: &anyhow::Error) -> (String, u8) {
    match error.downcast_ref::<Failure>() {
        Some(failure) => (failure.message.clone(), failure.code),
        None => (format!("{error:#}"), GENERAL_ERROR),
    }
}
