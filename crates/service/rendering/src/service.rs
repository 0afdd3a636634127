//! The renderer of this process.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use desired::{
    BoxFuture, Freshness, Remedy, RenderFailure, RenderRequest, Rendered, Renderer, RepoChange,
    RepoListener, SourceRevision,
};
use filetree::{FileTree, Recording};
use parking_lot::Mutex;
use render::{Input, Options, files_have_changed, refresh_paths, render_source, rendering_key};
use source::{CommitId, Revision, Sources};
use tokio::sync::Semaphore;

use crate::backoff::Backoff;
use crate::cache::{Cache, Made, Objects, Variant};
use crate::counts::{Counters, Counts};
use crate::failure::{At, from_engine, from_settings, from_source};
use crate::key::{Key, key_of};
use crate::plan::{Plan, plan};
use crate::repositories::{Found, Repositories, Unusable};
use crate::surroundings::{Snapshot, Surroundings};

/// The type of the condition that tells what to mend in a project.
const PROJECT_WARNING: &str = "ProjectWarning";

/// What the caller decides once.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Renderings that are kept take at most so many bytes together, estimated.
    pub cache_bytes_max: usize,
    /// Renderings at a time, where the settings name no number.
    pub parallel_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        let parallel_max = std::thread::available_parallelism().map_or(2, usize::from);
        Self { cache_bytes_max: 256 << 20, parallel_max }
    }
}

/// Renders in this process; clones are the same renderer.
#[derive(Clone)]
pub struct Rendering {
    inner: Arc<Inner>,
}

struct Inner {
    sources: Sources,
    repositories: Repositories,
    surroundings: Arc<dyn Surroundings>,
    cache: Mutex<Cache>,
    backoff: Mutex<Backoff>,
    /// One rendering at a time a key.
    gates: Mutex<HashMap<Key, Weak<tokio::sync::Mutex<()>>>>,
    permits: Semaphore,
    counters: Counters,
}

