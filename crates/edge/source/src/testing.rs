//! Repositories made by the real git, for tests.

pub(crate) mod server;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::{Config, Credentials, Repository, Sources};

/// A repository's work tree in a directory of its own.
pub(crate) struct Fixture {
    dir: PathBuf,
}

/// Nothing in a test takes longer, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(dir)
        .args(["-c", "protocol.file.allow=always"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .envs([("GIT_AUTHOR_NAME", "Ann"), ("GIT_AUTHOR_EMAIL", "ann@example.com")])
        .envs([("GIT_COMMITTER_NAME", "Bob"), ("GIT_COMMITTER_EMAIL", "bob@example.com")])
        .envs([("GIT_AUTHOR_DATE", "1700000000 +0100"), ("GIT_COMMITTER_DATE", "1700000100 +0100")])
        .output()
        .expect("git is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Fixture {
    /// A new repository with one commit of these files.
    pub(crate) fn new(dir: &Path, files: &[(&str, &str)]) -> Self {
        std::fs::create_dir_all(dir).expect("a directory for the repository");
        git(dir, &["init", "-q", "-b", "main"]);
        let fixture = Self { dir: dir.to_owned() };
        fixture.commit(files);
        fixture
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.dir.display())
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.dir, args)
    }

    pub(crate) fn write(&self, files: &[(&str, &str)]) {
        for (path, content) in files {
            let path = self.dir.join(path);
            std::fs::create_dir_all(path.parent().expect("a file has a directory")).expect("mkdir");
            std::fs::write(path, content).expect("write");
        }
    }

    /// Commits files and returns the commit's id.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> String {
        self.write(files);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "change\n\nthe body"]);
        self.head()
    }

    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }
}

/// A handle with mirrors in `dir` that reads local repositories.
pub(crate) fn sources(dir: &Path) -> Sources {
    Sources::new(Config { allow_file: true, ..Config::new(dir.join("cache")) })
}

pub(crate) fn open(sources: &Sources, url: &str) -> Repository {
    sources.repository(url, &Arc::new(Credentials::default())).expect("the URL is fine")
}
