//! Watch: what is there, then what happens, then bookmarks.
//!
//! A [`WatchStream`] is pulled: it keeps a revision and reads the store's ring when it is
//! asked, so a slow client costs no memory. Where the ring has let go of what the client
//! has not yet seen, the watch ends with the `Expired` error that tells it to list again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::negotiate::{Form, Wanted};
use super::options::ListOptions;
use super::problem::Problem;
use super::read;
use super::selector::Selector;
use super::table;
use crate::cluster::Cluster;
use crate::convert;
use crate::kinds::Kind;
use crate::store::{Change, Entry, Event};

/// Events that are read from the store at once.
const BATCH_EVENTS_MAX: usize = 256;
/// Bytes that are handed on at once, unless a single event is larger.
const CHUNK_BYTES_MAX: usize = 64 << 10;
/// Kinds whose replicas are a number to the server, and so stand in an object that is empty.
const COUNTED: [(&str, &str); 3] =
    [("apps", "Deployment"), ("apps", "ReplicaSet"), ("apps", "StatefulSet")];

/// How often a client that asked for bookmarks gets one, where anything happened at all.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
/// A watch that names no timeout ends after this time, as upstream's do between 30 and 60 minutes.
const TIMEOUT: Duration = Duration::from_secs(45 * 60);

/// One open watch.
pub struct WatchStream {
    cluster: Arc<Cluster>,
    kind: Arc<Kind>,
    prefix: String,
    selector: Selector,
    wanted: Wanted,
    bookmarks: bool,
    /// Bookmark due once the initial events are through.
    initial_end_due: bool,
    initial: VecDeque<Entry>,
    revision: u64,
    bookmarked: u64,
    columns_sent: bool,
    newest: watch::Receiver<u64>,
    /// Of a custom kind: tells when definitions have changed.
    redefinitions: Option<watch::Receiver<()>>,
    ends_at: Instant,
    bookmark_at: Instant,
    ended: bool,
    /// What the client is told beside the events.
    pub(crate) warnings: Vec<String>,
}

impl std::fmt::Debug for WatchStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WatchStream")
            .field("table", &self.kind.table)
            .field("prefix", &self.prefix)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

impl WatchStream {
    /// Begins a watch.
    ///
    /// # Errors
    ///
    /// 400 or 422 for nonsense.
    pub fn open(
        cluster: &Arc<Cluster>,
        kind: &Arc<Kind>,
        namespace: &str,
        name: &str,
        options: &ListOptions,
        wanted: Wanted,
    ) -> Result<WatchStream, Problem> {
        let fields = match (options.fields.as_str(), name) {
            (fields, "") => fields.to_owned(),
            ("", name) => format!("metadata.name={name}"),
            (fields, name) => format!("{fields},metadata.name={name}"),
        };
        let selector = Selector::parse(&options.labels, &fields, kind)?;
        let newest = cluster.store.follow(&kind.table);
        let from = options.resource_version.as_str();
        let begins_with_all = options.send_initial_events.unwrap_or(from.is_empty() || from == "0");
        let mut initial = VecDeque::new();
        let revision;
        if begins_with_all {
            if !from.is_empty() {
                read::newer_than_there_is(cluster, read::parse_revision(from)?)?;
            }
            let all = ListOptions::default();
            let page = read::select(cluster, kind, namespace, &all, &selector)?;
            initial.extend(page.entries);
            revision = page.revision;
        } else if from.is_empty() || from == "0" {
            revision = cluster.store.revision();
        } else {
            revision = from.parse().map_err(|_| {
                let said = format!(
                    "resourceVersion: Invalid value: \"{from}\": strconv.ParseUint: parsing \"{from}\": invalid syntax"
                );
                Problem::new(500, "", said)
            })?;
        }
        let now = Instant::now();
        Ok(WatchStream {
            cluster: cluster.clone(),
            kind: kind.clone(),
            prefix: kind.key_prefix(namespace),
            selector,
            wanted,
            bookmarks: options.bookmarks,
            initial_end_due: options.bookmarks && options.send_initial_events == Some(true),
            initial,
            revision,
            bookmarked: revision,
            columns_sent: false,
            newest,
            redefinitions: kind.definition.as_ref().map(|_| cluster.redefinitions()),
            ends_at: now
                + options.timeout_s.filter(|s| *s > 0).map_or(TIMEOUT, Duration::from_secs),
            bookmark_at: now + BOOKMARK_EVERY,
            ended: false,
            warnings: Vec::new(),
        })
    }

