//! One step of an operation: from what is known now to what to do now.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use manifest::{annotation, kind};
use serde_json::Value;

use crate::marks::{MADE_FOR, has_hook_finalizer, is_skipped};
use crate::model::{
    Action, Deed, DeletePolicy, Done, Live, OperationPhase, Outcome, ResultCode, SyncPhase, TaskId,
    TaskResult, Wellness, WriteVerdict,
};
use crate::options::Options;
use crate::plan::{World, plan};
use crate::task::Task;
use crate::words;

/// How far an operation is. What must outlive this process stands in the status; the rest is
/// found again.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// How far.
    pub phase: OperationPhase,
    /// Why it waits, or how it ended.
    pub message: String,
    /// One a task, in the order in which they were tried.
    pub results: Vec<TaskResult>,
    /// The part that runs now; lost with the process, which then begins the part again.
    running: Option<Part>,
    /// What the last step's actions are for: once carried out, the world may not show it any more.
    tried: BTreeMap<TaskId, TaskResult>,
    /// Until when it rests between two waves; lost with the process.
    rest_until: Option<Timestamp>,
    /// How it ends once its hooks are deleted; lost with the process, which then deletes them again.
    finishing: Option<(OperationPhase, String)>,
}

/// A phase and wave while it runs.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    phase: SyncPhase,
    /// `None`: every wave, as hooks of a failure run.
    wave: Option<i64>,
    /// Hooks that were asked to go before they are made again.
    deleting: BTreeSet<TaskId>,
    /// Hooks whose finalizer has been taken off.
    released: BTreeSet<TaskId>,
    /// Whether a deed that leaves no result failed.
    failed: bool,
}

impl Part {
    fn new(phase: SyncPhase, wave: Option<i64>) -> Self {
        let (deleting, released) = (BTreeSet::new(), BTreeSet::new());
        Self { phase, wave, deleting, released, failed: false }
    }

    fn has(&self, task: &Task) -> bool {
        task.phase == self.phase && self.wave.is_none_or(|wave| wave == task.wave)
    }
}

/// How an operation ends of which something is wrong before anything is written.
const REHEARSAL_FAILED: &str = "one or more objects failed to apply (dry run)";

/// Whether what runs is waited for.
enum Wait {
    /// It runs on; the message says what is waited for.
    On,
    /// All of it is done; hooks are let go.
    Over(Vec<Action>),
}

/// What to do now.
#[derive(Clone, Debug)]
pub struct Step {
    /// All of them may be carried out at once. None: nothing to do before the world changes,
    /// or the operation is over; `Progress::phase` says which, `message` what it waits for.
    pub actions: Vec<Action>,
}

impl Progress {
    /// An operation that begins, or goes on from what its status says.
    pub fn resume(phase: OperationPhase, message: String, results: Vec<TaskResult>) -> Self {
        Self {
            phase,
            message,
            results,
            running: None,
            tried: BTreeMap::new(),
            rest_until: None,
            finishing: None,
        }
    }

    /// When to look again although nothing may have changed: the rest between two waves is over.
    pub fn rests_until(&self) -> Option<Timestamp> {
        self.rest_until
    }

    /// Writes down what became of the last step's actions.
    pub fn record(&mut self, options: &Options, outcomes: &[Outcome]) {
        if self.finishing.is_some() {
            // How a hook ended stands there already; that it could not be deleted changes nothing.
            self.tried.clear();
            return;
        }
        for outcome in outcomes {
            let Some(mut result) = self.tried.get(&outcome.task).cloned() else { continue };
            let (status, progress, words) = match &outcome.done {
                Done::Applied(words) => {
                    let progress = match options.dry_run {
                        true => OperationPhase::Succeeded,
                        false => OperationPhase::Running,
                    };
                    (ResultCode::Synced, progress, words.as_str())
                }
                Done::PruneBegun => {
                    let words = if options.dry_run { "pruned (dry run)" } else { "pruned" };
                    (ResultCode::Pruned, OperationPhase::Succeeded, words)
                }
                Done::HookDeletionBegun(was_there) => {
                    if let Some(part) = self.running.as_mut().filter(|_| *was_there) {
                        part.deleting.insert(outcome.task.clone());
                    }
                    continue;
                }
                Done::HookReleased => {
                    if let Some(part) = &mut self.running {
                        part.released.insert(outcome.task.clone());
                    }
                    continue;
                }
                Done::Failed(words) => {
                    if let Some(part) = &mut self.running {
                        part.failed = true;
                    }
                    (ResultCode::SyncFailed, OperationPhase::Failed, words.as_str())
                }
            };
            result.status = Some(status);
            result.progress = Some(progress);
            if !words.is_empty() {
                words.clone_into(&mut result.message);
            }
            self.keep(result);
        }
        self.tried.clear();
    }

