//! A revision's files as a gzipped tar archive, and back.

use std::io::{self, Read, Write};
use std::path::{Component, Path};

use filetree::{EntryKind, FileTree, TreeError, TreePath};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// Why files could not be packed or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The tree did not answer.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// More than is sent.
    #[error("the files are larger than the {limit_bytes} bytes that a plugin is sent")]
    TooLarge {
        /// Bytes.
        limit_bytes: u64,
    },
    /// The archive itself.
    #[error("the archive: {0}")]
    Io(#[from] io::Error),
    /// A name that leads out of the directory.
    #[error("the archive holds `{name}`, which leads out of it")]
    Escape {
        /// As the archive has it.
        name: String,
    },
}

/// Packs what lies below `root`; `is_excluded` is asked for each file and directory by its path
/// from there, and a directory that is excluded is so with all that lies in it.
///
/// Links are packed as what they lead to. At most `bytes_max` bytes of files go in.
///
/// # Errors
///
/// [`ArchiveError`].
pub fn pack(
    tree: &dyn FileTree,
    root: &TreePath,
    is_excluded: &dyn Fn(&str) -> bool,
    bytes_max: u64,
) -> Result<Vec<u8>, ArchiveError> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut left = bytes_max;
    let mut open = vec![(root.clone(), TreePath::root())];
    while let Some((directory, inside)) = open.pop() {
        for listed in tree.list(&directory)?.unwrap_or_default() {
            let Ok(path) = directory.join(&listed.name) else { continue };
            let Ok(inside) = inside.join(&listed.name) else { continue };
            if is_excluded(inside.as_str()) {
                continue;
            }
            match listed.kind {
                // A link to a directory would be walked without end.
                Some(EntryKind::Directory) if !listed.link => open.push((path, inside)),
                Some(EntryKind::File { size_bytes, executable }) => {
                    left = left
                        .checked_sub(size_bytes)
                        .ok_or(ArchiveError::TooLarge { limit_bytes: bytes_max })?;
                    let content = tree.read(&path)?;
                    let mut header = tar::Header::new_gnu();
                    header.set_size(content.len() as u64);
                    header.set_mode(if executable { 0o755 } else { 0o644 });
                    header.set_mtime(0);
                    builder.append_data(&mut header, inside.as_str(), &*content)?;
                }
                _ => {}
            }
        }
    }
    Ok(builder.into_inner()?.finish()?)
}

/// Unpacks files and directories into `directory`; anything else in the archive is passed over,
/// except links, which stay where they lead nowhere out.
///
/// # Errors
///
/// [`ArchiveError`].
pub fn unpack(
    archive: &mut dyn Read,
    directory: &Path,
    preserve_mode: bool,
    bytes_max: u64,
) -> Result<(), ArchiveError> {
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    let mut left = bytes_max;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.into_owned();
        let escape = || ArchiveError::Escape { name: name.display().to_string() };
        if !stays_inside(&name) {
            return Err(escape());
        }
        let place = directory.join(&name);
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            std::fs::create_dir_all(&place)?;
            continue;
        }
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent)?;
        }
        if kind.is_symlink() {
            let target = entry.link_name()?.ok_or_else(escape)?.into_owned();
            let from = name.parent().unwrap_or(Path::new(""));
            if target.is_absolute() || !stays_inside(&from.join(&target)) {
                return Err(escape());
            }
            std::os::unix::fs::symlink(target, &place)?;
        } else if kind.is_file() {
            left = left
                .checked_sub(entry.size())
                .ok_or(ArchiveError::TooLarge { limit_bytes: bytes_max })?;
            let mut file = std::fs::File::create_new(&place)?;
            io::copy(&mut entry, &mut file)?;
            file.flush()?;
            if preserve_mode {
                use std::os::unix::fs::PermissionsExt;
                let mode = entry.header().mode()? & 0o777;
                std::fs::set_permissions(&place, std::fs::Permissions::from_mode(mode))?;
            }
        }
    }
    Ok(())
}

/// Whether a relative path never climbs above where it starts.
fn stays_inside(path: &Path) -> bool {
    let mut depth = 0_usize;
    for component in path.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    true
}
