//! `app patch`.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use crd::Application;
use merge::{json_merge, json_patch};
use serde_json::Value;

use super::create;
use super::told::{Reason, tell};
use crate::commands::connect::Session;
use crate::commands::name::AppName;
use crate::commands::output::print;
use crate::commands::yaml;

/// Arguments of `app patch`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// The patch
    #[arg(long, value_name = "PATCH", default_value = "")]
    patch: String,
    /// Its kind, json or merge
    #[arg(long = "type", value_name = "json|merge", default_value = "json")]
    kind: String,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Patches an Application, and prints what became of it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let patch: Value =
        goyaml::to_json(arguments.patch.as_bytes()).context("the patch does not parse")?;
    let before = session.application(&name).await?;
    create::check(session, &patched(&before, &patch, &arguments.kind)?, true).await?;
    let written = session
        .change(&name, |application| {
            *application = patched(application, &patch, &arguments.kind)?;
            Ok(())
        })
        .await?;
    tell(session, &written, Reason::Updated, "updated application spec").await;
    print(&format!("{}\n", yaml::text(&serde_json::to_value(&written)?)))?;
    Ok(ExitCode::SUCCESS)
}

/// The Application with the patch; of what is not its to change nothing is taken.
fn patched(application: &Application, patch: &Value, kind: &str) -> Result<Application> {
    let before = serde_json::to_value(application)?;
    let after = match kind {
        "json" | "" => json_patch::apply(&before, patch)?,
        "merge" => {
            let mut after = before;
            json_merge::apply(&mut after, patch)?;
            after
        }
        other => bail!("Patch type '{other}' is not supported"),
    };
    let wanted: Application = serde_json::from_value(after).context("it is no Application then")?;
    let mut patched = application.clone();
    patched.spec = wanted.spec;
    patched.metadata.labels = wanted.metadata.labels;
    patched.metadata.annotations = wanted.metadata.annotations;
    patched.metadata.finalizers = wanted.metadata.finalizers;
    Ok(patched)
}
