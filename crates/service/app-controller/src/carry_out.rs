//! Carrying out what was decided: every write passes the gate.

use std::sync::Arc;
use std::time::Duration;

use cluster::{
    Action as ClusterAction, ApiError, LiveObject, Patch, Propagation as Spread, Validation, Write,
    Writer, Written,
};
use futures::StreamExt as _;
use futures::stream;
use manifest::{Gvk, ObjectKey};
use reconcile::Ground;
use serde_json::{Value, json};
use sync::marks::{HOOK_FINALIZER, defined_kind, is_crd};
use sync::{Action, Deed, Done, How, Outcome, Propagation, words};
use tokio::time::{Instant, timeout_at};

use crate::destinations::{Destination, chain};
use crate::gate::ProjectGate;
use crate::judge;
use crate::metrics::Tally;

/// Who owns the fields that we apply.
pub(crate) const MANAGER: &str = "argocd-controller";
/// Writes of one operation at once; the cluster's own limit holds over all.
const AT_ONCE: usize = 20;
/// How often a write is tried again where somebody else wrote in between.
const CONFLICTS_MAX: usize = 5;
/// How long a new kind may take until it is served.
const SERVED_WITHIN: Duration = Duration::from_secs(3);
/// How long what was deleted may take to go until the look goes on without having seen it go.
const GONE_WITHIN: Duration = Duration::from_secs(2);
/// How long an object may take to go where another is made in its place.
const REPLACED_WITHIN: Duration = Duration::from_secs(30);

/// Objects that syncs have made before, by what an action is about.
pub(crate) type Previous<'a> = &'a (dyn Fn(&ObjectKey) -> Vec<Arc<Value>> + Sync);

/// Whose actions are carried out, and what they must know.
pub(crate) struct Errand<'a> {
    pub destination: &'a Arc<Destination>,
    pub ground: &'a Ground,
    /// As whom; `None`: as the controller.
    pub account: Option<&'a str>,
    pub previous: Previous<'a>,
    /// Rules whose fields stay as they are live.
    pub respect: Option<&'a judge::Rulebook>,
    /// Counts what is asked of the cluster.
    pub tally: Tally<'a>,
}

/// Carries out actions, many at once, and says what became of each.
pub(crate) async fn carry_out(errand: &Errand<'_>, actions: &[Action]) -> Vec<Outcome> {
    let Errand { destination, ground, account, .. } = errand;
    let gate = ProjectGate { project: ground.project.clone(), cluster: ground.cluster.clone() };
    let writer = destination.cluster.writer(Arc::new(gate));
    let writer = match account {
        None => writer,
        Some(user) => match writer.acting_as(user) {
            Ok(writer) => writer,
            Err(error) => {
                let failed = |action: &Action| Outcome {
                    task: action.task.clone(),
                    done: Done::Failed(said(&error)),
                };
                return actions.iter().map(failed).collect();
            }
        },
    };
    let hand = Hand {
        destination,
        writer,
        previous: errand.previous,
        respect: errand.respect,
        tally: &errand.tally,
    };
    let begun: Vec<_> = actions.iter().map(|action| hand.outcome(action)).collect();
    stream::iter(begun).buffered(AT_ONCE).collect().await
}

struct Hand<'a> {
    destination: &'a Arc<Destination>,
    writer: Writer,
    previous: Previous<'a>,
    /// Rules whose fields stay as they are live.
    respect: Option<&'a judge::Rulebook>,
    tally: &'a Tally<'a>,
}

/// What the server says, for people.
fn said(error: &ApiError) -> String {
    chain(error)
}

