//! Waiting for an Application, and telling what happens meanwhile.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Result, bail};
use cluster::{ObjectEvent, WatchSpec, Watching};
use crd::{
    Application, HealthStatusCode, OperationState, RefreshType, ResourceStatus, SyncStatusCode,
};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::app::healths::{self, Healths};
use super::app::selection::{Selection, selects};
use super::app::states::{ResourceState, StateKey, resource_states, states_by_object};
use super::app::summary::Surroundings;
use super::app::{print_resources, summary};
use super::colour::Colour;
use super::connect::{Session, application_kind, read};
use super::name::AppName;
use super::output::{print, print_as};
use super::table::Table;

/// Of an Application with more objects only chosen ones are looked at.
const LOOKED_AT_MAX: usize = 200;

/// How soon chosen objects are looked at again while their health is waited for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What is waited for; all that is asked for must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// What runs is what is wanted.
    pub sync: bool,
    /// All is well.
    pub health: bool,
    /// No operation is asked for or runs.
    pub operation: bool,
    /// It is suspended; with other healths, one of them.
    pub suspended: bool,
    /// It is degraded; with other healths, one of them.
    pub degraded: bool,
    /// It is gone.
    pub delete: bool,
    /// Its manifests are rendered to their branch.
    pub hydrated: bool,
}

impl Wants {
    /// Where nothing is asked for: synced, well, and no operation.
    pub fn or_usual(self) -> Self {
        let usual = Self { sync: true, health: true, operation: true, ..Self::default() };
        if self == Self::default() { usual } else { self }
    }

    /// Whether one object's, or the whole Application's, state is what is waited for.
    fn hold(self, health: &str, sync: &str, asked: bool, hydrated: bool) -> bool {
        let healths = [
            (self.health, HealthStatusCode::Healthy),
            (self.suspended, HealthStatusCode::Suspended),
            (self.degraded, HealthStatusCode::Degraded),
        ];
        let any_health = healths.iter().any(|(wanted, _)| *wanted);
        let well = healths.iter().any(|(wanted, status)| *wanted && health == status.as_str());
        !self.delete
            && (!any_health || well)
            && (!self.sync || sync == SyncStatusCode::Synced.as_str())
            && (!self.operation || !asked)
            && (!self.hydrated || hydrated)
    }
}

/// How an Application stands against what is waited for.
fn reached(application: &Application, wants: Wants, selections: &[Selection]) -> bool {
    let asked = application.operation.is_some();
    let hydrated = hydrated(application);
    let holds = match selections.is_empty() {
        true => wants.hold(
            application.status.health.status.as_str(),
            application.status.sync.status.as_str(),
            asked,
            hydrated,
        ),
        false => resource_states(application, selections)
            .iter()
            .all(|state| wants.hold(&state.health, &state.status, asked, hydrated)),
    };
    holds && !(wants.operation && operation_in_progress(application))
}

/// Whether an operation is asked for, runs, or has ended and was not looked at since.
pub fn operation_in_progress(application: &Application) -> bool {
    if application.operation.is_some() {
        return true;
    }
    let status = &application.status;
    let Some(state) = status.operation_state.as_deref() else { return false };
    let Some(finished) = state.finished_at.as_ref() else { return true };
    if !state.phase.completed() {
        // Between two attempts.
        return true;
    }
    let dry = state.operation.sync.as_ref().is_some_and(|sync| sync.dry_run);
    let seen = status.reconciled_at.as_ref().and_then(|time| time.timestamp());
    !dry && seen.is_none_or(|seen| finished.timestamp().is_some_and(|end| seen < end))
}

fn hydrated(application: &Application) -> bool {
    let Some(status) = application.status.source_hydrator.as_deref() else { return false };
    match (&status.current_operation, &status.last_successful_operation) {
        (Some(current), Some(last)) => {
            current.phase == crd::HydrateOperationPhase::Hydrated
                && current.dry_sha == last.dry_sha
                && current.source_hydrator == last.source_hydrator
        }
        _ => false,
    }
}

/// One Application, as it changes.
pub struct Follower {
    changes: mpsc::UnboundedReceiver<ObjectEvent>,
    _watching: Watching,
}

/// What a follower sees.
pub enum Seen {
    /// The Application as it is.
    Here(Box<Application>),
    /// It is not there, or not any more.
    Gone,
}

impl Follower {
    /// Starts following; the first that is seen is how the Application is now.
    pub fn new(session: &Session, name: &AppName) -> Self {
        let (tell, changes) = mpsc::unbounded_channel();
        let what = WatchSpec {
            gvk: application_kind(),
            namespaces: vec![name.namespace_or(&session.namespace).to_owned()],
            labels: String::new(),
            fields: format!("metadata.name={}", name.name),
        };
        let watching = session.cluster.watch_objects(what, move |event| {
            // Nobody listens any more once the command is done.
            let _ = tell.send(event);
        });
        Self { changes, _watching: watching }
    }

