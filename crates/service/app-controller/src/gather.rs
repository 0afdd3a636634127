//! Gathering the facts about one Application.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use cluster::LiveObject;
use crd::{Application, ApplicationSource};
use desired::{DesiredObject, Freshness, Origin, RenderRequest, Rendered, SourceRevision};
use hashbrown::{HashMap, HashSet};
use jiff::Timestamp;
use manifest::{Gvk, ObjectKey};
use reconcile::{
    Condition, Destination as Prepare, Facts, Ground, Kind, OperationFacts, Pair, Seen, Side,
    Target, prepare,
};
use sync::{Outcome, WriteVerdict};
use tokio::time::Instant;

use crate::destinations::Destination;
use crate::entry::{Applied, Entry, Made, Memo};
use crate::judge;
use crate::metrics::Tally;
use crate::queue::Why;
use crate::shared::{Shared, Snapshot};

/// One look at an Application.
pub(crate) struct Look {
    pub application: Arc<Application>,
    pub why: Why,
    /// What became of the last verdict's actions.
    pub outcomes: Vec<Outcome>,
}

/// What a look found.
pub(crate) struct Gathered {
    pub facts: Facts,
    pub ground: Option<Ground>,
    pub destination: Option<Arc<Destination>>,
    /// What the comparison wants, as it is remembered once it is synced.
    pub wanted: Option<Applied>,
    /// What the operation wants, where that is something else.
    pub operation_wanted: Option<Applied>,
    /// How soon to look again where something was not to be had.
    pub retry: bool,
    /// The destination is left alone.
    pub skip: bool,
    /// The same for a look that sees the same; 0 where something runs.
    pub fingerprint: u64,
    /// The Application is left as it is: its repository fails, and may be back soon.
    pub hold: bool,
}

/// Gathers the facts.
pub(crate) async fn gather(shared: &Arc<Shared>, entry: &mut Entry, look: Look) -> Gathered {
    let snapshot = shared.snapshot();
    let application = look.application;
    let project = shared.project(reconcile::project_name(&application));
    let asked = application.refresh_requested().is_some();
    let mut gathered = Gathered {
        facts: Facts {
            global_projects: project
                .as_deref()
                .map(|one| shared.global_projects(one))
                .unwrap_or_default(),
            project,
            clusters: snapshot.destinations.clone(),
            rules: snapshot.rules.clone(),
            now: Timestamp::now(),
            side: None,
            asked,
            content_changed: None,
            operation: None,
            deletion_failures: Vec::new(),
            application: application.clone(),
        },
        ground: None,
        destination: None,
        wanted: None,
        operation_wanted: None,
        retry: false,
        skip: false,
        fingerprint: 0,
        hold: false,
    };
    let preflight = reconcile::preflight(&gathered.facts);
    let deletes = reconcile::deletes(&application, preflight.is_ok());
    let ground = match preflight {
        Ok(ground) => ground,
        Err(_) if deletes => match ground_of_deletion(&gathered.facts) {
            Some(ground) => ground,
            None => return gathered,
        },
        Err(_) => return gathered,
    };
    if application.skips_reconcile() {
        return gathered;
    }
    let known = snapshot.clusters.by_server(&ground.cluster.server);
    if known.is_some_and(settings::Cluster::skips_reconcile) {
        gathered.skip = true;
        return gathered;
    }
    let destination = match reach(shared, &snapshot, &ground.cluster.server).await {
        Ok(destination) => destination,
        Err(words) => {
            let words = format!("Failed to load live state: {words}");
            let mut side = blank_side(&application);
            side.failed = true;
            side.unreachable = true;
            side.conditions.push(Condition::new(Kind::ComparisonError, words));
            gathered.facts.side = Some(side);
            gathered.ground = Some(ground);
            gathered.retry = true;
            return gathered;
        }
    };
    let looker = Looker {
        shared,
        snapshot: &snapshot,
        application: &application,
        ground: &ground,
        destination: &destination,
        // What stands in the way of it is said by the operation.
        account: reconcile::account(&gathered.facts, &ground.cluster).unwrap_or_default(),
    };
    if deletes {
        gathered.facts.deletion_failures = failures(&look.outcomes);
        gathered.facts.side = Some(looker.of_deletion(entry, look.why, &mut gathered).await);
    } else {
        looker.compare(entry, look.why, look.outcomes, &mut gathered).await;
    }
    gathered.ground = Some(ground);
    gathered.destination = Some(destination);
    gathered
}

