//! `app actions`: what can be done to an Application's objects, beside syncing them.

use std::process::ExitCode;
use std::sync::Arc;

use actions::{Call, Custom, Operation, Outcome};
use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use cluster::{Action as WriteAction, Asked, Cluster, Gate, Patch, Permit, Refusal, Write, Writer};
use crd::Application;
use jiff::Timestamp;
use reconcile::merge_patch;
use serde_json::{Map, Value, json};

use super::live;
use super::told::{Reason, tell};
use crate::commands::admin::parameters;
use crate::commands::colour::Colour;
use crate::commands::connect::Session;
use crate::commands::name::AppName;
use crate::commands::output::{check, formatted, print};
use crate::commands::scripts;
use crate::commands::table::Table;

/// Who owns the fields that an action writes.
const MANAGER: &str = "argocd-server";

/// The commands on actions.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the actions that an application's objects offer
    List(List),
    /// Run an action on an application's objects
    Run(Run),
}

/// Which of an Application's objects are meant.
#[derive(Debug, clap::Args)]
struct Which {
    /// Only objects of this API group; "" is the core group
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Only objects of this kind
    #[arg(long, value_name = "KIND", default_value = "")]
    kind: String,
    /// Only objects in this namespace
    #[arg(long, value_name = "NAMESPACE", default_value = "")]
    namespace: String,
    /// Only objects of this name
    #[arg(long, value_name = "NAME", default_value = "")]
    resource_name: String,
}

