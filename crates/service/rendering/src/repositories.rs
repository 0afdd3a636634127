//! Repositories in use: found once for each snapshot of the settings, and watched from then on.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use source::{Credentials, CredentialsFor, Repository, SourceError, Sources, TreeOptions, Watch};

use crate::credentials::credentials_of;
use crate::surroundings::Snapshot;

/// A repository under the credentials that its project gives.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) repository: Repository,
    pub(crate) options: TreeOptions,
}

/// Why a repository cannot be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    Settings(settings::RepositoryError),
    Source(SourceError),
}

struct Watched {
    credentials: Arc<Credentials>,
    repository: Repository,
    /// Watched as long as this stands here.
    _watch: Watch,
}

/// URL as written, and project.
type Name = (String, String);

/// The snapshot that was asked, and what it answered.
type Answers = (Option<Arc<Snapshot>>, HashMap<Name, Found>);

pub(crate) struct Repositories {
    sources: Sources,
    /// Answers for one snapshot.
    found: Mutex<Answers>,
    watched: tokio::sync::Mutex<HashMap<Name, Watched>>,
}

impl Repositories {
    pub(crate) fn new(sources: Sources) -> Self {
        Self { sources, found: Mutex::default(), watched: tokio::sync::Mutex::default() }
    }

    /// Finds a repository for an Application of a project, and watches it.
    pub(crate) async fn find(
        &self,
        url: &str,
        project: &str,
        snapshot: &Arc<Snapshot>,
    ) -> Result<Found, Unusable> {
        let name = (url.to_owned(), project.to_owned());
        if let Some(found) = self.known(&name, snapshot) {
            return Ok(found);
        }
        let credentials = lookup(url, project, snapshot).map_err(Unusable::Settings)?;
        let credentials = Arc::new(credentials);
        let repository = self.watched(&name, url, &credentials).await.map_err(Unusable::Source)?;
        let found = Found { repository, options: options(project, snapshot.clone()) };
        let mut known = self.found.lock();
        if known.0.as_ref().is_none_or(|of| !Arc::ptr_eq(of, snapshot)) {
            *known = (Some(snapshot.clone()), HashMap::new());
        }
        known.1.insert(name, found.clone());
        Ok(found)
    }

    fn known(&self, name: &Name, snapshot: &Arc<Snapshot>) -> Option<Found> {
        let known = self.found.lock();
        let (Some(of), found) = &*known else { return None };
        if Arc::ptr_eq(of, snapshot) { found.get(name).cloned() } else { None }
    }

    async fn watched(
        &self,
        name: &Name,
        url: &str,
        credentials: &Arc<Credentials>,
    ) -> Result<Repository, SourceError> {
        let mut watched = self.watched.lock().await;
        if let Some(known) = watched.get(name)
            && known.credentials == *credentials
        {
            return Ok(known.repository.clone());
        }
        let repository = self.sources.repository(url, credentials)?;
        let watch = self.sources.watch(&repository).await;
        let entry = Watched {
            credentials: credentials.clone(),
            repository: repository.clone(),
            _watch: watch,
        };
        watched.insert(name.clone(), entry);
        Ok(repository)
    }
}

fn lookup(
    url: &str,
    project: &str,
    snapshot: &Snapshot,
) -> Result<Credentials, settings::RepositoryError> {
    let repository = snapshot.repositories.find(url, project)?;
    Ok(credentials_of(&repository, snapshot))
}

/// Submodules are read with the secrets that their own URLs have.
fn options(project: &str, snapshot: Arc<Snapshot>) -> TreeOptions {
    let project = project.to_owned();
    let credentials_for: CredentialsFor = Arc::new(move |url: &str| {
        let repository = snapshot.repositories.find(url, &project).ok()?;
        let held = repository.credentials.any() || !repository.secret.is_empty();
        held.then(|| Arc::new(credentials_of(&repository, &snapshot)))
    });
    TreeOptions { submodules: true, credentials_for: Some(credentials_for) }
}