impl Hand<'_> {
    async fn outcome(&self, action: &Action) -> Outcome {
        let done = match self.deed(action).await {
            Ok(done) => done,
            Err(words) => Done::Failed(words),
        };
        Outcome { task: action.task.clone(), done }
    }

    async fn deed(&self, action: &Action) -> Result<Done, String> {
        let Action { gvk, key, deed, .. } = action;
        match deed {
            Deed::Apply {
                object,
                how,
                told_as_server_side,
                force,
                validate,
                dry_run,
                migrate_from,
            } => {
                let mut object = object.clone();
                if let Some(rulebook) = self.respect
                    && let Some(live) = self.live(gvk, key).await?
                {
                    object = rulebook.respect(self.destination, &object, &live).await;
                }
                let object = &object;
                let apply = Apply {
                    hand: self,
                    gvk,
                    key,
                    object,
                    force: *force,
                    dry_run: *dry_run,
                    told_as_server_side: *told_as_server_side,
                    validation: if *validate { Validation::Strict } else { Validation::Ignore },
                    migrate_from: migrate_from.as_deref(),
                };
                let verb = match how {
                    How::ServerSide => apply.server_side().await?,
                    How::ClientSide => apply.client_side().await?,
                    How::Replace => apply.replace().await?,
                };
                if is_crd(object) && !dry_run {
                    self.until_served(object).await;
                }
                Ok(Done::Applied(match verb {
                    Verb::Said(words) => words,
                    Verb::Did(verb) => words::done(gvk, &key.name, verb, *dry_run),
                }))
            }
            Deed::Prune { propagation } => {
                self.delete(gvk, key, *propagation).await?;
                Ok(Done::PruneBegun)
            }
            Deed::DeleteHook { propagation, before_creation } => {
                let was_there = self.delete(gvk, key, *propagation).await?;
                Ok(Done::HookDeletionBegun(was_there && *before_creation))
            }
            Deed::ReleaseHook => {
                self.release(gvk, key).await?;
                Ok(Done::HookReleased)
            }
        }
    }

    async fn write(&self, write: &Write) -> Result<Written, ApiError> {
        let written = self.ask(write).await?;
        if let Some(object) = written.object.as_ref().filter(|_| !write.dry_run) {
            self.destination.live.observe(object);
        }
        Ok(written)
    }

    async fn ask(&self, write: &Write) -> Result<Written, ApiError> {
        let answer = self.writer.write(write).await;
        self.tally.count(write, &answer);
        answer
    }

    async fn live(&self, gvk: &Gvk, key: &ObjectKey) -> Result<Option<Value>, String> {
        self.destination
            .cluster
            .get(gvk, &key.namespace, &key.name)
            .await
            .map_err(|error| said(&error))
    }

    /// Waits a little until the watch has told that an object is not `there` any more.
    async fn until_gone(&self, key: &ObjectKey, there: impl Fn(&LiveObject) -> bool) {
        let mut events = self.destination.live.events();
        let end = Instant::now() + GONE_WITHIN;
        while self.destination.live.get(key).is_some_and(|object| there(&object)) {
            if !matches!(timeout_at(end, events.next()).await, Ok(Some(_))) {
                break;
            }
        }
    }

    /// Asks for an object's deletion, and waits a little until it is seen to go.
    async fn delete(
        &self,
        gvk: &Gvk,
        key: &ObjectKey,
        propagation: Propagation,
    ) -> Result<bool, String> {
        let held = self.destination.live.get(key);
        let mut write = Write::delete(gvk.clone(), &key.namespace, &key.name, spread(propagation));
        let known = held.as_ref().map(|object| object.uid().to_owned());
        if let ClusterAction::Delete { uid, .. } = &mut write.action {
            uid.clone_from(&known);
        }
        // What the server answers is not taken in: the watch may have told already that it is gone.
        match self.ask(&write).await {
            Ok(_) => {}
            Err(ApiError::NotFound { .. }) => return Ok(false),
            // Another object stands there under the name: what was to go is gone.
            Err(ApiError::Conflict { .. }) if known.is_some() => return Ok(false),
            Err(error) => return Err(said(&error)),
        }
        let is_it = |object: &LiveObject| Some(object.uid()) == known.as_deref();
        self.until_gone(key, |object| is_it(object) && !object.deleting()).await;
        Ok(true)
    }

    /// Takes the hook finalizer off a hook.
    async fn release(&self, gvk: &Gvk, key: &ObjectKey) -> Result<(), String> {
        // What the watch told is good enough for the first try: the version is part of the patch.
        let mut known = self.destination.live.get(key).filter(|one| one.gvk() == gvk);
        for _ in 0..CONFLICTS_MAX {
            let told = known.take().and_then(|one| one.body());
            let live = match told {
                Some(live) => Some(live),
                None => self.live(gvk, key).await?,
            };
            let Some(live) = live else { return Ok(()) };
            let held = live.pointer("/metadata/finalizers").and_then(Value::as_array);
            let Some(held) = held.filter(|list| list.iter().any(|one| one == HOOK_FINALIZER))
            else {
                return Ok(());
            };
            let left: Vec<&Value> = held.iter().filter(|one| *one != HOOK_FINALIZER).collect();
            let patch = json!({"metadata": {
                "finalizers": left,
                "resourceVersion": manifest::resource_version(&live),
            }});
            let write =
                Write::patch(gvk.clone(), &key.namespace, &key.name, Patch::Merge(patch), MANAGER);
            // What is being deleted goes with its last finalizer. The server then answers it as it
            // was stored last, finalizer and all: that is no state to go on from.
            let goes = left.is_empty() && live.pointer("/metadata/deletionTimestamp").is_some();
            let answer = match goes {
                true => self.ask(&write).await,
                false => self.write(&write).await,
            };
            match answer {
                Ok(_) | Err(ApiError::NotFound { .. }) => {
                    if goes {
                        let uid = manifest::uid(&live);
                        self.until_gone(key, |object| object.uid() == uid).await;
                    }
                    return Ok(());
                }
                Err(ApiError::Conflict { .. }) => {}
                Err(error) => return Err(format!("failed to update resource: {}", said(&error))),
            }
        }
        Err("failed to update resource: somebody else writes it all the time".into())
    }

    /// Waits until a new kind is served, so that objects of it can be applied.
    async fn until_served(&self, definition: &Value) {
        let Some((group, kind)) = defined_kind(definition) else { return };
        let versions = definition.pointer("/spec/versions").and_then(Value::as_array);
        let gvks: Vec<Gvk> = versions
            .into_iter()
            .flatten()
            .filter(|version| version.get("served") == Some(&Value::Bool(true)))
            .filter_map(|version| Some(Gvk::new(group, version.get("name")?.as_str()?, kind)))
            .collect();
        let end = Instant::now() + SERVED_WITHIN;
        let mut wait = Duration::from_millis(20);
        while Instant::now() < end {
            if let Ok(kinds) = self.destination.cluster.discover().await
                && gvks.iter().all(|gvk| kinds.get(gvk).is_some())
            {
                return;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_millis(500));
        }
    }
}

