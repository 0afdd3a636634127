//! How much a script may use, and the counting of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use mlua::{HookTriggers, Lua, VmState};

/// Asked now and then while a script runs; true ends it. It is how a caller, who has a clock,
/// sets a limit in seconds.
pub type ShouldStop = Arc<dyn Fn() -> bool + Send + Sync>;

/// How much one run of a script may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Steps of the machine; the compiler being off, some 100 million take a second.
    pub steps_max: u64,
    /// Bytes that the machine may hold, its own libraries included.
    pub memory_bytes_max: usize,
}

impl Default for Limits {
    /// Half a second or so, and 64 MiB.
    fn default() -> Self {
        Self { steps_max: 50_000_000, memory_bytes_max: 64 << 20 }
    }
}

/// How many steps pass between two looks at the meter.
const LOOK_EVERY: u32 = 1000;

/// What one run has used so far.
pub(crate) struct Meter {
    left: AtomicU64,
    over: AtomicBool,
    should_stop: Option<ShouldStop>,
}

impl Meter {
    pub(crate) fn new(limits: &Limits, should_stop: Option<ShouldStop>) -> Arc<Self> {
        let left = AtomicU64::new(limits.steps_max);
        Arc::new(Self { left, over: AtomicBool::new(false), should_stop })
    }

    /// Whether the run was ended by the meter.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Counts steps; true where there are none left, from then on.
    pub(crate) fn take(&self, steps: u64) -> bool {
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(steps), Ordering::Relaxed);
        let stop = left < steps || self.should_stop.as_ref().is_some_and(|stop| stop());
        if stop {
            self.over.store(true, Ordering::Relaxed);
        }
        self.is_over()
    }

    /// Makes the machine count.
    pub(crate) fn attach(self: &Arc<Self>, lua: &Lua) -> mlua::Result<()> {
        let meter = self.clone();
        lua.set_hook(HookTriggers::new().every_nth_instruction(LOOK_EVERY), move |lua, _| {
            if !meter.take(u64::from(LOOK_EVERY)) {
                return Ok(VmState::Continue);
            }
            // A script could catch the error and go on; it may do so for one step each time.
            lua.set_hook(HookTriggers::new().every_nth_instruction(1), |_, _| Err(ended()))?;
            Err(ended())
        })
    }
}

pub(crate) fn ended() -> mlua::Error {
    mlua::Error::runtime("context deadline exceeded")
}
