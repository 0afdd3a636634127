//! Changes of one project: what it may use, where it may go, and its end.

use anyhow::{Result, bail};
use cluster::Propagation;
use crd::{
    AppProject, ApplicationDestination, ApplicationDestinationServiceAccount,
    ClusterResourceRestrictionItem, GroupKindPattern, OrphanedResourceKey, SignatureKey,
};

use crate::commands::connect::{Session, project_kind};
use crate::commands::failure::refused;
use crate::commands::output::print;

/// How often a change is tried again where others write at the same time.
const CONFLICTS_MAX: usize = 5;

/// One entry of a list of the project, as it is added or removed.
#[derive(Debug, clap::Subcommand)]
pub enum Change {
    /// Permit a destination
    AddDestination(Destination),
    /// Permit a destination no more
    RemoveDestination(Destination),
    /// Name the service account to sync with at a destination
    AddDestinationServiceAccount(Account),
    /// Name a service account no more
    RemoveDestinationServiceAccount(Account),
    /// Leave objects out of what is nobody's
    AddOrphanedIgnore(Orphans),
    /// Count objects again among what is nobody's
    RemoveOrphanedIgnore(Orphans),
    /// Permit a repository
    AddSource(Source),
    /// Permit a repository no more
    RemoveSource(Source),
    /// Permit applications in a namespace
    AddSourceNamespace(SourceNamespace),
    /// Permit applications in a namespace no more
    RemoveSourceNamespace(SourceNamespace),
    /// Ask for commits signed with a key
    AddSignatureKey(Key),
    /// Ask for a key no more
    RemoveSignatureKey(Key),
    /// Permit a cluster-scoped kind
    AllowClusterResource(ClusterKind),
    /// Forbid a cluster-scoped kind
    DenyClusterResource(ClusterKind),
    /// Permit a namespaced kind
    AllowNamespaceResource(NamespacedKind),
    /// Forbid a namespaced kind
    DenyNamespaceResource(NamespacedKind),
}

/// A destination.
#[derive(Debug, clap::Args)]
pub struct Destination {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: String,
    /// The cluster's URL, or with --name its name
    #[arg(value_name = "SERVER/NAME")]
    server: String,
    /// The namespace
    #[arg(value_name = "NAMESPACE")]
    namespace: String,
    /// The cluster is named, and not told by its URL
    #[arg(long)]
    name: bool,
}

/// A service account.
#[derive(Debug, clap::Args)]
pub struct Account {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: String,
    /// The cluster's URL
    #[arg(value_name = "SERVER")]
    server: String,
    /// The namespace
    #[arg(value_name = "NAMESPACE")]
    namespace: String,
    /// The account
    #[arg(value_name = "SERVICE_ACCOUNT")]
    account: String,
    /// Where the account stands, if not in that namespace
    #[arg(long, value_name = "NAMESPACE", default_value = "")]
    service_account_namespace: String,
}

/// Objects that nobody owns.
#[derive(Debug, clap::Args)]
pub struct Orphans {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: String,
    /// Their API group
    #[arg(value_name = "GROUP")]
    group: String,
    /// Their kind
    #[arg(value_name = "KIND")]
    kind: String,
    /// Their name, or a pattern
    #[arg(long, value_name = "PATTERN", default_value = "")]
    name: String,
}

/// A repository.
#[derive(Debug, clap::Args)]
pub struct Source {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: String,
    /// Its URL, or a pattern
    #[arg(value_name = "URL")]
    url: String,
}

/// A namespace of applications.
#[derive(Debug, clap::Args)]
pub struct SourceNamespace {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: String,
    /// The namespace, or a pattern
    #[arg(value_name = "NAMESPACE")]
    namespace: String,
}

/// A key.
#[derive(Debug, clap::Args)]
pub struct Key {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: String,
    /// The key's ID
    #[arg(value_name = "KEY-ID")]
    key: String,
}