    /// Says what to do now, and moves the operation on.
    ///
    /// Call it again when its actions are carried out and recorded, and when the world changed.
    pub fn advance(&mut self, world: &World) -> Step {
        let step = self.step(world);
        let of_actions: BTreeSet<&TaskId> =
            step.actions.iter().map(|action| &action.task).collect();
        let tasks = plan(world, &self.results).tasks;
        self.tried = tasks
            .iter()
            .filter(|task| of_actions.contains(&task.id()))
            .map(|task| (task.id(), task.result()))
            .collect();
        step
    }

    fn step(&mut self, world: &World) -> Step {
        let plan = plan(world, &self.results);
        let mut tasks = plan.tasks;
        if !plan.valid {
            return self.refuse(&tasks);
        }
        if self.phase == OperationPhase::Terminating {
            return self.terminate(world, &mut tasks);
        }
        if self.results.is_empty()
            && self.names_nothing(world, &mut tasks)
            && !world.options.dry_run
        {
            self.running = None;
            self.say(OperationPhase::Failed, REHEARSAL_FAILED);
            return Step { actions: Vec::new() };
        }
        if world.options.dry_run {
            return self.rehearse(world, &tasks);
        }
        if let Some((phase, message)) = self.finishing.take() {
            self.say(phase, message);
            return Step { actions: Vec::new() };
        }
        self.recognize(world, &mut tasks);
        if let Some(part) = self.running.take() {
            return self.go_on(world, tasks, part);
        }
        self.watch(&mut tasks);
        let released = match self.wait_for_running(world, &mut tasks) {
            Wait::On => return Step { actions: Vec::new() },
            Wait::Over(released) => released,
        };
        let (on_failure, ordinary): (Vec<Task>, Vec<Task>) =
            tasks.into_iter().partition(|task| task.phase == SyncPhase::SyncFail);
        let failed = ordinary.iter().any(Task::failed);
        let waits_to_begin =
            |task: &&Task| task.pending() && !(world.options.out_of_sync_only && is_in_sync(task));
        let rests = self.rest_until.is_some_and(|until| until > world.now);
        if !released.is_empty()
            && (failed || rests || !ordinary.iter().any(|one| waits_to_begin(&one)))
        {
            // Nothing may be over before every hook is let go.
            return Step { actions: released };
        }
        if failed {
            let message = "one or more synchronization tasks completed unsuccessfully";
            return self.fail(world, ordinary.clone(), ordinary, on_failure, message);
        }
        let pending: Vec<Task> = ordinary.iter().filter(waits_to_begin).cloned().collect();
        let Some(first) = pending.first() else {
            let hooks = ordinary.iter().chain(&on_failure);
            let actions = delete_hooks(world, hooks, DeletePolicy::HookSucceeded);
            let message = "successfully synced (no more tasks)".to_owned();
            return self.finish(OperationPhase::Succeeded, message, actions);
        };
        if rests {
            self.say(OperationPhase::Running, "waiting for the delay between sync waves");
            return Step { actions: Vec::new() };
        }
        self.rest_until = None;
        let part = Part::new(first.phase, Some(first.wave));
        self.say(OperationPhase::Running, "one or more tasks are running");
        let all = ordinary.into_iter().chain(on_failure).collect();
        let mut step = self.go_on(world, all, part);
        // Hooks that are done are let go while the next part begins.
        for one in released {
            let known = |action: &Action| {
                action.task == one.task && matches!(action.deed, Deed::ReleaseHook)
            };
            if !step.actions.iter().any(known) {
                step.actions.push(one);
            }
        }
        step
    }

