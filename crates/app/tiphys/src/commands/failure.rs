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
        None => (whole(error), GENERAL_ERROR),
    }
}

/// An error and its causes; some libraries' errors end with what their cause says once more.
fn whole(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told.as_str() {
        "" => cause,
        told if told.ends_with(&cause) => told.to_owned(),
        told => format!("{told}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_cause_that_was_told_is_not_told_again() {
        let twice = anyhow!("no such file").context("cannot read 'a': no such file");
        let error = twice.context("the kubeconfig cannot be used");
        let told = "the kubeconfig cannot be used: cannot read 'a': no such file";
        assert_eq!(super::told(&error), (told.to_owned(), GENERAL_ERROR));
        assert_eq!(super::told(&refused("no")), ("no".to_owned(), REFUSED));
    }
}
