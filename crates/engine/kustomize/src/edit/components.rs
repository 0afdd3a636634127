//! `kustomize edit add component`.

use filetree::{EntryKind, TreePath};

use super::{Commands, Overlay, Place};
use crate::error::KustomizeError;
use crate::kustomization::{FILE_NAMES, Kustomization};
use crate::remote::RepositorySpec;

/// Adds components that the kustomization does not have yet.
///
/// # Errors
///
/// Where one is nowhere.
pub(super) fn add(
    kustomization: &mut Kustomization,
    overlay: &Overlay,
    place: Place<'_>,
    commands: &mut Commands,
) -> Result<(), KustomizeError> {
    let mut wanted = Vec::new();
    for component in &overlay.components {
        let there = || match place.directory.join(component) {
            Ok(path) => place.tree.entry(&path).map(|entry| entry.is_some()),
            Err(_) => Ok(false),
        };
        if !overlay.ignore_missing_components || there()? {
            wanted.push(component.as_str());
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    commands.ran(&["add", "component"], wanted.iter().map(|one| (*one).to_owned()));
    let mut found = Vec::new();
    for pattern in wanted {
        let matches = matches(pattern, place)?;
        if matches.is_empty() {
            check_directory(pattern, place)?;
            found.push(pattern.to_owned());
        } else {
            found.extend(matches);
        }
    }
    for component in found {
        let is_itself = FILE_NAMES.contains(&component.as_str());
        if !is_itself && !kustomization.components.contains(&component) {
            kustomization.components.push(component);
        }
    }
    Ok(())
}

/// What a pattern means, as Go's `filepath.Glob` writes it.
fn matches(pattern: &str, place: Place<'_>) -> Result<Vec<String>, KustomizeError> {
    let special = |part: &str| part.contains(['*', '?', '[', '\\']);
    if !special(pattern) {
        let Ok(path) = place.directory.join(pattern) else { return Ok(Vec::new()) };
        let there = place.tree.entry(&path)?.is_some();
        return Ok(there.then(|| pattern.to_owned()).into_iter().collect());
    }
    let (directory, last) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let directories = match directory {
        "" => vec![String::new()],
        directory => matches(directory, place)?,
    };
    let mut found = Vec::new();
    for directory in directories {
        let Ok(path) = place.directory.join(&directory) else { continue };
        let listed = place.tree.list(&path)?.unwrap_or_default();
        for name in listed.into_iter().map(|listed| listed.name) {
            let is_match = globs::file_match(last, &name).map_err(|_| {
                KustomizeError::said("error checking the filesystem: syntax error in pattern")
            })?;
            if is_match && directory.is_empty() {
                found.push(name);
            } else if is_match {
                found.push(format!("{directory}/{name}"));
            }
        }
    }
    Ok(found)
}

/// What matches nothing must be a directory, or a repository elsewhere.
fn check_directory(path: &str, place: Place<'_>) -> Result<(), KustomizeError> {
    if RepositorySpec::parse(path).is_some() {
        return Ok(());
    }
    let joined: Option<TreePath> = place.directory.join(path).ok();
    let entry = match &joined {
        Some(joined) => place.tree.entry(joined)?,
        None => None,
    };
    match entry.map(|entry| entry.kind) {
        Some(EntryKind::Directory) => Ok(()),
        _ => Err(KustomizeError::said(format!(
            "{path} has no match: must build at directory: not a valid directory: evalsymlink \
             failure on '{path}' : lstat {path}: no such file or directory"
        ))),
    }
}
