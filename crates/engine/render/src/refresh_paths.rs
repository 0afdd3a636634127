//! `manifest-generate-paths`: which files an Application says that it depends on.

use crd::{Application, ApplicationSource, keys};

/// The paths that the annotation names, from the repository's root; empty without it.
///
/// Absolute ones count from the root, others from the source's path.
pub fn refresh_paths(app: &Application, source: &ApplicationSource) -> Vec<String> {
    if let Some(hydrator) = &app.spec.source_hydrator
        && *source == hydrator.sync_source()
    {
        return vec![source.path.clone()];
    }
    let Some(annotation) = app.metadata.annotations.get(keys::MANIFEST_GENERATE_PATHS) else {
        return Vec::new();
    };
    let items = annotation.split(';').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| match item.strip_prefix('/') {
            Some(absolute) => absolute.to_owned(),
            None => clean(&format!("{}/{item}", source.path)),
        })
        .collect()
}

/// Whether one of the changed files is a path, lies under it, or fits it as a pattern.
///
/// With no paths, or where it is not known what changed, the answer is yes.
pub fn files_have_changed(paths: &[String], changed: &[String]) -> bool {
    if paths.is_empty() || changed.is_empty() {
        return true;
    }
    let absolute =
        |path: &str| if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    changed.iter().map(|file| absolute(file)).any(|file| {
        paths.iter().map(|path| absolute(path)).any(|path| {
            file == path
                || is_under(&file, &clean(&path))
                || globs::file_match(&path, &file).unwrap_or(false)
        })
    })
}

/// Whether the file's directory is `root` or below it; both begin with `/`.
fn is_under(file: &str, root: &str) -> bool {
    let directory = clean(file.rsplit_once('/').map_or("/", |(directory, _)| directory));
    root == "/"
        || directory == root
        || directory.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
}

/// Go's `filepath.Clean`.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => drop(names.pop()),
            ".." if rooted => {}
            name => names.push(name),
        }
    }
    match (rooted, names.is_empty()) {
        (true, _) => format!("/{}", names.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => names.join("/"),
    }
}