impl Rendering {
    /// Makes a renderer; nothing is fetched yet. `sources` must live in the same runtime.
    pub fn new(config: Config, sources: Sources, surroundings: Arc<dyn Surroundings>) -> Self {
        let parallel_max = surroundings.snapshot().rendering.parallel_max;
        let parallel_max = parallel_max.unwrap_or(config.parallel_max).max(1);
        Self {
            inner: Arc::new(Inner {
                repositories: Repositories::new(sources.clone()),
                sources,
                surroundings,
                cache: Mutex::new(Cache::new(config.cache_bytes_max)),
                backoff: Mutex::default(),
                gates: Mutex::default(),
                permits: Semaphore::new(parallel_max),
                counters: Counters::default(),
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

/// A request, understood: what to render, and at which commits.
struct Job {
    request: RenderRequest,
    plan: Plan,
    found: Vec<Found>,
    commits: Vec<CommitId>,
    app_name: String,
    options: Options,
    key: Key,
}

impl Job {
    fn at(&self, index: usize) -> At {
        At { index, count: self.plan.sources.len() }
    }

    fn revisions(&self) -> Vec<String> {
        self.commits.iter().map(ToString::to_string).collect()
    }
}

/// A job with its files, and with what is known of earlier ones, the newest first.
struct Work {
    job: Job,
    trees: Vec<Arc<dyn FileTree>>,
    variants: Vec<Variant>,
}

impl Work {
    /// For each source, a rendering whose files are as they were; this reads from the disk.
    fn held(&self) -> Vec<Option<Made>> {
        let sources = self.job.commits.iter().zip(&self.trees).enumerate();
        sources
            .map(|(index, (commit, tree))| {
                let mut known =
                    self.variants.iter().filter_map(|variant| variant.sources.get(index));
                let holds =
                    |made: &&Made| made.commit == *commit || made.read_set.holds_in(tree.as_ref());
                known.find(holds).map(|made| Made { commit: *commit, ..made.clone() })
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
        let mut found = Vec::with_capacity(count);
        let mut commits: Vec<CommitId> = Vec::with_capacity(count);
        for (index, planned) in plan.sources.iter().enumerate() {
            let at = At { index, count };
            let so_far = || commits.iter().map(ToString::to_string).collect();
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
            commits.push(resolved.commit);
            found.push(one);
        }
        let app_name = request.application.instance_name(&snapshot.control_plane_namespace);
        let rendering = &snapshot.rendering;
        let options = Options {
            helm: rendering.helm,
            kustomize: rendering.kustomize,
            jsonnet: rendering.jsonnet,
            combined_bytes_max: rendering.directory_bytes_max,
        };
        let namespace = &spec.destination.namespace;
        let key = key_of(&app_name, namespace, project, &plan, &options);
        Ok(Job { request, plan, found, commits, app_name, options, key })
    }

    /// The answer for exactly these commits, or for a rendering that rests.
    fn known(&self, job: &Job) -> Option<Result<Arc<Rendered>, RenderFailure>> {
        if job.request.freshness == Freshness::Hard {
            return None;
        }
        if let Some(variant) = self.cache.lock().get_exact(&job.key, &job.commits) {
            Counters::add(&self.counters.hits_by_commit);
            return Some(answer(&variant, job));
        }
        self.backoff.lock().resting(&job.key, &job.commits).map(Err)
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
        let mut trees: Vec<Arc<dyn FileTree>> = Vec::with_capacity(job.found.len());
        for (index, (found, commit)) in job.found.iter().zip(&job.commits).enumerate() {
            let tree = found.repository.tree(*commit, &found.options).await;
            let tree = tree.map_err(|error| from_source(&error, job.at(index), job.revisions()))?;
            trees.push(tree);
        }
        let hard = job.request.freshness == Freshness::Hard;
        let variants = if hard { Vec::new() } else { self.cache.lock().get(&job.key) };
        let work = Arc::new(Work { job, trees, variants });
        let looking = work.clone();
        let mut held = on_a_thread(move || looking.held()).await;
        self.hold_unaffected(&work, &mut held).await;
        if held.iter().all(Option::is_some) {
            return self.settle(&work, held.into_iter().flatten().collect());
        }
        let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
        let inner = self.clone();
        on_a_thread(move || {
            let made = held.into_iter().enumerate().map(|(index, held)| {
                held.unwrap_or_else(|| inner.make(&work.job, index, &work.trees[index]))
            });
            let made = made.collect();
            inner.settle(&work, made)
        })
        .await
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
            let commit = job.commits[index];
            let repository = &job.found[index].repository;
            if let Ok(changed) = repository.changed_paths(made.commit, commit).await
                && !files_have_changed(&paths, &changed)
            {
                held[index] = Some(Made { commit, ..made.clone() });
            }
        }
    }

    /// Renders one source.
    fn make(&self, job: &Job, index: usize, tree: &Arc<dyn FileTree>) -> Made {
        let planned = &job.plan.sources[index];
        let commit = job.commits[index];
        if planned.only_files {
            let objects = Objects { objects: Arc::new([]), source_type: "" };
            let read_set = Arc::default();
            return Made { commit, read_set, outcome: Ok(Arc::new(objects)) };
        }
        Counters::add(&self.counters.renders);
        let recording = Recording::new(tree.clone());
        let spec = &job.request.application.spec;
        let revision = commit.to_string();
        let rendered = render_source(
            &recording,
            &Input {
                source: &planned.source,
                source_index: index,
                app_name: &job.app_name,
                namespace: &spec.destination.namespace,
                project: spec.project_name(),
                revision: &revision,
                kube_version: &job.request.kube_version,
                api_versions: &job.request.api_versions,
                options: &job.options,
            },
        );
        if rendered.is_err() {
            Counters::add(&self.counters.failed_renders);
        }
        let outcome = rendered.map(|rendered| {
            for note in &rendered.notes {
                tracing::warn!(app.name = job.app_name, note, "source rendered with a remark");
            }
            Arc::new(Objects {
                objects: rendered.objects.into(),
                source_type: rendered.source_type.as_str(),
            })
        });
        Made { commit, read_set: Arc::new(recording.read_set()), outcome }
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
                self.backoff.lock().failed(job.key, &job.commits, failure);
            }
            Ok(_) | Err(_) => {
                self.backoff.lock().ended(&job.key);
                self.cache.lock().put(job.key, variant, before.as_ref());
            }
        }
        answer
    }
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
            revision: one.commit.to_string(),
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
