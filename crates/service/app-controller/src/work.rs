//! The loop: gather, decide, carry out, publish.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use crd::OperationPhase;
use futures::FutureExt as _;
use jiff::Timestamp;
use reconcile::{Verdict, decide};
use sync::{Deed, Outcome};
use tokio::time::Instant;
use tracing::{Instrument as _, error, info, info_span, warn};

use crate::carry_out::{Errand, carry_out};
use crate::entry::{Entry, Running};
use crate::gather::{Gathered, Look, gather};
use crate::judge::Rulebook;
use crate::metrics::Tally;
use crate::publish::{Published, publish};
use crate::queue::{AppKey, Why};
use crate::shared::Shared;

/// Steps that one look may take; an operation that needs more goes on at the next look.
const STEPS_MAX: usize = 10_000;
/// The first wait after manifests or live state were not to be had; it doubles.
const RETRY_FIRST: Duration = Duration::from_secs(5);
/// No such wait is longer.
const RETRY_MAX: Duration = Duration::from_secs(120);
/// How long after a failed write of an Application it is looked at again.
const WRITE_AGAIN: Duration = Duration::from_secs(2);
/// Reconciliations that are due within such a part of their interval are due together.
const TOGETHER_SHARE: u32 = 20;
/// But within no more than this.
const TOGETHER_MAX: Duration = Duration::from_secs(5);
/// How long an operation or a deletion waits without hearing of any change until it is looked at
/// all the same.
const OPERATION_LOOK: Duration = Duration::from_secs(15);

/// Looks at Applications until the queue is closed.
pub(crate) async fn work(shared: Arc<Shared>) {
    while let Some((key, why)) = shared.queue.next().await {
        let span = info_span!("refresh", app.namespace = %key.namespace, app.name = %key.name, because = why.because);
        let looked = AssertUnwindSafe(look(&shared, &key, why)).catch_unwind().instrument(span);
        if looked.await.is_err() {
            error!(app.namespace = %key.namespace, app.name = %key.name, "a look ended in a panic; tried again");
            shared.queue.push_later(key.clone(), RETRY_MAX, Why::known("the last look failed"));
        }
        shared.queue.done(&key);
    }
}

async fn look(shared: &Arc<Shared>, key: &AppKey, why: Why) {
    let Some(mut application) = shared.application(key) else { return };
    let entry = shared.entry(key);
    let mut entry = entry.lock().await;
    let began = Instant::now();
    let mut why = why;
    if why.fresh == desired::Freshness::Hard {
        entry.hard_due = None;
    }
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut server = String::new();
    for _ in 0..STEPS_MAX {
        // What was written meanwhile by others is seen, too.
        if let Some(newest) = shared.application(key) {
            application = newest;
        }
        let look =
            Look { application: application.clone(), why, outcomes: std::mem::take(&mut outcomes) };
        let gathered = gather(shared, &mut entry, look).await;
        if gathered.skip {
            return;
        }
        if gathered.hold {
            again(shared, key, &mut entry, &gathered, &Verdict::default(), &application);
            return;
        }
        if let Some(ground) = &gathered.ground {
            server.clone_from(&ground.cluster.server);
        }
        // Whatever an operation waits for is looked at itself.
        let asked = application.operation.is_some();
        if !asked && gathered.fingerprint != 0 && gathered.fingerprint == entry.quiet {
            again(shared, key, &mut entry, &gathered, &Verdict::default(), &application);
            return;
        }
        let mut verdict = decide(&gathered.facts);
        remember(&mut entry, &gathered, &verdict);
        let nothing = verdict.actions.is_empty()
            && verdict.patch.is_none()
            && verdict.next.is_none()
            && verdict.progress.is_none()
            && !verdict.begun;
        entry.quiet = if nothing { gathered.fingerprint } else { 0 };
        let rest = verdict.actions.is_empty()
            || verdict.begun
            || verdict.ended.is_some()
            || takes_hooks_away(&verdict);
        if rest {
            match publish(shared, key, &application, &mut verdict).await {
                Published::Written(written) => application = written,
                Published::Gone => {
                    shared.drop_application(key);
                    return;
                }
                Published::Failed => {
                    shared.queue.push_later(key.clone(), WRITE_AGAIN, Why::known("a write failed"));
                    return;
                }
            }
            count(shared, &server, &gathered, &verdict);
        }
        if !verdict.actions.is_empty()
            && let (Some(ground), Some(destination)) = (&gathered.ground, &gathered.destination)
        {
            let wanted = gathered.operation_wanted.as_ref().or(gathered.wanted.as_ref());
            let previous = |object: &manifest::ObjectKey| match wanted {
                Some(wanted) => entry.previous(object, &wanted.prepared),
                None => Vec::new(),
            };
            let respects =
                respects_ignored(&verdict).then(|| Rulebook::new(&shared.snapshot(), &application));
            let errand = Errand {
                destination,
                ground,
                account: verdict.account.as_deref(),
                previous: &previous,
                respect: respects.as_ref(),
                tally: Tally {
                    metrics: &shared.metrics,
                    application: &application,
                    server: &server,
                },
            };
            outcomes = carry_out(&errand, &verdict.actions).await;
            log_failures(&outcomes);
        } else if !verdict.begun {
            again(shared, key, &mut entry, &gathered, &verdict, &application);
            let elapsed = began.elapsed();
            shared.metrics.reconciled(&key.namespace, &server, elapsed);
            info!(
                sync = application.status.sync.status.as_str(),
                health = application.status.health.status.as_str(),
                outcome = verdict.because,
                elapsed_ms = elapsed.as_millis() as u64,
                "refreshed"
            );
            return;
        }
        why = Why::known(why.because);
    }
    shared.queue.push(key.clone(), Why::known("the operation goes on"));
}