fn ground_of_deletion(facts: &Facts) -> Option<Ground> {
    let project = facts.project.as_deref()?;
    let globals: Vec<_> = facts.global_projects.iter().map(AsRef::as_ref).collect();
    let cluster = policy::resolve(&facts.application.spec.destination, &facts.clusters).ok()?;
    Some(Ground { project: policy::Project::new(project, &globals), cluster: cluster.clone() })
}

/// Connects to a destination, and waits until its live state is known.
async fn reach(
    shared: &Arc<Shared>,
    snapshot: &Snapshot,
    server: &str,
) -> Result<Arc<Destination>, String> {
    let server = server.trim_end_matches('/');
    if let Some(known) = snapshot.clusters.by_server(server)
        && !known.broken.is_empty()
    {
        return Err(format!("cluster {server} cannot be used: {}", known.broken));
    }
    let reach =
        snapshot.reach.get(server).ok_or_else(|| format!("cluster {server} is not known"))?;
    shared.destinations.get(shared, reach).await
}

fn spec_sources(application: &Application) -> (Vec<ApplicationSource>, bool) {
    let spec = &application.spec;
    match spec.sources.is_empty() {
        true => (vec![spec.source.clone().unwrap_or_default()], false),
        false => (spec.sources.clone(), true),
    }
}

fn blank_side(application: &Application) -> Side {
    let (sources, several) = spec_sources(application);
    Side { sources, several, ..Side::default() }
}

/// What is rendered: the spec, or what an operation says.
#[derive(Default)]
struct Wish {
    sources: Vec<ApplicationSource>,
    revisions: Vec<String>,
    manifests: Vec<String>,
}

struct Looker<'a> {
    shared: &'a Arc<Shared>,
    snapshot: &'a Snapshot,
    application: &'a Arc<Application>,
    ground: &'a Ground,
    destination: &'a Arc<Destination>,
    /// As whom the destination is asked; `None`: as the controller.
    account: Option<String>,
}

