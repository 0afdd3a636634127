//! Repositories inside a repository, mounted where `.gitmodules` says.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use gix::ObjectId;

use crate::commit::CommitId;
use crate::core::reading;
use crate::credentials::Credentials;
use crate::error::SourceError;
use crate::repository::{Backend, Inner};
use crate::store::ObjectError;
use crate::tree::Layer;
use crate::url::RepoUrl;

/// Finds the credentials of another repository by its URL.
pub type CredentialsFor = Arc<dyn Fn(&str) -> Option<Arc<Credentials>> + Send + Sync>;

/// How a tree is made.
#[derive(Clone)]
pub struct TreeOptions {
    /// Whether submodules are fetched and mounted, where they are allowed at all.
    pub submodules: bool,
    /// Credentials of submodules. Where it is absent or finds none, a submodule on the same host
    /// is read with the repository's own, and one elsewhere with none.
    pub credentials_for: Option<CredentialsFor>,
}

impl Default for TreeOptions {
    fn default() -> Self {
        Self { submodules: true, credentials_for: None }
    }
}

/// By the commit that the repository names.
pub(crate) type Mounted = HashMap<ObjectId, Layer>;

/// Where `.gitmodules` puts a submodule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    path: String,
    url: String,
}

/// Fetches the submodules that a tree declares, and theirs.
pub(crate) async fn mount(
    inner: &Arc<Inner>,
    declared: Vec<(Declared, ObjectId)>,
    options: &TreeOptions,
) -> Result<Mounted, SourceError> {
    let mut mounted = Mounted::new();
    if !declared.is_empty() {
        let depth_left = inner.core.config.limits.submodule_depth_max;
        mount_in(inner.clone(), declared, options, depth_left, &mut mounted).await?;
    }
    Ok(mounted)
}

fn mount_in<'a>(
    inner: Arc<Inner>,
    declared: Vec<(Declared, ObjectId)>,
    options: &'a TreeOptions,
    depth_left: usize,
    mounted: &'a mut Mounted,
) -> Pin<Box<dyn Future<Output = Result<(), SourceError>> + Send + 'a>> {
    Box::pin(async move {
        let limit_bytes = inner.core.config.limits.object_bytes_max;
        for (declared, commit) in declared {
            if mounted.contains_key(&commit) {
                continue;
            }
            let wrap = |cause: SourceError| SourceError::Submodule {
                url: inner.url.shown(),
                path: declared.path.clone(),
                cause: Arc::new(cause),
            };
            if depth_left == 0 {
                return Err(wrap(SourceError::NotFound {
                    url: declared.url.clone(),
                    reason: "submodules are nested deeper than is allowed".to_owned(),
                }));
            }
            let child = open(&inner, &declared, options).map_err(wrap)?;
            let commit_id = CommitId(commit);
            let store = child.ensure(commit_id).await.map_err(wrap)?;
            let reader = child.clone();
            let read = reading(move || {
                let layer = reader.layer_of(&store, commit_id)?;
                let below = declared_with_commits(&layer, limit_bytes);
                Ok((layer, below.map_err(|error| store.store_error(&error))))
            });
            let (layer, below) = read.await.map_err(wrap)?;
            mounted.insert(commit, layer);
            mount_in(child, below?, options, depth_left - 1, mounted).await?;
        }
        Ok(())
    })
}

fn open(
    parent: &Arc<Inner>,
    declared: &Declared,
    options: &TreeOptions,
) -> Result<Arc<Inner>, SourceError> {
    let url = parent.url.join(&declared.url)?;
    let reads_files = url.host().is_none();
    // As git itself: what a server sends does not make this host read its own files.
    let remote_parent = matches!(parent.place, Backend::Remote(_));
    if reads_files && (remote_parent || !parent.core.config.allow_file) {
        return Err(SourceError::FileNotAllowed { url: url.shown() });
    }
    let own = || same_server(&parent.url, &url).then(|| parent.credentials.clone());
    let credentials = options
        .credentials_for
        .as_ref()
        .and_then(|find| find(url.as_written()))
        .or_else(own)
        .unwrap_or_else(|| Arc::new(parent.credentials.without_secrets()));
    parent.core.repository(url, credentials)
}

fn same_server(one: &RepoUrl, other: &RepoUrl) -> bool {
    use crate::url::Place;
    match (one.place(), other.place()) {
        (Place::File(_), Place::File(_)) => true,
        (Place::Http { url: one, .. }, Place::Http { url: other, .. }) => {
            one.origin() == other.origin()
        }
        (Place::Ssh { host, port, .. }, Place::Ssh { host: other, port: other_port, .. }) => {
            host.eq_ignore_ascii_case(other) && port == other_port
        }
        _ => false,
    }
}

/// The submodules that are both declared and in the tree; reads from the disk.
pub(crate) fn declared_with_commits(
    layer: &Layer,
    limit_bytes: u64,
) -> Result<Vec<(Declared, ObjectId)>, ObjectError> {
    use crate::cache::ItemKind;

    let root = layer.store.tree(layer.tree, limit_bytes)?;
    let Some(at) = root.position(".gitmodules") else { return Ok(Vec::new()) };
    let item = &root.items()[at];
    if !matches!(item.kind, ItemKind::File { .. }) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for declared in declared(&layer.store.blob(item.id, limit_bytes)?)? {
        let mut tree = root.clone();
        let mut names = declared.path.split('/').filter(|name| !name.is_empty()).peekable();
        while let Some(name) = names.next() {
            let Some(at) = tree.position(name) else { break };
            let item = &tree.items()[at];
            match item.kind {
                ItemKind::Submodule if names.peek().is_none() => {
                    found.push((declared, item.id));
                    break;
                }
                ItemKind::Tree => {
                    let next = layer.store.tree(item.id, limit_bytes)?;
                    tree = next;
                }
                _ => break,
            }
        }
    }
    Ok(found)
}

fn declared(gitmodules: &[u8]) -> Result<Vec<Declared>, ObjectError> {
    let broken = |reason: String| ObjectError::Broken(format!("`.gitmodules`: {reason}"));
    let metadata = gix::config::file::Metadata::from(gix::config::Source::Local);
    let file = gix::config::File::from_bytes_no_includes(gitmodules, metadata, Default::default())
        .map_err(|error| broken(crate::error::chain(&error)))?;
    let mut declared = Vec::new();
    for section in file.sections_by_name("submodule").into_iter().flatten() {
        let value = |name: &str| section.value(name).map(|value| value.to_string());
        let (Some(path), Some(url)) = (value("path"), value("url")) else { continue };
        if value("update").as_deref() == Some("none") {
            continue;
        }
        // What git refuses too: a URL that a program could take for an option.
        if url.starts_with('-') || path.starts_with('-') {
            return Err(broken(format!("`{path}` has a path or URL that begins with a dash")));
        }
        declared.push(Declared { path, url });
    }
    Ok(declared)
}

#[cfg(test)]
mod tests {
    use super::{Declared, declared};

    #[test]
    fn gitmodules_says_which_repository_stands_where() {
        let text = "[submodule \"lib\"]\n\tpath = deps/lib\n\turl = ../lib.git\n\
                    [submodule \"off\"]\n\tpath = off\n\turl = ../off\n\tupdate = none\n\
                    [submodule \"half\"]\n\tpath = half\n";
        let lib = Declared { path: "deps/lib".into(), url: "../lib.git".into() };
        assert_eq!(declared(text.as_bytes()).unwrap(), [lib]);
        assert!(declared(b"[submodule \"x\"]\npath = x\nurl = --upload-pack=x\n").is_err());
        assert!(declared(b"[submodule").is_err());
    }
}