    /// The next state; `None` where the time is over.
    pub async fn next(&mut self, until: Option<Instant>) -> Result<Option<Seen>> {
        let event = match until {
            Some(until) => match timeout_at(until, self.changes.recv()).await {
                Ok(event) => event,
                Err(_) => return Ok(None),
            },
            None => self.changes.recv().await,
        };
        let object = match event {
            Some(ObjectEvent::Restarted { mut objects, .. }) => objects.pop(),
            Some(ObjectEvent::Applied(object)) => Some(object),
            Some(ObjectEvent::Deleted(_)) => None,
            None => bail!("the watch of the application ended"),
        };
        Ok(Some(match object {
            Some(object) => Seen::Here(Box::new(read(object)?)),
            None => Seen::Gone,
        }))
    }
}

/// When a wait of so many seconds is over; 0 is never.
pub fn deadline(timeout_s: u64) -> Option<Instant> {
    (timeout_s > 0).then(|| Instant::now() + Duration::from_secs(timeout_s))
}

/// Asks for a refresh, and waits until the controller has served it. Answers `None` where the
/// time was over before.
pub async fn refresh(
    session: &Session,
    name: &AppName,
    kind: RefreshType,
    until: Option<Instant>,
) -> Result<Option<Application>> {
    let patch = json!({"metadata": {"annotations": {crd::keys::REFRESH: kind.as_str()}}});
    let namespace = name.namespace_or(&session.namespace);
    let asked = session
        .home
        .patch(&application_kind(), namespace, &name.name, cluster::Patch::Merge(patch))
        .await?;
    let since = asked;
    let mut follower = Follower::new(session, name);
    loop {
        match follower.next(until).await? {
            None => return Ok(None),
            Some(Seen::Gone) => bail!("applications.argoproj.io \"{}\" not found", name.name),
            Some(Seen::Here(application)) => {
                let served = application.refresh_requested().is_none();
                if served
                    && application.metadata.resource_version != manifest::resource_version(&since)
                {
                    return Ok(Some(*application));
                }
            }
        }
    }
}

/// One wait.
pub struct Wait<'a> {
    /// Where the Application is.
    pub session: &'a Session,
    /// Which one.
    pub name: AppName,
    /// In seconds; 0 waits for ever.
    pub timeout_s: u64,
    /// What for.
    pub wants: Wants,
    /// Only these objects, where there are any.
    pub selections: &'a [Selection],
    /// `wide`, `json`, `yaml`, `tree` or `tree=detailed`.
    pub output: &'a str,
}

/// What a wait came to.
pub struct Waited {
    /// The Application as it was at the end, refreshed; `None` where it is gone.
    pub application: Option<Application>,
    /// The operation as it was when what was waited for held.
    pub operation: Option<OperationState>,
}

