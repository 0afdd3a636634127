//! The renderer of this process.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Instant, SystemTime};

use desired::{
    BoxFuture, Freshness, Remedy, RenderFailure, RenderRequest, Rendered, Renderer, RepoChange,
    RepoListener, SourceRevision,
};
use filetree::{ContentId, FileTree, Question, Recording, TreePath};
use parking_lot::Mutex;
use plugins::Plugins;
use render::{
    Asked, ChartMeans, Fetched, Input, KnownFiles, Options, Reach, RenderError, SourceType,
    files_have_changed, refresh_paths, render_source_again, rendering_key,
};
use source::{Revision, Sources, Web, WebLimits};
use tokio::sync::Semaphore;

use crate::artifacts::{Artifacts, Shelf, shelf_of};
use crate::backoff::Backoff;
use crate::cache::{AskedOf, Cache, Made, Objects, Variant};
use crate::chance::charts_time;
use crate::counts::{Counters, Counts};
use crate::failure::{At, from_artifact, from_engine, from_settings, from_source};
use crate::fetching::{NEEDS_ROUNDS_MAX, fetch};
use crate::key::{Key, key_of};
use crate::pin::Pin;
use crate::plan::{Plan, Planned, plan};
use crate::plugged::{Plugged, ask_plugins, plugin_rules};
use crate::repositories::{Found, Repositories, Unusable};
use crate::surroundings::{Snapshot, Surroundings};

/// The type of the condition that tells what to mend in a project.
const PROJECT_WARNING: &str = "ProjectWarning";

/// Where upstream's plugins have their sockets (`ARGOCD_PLUGINSOCKFILEPATH`).
const PLUGIN_SOCKETS: &str = "/home/argocd/cmp-server/plugins";

/// What charts were parsed to takes about as much.
const CHARTS_CACHE_BYTES: usize = 64 << 20;

/// What charts' templates gave, with what they had read, takes at most about so many bytes. Most
/// of them are the objects of renderings that are kept anyway.
const TEMPLATES_MEMORY_BYTES: usize = 128 << 20;

/// Up to so many questions about files are answered at once, half a microsecond each; to wake a thread
/// for them takes longer.
const QUESTIONS_HERE_MAX: usize = 512;

/// What the caller decides once.
#[derive(Clone, Debug)]
pub struct Config {
    /// Renderings that are kept take at most so many bytes together, estimated.
    pub cache_bytes_max: usize,
    /// Renderings at a time, where the settings name no number.
    pub parallel_max: usize,
    /// Sockets of config management plugins lie here; without the directory there are none.
    pub plugin_sockets: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        let parallel_max = std::thread::available_parallelism().map_or(2, usize::from);
        let plugin_sockets = PathBuf::from(PLUGIN_SOCKETS);
        Self { cache_bytes_max: 256 << 20, parallel_max, plugin_sockets }
    }
}

/// Renders in this process; clones are the same renderer.
#[derive(Clone)]
pub struct Rendering {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    sources: Sources,
    pub(crate) repositories: Repositories,
    pub(crate) artifacts: Artifacts,
    plugins: Plugins,
    pub(crate) surroundings: Arc<dyn Surroundings>,
    cache: Mutex<Cache>,
    backoff: Mutex<Backoff>,
    /// One rendering at a time a key.
    gates: Mutex<HashMap<Key, Weak<tokio::sync::Mutex<()>>>>,
    permits: Semaphore,
    counters: Counters,
    /// What charts were parsed to.
    charts: helm::Cache,
}

impl Rendering {
    /// Makes a renderer; nothing is fetched yet. `sources` must live in the same runtime.
    pub fn new(config: Config, sources: Sources, surroundings: Arc<dyn Surroundings>) -> Self {
        let rendering = &surroundings.snapshot().rendering;
        let parallel_max = rendering.parallel_max;
        let plugins = Plugins::new(config.plugin_sockets, rendering.program_timeout);
        let parallel_max = parallel_max.unwrap_or(config.parallel_max).max(1);
        Self {
            inner: Arc::new(Inner {
                repositories: Repositories::new(sources.clone()),
                artifacts: Artifacts::new(Web::new(WebLimits::default())),
                plugins,
                sources,
                surroundings,
                cache: Mutex::new(Cache::new(config.cache_bytes_max)),
                backoff: Mutex::default(),
                gates: Mutex::default(),
                permits: Semaphore::new(parallel_max),
                counters: Counters::default(),
                charts: helm::Cache::new(CHARTS_CACHE_BYTES).remembering(TEMPLATES_MEMORY_BYTES),
            }),
        }
    }

