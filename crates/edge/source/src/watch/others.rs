//! File events by what the host has.

use std::io;
use std::path::Path;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::Told;

/// Watches directories.
pub(super) struct Files {
    watcher: RecommendedWatcher,
}

impl Files {
    /// Whether events are told once they have settled.
    pub(super) const SETTLES: bool = false;

    /// Begins with no directory; `on` is called on a thread of its own.
    pub(super) fn new(on: impl Fn(Told) + Send + 'static) -> io::Result<Self> {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            match event {
                // Reading is an event too, our own included.
                Ok(event) if matches!(event.kind, EventKind::Access(_)) => {}
                Ok(event) if !event.need_rescan() => on(Told::Changed(event.paths)),
                Ok(_) | Err(_) => on(Told::Lost),
            }
        });
        Ok(Self { watcher: watcher.map_err(io::Error::other)? })
    }

    pub(super) fn watch(&mut self, dir: &Path, recursive: bool) -> io::Result<()> {
        let mode = if recursive { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        self.watcher.watch(dir, mode).map_err(io::Error::other)
    }

    /// Forgets a directory and those below. One that is gone is not watched any more either.
    pub(super) fn unwatch(&mut self, dir: &Path) {
        self.watcher.unwatch(dir).ok();
        self.watcher.unwatch(&dir.join("refs")).ok();
    }
}
