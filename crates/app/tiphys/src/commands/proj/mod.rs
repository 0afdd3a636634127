//! `proj`: projects.

mod change;
mod windows;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use cluster::ApiError;
use crd::{
    AppProject, ApplicationDestination, ApplicationDestinationServiceAccount,
    ClusterResourceRestrictionItem, GroupKindPattern, OrphanedResourcesMonitorSettings,
    SignatureKey,
};

use crate::commands::colour::Colour;
use crate::commands::connect::{self, Session, read};
use crate::commands::failure::refused;
use crate::commands::global::Global;
use crate::commands::output::{check, note, print, print_as};
use crate::commands::table::Table;
use crate::commands::yaml;
use crate::commands::{editor, input};

/// The commands on projects.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create a project
    Create(Box<Create>),
    /// Show a project
    Get(Get),
    /// List projects
    List(List),
    /// Change what a project says, all at once
    Set(Box<Create>),
    /// Change a project in an editor
    Edit(Edit),
    /// Delete projects
    Delete(change::Delete),
    /// Times at which a project's applications may, or may not, be synced
    #[command(subcommand)]
    Windows(windows::Command),
    #[command(flatten)]
    Change(change::Change),
}

/// Arguments of `proj create`.
#[derive(Debug, Default, clap::Args)]
pub struct Create {
    /// The project's name
    #[arg(value_name = "PROJECT")]
    project: Option<String>,
    /// Read the project from a file; - is the standard input
    #[arg(short = 'f', long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<String>,
    /// Overwrite a project of that name that says something else
    #[arg(long)]
    upsert: bool,
    /// What the project is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Permitted destination, as SERVER,NAMESPACE; may be repeated
    #[arg(short = 'd', long = "dest", value_name = "SERVER,NAMESPACE")]
    destinations: Vec<String>,
    /// Permitted repository, by URL or pattern; may be repeated
    #[arg(short = 's', long = "src", value_name = "URL")]
    sources: Vec<String>,
    /// Key that must have signed commits
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    signature_keys: Vec<String>,
    /// Look for objects that nobody owns
    #[arg(long)]
    orphaned_resources: bool,
    /// Warn of objects that nobody owns
    #[arg(long)]
    orphaned_resources_warn: bool,
    /// Permitted cluster-scoped kind, as [GROUP/]KIND or GROUP/KIND/NAME
    #[arg(long = "allow-cluster-resource", value_name = "KIND")]
    allowed_cluster_resources: Vec<String>,
    /// Forbidden cluster-scoped kind
    #[arg(long = "deny-cluster-resource", value_name = "KIND")]
    denied_cluster_resources: Vec<String>,
    /// Permitted namespaced kind, as [GROUP/]KIND
    #[arg(long = "allow-namespaced-resource", value_name = "KIND")]
    allowed_namespaced_resources: Vec<String>,
    /// Forbidden namespaced kind
    #[arg(long = "deny-namespaced-resource", value_name = "KIND")]
    denied_namespaced_resources: Vec<String>,
    /// Namespace in which the project's applications may stand
    #[arg(long, value_name = "NAMESPACE", value_delimiter = ',')]
    source_namespaces: Vec<String>,
    /// Service account to sync with, as SERVER,NAMESPACE,ACCOUNT
    #[arg(long = "dest-service-accounts", value_name = "SERVER,NAMESPACE,ACCOUNT")]
    destination_service_accounts: Vec<String>,
}

/// Arguments of `proj get`.
#[derive(Debug, clap::Args)]
pub struct Get {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: String,
    /// Output format, one of json|yaml|wide
    #[arg(short, long, value_name = "FORMAT", default_value = "wide")]
    output: String,
}

/// Arguments of `proj list`.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Output format, one of json|yaml|wide|name
    #[arg(short, long, value_name = "FORMAT", default_value = "wide")]
    output: String,
}

/// Arguments of `proj edit`.
#[derive(Debug, clap::Args)]
pub struct Edit {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: String,
}