    /// How often was rendered, and how often not.
    pub fn counts(&self) -> Counts {
        let cache = self.inner.cache.lock();
        self.inner.counters.read(cache.bytes(), cache.len())
    }
}

impl Renderer for Rendering {
    fn render<'a>(
        &'a self,
        request: RenderRequest,
    ) -> BoxFuture<'a, Result<Arc<Rendered>, RenderFailure>> {
        Box::pin(self.inner.clone().render(request))
    }

    fn on_change(&self, listener: RepoListener) {
        self.inner.sources.on_change(Box::new(move |url| {
            listener(&RepoChange { repo_url: crd::normalize_repo_url(url) });
        }));
    }
}

/// Where a source's files are.
pub(crate) enum Place {
    Git(Found),
    Shelf(Shelf),
}

/// A request, understood: what to render, and at which revisions.
pub(crate) struct Job {
    pub(crate) request: RenderRequest,
    plan: Plan,
    places: Vec<Place>,
    pins: Vec<Pin>,
    pub(crate) snapshot: Arc<Snapshot>,
    app_name: String,
    options: Options,
    /// What charts take the time to be.
    charts_time_ns: i128,
    key: Key,
}

impl Job {
    pub(crate) fn at(&self, index: usize) -> At {
        At { index, count: self.plan.sources.len() }
    }

    pub(crate) fn revisions(&self) -> Vec<String> {
        self.pins.iter().map(Pin::revision).collect()
    }

    pub(crate) fn planned(&self, index: usize) -> &Planned {
        &self.plan.sources[index]
    }

    pub(crate) fn project(&self) -> &str {
        self.request.application.spec.project_name()
    }

    /// Whether a destination like this request's answers the same questions the same.
    fn is_asked_alike(&self, made: &Made) -> bool {
        made.asked.holds_for(&self.request.kube_version, &self.request.api_versions)
    }

    /// Hands over what an engine is told about a source.
    pub(crate) fn input<'a>(
        &'a self,
        index: usize,
        revision: &'a str,
        reach: &'a Reach<'a>,
    ) -> Input<'a> {
        Input {
            source: &self.plan.sources[index].source,
            source_index: index,
            app_name: &self.app_name,
            namespace: &self.request.application.spec.destination.namespace,
            project: self.project(),
            revision,
            kube_version: &self.request.kube_version,
            api_versions: &self.request.api_versions,
            options: &self.options,
            reach,
        }
    }
}

/// A job with its files, and with what is known of earlier ones, the newest first.
struct Work {
    job: Job,
    trees: Vec<Arc<dyn FileTree>>,
    variants: Vec<Variant>,
}

impl Work {
    /// How many questions are asked at most to know whether files are as they were.
    fn questions(&self) -> usize {
        let made = self.variants.iter().flat_map(|variant| &variant.sources);
        let of_others =
            |made: &Made| made.of_others.iter().map(|(_, read)| read.len()).sum::<usize>();
        made.map(|made| made.read_set.len() + of_others(made)).sum()
    }

    /// What files of a source that is a directory gave at the last rendering.
    fn known_files(&self, index: usize) -> KnownFiles<'_> {
        let newest = self.variants.first().and_then(|variant| variant.sources.get(index));
        let Some((made, Ok(objects))) = newest.map(|made| (made, &made.outcome)) else {
            return KnownFiles::default();
        };
        if objects.source_type != SourceType::Directory.as_str() {
            return KnownFiles::default();
        }
        let entries = made.read_set.iter().filter(|(_, asked, _)| *asked == Question::Entry);
        let contents: hashbrown::HashMap<&str, ContentId> =
            entries.filter_map(|(path, _, id)| Some((path.as_str(), id?))).collect();
        KnownFiles::of_directory(&objects.objects, |file| contents.get(file).copied())
    }

    /// For each source, a rendering whose files are as they were; this reads from the disk.
    fn held(&self) -> Vec<Option<Made>> {
        let sources = self.job.pins.iter().zip(&self.trees).enumerate();
        sources
            .map(|(index, (pin, tree))| {
                let mut known =
                    self.variants.iter().filter_map(|variant| variant.sources.get(index));
                // What changed since one of them has most likely changed since the others, too.
                let mut changed: Option<(TreePath, Question)> = None;
                let mut files_hold = |made: &Made| {
                    let tree = tree.as_ref();
                    if changed.as_ref().is_some_and(|at| made.read_set.differs_at(tree, at)) {
                        return false;
                    }
                    let first = made.read_set.first_change(tree);
                    if let Some((path, question)) = first {
                        changed = Some((path.clone(), question));
                    }
                    first.is_none()
                };
                let holds = |made: &&Made| {
                    (made.pin == *pin || files_hold(made))
                        && self.job.is_asked_alike(made)
                        && made.of_others.iter().all(|(other, read)| {
                            self.trees.get(*other).is_some_and(|tree| read.holds_in(tree.as_ref()))
                        })
                };
                known.find(holds).map(|made| Made { pin: pin.clone(), ..made.clone() })
            })
            .collect()
    }
}