/// A cluster-scoped kind.
#[derive(Debug, clap::Args)]
pub struct ClusterKind {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: String,
    /// Its API group
    #[arg(value_name = "GROUP")]
    group: String,
    /// The kind
    #[arg(value_name = "KIND")]
    kind: String,
    /// Only objects of that name
    #[arg(value_name = "NAME", default_value = "")]
    name: String,
    /// Which list is changed, allow or deny
    #[arg(short = 'l', long, value_name = "allow|deny", default_value = "allow")]
    list: String,
}

/// A namespaced kind.
#[derive(Debug, clap::Args)]
pub struct NamespacedKind {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: String,
    /// Its API group
    #[arg(value_name = "GROUP")]
    group: String,
    /// The kind
    #[arg(value_name = "KIND")]
    kind: String,
    /// Which list is changed, allow or deny
    #[arg(short = 'l', long, value_name = "allow|deny", default_value = "deny")]
    list: String,
}

/// What a change came to.
pub enum Done {
    /// Something is to be written; what is told.
    Changed(String),
    /// Nothing is; what is told.
    Same(String),
}

/// Carries out a change.
pub async fn run(change: &Change, session: &Session) -> Result<()> {
    let told = apply(session, change.project(), |project| change.apply(project)).await?;
    if told.is_empty() { Ok(()) } else { print(&format!("{told}\n")) }
}

/// Changes a project, again and again while others write at the same time; answers what is told.
pub async fn apply(
    session: &Session,
    name: &str,
    mut change: impl FnMut(&mut AppProject) -> Result<Done>,
) -> Result<String> {
    for _ in 0..CONFLICTS_MAX {
        let Some(mut project) = session.project(name).await? else {
            bail!("appprojects.argoproj.io \"{name}\" not found");
        };
        let told = match change(&mut project)? {
            Done::Same(told) => return Ok(told),
            Done::Changed(told) => told,
        };
        match session.home.replace(&serde_json::to_value(&project)?).await {
            Err(cluster::ApiError::Conflict { .. }) => {}
            written => {
                written?;
                return Ok(told);
            }
        }
    }
    bail!("project '{name}' changes too often to be written; try again")
}

impl Change {
    fn project(&self) -> &str {
        match self {
            Self::AddDestination(one) | Self::RemoveDestination(one) => &one.project,
            Self::AddDestinationServiceAccount(one)
            | Self::RemoveDestinationServiceAccount(one) => &one.project,
            Self::AddOrphanedIgnore(one) | Self::RemoveOrphanedIgnore(one) => &one.project,
            Self::AddSource(one) | Self::RemoveSource(one) => &one.project,
            Self::AddSourceNamespace(one) | Self::RemoveSourceNamespace(one) => &one.project,
            Self::AddSignatureKey(one) | Self::RemoveSignatureKey(one) => &one.project,
            Self::AllowClusterResource(one) | Self::DenyClusterResource(one) => &one.project,
            Self::AllowNamespaceResource(one) | Self::DenyNamespaceResource(one) => &one.project,
        }
    }

