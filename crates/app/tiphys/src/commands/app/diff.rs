//! `app diff`.
//!
//! What would change is asked of the destination: each object is applied as a dry run, and the
//! answer compared with what is there. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use cluster::{ApiError, Asked, Cluster, Gate, Permit, Refusal, Validation, Write, Writer};
use compare::{IgnoreRules, KnownTypes, Mode, Rules, compare_dry_run, mask_secrets};
use crd::{Application, RefreshType, ResourceIgnoreDifferences, keys};
use manifest::ObjectKey;
use reconcile::Target;
use serde_json::Value;
use similar::TextDiff;

use super::live;
use super::manifests::AtRevision;
use super::render;
use crate::commands::colour::Colour;
use crate::commands::connect::Session;
use crate::commands::name::AppName;
use crate::commands::output::{note, print};
use crate::commands::progress::refresh;
use crate::commands::yaml;

/// Arguments of `app diff`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    #[command(flatten)]
    at: AtRevision,
    /// Compare with the newest revision first
    #[arg(long)]
    refresh: bool,
    /// As --refresh, and render again whatever was rendered before
    #[arg(long)]
    hard_refresh: bool,
    /// Exit with a code of its own where there is a difference
    #[arg(
        long, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", default_value = "true", value_name = "true|false",
        value_parser = crate::commands::go_flags::go_bool
    )]
    exit_code: bool,
    /// That code
    #[arg(long, value_name = "CODE", default_value_t = 1)]
    diff_exit_code: u8,
    /// Compare on the server's side, which is always done
    #[arg(long, hide = true)]
    server_side_diff: bool,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Prints the differences. The exit code tells whether there is one.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let mut application = session.application(&name).await?;
    let kind = match (arguments.hard_refresh, arguments.refresh) {
        (true, _) => Some(RefreshType::Hard),
        (false, true) => Some(RefreshType::Normal),
        (false, false) => None,
    };
    if let Some(kind) = kind
        && let Some(refreshed) = refresh(session, &name, kind, None).await?
    {
        application = refreshed;
    }
    let revisions = arguments.at.for_sources(&application)?;
    let differs = print_differences(session, &application, revisions).await?;
    Ok(match differs && arguments.exit_code {
        true => ExitCode::from(arguments.diff_exit_code),
        false => ExitCode::SUCCESS,
    })
}

/// Prints what a sync would change, each object with its heading. Answers whether anything would.
pub async fn print_differences(
    session: &Session,
    application: &Application,
    revisions: Vec<String>,
) -> Result<bool> {
    let cluster = live::destination(session, application).await?;
    let targets = render::targets(session, application, revisions).await?;
    let (settings, _) = render::surroundings(session).await?;
    let compiled = IgnoreRules::compile(&ignored(application, &settings));
    compiled.errors.iter().chain(&compiled.warnings).for_each(|words| note(words));
    let ignore = compiled.rules;
    let judge = Judge {
        writer: cluster.writer(Arc::new(DryRunsOnly)),
        cluster: &cluster,
        ignore,
        known: KnownTypes::default(),
        minor: minor(&cluster).await?,
        tracking_label: &settings.tracking.label,
    };
    let mut differences: BTreeMap<String, Difference> = BTreeMap::new();
    let mut wanted: BTreeSet<ObjectKey> = BTreeSet::new();
    for target in &targets {
        wanted.insert(target.key.clone());
        if let Some(difference) = judge.difference(target).await? {
            differences.insert(target.key.to_string(), difference);
        }
    }
    for resource in live::resources(&cluster, application).await? {
        let key = resource.key();
        let stays = wanted.contains(&key) || resource.status.hook;
        if let Some(object) = resource.object.filter(|_| !stays) {
            let difference = Difference { key: key.clone(), live: Some(object), target: None };
            differences.insert(key.to_string(), difference);
        }
    }
    let colour = Colour::of_stdout();
    for difference in differences.values() {
        print(&difference.text(colour))?;
    }
    Ok(!differences.is_empty())
}