/// Runs one of them.
pub fn run(command: Command, global: &Global) -> Result<ExitCode> {
    connect::run(async {
        let session = Session::open(global).await?;
        match command {
            Command::Create(arguments) => create(&arguments, &session).await?,
            Command::Get(arguments) => get(&arguments, &session).await?,
            Command::List(arguments) => list(&arguments, &session).await?,
            Command::Set(arguments) => set(&arguments, &session).await?,
            Command::Edit(arguments) => edit(&arguments, &session).await?,
            Command::Delete(arguments) => change::delete(&arguments, &session).await?,
            Command::Windows(command) => windows::run(&command, &session).await?,
            Command::Change(change) => change::run(&change, &session).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn create(arguments: &Create, session: &Session) -> Result<()> {
    let mut project = arguments.project()?;
    project.metadata.namespace.clone_from(&session.namespace);
    let name = project.metadata.name.clone();
    match session.home.create(&serde_json::to_value(&project)?).await {
        Ok(_) => return Ok(()),
        Err(ApiError::AlreadyExists { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let Some(mut existing) = session.project(&name).await? else {
        bail!("project '{name}' was deleted while it was created; try again");
    };
    if existing.spec == project.spec {
        return Ok(());
    }
    if !arguments.upsert {
        bail!("existing project spec is different, use upsert flag to force update");
    }
    existing.spec = project.spec;
    session.home.replace(&serde_json::to_value(&existing)?).await?;
    Ok(())
}

/// Writes what was given over what a project says.
async fn set(arguments: &Create, session: &Session) -> Result<()> {
    let Some(name) = &arguments.project else {
        return Err(refused("name the project: proj set PROJECT"));
    };
    let mut nothing = AppProject::new("", name);
    let before = nothing.spec.clone();
    arguments.write(&mut nothing)?;
    if nothing.spec == before {
        return Err(refused("Please set at least one option to update"));
    }
    change::apply(session, name, |project| {
        arguments.write(project)?;
        Ok(change::Done::Changed(String::new()))
    })
    .await?;
    Ok(())
}

/// Opens a project's spec in the person's editor, and writes what comes back.
async fn edit(arguments: &Edit, session: &Session) -> Result<()> {
    let name = &arguments.project;
    let Some(project) = session.project(name).await? else {
        bail!("appprojects.argoproj.io \"{name}\" not found");
    };
    let original = yaml::text(&serde_json::to_value(&project.spec)?);
    let text = editor::edited(&original, None)?;
    if text == original || text.trim().is_empty() {
        note("Edit cancelled, no changes made.");
        return Ok(());
    }
    let value = goyaml::to_json(text.as_bytes()).context("it does not parse")?;
    let spec: crd::AppProjectSpec =
        serde_json::from_value(value).context("it is no spec of a project")?;
    change::apply(session, name, |project| {
        project.spec.clone_from(&spec);
        Ok(change::Done::Changed(String::new()))
    })
    .await?;
    note("Project edited.");
    Ok(())
}

impl Create {
    /// The project that the arguments describe.
    fn project(&self) -> Result<AppProject> {
        let mut project = match self.file.as_deref().filter(|file| !file.is_empty()) {
            Some(file) => {
                let mut objects = input::objects(file)?;
                let one = objects.pop().filter(|_| objects.is_empty());
                let Some(object) = one else { bail!("`{file}` must hold one project") };
                let project: AppProject = read(object)?;
                if let Some(name) = &self.project
                    && *name != project.metadata.name
                {
                    bail!(
                        "project name '{name}' does not match project spec metadata.name '{}'",
                        project.metadata.name
                    );
                }
                project
            }
            None => match &self.project {
                Some(name) => AppProject::new("", name),
                None => return Err(refused("a project needs a name: proj create PROJECT")),
            },
        };
        self.write(&mut project)?;
        Ok(project)
    }

    /// Writes what was given over what is there.
    fn write(&self, project: &mut AppProject) -> Result<()> {
        let spec = &mut project.spec;
        if let Some(description) = &self.description {
            spec.description.clone_from(description);
        }
        if !self.destinations.is_empty() {
            spec.destinations =
                self.destinations.iter().map(|text| destination(text)).collect::<Result<_>>()?;
        }
        if !self.sources.is_empty() {
            spec.source_repos.clone_from(&self.sources);
        }
        if !self.signature_keys.is_empty() {
            let keys = self.signature_keys.iter();
            spec.signature_keys = keys
                .map(|key| SignatureKey { key_id: key.clone(), ..SignatureKey::default() })
                .collect();
        }
        if self.orphaned_resources || self.orphaned_resources_warn {
            let settings = OrphanedResourcesMonitorSettings {
                warn: Some(self.orphaned_resources_warn),
                ..OrphanedResourcesMonitorSettings::default()
            };
            spec.orphaned_resources = Some(settings);
        }
        if !self.allowed_cluster_resources.is_empty() {
            spec.cluster_resource_whitelist = cluster_kinds(&self.allowed_cluster_resources);
        }
        if !self.denied_cluster_resources.is_empty() {
            spec.cluster_resource_blacklist = cluster_kinds(&self.denied_cluster_resources);
        }
        if !self.allowed_namespaced_resources.is_empty() {
            spec.namespace_resource_whitelist = Some(kinds(&self.allowed_namespaced_resources));
        }
        if !self.denied_namespaced_resources.is_empty() {
            spec.namespace_resource_blacklist = kinds(&self.denied_namespaced_resources);
        }
        if !self.source_namespaces.is_empty() {
            spec.source_namespaces.clone_from(&self.source_namespaces);
        }
        if !self.destination_service_accounts.is_empty() {
            let accounts = self.destination_service_accounts.iter();
            spec.destination_service_accounts =
                accounts.map(|text| service_account(text)).collect::<Result<_>>()?;
        }
        Ok(())
    }
}

fn destination(text: &str) -> Result<ApplicationDestination> {
    let parts: Vec<&str> = text.split(',').collect();
    let [server, namespace] = parts[..] else {
        return Err(refused(format!(
            "Expected destination of the form: server,namespace. Received: {text}"
        )));
    };
    Ok(ApplicationDestination {
        server: server.to_owned(),
        namespace: namespace.to_owned(),
        ..ApplicationDestination::default()
    })
}

fn service_account(text: &str) -> Result<ApplicationDestinationServiceAccount> {
    let parts: Vec<&str> = text.split(',').collect();
    let [server, namespace, account] = parts[..] else {
        return Err(refused(format!(
            "Expected destination service account of the form: server,namespace, \
             defaultServiceAccount. Received: {text}"
        )));
    };
    Ok(ApplicationDestinationServiceAccount {
        server: server.to_owned(),
        namespace: namespace.to_owned(),
        default_service_account: account.to_owned(),
        ..ApplicationDestinationServiceAccount::default()
    })
}

fn cluster_kinds(texts: &[String]) -> Vec<ClusterResourceRestrictionItem> {
    let items = texts.iter().filter_map(|text| {
        let (group, kind, name) = match text.split('/').collect::<Vec<_>>()[..] {
            [kind] => ("", kind, ""),
            [group, kind] => (group, kind, ""),
            [group, kind, name] => (group, kind, name),
            _ => return None,
        };
        Some(ClusterResourceRestrictionItem {
            group: group.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            ..ClusterResourceRestrictionItem::default()
        })
    });
    items.collect()
}

fn kinds(texts: &[String]) -> Vec<GroupKindPattern> {
    let items = texts.iter().filter_map(|text| {
        let (group, kind) = match text.split('/').collect::<Vec<_>>()[..] {
            [kind] => ("", kind),
            [group, kind] => (group, kind),
            _ => return None,
        };
        Some(GroupKindPattern {
            group: group.to_owned(),
            kind: kind.to_owned(),
            ..GroupKindPattern::default()
        })
    });
    items.collect()
}

async fn get(arguments: &Get, session: &Session) -> Result<()> {
    check(&arguments.output, &["json", "yaml", "wide"])?;
    let name = &arguments.project;
    let Some(project) = session.project(name).await? else {
        bail!("appprojects.argoproj.io \"{name}\" not found");
    };
    if let format @ ("json" | "yaml") = arguments.output.as_str() {
        return print_as(format, &project);
    }
    let in_project = |of: &str| of == name;
    let clusters = session.clusters().await?;
    let clusters = clusters.list().iter().filter(|one| in_project(&one.project));
    let clusters: Vec<String> = clusters.map(|one| one.server.clone()).collect();
    let (repositories, _) = settings::Repositories::read(&session.secrets("repository").await?);
    let repositories = repositories.list().filter(|one| in_project(&one.project));
    let repositories: Vec<String> = repositories.map(|one| one.url).collect();
    print(&details(&project, &repositories, &clusters))
}

/// What `proj get` shows.
fn details(project: &AppProject, repositories: &[String], clusters: &[String]) -> String {
    let spec = &project.spec;
    let mut text = line("Name:", &project.metadata.name) + &line("Description:", &spec.description);
    let destinations: Vec<String> =
        spec.destinations.iter().map(|one| format!("{},{}", one.server, one.namespace)).collect();
    let allowed: Vec<String> = spec
        .cluster_resource_whitelist
        .iter()
        .map(|one| format!("{}/{}", one.group, one.kind))
        .collect();
    let denied: Vec<String> = spec
        .namespace_resource_blacklist
        .iter()
        .map(|one| format!("{}/{}", one.group, one.kind))
        .collect();
    for (name, values) in [
        ("Destinations:", destinations.as_slice()),
        ("Repositories:", &spec.source_repos),
        ("Source Namespaces:", &spec.source_namespaces),
        ("Scoped Repositories:", repositories),
        ("Allowed Cluster Resources:", &allowed),
        ("Scoped Clusters:", clusters),
        ("Denied Namespaced Resources:", &denied),
    ] {
        let mut values = values.iter();
        text.push_str(&line(name, values.next().map_or("<none>", String::as_str)));
        values.for_each(|value| text.push_str(&line("", value)));
    }
    let keys: Vec<&str> = spec.signature_keys.iter().map(|key| key.key_id.as_str()).collect();
    let keys = if keys.is_empty() { "<none>".to_owned() } else { keys.join(", ") };
    text.push_str(&line("Signature keys:", &keys));
    text.push_str(&line("Orphaned Resources:", &orphaned(project)));
    text
}

fn line(name: &str, value: &str) -> String {
    format!("{name:<29}{value}\n")
}

fn orphaned(project: &AppProject) -> String {
    let Some(settings) = &project.spec.orphaned_resources else { return "disabled".to_owned() };
    let ignored = match settings.ignore.len() {
        0 => String::new(),
        count => format!(", ignored {count}"),
    };
    format!("enabled (warn={}{ignored})", settings.warn.unwrap_or(true))
}

async fn list(arguments: &List, session: &Session) -> Result<()> {
    check(&arguments.output, &["json", "yaml", "wide", "name"])?;
    let projects = session.projects().await?;
    match arguments.output.as_str() {
        format @ ("json" | "yaml") => print_as(format, &projects),
        "name" => {
            let names = projects.iter().map(|one| one.metadata.name.clone() + "\n");
            print(&names.collect::<String>())
        }
        _ => print(&table(&projects).print(Colour::Off)),
    }
}

/// What `proj list` shows.
fn table(projects: &[AppProject]) -> Table {
    let mut table = Table::headed(&[
        "NAME",
        "DESCRIPTION",
        "DESTINATIONS",
        "SOURCES",
        "CLUSTER-RESOURCE-WHITELIST",
        "NAMESPACE-RESOURCE-BLACKLIST",
        "SIGNATURE-KEYS",
        "ORPHANED-RESOURCES",
        "DESTINATION-SERVICE-ACCOUNTS",
    ]);
    for project in projects {
        let spec = &project.spec;
        let destinations = spec.destinations.iter();
        let destinations = destinations.map(|one| format!("{},{}", one.server, one.namespace));
        let accounts = spec
            .destination_service_accounts
            .iter()
            .map(|one| format!("{},{},{}", one.server, one.namespace, one.default_service_account));
        let allowed = spec.cluster_resource_whitelist.iter();
        let counted = |count: usize, what: &str| match count {
            0 => "<none>".to_owned(),
            count => format!("{count} {what}"),
        };
        table.line([
            project.metadata.name.clone(),
            spec.description.clone(),
            only_or_count(destinations, "destinations"),
            only_or_count(spec.source_repos.iter().cloned(), "repos"),
            only_or_count(allowed.map(|one| format!("{}/{}", one.group, one.kind)), "resources"),
            counted(spec.namespace_resource_blacklist.len(), "resources"),
            counted(spec.signature_keys.len(), "key(s)"),
            orphaned(project),
            only_or_count(accounts, "destinationServiceAccounts"),
        ]);
    }
    table
}

/// One value as it is, several by their number.
fn only_or_count(values: impl Iterator<Item = String>, what: &str) -> String {
    let mut values: Vec<String> = values.collect();
    match values.len() {
        0 => "<none>".to_owned(),
        1 => values.remove(0),
        count => format!("{count} {what}"),
    }
}