    fn apply(&self, project: &mut AppProject) -> Result<Done> {
        let spec = &mut project.spec;
        match self {
            Self::AddDestination(one) => {
                if spec.destinations.iter().any(|held| one.is(held)) {
                    bail!("Specified destination is already defined in project");
                }
                spec.destinations.push(one.entry());
            }
            Self::RemoveDestination(one) => {
                let found = spec.destinations.iter().position(|held| {
                    held.namespace == one.namespace
                        && (held.server == one.server || held.name == one.server)
                });
                let Some(at) = found else {
                    bail!("Specified destination does not exist in project");
                };
                spec.destinations.remove(at);
            }
            Self::AddDestinationServiceAccount(one) => {
                let entry = one.entry()?;
                if spec.destination_service_accounts.contains(&entry) {
                    bail!("Specified destination service account is already defined in project");
                }
                spec.destination_service_accounts.push(entry);
            }
            Self::RemoveDestinationServiceAccount(one) => {
                let entry = one.entry()?;
                let found =
                    spec.destination_service_accounts.iter().position(|held| *held == entry);
                let Some(at) = found else {
                    bail!("Specified destination service account does not exist in project");
                };
                spec.destination_service_accounts.remove(at);
            }
            Self::AddOrphanedIgnore(one) => {
                let settings = spec.orphaned_resources.get_or_insert_default();
                if settings.ignore.iter().any(|held| one.is(held)) {
                    bail!(
                        "Specified resource is already defined in the orphaned ignore list of project"
                    );
                }
                settings.ignore.push(OrphanedResourceKey {
                    group: one.group.clone(),
                    kind: one.kind.clone(),
                    name: one.name.clone(),
                    ..OrphanedResourceKey::default()
                });
            }
            Self::RemoveOrphanedIgnore(one) => {
                let settings = spec.orphaned_resources.as_mut();
                let found = settings.and_then(|settings| {
                    let at = settings.ignore.iter().position(|held| one.is(held))?;
                    Some((settings, at))
                });
                let Some((settings, at)) = found else {
                    bail!(
                        "Specified resource does not exist in the orphaned ignore list of project"
                    );
                };
                settings.ignore.remove(at);
            }
            Self::AddSource(one) => {
                let same = |held: &&String| {
                    crd::normalize_repo_url(held) == crd::normalize_repo_url(&one.url)
                };
                if let Some(held) = spec.source_repos.iter().find(|held| *held == "*" || same(held))
                {
                    let told = format!("Source repository '{held}' already allowed in project");
                    return Ok(Done::Same(told));
                }
                spec.source_repos.push(one.url.clone());
            }
            Self::RemoveSource(one) => {
                let Some(at) = spec.source_repos.iter().position(|held| *held == one.url) else {
                    let told = format!("Source repository '{}' does not exist in project", one.url);
                    return Ok(Done::Same(told));
                };
                spec.source_repos.remove(at);
            }
            Self::AddSourceNamespace(one) => {
                let held = spec.source_namespaces.iter();
                if let Some(held) = { held }.find(|held| *held == "*" || **held == one.namespace) {
                    let told = format!("Source namespace '{held}' already allowed in project");
                    return Ok(Done::Same(told));
                }
                spec.source_namespaces.push(one.namespace.clone());
            }
            Self::RemoveSourceNamespace(one) => {
                let found = spec.source_namespaces.iter().position(|held| *held == one.namespace);
                let Some(at) = found else {
                    return Ok(Done::Same(format!(
                        "Source namespace '{}' does not exist in project or cannot be removed",
                        one.namespace
                    )));
                };
                spec.source_namespaces.remove(at);
            }
            Self::AddSignatureKey(one) => {
                if spec.signature_keys.iter().any(|held| held.key_id == one.key) {
                    bail!("Specified signature key is already defined in project");
                }
                let key = SignatureKey { key_id: one.key.clone(), ..SignatureKey::default() };
                spec.signature_keys.push(key);
            }
            Self::RemoveSignatureKey(one) => {
                let found = spec.signature_keys.iter().position(|held| held.key_id == one.key);
                let Some(at) = found else {
                    bail!("Specified signature key is not configured for project");
                };
                spec.signature_keys.remove(at);
            }
            Self::AllowClusterResource(one) => return Ok(one.write(project, true)),
            Self::DenyClusterResource(one) => return Ok(one.write(project, false)),
            Self::AllowNamespaceResource(one) => return Ok(one.write(project, true)),
            Self::DenyNamespaceResource(one) => return Ok(one.write(project, false)),
        }
        Ok(Done::Changed(String::new()))
    }
}

impl Destination {
    fn is(&self, held: &ApplicationDestination) -> bool {
        let named = if self.name { &held.name } else { &held.server };
        *named == self.server && held.namespace == self.namespace
    }

    fn entry(&self) -> ApplicationDestination {
        let (name, server) = match self.name {
            true => (self.server.clone(), String::new()),
            false => (String::new(), self.server.clone()),
        };
        let namespace = self.namespace.clone();
        ApplicationDestination { server, name, namespace, ..ApplicationDestination::default() }
    }
}