fn spread(propagation: Propagation) -> Spread {
    match propagation {
        Propagation::Foreground => Spread::Foreground,
        Propagation::Background => Spread::Background,
        Propagation::Orphan => Spread::Orphan,
    }
}

/// What was done to an object.
enum Verb {
    /// kubectl's verb.
    Did(&'static str),
    /// Upstream's own words.
    Said(String),
}

/// One object on its way to the cluster.
struct Apply<'a> {
    hand: &'a Hand<'a>,
    gvk: &'a Gvk,
    key: &'a ObjectKey,
    object: &'a Arc<Value>,
    force: bool,
    dry_run: bool,
    told_as_server_side: bool,
    validation: Validation,
    migrate_from: Option<&'a str>,
}

impl Apply<'_> {
    fn ready(&self, mut write: Write) -> Write {
        write.dry_run = self.dry_run;
        write.validated(self.validation)
    }

    /// Server-side apply; what stands in its way is taken over first.
    async fn server_side(&self) -> Result<Verb, String> {
        let held = self.hand.destination.live.get(self.key);
        let before = held.map(|held| held.resource_version().to_owned());
        for _ in 0..CONFLICTS_MAX {
            match self.take_over().await {
                Ok(()) => {}
                Err(ApiError::Conflict { .. }) => continue,
                Err(error) => return Err(said(&error)),
            }
            let write = self.ready(Write::apply((**self.object).clone(), MANAGER));
            match self.hand.write(&write).await {
                Ok(written) => return Ok(Verb::Did(self.applied(before.as_deref(), &written))),
                Err(ApiError::Conflict { .. }) => continue,
                Err(error) if judge::is_structural(&error) => return self.client_side().await,
                Err(error) if self.force && immutable(&error) => {
                    let verb = match self.told_as_server_side {
                        true => "serverside-applied",
                        false => "configured",
                    };
                    return self.again(Verb::Did(verb)).await;
                }
                Err(error) => return Err(said(&error)),
            }
        }
        Err(format!("{} could not be applied: somebody else writes it all the time", self.key))
    }

    /// kubectl's verb for what an apply came to; `before` is the version that was there.
    fn applied(&self, before: Option<&str>, written: &Written) -> &'static str {
        let after = written.object.as_ref().map(manifest::resource_version);
        if self.told_as_server_side {
            "serverside-applied"
        } else if written.created {
            "created"
        } else if !self.dry_run && before.is_some() && before == after {
            "unchanged"
        } else {
            "configured"
        }
    }

    /// Makes our own what client-side applies, and syncs before this one, have left.
    async fn take_over(&self) -> Result<(), ApiError> {
        if self.dry_run {
            return Ok(());
        }
        let destination = self.hand.destination;
        let held = destination.live.get(self.key);
        let body = match held.as_ref().filter(|held| held.gvk() == self.gvk).map(|held| held.body())
        {
            Some(Some(body)) => Some(body),
            Some(None) => {
                destination.cluster.get(self.gvk, &self.key.namespace, &self.key.name).await?
            }
            None if destination.live.kind_state(&self.key.group_kind())
                == Some(cluster::FollowState::Ready)
                && held.is_none() =>
            {
                None
            }
            None => destination.cluster.get(self.gvk, &self.key.namespace, &self.key.name).await?,
        };
        let Some(live) = body else { return Ok(()) };
        let previous = (self.hand.previous)(self.key);
        let patch =
            judge::take_over(destination, &live, self.object, &previous, self.migrate_from).await;
        let Some(patch) = patch else { return Ok(()) };
        let write = Write::patch(
            self.gvk.clone(),
            &self.key.namespace,
            &self.key.name,
            Patch::Json(patch),
            MANAGER,
        );
        match self.hand.write(&write).await {
            Ok(_) | Err(ApiError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// kubectl's apply: created with the last-applied annotation, or patched three ways.
    async fn client_side(&self) -> Result<Verb, String> {
        for _ in 0..CONFLICTS_MAX {
            let live = self.hand.live(self.gvk, self.key).await?;
            let Some(live) = live else {
                let write =
                    self.ready(Write::create(sync::apply::with_last_applied(self.object), MANAGER));
                match self.hand.write(&write).await {
                    Ok(_) => return Ok(Verb::Did("created")),
                    Err(ApiError::AlreadyExists { .. }) => continue,
                    Err(error) => return Err(said(&error)),
                }
            };
            let Some(patch) =
                judge::client_side_patch(self.hand.destination, self.object, &live).await?
            else {
                return Ok(Verb::Did("unchanged"));
            };
            let write = self.ready(Write::patch(
                self.gvk.clone(),
                &self.key.namespace,
                &self.key.name,
                patch,
                MANAGER,
            ));
            match self.hand.write(&write).await {
                Ok(_) => return Ok(Verb::Did("configured")),
                Err(ApiError::Conflict { .. } | ApiError::NotFound { .. }) => {}
                Err(error) if self.force && immutable(&error) => {
                    return self.again(Verb::Did("configured")).await;
                }
                Err(error) => return Err(said(&error)),
            }
        }
        Err(format!("{} could not be applied: somebody else writes it all the time", self.key))
    }

    /// Replaces what is there; definitions and namespaces are updated, never made anew (SYN-31).
    async fn replace(&self) -> Result<Verb, String> {
        for _ in 0..CONFLICTS_MAX {
            let Some(live) = self.hand.live(self.gvk, self.key).await? else {
                let write = self.ready(Write::create((**self.object).clone(), MANAGER));
                match self.hand.write(&write).await {
                    Ok(_) => return Ok(Verb::Did("created")),
                    Err(ApiError::AlreadyExists { .. }) => continue,
                    Err(error) => return Err(said(&error)),
                }
            };
            let keeps = is_crd(self.object) || self.gvk.kind == "Namespace";
            if self.force && !keeps {
                return self.again(Verb::Did("replaced")).await;
            }
            let mut object = (**self.object).clone();
            if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.insert("resourceVersion".into(), manifest::resource_version(&live).into());
            }
            match self.hand.write(&self.ready(Write::replace(object, MANAGER))).await {
                Ok(_) if keeps => {
                    return Ok(Verb::Said(format!("{}/{} updated", self.gvk.kind, self.key.name)));
                }
                Ok(_) => return Ok(Verb::Did("replaced")),
                Err(ApiError::Conflict { .. } | ApiError::NotFound { .. }) => {}
                Err(error) if keeps => {
                    return Err(format!("error when updating: {}", said(&error)));
                }
                Err(error) => return Err(said(&error)),
            }
        }
        Err(format!("{} could not be replaced: somebody else writes it all the time", self.key))
    }

    /// Deletes the object and makes it again.
    async fn again(&self, verb: Verb) -> Result<Verb, String> {
        if self.dry_run {
            return Ok(verb);
        }
        self.hand.delete(self.gvk, self.key, Propagation::Background).await?;
        let end = Instant::now() + REPLACED_WITHIN;
        let mut wait = Duration::from_millis(20);
        while self.hand.live(self.gvk, self.key).await?.is_some() {
            if Instant::now() >= end {
                return Err(format!(
                    "{} is not gone after {} s",
                    self.key,
                    REPLACED_WITHIN.as_secs()
                ));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(1));
        }
        let write = self.ready(Write::apply((**self.object).clone(), MANAGER));
        self.hand.write(&write).await.map_err(|error| said(&error))?;
        Ok(verb)
    }
}

/// Whether the server says that the object would have to be made anew.
fn immutable(error: &ApiError) -> bool {
    match error {
        ApiError::Invalid { .. } => true,
        ApiError::Conflict { .. } => true,
        _ => error.message().contains("immutable"),
    }
}
