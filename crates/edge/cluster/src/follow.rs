//! Follows one kind for ever: its full state first, then each change.
//!
//! The state comes as a stream (`sendInitialEvents`) where the server can, else as a list in
//! pages. After that nothing is listed again unless the server has forgotten where we were
//! (410), or the kind was defined otherwise meanwhile: a connection that ends is taken up where it
//! ended.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use http::StatusCode;
use manifest::ObjectKey;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep, timeout};

use crate::begin::begin_of;
use crate::client::{Cluster, ListQuery, object_of, parse};
use crate::echo::settled;
use crate::error::{ApiError, Status};
use crate::kinds::KindInfo;

/// The first wait after a failure; each further one is twice as long.
const WAIT_FIRST: Duration = Duration::from_millis(200);

/// Answers that are no success in a row before a kind counts as failing. Until then it is waited
/// for: what is not known yet must not be taken for what is not there.
const FAILING_AFTER: u32 = 4;

/// The wait where waiting alone will not help: access must be granted first.
const WAIT_FORBIDDEN: Duration = Duration::from_secs(60);

/// A watch ends and is taken up again after this and up to twice this, so that not all end at
/// the same time.
const WATCH_S: u64 = 300;

/// How much longer than its end a watch may be silent before its connection counts as broken.
const QUIET_MORE: Duration = Duration::from_secs(30);

/// How long a server may say nothing before the full state is told. One that knows nothing of
/// streamed state never tells its end.
const STATE_QUIET_MAX: Duration = Duration::from_secs(10);

/// Objects from this size on are looked at before they are read: the echo of our own write of a
/// large one need not be.
const LARGE_BYTES: usize = 16 << 10;

/// A connection that lasted this long was a good one: the next failure waits little.
const GOOD_AFTER: Duration = Duration::from_secs(5);

/// How well one kind is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowState {
    /// The full state is not known yet.
    Waiting,
    /// The full state is known, and changes come in.
    Ready,
    /// The last attempt failed, and another follows. What was known stays known.
    Failing(String),
    /// We may not see it. It is tried again from time to time.
    Forbidden(String),
}

/// Takes what happens to a kind.
pub(crate) trait Sink: Send {
    /// The full state begins; what is not told until `complete` is gone.
    fn restart(&mut self);
    /// An object is there, or is there in another form.
    fn object(&mut self, object: Value);
    /// An object went; this is how it last was.
    fn deleted(&mut self, object: Value);
    /// The full state is told, as of a version.
    fn complete(&mut self, resource_version: &str);
    /// Whether this state of an object was taken in already, so that nobody need read it.
    fn knows(&self, state: &State<'_>) -> bool {
        let _ = state;
        false
    }
    /// How it goes; `connection` tells a failure to reach the server from one that it answered.
    fn state(&mut self, state: FollowState, connection: bool);
}

/// One state of an object: what it is called, and its version.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct State<'a> {
    #[serde(borrow)]
    pub(crate) namespace: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) resource_version: Cow<'a, str>,
}

