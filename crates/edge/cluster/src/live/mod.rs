//! Everything that lives in a cluster, kept up by one watch a kind.
//!
//! Nothing is listed again on a timer. A kind that appears (a CRD, an APIService) is followed
//! once the cluster serves it, and forgotten once it does not. One kind that cannot be followed
//! spoils only itself.

mod events;
mod object;
mod status;
mod store;
mod supervisor;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use manifest::{GroupKind, ObjectKey};
use parking_lot::{Mutex, RwLock};
use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use crate::client::Cluster;
use crate::error::ApiError;
use crate::kinds::{KindInfo, Kinds};

pub use events::{Change, LiveEvent, LiveEvents};
pub use object::{Lens, LiveObject, Owner, fingerprint};
pub use status::{KindState, KindStatus, LiveStatus, NotReady};

use events::Queue;
use status::Progress;
use store::Shared as SharedTexts;

pub(crate) use store::Store;

/// What is watched, and how it is looked at.
#[derive(Clone)]
pub struct LiveOptions {
    /// What the service knows about objects.
    pub lens: Arc<dyn Lens>,
    /// Which kinds are watched, [`excluded_always`](crate::excluded_always) aside.
    pub wants: Arc<dyn Fn(&GroupKind) -> bool + Send + Sync>,
    /// The namespaces that are watched; none: all.
    pub namespaces: Vec<String>,
    /// Where only some namespaces are watched: whether kinds without a namespace are, too.
    pub cluster_resources: bool,
}

impl LiveOptions {
    /// Whether objects of a namespace are watched; `""` is of those without one.
    fn holds(&self, namespace: &str) -> bool {
        match namespace {
            _ if self.namespaces.is_empty() => true,
            "" => self.cluster_resources,
            _ => self.namespaces.iter().any(|watched| watched == namespace),
        }
    }
}

/// Everything that lives in a cluster. Clones are handles to the same; the watches end with
/// [`LiveSet::stop`] or with the last handle.
#[derive(Clone)]
pub struct LiveSet {
    inner: Arc<Inner>,
    stop: Arc<StopOnDrop>,
}

/// What the handles and the tasks behind them share.
struct Inner {
    cluster: Cluster,
    options: RwLock<LiveOptions>,
    store: RwLock<Store>,
    texts: Mutex<SharedTexts>,
    queues: Mutex<Vec<Arc<Queue>>>,
    progress: watch::Sender<Progress>,
    /// Asked for when kinds may have come or gone.
    rediscover: Notify,
}

struct StopOnDrop {
    inner: Arc<Inner>,
    supervisor: AbortHandle,
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.supervisor.abort();
        self.inner.queues.lock().drain(..).for_each(|queue| queue.close());
    }
}

impl fmt::Debug for LiveSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveSet")
            .field("cluster", &self.inner.cluster)
            .field("objects", &self.inner.store.read().len())
            .finish_non_exhaustive()
    }
}

impl LiveSet {
    pub(crate) fn start(cluster: Cluster, options: LiveOptions) -> Self {
        let inner = Arc::new(Inner {
            cluster,
            options: RwLock::new(options),
            store: RwLock::default(),
            texts: Mutex::default(),
            queues: Mutex::default(),
            progress: watch::Sender::default(),
            rediscover: Notify::new(),
        });
        let supervisor = tokio::spawn(supervisor::supervise(inner.clone())).abort_handle();
        let stop = Arc::new(StopOnDrop { inner: inner.clone(), supervisor });
        Self { inner, stop }
    }

    /// The cluster whose objects these are.
    pub fn cluster(&self) -> &Cluster {
        &self.inner.cluster
    }

    /// What the cluster serves, as last known.
    pub fn kinds(&self) -> Arc<Kinds> {
        self.inner.cluster.kinds()
    }

