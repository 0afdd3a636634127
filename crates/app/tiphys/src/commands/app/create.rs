//! `app create`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use cluster::ApiError;
use crd::Application;
use serde_json::Value;

use super::flags::Given;
use super::told::{Reason, tell};
use super::{render, spec};
use crate::commands::connect::{Session, read};
use crate::commands::failure::refused;
use crate::commands::input;
use crate::commands::name::AppName;
use crate::commands::output::print;

/// Arguments of `app create`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The application's name
    #[arg(value_name = "APPNAME")]
    app: Option<String>,
    /// The application's name; use the argument instead
    #[arg(long, hide = true)]
    name: Option<String>,
    /// Read applications from a file; - is the standard input
    #[arg(short = 'f', long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<String>,
    /// Overwrite an application of that name that wants something else
    #[arg(long)]
    upsert: bool,
    /// Label for the application
    #[arg(short = 'l', long = "label", value_name = "KEY=VALUE")]
    labels: Vec<String>,
    /// Annotation for the application
    #[arg(long, value_name = "KEY=VALUE")]
    annotations: Vec<String>,
    /// Delete the application's objects with it
    #[arg(long)]
    set_finalizer: bool,
    /// Namespace to create the application in
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
    #[command(flatten)]
    checked: Checked,
    #[command(flatten)]
    given: Given,
}

/// Whether what is written is looked at before.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Checked {
    /// Check project, sources and destination first
    #[arg(
        long, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", default_value = "true", value_name = "true|false",
        value_parser = crate::commands::go_flags::go_bool
    )]
    pub validate: bool,
}

/// Creates the Applications, and tells of each what became of it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    for mut application in applications(&arguments)? {
        if application.metadata.name.is_empty() {
            return Err(refused("an application needs a name: app create APPNAME"));
        }
        if !arguments.app_namespace.is_empty() {
            application.metadata.namespace.clone_from(&arguments.app_namespace);
        }
        if application.metadata.namespace.is_empty() {
            application.metadata.namespace.clone_from(&session.namespace);
        }
        if arguments.set_finalizer {
            add_finalizer(&mut application);
        }
        let outcome = create(session, application, &arguments).await?;
        print(&outcome)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn add_finalizer(application: &mut Application) {
    let finalizer = crd::keys::RESOURCES_FINALIZER.to_owned();
    if !application.metadata.finalizers.contains(&finalizer) {
        application.metadata.finalizers.push(finalizer);
    }
}

/// A file may leave to the arguments what they say anyhow: the name, and that it is an Application.
fn completed(mut object: Value, arguments: &Arguments) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.entry("apiVersion").or_insert_with(|| "argoproj.io/v1alpha1".into());
        fields.entry("kind").or_insert_with(|| "Application".into());
        let metadata = fields.entry("metadata").or_insert_with(|| serde_json::json!({}));
        if let (Some(metadata), Some(app)) = (metadata.as_object_mut(), &arguments.app) {
            metadata.entry("name").or_insert_with(|| app.clone().into());
        }
    }
    object
}

/// The Applications that the arguments describe.
fn applications(arguments: &Arguments) -> Result<Vec<Application>> {
    let Some(file) = arguments.file.as_deref().filter(|file| !file.is_empty()) else {
        return Ok(vec![from_flags(arguments)?]);
    };
    let mut applications = Vec::new();
    for object in input::objects(file)? {
        let mut application: Application = read(completed(object, arguments))?;
        let name = application.metadata.name.clone();
        if let Some(app) = arguments.app.as_deref().filter(|app| *app != name) {
            bail!("app name '{app}' does not match app spec metadata.name '{name}'");
        }
        if let Some(name) = &arguments.name {
            application.metadata.name.clone_from(name);
        }
        if file != "-" {
            mark(&mut application, arguments)?;
            if !application.spec.has_multiple_sources() {
                write_given(&mut application, arguments)?;
            }
        }
        applications.push(application);
    }
    Ok(applications)
}

fn from_flags(arguments: &Arguments) -> Result<Application> {
    if let (Some(app), Some(name)) = (&arguments.app, &arguments.name)
        && app != name
    {
        bail!("--name argument '{name}' does not match app name {app}");
    }
    let name = arguments.app.as_ref().or(arguments.name.as_ref());
    let name = AppName::parse(name.map(String::as_str).unwrap_or_default(), "");
    let mut application = Application::new(name.namespace, name.name);
    spec::write(&arguments.given, &mut application, None)?;
    mark(&mut application, arguments)?;
    Ok(application)
}

