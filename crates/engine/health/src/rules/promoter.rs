//! GitOps Promoter. Every kind reports `Ready` first; what it is about comes after.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, items, lookup, text};
use crate::rules::{Entry, Rule};
use crate::steps::condition_is_stale;
use crate::verdicts::{degraded, healthy, progressing};

const GROUP: &str = "promoter.argoproj.io";

pub(super) const RULES: &[Entry] = &[
    (GROUP, "ArgoCDCommitStatus", Rule::Code(argocd_commit_status)),
    (GROUP, "ChangeTransferPolicy", Rule::Code(change_transfer_policy)),
    (GROUP, "ClusterScmProvider", Rule::Code(cluster_scm_provider)),
    (GROUP, "CommitStatus", Rule::Code(commit_status)),
    (GROUP, "GitCommitStatus", Rule::Code(git_commit_status)),
    (GROUP, "GitRepository", Rule::Code(git_repository)),
    (GROUP, "PromotionStrategy", Rule::Code(promotion_strategy)),
    (GROUP, "PullRequest", Rule::Code(pull_request)),
    (GROUP, "ScmProvider", Rule::Code(scm_provider)),
    (GROUP, "TimedCommitStatus", Rule::Code(timed_commit_status)),
    (GROUP, "WebRequestCommitStatus", Rule::Code(web_request_commit_status)),
];

/// How a kind is spoken of.
struct Words {
    /// After "Initializing".
    noun: &'static str,
    /// In "Waiting for … spec update to be observed".
    observed: &'static str,
    /// Where there is no `Ready`.
    missing: &'static str,
    /// Before the message of a failure.
    failed: &'static str,
    /// Before the reason and message where `Ready` is Unknown; empty: what follows decides.
    unknown: &'static str,
    /// Before the reason and message of a failure of what this one depends on.
    not_ready: &'static str,
}

/// What `Ready` says, where it is not that all is well.
fn not_ready(object: &Value, words: &Words) -> Option<Health> {
    if lookup(object, "/status").is_none() {
        return Some(progressing(format!("Initializing {}", words.noun)));
    }
    let Some(ready) = condition(object, "Ready") else { return Some(progressing(words.missing)) };
    if condition_is_stale(object, ready) {
        let noun = words.observed;
        return Some(progressing(format!("Waiting for {noun} spec update to be observed")));
    }
    let (reason, message) = (text(ready, "/reason"), text(ready, "/message"));
    match text(ready, "/status") {
        "False" if reason == "ReconciliationError" => {
            Some(degraded(format!("{}: {message}", words.failed)))
        }
        "False" => Some(degraded(format!("{} ({reason}): {message}", words.not_ready))),
        "Unknown" if !words.unknown.is_empty() => {
            Some(progressing(format!("{} ({reason}): {message}", words.unknown)))
        }
        _ => None,
    }
}

/// The first characters of a commit, as git prints it.
fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}

fn argocd_commit_status(object: &Value) -> Health {
    const WORDS: Words = Words {
        noun: "Argo CD commit status",
        observed: "Argo CD commit status",
        missing: "Argo CD commit status is not ready yet",
        failed: "Argo CD commit status reconciliation failed",
        unknown: "",
        not_ready: "Argo CD commit status reconciliation failed",
    };
    not_ready(object, &WORDS).unwrap_or_else(|| {
        let tracked = items(object, "/status/applicationsSelected").count();
        if tracked == 0 {
            return degraded("Argo CD commit status has no applications configured");
        }
        healthy(format!("Argo CD commit status is healthy and is tracking {tracked} applications"))
    })
}

fn commit_status(object: &Value) -> Health {
    const WORDS: Words = Words {
        noun: "commit status",
        observed: "commit status",
        missing: "Commit status is not ready yet",
        failed: "Commit status reconciliation failed",
        unknown: "",
        not_ready: "Commit status reconciliation failed",
    };
    not_ready(object, &WORDS).unwrap_or_else(|| {
        let sha = [text(object, "/status/sha"), text(object, "/spec/sha")]
            .into_iter()
            .find(|sha| !sha.is_empty())
            .unwrap_or_default();
        let phase = text(object, "/status/phase");
        if sha.is_empty() || phase.is_empty() {
            return healthy("Commit status is healthy");
        }
        healthy(format!("Commit status for commit {sha} reports {phase}"))
    })
}