impl Account {
    fn entry(&self) -> Result<ApplicationDestinationServiceAccount> {
        if self.service_account_namespace.contains('*') {
            bail!(
                "service-account-namespace for DestinationServiceAccount must not contain wildcards"
            );
        }
        if self.account.contains('*') {
            bail!("ServiceAccount for DestinationServiceAccount must not contain wildcards");
        }
        let account = match self.service_account_namespace.as_str() {
            "" => self.account.clone(),
            namespace => format!("{namespace}:{}", self.account),
        };
        Ok(ApplicationDestinationServiceAccount {
            server: self.server.clone(),
            namespace: self.namespace.clone(),
            default_service_account: account,
            ..ApplicationDestinationServiceAccount::default()
        })
    }
}

impl Orphans {
    fn is(&self, held: &OrphanedResourceKey) -> bool {
        held.group == self.group && held.kind == self.kind && held.name == self.name
    }
}

/// Adds an entry to a list, or takes it off. As upstream, only a change is told.
fn put<T>(
    list: &mut Vec<T>,
    entry: T,
    is: impl Fn(&T) -> bool,
    (add, words, place): (bool, String, String),
) -> Done {
    match (list.iter().position(is), add) {
        (Some(_), true) | (None, false) => Done::Same(String::new()),
        (None, true) => {
            list.push(entry);
            Done::Changed(format!("{words} is added to {place} resources"))
        }
        (Some(at), false) => {
            list.remove(at);
            Done::Changed(format!("{words} is removed from {place} resources"))
        }
    }
}

fn is_allow(list: &str) -> bool {
    matches!(list, "allow" | "white")
}

impl ClusterKind {
    fn write(&self, project: &mut AppProject, allow: bool) -> Done {
        let Self { group, kind, name, .. } = self;
        let (list, place, add) = match is_allow(&self.list) {
            true => (&mut project.spec.cluster_resource_whitelist, "allowed", allow),
            false => (&mut project.spec.cluster_resource_blacklist, "denied", !allow),
        };
        let entry = ClusterResourceRestrictionItem {
            group: group.clone(),
            kind: kind.clone(),
            name: name.clone(),
            ..ClusterResourceRestrictionItem::default()
        };
        let is = |held: &ClusterResourceRestrictionItem| {
            held.group == *group && held.kind == *kind && held.name == *name
        };
        let words = format!("Group '{group}', kind '{kind}', and name '{name}'");
        put(list, entry, is, (add, words, format!("{place} cluster")))
    }
}

impl NamespacedKind {
    fn write(&self, project: &mut AppProject, allow: bool) -> Done {
        let Self { group, kind, .. } = self;
        let entry = GroupKindPattern {
            group: group.clone(),
            kind: kind.clone(),
            ..GroupKindPattern::default()
        };
        let is = |held: &GroupKindPattern| held.group == *group && held.kind == *kind;
        let words = format!("Group '{group}' and kind '{kind}'");
        if is_allow(&self.list) {
            let mut list = project.spec.namespace_resource_whitelist.take().unwrap_or_default();
            let done = put(&mut list, entry, is, (allow, words, "allowed namespaced".into()));
            // An empty list of what is permitted would permit nothing; upstream writes none.
            project.spec.namespace_resource_whitelist = Some(list).filter(|list| !list.is_empty());
            done
        } else {
            let list = &mut project.spec.namespace_resource_blacklist;
            put(list, entry, is, (!allow, words, "denied namespaced".into()))
        }
    }
}

/// Arguments of `proj delete`.
#[derive(Debug, clap::Args)]
pub struct Delete {
    /// The projects
    #[arg(value_name = "PROJECT", required = true)]
    projects: Vec<String>,
}

/// Deletes projects that no Application uses.
pub async fn delete(arguments: &Delete, session: &Session) -> Result<()> {
    for name in &arguments.projects {
        if name == reconcile::DEFAULT_PROJECT {
            return Err(refused("name \"default\" is reserved and cannot be deleted"));
        }
        if session.project(name).await?.is_none() {
            bail!("appprojects.argoproj.io \"{name}\" not found");
        }
        let applications = session.applications("", "").await?;
        let users = applications.iter().filter(|one| one.spec.project_name() == name).count();
        if users > 0 {
            bail!("project is referenced by {users} applications");
        }
        let kind = project_kind();
        session.home.delete(&kind, &session.namespace, name, Propagation::Background).await?;
    }
    Ok(())
}