    /// Waits until the full state of every kind is known that can be known: a kind that we may
    /// not see, or that its own server does not tell, is not waited for.
    ///
    /// # Errors
    ///
    /// [`NotReady`] when the cluster cannot be reached; attempts go on, and this can be called
    /// again.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let mut progress = self.inner.progress.subscribe();
        let failures = progress.borrow().failures;
        loop {
            {
                let now = progress.borrow_and_update();
                if now.is_ready() {
                    return Ok(());
                }
                if now.failures > failures {
                    return Err(NotReady {
                        server: self.inner.cluster.server().to_owned(),
                        message: now.error.clone().unwrap_or_default(),
                    });
                }
            }
            if progress.changed().await.is_err() {
                return Err(NotReady {
                    server: self.inner.cluster.server().to_owned(),
                    message: "the watches have ended".to_owned(),
                });
            }
        }
    }

    /// Whether the full state is known.
    pub fn is_ready(&self) -> bool {
        self.inner.progress.borrow().is_ready()
    }

    /// How it goes.
    pub fn status(&self) -> LiveStatus {
        let objects = self.inner.store.read().len();
        self.inner.progress.borrow().status(objects, self.inner.cluster.known_version())
    }

    /// How it goes with one kind; `None` where it is not watched.
    pub fn kind_state(&self, kind: &GroupKind) -> Option<KindState> {
        self.inner.progress.borrow().kind_state(kind)
    }

    /// Returns one object.
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<LiveObject>> {
        self.inner.store.read().get(key).cloned()
    }

    /// Returns several objects as they are at one moment, each where it was asked for.
    pub fn several<'a>(
        &self,
        keys: impl Iterator<Item = &'a ObjectKey>,
    ) -> Vec<Option<Arc<LiveObject>>> {
        self.inner.store.read().several(keys)
    }

    /// Returns the object with a unique id.
    pub fn by_uid(&self, uid: &str) -> Option<Arc<LiveObject>> {
        self.inner.store.read().by_uid(uid).cloned()
    }

    /// An application's own objects, sorted by key.
    pub fn of_app(&self, app: &str) -> Vec<Arc<LiveObject>> {
        self.inner.store.read().of_app(app)
    }

    /// The own objects of an application that `wanted` chooses, sorted by key.
    pub fn of_app_where(
        &self,
        app: &str,
        wanted: impl Fn(&Arc<LiveObject>) -> bool,
    ) -> Vec<Arc<LiveObject>> {
        let mut objects: Vec<_> =
            self.inner.store.read().own(app).filter(|object| wanted(object)).cloned().collect();
        objects.sort_by_cached_key(|object| object.key());
        objects
    }

    /// Those of the objects below which something stands.
    pub fn owners_among<'a>(
        &self,
        objects: impl Iterator<Item = &'a Arc<LiveObject>>,
    ) -> Vec<ObjectKey> {
        let store = self.inner.store.read();
        objects.filter(|object| store.is_owner(object)).map(|object| object.key()).collect()
    }

    /// How many objects each application has of its own.
    pub fn apps(&self) -> HashMap<Arc<str>, usize> {
        self.inner.store.read().apps().map(|(app, count)| (app.clone(), count)).collect()
    }

    /// All objects of a kind, sorted by key.
    pub fn of_kind(&self, kind: &GroupKind) -> Vec<Arc<LiveObject>> {
        self.inner.store.read().of_kind(kind)
    }

    /// All objects of a namespace, sorted by key.
    pub fn in_namespace(&self, namespace: &str) -> Vec<Arc<LiveObject>> {
        self.inner.store.read().in_namespace(namespace)
    }

    /// What an object owns, sorted by key: what names it as its owner, and what upstream infers
    /// (a Service's Endpoints, a ServiceAccount's tokens, a StatefulSet's volume claims, an
    /// OperatorGroup's ClusterServiceVersions).
    pub fn children(&self, key: &ObjectKey) -> Vec<Arc<LiveObject>> {
        let store = self.inner.store.read();
        store.get(key).map(|object| store.children(object)).unwrap_or_default()
    }

    /// All that stands below an object, owners before what they own, each object once.
    pub fn descendants(&self, key: &ObjectKey) -> Vec<Arc<LiveObject>> {
        let store = self.inner.store.read();
        store.get(key).map(|object| store.descendants(object)).unwrap_or_default()
    }

    /// The application that an object belongs to: its own, or that of its nearest owner.
    pub fn root_app(&self, key: &ObjectKey) -> Option<Arc<str>> {
        let store = self.inner.store.read();
        store.get(key).and_then(|object| store.root_app(object))
    }

    /// The names of all objects, sorted.
    pub fn keys(&self) -> Vec<ObjectKey> {
        let mut keys: Vec<_> = self.inner.store.read().iter().map(|object| object.key()).collect();
        keys.sort();
        keys
    }

    /// Bytes that all objects take at rest, about.
    pub fn size_bytes(&self) -> usize {
        self.inner.store.read().iter().map(|object| object.size_bytes()).sum()
    }

    /// Returns an object whole: from memory where it is kept, else from the cluster.
    ///
    /// Of an object that is not remembered at all `None` is returned, if its kind is watched
    /// and known; of a kind that is not, the cluster is asked.
    ///
    /// # Errors
    ///
    /// [`ApiError`] where the cluster does not answer.
    pub async fn object(&self, key: &ObjectKey) -> Result<Option<Value>, ApiError> {
        let known = self.get(key);
        if let Some(body) = known.as_ref().and_then(|known| known.body()) {
            return Ok(Some(body));
        }
        let gvk = match known {
            Some(known) => known.gvk().clone(),
            None if self.knows_all(key) => return Ok(None),
            None => match self.kinds().preferred(&key.group_kind()) {
                Some(info) => info.gvk.clone(),
                None => return Ok(None),
            },
        };
        self.inner.cluster.get(&gvk, &key.namespace, &key.name).await
    }

    /// Whether what is not remembered is not there.
    pub fn knows_all(&self, key: &ObjectKey) -> bool {
        let ready = self.kind_state(&key.group_kind()) == Some(KindState::Ready);
        ready && self.inner.options.read().holds(&key.namespace)
    }

    /// The namespaces that are watched (none: all), and whether kinds without one are, too.
    pub fn scope(&self) -> (Vec<String>, bool) {
        let options = self.inner.options.read();
        (options.namespaces.clone(), options.cluster_resources)
    }

    /// A new subscription to what changes from now on. What is there already when the watches
    /// begin is no change: wait for [`LiveSet::ready`], and read.
    pub fn events(&self) -> LiveEvents {
        let queue = Arc::new(Queue::default());
        self.inner.queues.lock().push(queue.clone());
        LiveEvents { queue }
    }

    /// Takes in what a write answered, so that it is seen at once and not only when its event
    /// comes. What is known already, or is of a kind that is not watched, changes nothing.
    pub fn observe(&self, object: &Value) {
        let gvk = manifest::gvk(object);
        if !self.inner.options.read().holds(manifest::namespace(object)) {
            return;
        }
        let kinds = self.kinds();
        let Some(info) = kinds.preferred(&gvk.group_kind()) else { return };
        let ready = self.kind_state(&gvk.group_kind()) == Some(KindState::Ready);
        // An object read at another version has another shape than the one that is watched.
        if !ready || info.gvk != gvk || manifest::resource_version(object).is_empty() {
            return;
        }
        let object = self.inner.looked_at(&Arc::new(info.clone()), object);
        let event = self.inner.store.write().put_answer(object);
        if let Some(event) = event {
            self.inner.tell(event);
        }
    }

    /// Takes in that a write of ours, which changed no more than the content of an object, made
    /// version `version` of version `before`: what comes of it need not be read, where nobody asks
    /// for the content.
    pub fn note_version(&self, key: &ObjectKey, before: &str, version: &str) {
        self.inner.store.write().note_version(key, before, version);
    }

    /// Looks at everything anew, with another lens and another choice of kinds: each kind is
    /// listed once more. What is known stays known meanwhile.
    pub fn reconfigure(
        &self,
        lens: Arc<dyn Lens>,
        wants: Arc<dyn Fn(&GroupKind) -> bool + Send + Sync>,
    ) {
        {
            let mut options = self.inner.options.write();
            options.lens = lens;
            options.wants = wants;
        }
        self.inner.progress.send_modify(|progress| progress.lens += 1);
        self.inner.rediscover.notify_one();
    }

    /// Ends the watches. What is known stays readable, and grows old.
    pub fn stop(&self) {
        self.stop.supervisor.abort();
        self.inner.queues.lock().drain(..).for_each(|queue| queue.close());
    }
}