fn pull_request(object: &Value) -> Health {
    const WORDS: Words = Words {
        noun: "pull request",
        observed: "pull request",
        missing: "Pull request is not ready yet",
        failed: "Pull request reconciliation failed",
        unknown: "",
        not_ready: "Pull request reconciliation failed",
    };
    not_ready(object, &WORDS).unwrap_or_else(|| {
        let (id, state) = (text(object, "/status/id"), text(object, "/status/state"));
        if id.is_empty() || state.is_empty() {
            return healthy("Pull request is healthy");
        }
        healthy(format!("Pull request is {state} as PR {id}"))
    })
}

fn scm_provider(object: &Value) -> Health {
    const WORDS: Words = Words {
        noun: "SCM provider",
        observed: "ScmProvider",
        missing: "ScmProvider Ready condition is missing",
        failed: "SCM provider validation failed",
        unknown: "SCM provider readiness unknown",
        not_ready: "SCM provider not ready",
    };
    not_ready(object, &WORDS).unwrap_or_else(|| healthy("SCM provider is ready"))
}

fn cluster_scm_provider(object: &Value) -> Health {
    const WORDS: Words = Words {
        noun: "cluster SCM provider",
        observed: "ClusterScmProvider",
        missing: "ClusterScmProvider Ready condition is missing",
        failed: "Cluster SCM provider validation failed",
        unknown: "Cluster SCM provider readiness unknown",
        not_ready: "Cluster SCM provider not ready",
    };
    not_ready(object, &WORDS).unwrap_or_else(|| healthy("Cluster SCM provider is ready"))
}

fn git_repository(object: &Value) -> Health {
    const WORDS: Words = Words {
        noun: "Git repository",
        observed: "GitRepository",
        missing: "GitRepository Ready condition is missing",
        failed: "Git repository validation failed",
        unknown: "Git repository readiness unknown",
        not_ready: "Git repository not ready",
    };
    not_ready(object, &WORDS).unwrap_or_else(|| healthy("Git repository is ready"))
}

fn git_commit_status(object: &Value) -> Health {
    const WORDS: Words = Words {
        noun: "git commit validation",
        observed: "GitCommitStatus",
        missing: "GitCommitStatus Ready condition is missing",
        failed: "Git commit validation failed",
        unknown: "Git commit validation status unknown",
        not_ready: "Git commit validation not ready",
    };
    not_ready(object, &WORDS).unwrap_or_else(|| {
        gate(object, "Git commit validation", "Git commit validation", "passed for")
    })
}

fn timed_commit_status(object: &Value) -> Health {
    const WORDS: Words = Words {
        noun: "timed commit gate",
        observed: "TimedCommitStatus",
        missing: "TimedCommitStatus Ready condition is missing",
        failed: "Timed commit gate failed",
        unknown: "Timed commit gate status unknown",
        not_ready: "Timed commit gate not ready",
    };
    not_ready(object, &WORDS)
        .unwrap_or_else(|| gate(object, "Timed commit gate", "Timed commit gate", "satisfied for"))
}

fn web_request_commit_status(object: &Value) -> Health {
    const WORDS: Words = Words {
        noun: "web request commit validation",
        observed: "WebRequestCommitStatus",
        missing: "WebRequestCommitStatus Ready condition is missing",
        failed: "Web request commit validation failed",
        unknown: "Web request commit validation status unknown",
        not_ready: "Web request commit validation not ready",
    };
    not_ready(object, &WORDS).unwrap_or_else(|| {
        gate(object, "Web request commit validation", "Web request validation", "passed for")
    })
}

/// What a check says of each environment: one failure fails it, one that waits holds it up.
fn gate(object: &Value, nothing: &str, noun: &str, passed: &str) -> Health {
    let environments: Vec<&Value> = items(object, "/status/environments").collect();
    if environments.is_empty() {
        return healthy(format!("{nothing} reconciled"));
    }
    let branches = |wanted: &dyn Fn(&str) -> bool| {
        let names: Vec<&str> = environments
            .iter()
            .filter(|environment| wanted(text(environment, "/phase")))
            .map(|environment| text(environment, "/branch"))
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    if let Some(failed) = branches(&|phase| phase == "failure") {
        return degraded(format!("{noun} failed for branch(es): {failed}"));
    }
    if let Some(pending) = branches(&|phase| phase != "success") {
        return progressing(format!("{noun} pending for branch(es): {pending}"));
    }
    healthy(format!("{noun} {passed} {} environment(s)", environments.len()))
}

/// "1 pending, 0 successful, 1 failed. Pending commit statuses: a. Failed commit statuses: b. "
fn counted(statuses: &[&Value]) -> String {
    let of = |phase: &str| -> Vec<&str> {
        statuses
            .iter()
            .filter(|status| text(status, "/phase") == phase)
            .map(|status| text(status, "/key"))
            .collect()
    };
    let (pending, successful, failed) = (of("pending"), of("success"), of("failure"));
    let mut words = format!(
        "{} pending, {} successful, {} failed. ",
        pending.len(),
        successful.len(),
        failed.len()
    );
    if !pending.is_empty() {
        words.push_str(&format!("Pending commit statuses: {}. ", pending.join(", ")));
    }
    if !failed.is_empty() {
        words.push_str(&format!("Failed commit statuses: {}. ", failed.join(", ")));
    }
    words
}

fn statuses<'a>(place: &'a Value, pointer: &str) -> Vec<&'a Value> {
    items(place, pointer).collect()
}