/// Tells whether hooks may go with this step: how they ended is written down first, so that no kill
/// makes it forgotten.
fn takes_hooks_away(verdict: &Verdict) -> bool {
    verdict.progress.is_some()
        && verdict
            .actions
            .iter()
            .any(|action| matches!(action.deed, Deed::ReleaseHook | Deed::DeleteHook { .. }))
}

/// Tells whether the operation leaves ignored fields as they are.
fn respects_ignored(verdict: &Verdict) -> bool {
    let state = verdict.application.status.operation_state.as_ref();
    state.and_then(|state| state.operation.sync.as_ref()).is_some_and(|sync| {
        sync.sync_options.iter().any(|option| option == "RespectIgnoreDifferences=true")
    })
}

/// Keeps what the next look needs.
fn remember(entry: &mut Entry, gathered: &Gathered, verdict: &Verdict) {
    let state = verdict.application.status.operation_state.as_ref();
    entry.running = match (&verdict.progress, state) {
        (Some(progress), Some(state)) => Some(Running {
            id: (state.started_at.0.clone(), state.retry_count),
            progress: progress.clone(),
        }),
        _ => None,
    };
    if verdict.begun
        && let Some(state) = state
    {
        entry.begun = Some((state.started_at.0.clone(), state.retry_count));
    }
    if let Some(ended) = &verdict.ended {
        let wanted = gathered.operation_wanted.clone().or_else(|| gathered.wanted.clone());
        let sync = ended.operation.sync.as_ref();
        let whole = ended.phase == OperationPhase::Succeeded
            && sync.is_some_and(|sync| sync.resources.is_empty());
        if let Some(mut wanted) = wanted.filter(|_| sync.is_some_and(|sync| !sync.dry_run)) {
            wanted.whole = whole;
            entry.remember(wanted);
            entry.looked_back = true;
        }
    }
}

/// Asks for the next look, where one is due by itself.
fn again(
    shared: &Arc<Shared>,
    key: &AppKey,
    entry: &mut Entry,
    gathered: &Gathered,
    verdict: &Verdict,
    application: &crd::Application,
) {
    if let Some(next) = verdict.next {
        let wait = Duration::try_from(next.at.duration_since(Timestamp::now())).unwrap_or_default();
        shared.queue.push_later(key.clone(), wait, Why::known(next.because));
    }
    if gathered.retry {
        let wait = RETRY_FIRST.saturating_mul(1 << entry.failures.min(8)).min(RETRY_MAX);
        entry.failures = entry.failures.saturating_add(1);
        let why = Why::fresh(desired::Freshness::Latest, "something was not to be had");
        shared.queue.push_later(key.clone(), wait, why);
    } else {
        entry.failures = 0;
    }
    let goes = application.metadata.deletion_timestamp.is_some();
    if verdict.progress.is_some() || goes {
        shared.queue.push_later(key.clone(), OPERATION_LOOK, Why::known("an operation waits"));
    }
    let synced = application.status.sync.status == crd::SyncStatusCode::Synced;
    if verdict.ended.is_some() && (goes || !synced) {
        shared.queue.push(key.clone(), Why::known("an operation ended"));
    }
    let reconciliation = shared.snapshot().settings.reconciliation;
    if let Some(hard) = reconciliation.hard_every {
        // The time since the last one counts, however often there was a look meanwhile.
        let due = *entry.hard_due.get_or_insert_with(|| Instant::now() + hard);
        let why = Why::fresh(desired::Freshness::Hard, "the hard reconciliation is due");
        shared.queue.push_later(key.clone(), due.saturating_duration_since(Instant::now()), why);
    }
    if let Some(every) = reconciliation.every {
        let soft = every + jitter(key, reconciliation.jitter_max);
        let slack = (every / TOGETHER_SHARE).min(TOGETHER_MAX);
        shared.queue.push_together(
            key.clone(),
            soft,
            slack,
            Why::known("the reconciliation is due"),
        );
    }
}

/// A part of the jitter that is an Application's own, so that a thousand are not due at once.
fn jitter(key: &AppKey, max: Duration) -> Duration {
    let mut hash = DefaultHasher::new();
    (key, Timestamp::now().as_second()).hash(&mut hash);
    max.mul_f64(f64::from(hash.finish() as u32) / f64::from(u32::MAX))
}

fn count(shared: &Arc<Shared>, server: &str, gathered: &Gathered, verdict: &Verdict) {
    if let Some(ended) = &verdict.ended {
        let application = &gathered.facts.application;
        shared.metrics.synced(application, server, ended);
        let well = ended.phase == OperationPhase::Succeeded;
        match well {
            true => info!(phase = ended.phase.as_str(), message = ended.message, "operation ended"),
            false => {
                warn!(phase = ended.phase.as_str(), message = ended.message, "operation ended")
            }
        }
    }
}

fn log_failures(outcomes: &[Outcome]) {
    for outcome in outcomes {
        if let sync::Done::Failed(words) = &outcome.done {
            warn!(task = %outcome.task, error = words, "not applied");
        }
    }
}
