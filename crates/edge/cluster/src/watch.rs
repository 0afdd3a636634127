//! Watches one kind for somebody who keeps the objects himself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use manifest::Gvk;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::{Cluster, ListQuery};
use crate::error::ApiError;
use crate::follow::{FollowState, Sink, State, backoff, follow, wait_max};

/// How often a kind that is not served yet is asked for.
const MISSING_AFTER: Duration = Duration::from_secs(2);

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchSpec {
    /// The kind, at the version at which it is read.
    pub gvk: Gvk,
    /// None: all namespaces.
    pub namespaces: Vec<String>,
    /// A label selector; `""` for all.
    pub labels: String,
    /// A field selector, as in `metadata.name=argocd-cm`; `""` for all.
    pub fields: String,
}

/// What is told.
#[derive(Clone, PartialEq)]
pub enum ObjectEvent {
    /// All objects that there are; what is not among them is gone.
    Restarted {
        /// Which namespace this is all of; `""`: all.
        namespace: String,
        /// The objects.
        objects: Vec<Value>,
    },
    /// An object is there, or is there in another form.
    Applied(Value),
    /// An object went; this is how it last was.
    Deleted(Value),
}

/// Names the objects and never shows their data.
impl fmt::Debug for ObjectEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = |object: &Value| manifest::key_of(object).to_string();
        match self {
            ObjectEvent::Restarted { namespace, objects } => f
                .debug_struct("Restarted")
                .field("namespace", namespace)
                .field("objects", &objects.len())
                .finish(),
            ObjectEvent::Applied(object) => f.debug_tuple("Applied").field(&key(object)).finish(),
            ObjectEvent::Deleted(object) => f.debug_tuple("Deleted").field(&key(object)).finish(),
        }
    }
}

/// A watch that runs until this is dropped.
pub struct Watching {
    states: watch::Receiver<Vec<FollowState>>,
    _tasks: JoinSet<()>,
}

/// Tells whether the state of an object is known: its namespace, its name, its version.
pub type Knows = Arc<dyn Fn(&str, &str, &str) -> bool + Send + Sync>;

impl Watching {
    pub(crate) fn start(
        cluster: Cluster,
        what: WatchSpec,
        knows: Option<Knows>,
        on: impl FnMut(ObjectEvent) + Send + 'static,
    ) -> Self {
        let on: Arc<Mutex<dyn FnMut(ObjectEvent) + Send>> = Arc::new(Mutex::new(on));
        let namespaces = match what.namespaces.is_empty() {
            true => vec![String::new()],
            false => what.namespaces.clone(),
        };
        let (sender, states) = watch::channel(vec![FollowState::Waiting; namespaces.len()]);
        let sender = Arc::new(sender);
        let mut tasks = JoinSet::new();
        for (index, namespace) in namespaces.into_iter().enumerate() {
            let query = ListQuery {
                namespace: namespace.clone(),
                labels: what.labels.clone(),
                fields: what.fields.clone(),
            };
            let sink = CallbackSink {
                on: on.clone(),
                knows: knows.clone(),
                states: sender.clone(),
                index,
                namespace,
                telling: None,
            };
            tasks.spawn(run(cluster.clone(), what.gvk.clone(), query, sink));
        }
        Self { states, _tasks: tasks }
    }

    /// Waits until everything that there is was told once.
    pub async fn ready(&self) {
        let mut states = self.states.clone();
        let ready =
            |states: &Vec<FollowState>| states.iter().all(|state| *state == FollowState::Ready);
        // It only fails when the tasks are gone, and they live as long as this does.
        let _ = states.wait_for(ready).await;
    }

    /// How it goes; of several namespaces the first that is not well.
    pub fn status(&self) -> FollowState {
        let states = self.states.borrow();
        let bad = states.iter().find(|state| **state != FollowState::Ready);
        bad.cloned().unwrap_or(FollowState::Ready)
    }
}

async fn run(cluster: Cluster, gvk: Gvk, query: ListQuery, mut sink: CallbackSink) {
    let mut failures = 0;
    loop {
        match cluster.kind(&gvk).await {
            Ok(info) => {
                failures = 0;
                follow(&cluster, &info, &query, &mut sink).await;
                // Only its going missing ends it: ask the cluster afresh.
                if let Err(error) = cluster.discover().await {
                    sink.state(FollowState::Failing(error.message()), true);
                }
                sleep(MISSING_AFTER).await;
            }
            Err(error @ ApiError::KindUnknown { .. }) => {
                sink.state(FollowState::Failing(error.message()), false);
                sleep(MISSING_AFTER).await;
            }
            Err(error) => {
                sink.state(FollowState::Failing(error.message()), true);
                sleep(backoff(failures, wait_max(&cluster))).await;
                failures += 1;
            }
        }
    }
}

/// Takes out who owns which field: it is most of an object, and who watches objects asks for what
/// stands in them.
fn without_owners(object: &mut Value) {
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("managedFields");
    }
}

struct CallbackSink {
    on: Arc<Mutex<dyn FnMut(ObjectEvent) + Send>>,
    knows: Option<Knows>,
    states: Arc<watch::Sender<Vec<FollowState>>>,
    index: usize,
    namespace: String,
    /// The full state, while it is told.
    telling: Option<Vec<Value>>,
}

impl CallbackSink {
    fn call(&self, event: ObjectEvent) {
        (self.on.lock())(event);
    }
}

impl Sink for CallbackSink {
    fn restart(&mut self) {
        self.telling = Some(Vec::new());
    }

    fn object(&mut self, mut object: Value) {
        without_owners(&mut object);
        match &mut self.telling {
            Some(objects) => objects.push(object),
            None => self.call(ObjectEvent::Applied(object)),
        }
    }

    fn knows(&self, state: &State<'_>) -> bool {
        let State { namespace, name, resource_version } = state;
        self.knows.as_ref().is_some_and(|knows| knows(namespace, name, resource_version))
    }

    fn deleted(&mut self, object: Value) {
        match &mut self.telling {
            Some(objects) => {
                let uid = manifest::uid(&object);
                objects.retain(|other| manifest::uid(other) != uid);
            }
            None => self.call(ObjectEvent::Deleted(object)),
        }
    }

    fn complete(&mut self, _: &str) {
        let mut objects = self.telling.take().unwrap_or_default();
        // A list that was begun again tells an object twice; the later one holds.
        let mut met = std::collections::HashSet::new();
        objects.reverse();
        objects.retain(|object| met.insert(manifest::key_of(object)));
        objects.reverse();
        self.call(ObjectEvent::Restarted { namespace: self.namespace.clone(), objects });
    }

    fn state(&mut self, state: FollowState, _: bool) {
        self.states.send_if_modified(|states| {
            let changed = states[self.index] != state;
            states[self.index] = state;
            changed
        });
    }
}
