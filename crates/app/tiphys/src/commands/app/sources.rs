//! `app add-source`, `app remove-source`: the list of an Application with several sources.

use std::process::ExitCode;

use anyhow::{Result, bail};
use crd::{Application, ApplicationSource};

use super::flags::Given;
use super::told::{Reason, tell};
use super::{create, position_of, source, spec};
use crate::commands::connect::Session;
use crate::commands::failure::refused;
use crate::commands::name::AppName;
use crate::commands::output::print;

/// Arguments of `app add-source`.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
    #[command(flatten)]
    checked: create::Checked,
    #[command(flatten)]
    given: Given,
}

/// Arguments of `app remove-source`.
#[derive(Debug, clap::Args)]
pub struct Remove {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
    /// Which of the sources goes, counted from 1
    #[arg(long, value_name = "NUMBER")]
    source_position: Option<i64>,
    /// Which of the sources goes, by name
    #[arg(long, value_name = "NAME", default_value = "")]
    source_name: String,
}

/// Puts a source behind the others.
pub async fn add(arguments: Add, session: &Session) -> Result<ExitCode> {
    let given = &arguments.given;
    if given.is_empty() {
        return Err(refused(
            "name at least the source's --repo, and its --path, --helm-chart or --ref",
        ));
    }
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let with = |application: &mut Application| {
        if application.spec.sources.is_empty() {
            bail!("Cannot add source: application {name} does not have spec.sources defined");
        }
        let mut added = ApplicationSource::default();
        source::write(given, &mut added)?;
        application.spec.sources.push(added);
        let last = application.spec.sources.len();
        spec::write_parameters(given, application, Some(last))
    };
    let mut tried = session.application(&name).await?;
    with(&mut tried)?;
    create::check(session, &tried, arguments.checked.validate).await?;
    let written = session.change(&name, with).await?;
    tell(session, &written, Reason::Updated, "updated application spec").await;
    updated(&name)
}

/// Takes a source out of the list.
pub async fn remove(arguments: Remove, session: &Session) -> Result<ExitCode> {
    let by_name = !arguments.source_name.is_empty();
    if by_name && arguments.source_position.is_some() {
        return Err(refused("Only one of source-position and source-name can be specified."));
    }
    if !by_name && arguments.source_position.is_none_or(|position| position <= 0) {
        return Err(refused("Value of source-position must be greater than 0"));
    }
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let without = |application: &mut Application| {
        let spec = &mut application.spec;
        if !spec.has_multiple_sources() {
            bail!("Application does not have multiple sources configured");
        }
        let position = match by_name {
            true => position_of(spec, &arguments.source_name)?,
            false => arguments.source_position.unwrap_or_default(),
        };
        if spec.sources.len() == 1 {
            bail!("Cannot remove the only source remaining in the app");
        }
        let index = usize::try_from(position - 1).ok();
        match index.filter(|index| *index < spec.sources.len()) {
            Some(index) => drop(spec.sources.remove(index)),
            None => bail!("Application does not have source at {position}"),
        }
        Ok(())
    };
    let written = session.change(&name, without).await?;
    tell(session, &written, Reason::Updated, "updated application spec").await;
    updated(&name)
}

fn updated(name: &AppName) -> Result<ExitCode> {
    print(&format!("Application '{}' updated successfully\n", name.name))?;
    Ok(ExitCode::SUCCESS)
}
