//! `app get-resource`, `app patch-resource`, `app delete-resource`: single objects of an Application.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use cluster::{Action, Asked, Cluster, Gate, Patch, Permit, Propagation, Refusal, Write, Writer};
use crd::Application;
use manifest::{Gvk, ObjectKey};
use serde_json::{Map, Value};

use super::live::{self, LiveResource};
use super::told::{Reason, tell};
use super::tree::Tree;
use crate::commands::colour::Colour;
use crate::commands::connect::Session;
use crate::commands::failure::refused;
use crate::commands::name::AppName;
use crate::commands::output::{check, formatted, note, print};
use crate::commands::prompt::{self, Answer};
use crate::commands::table::Table;

/// Who owns the fields that these commands write.
const MANAGER: &str = "argocd-server";

/// Which objects are meant.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// API group; the core group is empty
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Kind
    #[arg(long, value_name = "KIND")]
    kind: String,
    /// Namespace
    #[arg(long, value_name = "NAMESPACE", default_value = "")]
    namespace: String,
    /// Name
    #[arg(long, value_name = "NAME", default_value = "")]
    resource_name: String,
    /// Take all that match
    #[arg(long)]
    all: bool,
    /// The application's project
    #[arg(long, value_name = "NAME", hide = true)]
    project: Option<String>,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Arguments of `app get-resource`.
#[derive(Debug, clap::Args)]
pub struct Get {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// API group
    #[arg(long, value_name = "GROUP", default_value = "")]
    group: String,
    /// Kind
    #[arg(long, value_name = "KIND")]
    kind: String,
    /// Name; all of the kind where none is given
    #[arg(long, value_name = "NAME", default_value = "")]
    resource_name: String,
    /// Only these fields, with dots in between
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    filter_fields: Vec<String>,
    /// Show who owns which field as well
    #[arg(long)]
    show_managed_fields: bool,
    /// Output format, one of wide|yaml|json
    #[arg(short, long, value_name = "FORMAT", default_value = "wide")]
    output: String,
    /// The application's project
    #[arg(long, value_name = "NAME", hide = true)]
    project: Option<String>,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Arguments of `app patch-resource`.
#[derive(Debug, clap::Args)]
pub struct PatchArguments {
    #[command(flatten)]
    which: Which,
    /// The patch
    #[arg(long, value_name = "PATCH")]
    patch: String,
    /// Its kind, as the API server calls it
    #[arg(
        long, value_name = "TYPE", default_value = "application/merge-patch+json",
        value_parser = ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"]
    )]
    patch_type: String,
}

/// Arguments of `app delete-resource`.
#[derive(Debug, clap::Args)]
pub struct Delete {
    #[command(flatten)]
    which: Which,
    /// Do not let it end by itself
    #[arg(long)]
    force: bool,
    /// Leave what it owns
    #[arg(long)]
    orphan: bool,
    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,
}

/// Shows objects of the Application and what they own.
pub async fn get(arguments: Get, session: &Session) -> Result<ExitCode> {
    check(&arguments.output, &["wide", "yaml", "json"])?;
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let application = session.application(&name).await?;
    let cluster = live::destination(session, &application).await?;
    let tree = Tree::gather(session, &application).await?;
    let mut keys: Vec<ObjectKey> = Vec::new();
    tree.walk(tree.roots(), &mut |_, node| keys.push(node.key()));
    let mut objects = Vec::new();
    for key in keys {
        let fits = key.kind == arguments.kind
            && (arguments.group.is_empty() || key.group == arguments.group)
            && (arguments.resource_name.is_empty() || key.name == arguments.resource_name);
        let Some(info) = cluster.kinds().preferred(&key.group_kind()).filter(|_| fits).cloned()
        else {
            continue;
        };
        let Some(object) = live::object(&cluster, &info.gvk, &key.namespace, &key.name).await?
        else {
            continue;
        };
        let owners = object.pointer("/metadata/managedFields").cloned();
        let shown = super::shown(session, vec![object]).await?;
        let Some(mut shown) = shown.into_iter().next() else { continue };
        if let (true, Some(owners)) = (arguments.show_managed_fields, owners) {
            shown["metadata"]["managedFields"] = owners;
        }
        objects.push(match arguments.filter_fields.is_empty() {
            true => shown,
            false => only(&shown, &arguments.filter_fields),
        });
    }
    let names: Vec<&str> = objects.iter().map(manifest::name).collect();
    let fetched = format!("Resources '{}' fetched", names.join(", "));
    match arguments.output.as_str() {
        format @ ("json" | "yaml") => {
            for (index, object) in objects.iter().enumerate() {
                if index > 0 {
                    print("---\n")?;
                }
                print(&formatted(format, object)?)?;
            }
        }
        _ => print(&table(&objects, &arguments).print(Colour::of_stdout()))?,
    }
    note(&fetched);
    Ok(ExitCode::SUCCESS)
}