/// Follows a kind until the server says that it serves no such kind.
pub(crate) async fn follow(
    cluster: &Cluster,
    info: &KindInfo,
    query: &ListQuery,
    sink: &mut dyn Sink,
) {
    let mut follower = Follower {
        cluster,
        info,
        query,
        sink,
        position: None,
        definition: cluster.definition(&info.gvk.group_kind()),
        streams_state: cluster.known_version().is_none_or(|version| {
            // On by default since 1.32; before that it is refused or, worse, ignored.
            version.minor_number() == 0 || version.minor_number() >= 32
        }),
    };
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        // The server ends the watches of a kind soon after it was defined otherwise; up to then
        // they tell objects as the old definition reads them.
        let definition = cluster.definition(&info.gvk.group_kind());
        if std::mem::replace(&mut follower.definition, definition) != definition {
            follower.position = None;
        }
        let before = follower.position.clone();
        let Err(error) = follower.one_connection().await else {
            // The server ended the watch, as it was asked to. A server that ends it at once
            // must not be asked again at once.
            if begun.elapsed() < Duration::from_secs(1) {
                sleep(backoff(0, wait_max(cluster))).await;
            }
            failures = 0;
            continue;
        };
        let moved = follower.position != before && follower.position.is_some();
        if begun.elapsed() > GOOD_AFTER || moved {
            failures = 0;
        }
        match error {
            ApiError::Gone { .. } => {
                // The second time in a row is no accident: wait.
                let again = follower.position.take().is_none();
                if !again {
                    continue;
                }
            }
            ApiError::NotFound { message } => {
                follower.sink.state(FollowState::Failing(message), false);
                return;
            }
            ApiError::Forbidden { message } => {
                follower.position = None;
                follower.sink.state(FollowState::Forbidden(message), false);
                sleep(jittered(WAIT_FORBIDDEN)).await;
                continue;
            }
            ApiError::MethodNotAllowed { message } => {
                follower.sink.state(FollowState::Failing(message), false);
                sleep(jittered(WAIT_FORBIDDEN)).await;
                continue;
            }
            error => {
                let connection = error.is_connection();
                let told = match &error {
                    // A clean cut of a good watch is the ordinary end of a connection's life.
                    _ if connection => failures > 0 || follower.position.is_none(),
                    // A server that is starting up says this of each kind until it is ready.
                    ApiError::Throttled { .. } => false,
                    _ => failures + 1 >= FAILING_AFTER,
                };
                if told {
                    follower.sink.state(FollowState::Failing(error.message()), connection);
                }
            }
        }
        sleep(backoff(failures, wait_max(cluster))).await;
        failures += 1;
    }
}

/// No wait after a failure is longer.
pub(crate) fn wait_max(cluster: &Cluster) -> Duration {
    cluster.limits().away_wait_max
}

/// Returns the wait after failure number `failures`, the first being 0.
pub(crate) fn backoff(failures: u32, max: Duration) -> Duration {
    let grown = WAIT_FIRST.saturating_mul(2_u32.saturating_pow(failures.min(16)));
    jittered(grown.min(max.max(WAIT_FIRST)))
}

/// Returns between half of `wait` and all of it.
pub(crate) fn jittered(wait: Duration) -> Duration {
    let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(millis / 2 + random() % (millis / 2).max(1))
}

/// A number that nobody needs to be unable to guess: each hasher of std begins elsewhere.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

struct Follower<'a> {
    cluster: &'a Cluster,
    info: &'a KindInfo,
    query: &'a ListQuery,
    sink: &'a mut dyn Sink,
    /// The version up to which everything was told; `None`: the full state must be told.
    position: Option<String>,
    /// Under which definition of the kind the full state was told.
    definition: u64,
    /// Whether the full state may be asked for as a stream.
    streams_state: bool,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

