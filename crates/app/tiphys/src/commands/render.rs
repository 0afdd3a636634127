//! `render PATH`: a directory or a packed chart of this host to objects.

mod helm;
mod jsonnet;
mod kustomize;
mod remote;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use crd::ApplicationSource;
use rendering::render_path;
use serde_json::Value;

use super::failure::{Failure, GENERAL_ERROR, refused};
use super::output::print;
use super::yaml;

/// Arguments of `render`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The directory to render, from its files as they are, committed or not; or a packed chart
    #[arg(value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    path: PathBuf,
    /// What the files may reach; the git work tree around PATH, else PATH, where it is not given
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    root: Option<PathBuf>,
    /// Output format, one of yaml|json
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    output: String,
    /// Render PATH of this repository instead of this host's files
    #[arg(long, value_name = "URL", conflicts_with = "root")]
    repo: Option<String>,
    /// The repository's branch, tag or commit
    #[arg(long, value_name = "REVISION", requires = "repo", default_value = "")]
    revision: String,
    #[command(flatten)]
    helm: helm::HelmFlags,
    #[command(flatten)]
    kustomize: kustomize::KustomizeFlags,
    #[command(flatten)]
    jsonnet: jsonnet::DirectoryFlags,
}

/// Prints the objects as they are rendered, in their order.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    if !matches!(arguments.output.as_str(), "yaml" | "json") {
        return Err(refused(super::output::unknown(&arguments.output).to_string()));
    }
    let file = arguments.path.file_name().and_then(std::ffi::OsStr::to_str);
    let program = file.filter(|name| name.ends_with(".jsonnet"));
    // A flag of one engine says which engine it is.
    let source = ApplicationSource {
        kustomize: arguments.kustomize.block()?.map(Box::new),
        directory: arguments.jsonnet.block(program).map(Box::new),
        ..ApplicationSource::default()
    };
    let objects = match &arguments.repo {
        Some(url) => remote::render(url, &arguments, source)?,
        None if arguments.helm.any() || (arguments.path.is_file() && program.is_none()) => {
            if source.kustomize.is_some() || source.directory.is_some() {
                return Err(refused(
                    "these flags belong to several engines; give those of one".to_owned(),
                ));
            }
            helm::render(&arguments.path, arguments.root.as_deref(), &arguments.helm)?
        }
        None => plain(&arguments, &source, program.is_some())?,
    };
    print(&text(&objects, &arguments.output)?)?;
    // The process ends: taking millions of values apart one by one would be for nothing.
    std::mem::forget(objects);
    Ok(ExitCode::SUCCESS)
}

/// What kind of source it is shows in its files, where no flag says it.
fn plain(
    arguments: &Arguments,
    source: &ApplicationSource,
    is_program: bool,
) -> Result<Vec<Arc<Value>>> {
    let options = options(arguments);
    let path = match arguments.path.parent() {
        Some(parent) if is_program && parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) if is_program => parent,
        _ => &arguments.path,
    };
    match render_path(path, arguments.root.as_deref(), source, &options) {
        Ok(objects) => Ok(objects),
        Err(error) if error.is_usage() => Err(refused(format!("{:#}", anyhow::Error::from(error)))),
        Err(error) => Err(failed(format!("{:#}", anyhow::Error::from(error)))),
    }
}

fn options(arguments: &Arguments) -> ::render::Options {
    ::render::Options {
        kustomize_build_options: arguments.kustomize.kustomize_build_options.clone(),
        ..::render::Options::default()
    }
}

/// The files are at fault, not how the command was used.
fn failed(message: String) -> anyhow::Error {
    Failure { message, code: GENERAL_ERROR }.into()
}

fn text(objects: &[Arc<Value>], output: &str) -> Result<String> {
    let objects = objects.iter().map(AsRef::as_ref);
    match output {
        "json" => Ok(format!("{}\n", serde_json::to_string_pretty(&objects.collect::<Vec<_>>())?)),
        _ => Ok(objects.map(|object| format!("---\n{}", yaml::text(object))).collect()),
    }
}