    /// Ends the operation; hooks that go with it go first, once how they ended is written down.
    fn finish(&mut self, phase: OperationPhase, message: String, actions: Vec<Action>) -> Step {
        if actions.is_empty() {
            self.say(phase, message);
        } else {
            self.say(OperationPhase::Running, "deleting hooks as their policies say");
            self.finishing = Some((phase, message));
        }
        Step { actions }
    }

    /// Takes hooks for running that a killed process has made for this very attempt, and had no time
    /// to write down: they are not run twice.
    fn recognize(&mut self, world: &World, tasks: &mut [Task]) {
        if !world.goes_on {
            return;
        }
        for task in tasks.iter_mut().filter(|task| task.is_hook() && task.pending()) {
            let made_for = task.target().and_then(|target| annotation(target, MADE_FOR));
            let Some(live) = task.live().filter(|live| !live.deleting()) else { continue };
            if made_for.is_some() && annotation(&live.head, MADE_FOR) == made_for {
                let words = words::done(&task.gvk(), &task.key().name, "created", false);
                let (status, progress) = (ResultCode::Synced, OperationPhase::Running);
                self.set(task, Some(status), Some(progress), &words);
            }
        }
    }

    fn say(&mut self, phase: OperationPhase, message: impl Into<String>) {
        self.phase = phase;
        self.message = message.into();
    }

    fn set(
        &mut self,
        task: &mut Task,
        status: Option<ResultCode>,
        progress: Option<OperationPhase>,
        message: &str,
    ) {
        task.status = status;
        task.progress = progress;
        if !message.is_empty() {
            task.message = message.to_owned();
        }
        self.keep(task.result());
    }

    fn keep(&mut self, new: TaskResult) {
        match self.results.iter_mut().find(|result| result.id == new.id) {
            Some(old) => {
                old.status = new.status;
                old.progress = new.progress;
                old.message = new.message;
            }
            None => self.results.push(new),
        }
    }

    /// Writes down which objects have no name: an apply needs one, and upstream finds out before
    /// anything is written. Answers whether there are any.
    fn names_nothing(&mut self, world: &World, tasks: &mut [Task]) -> bool {
        let mut any = false;
        for task in tasks.iter_mut().filter(|task| task.pending() && !task.is_prune()) {
            let object = task.object();
            if !manifest::name(object).is_empty()
                || world.options.out_of_sync_only && is_in_sync(task)
            {
                continue;
            }
            let prefix = object.pointer("/metadata/generateName").and_then(Value::as_str);
            let words = match prefix.filter(|prefix| !prefix.is_empty()) {
                Some(prefix) => format!("from {prefix}: cannot use generate name with apply"),
                None => "resource name may not be empty".to_owned(),
            };
            let (status, progress) = (ResultCode::SyncFailed, OperationPhase::Failed);
            self.set(task, Some(status), Some(progress), &words);
            any = true;
        }
        any
    }

    /// Ends an operation of which a part cannot be tried; nothing has been written.
    fn refuse(&mut self, tasks: &[Task]) -> Step {
        let refused: Vec<&Task> =
            tasks.iter().filter(|task| task.status == Some(ResultCode::SyncFailed)).collect();
        let mut words = BTreeSet::new();
        for task in refused {
            words.insert(task.message.clone());
            let result = task.result();
            match self.results.iter_mut().find(|old| old.id == result.id) {
                Some(old) => *old = result,
                None => self.results.push(result),
            }
        }
        let words: Vec<String> = words.into_iter().filter(|words| !words.is_empty()).collect();
        let message = match words.is_empty() {
            true => "one or more synchronization tasks are not valid".to_owned(),
            false => {
                format!("one or more synchronization tasks are not valid: {}", words.join("; "))
            }
        };
        self.running = None;
        self.say(OperationPhase::Failed, message);
        Step { actions: Vec::new() }
    }

