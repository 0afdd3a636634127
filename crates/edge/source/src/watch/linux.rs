//! File events by inotify, asked for no more than changes: each command of git opens a dozen files,
//! and so do we.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask, Watches};
use parking_lot::Mutex;

use super::{SETTLE, Told};

/// Room for the events of a commit at once.
const EVENTS_BYTES: usize = 16 << 10;

/// So many times as much is told at once; what is left is told at once after it.
const READS_TOGETHER_MAX: usize = 8;

/// Watches directories.
pub(super) struct Files {
    watches: Watches,
    places: Arc<Mutex<Places>>,
}

#[derive(Default)]
struct Places {
    by_watch: HashMap<WatchDescriptor, Place>,
    ended: bool,
}

struct Place {
    dir: PathBuf,
    /// With all directories below, also those to come.
    recursive: bool,
}

impl Files {
    /// Whether events are told once they have settled.
    pub(super) const SETTLES: bool = true;

    /// Begins with no directory; `on` is called on a thread of its own.
    pub(super) fn new(on: impl Fn(Told) + Send + 'static) -> io::Result<Self> {
        let mut events = Inotify::init()?;
        let files = Self { watches: events.watches(), places: Arc::default() };
        let (mut watches, places) = (files.watches.clone(), files.places.clone());
        std::thread::Builder::new().name("file events".into()).spawn(move || {
            let mut buffer = [0; EVENTS_BYTES];
            loop {
                let mut changed: Vec<PathBuf> = Vec::new();
                let mut read = events.read_events_blocking(&mut buffer);
                // A thread that wakes for each event of a commit wakes a dozen times.
                std::thread::sleep(SETTLE);
                for _ in 0..READS_TOGETHER_MAX {
                    let told = match read {
                        Ok(events) => {
                            let mut places = places.lock();
                            if places.ended {
                                return;
                            }
                            places.take(events, &mut watches)
                        }
                        Err(error) => match error.kind() {
                            io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => break,
                            _ => return on(Told::Lost),
                        },
                    };
                    match told {
                        Told::Changed(paths) => changed.extend(paths),
                        Told::Lost => on(Told::Lost),
                    }
                    read = events.read_events(&mut buffer);
                }
                if !changed.is_empty() {
                    on(Told::Changed(changed));
                }
            }
        })?;
        Ok(files)
    }

    pub(super) fn watch(&mut self, dir: &Path, recursive: bool) -> io::Result<()> {
        self.places.lock().add(dir, recursive, &mut self.watches)
    }

    /// Forgets a directory and those below. One that is gone is not watched any more either.
    pub(super) fn unwatch(&mut self, dir: &Path) {
        let mut places = self.places.lock();
        let below = places.by_watch.extract_if(|_, place| place.dir.starts_with(dir));
        for (watch, _) in below {
            self.watches.remove(watch).ok();
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let mut places = self.places.lock();
        places.ended = true;
        // The end of a watch is an event, too: the thread wakes up.
        for (watch, _) in std::mem::take(&mut places.by_watch) {
            self.watches.remove(watch).ok();
        }
    }
}

impl Places {
    fn add(&mut self, dir: &Path, recursive: bool, watches: &mut Watches) -> io::Result<()> {
        let mut mask = WatchMask::CLOSE_WRITE
            | WatchMask::MOVED_TO
            | WatchMask::DELETE
            | WatchMask::DELETE_SELF
            | WatchMask::MOVE_SELF
            | WatchMask::ONLYDIR;
        if recursive {
            mask |= WatchMask::CREATE | WatchMask::MOVED_FROM;
        }
        let watch = watches.add(dir, mask)?;
        self.by_watch.insert(watch, Place { dir: dir.to_owned(), recursive });
        if !recursive {
            return Ok(());
        }
        for entry in std::fs::read_dir(dir)?.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                // It may be gone by now.
                self.add(&entry.path(), true, watches).ok();
            }
        }
        Ok(())
    }

    fn take(&mut self, events: inotify::Events<'_>, watches: &mut Watches) -> Told {
        let mut paths: Vec<PathBuf> = Vec::new();
        for event in events {
            if event.mask.contains(EventMask::Q_OVERFLOW) {
                return Told::Lost;
            }
            if event.mask.contains(EventMask::IGNORED) {
                self.by_watch.remove(&event.wd);
                continue;
            }
            let Some(place) = self.by_watch.get(&event.wd) else { continue };
            let path = event.name.map_or_else(|| place.dir.clone(), |name| place.dir.join(name));
            let came = event.mask.intersects(EventMask::CREATE | EventMask::MOVED_TO);
            if place.recursive && came && event.mask.contains(EventMask::ISDIR) {
                self.add(&path, true, watches).ok();
            }
            paths.push(path);
        }
        Told::Changed(paths)
    }
}