impl Inner {
    /// Remembers an object. The work is done before the store is locked.
    fn put(&self, kind: &Arc<KindInfo>, object: &Value) -> (store::Slot, Option<LiveEvent>) {
        let object = self.looked_at(kind, object);
        self.store.write().put(object)
    }

    /// An object as it is kept.
    fn looked_at(&self, kind: &Arc<KindInfo>, object: &Value) -> LiveObject {
        let lens = self.options.read().lens.clone();
        let number = self.progress.borrow().lens;
        LiveObject::of(kind, object, &*lens, number, &mut |text| self.texts.lock().share(text))
    }

    /// Tells every subscriber; those that are gone are forgotten.
    fn tell(&self, event: LiveEvent) {
        let mut queues = self.queues.lock();
        queues.retain(|queue| Arc::strong_count(queue) > 1);
        queues.iter().for_each(|queue| queue.push(event.clone()));
    }

    /// Notes that the server was not reached.
    fn note_failure(&self, message: String) {
        self.progress.send_modify(|progress| {
            progress.failures += 1;
            progress.error = Some(message);
        });
    }

    /// Notes that the server was heard.
    fn note_heard(&self) {
        self.progress.send_if_modified(|progress| {
            progress.last_heard = Some(SystemTime::now());
            progress.error.take().is_some()
        });
    }
}

/// What is remembered of an object; for tests of the store.
#[cfg(test)]
pub(crate) fn live_object(kind: &Arc<KindInfo>, object: &Value, lens: &dyn Lens) -> LiveObject {
    LiveObject::of(kind, object, lens, 0, &mut |text| text.into())
}