    /// Writes down how the running tasks are, from what is live.
    fn watch(&mut self, tasks: &mut [Task]) {
        for task in tasks.iter_mut().filter(|task| task.running()) {
            let Some(live) = task.resource.live.clone() else { continue };
            let status = task.status;
            if task.is_hook() {
                let (progress, words) = hook_phase(&live);
                self.set(task, status, Some(progress), &words);
                continue;
            }
            match &live.health {
                None => self.set(task, status, Some(OperationPhase::Succeeded), ""),
                Some((Wellness::Healthy, words)) => {
                    self.set(task, status, Some(OperationPhase::Succeeded), words);
                }
                Some((Wellness::Degraded, words)) => {
                    self.set(task, status, Some(OperationPhase::Failed), words);
                }
                // Upstream waits on: somebody may resume it, or it may yet be told.
                Some((
                    Wellness::Progressing
                    | Wellness::Suspended
                    | Wellness::Missing
                    | Wellness::Unknown,
                    _,
                )) => {}
            }
        }
    }

    fn wait_for_running(&mut self, world: &World, tasks: &mut [Task]) -> Wait {
        let several = match (tasks.first(), tasks.last()) {
            (Some(first), Some(last)) => (first.phase, first.wave) != (last.phase, last.wave),
            _ => false,
        };
        let mut running = Vec::new();
        for task in tasks.iter_mut().filter(|task| (several || task.is_hook()) && task.running()) {
            if task.resource.live.is_none() {
                let words =
                    format!("Resource {} is missing, it might have been deleted", task.words());
                let status = Some(ResultCode::SyncFailed);
                self.set(task, status, Some(OperationPhase::Error), &words);
            }
            running.push(task.clone());
        }
        if running.iter().any(Task::running) {
            self.wait(world, &running, false);
            return Wait::On;
        }
        let going: Vec<Task> = tasks
            .iter()
            .filter(|task| task.status == Some(ResultCode::Pruned))
            .filter(|task| task.live().is_some_and(|live| live.deleting()))
            .cloned()
            .collect();
        if !going.is_empty() {
            self.wait(world, &going, true);
            return Wait::On;
        }
        let done = tasks
            .iter()
            .filter(|task| task.is_hook() && task.completed())
            .filter(|task| task.live().is_some_and(|live| has_hook_finalizer(&live.head)))
            .map(|task| action(task, Deed::ReleaseHook));
        Wait::Over(done.collect())
    }

    /// Goes on with a phase and wave until nothing is left to do in it.
    fn go_on(&mut self, world: &World, tasks: Vec<Task>, part: Part) -> Step {
        let skip = |task: &Task| world.options.out_of_sync_only && is_in_sync(task);
        let mine: Vec<&Task> = tasks.iter().filter(|task| part.has(task) && !skip(task)).collect();
        let pending: Vec<&Task> = mine.iter().copied().filter(|task| task.pending()).collect();

        // What an earlier operation left, so that the hook can go.
        let held: Vec<Action> = pending
            .iter()
            .filter(|task| task.is_hook() && !part.released.contains(&task.id()))
            .filter(|task| task.live().is_some_and(|live| has_hook_finalizer(&live.head)))
            .map(|task| action(task, Deed::ReleaseHook))
            .collect();
        if !held.is_empty() {
            self.running = Some(part);
            return Step { actions: held };
        }

        if let Some(step) = self.prune(world, &pending, &part) {
            return step;
        }

        let doomed: Vec<&Task> =
            pending.iter().copied().filter(|task| task.delete_before_creation()).collect();
        if !doomed.is_empty() {
            let ask: Vec<Action> = doomed
                .iter()
                .filter(|task| !part.deleting.contains(&task.id()))
                .map(|task| {
                    let propagation = world.options.propagation;
                    action(task, Deed::DeleteHook { propagation, before_creation: true })
                })
                .collect();
            if ask.is_empty() {
                let doomed: Vec<Task> = doomed.into_iter().cloned().collect();
                self.wait(world, &doomed, true);
            }
            self.running = Some(part);
            return Step { actions: ask };
        }

        let creates: Vec<&Task> = pending.iter().copied().filter(|task| !task.is_prune()).collect();
        if !creates.is_empty() {
            self.running = Some(part);
            return Step { actions: apply_next(world, &creates) };
        }
        self.end_part(world, &tasks, &part)
    }