impl Looker<'_> {
    async fn compare(
        &self,
        entry: &mut Entry,
        why: Why,
        outcomes: Vec<Outcome>,
        gathered: &mut Gathered,
    ) {
        let now = gathered.facts.now;
        let state = reconcile::current(self.application, now);
        let fresh_operation = state.as_ref().is_some_and(|state| {
            state.sync_result.is_none() && !state.operation.initiated_by.automated
        });
        let fresh = if fresh_operation { why.fresh.max(Freshness::Latest) } else { why.fresh };

        let (sources, several) = spec_sources(self.application);
        let mut side = Side { sources, several, ..Side::default() };
        let wish =
            Wish { manifests: self.application.local_manifests().to_vec(), ..Wish::default() };
        let rendered = self.render(&wish, fresh, &mut side, gathered).await;
        if self.bears_with(entry, rendered.is_none() && gathered.retry, why, state.is_some()) {
            gathered.hold = true;
            return;
        }
        let made = rendered.map(|rendered| self.made(rendered, entry.prepared.as_ref()));
        if let Some(made) = &made {
            self.look_back(entry, made, &side).await;
        }
        entry.prepared.clone_from(&made);
        self.fill(&mut side, made.as_ref(), entry, false).await;
        gathered.facts.content_changed = made.as_ref().and_then(|made| {
            let last = entry.applied.last()?;
            Some(last.key != made.rendered.key)
        });
        gathered.wanted = made.as_ref().map(|made| applied(made, false));

        let running = state.filter(|state| {
            // One that waits for its next attempt needs nothing yet.
            !(state.phase == crd::OperationPhase::Running && state.finished_at.is_some())
        });
        if let Some(state) = running {
            let request = reconcile::request(self.application, &state);
            let blank = request.revisions.iter().all(String::is_empty);
            let same = request.manifests.is_empty()
                && request.sources == side.sources
                && (blank || request.revisions == side.revisions);
            let mut facts = OperationFacts { outcomes, ..OperationFacts::default() };
            if !same {
                let mut own = Side {
                    sources: request.sources.clone(),
                    several: request.several,
                    ..Side::default()
                };
                let wish = Wish {
                    sources: request.sources,
                    revisions: if blank { Vec::new() } else { request.revisions },
                    manifests: request.manifests,
                };
                let rendered = self.render(&wish, fresh, &mut own, gathered).await;
                let made = rendered.map(|rendered| self.made(rendered, entry.prepared.as_ref()));
                self.fill(&mut own, made.as_ref(), entry, true).await;
                gathered.operation_wanted = made.as_ref().map(|made| applied(made, false));
                facts.side = Some(own);
            }
            let id = (state.started_at.0.clone(), state.retry_count);
            facts.goes_on = entry.begun.as_ref() != Some(&id);
            facts.progress =
                entry.running.as_ref().filter(|one| one.id == id).map(|one| one.progress.clone());
            let wants_namespace = state.operation.sync.as_ref().is_some_and(|sync| {
                sync.sync_options.iter().any(|option| option == "CreateNamespace=true")
            });
            if wants_namespace {
                self.namespace(&mut facts).await;
            }
            let wanted = facts.side.as_ref().unwrap_or(&side);
            facts.unserved = crate::unserved::unserved(wanted, &self.destination.live.kinds());
            gathered.facts.operation = Some(facts);
        }
        if gathered.facts.operation.is_none() && !side.failed {
            gathered.fingerprint = self.fingerprint(entry, made.as_ref(), &side, gathered);
        }
        gathered.facts.side = Some(side);
    }

    /// Names everything that a decision looks at, but for the time.
    fn fingerprint(
        &self,
        entry: &Entry,
        made: Option<&Made>,
        side: &Side,
        gathered: &Gathered,
    ) -> u64 {
        let mut hash = DefaultHasher::new();
        let application = &self.application.metadata;
        (&application.uid, &application.resource_version, self.snapshot.version).hash(&mut hash);
        let facts = &gathered.facts;
        for project in facts.project.iter().chain(&facts.global_projects) {
            (&project.metadata.uid, &project.metadata.resource_version).hash(&mut hash);
        }
        (made.map(|made| (made.rendered.key, made.context)), &side.revisions).hash(&mut hash);
        (facts.content_changed, &side.images, &side.shared).hash(&mut hash);
        for condition in &side.conditions {
            (condition.kind.as_str(), &condition.message).hash(&mut hash);
        }
        // The order of a map is not its own; a sum has none.
        let objects = entry.memo.values().map(|memo| memo.digest);
        objects.fold(0_u64, u64::wrapping_add).hash(&mut hash);
        hash.finish() | 1
    }

    /// What a deletion looks at: everything that is live of the Application, and its hooks.
    async fn of_deletion(&self, entry: &mut Entry, why: Why, gathered: &mut Gathered) -> Side {
        let mut side = blank_side(self.application);
        if reconcile::deletion_runs_hooks(&self.application.metadata.finalizers) {
            let rendered = self.render(&Wish::default(), why.fresh, &mut side, gathered).await;
            let before = entry.prepared.as_ref();
            side.prepared = rendered.map(|rendered| self.made(rendered, before).prepared);
        }
        self.fill(&mut side, None, entry, false).await;
        side
    }

    /// Whether a repository that fails is borne with for now: an Application that was compared
    /// before keeps its status for a while (`repo.error.grace.period`), unless somebody asks.
    fn bears_with(&self, entry: &mut Entry, fails: bool, why: Why, operates: bool) -> bool {
        if !fails {
            entry.repository_fails_since = None;
            return false;
        }
        let since = *entry.repository_fails_since.get_or_insert_with(Instant::now);
        let grace = self.snapshot.settings.reconciliation.repo_error_grace;
        let status = &self.application.status.sync.status;
        let compared =
            [crd::SyncStatusCode::Synced, crd::SyncStatusCode::OutOfSync].contains(status);
        compared
            && !operates
            && why.fresh == Freshness::Known
            && self.application.refresh_requested().is_none()
            && since.elapsed() < grace
    }

    async fn namespace(&self, facts: &mut OperationFacts) {
        let name = &self.application.spec.destination.namespace;
        let key = ObjectKey::new("", "Namespace", "", name);
        match self.live_value(&key, &Gvk::new("", "v1", "Namespace")).await {
            Ok(Some(object)) => {
                let health = judge::health(self.snapshot, &object);
                let seen = reconcile::see(&object, health, &self.snapshot.rules.tracking);
                facts.live_namespace = Some(seen.live.live());
            }
            Ok(None) => {}
            Err(words) => {
                facts.namespace_verdict =
                    WriteVerdict::Refused(format!("namespace auto creation failed: {words}"));
            }
        }
    }

    async fn render(
        &self,
        wish: &Wish,
        fresh: Freshness,
        side: &mut Side,
        gathered: &mut Gathered,
    ) -> Option<Arc<Rendered>> {
        if !wish.manifests.is_empty() {
            return self.local(wish, side);
        }
        let project = gathered.facts.project.clone()?;
        let request = RenderRequest {
            application: self.application.clone(),
            project,
            revisions: wish.revisions.clone(),
            sources: wish.sources.clone(),
            freshness: fresh,
            kube_version: self.destination.kube_version().await,
            api_versions: self.destination.api_versions(),
        };
        match self.shared.renderer.render(request).await {
            Ok(rendered) => {
                side.revisions = rendered.sources.iter().map(|one| one.revision.clone()).collect();
                side.source_types =
                    rendered.sources.iter().map(|one| one.source_type.clone()).collect();
                for (kind, words) in &rendered.warnings {
                    side.conditions.push(Condition::new(Kind::from(kind.as_str()), words.clone()));
                }
                Some(rendered)
            }
            Err(failure) => {
                let kind = Kind::from(failure.condition);
                let words = match kind {
                    Kind::ComparisonError => {
                        format!("Failed to load target state: {}", failure.message)
                    }
                    _ => failure.message.clone(),
                };
                side.failed = true;
                side.revisions = failure.revisions.clone();
                side.conditions.push(Condition::new(kind, words));
                gathered.retry |= failure.remedy == desired::Remedy::Retry;
                None
            }
        }
    }

    /// Objects that an operation brings along instead of its sources' (SYN-63).
    fn local(&self, wish: &Wish, side: &mut Side) -> Option<Arc<Rendered>> {
        let mut objects = Vec::with_capacity(wish.manifests.len());
        let mut key = DefaultHasher::new();
        for text in &wish.manifests {
            match goyaml::to_json(text.as_bytes()) {
                Ok(object) => {
                    let mut hash = DefaultHasher::new();
                    text.hash(&mut hash);
                    text.hash(&mut key);
                    objects.push(DesiredObject {
                        object: Arc::new(object),
                        hash: hash.finish(),
                        origin: Origin::default(),
                    });
                }
                Err(error) => {
                    side.failed = true;
                    side.conditions.push(Condition::new(
                        Kind::ComparisonError,
                        format!("Failed to load local manifests: {error}"),
                    ));
                    return None;
                }
            }
        }
        side.revisions = wish.revisions.clone();
        let sources = wish
            .revisions
            .iter()
            .map(|revision| SourceRevision {
                revision: revision.clone(),
                source_type: String::new(),
            })
            .collect();
        Some(Arc::new(Rendered {
            objects: objects.into(),
            key: key.finish(),
            sources,
            warnings: Vec::new(),
        }))
    }

    fn context(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        let kinds = self.destination.live.kinds();
        (self.snapshot.version, Arc::as_ptr(&kinds) as usize, &self.destination.server)
            .hash(&mut hash);
        self.application.spec.destination.namespace.hash(&mut hash);
        hash.finish()
    }

    /// Prepares what was rendered; what was prepared at the last look is used again.
    fn made(&self, rendered: Arc<Rendered>, before: Option<&Made>) -> Made {
        let context = self.context();
        if let Some(before) =
            before.filter(|made| made.rendered.key == rendered.key && made.context == context)
        {
            return Made { rendered, context, prepared: before.prepared.clone() };
        }
        let kinds = self.destination.live.kinds();
        let app = reconcile::instance_name(self.application, &self.shared.config.namespace);
        let filter = &self.snapshot.settings.resources.filter;
        let prepared = prepare(
            &rendered.objects,
            &Prepare {
                app: &app,
                namespace: &self.application.spec.destination.namespace,
                tracking: &self.snapshot.rules.tracking,
                namespaced: &|gvk| {
                    let exact = kinds.get(gvk).map(|info| info.namespaced);
                    exact.or_else(|| {
                        // An older version of a served kind has the same scope, and fails by itself.
                        kinds.preferred(&gvk.group_kind()).map(|info| info.namespaced)
                    })
                },
                excluded: &|gvk| {
                    filter.excludes(
                        &gvk.group,
                        &gvk.kind,
                        &self.destination.server,
                        crate::shared::glob,
                    )
                },
            },
            before.map(|made| &*made.prepared),
        );
        Made { rendered, context, prepared: Arc::new(prepared) }
    }

    /// Finds out what an earlier process applied, where git has moved on since: git remembers it.
    async fn look_back(&self, entry: &mut Entry, made: &Made, side: &Side) {
        if entry.looked_back {
            return;
        }
        entry.looked_back = true;
        let status = &self.application.status;
        let mut past: Vec<(Vec<ApplicationSource>, bool, Vec<String>, bool)> = Vec::new();
        if let Some(last) = status.history.last() {
            let several = !last.sources.is_empty();
            past.push(match several {
                true => (last.sources.clone(), true, last.revisions.clone(), true),
                false => (vec![last.source.clone()], false, vec![last.revision.clone()], true),
            });
        }
        let attempt = status
            .operation_state
            .as_ref()
            .and_then(|state| state.sync_result.as_ref().filter(|_| state.phase.completed()));
        if let Some(result) = attempt {
            let several = !result.sources.is_empty();
            past.push(match several {
                true => (result.sources.clone(), true, result.revisions.clone(), false),
                false => (vec![result.source.clone()], false, vec![result.revision.clone()], false),
            });
        }
        past.dedup_by(|a, b| a.0 == b.0 && a.2 == b.2);
        for (sources, several, revisions, whole) in past {
            if revisions.iter().all(String::is_empty) {
                continue;
            }
            if sources == side.sources && several == side.several && revisions == side.revisions {
                entry.remember(applied(made, whole));
                continue;
            }
            let wish = Wish { sources, revisions, manifests: Vec::new() };
            let Some(project) = self.shared.project(reconcile::project_name(self.application))
            else {
                return;
            };
            let request = RenderRequest {
                application: self.application.clone(),
                project,
                revisions: wish.revisions.clone(),
                sources: wish.sources.clone(),
                freshness: Freshness::Known,
                kube_version: self.destination.kube_version().await,
                api_versions: self.destination.api_versions(),
            };
            // A revision that is gone cannot be remembered; what is owned is still pruned by its owner.
            if let Ok(rendered) = self.shared.renderer.render(request).await {
                let made = self.made(rendered, Some(made));
                entry.remember(applied(&made, whole));
            }
        }
    }

    /// Puts what is wanted and what is live side by side.
    async fn fill(&self, side: &mut Side, made: Option<&Made>, entry: &mut Entry, own: bool) {
        let app = reconcile::instance_name(self.application, &self.shared.config.namespace);
        let live = &self.destination.live;
        let mut memo = std::mem::take(match own {
            true => &mut entry.operation_memo,
            false => &mut entry.memo,
        });
        // What is not met in this look goes at its end.
        entry.looks = entry.looks.wrapping_add(1);
        let look = entry.looks;
        let mut met: Vec<Arc<LiveObject>> = Vec::with_capacity(memo.len());
        let mut touched = Touched::default();
        let rulebook =
            judge::Rulebook::new(self.snapshot, self.application).acting_as(self.account.clone());
        for words in &rulebook.errors {
            let words = format!("Failed to compare desired state to live state: {words}");
            side.conditions.push(Condition::new(Kind::ComparisonError, words));
            side.failed = true;
        }
        if let Some(made) = made {
            let prepared = &made.prepared;
            let reach = live.scope();
            if let Some(words) = reconcile::outside(&prepared.targets, &reach.0, reach.1) {
                let words = format!("Failed to load live state: {words}");
                side.conditions.push(Condition::new(Kind::ComparisonError, words));
                side.failed = true;
            }
            let held = live.several(prepared.targets.iter().map(|target| &target.key));
            for ((at, target), held) in prepared.targets.iter().enumerate().zip(held) {
                let previous = entry.previous_of(at, prepared);
                let rules = rules_of(&rulebook, &previous);
                let same = memo.get_mut(&target.key).filter(|memo| {
                    memo.still_holds(target, held.as_deref(), rules)
                        && (held.is_some() || self.knows_all(&target.key))
                });
                let found = match same {
                    Some(same) => same,
                    None => {
                        let previous: Vec<_> =
                            previous.iter().map(|target| target.object()).collect();
                        let found = self.pair(target, held.as_deref(), rules, &previous, &rulebook);
                        let found = Box::new(found.await.named(&target.key));
                        put(&mut memo, &target.key, found)
                    }
                };
                found.look = look;
                if let Some(words) = &found.problem {
                    side.conditions.push(Condition::new(Kind::ComparisonError, words.clone()));
                    side.failed = true;
                }
                let seen = found.seen.clone().filter(|seen| touched.may(self, seen));
                if let Some(seen) = &seen
                    && let Some(other) = seen.app.as_ref().filter(|other| **other != app)
                {
                    side.shared.insert(target.key.clone(), other.clone());
                }
                if seen.is_some() {
                    met.extend(held);
                }
                side.pairs.push(Pair {
                    target: Some(target.clone()),
                    live: seen,
                    modified: found.modified,
                    structural_refusal: found.structural_refusal.clone(),
                });
            }
            side.prepared = Some(prepared.clone());
        }
        let taken: HashSet<*const LiveObject> = met.iter().map(Arc::as_ptr).collect();
        for object in live.of_app_where(&app, |object| !taken.contains(&Arc::as_ptr(object))) {
            let key = object.key();
            // What changed since, or may not be touched, stands there already.
            let known = memo.get_mut(&key);
            if known.as_ref().is_some_and(|memo| memo.look == look && memo.target_hash.is_some()) {
                continue;
            }
            let found = match known.filter(|memo| {
                memo.target_hash.is_none()
                    && memo.live_version == object.resource_version()
                    && memo.live_hash == object.hash()
            }) {
                Some(found) => found,
                None => {
                    let Some(body) = object.body() else { continue };
                    let found = Box::new(self.alone(&body, object.hash()).named(&key));
                    put(&mut memo, &key, found)
                }
            };
            found.look = look;
            if let Some(seen) =
                found.seen.clone().filter(|seen| !seen.owned && touched.may(self, seen))
            {
                side.pairs.push(Pair {
                    target: None,
                    live: Some(seen),
                    modified: true,
                    structural_refusal: None,
                });
                met.push(object);
            }
        }
        memo.retain(|_, memo| memo.look == look);
        self.summarize(side, &met);
        if !own {
            self.orphans(side, &memo);
        }
        match own {
            true => entry.operation_memo = memo,
            false => entry.memo = memo,
        }
    }

    fn tally(&self) -> Tally<'_> {
        Tally {
            metrics: &self.shared.metrics,
            application: self.application,
            server: &self.destination.server,
        }
    }

    fn alone(&self, body: &serde_json::Value, live_hash: u64) -> Memo {
        let health = judge::health(self.snapshot, body);
        let seen = reconcile::see(body, health, &self.snapshot.rules.tracking);
        Memo {
            target_hash: None,
            live_version: manifest::resource_version(body).to_owned(),
            live_hash,
            rules: 0,
            digest: 0,
            look: 0,
            seen: Some(Arc::new(seen)),
            modified: true,
            structural_refusal: None,
            problem: None,
        }
    }

    /// Compares one object.
    async fn pair(
        &self,
        target: &Arc<Target>,
        held: Option<&LiveObject>,
        rules: u64,
        previous: &[Arc<serde_json::Value>],
        rulebook: &judge::Rulebook,
    ) -> Memo {
        let object = target.object();
        let mut found = Memo {
            target_hash: Some(target.hash),
            live_version: held.map_or("", LiveObject::resource_version).to_owned(),
            live_hash: held.map_or(0, LiveObject::hash),
            rules,
            digest: 0,
            look: 0,
            seen: None,
            modified: true,
            structural_refusal: judge::structural_refusal(self.destination, &object).await,
            problem: None,
        };
        let live = match self.live_value(&target.key, &target.gvk).await {
            Ok(live) => live,
            Err(words) => {
                found.problem = Some(format!("Failed to load live state: {words}"));
                return found;
            }
        };
        let Some(live) = live else { return found };
        let health = judge::health(self.snapshot, &live);
        found.seen = Some(Arc::new(reconcile::see(&live, health, &self.snapshot.rules.tracking)));
        let refusal = found.structural_refusal.clone();
        let asking = judge::Asking {
            destination: self.destination,
            ground: self.ground,
            tally: self.tally(),
            checks: &self.shared.checks,
        };
        let differs =
            judge::differs(&asking, (target, &object), &live, previous, (refusal, rulebook));
        match differs.await {
            Ok(modified) => found.modified = modified,
            Err(words) => {
                found.problem =
                    Some(format!("Failed to compare desired state to live state: {words}"));
            }
        }
        found
    }

    /// Whether what live state does not hold is not there.
    fn knows_all(&self, key: &ObjectKey) -> bool {
        self.destination.live.knows_all(key)
    }

    /// Returns a live object at the version at which it is wanted.
    async fn live_value(
        &self,
        key: &ObjectKey,
        gvk: &Gvk,
    ) -> Result<Option<serde_json::Value>, String> {
        let live = &self.destination.live;
        if let Some(held) = live.get(key)
            && held.gvk() == gvk
        {
            if let Some(body) = held.body() {
                return Ok(Some(body));
            }
        } else if live.get(key).is_none() && self.knows_all(key) {
            return Ok(None);
        }
        if live.kinds().get(gvk).is_none() {
            return Ok(None);
        }
        match self.destination.cluster.get(gvk, &key.namespace, &key.name).await {
            Ok(object) => Ok(object),
            Err(cluster::ApiError::KindUnknown { .. } | cluster::ApiError::NotFound { .. }) => {
                Ok(None)
            }
            Err(error) => Err(crate::destinations::chain(&error)),
        }
    }

    /// Counts what stands in the destination's namespace and is nobody's, where the project asks.
    fn orphans(&self, side: &mut Side, known: &HashMap<ObjectKey, Box<Memo>>) {
        let project = self.shared.project(reconcile::project_name(self.application));
        let Some(asked) = project.as_ref().and_then(|one| one.spec.orphaned_resources.as_ref())
        else {
            return;
        };
        let namespace = &self.application.spec.destination.namespace;
        let live = &self.destination.live;
        let mut orphans = 0;
        for object in live.in_namespace(namespace) {
            let key = object.key();
            let theirs = object.app().is_some_and(|app| {
                self.shared.application(&self.shared.key_of_instance(app)).is_some()
            });
            if key.namespace.is_empty()
                || !object.owners().is_empty()
                || theirs
                || known.get(&key).is_some_and(|memo| memo.target_hash.is_some())
                || orphan_by_nature(&key)
                || !self.ground.project.permits_kind(&key.group_kind(), &key.name, true)
                || policy::ignores_orphan(&asked.ignore, &key.group, &key.kind, &key.name)
            {
                continue;
            }
            orphans += 1 + live.descendants(&key).len();
        }
        self.shared.metrics.orphans(self.application, orphans);
        if orphans > 0 && asked.warn.unwrap_or(true) {
            side.conditions.push(Condition::new(
                Kind::OrphanedResourceWarning,
                format!("Application has {orphans} orphaned resources"),
            ));
        }
    }

    /// What pods below the Application run.
    fn summarize(&self, side: &mut Side, met: &[Arc<LiveObject>]) {
        let live = &self.destination.live;
        let mut images: BTreeSet<String> = BTreeSet::new();
        let mut pods: BTreeMap<ObjectKey, Vec<String>> = BTreeMap::new();
        for seen in side.pairs.iter().filter_map(|pair| pair.live.as_ref()) {
            if seen.key.kind == "Pod" {
                images.extend(seen.live.images.iter().cloned());
            }
        }
        for owner in live.owners_among(met.iter()) {
            for below in live.descendants(&owner) {
                let key = below.key();
                if key.kind != "Pod" || pods.contains_key(&key) {
                    continue;
                }
                let summary = below.summary();
                let list = summary.as_ref().and_then(|one| one.get("images")?.as_array());
                let of_pod = list.into_iter().flatten().filter_map(|one| one.as_str());
                pods.insert(key, of_pod.map(str::to_owned).collect());
            }
        }
        images.extend(pods.into_values().flatten());
        side.images = images.into_iter().collect();
    }
}

