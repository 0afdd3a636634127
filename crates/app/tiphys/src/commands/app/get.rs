//! `app get`.

use std::process::ExitCode;

use anyhow::Result;
use crd::{Application, RefreshType};

use super::healths;
use super::summary::{Surroundings, condition_table, operation_lines, summary};
use super::{print_resources, source_position};
use crate::commands::colour::Colour;
use crate::commands::connect::Session;
use crate::commands::name::AppName;
use crate::commands::output::{check, print, print_as};
use crate::commands::progress::{deadline, refresh};
use crate::commands::table::Table;

/// Arguments of `app get`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// Output format, one of json|yaml|wide|tree|tree=detailed
    #[arg(short, long, value_name = "FORMAT", default_value = "wide")]
    output: String,
    /// Compare with the newest revision first
    #[arg(long)]
    refresh: bool,
    /// As --refresh, and render again whatever was rendered before
    #[arg(long)]
    hard_refresh: bool,
    /// Show what is known after so many seconds of refreshing; 0 waits for ever
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    timeout: u64,
    /// Show the last operation as well
    #[arg(long)]
    show_operation: bool,
    /// Show the parameters of a Helm chart as well
    #[arg(long)]
    show_params: bool,
    /// Of which of several sources to show parameters, counted from 1
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    source_position: Option<i64>,
    /// Of which of several sources to show parameters, by name
    #[arg(long, value_name = "NAME")]
    source_name: Option<String>,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// How many characters of a parameter's value are shown.
const VALUE_CHARS_MAX: usize = 80;

/// Shows one Application.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    check(&arguments.output, &["json", "yaml", "wide", "tree", "tree=detailed"])?;
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let asked = match (arguments.hard_refresh, arguments.refresh) {
        (true, _) => Some(RefreshType::Hard),
        (false, true) => Some(RefreshType::Normal),
        (false, false) => None,
    };
    let refreshed = match asked {
        Some(kind) => {
            session.application(&name).await?;
            refresh(session, &name, kind, deadline(arguments.timeout)).await?
        }
        None => None,
    };
    let mut application = match refreshed {
        Some(application) => application,
        None => session.application(&name).await?,
    };
    if !arguments.output.starts_with("tree") {
        healths::fill(session, &mut application).await;
    }
    if let format @ ("json" | "yaml") = arguments.output.as_str() {
        print_as(format, &application)?;
        return Ok(ExitCode::SUCCESS);
    }
    let colour = Colour::of_stdout();
    let around = Surroundings::of(session, &application).await?;
    let mut text = summary(&application, &around, colour);
    if let Some(table) = condition_table(&application) {
        text.push_str(&format!("\n{}\n", table.print(colour)));
    }
    if arguments.show_operation
        && let Some(state) = application.status.operation_state.as_deref()
    {
        text.push('\n');
        text.push_str(&operation_lines(state, jiff::Timestamp::now(), colour));
    }
    if arguments.show_params {
        let (position, name) = (arguments.source_position, arguments.source_name.as_deref());
        let position = source_position(&application.spec, position, name)?;
        text.push_str(&parameters(&application, position, colour));
    }
    print(&text)?;
    print_resources(session, &application, &arguments.output).await?;
    Ok(ExitCode::SUCCESS)
}

fn parameters(application: &Application, position: Option<usize>, colour: Colour) -> String {
    let sources = application.spec.effective_sources();
    let source = sources.get(position.unwrap_or(1) - 1);
    let Some(helm) = source.and_then(|source| source.helm.as_deref()) else {
        return String::new();
    };
    let mut table = Table::headed(&["NAME", "VALUE"]);
    for parameter in &helm.parameters {
        table.line([parameter.name.clone(), cut(&parameter.value)]);
    }
    format!("\n\n{}", table.print(colour))
}

fn cut(value: &str) -> String {
    match value.char_indices().nth(VALUE_CHARS_MAX) {
        Some(_) => {
            let kept: String = value.chars().take(VALUE_CHARS_MAX - 3).collect();
            format!("{kept}...")
        }
        None => value.to_owned(),
    }
}
