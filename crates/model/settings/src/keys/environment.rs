//! Environment variables that stand in no ConfigMap.

use crate::key::Kind::{Bool, Duration, Int, Text};
use crate::key::{Key, Kind, Place};

const fn key(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
    Key::new(Place::Environment, name, kind, default, doc)
}

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("ARGOCD_GIT_ATTEMPTS_COUNT", Int, "1", "How often a Git repository is asked for its branches that does not answer."),
    key("ARGOCD_GIT_RETRY_DURATION", Duration, "250ms", "The first wait in between."),
    key("ARGOCD_GIT_RETRY_FACTOR", Int, "2", "Each wait is this many times the one before."),
    key("ARGOCD_GIT_RETRY_MAX_DURATION", Duration, "10s", "No wait is longer; 0 is no limit."),
    key("ARGOCD_EXEC_TIMEOUT", Duration, "90s", "How long a config management plugin may take."),
    key("ARGOCD_EXEC_FATAL_TIMEOUT", Duration, "10s", "How long after a polite signal git, Helm or Kustomize are killed; they are no programs here.").no_effect(),
    key("ARGOCD_CLUSTER_CACHE_RESYNC_DURATION", Duration, "12h", "How often a cluster is listed anew; watches make that needless here.").no_effect(),
    key("ARGOCD_CLUSTER_CACHE_WATCH_RESYNC_DURATION", Duration, "10m", "How often a watch is opened anew; bookmarks make that needless here.").no_effect(),
    key("ARGOCD_CLUSTER_SYNC_RETRY_TIMEOUT_DURATION", Duration, "10s", "How long after a failure a cluster is tried again at the latest."),
    key("ARGOCD_CLUSTER_CACHE_LIST_PAGE_SIZE", Int, "500", "Objects in one page of a list."),
    key("ARGOCD_CLUSTER_CACHE_LIST_PAGE_BUFFER_SIZE", Int, "1", "Pages that are read ahead.").no_effect(),
    key("ARGOCD_CLUSTER_CACHE_LIST_SEMAPHORE", Int, "4", "Lists of one cluster at a time. Argo CD's default is 50; here most state comes by watches."),
    key("ARGOCD_CLUSTER_CACHE_ATTEMPT_LIMIT", Int, "1", "How often a list is tried; here until it answers.").no_effect(),
    key("ARGOCD_CLUSTER_CACHE_RETRY_USE_BACKOFF", Bool, "false", "Whether waits between those grow; here they do.").no_effect(),
    key("ARGOCD_K8S_SERVER_SIDE_TIMEOUT", Duration, "0s", "Time limit that requests carry; 0 is none."),
    key("ARGOCD_APPLICATION_TREE_SHARD_SIZE", Int, "0", "Nodes in one stored part of an Application's tree.").no_effect(),
    key("ARGOCD_SSH_DATA_PATH", Text, "/app/config/ssh", "Folder with `ssh_known_hosts`; the ConfigMap itself is read here.").no_effect(),
    key("ARGOCD_TLS_DATA_PATH", Text, "/app/config/tls", "Folder with a file of certificates a host; the ConfigMap itself is read here.").no_effect(),
    key("ARGOCD_GPG_DATA_PATH", Text, "/app/config/gpg/source", "Folder with OpenPGP keys.").later(),
    key("ARGOCD_GNUPGHOME", Text, "/app/config/gpg/keys", "Home of GnuPG.").no_effect(),
    key("ARGOCD_GPG_ENABLED", Bool, "true", "Whether signatures are checked where a project demands it.").later(),
    key("ARGOCD_CONTROLLER_REPLICAS", Int, "", "How many controllers share the clusters.").later(),
    key("ARGOCD_CONTROLLER_SHARD", Int, "", "Which of them this is; the number in the host's name where absent.").later(),
    key("ARGOCD_ENABLE_DYNAMIC_CLUSTER_DISTRIBUTION", Bool, "false", "Whether controllers share the clusters among themselves.").later(),
    key("ARGOCD_CONTROLLER_HEARTBEAT_TIME", Int, "10", "How often such a controller says that it lives, in seconds.").later(),
    key("ARGOCD_PAUSE_GEN_AFTER_FAILED_ATTEMPTS", Int, "3", "Failures after which a rendering is not tried again; an input that failed is never rendered twice here.").no_effect(),
    key("ARGOCD_PAUSE_GEN_MINUTES", Int, "60", "For how many minutes.").no_effect(),
    key("ARGOCD_PAUSE_GEN_REQUESTS", Int, "0", "For how many requests.").no_effect(),
    key("ARGOCD_ENABLE_K8S_EVENT", Text, "all", "Kubernetes Events that are written: `all`, `none` or their types."),
    key("ARGOCD_GITHUB_APP_CREDS_EXPIRATION_DURATION", Int, "60", "How long a GitHub App's token is used at most, in minutes."),
    key("ARGOCD_HELM_INDEX_CACHE_DURATION", Int, "0", "How long a Helm repository's index is used.").later(),
    key("ARGOCD_LOG_FORMAT_ENABLE_FULL_TIMESTAMP", Bool, "false", "Whether logs in text carry the whole time; they always do.").no_effect(),
    key("ARGOCD_SESSION_FAILURE_MAX_FAIL_COUNT", Int, "5", "Failed logins after which an account waits.").later(),
    key("ARGOCD_SESSION_FAILURE_WINDOW_SECONDS", Int, "300", "For how many seconds.").later(),
    key("ARGOCD_SESSION_MAX_CACHE_SIZE", Int, "10000", "Accounts whose failures are counted.").later(),
    key("ARGOCD_MAX_CONCURRENT_LOGIN_REQUESTS_COUNT", Int, "50", "Logins at a time.").later(),
    key("ARGOCD_WATCH_API_BUFFER_SIZE", Int, "1000", "Events that a slow watcher may lag behind.").later(),
    key("ARGOCD_GRPC_KEEP_ALIVE_MIN", Duration, "10s", "How often a client may ask whether the server lives.").later(),
];