/// Writes flags over what a file says; none of them leaves the file's words as they are.
fn write_given(application: &mut Application, arguments: &Arguments) -> Result<()> {
    match arguments.given.is_empty() {
        true => Ok(()),
        false => spec::write(&arguments.given, application, None),
    }
}

fn mark(application: &mut Application, arguments: &Arguments) -> Result<()> {
    application.metadata.labels.extend(input::pairs(&arguments.labels)?);
    let annotations = arguments.annotations.iter().map(|text| {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        (key.to_owned(), value.to_owned())
    });
    application.metadata.annotations.extend(annotations);
    Ok(())
}

/// Creates one Application, or finds it there as it should be, or changes it.
async fn create(
    session: &Session,
    mut application: Application,
    arguments: &Arguments,
) -> Result<String> {
    if application.spec.project.is_empty() {
        crd::keys::DEFAULT_PROJECT.clone_into(&mut application.spec.project);
    }
    check(session, &application, arguments.checked.validate).await?;
    // Syncs are asked for by `app sync` alone.
    application.operation = None;
    let name = application.metadata.name.clone();
    let outcome = |what: &str| format!("application '{name}' {what}\n");
    match session.home.create(&serde_json::to_value(&application)?).await {
        Ok(made) => {
            let made: Application = read(made)?;
            tell(session, &made, Reason::Created, "created application").await;
            return Ok(outcome("created"));
        }
        Err(ApiError::AlreadyExists { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let mut changed = false;
    let app_name = AppName::of(&application);
    if same(&session.application(&app_name).await?, &application) {
        return Ok(outcome("unchanged"));
    }
    if !arguments.upsert {
        bail!("existing application spec is different, use upsert flag to force update");
    }
    let written = session
        .change(&app_name, |existing| {
            let before = existing.clone();
            existing.spec = application.spec.clone();
            existing.metadata.labels.extend(application.metadata.labels.clone());
            existing.metadata.annotations.extend(application.metadata.annotations.clone());
            for finalizer in &application.metadata.finalizers {
                if !existing.metadata.finalizers.contains(finalizer) {
                    existing.metadata.finalizers.push(finalizer.clone());
                }
            }
            changed = before != *existing;
            Ok(())
        })
        .await?;
    if changed {
        tell(session, &written, Reason::Updated, "updated application spec").await;
    }
    Ok(outcome(if changed { "updated" } else { "unchanged" }))
}

/// Whether what is there is what is asked for.
fn same(existing: &Application, wanted: &Application) -> bool {
    existing.spec == wanted.spec
        && existing.metadata.labels == wanted.metadata.labels
        && existing.metadata.annotations == wanted.metadata.annotations
        && existing.metadata.finalizers == wanted.metadata.finalizers
}

/// Refuses an Application whose project does not exist or does not allow it, or whose spec does
/// not hold together.
///
/// # Errors
///
/// In upstream's words.
pub async fn check(session: &Session, application: &Application, validate: bool) -> Result<()> {
    let name = application.spec.project_name();
    let Some(project) = session.project(name).await? else {
        bail!("app is not allowed in project \"{name}\", or the project does not exist");
    };
    let rules = session.project_rules(&project).await?;
    if !rules.permits_namespace(&application.metadata.namespace, &session.namespace) {
        bail!("app is not allowed in project \"{name}\", or the project does not exist");
    }
    if !validate {
        return Ok(());
    }
    let clusters = session.clusters().await?;
    let known: Vec<policy::Cluster> = clusters
        .list()
        .iter()
        .map(|one| policy::Cluster {
            server: one.server.clone(),
            name: one.name.clone(),
            project: one.project.clone(),
        })
        .collect();
    let mut problems = policy::check(&application.spec, &rules, &known);
    if problems.is_empty()
        && let Err(error) = render::targets(session, application, Vec::new()).await
    {
        let path = application.spec.effective_sources().first().map(|one| one.path.clone());
        problems.push(format!(
            "Unable to generate manifests in {}: {error:#}",
            path.unwrap_or_default()
        ));
    }
    if !problems.is_empty() {
        let problems = problems.iter().map(|problem| format!("InvalidSpecError: {problem}"));
        bail!(
            "application spec for {} is invalid: {}",
            application.metadata.name,
            problems.collect::<Vec<_>>().join(";")
        );
    }
    Ok(())
}
