//! Where a run keeps its things, and that only one runs there at a time.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// A run's directory, held by this process alone while it lives.
pub struct Place {
    dir: PathBuf,
    /// The lock ends with the file, whatever ends the process.
    _lock: File,
}

impl Place {
    /// Takes `dir` (or the default), and with `fresh` forgets what an earlier run left there.
    pub fn take(dir: Option<&Path>, fresh: bool) -> Result<Self> {
        let dir = match dir {
            Some(dir) => dir.to_owned(),
            None => default_dir()?,
        };
        fs::create_dir_all(&dir).with_context(|| format!("cannot make `{}`", dir.display()))?;
        let dir = dir.canonicalize().with_context(|| format!("cannot use `{}`", dir.display()))?;
        let path = dir.join("lock");
        let lock =
            File::create(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another `tiphys up` runs in `{}`; end it first, or give this one another --dir",
                dir.display()
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock `{}`", path.display()));
            }
        }
        if fresh {
            for name in ["cluster", "cache", "repos", "kubeconfig", "endpoints.json"] {
                remove(&dir.join(name))?;
            }
        }
        // Readers wait for these two: what an earlier run wrote says nothing about this one.
        for name in ["kubeconfig", "endpoints.json"] {
            remove(&dir.join(name))?;
        }
        Ok(Self { dir, _lock: lock })
    }

    /// A path inside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The kubeconfig of the run.
    pub fn kubeconfig(&self) -> PathBuf {
        self.path("kubeconfig")
    }

    /// Writes a file whole: it is never seen half written.
    pub fn write(&self, name: &str, content: &str) -> Result<()> {
        let (path, draft) = (self.path(name), self.path(&format!(".{name}.new")));
        let write = || -> std::io::Result<()> {
            let mut file = private(&draft)?;
            file.write_all(content.as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, &path)
        };
        write().with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// Writes the addresses of every port, by name.
    pub fn write_endpoints(&self, endpoints: &BTreeMap<&str, String>) -> Result<()> {
        self.write("endpoints.json", &format!("{}\n", serde_json::to_string_pretty(endpoints)?))
    }
}

/// A file that only its owner reads: a kubeconfig holds a token.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

fn remove(path: &Path) -> Result<()> {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", path.display()))
        }
        _ => Ok(()),
    }
}

/// `${XDG_STATE_HOME:-~/.local/state}/tiphys`.
fn default_dir() -> Result<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let state = match from("XDG_STATE_HOME") {
        Some(state) => PathBuf::from(state),
        None => match from("HOME") {
            Some(home) => PathBuf::from(home).join(".local/state"),
            None => bail!("neither XDG_STATE_HOME nor HOME is set; give --dir"),
        },
    };
    Ok(state.join("tiphys"))
}