/// Arguments of `app actions list`.
#[derive(Debug, clap::Args)]
pub struct List {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    #[command(flatten)]
    which: Which,
    /// Output format, one of wide|yaml|json
    #[arg(short, long, alias = "out", value_name = "FORMAT", default_value = "")]
    output: String,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Arguments of `app actions run`.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// The action's name
    #[arg(value_name = "ACTION")]
    action: String,
    #[command(flatten)]
    which: Which,
    /// Run it on every object that fits, and not just where one fits
    #[arg(long)]
    all: bool,
    /// What the action is told, as key=value; may be given often
    #[arg(long = "param", value_name = "KEY=VALUE")]
    parameters: Vec<String>,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Runs one of them.
pub async fn run(command: Command, session: &Session) -> Result<ExitCode> {
    match command {
        Command::List(arguments) => list(&arguments, session).await,
        Command::Run(arguments) => run_action(&arguments, session).await,
    }
}

async fn list(arguments: &List, session: &Session) -> Result<ExitCode> {
    check(&arguments.output, &["wide", "yaml", "json"])?;
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let application = session.application(&name).await?;
    let cluster = live::destination(session, &application).await?;
    let custom = custom(session).await?;
    let mut rows = Vec::new();
    for object in objects(&cluster, &application, &arguments.which).await? {
        let gvk = manifest::gvk(&object);
        let offered = custom.list(&object, Timestamp::now(), Some(scripts::should_stop()))?;
        for action in offered {
            rows.push(json!({
                "Group": gvk.group,
                "Kind": gvk.kind,
                "Name": manifest::name(&object),
                "Action": action.name,
                "Disabled": action.disabled,
            }));
        }
    }
    match arguments.output.as_str() {
        format @ ("json" | "yaml") => print(&formatted(format, &Value::Array(rows))?)?,
        _ => {
            let columns = ["Group", "Kind", "Name", "Action", "Disabled"];
            let mut table = Table::headed(&columns.map(str::to_uppercase));
            for row in &rows {
                table.line(columns.map(|column| match &row[column] {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                }));
            }
            print(&table.print(Colour::of_stdout()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn run_action(arguments: &Run, session: &Session) -> Result<ExitCode> {
    let parameters = parameters(&arguments.parameters)?;
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let application = session.application(&name).await?;
    let cluster = live::destination(session, &application).await?;
    let custom = custom(session).await?;
    let chosen = objects(&cluster, &application, &arguments.which).await?;
    match chosen.len() {
        0 => bail!("No matching resource found"),
        1 => {}
        _ if arguments.all => {}
        _ => {
            bail!("Multiple resources match inputs. Use the --all flag to patch multiple resources")
        }
    }
    let writer = cluster.writer(Arc::new(gate(session, &application).await?));
    for object in &chosen {
        let call =
            Call { action: &arguments.action, parameters: &parameters, now: Timestamp::now() };
        let outcomes = custom.run(object, &call, Some(scripts::should_stop()))?;
        // All or none: what is to be created is tried first.
        for outcome in outcomes.iter().filter(|one| one.operation == Operation::Create) {
            let write = Write::create(placed(&outcome.object, object), MANAGER);
            writer.write(&write.dry()).await?;
        }
        for outcome in &outcomes {
            carry_out(&cluster, &writer, object, outcome).await?;
        }
        let key = manifest::key_of(object);
        let did = format!(
            "ran action {} on resource {}/{}/{}",
            arguments.action, key.group, key.kind, key.name
        );
        tell(session, &application, Reason::ActionRan, &did).await;
    }
    Ok(ExitCode::SUCCESS)
}

/// The live objects that the Application manages and that are meant.
async fn objects(
    cluster: &Cluster,
    application: &Application,
    which: &Which,
) -> Result<Vec<Value>> {
    let fits = |wanted: &str, got: &str| wanted.is_empty() || wanted == got;
    let all = live::resources(cluster, application).await?;
    let meant = all.into_iter().filter(|resource| {
        let status = &resource.status;
        which.group.as_ref().is_none_or(|group| *group == status.group)
            && fits(&which.kind, &status.kind)
            && fits(&which.namespace, &status.namespace)
            && fits(&which.resource_name, &status.name)
    });
    Ok(meant.filter_map(|resource| resource.object).collect())
}

async fn custom(session: &Session) -> Result<Custom> {
    let settings = scripts::settings(session).await?;
    Ok(Custom::read(scripts::action_rules(&settings)))
}

/// An object that names no namespace goes where the one it was made of is.
fn placed(made: &Value, of: &Value) -> Value {
    let mut made = made.clone();
    if manifest::namespace(&made).is_empty() && !manifest::namespace(of).is_empty() {
        made["metadata"]["namespace"] = json!(manifest::namespace(of));
    }
    made
}

async fn carry_out(
    cluster: &Cluster,
    writer: &Writer,
    object: &Value,
    outcome: &Outcome,
) -> Result<()> {
    if outcome.operation == Operation::Create {
        writer.write(&Write::create(placed(&outcome.object, object), MANAGER)).await?;
        return Ok(());
    }
    let Some(patch) = merge_patch(object, &outcome.object) else { return Ok(()) };
    let gvk = manifest::gvk(object);
    let apart = cluster.kind(&gvk).await?.subresources.iter().any(|one| one == "status");
    for (part, subresource) in parts(patch, apart) {
        let (namespace, name) = (manifest::namespace(object), manifest::name(object));
        let mut write = Write::patch(gvk.clone(), namespace, name, Patch::Merge(part), MANAGER);
        if let WriteAction::Patch { subresource: place, .. } = &mut write.action {
            *place = subresource;
        }
        writer.write(&write).await?;
    }
    Ok(())
}

/// The patch, and that of the status on its own where the kind keeps it apart.
fn parts(patch: Value, apart: bool) -> Vec<(Value, Option<String>)> {
    let status = patch.get("status").cloned().filter(|_| apart);
    let mut rest = patch;
    let mut all = Vec::new();
    if let Some(status) = status {
        if let Some(fields) = rest.as_object_mut() {
            fields.remove("status");
        }
        let of_status = Value::Object(Map::from_iter([("status".to_owned(), status)]));
        all.push((of_status, Some("status".to_owned())));
    }
    if rest.as_object().is_some_and(|fields| !fields.is_empty()) {
        all.insert(0, (rest, None));
    }
    all
}

/// Asks the Application's project about each write.
struct ProjectGate {
    project: policy::Project,
    cluster: policy::Cluster,
}

impl Gate for ProjectGate {
    fn check<'a>(&self, asked: Asked<'a>) -> Result<Permit<'a>, Refusal> {
        let write = asked.write();
        let checked = self.project.check_write(
            &self.cluster,
            &write.gvk.group_kind(),
            &write.name,
            &write.namespace,
            asked.namespaced(),
        );
        match checked {
            Ok(()) => Ok(asked.permit()),
            Err(words) => Err(asked.refuse(words)),
        }
    }
}

async fn gate(session: &Session, application: &Application) -> Result<ProjectGate> {
    let name = application.spec.project_name();
    let found = session
        .project(name)
        .await?
        .with_context(|| format!("Application referencing project {name} which does not exist"))?;
    let clusters = session.clusters().await?;
    let destination = clusters.find(&application.spec.destination)?;
    Ok(ProjectGate {
        project: session.project_rules(&found).await?,
        cluster: policy::Cluster {
            server: destination.server.clone(),
            name: destination.name.clone(),
            project: destination.project.clone(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_is_kept_apart_is_patched_on_its_own() {
        let patch = json!({"spec": {"a": 1}, "status": {"b": null}});
        let both = parts(patch.clone(), true);
        assert_eq!(both[0], (json!({"spec": {"a": 1}}), None));
        assert_eq!(both[1], (json!({"status": {"b": null}}), Some("status".to_owned())));
        assert_eq!(parts(patch.clone(), false), [(patch, None)]);
        let alone = json!({"status": {"b": 1}});
        assert_eq!(parts(alone.clone(), true), [(alone, Some("status".to_owned()))]);
    }

    #[test]
    fn what_is_made_goes_where_its_maker_is() {
        let maker = json!({"metadata": {"name": "x", "namespace": "shop"}});
        let placed_in = |made: Value| manifest::namespace(&placed(&made, &maker)).to_owned();
        assert_eq!(placed_in(json!({"metadata": {"name": "y"}})), "shop");
        assert_eq!(placed_in(json!({"metadata": {"name": "y", "namespace": "else"}})), "else");
    }
}
