//! File events of repositories on this host.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod others;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;

use crate::core::reading;
use crate::error::SourceError;
use crate::local::{FollowedDirs, RefDirs};
use crate::repository::{Backend, Inner};

#[cfg(target_os = "linux")]
use linux::Files;
#[cfg(not(target_os = "linux"))]
use others::Files;

/// Events this close together are answered once: git moves several files for one commit.
const SETTLE: Duration = Duration::from_millis(4);

/// A repository that was removed is looked for so often, and so many times: 10 s. One that comes
/// later is found by the scheduler, or when somebody asks.
const LOOKED_FOR_EVERY: Duration = Duration::from_millis(50);
const LOOKED_FOR_TIMES: u32 = 200;

/// Follows local repositories by file events.
#[derive(Default)]
pub(crate) struct Follower {
    running: Mutex<Option<Running>>,
}

struct Running {
    files: Files,
    followed: Followed,
}

/// What a host tells of directories that are watched.
enum Told {
    /// Files and directories that came, changed or went.
    Changed(Vec<PathBuf>),
    /// Events were lost: anything may have changed.
    Lost,
}

/// Who wants to know about files under a git directory.
type Followed = Arc<Mutex<HashMap<PathBuf, Vec<Weak<Inner>>>>>;

impl Follower {
    /// Follows a repository, and looks at it once when it does.
    ///
    /// Where file events cannot be had the repository is only looked at.
    pub(crate) async fn follow(self: &Arc<Self>, inner: &Arc<Inner>) -> Result<(), SourceError> {
        let Backend::Local(local) = &inner.place else { return Ok(()) };
        let _following = local.following.lock().await;
        let (this, target, runtime) = (self.clone(), inner.clone(), Handle::current());
        let followed = reading(move || this.subscribe(&target, runtime)).await?;
        if let Err(reason) = &followed {
            let repo = inner.url.shown();
            tracing::warn!(repo, reason, "no file events; the repository is polled instead");
        }
        inner.refresh().await?;
        local.set_followed(followed.ok().flatten());
        Ok(())
    }

    /// Watches the repository's directories; the inner error says why there are no events.
    fn subscribe(
        self: &Arc<Self>,
        inner: &Arc<Inner>,
        runtime: Handle,
    ) -> Result<Result<Option<FollowedDirs>, String>, SourceError> {
        let Backend::Local(local) = &inner.place else { return Ok(Ok(None)) };
        let dirs = local.ref_dirs()?;
        let followed = FollowedDirs::of(&dirs);
        let mut running = self.running.lock();
        if running.is_none() {
            match Running::start(runtime, Arc::downgrade(self)) {
                Ok(started) => *running = Some(started),
                Err(error) => return Ok(Err(error.to_string())),
            }
        }
        let running = running.as_mut().expect("it was started above");
        Ok(running.follow(&dirs, inner).map(|()| followed).map_err(|error| error.to_string()))
    }

    /// Follows what stands at the path now, where that is not what was followed: a repository
    /// that was removed, or replaced by another.
    async fn follow_again(self: Arc<Self>, inner: Arc<Inner>) {
        let Backend::Local(local) = &inner.place else { return };
        {
            let _following = local.following.lock().await;
            if local.follows_what_is_there() {
                return;
            }
            self.unfollow(&inner);
        }
        for _ in 0..LOOKED_FOR_TIMES {
            if !inner.is_watched() || local.is_followed() {
                return;
            }
            // It may be half made: then it is not there, or its directories are not.
            let followed = self.follow(&inner).await;
            if followed.is_ok() && local.is_followed() {
                return;
            }
            tokio::time::sleep(LOOKED_FOR_EVERY).await;
        }
    }

    /// Stops following a repository.
    pub(crate) fn unfollow(&self, inner: &Arc<Inner>) {
        let Backend::Local(local) = &inner.place else { return };
        local.set_followed(None);
        if let Some(running) = self.running.lock().as_mut() {
            running.unfollow(inner);
        }
    }
}