/// The object with these fields alone, and its name.
fn only(object: &Value, fields: &[String]) -> Value {
    let mut out = Value::Object(Map::new());
    for field in fields {
        let steps: Vec<&str> = field.split('.').collect();
        if let Some(part) = part(object, &steps) {
            join(&mut out, part);
        }
    }
    join(&mut out, serde_json::json!({"metadata": {"name": manifest::name(object)}}));
    out
}

/// One field with what leads to it; lists on the way keep an item each.
fn part(value: &Value, steps: &[&str]) -> Option<Value> {
    let Some((first, rest)) = steps.split_first() else { return Some(value.clone()) };
    match value {
        Value::Array(items) => {
            let parts: Vec<Value> = items.iter().filter_map(|item| part(item, steps)).collect();
            (!parts.is_empty()).then_some(Value::Array(parts))
        }
        value => {
            let below = part(value.get(first)?, rest)?;
            Some(Value::Object(Map::from_iter([((*first).to_owned(), below)])))
        }
    }
}

fn join(into: &mut Value, part: Value) {
    match (into, part) {
        (Value::Object(into), Value::Object(part)) => {
            for (key, value) in part {
                join(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, part) => *into = part,
    }
}

fn table(objects: &[Value], arguments: &Get) -> Table {
    let named = arguments.resource_name.is_empty();
    let mut table = match named {
        true => Table::headed(&["FIELD", "RESOURCE NAME", "VALUE"]),
        false => Table::headed(&["FIELD", "VALUE"]),
    };
    for object in objects {
        let name = manifest::name(object).to_owned();
        let mut shown = object.clone();
        if !arguments.filter_fields.is_empty()
            && let Some(fields) = shown.as_object_mut()
        {
            fields.remove("metadata");
        }
        let mut lines = Vec::new();
        flatten(&shown, "", &mut lines);
        for (field, value) in lines {
            match named {
                true => table.line([field, name.clone(), value]),
                false => table.line([field, value]),
            }
        }
    }
    table
}

fn flatten(value: &Value, path: &str, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                flatten(value, &format!("{path}{dot}{name}"), lines);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                flatten(item, &format!("{path}[{at}]"), lines);
            }
        }
        Value::String(text) => lines.push((path.to_owned(), text.clone())),
        other => lines.push((path.to_owned(), other.to_string())),
    }
}

/// Patches objects of the Application.
pub async fn patch(arguments: PatchArguments, session: &Session) -> Result<ExitCode> {
    let body = goyaml::to_json(arguments.patch.as_bytes()).context("the patch does not parse")?;
    let (application, cluster, objects) = arguments.which.chosen(session).await?;
    let writer = writer(session, &application, &cluster).await?;
    for (gvk, key) in objects {
        let patch = match arguments.patch_type.as_str() {
            "application/json-patch+json" => Patch::Json(body.clone()),
            "application/strategic-merge-patch+json" => Patch::Strategic(body.clone()),
            _ => Patch::Merge(body.clone()),
        };
        let write = Write::patch(gvk, &key.namespace, &key.name, patch, MANAGER);
        writer.write(&write).await?;
        let did = format!("patched resource {}/{} '{}'", key.group, key.kind, key.name);
        tell(session, &application, Reason::Updated, &did).await;
        note(&format!("Resource '{}' patched", key.name));
    }
    Ok(ExitCode::SUCCESS)
}

