//! Why an action was not run.

/// Why an action was not run.
///
/// The words are those that Argo CD's users know.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// Neither a user nor anybody here defined it.
    #[error("built-in script \"{kind}/actions/{action}/action.lua\" does not exist")]
    NoSuchAction {
        /// `group/Kind`.
        kind: String,
        /// As it was called.
        action: String,
    },

    /// The action refused what it was told, or the object as it is.
    #[error("{0}")]
    Refused(String),

    /// A user's action could not be read.
    #[error("actions of {kind} do not parse: {problem}")]
    Unreadable {
        /// `group/Kind`.
        kind: String,
        /// What the parser said.
        problem: String,
    },

    /// A user's script failed.
    #[error(transparent)]
    Script(#[from] script::ScriptError),

    /// A user's script answered something else than an object or a list of operations.
    #[error("{0}")]
    Answer(String),
}
