//! `app diff`.
//!
//! What an apply would change is told from here where that is certain, else asked of the destination
//! by a dry run. Nothing is written.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use cluster::{ApiError, Asked, Cluster, Gate, Permit, Refusal, Validation, Write, Writer};
use compare::{
    CompareError, Comparison, Evidence, FieldDifference, IgnoreRules, KnownField, KnownTypes, Mode,
    Rules, Sides, compare, compare_dry_run, differences, mask_secrets,
};
use crd::{Application, RefreshType, ResourceIgnoreDifferences, keys};
use manifest::ObjectKey;
use reconcile::Target;
use serde_json::{Map, Value, json};
use similar::TextDiff;
use sync::{How, Options, Resource};

use super::flags::Requests;
use super::live;
use super::manifests::AtRevision;
use super::render;
use super::shapes::Shapes;
use crate::commands::colour::Colour;
use crate::commands::connect::Session;
use crate::commands::failure::refused;
use crate::commands::name::AppName;
use crate::commands::output::{check, formatted, note, print};
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
    #[command(flatten)]
    local: render::Local,
    /// Take --local for the repository's root, in which the source's path lies
    #[arg(long)]
    server_side_generate: bool,
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
    /// Always ask the cluster what an apply would change
    #[arg(
        long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_name = "true|false", value_parser = crate::commands::go_flags::go_bool
    )]
    server_side_diff: Option<bool>,
    #[command(flatten)]
    requests: Requests,
    /// Which files are sent; all are looked at here
    #[arg(long, value_name = "PATTERN", hide = true)]
    local_include: Vec<String>,
    /// Say of each field that differs who owns it, why it differs, and which rule would silence it
    #[arg(long)]
    explain: bool,
    /// Output format, one of json|yaml; changed lines where none is given
    #[arg(short, long, value_name = "FORMAT", default_value = "")]
    output: String,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Prints the differences. The exit code tells whether there is one.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    check(&arguments.output, &["json", "yaml"])?;
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
    let asks = arguments.server_side_diff.unwrap_or(false);
    let locally = arguments.local.is_given() && !arguments.server_side_generate;
    if asks && locally {
        return Err(refused("--server-side-diff with --local requires --server-side-generate"));
    }
    let local = match arguments.server_side_generate {
        true => arguments.local.of_repository(&application),
        false => arguments.local,
    };
    let targets = match local.is_given() {
        true => local.targets(session, &application).await?,
        false => render::compared(session, &application, revisions).await?,
    };
    let mut found = found(session, &application, &targets, asks).await?;
    if locally {
        // As upstream, whose client cannot mask what it did not render: Secrets are left out.
        found.retain(|difference| !difference.is_secret());
    }
    show(&found, &arguments.output, arguments.explain)?;
    Ok(match !found.is_empty() && arguments.exit_code {
        true => ExitCode::from(arguments.diff_exit_code),
        false => ExitCode::SUCCESS,
    })
}

fn show(found: &[Difference], output: &str, explain: bool) -> Result<()> {
    if !output.is_empty() {
        let all: Vec<Value> = found.iter().map(|one| one.value(explain)).collect();
        return print(&formatted(output, &Value::Array(all))?);
    }
    let colour = Colour::of_stdout();
    for difference in found {
        print(&difference.text(colour))?;
        if explain {
            print(&difference.explanation())?;
        }
    }
    Ok(())
}

/// Prints what a sync would change, each object with its heading. Answers whether anything would.
pub async fn print_differences(
    session: &Session,
    application: &Application,
    revisions: Vec<String>,
) -> Result<bool> {
    let targets = render::targets(session, application, revisions).await?;
    let found = found(session, application, &targets, false).await?;
    show(&found, "", false)?;
    Ok(!found.is_empty())
}

