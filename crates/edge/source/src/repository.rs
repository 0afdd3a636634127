//! One repository, as one set of credentials sees it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use filetree::FileTree;
use gix::ObjectId;
use parking_lot::Mutex;

use crate::commit::{CommitId, CommitMetadata, changed_paths, metadata};
use crate::core::{Core, reading};
use crate::credentials::Credentials;
use crate::error::SourceError;
use crate::local::Local;
use crate::refs::{Meaning, RefList, Revision};
use crate::remote::Remote;
use crate::store::{ObjectError, Store};
use crate::submodules::{self, TreeOptions};
use crate::tree::{GitTree, TreeRules};
use crate::url::{Place, RepoUrl};

/// A name that was not found is looked for anew once what was seen is this old.
const UNKNOWN_AFTER: Duration = Duration::from_secs(5);
/// Trees of one repository that are kept ready.
const TREES_KEPT: usize = 16;

/// Objects of one repository of which it is remembered to which commit they lead.
const PEELED_KEPT: usize = 64;

/// How new an answer must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    /// As last seen by the repository's poll or file events.
    #[default]
    Known,
    /// As the repository says now.
    Latest,
}

/// What a revision turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The commit; annotated tags are followed.
    pub commit: CommitId,
    /// The full name that led there (`refs/tags/v1.2.0`); `None` where the revision is a commit.
    pub reference: Option<String>,
    /// When the repository was last asked what its names point at; `None` where nobody had to.
    pub seen_at: Option<Instant>,
}

/// Branches and tags by short name, each sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Without `refs/heads/`.
    pub branches: Vec<String>,
    /// Without `refs/tags/`.
    pub tags: Vec<String>,
}

/// A repository under its credentials; clones are the same repository.
#[derive(Clone)]
pub struct Repository {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) core: Arc<Core>,
    pub(crate) url: RepoUrl,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) place: Backend,
    /// As Applications write it; several spellings may mean this one.
    pub(crate) spellings: Mutex<BTreeSet<String>>,
    /// How many watches there are.
    pub(crate) watches: AtomicUsize,
    /// Whether the scheduler has it.
    pub(crate) polled: AtomicBool,
    /// Whether somebody is about to look at it after a file event.
    pub(crate) looked_at_soon: AtomicBool,
    listing: Mutex<Option<Listing>>,
    /// Held while the repository is asked.
    asking: tokio::sync::Mutex<()>,
    trees: Mutex<VecDeque<(ObjectId, Arc<GitTree>)>>,
    /// What branches and tags named, and the commits that it leads to: the same for ever.
    peeled: Mutex<VecDeque<(ObjectId, ObjectId)>>,
    used_at: Mutex<Instant>,
}

pub(crate) enum Backend {
    Local(Local),
    Remote(Remote),
}

#[derive(Clone)]
struct Listing {
    refs: Arc<RefList>,
    /// When the asking began.
    at: Instant,
}

impl Repository {
    /// The URL for people, without a password.
    pub fn url(&self) -> String {
        self.inner.url.shown()
    }

    /// Finds the commit that a revision means.
    ///
    /// The rules are upstream's (`SRC-07`): a whole commit id is believed; then come version
    /// constraints over tags, names, and the beginning of a commit id.
    ///
    /// # Errors
    ///
    /// [`SourceError::UnknownRevision`] and its kin, or why the repository did not answer.
    pub async fn resolve(
        &self,
        revision: impl Into<Revision<'_>>,
        freshness: Freshness,
    ) -> Result<Resolved, SourceError> {
        let revision = revision.into();
        if let Some(commit) = crate::refs::whole_commit(revision.text) {
            return Ok(Resolved { commit: CommitId(commit), reference: None, seen_at: None });
        }
        let asked = Instant::now();
        let mut listing = match freshness {
            Freshness::Known => self.inner.known().await?,
            Freshness::Latest => self.inner.listed_since(asked).await?,
        };
        let mut meaning = listing.refs.meaning(revision);
        if let Meaning::Unknown { .. } = meaning
            && self.inner.may_know_better(revision.text, listing.at)
        {
            listing = self.inner.listed_since(Instant::now()).await?;
            meaning = listing.refs.meaning(revision);
        }
        let seen_at = Some(listing.at);
        match meaning {
            Meaning::Commit(id) => {
                Ok(Resolved { commit: CommitId(id), reference: None, seen_at: None })
            }
            Meaning::Named { name, id } => {
                let commit = CommitId(self.inner.peeled(id, revision.text).await?);
                Ok(Resolved { commit, reference: Some(name), seen_at })
            }
            Meaning::Abbreviated(hex) => {
                let commit = CommitId(self.inner.completed(&hex, revision.text, &listing).await?);
                Ok(Resolved { commit, reference: None, seen_at })
            }
            Meaning::Unknown { hint } => Err(self.inner.unknown(revision.text, &hint)),
        }
    }

