//! `app edit`.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use crd::ApplicationSpec;

use super::create;
use super::told::{Reason, tell};
use crate::commands::connect::Session;
use crate::commands::editor::edited;
use crate::commands::failure::refused;
use crate::commands::name::AppName;
use crate::commands::output::note;
use crate::commands::yaml;

/// How often a text that cannot be taken is handed back.
const TRIES_MAX: usize = 10;

/// Arguments of `app edit`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Opens an Application's spec in the person's editor, and writes what comes back.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let application = session.application(&name).await?;
    let original = yaml::text(&serde_json::to_value(&application.spec)?);
    let mut text = original.clone();
    let mut problem: Option<String> = None;
    for _ in 0..TRIES_MAX {
        text = edited(&text, problem.as_deref())?;
        if text.trim().is_empty() {
            return Err(refused("Edit cancelled, the text is empty."));
        }
        if text == original {
            note("Edit cancelled, no changes made.");
            return Ok(ExitCode::SUCCESS);
        }
        let spec = match read(&text) {
            Ok(spec) => spec,
            Err(error) => {
                problem = Some(format!("{error:#}"));
                continue;
            }
        };
        let mut wanted = application.clone();
        wanted.spec = spec;
        if let Err(error) = create::check(session, &wanted, true).await {
            problem = Some(format!("{error:#}"));
            continue;
        }
        let written = session
            .change(&name, |application| {
                application.spec.clone_from(&wanted.spec);
                Ok(())
            })
            .await?;
        tell(session, &written, Reason::Updated, "updated application spec").await;
        note("Application edited.");
        return Ok(ExitCode::SUCCESS);
    }
    bail!("the text was no spec {TRIES_MAX} times: {}", problem.unwrap_or_default())
}

fn read(text: &str) -> Result<ApplicationSpec> {
    let value = goyaml::to_json(text.as_bytes()).context("it does not parse")?;
    serde_json::from_value(value).context("it is no spec of an Application")
}
