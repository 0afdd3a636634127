//! Whether the process is well, as those who watch over it ask.

use std::sync::Arc;

use parking_lot::Mutex;

/// What `/healthz` and `/readyz` answer. Clones are handles to the same.
///
/// A process begins well, and not ready.
#[derive(Clone, Default)]
pub struct Health {
    inner: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    ready: bool,
    ill: Option<String>,
}

impl Health {
    /// Says whether work can be given to the process.
    pub fn set_ready(&self, ready: bool) {
        self.inner.lock().ready = ready;
    }

    /// Says that the process cannot go on and should be started anew; `None`: it is well again.
    pub fn set_ill(&self, why: Option<String>) {
        self.inner.lock().ill = why;
    }

    /// Why it is not well.
    pub fn ill(&self) -> Option<String> {
        self.inner.lock().ill.clone()
    }

    /// Whether it is well and takes work.
    pub fn is_ready(&self) -> bool {
        let state = self.inner.lock();
        state.ready && state.ill.is_none()
    }
}