impl Wait<'_> {
    /// Waits, and tells each change of an object meanwhile and the whole state at the end.
    ///
    /// # Errors
    ///
    /// Where the time is over, or an object's health becomes Degraded while health is waited for.
    pub async fn run(self) -> Result<Waited> {
        let until = deadline(self.timeout_s);
        let around = summary::Surroundings::of_waiting(self.session, &self.name).await?;
        let mut teller = Teller::new(self.tells());
        let mut follower = Follower::new(self.session, &self.name);
        let mut first = true;
        let mut refresh_at_end = false;
        let mut last: Option<Application> = None;
        let mut healths: Option<Healths> = None;
        loop {
            // How an object is may change without a change of the Application.
            let polls = healths.is_some() && !self.selections.is_empty();
            let look = polls.then(|| Instant::now() + LOOK_AGAIN);
            let next = follower.next(look.into_iter().chain(until).min()).await?;
            let mut application = match (next, last.take()) {
                (Some(Seen::Gone), _) => return self.gone(first),
                (Some(Seen::Here(application)), _) => *application,
                (None, Some(known)) if until.is_none_or(|until| Instant::now() < until) => known,
                (None, known) => return self.timed_out(known, &around, teller).await,
            };
            if healths.is_none() && self.looks_at_objects(&application) {
                healths = Healths::of(self.session, &application).await;
            }
            last = Some(application.clone());
            if let Some(healths) = &healths {
                let chosen = |row: &ResourceStatus| {
                    let ResourceStatus { group, kind, namespace, name, .. } = row;
                    self.selections.is_empty()
                        || selects(self.selections, group, kind, namespace, name)
                };
                healths.fill(&mut application, chosen).await;
            }
            if !first || application.operation.is_some() {
                let asked = application.operation.as_ref().and_then(|one| one.sync.as_ref());
                refresh_at_end |= asked.is_some_and(|sync| !sync.dry_run);
            }
            first = false;
            let operation = application.status.operation_state.as_deref().cloned();
            if reached(&application, self.wants, self.selections) {
                let application = match refresh_at_end {
                    true => {
                        let refreshed =
                            refresh(self.session, &self.name, RefreshType::Normal, until).await?;
                        refreshed.unwrap_or(application)
                    }
                    false => application,
                };
                teller.flush()?;
                self.tell_all(&application, &around).await?;
                return Ok(Waited { application: Some(application), operation });
            }
            let worse = teller.tell(&application, self.wants, self.selections)?;
            if let Some(before) = worse {
                self.tell_all(&application, &around).await?;
                bail!(
                    "application '{}' health state has transitioned from {before} to Degraded",
                    self.name
                );
            }
        }
    }

    /// Whether the health of single objects is waited for, or one that fails ends the wait.
    fn looks_at_objects(&self, application: &Application) -> bool {
        let wants = &self.wants;
        let few = application.status.resources.len() <= LOOKED_AT_MAX;
        (wants.health || wants.degraded || wants.suspended) && (few || !self.selections.is_empty())
    }

    /// Whether people read the output, and not a program.
    fn tells(&self) -> bool {
        !matches!(self.output, "json" | "yaml")
    }

    fn gone(&self, at_once: bool) -> Result<Waited> {
        if !self.wants.delete {
            bail!("applications.argoproj.io \"{}\" not found", self.name.name);
        }
        // Asked about what is gone already, the answer is the same.
        let _ = at_once;
        print(&format!("Application '{}' deleted\n", self.name))?;
        Ok(Waited { application: None, operation: None })
    }

    async fn timed_out(
        &self,
        last: Option<Application>,
        around: &Surroundings,
        mut teller: Teller,
    ) -> Result<Waited> {
        teller.flush()?;
        if let Some(application) = last {
            if self.tells() {
                print("\nThis is the state of the app after wait timed out:\n")?;
            }
            self.tell_all(&application, around).await?;
            if self.tells() {
                print("\nThe command timed out waiting for the conditions to be met.\n")?;
            }
        }
        bail!(
            "timed out ({}s) waiting for app \"{}\" match desired state",
            self.timeout_s,
            self.name
        )
    }

    /// The whole state, at the end.
    async fn tell_all(&self, application: &Application, around: &Surroundings) -> Result<()> {
        let mut application = application.clone();
        if !self.output.starts_with("tree") {
            healths::fill(self.session, &mut application).await;
        }
        let application = &application;
        if !self.tells() {
            return print_as(self.output, application);
        }
        let colour = Colour::of_stdout();
        print(&format!("\n{}\n", summary::summary(application, around, colour)))?;
        if self.wants.operation
            && let Some(state) = application.status.operation_state.as_deref()
        {
            print(&summary::operation_lines(state, jiff::Timestamp::now(), colour))?;
        }
        print_resources(self.session, application, self.output).await
    }
}

/// Tells each change of an object once.
struct Teller {
    known: HashMap<StateKey, ResourceState>,
    table: Option<Table>,
}

impl Teller {
    fn new(tells: bool) -> Self {
        let table = tells.then(|| {
            let mut table = Table::with_columns_of(5);
            let headings = [
                "TIMESTAMP",
                "GROUP",
                "KIND",
                "NAMESPACE",
                "NAME",
                "STATUS",
                "HEALTH",
                "HOOK",
                "MESSAGE",
            ];
            table.line(cells(headings.map(str::to_owned)));
            table
        });
        Self { known: HashMap::new(), table }
    }

    /// Tells what changed. Answers the former health of an object that became Degraded while
    /// health is waited for.
    fn tell(
        &mut self,
        application: &Application,
        wants: Wants,
        selections: &[Selection],
    ) -> Result<Option<String>> {
        let degraded = HealthStatusCode::Degraded;
        for state in states_by_object(application, selections) {
            let told = match self.known.get_mut(&state.key()) {
                None => self.known.entry(state.key()).or_insert(state),
                Some(known) => {
                    let bad = [HealthStatusCode::Unknown.as_str(), degraded.as_str()];
                    if wants.health
                        && state.health == degraded.as_str()
                        && !bad.contains(&known.health.as_str())
                    {
                        let before = known.health.clone();
                        self.flush()?;
                        return Ok(Some(before));
                    }
                    if !known.merge(&state) {
                        continue;
                    }
                    known
                }
            };
            if let Some(table) = &mut self.table {
                let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string();
                let [group, kind, namespace, name, status, health, hook, message] = told.cells();
                table.line(cells([
                    now, group, kind, namespace, name, status, health, hook, message,
                ]));
            }
        }
        self.flush()?;
        Ok(None)
    }

    fn flush(&mut self) -> Result<()> {
        match &mut self.table {
            Some(table) if !table.is_empty() => {
                let text = table.print(Colour::of_stdout());
                *table = Table::with_columns_of(5);
                print(&text)
            }
            _ => Ok(()),
        }
    }
}

/// Cells as wide as upstream's progress has them, so that lines printed one after the other
/// stand under each other.
fn cells(words: [String; 9]) -> Vec<String> {
    const WIDTHS: [usize; 9] = [0, 5, 10, 10, 20, 8, 7, 10, 0];
    words.into_iter().zip(WIDTHS).map(|(word, width)| format!("{word:>width$}")).collect()
}
