//! The flags that describe what an Application wants: one table for `app create` and `app set`.

use std::collections::BTreeMap;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};

use crate::commands::go_flags::switch;

/// What follows a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text; the last one counts.
    Text,
    /// A text each time; all count.
    List,
    /// `true` where nothing follows.
    Switch,
    /// A whole number.
    Number,
}

/// One flag.
#[derive(Debug)]
pub struct Flag {
    /// Without its two hyphens.
    pub name: &'static str,
    /// What follows.
    pub kind: Kind,
    /// For the help page.
    pub help: &'static str,
}

const fn text(name: &'static str, help: &'static str) -> Flag {
    Flag { name, kind: Kind::Text, help }
}

const fn list(name: &'static str, help: &'static str) -> Flag {
    Flag { name, kind: Kind::List, help }
}

const fn on(name: &'static str, help: &'static str) -> Flag {
    Flag { name, kind: Kind::Switch, help }
}

const fn number(name: &'static str, help: &'static str) -> Flag {
    Flag { name, kind: Kind::Number, help }
}

/// Every flag, as upstream names it, by topic.
pub const FLAGS: &[Flag] = &[
    // Where the manifests come from.
    text("repo", "URL of the repository"),
    text("path", "Folder inside the repository"),
    text("revision", "Branch, tag, commit or chart version to follow"),
    text("tag-prefix", "Only tags with this prefix count for a range of versions"),
    text("helm-chart", "Name of the chart, for a Helm repository"),
    text("ref", "Name under which other sources reach this source's files"),
    text("source-name", "Name of the source, among several"),
    text("env", "Environment to monitor; once part of ksonnet, without effect"),
    // Rendering to a branch first.
    text("dry-source-repo", "Repository whose manifests are rendered to a branch"),
    text("dry-source-revision", "Revision that is rendered"),
    text("dry-source-path", "Folder that is rendered"),
    text("sync-source-branch", "Branch from which the Application syncs"),
    text("sync-source-path", "Folder from which the Application syncs"),
    text("hydrate-to-branch", "Branch that is rendered to, where it is another one"),
    // Where to.
    text("dest-server", "URL of the cluster, for example https://kubernetes.default.svc"),
    text("dest-name", "Name of the cluster, for example in-cluster"),
    text("dest-namespace", "Namespace for objects that name none"),
    text("project", "Project that the Application belongs to"),
    number("revision-history-limit", "How many past syncs are remembered"),
    // When and how.
    text("sync-policy", "manual (or none), or automated (or auto, automatic)"),
    on("auto-prune", "Whether automated syncs delete what left the sources"),
    on("self-heal", "Whether changes made in the cluster are reverted"),
    on("allow-empty", "Whether automated syncs may delete everything"),
    list("sync-option", "Option of the sync to add, as Prune=false; with ! before it, to remove"),
    number("sync-retry-limit", "How often a failed sync is tried again; 0 takes the policy away"),
    text("sync-retry-backoff-duration", "First wait before a retry, as 5s or 2m"),
    text("sync-retry-backoff-max-duration", "Longest wait before a retry, as 3m"),
    number("sync-retry-backoff-factor", "Each wait is this many times the one before"),
    on("sync-retry-refresh", "Whether a retry takes the newest revision"),
    // Plain directories and Jsonnet.
    on("directory-recurse", "Read folders below as well"),
    text("directory-include", "Glob of the files to read"),
    text("directory-exclude", "Glob of the files to leave out"),
    on("directory-disable-extension-filter", "Read files of every extension as manifests"),
    list("jsonnet-tla-str", "Argument of the top-level function, as name=text"),
    list("jsonnet-tla-code", "Argument of the top-level function, as name=code"),
    list("jsonnet-ext-var-str", "External variable, as name=text"),
    list("jsonnet-ext-var-code", "External variable, as name=code"),
    list("jsonnet-libs", "Further folder to import from, from the repository's root"),
    // Helm.
    text("release-name", "Name of the release"),
    list("values", "Values file, from the chart's folder"),
    on("ignore-missing-value-files", "Pass over values files that do not exist"),
    text("values-literal-file", "File whose content becomes the values, or - for standard input"),
    list("helm-set", "Value, as key=value"),
    list("helm-set-string", "Value that stays a text, as key=value"),
    list("helm-set-file", "Value read from a file, as key=path"),
    text("helm-version", "Once chose the version of Helm; without effect"),
    on("helm-pass-credentials", "Show the repository's credentials to dependencies on other hosts"),
    on("helm-skip-crds", "Leave the chart's crds folder out"),
    on("helm-skip-schema-validation", "Do not check values against the chart's schema"),
    on("helm-skip-tests", "Leave test hooks out"),
    text("helm-namespace", "Namespace that templates see"),
    text("helm-kube-version", "Kubernetes version that templates see"),
    list("helm-api-versions", "API version that templates see, as [group/]version/kind"),
    // Kustomize.
    text("nameprefix", "Text put before every name"),
    text("namesuffix", "Text put behind every name"),
    text("kustomize-version", "Version of Kustomize, of those configured"),
    list("kustomize-image", "Image to replace, as [old=]image[:tag|@digest]"),
    list("kustomize-replica", "Number of replicas, as name=count"),
    list("kustomize-common-label", "Label for everything, as key=value"),
    list("kustomize-common-annotation", "Annotation for everything, as key=value"),
    on("kustomize-label-without-selector", "Keep common labels out of selectors and templates"),
    on("kustomize-label-include-templates", "Put common labels into templates all the same"),
    on("kustomize-force-common-label", "Replace labels that are there already"),
    on("kustomize-force-common-annotation", "Replace annotations that are there already"),
    text("kustomize-namespace", "Namespace for everything"),
    text("kustomize-kube-version", "Kubernetes version that inflated charts see"),
    list("kustomize-api-versions", "API version that inflated charts see"),
    on("ignore-missing-components", "Pass over components that do not exist"),
    // Plugins.
    text("config-management-plugin", "Name of the plugin"),
    list("plugin-env", "Environment variable for the plugin, as name=value"),
];