/// Runs what waits for a disk, or computes for long, on a thread that may.
async fn on_a_thread<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
        // The runtime is ending, and this task with it.
        Err(_) => std::future::pending().await,
    }
}

impl Inner {
    async fn render(
        self: Arc<Self>,
        request: RenderRequest,
    ) -> Result<Arc<Rendered>, RenderFailure> {
        Counters::add(&self.counters.requests);
        let snapshot = self.surroundings.snapshot();
        let plan = plan(&request, self.surroundings.as_ref())?;
        let job = self.resolved(request, plan, &snapshot).await?;
        if let Some(answer) = self.known(&job) {
            return answer;
        }
        let gate = self.gate(job.key);
        let _alone = gate.lock().await;
        // Somebody else may have rendered it in the meantime.
        if let Some(answer) = self.known(&job) {
            return answer;
        }
        self.render_alone(job).await
    }

    /// Finds repositories and commits; asks servers only as far as the request wants it.
    async fn resolved(
        &self,
        request: RenderRequest,
        plan: Plan,
        snapshot: &Arc<Snapshot>,
    ) -> Result<Job, RenderFailure> {
        let freshness = match request.freshness {
            Freshness::Known => source::Freshness::Known,
            Freshness::Latest | Freshness::Hard => source::Freshness::Latest,
        };
        let spec = &request.application.spec;
        let project = spec.project_name();
        let count = plan.sources.len();
        let mut places = Vec::with_capacity(count);
        let mut pins: Vec<Pin> = Vec::with_capacity(count);
        for (index, planned) in plan.sources.iter().enumerate() {
            let at = At { index, count };
            let so_far = || pins.iter().map(Pin::revision).collect();
            if let Some(shelf) = self.shelf(planned, project, snapshot, at)? {
                let pin = self.artifacts.resolve(&shelf, &planned.revision, freshness).await;
                let pin = pin.map_err(|error| from_artifact(&error, at, so_far()))?;
                pins.push(pin);
                places.push(Place::Shelf(shelf));
                continue;
            }
            let one =
                self.repositories.find(&planned.source.repo_url, project, snapshot).await.map_err(
                    |unusable| match unusable {
                        Unusable::Settings(error) => from_settings(&error, at),
                        Unusable::Source(error) => from_source(&error, at, so_far()),
                    },
                )?;
            let revision =
                Revision { text: &planned.revision, tag_prefix: &planned.source.tag_prefix };
            let resolved = one
                .repository
                .resolve(revision, freshness)
                .await
                .map_err(|error| from_source(&error, at, so_far()))?;
            pins.push(Pin::Commit(resolved.commit));
            places.push(Place::Git(one));
        }
        let app_name = request.application.instance_name(&snapshot.control_plane_namespace);
        let rendering = &snapshot.rendering;
        let options = Options {
            helm: rendering.helm,
            kustomize: rendering.kustomize,
            jsonnet: rendering.jsonnet,
            combined_bytes_max: rendering.directory_bytes_max,
            kustomize_build_options: rendering.kustomize_build_options.clone(),
            hashes: true,
        };
        let namespace = &spec.destination.namespace;
        let charts_time_ns = charts_time(SystemTime::now());
        let rules = plugin_rules(&request, rendering);
        let key = key_of(&app_name, namespace, project, &plan, &options, charts_time_ns, &rules);
        let snapshot = snapshot.clone();
        Ok(Job { request, plan, places, pins, snapshot, app_name, options, charts_time_ns, key })
    }