fn any_unsuccessful(statuses: &[&Value]) -> bool {
    statuses.iter().any(|status| text(status, "/phase") != "success")
}

const UP_TO_DATE_BUT: &str = "is up-to-date, but there are non-successful active commit statuses: ";

fn change_transfer_policy(object: &Value) -> Health {
    const WORDS: Words = Words {
        noun: "change transfer policy",
        observed: "change transfer policy",
        missing: "Change transfer policy is not ready yet",
        failed: "Change transfer policy reconciliation failed",
        unknown: "",
        not_ready: "Change transfer policy reconciliation failed",
    };
    if let Some(health) = not_ready(object, &WORDS) {
        return health;
    }
    let active = text(object, "/status/active/dry/sha");
    let proposed = text(object, "/status/proposed/dry/sha");
    if active.is_empty() {
        return progressing("The active commit DRY SHA is missing or empty.");
    }
    if proposed.is_empty() {
        return progressing("The proposed commit DRY SHA is missing or empty.");
    }
    if active != proposed {
        return progressing(format!(
            "Promotion in progress from '{}' to '{}': {}",
            short(active),
            short(proposed),
            counted(&statuses(object, "/status/proposed/commitStatuses"))
        ));
    }
    let running = statuses(object, "/status/active/commitStatuses");
    if any_unsuccessful(&running) {
        return healthy(format!("Environment {UP_TO_DATE_BUT}{}", counted(&running)));
    }
    healthy(format!("Environment is up-to-date on commit {}.", short(active)))
}

/// What the hydrator last looked at: its note, where it found nothing to change.
fn hydrated(environment: &Value) -> &str {
    match text(environment, "/proposed/note/drySha") {
        "" => text(environment, "/proposed/dry/sha"),
        noted => noted,
    }
}

fn promotion_strategy(object: &Value) -> Health {
    const WORDS: Words = Words {
        noun: "promotion strategy",
        observed: "promotion strategy",
        missing: "Promotion strategy is not ready yet",
        failed: "Promotion strategy reconciliation failed",
        unknown: "",
        not_ready: "Promotion strategy reconciliation failed",
    };
    if let Some(health) = not_ready(object, &WORDS) {
        return health;
    }
    let environments: Vec<&Value> = items(object, "/status/environments").collect();
    let Some(first) = environments.first() else {
        return degraded("Promotion strategy has no environments configured");
    };
    for environment in &environments {
        let branch = text(environment, "/branch");
        let missing = [("active", "/active/dry/sha"), ("proposed", "/proposed/dry/sha")]
            .iter()
            .find(|(_, pointer)| text(environment, pointer).is_empty());
        if let Some((which, _)) = missing {
            return progressing(format!(
                "The {which} commit DRY SHA is missing or empty in environment '{branch}'."
            ));
        }
    }
    let seen = hydrated(first);
    if environments.iter().any(|environment| hydrated(environment) != seen) {
        return progressing(
            "Not all environments have the same proposed commit SHA. This likely means the \
             hydrator has not run for all environments yet.",
        );
    }
    let processed = format!("Hydrator has processed dry commit '{}'.", short(seen));
    for environment in &environments {
        let branch = text(environment, "/branch");
        let active = text(environment, "/active/dry/sha");
        let proposed = text(environment, "/proposed/dry/sha");
        if active != proposed {
            return progressing(format!(
                "Promotion in progress for environment '{branch}' from '{}' to '{}': {}{processed} ",
                short(active),
                short(proposed),
                counted(&statuses(environment, "/proposed/commitStatuses"))
            ));
        }
    }
    for environment in &environments {
        let running = statuses(environment, "/active/commitStatuses");
        if any_unsuccessful(&running) {
            let branch = text(environment, "/branch");
            return healthy(format!(
                "Environment '{branch}' {UP_TO_DATE_BUT}{}{processed} ",
                counted(&running)
            ));
        }
    }
    let active = short(text(first, "/active/dry/sha"));
    healthy(format!("All environments are up-to-date on commit '{active}'. {processed}"))
}
