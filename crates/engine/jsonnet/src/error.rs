//! Why a program gives no value.

use filetree::TreeError;

/// Why a program gives no value.
#[derive(Debug, thiserror::Error)]
pub enum JsonnetError {
    /// The program is wrong, or says so itself; with its stack, a line a frame.
    #[error("{0}")]
    Program(String),
    /// The tree could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The caller's probe said to stop.
    #[error("the program was stopped before it ended: does it end at all?")]
    Stopped,
    /// Programs that never ended still run.
    #[error(
        "{running} Jsonnet programs that never ended are still running; no further one is started until one of them ends"
    )]
    Busy {
        /// How many.
        running: usize,
    },
    /// More than the limit.
    #[error("the program's value is larger than {limit_bytes} bytes")]
    TooLarge {
        /// [`crate::Limits::output_bytes_max`].
        limit_bytes: usize,
    },
    /// The system gives no thread.
    #[error("no thread to run Jsonnet on: {0}")]
    NoThread(std::io::Error),
}