/// Returns what a sync to these targets would change, sorted by name.
async fn found(
    session: &Session,
    application: &Application,
    targets: &[Arc<Target>],
    asks: bool,
) -> Result<Vec<Difference>> {
    let cluster = live::destination(session, application).await?;
    let (settings, _) = render::surroundings(session).await?;
    let compiled = IgnoreRules::compile(&ignored(application, &settings));
    compiled.errors.iter().chain(&compiled.warnings).for_each(|words| note(words));
    let minor = minor(&cluster).await?;
    let annotated = application.metadata.annotations.get(COMPARE_OPTIONS);
    let has = |option: &str| {
        annotated.is_some_and(|list| list.split(',').any(|one| one.trim() == option))
    };
    let known = settings.resources.overrides.iter().flat_map(|(kind, rules)| {
        rules.known_type_fields.iter().map(|one| KnownField {
            kind: kind.clone(),
            field: one.field.clone(),
            type_name: one.type_name.clone(),
        })
    });
    let mut judge = Judge {
        writer: cluster.writer(Arc::new(DryRunsOnly)),
        cluster: &cluster,
        ignore: compiled.rules,
        known: KnownTypes::new(known),
        options: Options::from_list(application.spec.sync_options()),
        shapes: Shapes::new(&cluster, minor),
        minor,
        tracking_label: &settings.tracking.label,
        applied: last_synced(session, application, targets).await,
        masked: settings.resources.masked_annotations.iter().cloned().collect(),
        asks: asks
            || (settings.controller.server_side_diff && !has("ServerSideDiff=false"))
            || has("ServerSideDiff=true"),
        include_webhooks: has("IncludeMutationWebhook=true"),
        ignore_aggregated_roles: settings.resources.compare.ignore_aggregated_roles,
        ignore_status: settings.resources.compare.ignore_status,
    };
    let mut differences: BTreeMap<String, Difference> = BTreeMap::new();
    let mut wanted: BTreeSet<ObjectKey> = BTreeSet::new();
    for target in targets {
        wanted.insert(target.key.clone());
        if let Some(difference) = judge.difference(target).await? {
            differences.insert(target.key.to_string(), difference);
        }
    }
    for resource in live::resources(&cluster, application).await? {
        let key = resource.key();
        let stays = wanted.contains(&key) || resource.status.hook;
        if let Some(object) = resource.object.filter(|_| !stays) {
            let difference = Difference {
                key: key.clone(),
                live: Some(object),
                target: None,
                fields: Vec::new(),
                masked: judge.masked.clone(),
            };
            differences.insert(key.to_string(), difference);
        }
    }
    Ok(differences.into_values().collect())
}

/// The objects as they were synced last, by name; none where that cannot be told any more.
async fn last_synced(
    session: &Session,
    application: &Application,
    targets: &[Arc<Target>],
) -> HashMap<ObjectKey, Arc<Value>> {
    let by_name = |targets: &[Arc<Target>]| {
        targets.iter().map(|one| (one.key.clone(), one.object())).collect()
    };
    let Some(last) = application.status.history.last() else { return HashMap::new() };
    let (revisions, synced) = match last.sources.is_empty() {
        true => {
            (vec![last.revision.clone()], application.spec.source.as_ref() == Some(&last.source))
        }
        false => (last.revisions.clone(), application.spec.sources == last.sources),
    };
    let status = &application.status.sync;
    if synced && (status.revision == last.revision && status.revisions == last.revisions) {
        // What is wanted now is what was synced, unless another revision was asked for.
        return by_name(targets);
    }
    let mut then = application.clone();
    match last.sources.is_empty() {
        true => then.spec.source = Some(last.source.clone()),
        false => then.spec.sources.clone_from(&last.sources),
    }
    render::targets(session, &then, revisions).await.map(|list| by_name(&list)).unwrap_or_default()
}

/// Comma-separated compare options of an Application.
const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";

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
    options: Options,
    shapes: Shapes<'a>,
    minor: u32,
    tracking_label: &'a str,
    /// The objects as they were synced last.
    applied: HashMap<ObjectKey, Arc<Value>>,
    /// Annotations whose values are not shown.
    masked: BTreeSet<String>,
    /// Whether the cluster is always asked.
    asks: bool,
    include_webhooks: bool,
    ignore_aggregated_roles: bool,
    ignore_status: settings::IgnoreStatus,
}

