//! AppProject: what its Applications may do.

use std::collections::BTreeMap;

use crate::application::ApplicationDestination;
use crate::metadata::Metadata;
use crate::shape::shape;

shape! {
    /// AppProject says what its Applications may read and write, and who may use them.
    pub struct AppProject {
        /// `argoproj.io/v1alpha1`.
        api_version: String = "apiVersion",
        /// `AppProject`.
        kind: String = "kind",
        /// Name, labels and the like.
        metadata: Metadata = "metadata" required,
        /// The rules.
        spec: AppProjectSpec = "spec" required,
        /// Tokens that were given out.
        status: AppProjectStatus = "status",
    }
}

shape! {
    /// The rules of a project.
    pub struct AppProjectSpec {
        /// Globs over repository URLs; `!` before one forbids.
        source_repos: Vec<String> = "sourceRepos",
        /// Clusters and namespaces that may be written to.
        destinations: Vec<ApplicationDestination> = "destinations",
        /// For people.
        description: String = "description" { "maxLength": 255 },
        /// Roles, their rights and their tokens.
        roles: Vec<ProjectRole> = "roles",
        /// Kinds without a namespace that are allowed; none where empty.
        cluster_resource_whitelist: Vec<ClusterResourceRestrictionItem> = "clusterResourceWhitelist",
        /// Kinds in namespaces that are forbidden.
        namespace_resource_blacklist: Vec<GroupKindPattern> = "namespaceResourceBlacklist",
        /// Looks for objects that nobody owns.
        orphaned_resources: Option<OrphanedResourcesMonitorSettings> = "orphanedResources",
        /// Times at which syncs may, or may not, happen.
        sync_windows: Vec<SyncWindow> = "syncWindows",
        /// Kinds in namespaces that are allowed; all where absent, none where empty.
        namespace_resource_whitelist: Option<Vec<GroupKindPattern>> = "namespaceResourceWhitelist",
        /// OpenPGP keys that may sign commits; `sourceIntegrity` takes its place.
        signature_keys: Vec<SignatureKey> = "signatureKeys",
        /// Kinds without a namespace that are forbidden.
        cluster_resource_blacklist: Vec<ClusterResourceRestrictionItem> = "clusterResourceBlacklist",
        /// Namespaces whose Applications may name this project.
        source_namespaces: Vec<String> = "sourceNamespaces",
        /// Whether only clusters that belong to this project count.
        permit_only_project_scoped_clusters: bool = "permitOnlyProjectScopedClusters",
        /// Service accounts that syncs act as, by destination.
        destination_service_accounts: Vec<ApplicationDestinationServiceAccount>
            = "destinationServiceAccounts",
        /// What must be proven about a source before it is used.
        source_integrity: Option<SourceIntegrity> = "sourceIntegrity",
    }
}

shape! {
    /// A kind without a namespace, and perhaps a name; globs.
    pub struct ClusterResourceRestrictionItem {
        /// API group.
        group: String = "group" required,
        /// Kind.
        kind: String = "kind" required,
        /// Name; any where empty.
        name: String = "name",
    }
}

shape! {
    /// A kind; both fields are globs.
    pub struct GroupKindPattern {
        /// API group.
        group: String = "group" required,
        /// Kind.
        kind: String = "kind" required,
    }
}

shape! {
    /// Looks for objects that nobody owns.
    pub struct OrphanedResourcesMonitorSettings {
        /// Whether a condition says so; no where absent.
        warn: Option<bool> = "warn",
        /// Objects that may be there.
        ignore: Vec<OrphanedResourceKey> = "ignore",
    }
}

shape! {
    /// Objects that may be there though nobody owns them; globs.
    pub struct OrphanedResourceKey {
        /// API group.
        group: String = "group",
        /// Kind.
        kind: String = "kind",
        /// Name; any where empty.
        name: String = "name",
    }
}

shape! {
    /// Times at which syncs may, or may not, happen.
    pub struct SyncWindow {
        /// `allow` or `deny`.
        kind: String = "kind",
        /// When it opens: five cron fields.
        schedule: String = "schedule",
        /// How long it stays open: a Go duration.
        duration: String = "duration",
        /// Globs over names of Applications.
        applications: Vec<String> = "applications",
        /// Globs over destination namespaces.
        namespaces: Vec<String> = "namespaces",
        /// Globs over destination clusters.
        clusters: Vec<String> = "clusters",
        /// Whether syncs by hand may happen in spite of it.
        manual_sync: bool = "manualSync",
        /// Time zone of the schedule; UTC where empty.
        time_zone: String = "timeZone",
        /// Whether applications, namespaces and clusters must all match; otherwise one is enough.
        and_operator: bool = "andOperator",
        /// For people.
        description: String = "description",
        /// Whether a sync that began before may go on.
        sync_overrun: bool = "syncOverrun",
    }
}

shape! {
    /// A role of a project.
    pub struct ProjectRole {
        /// Name.
        name: String = "name" required,
        /// For people.
        description: String = "description",
        /// Lines of the policy language.
        policies: Vec<String> = "policies",
        /// Tokens that were given out.
        jwt_tokens: Vec<JwtToken> = "jwtTokens",
        /// Groups of the identity provider that hold the role.
        groups: Vec<String> = "groups",
    }
}

shape! {
    /// A token that was given out; times are seconds since 1970.
    pub struct JwtToken {
        /// When it was made.
        iat: i64 = "iat" required,
        /// When it ends; never where 0.
        exp: i64 = "exp",
        /// Its id.
        id: String = "id",
    }
}

shape! {
    /// An OpenPGP key.
    pub struct SignatureKey {
        /// Its id.
        key_id: String = "keyID" required,
    }
}

shape! {
    /// The service account that syncs to a destination act as.
    pub struct ApplicationDestinationServiceAccount {
        /// Glob over the cluster's URL.
        server: String = "server" required,
        /// Glob over the namespace.
        namespace: String = "namespace",
        /// Name, or `namespace:name`.
        default_service_account: String = "defaultServiceAccount" required,
    }
}

shape! {
    /// What must be proven about a source before it is used.
    pub struct SourceIntegrity {
        /// Rules for Git repositories.
        git: Option<SourceIntegrityGit> = "git" required,
    }
}

shape! {
    /// Rules for Git repositories.
    pub struct SourceIntegrityGit {
        /// The first rule that matches holds.
        policies: Vec<SourceIntegrityGitPolicy> = "policies" required,
    }
}

shape! {
    /// One rule for some repositories.
    pub struct SourceIntegrityGitPolicy {
        /// Which repositories.
        repos: Vec<SourceIntegrityGitPolicyRepo> = "repos" required,
        /// What OpenPGP signatures are demanded.
        gpg: Option<SourceIntegrityGitPolicyGpg> = "gpg" required,
    }
}

shape! {
    /// Some repositories.
    pub struct SourceIntegrityGitPolicyRepo {
        /// Glob over the URL.
        url: String = "url" required,
    }
}

shape! {
    /// What OpenPGP signatures are demanded.
    pub struct SourceIntegrityGitPolicyGpg {
        /// `none`, `head` or `strict`.
        mode: String = "mode" required,
        /// Ids of the keys that may sign.
        keys: Vec<String> = "keys" required,
    }
}

shape! {
    /// What is known about a project.
    pub struct AppProjectStatus {
        /// Tokens that were given out, by role.
        jwt_tokens_by_role: BTreeMap<String, JwtTokens> = "jwtTokensByRole",
    }
}

shape! {
    /// The tokens of one role.
    pub struct JwtTokens {
        /// The tokens.
        items: Vec<JwtToken> = "items",
    }
}
