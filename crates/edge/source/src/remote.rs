//! A repository that a server keeps: asked over the network, read from its mirror.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use gix::ObjectId;
use parking_lot::Mutex;

use crate::core::{Core, blocking, reading};
use crate::credentials::Credentials;
use crate::error::SourceError;
use crate::mirror::{Mirror, Wanted};
use crate::observer::RequestKind;
use crate::refs::RefList;
use crate::store::Store;
use crate::transport::{Budget, Failure, GitTransport, http, ssh};
use crate::url::{Place, RepoUrl};

/// Names beyond branches and tags that a repository is asked for; more are not asked for.
const ALSO_MAX: usize = 256;
/// Bytes that a list of names may have.
const LISTING_BYTES_MAX: u64 = 512 << 20;

/// A server's repository under one set of credentials.
pub(crate) struct Remote {
    url: RepoUrl,
    credentials: Arc<Credentials>,
    mirror: Arc<Mirror>,
    client: OnceLock<reqwest::Client>,
    /// Names beyond branches and tags that revisions asked for.
    also: Mutex<BTreeSet<String>>,
}

impl Remote {
    pub(crate) fn new(
        core: &Arc<Core>,
        url: &RepoUrl,
        credentials: Arc<Credentials>,
    ) -> Result<Self, SourceError> {
        let mirror = core.mirror(url, credentials.depth);
        Ok(Self {
            url: url.clone(),
            credentials,
            mirror,
            client: OnceLock::new(),
            also: Mutex::default(),
        })
    }

    pub(crate) fn store(&self) -> Result<Arc<Store>, SourceError> {
        self.mirror.store()
    }

    /// Asks for a name beyond branches and tags from now on. `false`: it is asked for already,
    /// or can be none.
    pub(crate) fn ask_for(&self, revision: &str) -> bool {
        let branch_or_tag = ["refs/heads/", "refs/tags/"].iter().any(|p| revision.starts_with(p));
        if !revision.contains('/') || branch_or_tag {
            return false;
        }
        let full = match revision.strip_prefix("refs/") {
            Some(_) => revision.to_owned(),
            None => format!("refs/{revision}"),
        };
        if gix::validate::reference::name(full.as_str().into()).is_err() {
            return false;
        }
        let mut also = self.also.lock();
        also.len() < ALSO_MAX && also.insert(full)
    }

