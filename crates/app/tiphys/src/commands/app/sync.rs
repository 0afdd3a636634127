//! `app sync`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use crd::{
    Application, Info, Operation, RefreshType, RetryStrategy, SyncOperation, SyncOperationResource,
    SyncStatusCode, SyncStrategy, SyncStrategyApply, SyncStrategyHook,
};
use policy::{SyncAsked, windows_permit};

use super::flags::Requests;
use super::operation::{ask, initiator};
use super::selection::{Selection, selected};
use super::spec::retry_of;
use super::told::{Reason, tell};
use super::{diff, position_of, render};
use crate::commands::connect::Session;
use crate::commands::failure::refused;
use crate::commands::input;
use crate::commands::name::AppName;
use crate::commands::output::{check, print};
use crate::commands::progress::{Wait, Waited, Wants, deadline, refresh};
use crate::commands::prompt::{self, Answer};

/// Where an object that is named is in no comparison yet, a new one is waited for so long, in seconds.
const LOOKS_FOR_S: u64 = 10;

/// Arguments of `app sync`.
#[derive(Debug, Default, clap::Args)]
pub struct Arguments {
    /// The applications
    #[arg(value_name = "APPNAME")]
    apps: Vec<String>,
    /// Sync every application with matching labels
    #[arg(short = 'l', long, value_name = "SELECTOR", default_value = "")]
    selector: String,
    /// Sync every application of this project; may be repeated
    #[arg(long = "project", value_name = "NAME")]
    projects: Vec<String>,
    /// Sync to this revision
    #[arg(long, value_name = "REVISION", default_value = "")]
    revision: String,
    /// Revision of one of several sources; may be repeated, with --source-positions or --source-names
    #[arg(long, value_name = "REVISION")]
    revisions: Vec<String>,
    /// Which sources the revisions are for, counted from 1
    #[arg(long, value_name = "NUMBER", value_delimiter = ',')]
    source_positions: Vec<i64>,
    /// Which sources the revisions are for, by name
    #[arg(long, value_name = "NAME")]
    source_names: Vec<String>,
    /// Only this object, as [!]GROUP:KIND:[NAMESPACE/]NAME; * fits anything, ! leaves out; may be repeated
    #[arg(long = "resource", value_name = "RESOURCE")]
    resources: Vec<String>,
    /// Only objects with this label; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<String>,
    /// Delete what left the sources
    #[arg(long)]
    prune: bool,
    /// Change nothing
    #[arg(long)]
    dry_run: bool,
    /// Delete and make again what cannot be changed
    #[arg(long)]
    force: bool,
    /// Replace objects instead of applying them
    #[arg(long)]
    replace: bool,
    /// Apply on the server's side
    #[arg(long)]
    server_side: bool,
    #[command(flatten)]
    requests: Requests,
    /// Only objects that are out of sync
    #[arg(long)]
    apply_out_of_sync_only: bool,
    /// How to apply: apply leaves hooks out, hook runs them
    #[arg(long, value_name = "apply|hook", default_value = "")]
    strategy: String,
    /// How often to try again
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    retry_limit: i64,
    /// Take the newest revision when trying again
    #[arg(long)]
    retry_refresh: bool,
    /// First wait before trying again [default: 5s]
    #[arg(long, value_name = "DURATION")]
    retry_backoff_duration: Option<String>,
    /// Longest wait before trying again [default: 3m0s]
    #[arg(long, value_name = "DURATION")]
    retry_backoff_max_duration: Option<String>,
    /// Each wait is this many times the one before [default: 2]
    #[arg(long, value_name = "NUMBER")]
    retry_backoff_factor: Option<i64>,
    /// A fact to keep with the operation; may be repeated
    #[arg(long = "info", value_name = "KEY=VALUE")]
    infos: Vec<String>,
    /// Do not wait for the end
    #[arg(long = "async")]
    without_waiting: bool,
    /// Give up waiting after so many seconds; 0 waits for ever
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    timeout: u64,
    /// Show what would change, and ask
    #[arg(long)]
    preview_changes: bool,
    /// Answer yes to every question
    #[arg(long = "assumeYes")]
    assume_yes: bool,
    #[command(flatten)]
    local: render::Local,
    /// Output format, one of json|yaml|wide|tree|tree=detailed
    #[arg(short, long, value_name = "FORMAT", default_value = "wide")]
    output: String,
    /// The applications' namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Syncs Applications, one after the other.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    arguments.check()?;
    for name in arguments.names(session).await? {
        if !sync(session, &arguments, &name).await? {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    /// Refuses what does not go together.
    fn check(&self) -> Result<()> {
        check(&self.output, &["json", "yaml", "wide", "tree", "tree=detailed"])?;
        let one = self.apps.len() == 1;
        let positions = !self.source_positions.is_empty();
        let names = !self.source_names.is_empty();
        let revisions = self.revisions.len();
        let words = if self.apps.is_empty() && self.selector.is_empty() && self.projects.is_empty()
        {
            "name the applications, or choose them with --selector or --project"
        } else if self.apps.len() > 1 && !self.selector.is_empty() {
            "Cannot use selector option when application name(s) passed as argument(s)"
        } else if !one && (revisions > 0 || positions) {
            "Cannot use --revisions and --source-positions options when 0 or more than 1 \
             application names are passed as argument(s)"
        } else if !one && names {
            "Cannot use --revisions and --source-names options when 0 or more than 1 application \
             names are passed as argument(s)"
        } else if names && positions {
            "Only one of source-positions and source-names can be specified."
        } else if positions && revisions != self.source_positions.len() {
            "While using --revisions and --source-positions, length of values for both flags \
             should be same."
        } else if names && revisions != self.source_names.len() {
            "While using --revisions and --source-names, length of values for both flags should \
             be same."
        } else if self.source_positions.iter().any(|position| *position <= 0) {
            "source-position cannot be less than or equal to 0, Counting starts at 1"
        } else if !matches!(self.strategy.as_str(), "" | "apply" | "hook") {
            return Err(refused(format!("Unknown sync strategy: '{}'", self.strategy)));
        } else {
            return Ok(());
        };
        Err(refused(words))
    }

    /// The Applications that are meant.
    async fn names(&self, session: &Session) -> Result<Vec<AppName>> {
        let parse = |text: &String| AppName::parse(text, &self.app_namespace);
        let mut names: Vec<AppName> = self.apps.iter().map(parse).collect();
        if self.selector.is_empty() && self.projects.is_empty() {
            return Ok(names);
        }
        let mut found = session.applications(&self.app_namespace, &self.selector).await?;
        found.retain(|application| {
            let project = application.spec.project_name();
            self.projects.is_empty() || self.projects.iter().any(|one| one == project)
        });
        if found.is_empty() {
            let mut words = "No matching apps found for filter:".to_owned();
            if !self.selector.is_empty() {
                words.push_str(&format!(" selector {}", self.selector));
            }
            if !self.projects.is_empty() {
                words.push_str(&format!(" projects [{}]", self.projects.join(" ")));
            }
            return Err(refused(words));
        }
        names.extend(found.iter().map(AppName::of));
        Ok(names)
    }

    /// The operation that these arguments ask for.
    fn operation(
        &self,
        application: &Application,
        resources: Vec<SyncOperationResource>,
        manifests: Vec<String>,
    ) -> Result<Operation> {
        let spec = &application.spec;
        let policy = spec.sync_policy.as_ref();
        let retry = match self.retry_limit {
            0 => policy.and_then(|policy| policy.retry.clone()).unwrap_or_default(),
            _ => self.retry()?,
        };
        let options = [
            (self.replace, "Replace=true"),
            (self.server_side, "ServerSideApply=true"),
            (self.apply_out_of_sync_only, "ApplyOutOfSyncOnly=true"),
        ];
        let options: Vec<String> = options
            .into_iter()
            .filter(|(asked, _)| *asked)
            .map(|(_, option)| option.to_owned())
            .collect();
        let options = match options.is_empty() {
            true => spec.sync_options().to_vec(),
            false => options,
        };
        let infos = input::pairs(&self.infos)?;
        Ok(Operation {
            sync: Some(SyncOperation {
                source: match spec.has_multiple_sources() {
                    true => None,
                    false => spec.effective_sources().first().cloned(),
                },
                sources: spec.sources.clone(),
                revision: self.revision.clone(),
                revisions: self.revisions_for(application)?,
                prune: self.prune,
                dry_run: self.dry_run,
                sync_options: options,
                sync_strategy: Some(self.sync_strategy()),
                resources,
                manifests,
                ..SyncOperation::default()
            }),
            initiated_by: initiator(),
            info: infos
                .into_iter()
                .map(|(name, value)| Info { name, value, ..Info::default() })
                .collect(),
            retry,
            ..Operation::default()
        })
    }

    /// The objects of a directory of this host, to be synced instead of the source's.
    async fn manifests(&self, session: &Session, application: &Application) -> Result<Vec<String>> {
        if !self.local.is_given() {
            return Ok(Vec::new());
        }
        if application.spec.automated().is_some() && !self.dry_run {
            bail!("Cannot use local sync when Automatic Sync Policy is enabled unless for dry run");
        }
        let objects = self.local.objects(session, application).await?;
        Ok(objects.iter().map(ToString::to_string).collect())
    }

    fn retry(&self) -> Result<RetryStrategy> {
        retry_of(
            self.retry_limit,
            self.retry_refresh,
            self.retry_backoff_duration.as_deref(),
            self.retry_backoff_max_duration.as_deref(),
            self.retry_backoff_factor,
        )
    }

    fn sync_strategy(&self) -> SyncStrategy {
        let force = self.force;
        match self.strategy.as_str() {
            "apply" => SyncStrategy {
                apply: Some(SyncStrategyApply { force, ..SyncStrategyApply::default() }),
                ..SyncStrategy::default()
            },
            _ => SyncStrategy {
                hook: Some(SyncStrategyHook { force, ..SyncStrategyHook::default() }),
                ..SyncStrategy::default()
            },
        }
    }

    /// One revision a source, of an Application with several; none where none is given.
    fn revisions_for(&self, application: &Application) -> Result<Vec<String>> {
        let spec = &application.spec;
        if self.revisions.is_empty() || !spec.has_multiple_sources() {
            return Ok(Vec::new());
        }
        let mut positions = self.source_positions.clone();
        for name in &self.source_names {
            positions.push(position_of(spec, name)?);
        }
        let targets = spec.sources.iter().map(|source| source.target_revision.clone());
        let mut revisions: Vec<String> = targets.collect();
        for (position, revision) in positions.into_iter().zip(&self.revisions) {
            let index = usize::try_from(position - 1).ok();
            match index.and_then(|index| revisions.get_mut(index)) {
                Some(slot) => slot.clone_from(revision),
                None => bail!("source position is out of range"),
            }
        }
        Ok(revisions)
    }

    /// Refuses to leave the target revision of an Application that syncs by itself.
    fn check_revisions(&self, application: &Application) -> Result<()> {
        let spec = &application.spec;
        if spec.automated().is_none() || self.dry_run {
            return Ok(());
        }
        let leaves = |revision: &str, target: &str| {
            let target = if target.is_empty() { "HEAD" } else { target };
            !revision.is_empty() && revision != target
        };
        if !spec.has_multiple_sources() {
            let target = spec.effective_sources().first().cloned().unwrap_or_default();
            if leaves(&self.revision, &target.target_revision) {
                bail!(
                    "Cannot sync to {}: auto-sync currently set to {}",
                    self.revision,
                    target.target_revision
                );
            }
            return Ok(());
        }
        for (revision, source) in self.revisions_for(application)?.iter().zip(&spec.sources) {
            if leaves(revision, &source.target_revision) {
                bail!(
                    "Cannot sync source {} to {revision}: auto-sync currently set to {}",
                    source.repo_url,
                    source.target_revision
                );
            }
        }
        Ok(())
    }
}

/// Syncs one Application. Answers whether to go on with the next.
async fn sync(session: &Session, arguments: &Arguments, name: &AppName) -> Result<bool> {
    let mut texts = arguments.resources.clone();
    let mut application = session.application(name).await?;
    if !arguments.labels.is_empty() {
        texts.extend(labelled(session, arguments, &application).await?);
    }
    let selections = Selection::parse_all(&texts)?;
    if application.spec.has_multiple_sources() && !arguments.revision.is_empty() {
        return Err(refused(
            "argocd cli does not work on multi-source app with --revision flag. Use --revisions \
             and --source-positions instead.",
        ));
    }
    let finds = |application: &Application| {
        selections.is_empty() || !selected(application, &selections).is_empty()
    };
    if !finds(&application) {
        // The comparison that knows of it may be still to come.
        let until = deadline(LOOKS_FOR_S);
        application =
            refresh(session, name, RefreshType::Normal, until).await?.unwrap_or(application);
    }
    if !finds(&application) {
        return Err(refused(format!(
            "No matching app resources found for resource filter: {}",
            texts.join(", ")
        )));
    }
    if arguments.preview_changes && !preview(session, arguments, &application, name).await? {
        return Ok(false);
    }
    check_windows(session, &application).await?;
    let manifests = arguments.manifests(session, &application).await?;
    let asked = ask(session, name, |application| {
        arguments.check_revisions(application)?;
        arguments.operation(application, selected(application, &selections), manifests.clone())
    })
    .await?;
    tell(session, &asked, Reason::OperationStarted, &initiated(&asked)).await;
    if arguments.without_waiting {
        return Ok(true);
    }
    let waited = Wait {
        session,
        name: name.clone(),
        timeout_s: arguments.timeout,
        wants: Wants { operation: true, ..Wants::default() },
        selections: &selections,
        output: &arguments.output,
    }
    .run()
    .await?;
    if !arguments.dry_run {
        judge(&waited, selections.is_empty())?;
    }
    Ok(true)
}

/// Says which sync was asked for.
fn initiated(application: &Application) -> String {
    let sync = application.operation.as_ref().and_then(|operation| operation.sync.clone());
    let sync = sync.unwrap_or_default();
    let partial = if sync.resources.is_empty() { "" } else { "partial " };
    if !sync.manifests.is_empty() {
        return format!("initiated {partial}sync locally");
    }
    let revision = |asked: &str, target: &str| {
        let named = [asked, target].into_iter().find(|text| !text.is_empty());
        named.unwrap_or("HEAD").to_owned()
    };
    let sources = application.spec.effective_sources();
    let asked = |at: usize| match application.spec.has_multiple_sources() {
        true => sync.revisions.get(at).map_or("", String::as_str),
        false => sync.revision.as_str(),
    };
    let revisions: Vec<String> = sources
        .iter()
        .enumerate()
        .map(|(at, source)| revision(asked(at), &source.target_revision))
        .collect();
    format!("initiated {partial}sync to {}", revisions.join(","))
}

/// Fails where the operation did not end well, or left things that should be deleted.
fn judge(waited: &Waited, whole: bool) -> Result<()> {
    let Some(operation) = &waited.operation else { return Ok(()) };
    if !operation.phase.successful() {
        return Err(refused(format!("Operation has completed with phase: {}", operation.phase)));
    }
    let synced =
        |application: &Application| application.status.sync.status == SyncStatusCode::Synced;
    if !whole || waited.application.as_ref().is_none_or(synced) {
        return Ok(());
    }
    let results = operation.sync_result.as_ref().map(|result| result.resources.as_slice());
    let skipped = results
        .unwrap_or_default()
        .iter()
        .filter(|result| result.status == crd::ResultCode::PruneSkipped)
        .count();
    match skipped {
        0 => Ok(()),
        skipped => Err(refused(format!("{skipped} resources require pruning"))),
    }
}

async fn check_windows(session: &Session, application: &Application) -> Result<()> {
    let Some(project) = session.project(application.spec.project_name()).await? else {
        return Ok(());
    };
    let asked = SyncAsked { manual: true, began: None };
    let now = jiff::Timestamp::now();
    match windows_permit(&project.spec.sync_windows, application, asked, now) {
        Ok(true) => Ok(()),
        Ok(false) => bail!("cannot sync: blocked by sync window"),
        Err(words) => bail!("cannot sync: invalid sync window: {words}"),
    }
}

/// The objects among the wanted ones that bear one of the labels, as `--resource` names them.
async fn labelled(
    session: &Session,
    arguments: &Arguments,
    application: &Application,
) -> Result<Vec<String>> {
    let wanted = input::pairs(&arguments.labels)?;
    let mut revisions = arguments.revisions_for(application)?;
    if !arguments.revision.is_empty() {
        revisions = vec![arguments.revision.clone()];
    }
    let targets = render::targets(session, application, revisions).await?;
    let bears = |object: &serde_json::Value| {
        wanted.iter().any(|(key, value)| manifest::label(object, key) == Some(value))
    };
    let found: Vec<String> = targets
        .iter()
        .filter(|target| bears(&target.object()))
        .map(|target| format!("{}:{}:{}", target.gvk.group, target.gvk.kind, target.key.name))
        .collect();
    if found.is_empty() && arguments.resources.is_empty() {
        return Err(refused(format!(
            "No matching resources found for labels: [{}]",
            arguments.labels.join(" ")
        )));
    }
    Ok(found)
}

/// Shows what would change. Answers whether to sync.
async fn preview(
    session: &Session,
    arguments: &Arguments,
    application: &Application,
    name: &AppName,
) -> Result<bool> {
    print(&format!(
        "====== Previewing differences between live and desired state of application {name} ======\n"
    ))?;
    let mut revisions = arguments.revisions_for(application)?;
    if !arguments.revision.is_empty() {
        revisions = vec![arguments.revision.clone()];
    }
    if !diff::print_differences(session, application, revisions).await? {
        print("====== No Differences found ======\n")?;
        return Ok(false);
    }
    let question = format!(
        "Please review changes to application {name} shown above. Do you want to continue the \
         sync process? (y/n): "
    );
    Ok(arguments.assume_yes || prompt::ask(&question, false)? == Answer::Yes)
}
