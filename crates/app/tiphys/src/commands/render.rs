//! `render PATH`: a directory on this host to objects.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use rendering::render_path;
use serde_json::Value;

use super::failure::{GENERAL_ERROR, refused};
use super::output::print;
use super::yaml;

/// Arguments of `render`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The directory to render, from its files as they are, committed or not
    #[arg(value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    path: PathBuf,
    /// What the files may reach; the git work tree around PATH, else PATH, where it is not given
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    root: Option<PathBuf>,
    /// Output format, one of yaml|json
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    output: String,
}

/// Prints the objects as they are rendered, in their order.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    if !matches!(arguments.output.as_str(), "yaml" | "json") {
        return Err(refused(super::output::unknown(&arguments.output).to_string()));
    }
    let options = ::render::Options::default();
    match render_path(&arguments.path, arguments.root.as_deref(), &options) {
        Ok(objects) => {
            print(&text(objects, &arguments.output)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if error.is_usage() => Err(refused(format!("{:#}", anyhow::Error::from(error)))),
        Err(error) => Err(super::failure::Failure {
            message: format!("{:#}", anyhow::Error::from(error)),
            code: GENERAL_ERROR,
        }
        .into()),
    }
}

fn text(objects: Vec<Value>, output: &str) -> Result<String> {
    match output {
        "json" => super::output::formatted("json", &Value::Array(objects)),
        _ => Ok(objects.iter().map(|object| format!("---\n{}", yaml::text(object))).collect()),
    }
}
