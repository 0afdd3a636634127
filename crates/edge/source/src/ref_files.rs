//! Whether the files that say what names point at are as they were.

use std::fs::{Metadata, read_dir};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::local::{FileId, RefDirs};

/// What was written so shortly before it was looked at may be written again with the same time
/// on it, so its marks say nothing; git's own rule for its index. File systems count in steps of
/// some milliseconds.
const TOO_NEW: Duration = Duration::from_secs(1);

/// More files than this are read each time.
const FILES_MAX: usize = 20_000;

/// The files under `RefDirs` and their marks at one moment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RefFiles {
    marks: Vec<(PathBuf, Option<Mark>)>,
}

/// Changes with whatever is done to a file, or to a directory's list of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    file: FileId,
    bytes: u64,
    /// Since 1970, in seconds and nanoseconds; nobody can set it back.
    changed: (i64, i64),
}

impl RefFiles {
    /// Looks at all of them before they are read at `now`; `None` where their marks would not
    /// tell of every later change, or where there are too many.
    pub(crate) fn look(dirs: &RefDirs, now: SystemTime) -> Option<Self> {
        let mut files = Self { marks: Vec::new() };
        files.add(&dirs.git_dir.join("HEAD"))?;
        files.add(&dirs.common_dir.join("packed-refs"))?;
        files.add_below(&dirs.common_dir.join("refs"))?;
        if dirs.git_dir != dirs.common_dir {
            files.add_below(&dirs.git_dir.join("refs"))?;
        }
        let newest = files.marks.iter().filter_map(|(_, mark)| Some(mark.as_ref()?.changed)).max();
        let (seconds, nanoseconds) = newest?;
        let newest = Duration::new(seconds.try_into().ok()?, nanoseconds.try_into().ok()?);
        let now = now.duration_since(UNIX_EPOCH).ok()?;
        (now.checked_sub(newest)? >= TOO_NEW).then_some(files)
    }

    /// Whether nothing was written since.
    pub(crate) fn are_as_they_were(&self) -> bool {
        self.marks
            .iter()
            .all(|(path, before)| mark_of(path.metadata()).is_ok_and(|now| now == *before))
    }

    fn add(&mut self, path: &Path) -> Option<()> {
        let mark = mark_of(path.metadata()).ok()?;
        self.marks.push((path.to_owned(), mark));
        (self.marks.len() <= FILES_MAX).then_some(())
    }

    /// Adds a directory and all under it. A link leads to where nothing here looks.
    fn add_below(&mut self, dir: &Path) -> Option<()> {
        self.add(dir)?;
        let entries = match read_dir(dir) {
            Ok(entries) => entries,
            Err(error) => return (error.kind() == ErrorKind::NotFound).then_some(()),
        };
        for entry in entries {
            let entry = entry.ok()?;
            let kind = entry.file_type().ok()?;
            if kind.is_symlink() {
                return None;
            } else if kind.is_dir() {
                self.add_below(&entry.path())?;
            } else {
                self.add(&entry.path())?;
            }
        }
        Some(())
    }
}

/// The mark of a file; `None` where there is none.
fn mark_of(metadata: Result<Metadata, Error>) -> Result<Option<Mark>, Error> {
    match metadata {
        Ok(of) => Ok(Some(Mark {
            file: FileId::of(&of),
            bytes: of.size(),
            changed: (of.ctime(), of.ctime_nsec()),
        })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    fn later() -> SystemTime {
        SystemTime::now() + TOO_NEW
    }

    #[test]
    fn every_way_to_move_a_name_is_seen() {
        let dir = tempfile::tempdir().expect("a directory");
        let made = Fixture::new(&dir.path().join("repo"), &[("a.yaml", "1")]);
        let git_dir = made.dir().join(".git");
        let dirs = RefDirs { common_dir: git_dir.clone(), git_dir };
        let ways: [&[&str]; 9] = [
            &["commit", "-q", "--allow-empty", "-m", "next"],
            &["branch", "feature/a"],
            &["tag", "v1"],
            &["branch", "-f", "feature/a", "HEAD~1"],
            &["pack-refs", "--all"],
            &["branch", "-f", "feature/a", "HEAD"],
            &["tag", "-d", "v1"],
            &["checkout", "-q", "feature/a"],
            &["branch", "-D", "main"],
        ];
        for way in ways {
            let before = RefFiles::look(&dirs, later()).expect("they can be looked at");
            assert!(before.are_as_they_were());
            made.git(way);
            assert!(!before.are_as_they_were(), "{way:?}");
        }
    }

    #[test]
    fn what_was_just_written_says_nothing_yet() {
        let dir = tempfile::tempdir().expect("a directory");
        let made = Fixture::new(&dir.path().join("repo"), &[("a.yaml", "1")]);
        let git_dir = made.dir().join(".git");
        let dirs = RefDirs { common_dir: git_dir.clone(), git_dir };
        assert_eq!(RefFiles::look(&dirs, SystemTime::UNIX_EPOCH), None);
        let head = dirs.git_dir.join("HEAD").metadata().expect("it is there");
        let written = UNIX_EPOCH + Duration::from_secs(head.ctime() as u64);
        assert_eq!(RefFiles::look(&dirs, written), None);
    }
}