impl Running {
    fn start(runtime: Handle, follower: Weak<Follower>) -> io::Result<Self> {
        let followed = Followed::default();
        let routes = followed.clone();
        let files = Files::new(move |told| {
            let concerned = match told {
                Told::Changed(paths) => concerned(&routes, &paths),
                Told::Lost => everybody(&routes),
            };
            for inner in concerned {
                look_soon(&runtime, &follower, inner);
            }
        })?;
        Ok(Self { files, followed })
    }

    fn follow(&mut self, dirs: &RefDirs, inner: &Arc<Inner>) -> io::Result<()> {
        self.files.watch(&dirs.common_dir, false)?;
        if dirs.git_dir != dirs.common_dir {
            self.files.watch(&dirs.git_dir, false)?;
        }
        self.files.watch(&dirs.common_dir.join("refs"), true)?;
        let mut followed = self.followed.lock();
        for dir in [&dirs.common_dir, &dirs.git_dir] {
            let who = followed.entry(dir.clone()).or_default();
            if !who.iter().any(|known| known.as_ptr() == Arc::as_ptr(inner)) {
                who.push(Arc::downgrade(inner));
            }
        }
        Ok(())
    }

    fn unfollow(&mut self, inner: &Arc<Inner>) {
        let mut ended = Vec::new();
        self.followed.lock().retain(|dir, who| {
            who.retain(|known| known.strong_count() > 0 && known.as_ptr() != Arc::as_ptr(inner));
            if who.is_empty() {
                ended.push(dir.clone());
            }
            !who.is_empty()
        });
        for dir in ended {
            self.files.unwatch(&dir);
        }
    }
}

fn concerned(followed: &Followed, paths: &[PathBuf]) -> Vec<Arc<Inner>> {
    let followed = followed.lock();
    let mut concerned: Vec<Arc<Inner>> = Vec::new();
    for path in paths {
        for dir in path.ancestors() {
            let Some(who) = followed.get(dir).filter(|_| says_where_names_point(dir, path)) else {
                continue;
            };
            concerned.extend(who.iter().filter_map(Weak::upgrade));
        }
    }
    concerned
}

fn everybody(followed: &Followed) -> Vec<Arc<Inner>> {
    followed.lock().values().flatten().filter_map(Weak::upgrade).collect()
}

/// Whether a file under a git directory has a say in what names point at.
fn says_where_names_point(git_dir: &Path, path: &Path) -> bool {
    let Ok(inside) = path.strip_prefix(git_dir) else { return false };
    if inside == Path::new("") {
        return true;
    }
    let lock = path.extension().is_some_and(|extension| extension == "lock");
    let named = inside == Path::new("HEAD") || inside == Path::new("packed-refs");
    named || (inside.starts_with("refs") && !lock)
}

fn look_soon(runtime: &Handle, follower: &Weak<Follower>, inner: Arc<Inner>) {
    if inner.looked_at_soon.swap(true, Ordering::AcqRel) {
        return;
    }
    let follower = follower.clone();
    runtime.spawn(async move {
        if !Files::SETTLES {
            tokio::time::sleep(SETTLE).await;
        }
        inner.looked_at_soon.store(false, Ordering::Release);
        if let Err(error) = inner.refresh().await {
            let repo = inner.url.shown();
            tracing::debug!(repo, %error, "repository not read after a file event");
        }
        if let Some(follower) = follower.upgrade() {
            follower.follow_again(inner).await;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_say_where_names_point_count() {
        let says = |path: &str| says_where_names_point(Path::new("/r/.git"), Path::new(path));
        assert!(says("/r/.git/HEAD"));
        assert!(says("/r/.git/packed-refs"));
        assert!(says("/r/.git/refs/heads/feature/x"));
        assert!(says("/r/.git"), "the directory itself went");
        assert!(!says("/r/.git/refs/heads/main.lock"));
        assert!(!says("/r/.git/index"));
        assert!(!says("/r/.git/HEAD.lock"));
        assert!(!says("/r/other"));
    }
}