    /// Asks the server about everything at once, hooks of every phase included: what waits for
    /// nothing needs no waves.
    fn rehearse(&mut self, world: &World, tasks: &[Task]) -> Step {
        let skip = |task: &Task| world.options.out_of_sync_only && is_in_sync(task);
        let pending: Vec<&Task> =
            tasks.iter().filter(|task| task.pending() && !skip(task)).collect();
        let part = Part::new(SyncPhase::Sync, None);
        if let Some(step) = self.prune(world, &pending, &part) {
            return step;
        }
        // What is of a kind that comes with this sync cannot be asked about yet.
        let known = |task: &&Task| task.resource.verdict == WriteVerdict::Permitted;
        let creates: Vec<&Task> =
            pending.into_iter().filter(|task| !task.is_prune()).filter(known).collect();
        if !creates.is_empty() {
            self.say(OperationPhase::Running, "one or more tasks are running");
            self.running = Some(part);
            return Step { actions: apply_next(world, &creates) };
        }
        self.running = None;
        let (phase, message) = match tasks.iter().any(Task::failed) {
            true => (OperationPhase::Failed, REHEARSAL_FAILED),
            false => (OperationPhase::Succeeded, "successfully synced (no more tasks)"),
        };
        self.say(phase, message);
        Step { actions: Vec::new() }
    }

    fn prune(&mut self, world: &World, pending: &[&Task], part: &Part) -> Option<Step> {
        let prunes: Vec<&Task> = pending.iter().copied().filter(|task| task.is_prune()).collect();
        let unconfirmed = prunes.iter().any(|task| {
            task.live().is_some_and(|live| world.options.prune_needs_confirmation(&live.head))
        });
        if unconfirmed && !world.prune_confirmed {
            let prunes: Vec<Task> = prunes.into_iter().cloned().collect();
            self.wait(world, &prunes, true);
            self.running = Some(part.clone());
            return Some(Step { actions: Vec::new() });
        }
        let mut actions = Vec::new();
        let mut skipped = false;
        for task in prunes {
            let Some(live) = task.live() else { continue };
            let words = if !world.options.prune {
                "ignored (requires pruning)"
            } else if world.options.never_prunes(&live.head) {
                "ignored (no prune)"
            } else if world.options.dry_run || live.deleting() {
                let words = if world.options.dry_run { "pruned (dry run)" } else { "pruned" };
                let (status, progress) = (ResultCode::Pruned, OperationPhase::Succeeded);
                self.set(&mut task.clone(), Some(status), Some(progress), words);
                skipped = true;
                continue;
            } else {
                let propagation = world.options.propagation;
                actions.push(action(task, Deed::Prune { propagation }));
                continue;
            };
            let (status, progress) = (ResultCode::PruneSkipped, OperationPhase::Succeeded);
            self.set(&mut task.clone(), Some(status), Some(progress), words);
            skipped = true;
        }
        if actions.is_empty() && !skipped {
            return None;
        }
        self.running = Some(part.clone());
        if actions.is_empty() {
            return Some(self.step(world));
        }
        Some(Step { actions })
    }

    /// Draws the conclusion of a phase and wave in which nothing is left to do.
    fn end_part(&mut self, world: &World, tasks: &[Task], part: &Part) -> Step {
        if part.phase == SyncPhase::SyncFail {
            return self.step(world);
        }
        let mine: Vec<Task> = tasks.iter().filter(|task| part.has(task)).cloned().collect();
        let (on_failure, ordinary): (Vec<Task>, Vec<Task>) =
            tasks.iter().cloned().partition(|task| task.phase == SyncPhase::SyncFail);
        let failed =
            part.failed || mine.iter().any(|task| task.status == Some(ResultCode::SyncFailed));
        if failed {
            let hooks: Vec<Task> =
                mine.iter().filter(|task| task.is_hook() && task.running()).cloned().collect();
            if hooks.is_empty() {
                let message = "one or more objects failed to apply";
                return self.fail(world, mine, ordinary, on_failure, message);
            }
            // Hooks of the failure do not wait for those that still run.
            if on_failure.iter().any(Task::pending) {
                return self.run_on_failure(world, on_failure);
            }
            self.wait(world, &hooks, false);
            return Step { actions: Vec::new() };
        }
        let remaining = ordinary
            .iter()
            .any(|task| task.pending() && !(world.options.out_of_sync_only && is_in_sync(task)));
        if !remaining && !mine.iter().any(Task::is_hook) {
            // The last part, and nothing to wait for: as `kubectl apply`, it is done when applied.
            let hooks = ordinary.iter().chain(&on_failure);
            let actions = delete_hooks(world, hooks, DeletePolicy::HookSucceeded);
            let message = "successfully synced (all tasks run)".to_owned();
            return self.finish(OperationPhase::Succeeded, message, actions);
        }
        // What was applied may be well already: then the next part begins at once.
        if world.wave_delay.is_positive() {
            self.rest_until = world.now.checked_add(world.wave_delay).ok();
        }
        self.step(world)
    }

