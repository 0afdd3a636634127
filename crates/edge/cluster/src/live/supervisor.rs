//! Keeps one follower running for each kind that is served and wanted.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use manifest::{GroupKind, Gvk, ObjectKey};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::client::ListQuery;
use crate::follow::{FollowState, Sink, State, backoff, follow, wait_max};
use crate::kinds::{KindInfo, Kinds, excluded_always};
use crate::live::Inner;
use crate::live::status::TaskKey;
use crate::live::store::Slot;

/// After a sign that kinds came or went the cluster is asked at these times: it does not serve
/// a kind at once when its CRD is there.
const ASK_AFTER: [Duration; 7] = [
    Duration::from_millis(20),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(600),
    Duration::from_millis(2000),
    Duration::from_secs(5),
    Duration::from_secs(15),
];

/// A group whose server did not answer is asked about again after this.
const ASK_BROKEN_AFTER: Duration = Duration::from_secs(30);

/// A kind that does not answer though it should be served is asked again after this.
const MISSING_AFTER: Duration = Duration::from_secs(5);

/// A running follower: it ends when this is dropped.
struct Running {
    gvk: Gvk,
    lens: u32,
    _task: JoinSet<()>,
}

/// Runs until it is aborted; its followers end with it.
pub(super) async fn supervise(inner: Arc<Inner>) {
    let mut running: BTreeMap<TaskKey, Running> = BTreeMap::new();
    let mut failures = 0;
    loop {
        match inner.cluster.discover().await {
            Ok(kinds) => {
                failures = 0;
                inner.note_heard();
                adjust(&inner, &kinds, &mut running);
                wait(&inner, &mut running).await;
            }
            Err(error) => {
                inner.note_failure(error.message());
                sleep(backoff(failures, wait_max(&inner.cluster))).await;
                failures += 1;
            }
        }
    }
}

/// Waits for a sign that kinds came or went; while one is fresh, asks several times.
async fn wait(inner: &Arc<Inner>, running: &mut BTreeMap<TaskKey, Running>) {
    loop {
        let broken = !inner.cluster.kinds().broken_groups().is_empty();
        let sign = inner.rediscover.notified();
        match broken {
            true => _ = timeout(ASK_BROKEN_AFTER, sign).await,
            false => sign.await,
        }
        // A server that was away may come back as another version. Its word is only shown.
        let _ = inner.cluster.version().await;
        let mut steps = ASK_AFTER.iter();
        while let Some(step) = steps.next() {
            if timeout(*step, inner.rediscover.notified()).await.is_ok() {
                // Another sign: the wait begins anew, but not the asking for ever at once.
                steps = ASK_AFTER.iter();
                sleep(ASK_AFTER[0]).await;
            }
            match inner.cluster.discover().await {
                Ok(kinds) => adjust(inner, &kinds, running),
                Err(_) => return,
            }
        }
    }
}

/// Starts a follower for each kind that came, and ends it for each that went.
fn adjust(inner: &Arc<Inner>, kinds: &Kinds, running: &mut BTreeMap<TaskKey, Running>) {
    let wanted = wanted(inner, kinds);
    let lens = inner.progress.borrow().lens;
    let gone: Vec<TaskKey> =
        running.keys().filter(|key| !wanted.contains_key(*key)).cloned().collect();
    for key in gone {
        running.remove(&key);
        inner.progress.send_modify(|progress| _ = progress.tasks.remove(&key));
        let forgotten = inner.store.write().remove_unseen(&key.0, &key.1, &HashSet::new(), None);
        forgotten.into_iter().for_each(|event| inner.tell(event));
    }
    for (key, info) in wanted {
        if running.get(&key).is_some_and(|task| task.gvk == info.gvk && task.lens == lens) {
            continue;
        }
        inner.progress.send_modify(|progress| {
            progress.tasks.entry(key.clone()).or_insert(FollowState::Waiting);
        });
        let gvk = info.gvk.clone();
        let mut task = JoinSet::new();
        task.spawn(run(inner.clone(), key.clone(), info));
        running.insert(key, Running { gvk, lens, _task: task });
    }
    inner.progress.send_if_modified(|progress| {
        let first = !progress.discovered;
        progress.discovered = true;
        first
    });
    settle(inner);
}

/// What must be followed: each kind at its preferred version, in each namespace.
fn wanted(inner: &Inner, kinds: &Kinds) -> BTreeMap<TaskKey, Arc<KindInfo>> {
    let options = inner.options.read();
    let mut wanted = BTreeMap::new();
    for info in kinds.watchable() {
        let kind = info.gvk.group_kind();
        if excluded_always(&kind) || !(options.wants)(&kind) {
            continue;
        }
        let info = Arc::new(info.clone());
        if options.namespaces.is_empty() || !info.namespaced {
            if options.namespaces.is_empty() || options.cluster_resources {
                wanted.insert((kind, String::new()), info);
            }
            continue;
        }
        for namespace in &options.namespaces {
            wanted.insert((kind.clone(), namespace.clone()), info.clone());
        }
    }
    wanted
}

