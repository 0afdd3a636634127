//! A program that ends with its owner, whatever happens to the owner.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};

/// A running program.
pub struct Process {
    child: Child,
    _watchdog: Watchdog,
}

impl Process {
    /// Starts a program; what it prints goes to `log`.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let out = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let pid = child.id().to_string();
        match Watchdog::start("kill -9 \"$1\"", pid.as_ref()) {
            Ok(watchdog) => Ok(Self { child, _watchdog: watchdog }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    /// At once: what it would save on its way out lies in a directory that is deleted.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Does something when our end of its pipe closes without it having been dropped: when this
/// process ended, however it did.
pub struct Watchdog(Child);

impl Watchdog {
    /// `script` is a line of shell; `$1` is `about`.
    pub fn start(script: &str, about: &OsStr) -> Result<Self> {
        let child = Command::new("sh")
            .args(["-c", &format!("read -r _; {script}"), "watchdog"])
            .arg(about)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start a watchdog")?;
        Ok(Self(child))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