    /// Runs the hooks of a failure, then fails.
    fn fail(
        &mut self,
        world: &World,
        tried: Vec<Task>,
        ordinary: Vec<Task>,
        on_failure: Vec<Task>,
        message: &str,
    ) -> Step {
        let done = on_failure.iter().filter(|task| task.completed());
        let hooks = ordinary.iter().chain(done);
        let mut actions = delete_hooks(world, hooks, DeletePolicy::HookFailed);
        if !on_failure.iter().all(Task::completed) {
            let mut step = self.run_on_failure(world, on_failure);
            actions.append(&mut step.actions);
            return Step { actions };
        }
        let reasons: BTreeSet<&str> = tried
            .iter()
            .filter(|task| task.status == Some(ResultCode::SyncFailed))
            .map(|task| task.message.as_str())
            .collect();
        let reasons: Vec<&str> = reasons.into_iter().collect();
        let mut message = match reasons.is_empty() {
            true => message.to_owned(),
            false => format!("{message}, reason: {}", reasons.join(",")),
        };
        let failed: Vec<&str> = on_failure
            .iter()
            .filter(|task| task.status == Some(ResultCode::SyncFailed))
            .map(|task| task.message.as_str())
            .collect();
        if !failed.is_empty() {
            message.push_str("\none or more SyncFail hooks failed, reason: ");
            message.push_str(&failed.join(","));
        }
        self.finish(OperationPhase::Failed, message, actions)
    }

    /// Begins the hooks of a failure: what an earlier sync left of them goes first.
    fn run_on_failure(&mut self, world: &World, on_failure: Vec<Task>) -> Step {
        let waiting: Vec<Task> =
            on_failure.iter().filter(|task| !task.completed()).cloned().collect();
        self.wait(world, &waiting, false);
        self.go_on(world, on_failure, Part::new(SyncPhase::SyncFail, None))
    }

    /// Ends an operation that somebody asked to end: hooks that run go.
    fn terminate(&mut self, world: &World, tasks: &mut [Task]) -> Step {
        let mut actions = Vec::new();
        self.running = None;
        for task in tasks.iter_mut().filter(|task| task.is_hook() && task.running()) {
            let status = task.status;
            let Some(live) = task.resource.live.clone() else {
                self.set(task, status, Some(OperationPhase::Succeeded), "Terminated");
                continue;
            };
            actions.push(action(task, Deed::ReleaseHook));
            // It may have ended in the meantime.
            let ended = Some(hook_phase(&live)).filter(|(phase, _)| phase.completed());
            if ended.is_none() || task.has_policy(DeletePolicy::HookFailed) {
                let propagation = world.options.propagation;
                actions
                    .push(action(task, Deed::DeleteHook { propagation, before_creation: false }));
            }
            let (phase, words) = ended.unwrap_or((OperationPhase::Failed, "Terminated".to_owned()));
            self.set(task, status, Some(phase), &words);
        }
        // Those that are done stay, and nobody will come back to let them go.
        let done = tasks.iter().filter(|task| task.is_hook() && task.completed());
        let held = |task: &&Task| task.live().is_some_and(|live| has_hook_finalizer(&live.head));
        let mut released: Vec<Action> =
            done.filter(held).map(|task| action(task, Deed::ReleaseHook)).collect();
        released.retain(|one| actions.iter().all(|action| action.task != one.task));
        actions.extend(released);
        self.say(OperationPhase::Failed, "Operation terminated");
        Step { actions }
    }