impl Follower<'_> {
    /// Asks once, and takes all that comes until the connection ends.
    async fn one_connection(&mut self) -> Result<(), ApiError> {
        if self.position.is_none() && self.streams_state {
            match self.watch(true).await {
                Err(Trouble::NoStreamedState) => self.streams_state = false,
                Err(Trouble::Api(error)) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
        if self.position.is_none() {
            self.list().await?;
        }
        match self.watch(false).await {
            Ok(()) => Ok(()),
            Err(Trouble::Api(error)) => Err(error),
            Err(Trouble::NoStreamedState) => Ok(()),
        }
    }

    async fn list(&mut self) -> Result<(), ApiError> {
        let sink = &mut *self.sink;
        sink.restart();
        let version =
            self.cluster.pages(self.info, self.query, |object| sink.object(object)).await?;
        sink.complete(&version);
        sink.state(FollowState::Ready, false);
        self.position = Some(version);
        Ok(())
    }

    /// Watches until the connection ends; with `state`, the full state comes first.
    async fn watch(&mut self, state: bool) -> Result<(), Trouble> {
        let seconds = WATCH_S + random() % WATCH_S;
        let mut path = format!(
            "{}?watch=1&allowWatchBookmarks=true&timeoutSeconds={seconds}{}",
            self.info.path(&self.query.namespace, ""),
            self.query.selectors(),
        );
        match &self.position {
            Some(version) if !state => path.push_str(&format!("&resourceVersion={version}")),
            _ => path.push_str("&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"),
        }
        let quiet = Duration::from_secs(seconds) + QUIET_MORE;
        let mut lines = match self.cluster.transport().stream(&path, quiet).await {
            Ok(lines) => lines,
            Err(ApiError::Invalid { .. } | ApiError::BadRequest { .. }) if state => {
                return Err(Trouble::NoStreamedState);
            }
            Err(error) => return Err(error.into()),
        };
        let mut telling = state;
        if telling {
            self.sink.restart();
        } else {
            self.sink.state(FollowState::Ready, false);
        }
        loop {
            let line = match telling {
                false => lines.next().await?,
                true => match timeout(STATE_QUIET_MAX, lines.next()).await {
                    Ok(line) => line?,
                    Err(_) => return Err(Trouble::NoStreamedState),
                },
            };
            let Some(line) = line else {
                return match telling {
                    // It ended before all was told.
                    true => Err(Trouble::NoStreamedState),
                    false => Ok(()),
                };
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if !telling && line.len() >= LARGE_BYTES && self.is_known(&line).await {
                continue;
            }
            if self.event(&line, telling)? {
                telling = false;
            }
        }
    }

    /// Takes one event; returns whether it ends the full state.
    fn event(&mut self, line: &[u8], telling: bool) -> Result<bool, ApiError> {
        let event: Event<'_> =
            serde_json::from_slice(line).map_err(|error| ApiError::Malformed {
                what: format!(
                    "an event of the watch of `{}` does not read at column {}",
                    self.info.plural,
                    error.column()
                ),
            })?;
        let raw = event.object.get().as_bytes();
        match event.kind.as_ref() {
            "ADDED" | "MODIFIED" => {
                let object = object_of(self.info, raw)?;
                self.moved(&object, telling);
                self.sink.object(object);
            }
            "DELETED" => {
                let object = object_of(self.info, raw)?;
                self.moved(&object, telling);
                self.sink.deleted(object);
            }
            "BOOKMARK" => {
                let object = object_of(self.info, raw)?;
                if telling {
                    if manifest::annotation(&object, "k8s.io/initial-events-end") != Some("true") {
                        return Ok(false);
                    }
                    let version = manifest::resource_version(&object).to_owned();
                    self.sink.complete(&version);
                    self.sink.state(FollowState::Ready, false);
                    self.position = Some(version);
                    return Ok(true);
                }
                self.moved(&object, false);
            }
            "ERROR" => return Err(self.told_error(raw)),
            // A kind of event that did not exist when this was written.
            _ => {}
        }
        Ok(false)
    }

    /// Passes over an event of a state that the sink knows, or will know once a write is answered.
    async fn is_known(&mut self, line: &[u8]) -> bool {
        let Some(state) = begin_of(line).filter(|state| !state.resource_version.is_empty()) else {
            return false;
        };
        if !self.sink.knows(&state) {
            let kind = self.info.gvk.group_kind();
            let key = ObjectKey::new(kind.group, kind.kind, &*state.namespace, &*state.name);
            settled(self.cluster.server(), key).await;
            if !self.sink.knows(&state) {
                return false;
            }
        }
        self.position = Some(state.resource_version.into_owned());
        true
    }

    fn moved(&mut self, object: &Value, telling: bool) {
        let version = manifest::resource_version(object);
        if !telling && !version.is_empty() {
            self.position = Some(version.to_owned());
        }
    }

    fn told_error(&self, raw: &[u8]) -> ApiError {
        let status: Status = match parse(raw, &self.info.plural) {
            Ok(status) => status,
            Err(error) => return error,
        };
        let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // A server that was set back does not know our version yet, and may never.
        if status.message.contains("Too large resource version") {
            return ApiError::Gone { message: status.message };
        }
        ApiError::from_status(code, status)
    }
}

enum Trouble {
    /// The server does not tell full states as streams.
    NoStreamedState,
    Api(ApiError),
}

impl From<ApiError> for Trouble {
    fn from(error: ApiError) -> Self {
        Trouble::Api(error)
    }
}