    /// Where a source's chart or image is; `None` where it is a Git repository.
    fn shelf(
        &self,
        planned: &Planned,
        project: &str,
        snapshot: &Arc<Snapshot>,
        at: At,
    ) -> Result<Option<Shelf>, RenderFailure> {
        let source = &planned.source;
        if source.chart.is_empty() && !source.repo_url.starts_with("oci://") {
            return Ok(None);
        }
        let repository = snapshot
            .repositories
            .find(&source.repo_url, project)
            .map_err(|error| from_settings(&error, at))?;
        let helm = source.helm.as_ref();
        let pass = helm.is_some_and(|helm| helm.pass_credentials);
        let shelf = shelf_of(&repository, &source.chart, pass, snapshot);
        shelf.map(Some).map_err(|error| from_artifact(&error, at, Vec::new()))
    }

    /// The answer for exactly these commits, or for a rendering that rests.
    fn known(&self, job: &Job) -> Option<Result<Arc<Rendered>, RenderFailure>> {
        if job.request.freshness == Freshness::Hard {
            return None;
        }
        let RenderRequest { kube_version, api_versions, .. } = &job.request;
        let exact = self.cache.lock().get_exact(&job.key, &job.pins, kube_version, api_versions);
        if let Some(variant) = exact {
            Counters::add(&self.counters.hits_by_commit);
            return Some(answer(&variant, job));
        }
        self.backoff.lock().resting(&job.key, &job.pins).map(Err)
    }

    fn gate(&self, key: Key) -> Arc<tokio::sync::Mutex<()>> {
        let mut gates = self.gates.lock();
        if let Some(gate) = gates.get(&key).and_then(Weak::upgrade) {
            return gate;
        }
        if gates.len() >= 64 && gates.len().is_power_of_two() {
            gates.retain(|_, gate| gate.strong_count() > 0);
        }
        let gate = Arc::new(tokio::sync::Mutex::new(()));
        gates.insert(key, Arc::downgrade(&gate));
        gate
    }

    async fn render_alone(self: Arc<Self>, job: Job) -> Result<Arc<Rendered>, RenderFailure> {
        let mut trees: Vec<Arc<dyn FileTree>> = Vec::with_capacity(job.places.len());
        for (index, (place, pin)) in job.places.iter().zip(&job.pins).enumerate() {
            let tree = match (place, pin) {
                (Place::Git(found), Pin::Commit(commit)) => {
                    let tree = found.repository.tree(*commit, &found.options).await;
                    tree.map_err(|error| from_source(&error, job.at(index), job.revisions()))?
                }
                (Place::Shelf(shelf), Pin::Artifact(artifact)) => {
                    let tree = self.artifacts.tree(shelf, artifact, &job.snapshot.rendering).await;
                    tree.map_err(|error| from_artifact(&error, job.at(index), job.revisions()))?
                }
                _ => unreachable!("a pin is made of its own place"),
            };
            trees.push(tree);
        }
        let hard = job.request.freshness == Freshness::Hard;
        let variants = if hard { Vec::new() } else { self.cache.lock().get(&job.key) };
        let work = Arc::new(Work { job, trees, variants });
        let mut held = match work.questions() <= QUESTIONS_HERE_MAX {
            true => work.held(),
            false => {
                let looking = work.clone();
                on_a_thread(move || looking.held()).await
            }
        };
        self.hold_unaffected(&work, &mut held).await;
        if held.iter().all(Option::is_some) {
            return self.settle(&work, held.into_iter().flatten().collect());
        }
        let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
        let count = work.trees.len();
        let mut fetched: Vec<Fetched> = vec![Fetched::default(); count];
        for (index, held) in held.iter_mut().enumerate() {
            if held.is_none() && !work.job.planned(index).only_files {
                let asked = ask_plugins(&self.plugins, &work.job, index, &work.trees[index]).await;
                *held = asked.map(|plugged| self.plugged(&work.job, index, plugged));
            }
        }
        // Each round an engine says what it needs besides its files; most need nothing.
        for round in 0.. {
            let inner = self.clone();
            let going = work.clone();
            let done = on_a_thread(move || {
                let made: Vec<Made> = held
                    .into_iter()
                    .enumerate()
                    .map(|(index, held)| {
                        held.unwrap_or_else(|| inner.make(&going, index, &fetched[index]))
                    })
                    .collect();
                // Else another thread would be woken for what is left to do.
                let needs = |made: &Made| matches!(made.outcome, Err(RenderError::Needs { .. }));
                match round < NEEDS_ROUNDS_MAX && made.iter().any(needs) {
                    true => Err((made, fetched)),
                    false => Ok(inner.settle(&going, made)),
                }
            })
            .await;
            let (made, given) = match done {
                Ok(answer) => return answer,
                Err(unfinished) => unfinished,
            };
            fetched = given;
            held = Vec::with_capacity(count);
            for (index, made) in made.into_iter().enumerate() {
                let Err(RenderError::Needs { needs }) = &made.outcome else {
                    held.push(Some(made));
                    continue;
                };
                fetch(&self, &work.job, index, needs, &mut fetched[index]).await?;
                held.push(None);
            }
        }
        unreachable!("the rounds end")
    }