/// Deletes objects of the Application; asks first in front of a terminal.
pub async fn delete(arguments: Delete, session: &Session) -> Result<ExitCode> {
    let (application, cluster, objects) = arguments.which.chosen(session).await?;
    let writer = writer(session, &application, &cluster).await?;
    for (gvk, key) in objects {
        if prompt::somebody_reads() && !arguments.yes {
            let question = format!(
                "Are you sure you want to delete {}/{} '{}'? [y/n] ",
                key.group, key.kind, key.name
            );
            if prompt::ask(&question, false)? != Answer::Yes {
                note(&format!(
                    "The command to delete {}/{} '{}' was cancelled.",
                    key.group, key.kind, key.name
                ));
                continue;
            }
        }
        let propagation = match (arguments.orphan, arguments.force) {
            (true, _) => Propagation::Orphan,
            (false, true) => Propagation::Background,
            (false, false) => Propagation::Foreground,
        };
        let mut write = Write::delete(gvk, &key.namespace, &key.name, propagation);
        if let Action::Delete { grace_period_s, .. } = &mut write.action
            && arguments.force
        {
            *grace_period_s = Some(0);
        }
        writer.write(&write).await?;
        let did = format!("deleted resource {}/{} '{}'", key.group, key.kind, key.name);
        tell(session, &application, Reason::Deleted, &did).await;
        note(&format!("Resource '{}' deleted", key.name));
    }
    Ok(ExitCode::SUCCESS)
}

impl Which {
    /// The objects that are meant: those of the Application that are there and fit.
    async fn chosen(
        &self,
        session: &Session,
    ) -> Result<(Application, Cluster, Vec<(Gvk, ObjectKey)>)> {
        let name = AppName::parse(&self.app, &self.app_namespace);
        let application = session.application(&name).await?;
        let cluster = live::destination(session, &application).await?;
        let found: Vec<LiveResource> = live::resources(&cluster, &application)
            .await?
            .into_iter()
            .filter(|resource| {
                let key = resource.key();
                resource.object.is_some()
                    && key.kind == self.kind
                    && self.group.as_ref().is_none_or(|group| *group == key.group)
                    && (self.namespace.is_empty() || self.namespace == key.namespace)
                    && (self.resource_name.is_empty() || self.resource_name == key.name)
            })
            .collect();
        if found.is_empty() {
            bail!("No matching resource found");
        }
        if found.len() > 1 && !self.all {
            return Err(refused(
                "Multiple resources match inputs. Use the --all flag to patch multiple resources",
            ));
        }
        let keys = found.iter().map(|one| {
            let status = &one.status;
            (Gvk::new(&status.group, &status.version, &status.kind), one.key())
        });
        Ok((application, cluster, keys.collect()))
    }
}

/// A hand that writes what the Application's project permits.
async fn writer(session: &Session, application: &Application, cluster: &Cluster) -> Result<Writer> {
    let name = application.spec.project_name();
    let project = session.project(name).await?;
    let project = project
        .with_context(|| format!("Application referencing project {name} which does not exist"))?;
    let clusters = session.clusters().await?;
    let found = clusters.find(&application.spec.destination)?;
    let gate = OfProject {
        project: session.project_rules(&project).await?,
        cluster: policy::Cluster {
            server: found.server.clone(),
            name: found.name.clone(),
            project: found.project.clone(),
        },
    };
    Ok(cluster.writer(Arc::new(gate)))
}

struct OfProject {
    project: policy::Project,
    cluster: policy::Cluster,
}

impl Gate for OfProject {
    fn check<'a>(&self, asked: Asked<'a>) -> Result<Permit<'a>, Refusal> {
        let write = asked.write();
        let kind = write.gvk.group_kind();
        let namespaced = asked.namespaced();
        let checked = self.project.check_write(
            &self.cluster,
            &kind,
            &write.name,
            &write.namespace,
            namespaced,
        );
        match checked {
            Ok(()) => Ok(asked.permit()),
            Err(words) => Err(asked.refuse(words)),
        }
    }
}
