//! Names that users write on objects: annotations, labels, finalizers.

/// The API group of our kinds.
pub const GROUP: &str = "argoproj.io";
/// The API version of our kinds.
pub const API_VERSION: &str = "argoproj.io/v1alpha1";
/// The project of Applications that name none.
pub const DEFAULT_PROJECT: &str = "default";
/// The cluster in which the controller runs.
pub const IN_CLUSTER_SERVER: &str = "https://kubernetes.default.svc";
/// That cluster's name, where no secret gives it another.
pub const IN_CLUSTER_NAME: &str = "in-cluster";
/// The field manager of server-side applies.
pub const FIELD_MANAGER: &str = "argocd-controller";

/// On an Application, asks for a refresh: `normal` or `hard`.
pub const REFRESH: &str = "argocd.argoproj.io/refresh";
/// On an Application, when a refresh was asked for.
pub const REFRESH_TIMESTAMP: &str = "argocd.argoproj.io/refresh-timestamp";
/// On an Application, asks for a hydration: `normal` or `hard`.
pub const HYDRATE: &str = "argocd.argoproj.io/hydrate";
/// On an Application, when a hydration was asked for.
pub const HYDRATE_TIMESTAMP: &str = "argocd.argoproj.io/hydrate-timestamp";
/// On an ApplicationSet, asks for a refresh.
pub const APPLICATION_SET_REFRESH: &str = "argocd.argoproj.io/application-set-refresh";
/// On an Application or cluster secret, leaves it alone.
pub const SKIP_RECONCILE: &str = "argocd.argoproj.io/skip-reconcile";
/// On an Application, the paths whose changes matter to it.
pub const MANIFEST_GENERATE_PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";
/// On an Application, when a person allowed deletions that wait for one (RFC 3339).
pub const DELETION_APPROVED: &str = "argocd.argoproj.io/deletion-approved";
/// On an Application, the URL of the instance that manages it.
pub const MANAGED_BY_URL: &str = "argocd.argoproj.io/managed-by-url";

/// On an object, to which Application it belongs: see `TrackingId`.
pub const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
/// On an object, to which installation it belongs.
pub const INSTALLATION_ID: &str = "argocd.argoproj.io/installation-id";
/// On an object, to which Application it belongs, where labels track.
pub const LABEL_INSTANCE: &str = "app.kubernetes.io/instance";
/// A label that is recommended in place of `app.kubernetes.io/instance`.
pub const LABEL_ARGOCD_INSTANCE: &str = "argocd.argoproj.io/instance";
/// On ConfigMaps and Secrets that settings may refer to.
pub const LABEL_PART_OF: &str = "app.kubernetes.io/part-of";
/// The value of [`LABEL_PART_OF`].
pub const PART_OF_ARGOCD: &str = "argocd";

/// On an object, options of the comparison.
pub const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
/// On an object, options of the sync.
pub const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// On an object, its wave.
pub const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// On an object, when it runs as a hook.
pub const HOOK: &str = "argocd.argoproj.io/hook";
/// On a hook, when it is deleted.
pub const HOOK_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
/// Finalizer of hooks.
pub const HOOK_FINALIZER: &str = "argocd.argoproj.io/hook-finalizer";
/// On an object, leaves its health out of the Application's.
pub const IGNORE_HEALTHCHECK: &str = "argocd.argoproj.io/ignore-healthcheck";
/// On an object, its changes refresh nothing.
pub const IGNORE_RESOURCE_UPDATES: &str = "argocd.argoproj.io/ignore-resource-updates";
/// On a pod, its health is told as if it never restarted.
pub const IGNORE_RESTART_POLICY: &str = "argocd.argoproj.io/ignore-restart-policy";
/// On an object, its ingress makes no links.
pub const IGNORE_DEFAULT_LINKS: &str = "argocd.argoproj.io/ignore-default-links";
/// On an Application or object, the client-side manager whose fields are taken over.
pub const CLIENT_SIDE_APPLY_MIGRATION_MANAGER: &str =
    "argocd.argoproj.io/client-side-apply-migration-manager";
/// Before a name: on an object, a link as `[title|]url`.
pub const LINK_PREFIX: &str = "link.argocd.argoproj.io/";
/// Before a name: on an Application, a notice.
pub const NOTICE_PREFIX: &str = "notice.argocd.argoproj.io/";
/// Before a name: on an Application, what the web UI shows first.
pub const PREFERENCE_PREFIX: &str = "pref.argocd.argoproj.io/";
/// Before a name: on an Application or project, who is told of what.
pub const NOTIFICATIONS_PREFIX: &str = "notifications.argoproj.io/";
/// On an Application, what was told already.
pub const NOTIFIED: &str = "notified.notifications.argoproj.io";
/// On a secret, that it was made through the API.
pub const MANAGED_BY: &str = "managed-by";
/// The value of [`MANAGED_BY`].
pub const MANAGED_BY_ARGOCD: &str = "argocd.argoproj.io";

/// On a Secret, what it describes.
pub const LABEL_SECRET_TYPE: &str = "argocd.argoproj.io/secret-type";
/// On a cluster secret, asks for labels about the cluster.
pub const LABEL_AUTO_LABEL_CLUSTER_INFO: &str = "argocd.argoproj.io/auto-label-cluster-info";
/// On a cluster secret, the cluster's version.
pub const LABEL_KUBERNETES_VERSION: &str = "argocd.argoproj.io/kubernetes-version";

/// Helm's hook.
pub const HELM_HOOK: &str = "helm.sh/hook";
/// Helm's order of hooks.
pub const HELM_HOOK_WEIGHT: &str = "helm.sh/hook-weight";
/// Helm's rule for deleting hooks.
pub const HELM_HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
/// Helm's rule for keeping objects.
pub const HELM_RESOURCE_POLICY: &str = "helm.sh/resource-policy";

/// Finalizer that deletes an Application's objects with it; dependents go first.
pub const RESOURCES_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";
/// The same, said in full.
pub const RESOURCES_FINALIZER_FOREGROUND: &str =
    "resources-finalizer.argocd.argoproj.io/foreground";
/// As [`RESOURCES_FINALIZER`]; dependents go later.
pub const RESOURCES_FINALIZER_BACKGROUND: &str =
    "resources-finalizer.argocd.argoproj.io/background";
/// Finalizer that runs `PreDelete` hooks.
pub const PRE_DELETE_FINALIZER: &str = "pre-delete-finalizer.argocd.argoproj.io";
/// Finalizer that deletes `PreDelete` hooks.
pub const PRE_DELETE_FINALIZER_CLEANUP: &str = "pre-delete-finalizer.argocd.argoproj.io/cleanup";
/// Finalizer that runs `PostDelete` hooks.
pub const POST_DELETE_FINALIZER: &str = "post-delete-finalizer.argocd.argoproj.io";
/// Finalizer that deletes `PostDelete` hooks.
pub const POST_DELETE_FINALIZER_CLEANUP: &str = "post-delete-finalizer.argocd.argoproj.io/cleanup";