/// What was given for the flags; a flag that was not given is not in it.
#[derive(Clone, Debug, Default)]
pub struct Given {
    flags: BTreeMap<&'static str, Value>,
    /// `--parameter`.
    pub parameters: Vec<String>,
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    List(Vec<String>),
    Switch(bool),
    Number(i64),
}

impl Given {
    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.flags.is_empty() && self.parameters.is_empty()
    }

    /// Whether a flag was given.
    pub fn has(&self, name: &str) -> bool {
        self.flags.contains_key(name)
    }

    /// The names of the flags that were given, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.flags.keys().copied()
    }

    /// What was given for a text; empty where nothing was.
    pub fn text(&self, name: &str) -> String {
        match self.flags.get(name) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        }
    }

    /// What was given for a list.
    pub fn list(&self, name: &str) -> Vec<String> {
        match self.flags.get(name) {
            Some(Value::List(list)) => list.clone(),
            _ => Vec::new(),
        }
    }

    /// Whether a switch is on.
    pub fn on(&self, name: &str) -> bool {
        matches!(self.flags.get(name), Some(Value::Switch(true)))
    }

    /// What was given for a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.flags.get(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }
}

impl clap::Args for Given {
    fn augment_args(command: Command) -> Command {
        let parameter = Arg::new("parameter")
            .long("parameter")
            .short('p')
            .value_name("KEY=VALUE")
            .action(ArgAction::Append)
            .help("Parameter of a Helm chart");
        command.arg(parameter).args(FLAGS.iter().map(|flag| {
            let arg = Arg::new(flag.name).long(flag.name).help(flag.help);
            match flag.kind {
                Kind::Text => arg.action(ArgAction::Set).value_name("TEXT"),
                Kind::List => arg.action(ArgAction::Append).value_name("TEXT"),
                Kind::Switch => switch(arg),
                Kind::Number => arg
                    .action(ArgAction::Set)
                    .value_name("NUMBER")
                    .value_parser(clap::value_parser!(i64)),
            }
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Self::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let texts = |name: &str| -> Vec<String> {
            matches.get_many::<String>(name).into_iter().flatten().cloned().collect()
        };
        self.parameters = texts("parameter");
        for flag in FLAGS {
            if matches.value_source(flag.name) != Some(ValueSource::CommandLine) {
                continue;
            }
            let value = match flag.kind {
                Kind::Text => matches.get_one(flag.name).cloned().map(Value::Text),
                Kind::List => Some(Value::List(texts(flag.name))),
                Kind::Switch => matches.get_one(flag.name).copied().map(Value::Switch),
                Kind::Number => matches.get_one(flag.name).copied().map(Value::Number),
            };
            self.flags.extend(value.map(|value| (flag.name, value)));
        }
        Ok(())
    }
}

/// Flags with which upstream's command tunes its own requests; they change nothing here.
#[derive(Debug, Default, clap::Args)]
pub struct Requests {
    /// How many batches of a server-side comparison are asked at once
    #[arg(long, value_name = "NUMBER", hide = true)]
    server_side_diff_concurrency: Option<i64>,
    /// How large a batch may be, in KB
    #[arg(long, value_name = "KB", hide = true)]
    server_side_diff_max_batch_kb: Option<i64>,
    /// How long one jq path may take
    #[arg(long, value_name = "DURATION", hide = true)]
    ignore_normalizer_jq_execution_timeout: Option<String>,
}