    /// The files of a commit; what is not on this disk yet is fetched.
    ///
    /// The tree reads objects when they are asked for, so it costs nothing to make and holds
    /// no file open. Its content ids are git's object ids.
    ///
    /// # Errors
    ///
    /// [`SourceError::UnknownRevision`] where the repository has no such commit;
    /// [`SourceError::Submodule`] where one could not be had.
    pub async fn tree(
        &self,
        commit: CommitId,
        options: &TreeOptions,
    ) -> Result<Arc<dyn FileTree>, SourceError> {
        *self.inner.used_at.lock() = Instant::now();
        let with_submodules = options.submodules && self.inner.core.live().submodules;
        if let Some(tree) = self.inner.kept_tree(commit.0).filter(|_| with_submodules) {
            return Ok(tree);
        }
        let store = match &self.inner.place {
            // Whether the commit is there is seen below.
            Backend::Local(local) => local.store()?,
            Backend::Remote(_) => self.inner.ensure(commit).await?,
        };
        let rules = TreeRules {
            object_bytes_max: self.inner.core.config.limits.object_bytes_max,
            lfs: self.inner.credentials.enable_lfs,
        };
        // All that the disk knows is asked for on one thread; few commits have submodules.
        let inner = self.inner.clone();
        let (root, declared) = reading(move || {
            let root = inner.layer_of(&store, commit)?;
            let limit_bytes = rules.object_bytes_max;
            let declared = match with_submodules {
                true => submodules::declared_with_commits(&root, limit_bytes)
                    .map_err(|error| store.store_error(&error))?,
                false => Vec::new(),
            };
            // What it holds is read now, so that it says now what it cannot.
            let held = root.store.tree(root.tree, limit_bytes);
            held.map_err(|error| store.store_error(&error))?;
            Ok::<_, SourceError>((root, declared))
        })
        .await?;
        let mounted = submodules::mount(&self.inner, declared, options).await?;
        let tree = Arc::new(GitTree::new(root, mounted, rules));
        if with_submodules {
            self.inner.keep_tree(commit.0, tree.clone());
        }
        Ok(tree)
    }

    /// What a commit says about itself, with the tags that point at it.
    ///
    /// # Errors
    ///
    /// As [`Repository::tree`].
    pub async fn metadata(&self, commit: CommitId) -> Result<CommitMetadata, SourceError> {
        let store = self.inner.ensure(commit).await?;
        let listing = self.inner.known().await?;
        reading(move || {
            let mut said = metadata(&store, commit.0).map_err(|e| store.store_error(&e))?;
            said.tags = listing.refs.tags_at(commit.0, |id| store.peel(id).ok());
            Ok(said)
        })
        .await
    }

    /// The files that differ between two commits, sorted; of a moved one both names.
    ///
    /// # Errors
    ///
    /// As [`Repository::tree`].
    pub async fn changed_paths(
        &self,
        before: CommitId,
        after: CommitId,
    ) -> Result<Vec<String>, SourceError> {
        if before == after {
            return Ok(Vec::new());
        }
        self.inner.ensure(before).await?;
        let store = self.inner.ensure(after).await?;
        let limit_bytes = self.inner.core.config.limits.object_bytes_max;
        reading(move || {
            let tree = |commit: CommitId| store.commit(commit.0, |decoded| decoded.tree());
            let changed = tree(before)
                .and_then(|old| Ok((old, tree(after)?)))
                .and_then(|(old, new)| changed_paths(&store, old, new, limit_bytes));
            changed.map_err(|error| store.store_error(&error))
        })
        .await
    }