/// Remembers what an object was found to be, in the place of what it was before.
fn put<'a>(
    memo: &'a mut HashMap<ObjectKey, Box<Memo>>,
    key: &ObjectKey,
    found: Box<Memo>,
) -> &'a mut Box<Memo> {
    memo.entry(key.clone()).insert(found).into_mut()
}

/// Names the rules by which an object is compared.
fn rules_of(rulebook: &judge::Rulebook, previous: &[&Arc<Target>]) -> u64 {
    if previous.is_empty() {
        return rulebook.hash;
    }
    let mut rules = DefaultHasher::new();
    rulebook.hash.hash(&mut rules);
    for target in previous {
        target.hash.hash(&mut rules);
    }
    rules.finish()
}

/// Which live objects the project lets the Application touch; remembers what it said last.
#[derive(Default)]
struct Touched {
    last: Option<(String, bool)>,
}

impl Touched {
    fn may(&mut self, looker: &Looker<'_>, seen: &Seen) -> bool {
        let namespace = &seen.key.namespace;
        // A kind that the project forbids is shown where it is wanted; the sync then refuses it.
        if namespace.is_empty() {
            return true;
        }
        match &self.last {
            Some((known, may)) if known == namespace => *may,
            _ => {
                let Ground { project, cluster } = looker.ground;
                let may = project.permits_destination(cluster, namespace);
                self.last = Some((namespace.clone(), may));
                may
            }
        }
    }
}

/// What stands in every namespace, or in the cluster's own, and is nobody's.
fn orphan_by_nature(key: &ObjectKey) -> bool {
    match (key.group.as_str(), key.kind.as_str(), key.name.as_str()) {
        ("", "Service", "kubernetes") => key.namespace == "default",
        ("", "ServiceAccount", "default") => true,
        ("", "ConfigMap", "kube-root-ca.crt" | "openshift-service-ca.crt") => true,
        _ => false,
    }
}

/// What the cluster refused, in its words.
fn failures(outcomes: &[Outcome]) -> Vec<String> {
    outcomes
        .iter()
        .filter_map(|outcome| match &outcome.done {
            sync::Done::Failed(words) => Some(format!("{}: {words}", outcome.task.key)),
            _ => None,
        })
        .collect()
}

fn applied(made: &Made, whole: bool) -> Applied {
    Applied::new(made.rendered.key, made.prepared.clone(), whole)
}