    /// What a plugin answered, as what was made.
    fn plugged(&self, job: &Job, index: usize, plugged: Plugged) -> Made {
        Counters::add(&self.counters.renders);
        let Plugged { read_set, outcome } = plugged;
        if outcome.is_err() {
            Counters::add(&self.counters.failed_renders);
        }
        let asked = Asked { kube_version: true, all_api_versions: true, ..Asked::default() };
        Made {
            pin: job.pins[index].clone(),
            read_set: Arc::new(read_set),
            of_others: Arc::default(),
            asked: Arc::new(asked_of(asked, job)),
            outcome: outcome.map(|objects| {
                Arc::new(Objects { objects: objects.into(), source_type: "Plugin" })
            }),
        }
    }

    /// Holds on to the newest rendering where `manifest-generate-paths` says that it still
    /// counts: none of the files that changed since is among its paths.
    async fn hold_unaffected(&self, work: &Work, held: &mut [Option<Made>]) {
        let Some(newest) = work.variants.first() else { return };
        let job = &work.job;
        for (index, made) in newest.sources.iter().enumerate() {
            let Some(planned) = job.plan.sources.get(index) else { continue };
            let paths = refresh_paths(&job.request.application, &planned.source);
            if held[index].is_some() || paths.is_empty() {
                continue;
            }
            let (Place::Git(found), Some(before), Some(now)) =
                (&job.places[index], made.pin.commit(), job.pins[index].commit())
            else {
                continue;
            };
            if let Ok(changed) = found.repository.changed_paths(before, now).await
                && !files_have_changed(&paths, &changed)
                && job.is_asked_alike(made)
            {
                held[index] = Some(Made { pin: Pin::Commit(now), ..made.clone() });
            }
        }
    }