/// Follows one kind, and again where it goes missing though it is served.
async fn run(inner: Arc<Inner>, key: TaskKey, info: Arc<KindInfo>) {
    let (kind, namespace) = key.clone();
    let query = ListQuery::in_namespace(&namespace);
    let mut sink = StoreSink {
        tells_of_kinds: is_kind_of_kinds(&kind),
        // What is there when the watches begin is no change.
        quiet: !inner.progress.borrow().was_ready,
        inner: inner.clone(),
        kind,
        namespace,
        info: info.clone(),
        seen: None,
        key,
    };
    loop {
        let cluster = inner.cluster.clone();
        follow(&cluster, &info, &query, &mut sink).await;
        inner.rediscover.notify_one();
        sleep(MISSING_AFTER).await;
    }
}

/// Whether objects of a kind say which kinds there are.
fn is_kind_of_kinds(kind: &GroupKind) -> bool {
    match kind.kind.as_str() {
        "CustomResourceDefinition" => kind.group == "apiextensions.k8s.io",
        "APIService" => kind.group == "apiregistration.k8s.io",
        _ => false,
    }
}

/// The kind that a CRD defines.
fn defined_kind(definition: &Value) -> Option<GroupKind> {
    let text = |path: &str| definition.pointer(path).and_then(Value::as_str);
    Some(GroupKind::new(text("/spec/group")?, text("/spec/names/kind")?))
}

/// Notes the moment from which on the full state is known.
fn settle(inner: &Inner) {
    inner.progress.send_if_modified(|progress| {
        let now = !progress.was_ready && progress.is_ready();
        progress.was_ready |= now;
        now
    });
}

/// Puts what is followed into the store.
struct StoreSink {
    inner: Arc<Inner>,
    key: TaskKey,
    kind: GroupKind,
    namespace: String,
    info: Arc<KindInfo>,
    /// What the full state has told so far, while it is told.
    seen: Option<HashSet<Slot>>,
    quiet: bool,
    tells_of_kinds: bool,
}

impl StoreSink {
    /// Notes that a kind is about to be defined otherwise: the server reads its objects through
    /// the new definition, with no change of theirs.
    fn note_definition(&self, definition: &Value) {
        let known = self.inner.store.read().get(&manifest::key_of(definition)).cloned();
        let Some(known) = known.and_then(|known| known.body()) else { return };
        let generation = |object: &Value| object.pointer("/metadata/generation").cloned();
        if generation(&known) != generation(definition)
            && let Some(kind) = defined_kind(definition)
        {
            self.inner.cluster.note_definition(kind);
        }
    }

    fn changed(&self) {
        if self.tells_of_kinds && !self.quiet {
            self.inner.rediscover.notify_one();
        }
    }
}

impl Sink for StoreSink {
    fn restart(&mut self) {
        self.seen = Some(HashSet::new());
    }

    fn object(&mut self, object: Value) {
        if self.tells_of_kinds {
            self.note_definition(&object);
        }
        let (slot, event) = self.inner.put(&self.info, &object);
        if let Some(seen) = &mut self.seen {
            seen.insert(slot);
        }
        if let Some(event) = event
            && !self.quiet
        {
            self.inner.tell(event);
            self.changed();
        }
    }

    fn knows(&self, state: &State<'_>) -> bool {
        let kind = self.info.gvk.group_kind();
        let key = ObjectKey::new(kind.group, kind.kind, &*state.namespace, &*state.name);
        let lens = self.inner.progress.borrow().lens;
        let store = self.inner.store.read();
        store.get(&key).is_some_and(|known| {
            known.is_untold()
                && known.lens == lens
                && *known.resource_version == *state.resource_version
        })
    }

    fn deleted(&mut self, object: Value) {
        let event = self.inner.store.write().remove(
            &self.kind,
            manifest::namespace(&object),
            manifest::name(&object),
            manifest::uid(&object),
            manifest::resource_version(&object),
        );
        if let Some(event) = event {
            self.inner.tell(event);
            self.changed();
        }
    }

    fn complete(&mut self, resource_version: &str) {
        let seen = self.seen.take().unwrap_or_default();
        let gone = self.inner.store.write().remove_unseen(
            &self.kind,
            &self.namespace,
            &seen,
            Some(resource_version),
        );
        self.quiet = false;
        // What came between the cluster's own word on its kinds and this state is in neither.
        self.changed();
        gone.into_iter().for_each(|event| self.inner.tell(event));
    }

    fn state(&mut self, state: FollowState, connection: bool) {
        match (&state, connection) {
            (FollowState::Failing(why), true) => {
                // Nothing is known of the kind itself: it keeps its state.
                self.inner.note_failure(why.clone());
                return;
            }
            (FollowState::Ready, _) => {
                let was_away = self.inner.progress.borrow().error.is_some();
                self.inner.note_heard();
                // A server that comes back may serve other kinds than before.
                if was_away {
                    self.inner.rediscover.notify_one();
                }
            }
            (FollowState::Failing(_) | FollowState::Forbidden(_) | FollowState::Waiting, _) => {}
        }
        self.inner.progress.send_if_modified(|progress| {
            let Some(known) = progress.tasks.get_mut(&self.key) else { return false };
            let changed = *known != state;
            *known = state;
            changed
        });
        settle(&self.inner);
    }
}