/// The fields that never count: the settings' and the Application's own.
fn ignored(
    application: &Application,
    settings: &settings::Settings,
) -> Vec<ResourceIgnoreDifferences> {
    let overrides = settings.resources.overrides.iter().map(|(name, one)| {
        let (group, kind) = match name.as_str() {
            "all" | "*/*" => ("*", "*"),
            name => name.split_once('/').unwrap_or(("", name)),
        };
        ResourceIgnoreDifferences {
            group: group.to_owned(),
            kind: kind.to_owned(),
            json_pointers: one.ignore_differences.json_pointers.clone(),
            jq_path_expressions: one.ignore_differences.jq_path_expressions.clone(),
            managed_fields_managers: one.ignore_differences.managed_fields_managers.clone(),
            ..ResourceIgnoreDifferences::default()
        }
    });
    overrides.chain(application.spec.ignore_differences.iter().cloned()).collect()
}

async fn minor(cluster: &Cluster) -> Result<u32> {
    let version = cluster.version().await?;
    let digits = version.minor.trim_end_matches(|each: char| !each.is_ascii_digit());
    Ok(digits.parse().unwrap_or_default())
}

/// Lets dry runs through, and nothing else.
struct DryRunsOnly;

impl Gate for DryRunsOnly {
    fn check<'a>(&self, asked: Asked<'a>) -> Result<Permit<'a>, Refusal> {
        match asked.write().dry_run {
            true => Ok(asked.permit()),
            false => Err(asked.refuse("a comparison writes nothing")),
        }
    }
}

struct Judge<'a> {
    cluster: &'a Cluster,
    writer: Writer,
    ignore: IgnoreRules,
    known: KnownTypes,
    minor: u32,
    tracking_label: &'a str,
}

impl Judge<'_> {
    async fn difference(&self, target: &Target) -> Result<Option<Difference>> {
        let key = target.key.clone();
        let live = live::object(self.cluster, &target.gvk, &key.namespace, &key.name).await?;
        let wanted = target.object.as_ref();
        let Some(live) = live else {
            let target = Some(wanted.clone());
            return Ok(Some(Difference { key, live: None, target }));
        };
        let write =
            Write::apply(wanted.clone(), keys::FIELD_MANAGER).validated(Validation::Ignore).dry();
        let answer = match self.writer.write(&write).await {
            Ok(written) => written.object.unwrap_or_default(),
            // What cannot be applied differs; the reason is beside.
            Err(error @ (ApiError::Invalid { .. } | ApiError::BadRequest { .. })) => {
                note(&format!("{key} would be refused: {}", error.message()));
                return Ok(Some(Difference {
                    key,
                    live: Some(live),
                    target: Some(wanted.clone()),
                }));
            }
            Err(error) => return Err(error.into()),
        };
        let rules = Rules {
            schema: None,
            minor: self.minor,
            mode: Mode::ServerSide,
            ignore: &self.ignore,
            known: &self.known,
            include_webhooks: false,
            manager: keys::FIELD_MANAGER,
            previous: &[],
            tracking_label: Some(self.tracking_label),
            ignore_status: true,
            ignore_aggregated_roles: true,
        };
        let compared = compare_dry_run(&answer, &live, &rules)?;
        Ok(compared.difference.map(|sides| Difference {
            key,
            live: Some(sides.live),
            target: Some(sides.predicted),
        }))
    }
}

/// One object's two sides.
pub struct Difference {
    /// What it is called.
    pub key: ObjectKey,
    /// As it is; `None` where it is not there.
    pub live: Option<Value>,
    /// As it should be; `None` where it should go.
    pub target: Option<Value>,
}

impl Difference {
    /// The heading, and the changed lines; values of Secrets masked.
    pub fn text(&self, colour: Colour) -> String {
        let (mut live, mut target) = (self.live.clone(), self.target.clone());
        if self.key.kind == "Secret" && self.key.group.is_empty() {
            let masked = mask_secrets(target.as_ref(), live.as_ref(), &BTreeSet::new());
            (live, target) = (masked.live, masked.target);
        }
        let side = |object: Option<Value>| match object {
            Some(mut object) => {
                // Bookkeeping is no difference.
                if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
                    metadata.remove("managedFields");
                }
                yaml::text(&object)
            }
            None => String::new(),
        };
        let (live, target) = (side(live), side(target));
        let lines = TextDiff::from_lines(&live, &target);
        let lines = lines.unified_diff().header("live", "target").to_string();
        let ObjectKey { group, kind, namespace, name, .. } = &self.key;
        let mut text = format!("\n===== {group}/{kind} {namespace}/{name} ======\n");
        for line in lines.lines() {
            text.push_str(&colour.change(line));
            text.push('\n');
        }
        text
    }
}
