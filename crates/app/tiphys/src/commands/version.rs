//! `version`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::json;

use super::connect::{self, Session};
use super::global::Global;
use super::output::{check, print, print_as};

/// The program's version.
const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// Arguments of `version`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Output format, one of json|yaml|wide|short
    #[arg(short, long, value_name = "FORMAT", default_value = "wide")]
    output: String,
    /// Only the version itself
    #[arg(long)]
    short: bool,
    /// Only this program's; no cluster is asked
    #[arg(long)]
    client: bool,
}

/// Prints this program's version and, unless it is unwanted, the cluster's.
pub fn run(arguments: Arguments, global: &Global) -> Result<ExitCode> {
    check(&arguments.output, &["json", "yaml", "wide", "short"])?;
    let short = arguments.short || arguments.output == "short";
    let platform = format!("{}/{}", std::env::consts::OS, architecture());
    let mut both = json!({"client": match short {
        true => json!({"argocd": VERSION}),
        false => json!({"Version": VERSION, "Platform": platform}),
    }});
    let mut text = format!("argocd: {VERSION}\n");
    if !short {
        text.push_str(&format!("  Compiler: rustc\n  Platform: {platform}\n"));
    }
    if !arguments.client {
        let server = connect::run(async {
            let session = Session::open(global).await?;
            Ok(session.cluster.version().await?)
        });
        let server = match server {
            Ok(server) => server,
            Err(error) => {
                print(&text)?;
                bail!(error);
            }
        };
        let version = server.git_version;
        both["server"] = match short {
            true => json!({"kubernetes": version}),
            false => json!({"KubernetesVersion": version, "Platform": server.platform}),
        };
        text.push_str(&format!("kubernetes: {version}\n"));
        if !short {
            text.push_str(&format!("  Platform: {}\n", server.platform));
        }
    }
    match arguments.output.as_str() {
        format @ ("json" | "yaml") => print_as(format, &both)?,
        _ => print(&text)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The processor as Go calls it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