impl Judge<'_> {
    async fn difference(&mut self, target: &Target) -> Result<Option<Difference>> {
        let key = target.key.clone();
        let live = live::object(self.cluster, &target.gvk, &key.namespace, &key.name).await?;
        let object = target.object();
        let wanted = object.as_ref();
        let Some(live) = live else {
            return Ok(Some(Difference {
                key,
                live: None,
                target: Some(wanted.clone()),
                fields: Vec::new(),
                masked: self.masked.clone(),
            }));
        };
        let shape = self.shapes.of(&target.gvk).await?;
        let applied = self.applied.get(&key).cloned();
        let previous: Vec<Arc<Value>> = applied.iter().cloned().collect();
        let resource = Resource { target: Some(object.clone()), ..Resource::default() };
        let mut rules = Rules {
            schema: shape.as_ref().map(|(schema, type_id)| (&**schema, *type_id)),
            minor: self.minor,
            mode: match self.options.how(&resource) {
                How::ClientSide => Mode::ClientSide,
                How::ServerSide | How::Replace => Mode::ServerSide,
            },
            ignore: &self.ignore,
            known: &self.known,
            include_webhooks: self.include_webhooks,
            manager: keys::FIELD_MANAGER,
            previous: &previous,
            tracking_label: Some(self.tracking_label),
            ignore_status: match self.ignore_status {
                settings::IgnoreStatus::All => true,
                settings::IgnoreStatus::Crd => sync::marks::is_crd(wanted),
                settings::IgnoreStatus::None => false,
            },
            ignore_aggregated_roles: self.ignore_aggregated_roles,
        };
        let compared = match compare(wanted, &live, &rules) {
            Err(CompareError::Refused(_)) if rules.mode == Mode::ServerSide => {
                rules.mode = Mode::ClientSide;
                compare(wanted, &live, &rules)?
            }
            compared => compared?,
        };
        let settled = compared.certain && !self.asks;
        let compared = match settled || !compared.modified() || rules.mode == Mode::ClientSide {
            true => compared,
            false => self.asked(target, &live, &rules, compared).await?,
        };
        let Some(sides) = compared.difference else { return Ok(None) };
        let evidence = Evidence { target: wanted, live: &live, applied: applied.as_deref() };
        let fields = differences(&sides, evidence, &rules);
        let mut difference = Difference {
            key,
            live: Some(sides.live.clone()),
            target: Some(sides.predicted.clone()),
            fields,
            masked: self.masked.clone(),
        };
        difference.mask_fields(&sides, evidence, &rules);
        Ok(Some(difference))
    }

    /// What the cluster says that an apply would change.
    async fn asked(
        &self,
        target: &Target,
        live: &Value,
        rules: &Rules<'_>,
        local: Comparison,
    ) -> Result<Comparison> {
        let write = Write::apply((*target.object()).clone(), keys::FIELD_MANAGER)
            .validated(Validation::Ignore)
            .dry();
        match self.writer.write(&write).await {
            Ok(written) => Ok(compare_dry_run(&written.object.unwrap_or_default(), live, rules)?),
            // What cannot be applied differs; the reason is beside.
            Err(error @ (ApiError::Invalid { .. } | ApiError::BadRequest { .. })) => {
                note(&format!("{} would be refused: {}", target.key, error.message()));
                Ok(local)
            }
            Err(error) => Err(error.into()),
        }
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
    /// The fields that differ, where both are there; values of Secrets masked.
    pub fields: Vec<FieldDifference>,
    /// Annotations whose values are not shown.
    pub masked: BTreeSet<String>,
}

impl Difference {
    fn is_secret(&self) -> bool {
        self.key.kind == "Secret" && self.key.group.is_empty()
    }

