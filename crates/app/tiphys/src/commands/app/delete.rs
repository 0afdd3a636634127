//! `app delete`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use cluster::{Patch, Propagation};
use crd::{Application, keys};
use serde_json::json;

use super::told::{Reason, tell};
use crate::commands::connect::{Session, application_kind};
use crate::commands::failure::refused;
use crate::commands::name::AppName;
use crate::commands::output::print;
use crate::commands::progress::{Follower, Seen};
use crate::commands::prompt::{self, Answer};

/// Arguments of `app delete`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The applications
    #[arg(value_name = "APPNAME")]
    apps: Vec<String>,
    /// Delete every application with matching labels
    #[arg(short = 'l', long, value_name = "SELECTOR", default_value = "")]
    selector: String,
    /// Delete the applications' objects as well [default: true]
    #[arg(
        long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_name = "true|false", value_parser = crate::commands::go_flags::go_bool
    )]
    cascade: Option<bool>,
    /// How the objects are deleted, foreground or background
    #[arg(short = 'p', long, value_name = "POLICY")]
    propagation_policy: Option<String>,
    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,
    /// Wait until they are gone
    #[arg(long)]
    wait: bool,
    /// The applications' namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Deletes Applications; asks first in front of a terminal.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    if arguments.apps.is_empty() && arguments.selector.is_empty() {
        return Err(refused("name the applications, or choose them with --selector"));
    }
    let mut names: Vec<String> = arguments.apps.clone();
    if !arguments.selector.is_empty() {
        let found = session.applications(&arguments.app_namespace, &arguments.selector).await?;
        if found.is_empty() {
            bail!("no apps match selector {}", arguments.selector);
        }
        names = found.iter().map(Application::qualified_name).collect();
    }
    let cascade = arguments.cascade.unwrap_or(true);
    let mut asks = cascade && prompt::somebody_reads() && !arguments.yes;
    for given in &names {
        let answer = if asks { question(given, names.len())? } else { Answer::Yes };
        asks &= answer != Answer::All;
        if answer == Answer::No {
            print(&format!("The command to delete '{given}' was cancelled.\n"))?;
            continue;
        }
        let name = AppName::parse(given, &arguments.app_namespace);
        delete(session, &name, &arguments).await?;
        if arguments.wait {
            wait_until_gone(session, &name).await?;
        }
        print(&format!("application '{given}' deleted\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn question(name: &str, count: usize) -> Result<Answer> {
    let question = format!("Are you sure you want to delete '{name}' and all its resources?");
    match count {
        1 => prompt::ask(&format!("{question} [y/n] "), false),
        _ => prompt::ask(
            &format!(
                "{question} [y/n/a] where 'a' is to delete all specified apps and their \
                 resources without prompting "
            ),
            true,
        ),
    }
}

/// Says by finalizer what becomes of the objects, and deletes the Application.
async fn delete(session: &Session, name: &AppName, arguments: &Arguments) -> Result<()> {
    let application = session.application(name).await?;
    let policy = arguments.propagation_policy.as_deref();
    let cascade = arguments.cascade.unwrap_or(true);
    if !cascade && policy.is_some_and(|policy| !policy.is_empty()) {
        bail!("cannot set propagation policy when cascading is disabled");
    }
    let wanted = match cascade {
        true => Some(finalizer(policy)?),
        false => None,
    };
    let namespace = name.namespace_or(&session.namespace);
    let kind = application_kind();
    if let Some(finalizers) = finalizers_for(&application, wanted) {
        let patch = Patch::Merge(json!({"metadata": {"finalizers": finalizers}}));
        session.home.patch(&kind, namespace, &name.name, patch).await?;
    }
    session.home.delete(&kind, namespace, &name.name, Propagation::Background).await?;
    tell(session, &application, Reason::Deleted, "deleted application").await;
    Ok(())
}

/// The finalizer that stands for a way to delete the objects.
fn finalizer(policy: Option<&str>) -> Result<&'static str> {
    match policy.unwrap_or_default().to_lowercase().as_str() {
        "" => Ok(keys::RESOURCES_FINALIZER),
        "foreground" => Ok(keys::RESOURCES_FINALIZER_FOREGROUND),
        "background" => Ok(keys::RESOURCES_FINALIZER_BACKGROUND),
        other => bail!("invalid propagation policy: {other}"),
    }
}

/// The finalizers that the Application should have, where they are not those that it has. One
/// that is being deleted takes no new ones.
pub fn finalizers_for(application: &Application, wanted: Option<&str>) -> Option<Vec<String>> {
    const OURS: [&str; 3] = [
        keys::RESOURCES_FINALIZER,
        keys::RESOURCES_FINALIZER_FOREGROUND,
        keys::RESOURCES_FINALIZER_BACKGROUND,
    ];
    let have = &application.metadata.finalizers;
    if let Some(wanted) = wanted
        && (have.iter().any(|one| one == wanted) || application.is_deleted())
    {
        return None;
    }
    let others = have.iter().filter(|one| !OURS.contains(&one.as_str())).cloned();
    let finalizers: Vec<String> = others.chain(wanted.map(str::to_owned)).collect();
    (finalizers != *have).then_some(finalizers)
}

async fn wait_until_gone(session: &Session, name: &AppName) -> Result<()> {
    let mut follower = Follower::new(session, name);
    loop {
        if let Some(Seen::Gone) = follower.next(None).await? {
            return Ok(());
        }
    }
}
