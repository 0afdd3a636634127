//! `app`: Applications.

mod actions;
mod confirm_deletion;
mod create;
mod delete;
mod diff;
mod edit;
mod flags;
mod get;
pub mod healths;
mod history;
mod list;
mod live;
mod manifests;
mod objects;
mod operation;
mod patch;
mod render;
mod resources;
mod rollback;
pub mod selection;
mod set;
mod shapes;
mod source;
mod sources;
mod spec;
pub mod states;
pub mod summary;
mod sync;
mod terminate;
mod told;
mod tree;
mod unset;
mod wait;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Subcommand;
use crd::{Application, ApplicationSpec};
use serde_json::Value;

use super::colour::Colour;
use super::connect::{Session, run as finish};
use super::failure::refused;
use super::global::Global;
use super::output::{presentable, print, unknown};

/// The commands on Applications.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a source to an application with several
    AddSource(Box<sources::Add>),
    /// List and run actions on an application's objects
    #[command(subcommand)]
    Actions(actions::Command),
    /// Agree to what an application waits for before it deletes
    ConfirmDeletion(confirm_deletion::Arguments),
    /// Create an application
    Create(Box<create::Arguments>),
    /// Delete an application
    Delete(delete::Arguments),
    /// Delete an object of an application
    DeleteResource(objects::Delete),
    /// Compare what runs with what is wanted; exits 1 where they differ
    Diff(diff::Arguments),
    /// Edit what an application wants
    Edit(edit::Arguments),
    /// Show an application
    Get(get::Arguments),
    /// Show objects of an application as they are
    GetResource(objects::Get),
    /// Show past deployments of an application
    History(history::Arguments),
    /// List applications
    List(list::Arguments),
    /// Print the manifests of an application
    Manifests(manifests::Arguments),
    /// Patch an application
    Patch(patch::Arguments),
    /// Patch an object of an application
    PatchResource(objects::PatchArguments),
    /// Remove a source from an application with several
    RemoveSource(sources::Remove),
    /// List the objects of an application
    Resources(resources::Arguments),
    /// Go back to an earlier deployment, by its ID; the one before the last where none is given
    Rollback(rollback::Arguments),
    /// Change what an application wants
    Set(Box<set::Arguments>),
    /// Bring an application to its target state
    Sync(Box<sync::Arguments>),
    /// End the running operation of an application
    TerminateOp(terminate::Arguments),
    /// Take back options of an application
    Unset(unset::Arguments),
    /// Wait until an application is synced and healthy
    Wait(wait::Arguments),
}

/// Runs one of them.
pub fn run(command: Command, global: &Global) -> Result<ExitCode> {
    finish(async {
        let session = Session::open(global).await?;
        match command {
            Command::AddSource(arguments) => sources::add(*arguments, &session).await,
            Command::Actions(command) => actions::run(command, &session).await,
            Command::ConfirmDeletion(arguments) => confirm_deletion::run(arguments, &session).await,
            Command::Create(arguments) => create::run(*arguments, &session).await,
            Command::Delete(arguments) => delete::run(arguments, &session).await,
            Command::DeleteResource(arguments) => objects::delete(arguments, &session).await,
            Command::Diff(arguments) => diff::run(arguments, &session).await,
            Command::Edit(arguments) => edit::run(arguments, &session).await,
            Command::Get(arguments) => get::run(arguments, &session).await,
            Command::GetResource(arguments) => objects::get(arguments, &session).await,
            Command::History(arguments) => history::run(arguments, &session).await,
            Command::List(arguments) => list::run(arguments, &session).await,
            Command::Manifests(arguments) => manifests::run(arguments, &session).await,
            Command::Patch(arguments) => patch::run(arguments, &session).await,
            Command::PatchResource(arguments) => objects::patch(arguments, &session).await,
            Command::RemoveSource(arguments) => sources::remove(arguments, &session).await,
            Command::Resources(arguments) => resources::run(arguments, &session).await,
            Command::Rollback(arguments) => rollback::run(arguments, &session).await,
            Command::Set(arguments) => set::run(*arguments, &session).await,
            Command::Sync(arguments) => sync::run(*arguments, &session).await,
            Command::TerminateOp(arguments) => terminate::run(arguments, &session).await,
            Command::Unset(arguments) => unset::run(arguments, &session).await,
            Command::Wait(arguments) => wait::run(arguments, &session).await,
        }
    })
}

/// An object as people see it: of a Secret neither values nor the annotations that the settings hide.
async fn shown(session: &Session, objects: Vec<Value>) -> Result<Vec<Value>> {
    let is_secret = |object: &Value| {
        manifest::kind(object) == "Secret" && manifest::api_version(object) == "v1"
    };
    let hidden: BTreeSet<String> = match objects.iter().any(is_secret) {
        true => {
            let (settings, _) = render::surroundings(session).await?;
            settings.resources.masked_annotations.into_iter().collect()
        }
        false => BTreeSet::new(),
    };
    let shown = objects.into_iter().map(|object| match is_secret(&object) {
        true => {
            let masked = compare::mask_secrets(None, Some(&object), &hidden);
            presentable(masked.live.unwrap_or_default())
        }
        false => presentable(object),
    });
    Ok(shown.collect())
}

/// Prints an Application's objects as a table or a tree.
pub async fn print_resources(
    session: &Session,
    application: &Application,
    output: &str,
) -> Result<()> {
    match output {
        "" | "wide" => {
            if !application.status.resources.is_empty() {
                let table = states::resource_table(application);
                print(&format!("\n{}", table.print(Colour::of_stdout())))?;
            }
            Ok(())
        }
        "tree" | "tree=detailed" => {
            let detailed = output == "tree=detailed";
            let nodes = tree::Tree::gather(session, application).await?;
            if nodes.is_empty() {
                return Ok(());
            }
            let table = tree::application_table(&nodes, application, detailed);
            print(&format!("\n{}", table.print(Colour::of_stdout())))
        }
        other => bail!(unknown(other)),
    }
}

/// Which of an Application's sources is meant, counted from 1; `None` where it has only one.
///
/// # Errors
///
/// Where position and name are both given, or the Application has several sources and neither
/// fits one.
fn source_position(
    spec: &ApplicationSpec,
    position: Option<i64>,
    name: Option<&str>,
) -> Result<Option<usize>> {
    let position = match (position, name) {
        (Some(_), Some(_)) => {
            bail!("Only one of source-position and source-name can be specified.")
        }
        (None, Some(name)) => Some(position_of(spec, name)?),
        (Some(position), None) => Some(position),
        (None, None) => None,
    };
    if !spec.has_multiple_sources() {
        return Ok(None);
    }
    match position.and_then(|position| usize::try_from(position).ok()) {
        None | Some(0) => bail!(
            "Source position should be specified and must be greater than 0 for applications with \
             multiple sources"
        ),
        Some(position) if position > spec.sources.len() => {
            bail!("Source position should be less than the number of sources in the application")
        }
        position => Ok(position),
    }
}

/// The position of a source with a name, counted from 1.
fn position_of(spec: &ApplicationSpec, name: &str) -> Result<i64> {
    let found = spec.sources.iter().position(|source| source.name == name);
    let position = found.and_then(|index| i64::try_from(index + 1).ok());
    position.ok_or_else(|| refused(format!("Unknown source name '{name}'")))
}