    /// What the names point at now; a server that does not answer is asked as often as it may be.
    pub(crate) async fn list(&self, core: &Core) -> Result<RefList, SourceError> {
        let mut attempt = 1;
        loop {
            let live = core.live();
            let listed = self.list_once(core, live.request_timeout).await;
            let silent = matches!(
                listed,
                Err(SourceError::Unreachable { .. } | SourceError::TimedOut { .. })
            );
            match live.retry.wait_after(attempt).filter(|_| silent) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return listed,
            }
            attempt += 1;
        }
    }

    async fn list_once(&self, core: &Core, limit: Duration) -> Result<RefList, SourceError> {
        let what = "list its branches and tags";
        let (mirror, also) = (self.mirror.clone(), self.also());
        self.exchange(core, RequestKind::LsRemote, move |transport, _| {
            let store = mirror.store()?;
            Ok(mirror.list(&store, transport, &also))
        })
        .with_budget(what, limit, LISTING_BYTES_MAX)
        .await
    }

    /// Sees to it that a commit is in the mirror; `false` where the server has none such.
    pub(crate) async fn ensure(
        &self,
        core: &Core,
        commit: ObjectId,
        refs: &RefList,
    ) -> Result<bool, SourceError> {
        if self.has(vec![commit]).await? {
            return Ok(true);
        }
        let _fetching = self.mirror.fetching.lock().await;
        if self.has(vec![commit]).await? {
            return Ok(true);
        }
        if self.credentials.depth.is_none() && !self.has(refs.ids().collect()).await? {
            self.fetch(core, None).await?;
            if self.has(vec![commit]).await? {
                return Ok(true);
            }
        }
        match self.fetch(core, Some(commit)).await {
            Ok(()) => self.has(vec![commit]).await,
            // What git's servers say of a commit that they do not have, or do not give by id.
            Err(SourceError::Unreachable { reason, .. })
                if reason.contains("not our ref") || reason.contains("unadvertised object") =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Brings everything that branches and tags lead to, where it is not here.
    pub(crate) async fn fetch_all(&self, core: &Core, refs: &RefList) -> Result<(), SourceError> {
        if self.has(refs.ids().collect()).await? {
            return Ok(());
        }
        let _fetching = self.mirror.fetching.lock().await;
        if self.has(refs.ids().collect()).await? {
            return Ok(());
        }
        self.fetch(core, None).await
    }

    async fn has(&self, ids: Vec<ObjectId>) -> Result<bool, SourceError> {
        let mirror = self.mirror.clone();
        reading(move || {
            let store = mirror.store()?;
            Ok(ids.into_iter().all(|id| store.contains(id)))
        })
        .await
    }

    async fn fetch(&self, core: &Core, commit: Option<ObjectId>) -> Result<(), SourceError> {
        let limits = &core.config.limits;
        let (mirror, also) = (self.mirror.clone(), self.also());
        let depth = self.credentials.depth.and_then(NonZeroU32::new);
        self.exchange(core, RequestKind::Fetch, move |transport, budget| {
            mirror.renew_if_worn()?;
            let store = mirror.store()?;
            let wanted = match commit {
                Some(commit) => Wanted::Commit(commit),
                None => Wanted::Everything { also: &also },
            };
            let fetched = mirror.fetch(&store, transport, &wanted, depth, budget.interrupted());
            store.reopen()?;
            Ok(fetched)
        })
        .with_budget("fetch", limits.fetch_timeout, limits.pack_bytes_max)
        .await
    }

    fn also(&self) -> Vec<String> {
        self.also.lock().iter().cloned().collect()
    }

    fn exchange<'a, T, W>(&'a self, core: &'a Core, kind: RequestKind, work: W) -> Exchange<'a, W>
    where
        W: FnOnce(GitTransport, &Budget) -> Result<Result<T, gix::Error>, SourceError>
            + Send
            + 'static,
    {
        Exchange { remote: self, core, kind, work }
    }

    async fn transport(
        &self,
        core: &Core,
        budget: &Arc<Budget>,
    ) -> Result<GitTransport, SourceError> {
        let failed = |failure: Failure| {
            let error = budget.fail(failure);
            budget.explain(&self.url, &error)
        };
        match self.url.place() {
            Place::File(_) => Err(failed(Failure::NotBuilt("a file repository as a server"))),
            Place::Http { url, user } => {
                let client =
                    self.client(url).map_err(|reason| failed(Failure::BadCredentials(reason)))?;
                let authorization = self.authorization(core, user.as_ref(), budget).await;
                let authorization = authorization.map_err(failed)?;
                http::transport(client, url, authorization.as_deref(), budget.clone())
                    .map_err(|error| budget.explain(&self.url, &error))
            }
            Place::Ssh { user, host, port, path } => {
                let login =
                    ssh::Login { user, host, port: *port, path, credentials: &self.credentials };
                ssh::transport(login, budget.clone())
                    .await
                    .map_err(|error| budget.explain(&self.url, &error))
            }
        }
    }

    fn client(&self, url: &url::Url) -> Result<reqwest::Client, String> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let client = http::client(&self.credentials, url)?;
        Ok(self.client.get_or_init(|| client).clone())
    }

    async fn authorization(
        &self,
        core: &Core,
        in_url: Option<&(String, String)>,
        budget: &Budget,
    ) -> Result<Option<String>, Failure> {
        /// Who a token's owner is, where nobody says.
        const TOKEN_USER: &str = "x-access-token";
        let credentials = &self.credentials;
        if let Some(app) = &credentials.github_app {
            let owner = self.url.owner();
            let token =
                core.github.token(credentials, app, owner.as_deref(), core.live().github_token_age);
            let token = budget.within(token).await.map_err(|_| Failure::TimedOut)??;
            return Ok(Some(http::basic(TOKEN_USER, &token)));
        }
        if !credentials.bearer_token.is_empty() {
            return Ok(Some(format!("Bearer {}", credentials.bearer_token)));
        }
        if !credentials.username.is_empty() || !credentials.password.is_empty() {
            let named = !credentials.username.is_empty();
            let user = if named { &credentials.username } else { TOKEN_USER };
            return Ok(Some(http::basic(user, &credentials.password)));
        }
        Ok(in_url.map(|(user, password)| http::basic(user, password)))
    }
}

/// One exchange with the server, about to happen.
struct Exchange<'a, W> {
    remote: &'a Remote,
    core: &'a Core,
    kind: RequestKind,
    work: W,
}

impl<W> Exchange<'_, W> {
    async fn with_budget<T>(
        self,
        what: &'static str,
        limit: Duration,
        bytes_max: u64,
    ) -> Result<T, SourceError>
    where
        T: Send + 'static,
        W: FnOnce(GitTransport, &Budget) -> Result<Result<T, gix::Error>, SourceError>
            + Send
            + 'static,
    {
        let Self { remote, core, kind, work } = self;
        let _permit = core.permits.acquire().await.expect("the semaphore is never closed");
        let began = Instant::now();
        let budget = Budget::new(what, limit, bytes_max);
        let guard = tokio::spawn(budget.clone().interrupt_when_over());
        let done = match remote.transport(core, &budget).await {
            Ok(transport) => {
                let (budget, url) = (budget.clone(), remote.url.clone());
                blocking(move || match work(transport, &budget) {
                    Ok(Ok(answer)) => Ok(answer),
                    Ok(Err(error)) => Err(budget.explain(&url, &error)),
                    Err(error) => Err(error),
                })
                .await
            }
            Err(error) => Err(error),
        };
        guard.abort();
        if let Err(SourceError::AccessRefused { .. }) = &done
            && remote.credentials.github_app.is_some()
        {
            core.github.forget().await;
        }
        core.observer.git_request(&remote.url.shown(), kind, began.elapsed(), done.is_ok());
        done
    }
}

#[cfg(test)]
mod tests;
