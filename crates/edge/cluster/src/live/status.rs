//! How far the watches of a cluster are.

use std::collections::BTreeMap;
use std::time::SystemTime;

use manifest::GroupKind;

use crate::client::ServerVersion;
use crate::follow::FollowState;

/// How it goes with one kind.
pub type KindState = FollowState;

/// One kind that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindStatus {
    /// Which.
    pub kind: GroupKind,
    /// How it goes; of several namespaces the worst.
    pub state: KindState,
}

/// How it goes with a whole cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveStatus {
    /// Whether the full state was told once.
    pub ready: bool,
    /// Whether the server answered when it was last asked.
    pub connected: bool,
    /// Why not, or which kinds are not told.
    pub error: Option<String>,
    /// When a kind's full state last was complete, or a watch was taken up.
    pub last_sync: Option<SystemTime>,
    /// Objects that are remembered.
    pub objects: usize,
    /// The kinds that are watched, sorted.
    pub kinds: Vec<KindStatus>,
    /// What the server said of itself.
    pub version: Option<ServerVersion>,
}

/// Why a full state is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to load the live state of `{server}`: {message}")]
pub struct NotReady {
    /// The server's URL.
    pub server: String,
    /// What went wrong.
    pub message: String,
}

/// One task of the watches: a kind in a namespace, or in all (`""`).
pub(super) type TaskKey = (GroupKind, String);

/// What all tasks together have come to.
#[derive(Default)]
pub(super) struct Progress {
    /// Whether the cluster has told once what it serves.
    pub(super) discovered: bool,
    pub(super) tasks: BTreeMap<TaskKey, FollowState>,
    /// Whether the full state was known once.
    pub(super) was_ready: bool,
    /// Attempts that did not reach the server.
    pub(super) failures: u64,
    /// Why the last one did not; gone as soon as the server is heard.
    pub(super) error: Option<String>,
    pub(super) last_heard: Option<SystemTime>,
    /// Counts lenses; an object that an older one looked at is looked at again.
    pub(super) lens: u32,
}

impl Progress {
    pub(super) fn is_ready(&self) -> bool {
        self.was_ready
            || self.discovered
                && self.tasks.values().all(|state| !matches!(state, FollowState::Waiting))
    }

    pub(super) fn kind_state(&self, kind: &GroupKind) -> Option<KindState> {
        let begin = (kind.clone(), String::new());
        let states = self.tasks.range(begin..).take_while(|((other, _), _)| other == kind);
        states.map(|(_, state)| state.clone()).max_by_key(badness)
    }

    pub(super) fn status(&self, objects: usize, version: Option<ServerVersion>) -> LiveStatus {
        let mut kinds: Vec<KindStatus> = Vec::new();
        for ((kind, _), state) in &self.tasks {
            match kinds.last_mut().filter(|last| last.kind == *kind) {
                Some(last) if badness(&last.state) < badness(state) => last.state = state.clone(),
                Some(_) => {}
                None => kinds.push(KindStatus { kind: kind.clone(), state: state.clone() }),
            }
        }
        let failing = kinds.iter().find_map(|kind| match &kind.state {
            FollowState::Failing(why) => Some(format!("{}: {why}", kind.kind)),
            FollowState::Waiting | FollowState::Ready | FollowState::Forbidden(_) => None,
        });
        LiveStatus {
            ready: self.is_ready(),
            connected: self.discovered && self.error.is_none(),
            error: self.error.clone().or(failing),
            last_sync: self.last_heard,
            objects,
            kinds,
            version,
        }
    }
}

fn badness(state: &FollowState) -> u8 {
    match state {
        FollowState::Ready => 0,
        FollowState::Forbidden(_) => 1,
        FollowState::Failing(_) => 2,
        FollowState::Waiting => 3,
    }
}
