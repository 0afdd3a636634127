//! `app manifests`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::Value;

use super::{live, position_of, render};
use crate::commands::connect::Session;
use crate::commands::failure::refused;
use crate::commands::name::AppName;
use crate::commands::output::print;
use crate::commands::yaml;

/// Arguments of `app manifests`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// What is printed: live, as it is in the cluster, or git, as it should be
    #[arg(long, value_name = "live|git", default_value = "git")]
    source: String,
    #[command(flatten)]
    at: AtRevision,
    #[command(flatten)]
    local: render::Local,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Other revisions than the sources' own.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct AtRevision {
    /// At this revision
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
}

impl AtRevision {
    /// One revision a source; none where none is given.
    ///
    /// # Errors
    ///
    /// Where the flags do not go together or name no source.
    pub fn for_sources(&self, application: &crd::Application) -> Result<Vec<String>> {
        let spec = &application.spec;
        if !self.source_names.is_empty() && !self.source_positions.is_empty() {
            bail!("Only one of source-positions and source-names can be specified.");
        }
        let mut positions = self.source_positions.clone();
        for name in &self.source_names {
            positions.push(position_of(spec, name)?);
        }
        if !positions.is_empty() && positions.len() != self.revisions.len() {
            bail!(
                "While using --revisions and {}, length of values for both flags should be same.",
                if self.source_names.is_empty() { "--source-positions" } else { "--source-names" }
            );
        }
        let sources = spec.effective_sources();
        if positions.is_empty() {
            return Ok(match self.revision.as_str() {
                "" => Vec::new(),
                revision => vec![revision.to_owned(); sources.len()],
            });
        }
        let targets = sources.iter().map(|source| source.target_revision.clone());
        let mut revisions: Vec<String> = targets.collect();
        for (position, revision) in positions.into_iter().zip(&self.revisions) {
            if position <= 0 {
                return Err(refused(
                    "source-position cannot be less than or equal to 0, Counting starts at 1",
                ));
            }
            let slot = usize::try_from(position - 1).ok().and_then(|at| revisions.get_mut(at));
            match slot {
                Some(slot) => slot.clone_from(revision),
                None => bail!("source position is out of range"),
            }
        }
        Ok(revisions)
    }
}

/// Prints the objects as YAML documents; values of Secrets are never shown.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let application = session.application(&name).await?;
    let objects: Vec<Value> = match arguments.source.as_str() {
        "git" if arguments.local.is_given() => {
            let targets = arguments.local.targets(session, &application).await?;
            targets.iter().map(|target| target.object().as_ref().clone()).collect()
        }
        "git" => {
            let revisions = arguments.at.for_sources(&application)?;
            let targets = render::compared(session, &application, revisions).await?;
            targets.iter().map(|target| target.object().as_ref().clone()).collect()
        }
        "live" => {
            let cluster = live::destination(session, &application).await?;
            let resources = live::resources(&cluster, &application).await?;
            resources.into_iter().filter_map(|resource| resource.object).collect()
        }
        other => return Err(refused(format!("Unknown source type '{other}'"))),
    };
    for object in super::shown(session, objects).await? {
        print(&format!("---\n{}", yaml::text(&object)))?;
    }
    Ok(ExitCode::SUCCESS)
}
