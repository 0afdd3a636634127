//! What the Applications of a project may read and write.

use crd::{AppProject, ClusterResourceRestrictionItem, GroupKindPattern, normalize_repo_url};
use globs::file_match;
use manifest::GroupKind;

use crate::cluster::Cluster;
use crate::pattern::{Pattern, names_namespace};

/// The rules of one project, ready to be asked.
#[derive(Clone, Debug)]
pub struct Project {
    name: String,
    sources: Vec<Pattern>,
    destinations: Vec<DestinationRule>,
    cluster_allowed: Vec<ClusterResourceRestrictionItem>,
    cluster_denied: Vec<ClusterResourceRestrictionItem>,
    namespaced_allowed: Option<Vec<GroupKindPattern>>,
    namespaced_denied: Vec<GroupKindPattern>,
    namespaces: Vec<String>,
    only_own_clusters: bool,
    warnings: Vec<String>,
}

#[derive(Clone, Debug)]
struct DestinationRule {
    server: Pattern,
    name: Pattern,
    namespace: Pattern,
}

impl Project {
    /// Reads a project, and appends what the global projects that match it give it (CRD-15).
    pub fn new(project: &AppProject, globals: &[&AppProject]) -> Self {
        let specs = || std::iter::once(project).chain(globals.iter().copied()).map(|one| &one.spec);
        let mut warnings = Vec::new();
        let mut sources = Vec::new();
        for text in specs().flat_map(|spec| &spec.source_repos) {
            let trimmed = text.trim();
            if trimmed != text {
                warnings.push(format!(
                    "project '{}': sourceRepos pattern {text:?} has blanks around it, which are ignored: write {trimmed:?}",
                    project.metadata.name
                ));
            }
            sources.push(source_pattern(trimmed));
        }
        let destinations = specs()
            .flat_map(|spec| &spec.destinations)
            .map(|item| DestinationRule {
                server: Pattern::new(&item.server, &[]),
                name: Pattern::new(&item.name, &[]),
                namespace: Pattern::new(&item.namespace, &[]),
            })
            .collect();
        let mut namespaced_allowed = project.spec.namespace_resource_whitelist.clone();
        for more in globals.iter().filter_map(|one| one.spec.namespace_resource_whitelist.as_ref())
        {
            namespaced_allowed.get_or_insert_with(Vec::new).extend(more.iter().cloned());
        }
        Self {
            name: project.metadata.name.clone(),
            sources,
            destinations,
            cluster_allowed: specs()
                .flat_map(|spec| spec.cluster_resource_whitelist.iter().cloned())
                .collect(),
            cluster_denied: specs()
                .flat_map(|spec| spec.cluster_resource_blacklist.iter().cloned())
                .collect(),
            namespaced_allowed,
            namespaced_denied: specs()
                .flat_map(|spec| spec.namespace_resource_blacklist.iter().cloned())
                .collect(),
            namespaces: project.spec.source_namespaces.clone(),
            only_own_clusters: project.spec.permit_only_project_scoped_clusters,
            warnings,
        }
    }

    /// The project's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What somebody should mend in the project.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Tells whether manifests may come from this repository (PRJ-01).
    pub fn permits_source(&self, repo_url: &str) -> bool {
        let url = normalized_or_empty(repo_url);
        let mut any = false;
        for pattern in &self.sources {
            if pattern.matches(&url) {
                any = true;
            } else if pattern.is_deny() {
                return false;
            }
        }
        any
    }

    /// Tells whether objects may go to this namespace of this cluster (PRJ-02).
    pub fn permits_destination(&self, cluster: &Cluster, namespace: &str) -> bool {
        let mut any = false;
        for rule in &self.destinations {
            let name = !cluster.name.is_empty() && rule.name.matches(&cluster.name);
            let server = !cluster.server.is_empty() && rule.server.matches(&cluster.server);
            let in_namespace = rule.namespace.matches(namespace);
            if (server || name) && in_namespace {
                any = true;
            } else if (!name && rule.name.is_deny())
                || (!server && rule.server.is_deny() && in_namespace)
                || (!in_namespace && rule.namespace.is_deny() && server)
            {
                return false;
            }
        }
        any && (!self.only_own_clusters || cluster.project == self.name)
    }

    /// Tells whether objects of this kind may be written (PRJ-03).
    pub fn permits_kind(&self, kind: &GroupKind, name: &str, namespaced: bool) -> bool {
        if namespaced {
            let listed = |list: &[GroupKindPattern]| {
                list.iter().any(|item| names(&item.group, &item.kind, kind))
            };
            return self.namespaced_allowed.as_deref().is_none_or(listed)
                && !listed(&self.namespaced_denied);
        }
        let listed = |list: &[ClusterResourceRestrictionItem]| {
            list.iter().any(|item| {
                names(&item.group, &item.kind, kind)
                    && (item.name.is_empty() || file_match(&item.name, name).unwrap_or(false))
            })
        };
        listed(&self.cluster_allowed) && !listed(&self.cluster_denied)
    }

    /// Tells whether an object that is live belongs to what this project may touch.
    pub fn permits_live(
        &self,
        kind: &GroupKind,
        name: &str,
        namespace: &str,
        cluster: &Cluster,
    ) -> bool {
        self.permits_kind(kind, name, !namespace.is_empty())
            && (namespace.is_empty() || self.permits_destination(cluster, namespace))
    }

    /// Tells whether Applications of this namespace may name the project (PRJ-04).
    ///
    /// Those of the control plane's namespace always may.
    pub fn permits_namespace(&self, namespace: &str, control_plane: &str) -> bool {
        namespace.is_empty()
            || namespace == control_plane
            || names_namespace(&self.namespaces, namespace)
    }

    /// Decides whether one object may be written: the question of the one choke point.
    ///
    /// # Errors
    ///
    /// Upstream's words for what is not permitted.
    pub fn check_write(
        &self,
        cluster: &Cluster,
        kind: &GroupKind,
        name: &str,
        namespace: &str,
        namespaced: bool,
    ) -> Result<(), String> {
        if !self.permits_kind(kind, name, namespaced) {
            return Err(format!(
                "resource {}:{} is not permitted in project {}",
                kind.group, kind.kind, self.name
            ));
        }
        if namespaced && !self.permits_destination(cluster, namespace) {
            return Err(format!(
                "namespace {namespace} is not permitted in project '{}'",
                self.name
            ));
        }
        Ok(())
    }
}

fn source_pattern(text: &str) -> Pattern {
    match text.strip_prefix('!') {
        Some(rest) => Pattern::new(&format!("!{}", normalized_or_empty(rest)), &['/']),
        None => Pattern::new(&normalized_or_empty(text), &['/']),
    }
}

fn normalized_or_empty(url: &str) -> String {
    normalize_repo_url(url)
}

fn names(group: &str, kind: &str, asked: &GroupKind) -> bool {
    file_match(kind, &asked.kind).unwrap_or(false)
        && file_match(group, &asked.group).unwrap_or(false)
}