    /// Branches and tags; with [`Freshness::Latest`] also the way to try whether the repository
    /// can be read at all.
    ///
    /// # Errors
    ///
    /// Why the repository did not answer.
    pub async fn names(&self, freshness: Freshness) -> Result<Names, SourceError> {
        let listing = match freshness {
            Freshness::Known => self.inner.known().await?,
            Freshness::Latest => self.inner.listed_since(Instant::now()).await?,
        };
        let (branches, tags) = listing.refs.branches_and_tags();
        Ok(Names { branches, tags })
    }
}

impl Inner {
    pub(crate) fn new(
        core: Arc<Core>,
        url: RepoUrl,
        credentials: Arc<Credentials>,
    ) -> Result<Self, SourceError> {
        let place = match url.place() {
            Place::File(path) => {
                Backend::Local(Local::new(path, &url.shown(), core.objects.clone()))
            }
            Place::Http { .. } | Place::Ssh { .. } => {
                Backend::Remote(Remote::new(&core, &url, credentials.clone())?)
            }
        };
        Ok(Self {
            core,
            url,
            credentials,
            place,
            spellings: Mutex::default(),
            watches: AtomicUsize::new(0),
            polled: AtomicBool::new(false),
            looked_at_soon: AtomicBool::new(false),
            listing: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            trees: Mutex::default(),
            peeled: Mutex::default(),
            used_at: Mutex::new(Instant::now()),
        })
    }

    pub(crate) fn used_at(&self) -> Instant {
        *self.used_at.lock()
    }

    pub(crate) fn is_watched(&self) -> bool {
        self.watches.load(Ordering::Relaxed) > 0
    }

    /// What was seen last, where it may still be believed.
    async fn known(self: &Arc<Self>) -> Result<Listing, SourceError> {
        *self.used_at.lock() = Instant::now();
        let known = self.listing.lock().clone();
        let believed_for = match &self.place {
            // File events say when it changes; unwatched, asking costs nothing.
            Backend::Local(local) if local.is_followed() => Duration::MAX,
            Backend::Local(_) => Duration::ZERO,
            Backend::Remote(_) if self.is_watched() => Duration::MAX,
            Backend::Remote(_) => self.core.live().poll_interval.unwrap_or(Duration::MAX),
        };
        match known {
            Some(listing) if listing.at.elapsed() < believed_for => Ok(listing),
            _ => self.listed_since(Instant::now()).await,
        }
    }

    /// Asks the repository, unless somebody began to ask after `since`.
    async fn listed_since(self: &Arc<Self>, since: Instant) -> Result<Listing, SourceError> {
        let _asking = self.asking.lock().await;
        if let Some(listing) = self.listing.lock().clone().filter(|listing| listing.at >= since) {
            return Ok(listing);
        }
        let at = Instant::now();
        let refs = match &self.place {
            Backend::Local(_) => {
                let inner = self.clone();
                reading(move || match &inner.place {
                    Backend::Local(local) => {
                        let listed = local.list();
                        // What was read of another repository may not be in this one.
                        if local.take_replaced() {
                            inner.trees.lock().clear();
                            inner.peeled.lock().clear();
                        }
                        listed
                    }
                    Backend::Remote(_) => Ok(Arc::default()),
                })
                .await?
            }
            Backend::Remote(remote) => Arc::new(remote.list(&self.core).await?),
        };
        let listing = Listing { refs, at };
        let before = self.listing.lock().replace(listing.clone());
        if before.is_some_and(|before| before.refs != listing.refs) && self.is_watched() {
            let urls: Vec<String> = self.spellings.lock().iter().cloned().collect();
            self.core.changed(&urls);
        }
        Ok(listing)
    }

    /// Asks the repository, and tells the listeners where something changed.
    pub(crate) async fn refresh(self: &Arc<Self>) -> Result<(), SourceError> {
        self.listed_since(Instant::now()).await.map(|_| ())
    }

    /// Whether a name that is unknown may be known to the repository by now.
    fn may_know_better(&self, text: &str, seen_at: Instant) -> bool {
        let Backend::Remote(remote) = &self.place else {
            return self.listing_is_older(seen_at, Duration::from_millis(50));
        };
        remote.ask_for(text) || self.listing_is_older(seen_at, UNKNOWN_AFTER)
    }

    fn listing_is_older(&self, seen_at: Instant, than: Duration) -> bool {
        seen_at.elapsed() > than
    }