    /// Returns the next events as lines of JSON; `None` where the watch is over.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.ended {
                return None;
            }
            self.newest.mark_unchanged();
            if let Some(chunk) = self.ready() {
                return Some(chunk);
            }
            if self.ended {
                return None;
            }
            let wake =
                if self.bookmarks { self.ends_at.min(self.bookmark_at) } else { self.ends_at };
            tokio::select! {
                changed = self.newest.changed() => {
                    if changed.is_err() {
                        return None;
                    }
                }
                () = redefined(&mut self.redefinitions) => self.end_if_redefined(),
                () = tokio::time::sleep_until(wake) => {
                    if let Some(chunk) = self.woken() {
                        return Some(chunk);
                    }
                }
            }
        }
    }

    /// Returns what can be told now without waiting.
    pub fn ready(&mut self) -> Option<Bytes> {
        let mut out = BytesMut::new();
        while let Some(entry) = self.initial.pop_front() {
            self.tell(&mut out, "ADDED", &entry);
            if out.len() >= CHUNK_BYTES_MAX {
                return Some(out.freeze());
            }
        }
        if std::mem::take(&mut self.initial_end_due) {
            self.tell_bookmark(&mut out, true);
        }
        loop {
            let read =
                self.cluster.store.events_after(&self.kind.table, self.revision, BATCH_EVENTS_MAX);
            let (events, complete_to) = match read {
                Ok(read) => read,
                Err(expired) => {
                    self.ended = true;
                    let problem = Problem::expired(format!(
                        "too old resource version: {} ({})",
                        self.revision, expired.oldest
                    ));
                    line(&mut out, "ERROR", problem.status().to_string().as_bytes());
                    return Some(out.freeze());
                }
            };
            for event in &events {
                self.tell_event(&mut out, event);
                self.revision = event.revision;
                if out.len() >= CHUNK_BYTES_MAX {
                    return Some(out.freeze());
                }
            }
            self.revision = self.revision.max(complete_to);
            if events.len() < BATCH_EVENTS_MAX {
                break;
            }
        }
        (!out.is_empty()).then(|| out.freeze())
    }

    /// The server ends a kind's watches when the kind is defined otherwise: what they told was read
    /// through the old definition. What has happened up to now is told first.
    fn end_if_redefined(&mut self) {
        let Some(definition) = &self.kind.definition else { return };
        let kinds = self.cluster.kinds();
        let now = kinds.find(&self.kind.group, &self.kind.version, &self.kind.plural);
        let now = now.and_then(|kind| kind.definition.as_ref());
        if now.is_none_or(|now| now.generation != definition.generation) {
            self.ends_at = Instant::now();
        }
    }

    /// Ends the watch; what has been told stays told.
    pub fn end(&mut self) {
        self.ended = true;
    }

    fn woken(&mut self) -> Option<Bytes> {
        let mut out = BytesMut::new();
        let now = Instant::now();
        if now >= self.ends_at {
            self.ended = true;
        }
        if self.bookmarks && (self.ended || now >= self.bookmark_at) {
            self.bookmark_at = now + BOOKMARK_EVERY;
            self.revision = self.revision.max(self.cluster.store.revision());
            if self.revision > self.bookmarked {
                self.tell_bookmark(&mut out, false);
            }
        }
        (!out.is_empty()).then(|| out.freeze())
    }

    fn tell_event(&mut self, out: &mut BytesMut, event: &Arc<Event>) {
        if !event.key.starts_with(&self.prefix) {
            return;
        }
        let shows = |entry: &Entry| {
            self.selector.is_empty() || self.selector.shows(&self.kind, &event.key, entry)
        };
        let before = event.before().is_some_and(shows);
        let after = match &event.change {
            Change::Deleted(_) => false,
            Change::Added | Change::Modified(_) => shows(&event.entry),
        };
        match (before, after) {
            (false, false) => {}
            (false, true) => self.tell(out, "ADDED", &event.entry),
            (true, true) => self.tell(out, "MODIFIED", &event.entry),
            (true, false) => {
                // Who leaves the selection is told as deleted, as it last was inside.
                let last = event.before().unwrap_or(&event.entry).moved_to(event.revision);
                self.tell(out, "DELETED", &last);
            }
        }
    }

    fn tell(&mut self, out: &mut BytesMut, what: &str, entry: &Entry) {
        if self.wanted.form == Form::Whole && convert::is_stored_as(&self.kind) {
            line(out, what, &entry.json());
            return;
        }
        let Ok(object) = convert::out(&self.kind, entry.value()) else { return };
        let shown = match self.wanted.form {
            Form::Whole => object,
            Form::Metadata(_) => table::partial(&self.kind, &object),
            Form::Table(include) => {
                let row = table::row(&self.kind, &object, include);
                let version = entry.revision.to_string();
                self.table(&json!({"resourceVersion": version}), vec![row])
            }
        };
        self.line(out, what, shown);
    }

    fn line(&self, out: &mut BytesMut, what: &str, shown: Value) {
        let mut shown = shown;
        if self.wanted.older {
            table::make_older(&mut shown);
        }
        line(out, what, shown.to_string().as_bytes());
    }

    fn tell_bookmark(&mut self, out: &mut BytesMut, initial_end: bool) {
        self.bookmarked = self.revision;
        let mut metadata = json!({"resourceVersion": self.revision.to_string()});
        if initial_end {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let version = json!({"resourceVersion": metadata["resourceVersion"]});
        let object = self.empty_object(metadata);
        let shown = match self.wanted.form {
            Form::Whole => object,
            Form::Metadata(_) => table::partial(&self.kind, &object),
            // The server prints the bookmark as it prints an object.
            Form::Table(include) => {
                let row = table::row(&self.kind, &object, include);
                self.table(&version, vec![row])
            }
        };
        self.line(out, "BOOKMARK", shown);
    }

    /// An object of the kind that has nothing but metadata.
    fn empty_object(&self, metadata: Value) -> Value {
        let mut object = match self.kind.built_in() {
            true => crate::types::zero(&self.kind).clone(),
            false => json!({}),
        };
        object["kind"] = json!(self.kind.kind);
        object["apiVersion"] = json!(self.kind.api_version());
        object["metadata"] = metadata;
        if self.kind.is("apps", "DaemonSet") {
            object["metadata"]["annotations"]["deprecated.daemonset.template.generation"] =
                json!("0");
        }
        if COUNTED.iter().any(|(group, name)| self.kind.is(group, name)) {
            object["spec"]["replicas"] = json!(0);
        }
        object
    }

    /// Columns are named in the first table only.
    fn table(&mut self, metadata: &Value, rows: Vec<Value>) -> Value {
        let mut table = table::whole(&self.kind, metadata, rows);
        if std::mem::replace(&mut self.columns_sent, true) {
            table["columnDefinitions"] = Value::Null;
        }
        table
    }
}

/// Waits until definitions have changed; of a built-in kind for ever.
async fn redefined(told: &mut Option<watch::Receiver<()>>) {
    let lives = match told {
        Some(told) => told.changed().await.is_ok(),
        None => false,
    };
    if !lives {
        std::future::pending::<()>().await;
    }
}

fn line(out: &mut BytesMut, what: &str, object: &[u8]) {
    out.reserve(object.len() + 40);
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(what.as_bytes());
    out.extend_from_slice(b"\",\"object\":");
    out.extend_from_slice(object);
    out.extend_from_slice(b"}\n");
}