    /// Says what the operation waits for.
    fn wait(&mut self, world: &World, tasks: &[Task], deletion: bool) {
        let Some(mut first) = tasks.first() else {
            self.say(OperationPhase::Running, "");
            return;
        };
        let hooks = tasks.iter().filter(|task| task.is_hook()).count();
        let mut others = tasks.len() - 1;
        let kinds = if hooks == tasks.len() { "hooks" } else { "resources" };
        let mut reason = match (deletion, hooks > 0) {
            (true, true) => "deletion of hook",
            (true, false) => "deletion of",
            (false, true) => "completion of hook",
            (false, false) => "healthy state of",
        };
        if let Some(hook) = tasks.iter().find(|task| task.is_hook()) {
            first = hook;
        }
        if !world.prune_confirmed {
            let unconfirmed: Vec<&Task> = tasks
                .iter()
                .filter(|task| task.is_prune())
                .filter(|task| {
                    task.live()
                        .is_some_and(|live| world.options.prune_needs_confirmation(&live.head))
                })
                .collect();
            if let Some(one) = unconfirmed.first() {
                reason = "pruning confirmation of";
                first = one;
                others = unconfirmed.len() - 1;
            }
        }
        let mut message = format!("waiting for {reason} {}", first.words());
        if others > 0 {
            message.push_str(&format!(" and {others} more {kinds}"));
        }
        self.say(OperationPhase::Running, message);
    }
}

/// Returns how far a hook is, and in which words.
fn hook_phase(live: &Live) -> (OperationPhase, String) {
    match &live.health {
        None | Some((Wellness::Missing, _)) => {
            (OperationPhase::Succeeded, format!("{} created", manifest::name(&live.head)))
        }
        Some((Wellness::Healthy, words)) => (OperationPhase::Succeeded, words.clone()),
        Some((Wellness::Unknown | Wellness::Degraded, words)) => {
            (OperationPhase::Failed, words.clone())
        }
        Some((Wellness::Progressing | Wellness::Suspended, words)) => {
            (OperationPhase::Running, words.clone())
        }
    }
}

/// Tells whether an ordinary object is as git has it.
fn is_in_sync(task: &Task) -> bool {
    !task.is_hook()
        && !task.resource.modified
        && task.resource.target.is_some()
        && task.resource.live.is_some()
}

fn action(task: &Task, deed: Deed) -> Action {
    Action { task: task.id(), gvk: task.gvk(), key: task.key(), deed }
}

/// Applies the tasks of the first one's kind: one kind goes at a time.
fn apply_next(world: &World, tasks: &[&Task]) -> Vec<Action> {
    let Some(first) = tasks.first() else { return Vec::new() };
    let next = kind(first.object());
    let of_kind = tasks.iter().take_while(|task| kind(task.object()) == next);
    of_kind.map(|task| apply(world, task)).collect()
}

fn apply(world: &World, task: &Task) -> Action {
    let object = task.target().cloned().unwrap_or_default();
    debug_assert!(!is_skipped(&object), "what is skipped makes no task");
    let deed = Deed::Apply {
        how: world.options.how(&task.resource),
        told_as_server_side: world.options.told_as_server_side(&object),
        force: world.options.forces(&task.resource),
        validate: world.options.validates(&object),
        dry_run: world.options.dry_run,
        migrate_from: world.options.migrate_from.clone(),
        object,
    };
    action(task, deed)
}

fn delete_hooks<'t>(
    world: &World,
    tasks: impl IntoIterator<Item = &'t Task>,
    policy: DeletePolicy,
) -> Vec<Action> {
    tasks
        .into_iter()
        .filter(|task| task.resource.live.is_some() && !task.running() && task.has_policy(policy))
        .map(|task| {
            let propagation = world.options.propagation;
            action(task, Deed::DeleteHook { propagation, before_creation: false })
        })
        .collect()
}