    /// Renders one source.
    fn make(&self, work: &Work, index: usize, fetched: &Fetched) -> Made {
        let Work { job, trees, .. } = work;
        let planned = &job.plan.sources[index];
        let pin = job.pins[index].clone();
        if planned.only_files {
            let objects = Objects { objects: Arc::new([]), source_type: "" };
            return Made {
                pin,
                read_set: Arc::default(),
                of_others: Arc::default(),
                asked: Arc::default(),
                outcome: Ok(Arc::new(objects)),
            };
        }
        Counters::add(&self.counters.renders);
        let recording = Recording::new(trees[index].clone());
        let others: Vec<(usize, &str, Recording)> = (job.plan.sources.iter().enumerate())
            .filter(|(_, other)| !other.source.r#ref.is_empty())
            .map(|(at, other)| (at, other.source.r#ref.as_str(), Recording::new(trees[at].clone())))
            .collect();
        let refs = others.iter().map(|(_, name, tree)| ((*name).to_owned(), tree as &dyn FileTree));
        let reach = Reach { refs: refs.collect(), fetched: fetched.clone() };
        let revision = pin.revision();
        let began = Instant::now();
        let timeout = job.snapshot.rendering.timeout;
        let mut chance =
            sprig::Stable::new(job.snapshot.seed.key(&job.app_name, index), job.charts_time_ns);
        let means = ChartMeans {
            cache: &self.charts,
            profile: helm::Profile::default(),
            chance: &mut chance,
            should_stop: &mut || began.elapsed() > timeout,
            limits: helm::Limits::default(),
        };
        let input = job.input(index, &revision, &reach);
        let known = work.known_files(index);
        let rendered = render_source_again(&recording, &input, means, &known);
        drop(reach);
        if rendered.as_ref().is_err_and(|error| !matches!(error, RenderError::Needs { .. })) {
            Counters::add(&self.counters.failed_renders);
        }
        // What a source that failed asked is not known: it is asked again for any other.
        let all = || Asked { kube_version: true, all_api_versions: true, ..Asked::default() };
        let asked = rendered.as_ref().map_or_else(|_| all(), |rendered| rendered.asked.clone());
        let outcome = rendered.map(|rendered| {
            for note in &rendered.notes {
                tracing::warn!(app.name = job.app_name, note, "source rendered with a remark");
            }
            Arc::new(Objects {
                objects: rendered.objects.into(),
                source_type: rendered.source_type.as_str(),
            })
        });
        let of_others: Vec<_> = others
            .into_iter()
            .map(|(at, _, recording)| (at, recording.into_read_set()))
            .filter(|(_, read)| !read.is_empty())
            .collect();
        Made {
            pin,
            read_set: Arc::new(recording.into_read_set()),
            of_others: Arc::new(of_others),
            asked: Arc::new(asked_of(asked, job)),
            outcome,
        }
    }

    /// Keeps what was made, and answers with it.
    fn settle(&self, work: &Work, made: Vec<Made>) -> Result<Arc<Rendered>, RenderFailure> {
        let Work { job, variants, .. } = work;
        let same = |variant: &&Variant| {
            variant.sources.len() == made.len()
                && variant
                    .sources
                    .iter()
                    .zip(&made)
                    .all(|(one, other)| Arc::ptr_eq(&one.read_set, &other.read_set))
        };
        let before = variants.iter().find(same).cloned();
        if before.is_some() {
            Counters::add(&self.counters.hits_by_content);
        }
        let rendered = assembled(&made, before.as_ref(), &job.plan.warnings);
        let variant = Variant { sources: made, rendered };
        let answer = answer(&variant, job);
        match &answer {
            // What may pass by itself is not kept, and rests after some attempts.
            Err(failure) if failure.remedy == Remedy::Retry => {
                self.backoff.lock().failed(job.key, &job.pins, failure);
            }
            Ok(_) | Err(_) => {
                self.backoff.lock().ended(&job.key);
                self.cache.lock().put(job.key, variant, before.as_ref());
            }
        }
        answer
    }
}

fn asked_of(asked: Asked, job: &Job) -> AskedOf {
    let RenderRequest { kube_version, api_versions, .. } = &job.request;
    AskedOf { asked, kube_version: kube_version.clone(), api_versions: api_versions.clone() }
}

/// All sources' objects together; `None` where one failed. The objects of `before` are shared
/// where they are the same.
fn assembled(
    made: &[Made],
    before: Option<&Variant>,
    warnings: &[String],
) -> Option<Arc<Rendered>> {
    let mut parts = Vec::with_capacity(made.len());
    let mut sources = Vec::with_capacity(made.len());
    for one in made {
        let objects = one.outcome.as_ref().ok()?;
        sources.push(SourceRevision {
            revision: one.pin.revision(),
            source_type: objects.source_type.to_owned(),
        });
        parts.push(objects);
    }
    if let Some(before) = before.and_then(|before| before.rendered.as_ref()) {
        return Some(Arc::new(Rendered { sources, ..before.as_ref().clone() }));
    }
    let objects = match parts.as_slice() {
        [one] => one.objects.clone(),
        several => several.iter().flat_map(|part| part.objects.iter().cloned()).collect(),
    };
    let key = rendering_key(objects.iter().map(|object| object.hash));
    let warning = |text: &String| (PROJECT_WARNING.to_owned(), text.clone());
    let warnings = warnings.iter().map(warning).collect();
    Some(Arc::new(Rendered { objects, key, sources, warnings }))
}

fn answer(variant: &Variant, job: &Job) -> Result<Arc<Rendered>, RenderFailure> {
    for (index, made) in variant.sources.iter().enumerate() {
        if let Err(error) = &made.outcome {
            return Err(from_engine(error, job.at(index), job.revisions()));
        }
    }
    Ok(variant.rendered.clone().expect("a rendering in which no source failed was assembled"))
}
