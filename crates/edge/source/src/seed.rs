//! A new repository with one commit: what an example starts from.

use std::fs;
use std::io;
use std::path::Path;

/// Why no repository was made.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// A file of the work tree cannot be written.
    #[error("cannot write `{path}`")]
    File {
        /// The file.
        path: String,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },
    /// The object database or a name in it cannot be written.
    #[error("cannot write the repository: {reason}")]
    Git {
        /// What git's library said.
        reason: String,
    },
}

fn git(error: impl std::fmt::Display) -> SeedError {
    SeedError::Git { reason: error.to_string() }
}

/// Makes an ordinary work tree in `dir` (branch `main`) that holds `files` (path from the root,
/// content) in one commit, and nothing uncommitted.
///
/// # Errors
///
/// [`SeedError`]; what was written so far stays.
pub fn seed(dir: &Path, files: &[(&str, &str)], message: &str) -> Result<(), SeedError> {
    let file_error = |path: &Path| {
        let path = path.display().to_string();
        move |cause| SeedError::File { path, cause }
    };
    fs::create_dir_all(dir).map_err(file_error(dir))?;
    let repository = gix::init(dir).map_err(git)?;
    let mut editor = repository.edit_tree(repository.empty_tree().id).map_err(git)?;
    for (name, content) in files {
        let path = dir.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(file_error(parent))?;
        }
        fs::write(&path, content).map_err(file_error(&path))?;
        let blob = repository.write_blob(content.as_bytes()).map_err(git)?;
        editor.upsert(*name, gix::objs::tree::EntryKind::Blob, blob).map_err(git)?;
    }
    let tree = editor.write().map_err(git)?;
    let author = gix::actor::Signature {
        name: "tiphys".into(),
        email: "tiphys@localhost".into(),
        time: gix::date::Time::now_utc(),
    };
    let mut buffer = gix::date::parse::TimeBuf::default();
    let signature = author.to_ref(&mut buffer);
    repository
        .commit_as(
            signature,
            signature,
            "refs/heads/main",
            message,
            tree,
            Vec::<gix::ObjectId>::new(),
        )
        .map_err(git)?;
    // A new repository points at whichever branch the host prefers.
    fs::write(repository.git_dir().join("HEAD"), "ref: refs/heads/main\n")
        .map_err(file_error(repository.git_dir()))?;
    let mut index = repository.index_from_tree(&tree).map_err(git)?;
    index.write(gix::index::write::Options::default()).map_err(git)?;
    Ok(())
}