    async fn peeled(self: &Arc<Self>, id: ObjectId, text: &str) -> Result<ObjectId, SourceError> {
        // A server says what its tags lead to; a repository on this disk is looked into.
        let Backend::Local(local) = &self.place else { return Ok(id) };
        let known = self.peeled.lock().iter().find(|(named, _)| *named == id).copied();
        if let Some((_, commit)) = known {
            return Ok(commit);
        }
        let store = local.store()?;
        let peeled = reading(move || store.peel(id)).await;
        let commit = peeled
            .map_err(|error| self.unknown(text, &format!("; it leads to no commit: {error}")))?;
        let mut known = self.peeled.lock();
        if known.len() == PEELED_KEPT {
            known.pop_front();
        }
        known.push_back((id, commit));
        Ok(commit)
    }

    async fn completed(
        self: &Arc<Self>,
        hex: &str,
        text: &str,
        listing: &Listing,
    ) -> Result<ObjectId, SourceError> {
        let mut found = self.with_prefix(hex).await?;
        if found.is_empty()
            && let Backend::Remote(remote) = &self.place
        {
            remote.fetch_all(&self.core, &listing.refs).await?;
            found = self.with_prefix(hex).await?;
        }
        match found[..] {
            [commit] => Ok(commit),
            [] => Err(self.unknown(text, "")),
            _ => Err(SourceError::AmbiguousRevision {
                url: self.url.shown(),
                revision: text.to_owned(),
            }),
        }
    }

    async fn with_prefix(self: &Arc<Self>, hex: &str) -> Result<Vec<ObjectId>, SourceError> {
        let store = self.store()?;
        let hex = hex.to_owned();
        reading(move || store.commits_with_prefix(&hex).map_err(|error| store.store_error(&error)))
            .await
    }

    fn store(&self) -> Result<Arc<Store>, SourceError> {
        match &self.place {
            Backend::Local(local) => local.store(),
            Backend::Remote(remote) => remote.store(),
        }
    }

    fn unknown(&self, revision: &str, hint: &str) -> SourceError {
        let revision = if revision.is_empty() { "HEAD" } else { revision };
        SourceError::UnknownRevision {
            url: self.url.shown(),
            revision: revision.to_owned(),
            hint: hint.to_owned(),
        }
    }

    /// Sees to it that a commit is on this disk, and says where.
    pub(crate) async fn ensure(
        self: &Arc<Self>,
        commit: CommitId,
    ) -> Result<Arc<Store>, SourceError> {
        match &self.place {
            Backend::Local(local) => {
                let store = local.store()?;
                let probe = store.clone();
                let present = reading(move || probe.contains(commit.0)).await;
                if present { Ok(store) } else { Err(self.missing(commit)) }
            }
            Backend::Remote(remote) => {
                // Only who was let in may read what others fetched.
                let known = self.listing.lock().clone();
                let listing = match known {
                    Some(listing) => listing,
                    None => self.listed_since(Instant::now()).await?,
                };
                let present = remote.ensure(&self.core, commit.0, &listing.refs).await?;
                if present { remote.store() } else { Err(self.missing(commit)) }
            }
        }
    }

    /// A commit's root directory; reads from the disk.
    pub(crate) fn layer_of(
        &self,
        store: &Arc<Store>,
        commit: CommitId,
    ) -> Result<crate::tree::Layer, SourceError> {
        if !store.contains(commit.0) {
            return Err(self.missing(commit));
        }
        let tree_of = |commit| store.commit(commit, |decoded| decoded.tree());
        let tree = match tree_of(commit.0) {
            // It may be an annotated tag.
            Err(ObjectError::Kind { .. }) => store.peel(commit.0).and_then(tree_of),
            answer => answer,
        };
        let tree =
            tree.map_err(|error| self.unknown(&commit.to_string(), &format!("; {error}")))?;
        Ok(crate::tree::Layer { store: store.clone(), tree })
    }

    fn missing(&self, commit: CommitId) -> SourceError {
        self.unknown(&commit.to_string(), "; nothing in it leads to such a commit")
    }

    fn kept_tree(&self, commit: ObjectId) -> Option<Arc<GitTree>> {
        let trees = self.trees.lock();
        trees.iter().find(|(kept, _)| *kept == commit).map(|(_, tree)| tree.clone())
    }

    fn keep_tree(&self, commit: ObjectId, tree: Arc<GitTree>) {
        let mut trees = self.trees.lock();
        if trees.len() == TREES_KEPT {
            trees.pop_front();
        }
        trees.push_back((commit, tree));
    }
}
