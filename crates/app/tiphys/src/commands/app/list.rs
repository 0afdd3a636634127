//! `app list`.

use std::process::ExitCode;

use anyhow::Result;
use crd::{Application, normalize_repo_url};

use super::summary::{conditions_in_short, policy_in_short, server};
use crate::commands::colour::Colour;
use crate::commands::connect::Session;
use crate::commands::output::{check, print, print_as};
use crate::commands::table::Table;

/// Arguments of `app list`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Output format, one of wide|name|json|yaml
    #[arg(short, long, value_name = "FORMAT", default_value = "wide")]
    output: String,
    /// Only applications with matching labels
    #[arg(short = 'l', long, value_name = "SELECTOR", default_value = "")]
    selector: String,
    /// Only applications of this project; may be repeated
    #[arg(short = 'p', long = "project", value_name = "NAME")]
    projects: Vec<String>,
    /// Only applications from this repository
    #[arg(short = 'r', long, value_name = "URL")]
    repo: Option<String>,
    /// Only applications in this namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
    /// Applications of every namespace that the settings allow, which is the default
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Only applications that go to this cluster, by name or URL
    #[arg(short = 'c', long, value_name = "CLUSTER")]
    cluster: Option<String>,
    /// Only applications from this path
    #[arg(short = 'P', long, value_name = "PATH")]
    path: Option<String>,
}

/// Lists Applications, sorted by name.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    check(&arguments.output, &["wide", "name", "json", "yaml"])?;
    let namespace = match arguments.all_namespaces {
        true => "",
        false => &arguments.app_namespace,
    };
    let mut applications = session.applications(namespace, &arguments.selector).await?;
    applications.retain(|application| arguments.takes(application));
    match arguments.output.as_str() {
        format @ ("json" | "yaml") => print_as(format, &applications)?,
        "name" => {
            let names = applications.iter().map(|one| one.qualified_name() + "\n");
            print(&names.collect::<String>())?;
        }
        format => print(&table(&applications, format == "wide").print(Colour::of_stdout()))?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    fn takes(&self, application: &Application) -> bool {
        let spec = &application.spec;
        let sources = spec.effective_sources();
        let fits = |wanted: &Option<String>, fits: &dyn Fn(&str) -> bool| {
            wanted.as_deref().is_none_or(fits)
        };
        (self.projects.is_empty() || self.projects.iter().any(|one| one == spec.project_name()))
            && fits(&self.repo, &|repo| {
                let repo = normalize_repo_url(repo);
                sources.iter().any(|source| normalize_repo_url(&source.repo_url) == repo)
            })
            && fits(&self.cluster, &|cluster| {
                spec.destination.name == cluster || spec.destination.server == cluster
            })
            && fits(&self.path, &|path| sources.iter().any(|source| source.path == path))
    }
}

/// The table of Applications; `wide` with where their manifests come from.
pub fn table(applications: &[Application], wide: bool) -> Table {
    let mut headings = vec![
        "NAME",
        "CLUSTER",
        "NAMESPACE",
        "PROJECT",
        "STATUS",
        "HEALTH",
        "SYNCPOLICY",
        "CONDITIONS",
    ];
    if wide {
        headings.extend(["REPO", "PATH", "TARGET"]);
    }
    let mut table = Table::headed(&headings);
    for application in applications {
        let spec = &application.spec;
        let mut cells = vec![
            application.qualified_name(),
            server(spec).to_owned(),
            spec.destination.namespace.clone(),
            spec.project_name().to_owned(),
            application.status.sync.status.as_str().to_owned(),
            application.status.health.status.as_str().to_owned(),
            policy_in_short(spec).to_owned(),
            conditions_in_short(application),
        ];
        if wide {
            let source = spec.effective_sources().first().cloned().unwrap_or_default();
            cells.extend([source.repo_url, source.path, source.target_revision]);
        }
        table.line(cells);
    }
    table
}
