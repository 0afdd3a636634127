//! `app resources`.

use std::process::ExitCode;

use anyhow::Result;

use super::tree::{Shape, Tree, Which, resources_table};
use crate::commands::colour::Colour;
use crate::commands::connect::Session;
use crate::commands::name::AppName;
use crate::commands::output::{check, print};

/// Arguments of `app resources`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// Only objects that nobody owns; with =false, only others
    #[arg(
        long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_name = "true|false", value_parser = crate::commands::go_flags::go_bool
    )]
    orphaned: Option<bool>,
    /// Output format, one of tree|tree=detailed; without it, a list of the application's own objects
    #[arg(short, long, value_name = "FORMAT", default_value = "")]
    output: String,
    /// The application's project; changes nothing here
    #[arg(long, value_name = "NAME", hide = true)]
    project: Option<String>,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Lists an Application's objects.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    check(&arguments.output, &["wide", "tree", "tree=detailed"])?;
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let application = session.application(&name).await?;
    let tree = Tree::gather(session, &application).await?;
    let shape = match arguments.output.as_str() {
        "tree" => Shape::Tree,
        "tree=detailed" => Shape::Detailed,
        _ => Shape::Flat,
    };
    let which = match arguments.orphaned {
        None => Which::All,
        Some(true) => Which::Orphans,
        Some(false) => Which::Owned,
    };
    print(&resources_table(&tree, shape, which).print(Colour::of_stdout()))?;
    Ok(ExitCode::SUCCESS)
}
