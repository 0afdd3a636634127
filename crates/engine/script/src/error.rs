//! Why a script gave no answer.

/// Why a script gave no answer. The words are shown to people as the health of an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// It is no Lua.
    #[error("{0}")]
    Syntax(String),

    /// It raised an error, by `error` or by a mistake.
    #[error("{0}")]
    Raised(String),

    /// It took more steps than it may, or whoever waited would wait no longer.
    #[error("<string>: context deadline exceeded")]
    TookTooLong,

    /// It wanted more memory than it may have.
    #[error("<string>: not enough memory")]
    WantedTooMuch,

    /// What it returned cannot be written as JSON.
    #[error("{0}")]
    Unencodable(String),
}
