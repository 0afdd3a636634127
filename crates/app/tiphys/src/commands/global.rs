//! Flags that every command has, and those of upstream that change nothing here.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::output::note;

/// Which cluster, found as kubectl finds it.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Global {
    /// The kubeconfig file to use [default: $KUBECONFIG, then ~/.kube/config]
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context to use
    #[arg(long, global = true, value_name = "NAME", alias = "kube-context")]
    pub context: Option<String>,
}

/// What an upstream flag is to this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// It asks for what happens anyhow, or shapes a connection that is not made.
    Moot,
    /// It names another way to the Applications, which this program does not take.
    Elsewhere,
}

/// Upstream's global flags: name, short name, whether a value follows, and what it means.
const UPSTREAM: &[(&str, Option<char>, bool, Meaning)] = &[
    ("argocd-context", None, true, Meaning::Elsewhere),
    ("auth-token", None, true, Meaning::Elsewhere),
    ("client-crt", None, true, Meaning::Moot),
    ("client-crt-key", None, true, Meaning::Moot),
    ("config", None, true, Meaning::Moot),
    ("controller-name", None, true, Meaning::Moot),
    ("core", None, false, Meaning::Moot),
    ("grpc-web", None, false, Meaning::Moot),
    ("grpc-web-root-path", None, true, Meaning::Moot),
    ("header", Some('H'), true, Meaning::Moot),
    ("http-retry-max", None, true, Meaning::Moot),
    ("insecure", None, false, Meaning::Moot),
    ("logformat", None, true, Meaning::Moot),
    ("loglevel", None, true, Meaning::Moot),
    ("plaintext", None, false, Meaning::Moot),
    ("port-forward", None, false, Meaning::Elsewhere),
    ("port-forward-namespace", None, true, Meaning::Elsewhere),
    ("prompts-enabled", None, false, Meaning::Moot),
    ("redis-compress", None, true, Meaning::Moot),
    ("redis-haproxy-name", None, true, Meaning::Moot),
    ("redis-name", None, true, Meaning::Moot),
    ("repo-server-name", None, true, Meaning::Moot),
    ("server", None, true, Meaning::Elsewhere),
    ("server-crt", None, true, Meaning::Moot),
    ("server-name", None, true, Meaning::Moot),
];

/// Adds upstream's global flags, so that scripts that give them go on working.
pub fn with_upstream_flags(command: Command) -> Command {
    command.args(UPSTREAM.iter().map(|(name, short, valued, _)| {
        let arg = Arg::new(*name).long(*name).global(true).hide(true);
        let arg = match short {
            Some(short) => arg.short(*short),
            None => arg,
        };
        match valued {
            true => arg.action(ArgAction::Set).value_name("VALUE"),
            false => arg.action(ArgAction::SetTrue),
        }
    }))
}

/// Tells of flags that were given and would lead elsewhere.
pub fn note_unused(matches: &ArgMatches) {
    for (name, _, _, meaning) in UPSTREAM {
        let given = matches.value_source(name) == Some(ValueSource::CommandLine);
        if given && *meaning == Meaning::Elsewhere {
            note(&format!(
                "note: --{name} changes nothing: this program talks to the Kubernetes API itself; \
                 choose the cluster with --kubeconfig and --context"
            ));
        }
    }
}