    /// Both sides as they may be shown.
    fn shown(&self) -> (Option<Value>, Option<Value>) {
        let (mut live, mut target) = (self.live.clone(), self.target.clone());
        if self.is_secret() {
            let masked = mask_secrets(target.as_ref(), live.as_ref(), &self.masked);
            (live, target) = (masked.live, masked.target);
        }
        // Bookkeeping is no difference.
        for side in [&mut live, &mut target].into_iter().flatten() {
            if let Some(metadata) = side.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("managedFields");
            }
        }
        (live, target)
    }

    /// Puts masked values in the place of a Secret's.
    fn mask_fields(&mut self, sides: &Sides, evidence: Evidence<'_>, rules: &Rules<'_>) {
        if !self.is_secret() {
            return;
        }
        let masked = mask_secrets(Some(&sides.predicted), Some(&sides.live), &self.masked);
        let (Some(predicted), Some(live)) = (masked.target, masked.live) else { return };
        let shown = differences(&Sides { predicted, live }, evidence, rules);
        for field in &mut self.fields {
            let same = shown.iter().find(|one| one.path == field.path);
            field.desired = same.and_then(|one| one.desired.clone());
            field.live = same.and_then(|one| one.live.clone());
        }
    }

    /// The heading, and the changed lines; values of Secrets masked.
    pub fn text(&self, colour: Colour) -> String {
        let (live, target) = self.shown();
        let side = |object: Option<Value>| object.as_ref().map(yaml::text).unwrap_or_default();
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

    /// What the object's difference is called: `missing`, `extra` or `modified`.
    fn change(&self) -> &'static str {
        match (&self.live, &self.target) {
            (None, _) => "missing",
            (Some(_), None) => "extra",
            (Some(_), Some(_)) => "modified",
        }
    }

    /// Why it differs, field by field, for people.
    fn explanation(&self) -> String {
        let mut text = String::from("\n");
        match self.change() {
            "missing" => text.push_str("  git has it, the cluster does not (git)\n"),
            "extra" => text.push_str(
                "  the cluster has it, git does not (git); a sync with --prune deletes it\n",
            ),
            _ => {}
        }
        for field in &self.fields {
            let path = if field.path.is_empty() { "(the order)" } else { &field.path };
            text.push_str(&format!("  {path}: {} ({})\n", field.why, field.cause.as_str()));
            if let Some(rule) = &field.silenced_by {
                let rule = serde_json::to_value([rule]).unwrap_or_default();
                text.push_str("    to ignore it, in spec.ignoreDifferences:\n");
                for line in yaml::text(&rule).lines() {
                    text.push_str(&format!("      {line}\n"));
                }
            }
        }
        text
    }

    /// The same as a value.
    fn value(&self, explain: bool) -> Value {
        let (live, target) = self.shown();
        let ObjectKey { group, kind, namespace, name, .. } = &self.key;
        let mut value = json!({
            "group": group, "kind": kind, "namespace": namespace, "name": name,
            "change": self.change(),
        });
        if !explain {
            value["live"] = live.unwrap_or_default();
            value["target"] = target.unwrap_or_default();
            return value;
        }
        value["fields"] = self.fields.iter().map(field_value).collect();
        value
    }
}

fn field_value(field: &FieldDifference) -> Value {
    let mut value = Map::new();
    value.insert("path".into(), field.path.clone().into());
    for (name, side) in [("desired", &field.desired), ("live", &field.live)] {
        if let Some(side) = side {
            value.insert(name.into(), side.clone());
        }
    }
    let owners = field.owners.iter().map(|owner| {
        let time = owner.time_s.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        json!({
            "manager": owner.manager, "operation": owner.operation,
            "subresource": owner.subresource, "time": time.map(|time| time.to_string()),
        })
    });
    value.insert("owners".into(), owners.collect());
    value.insert("owner".into(), field.owners.first().map_or("", |one| &one.manager).into());
    value.insert("cause".into(), field.cause.as_str().into());
    value.insert("why".into(), field.why.clone().into());
    if let Some(rule) = &field.silenced_by {
        value.insert("rule".into(), serde_json::to_value(rule).unwrap_or_default());
    }
    Value::Object(value)
}
