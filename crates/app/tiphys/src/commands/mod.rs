//! The commands, one file each.

mod admin;
mod app;
mod cluster;
mod cmp_server;
mod colour;
mod completion;
mod connect;
pub mod controller;
mod editor;
mod failure;
mod global;
mod go_flags;
mod input;
mod k8s_auth;
mod name;
mod output;
mod progress;
mod proj;
mod prompt;
mod render;
mod repo;
mod scripts;
mod simkube;
mod table;
pub mod up;
mod version;
mod yaml;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use failure::REFUSED;
use global::Global;
use output::note;

/// GitOps continuous delivery for Kubernetes.
///
/// All but `up`, `simkube` and `render` work on Argo CD's objects in the cluster that kubectl
/// would talk to.
#[derive(Debug, Parser)]
#[command(name = "tiphys", version, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything in one process, on a simulated cluster or on a real one
    Up(up::Arguments),
    /// Run the simulated cluster alone
    Simkube(simkube::Arguments),
    /// Manage applications
    #[command(subcommand)]
    App(app::Command),
    /// Help those who run Argo CD
    #[command(subcommand)]
    Admin(admin::Command),
    /// Manage projects
    #[command(subcommand)]
    Proj(proj::Command),
    /// Manage clusters that applications go to
    #[command(subcommand)]
    Cluster(cluster::Command),
    /// Manage repositories
    #[command(subcommand)]
    Repo(repo::Command),
    /// Render a directory of this host
    Render(Box<render::Arguments>),
    /// Run the application controller alone, inside a cluster
    Controller(controller::Arguments),
    /// Run a config management plugin's sidecar
    CmpServer(cmp_server::Arguments),
    /// Log in at a cloud's cluster, for its clients
    #[command(subcommand)]
    K8sAuth(k8s_auth::Command),
    /// Print versions
    Version(version::Arguments),
    /// Print a script by which a shell completes commands
    Completion(completion::Arguments),
}

/// The whole command line, as it is read and as the help pages show it.
fn command_line() -> clap::Command {
    go_flags::go_style(global::with_upstream_flags(Cli::command()))
}

/// The command line with no command but `render`, which ends before all the others were
/// described.
#[derive(Debug, Parser)]
#[command(name = "tiphys", version, propagate_version = true)]
struct RenderAlone {
    #[command(flatten)]
    _global: Global,
    #[command(subcommand)]
    command: OnlyRender,
}

#[derive(Debug, Subcommand)]
enum OnlyRender {
    /// Render a directory of this host
    Render(Box<render::Arguments>),
}

/// Reads a command line, runs its command, says what went wrong, and answers the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let program = arguments.first().map(Path::new).and_then(Path::file_stem);
    if program.is_some_and(|program| program == "argocd-k8s-auth") {
        arguments.insert(1, "k8s-auth".into());
    }
    let name = called_as(&arguments);
    if let Some(arguments) = render_alone(&arguments) {
        return ended(render::run(arguments), name);
    }
    let matches = match command_line().try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        Err(error) => return not_understood(&error),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error),
    };
    global::note_unused(&matches);
    ended(run(cli, name), name)
}

/// The arguments of `render` where it is what was asked for and nothing is wrong with them; all
/// else is for the whole command line.
fn render_alone(arguments: &[OsString]) -> Option<render::Arguments> {
    arguments.get(1).filter(|word| *word == "render")?;
    render::Arguments::of_usual_words(&arguments[2..]).or_else(|| described_render(arguments))
}

/// The same by what describes the flags.
fn described_render(arguments: &[OsString]) -> Option<render::Arguments> {
    let command = go_flags::go_style(global::with_upstream_flags(RenderAlone::command()));
    let matches = command.try_get_matches_from(arguments).ok()?;
    let OnlyRender::Render(read) = RenderAlone::from_arg_matches(&matches).ok()?.command;
    global::note_unused(&matches);
    Some(*read)
}

/// Says what went wrong, and answers the exit code.
fn ended(run: Result<ExitCode>, name: &str) -> ExitCode {
    match run {
        Ok(code) => code,
        Err(error) => {
            let (message, code) = failure::told(&error);
            if !message.is_empty() {
                note(&format!("{name}: {message}"));
            }
            ExitCode::from(code)
        }
    }
}

/// What the program was called as: `argocd` or `tiphys`.
fn called_as(arguments: &[OsString]) -> &'static str {
    let program = arguments.first().map(Path::new).and_then(Path::file_stem);
    match program.is_some_and(|program| program == "argocd") {
        true => "argocd",
        false => "tiphys",
    }
}

/// Help and version are no failure; all else ends with upstream's code for it.
fn not_understood(error: &clap::Error) -> ExitCode {
    // Where the stream is closed there is nobody to tell.
    let _ = error.print();
    match error.use_stderr() {
        true => ExitCode::from(REFUSED),
        false => ExitCode::SUCCESS,
    }
}

fn run(cli: Cli, name: &'static str) -> Result<ExitCode> {
    let global = &cli.global;
    match cli.command {
        Command::Up(arguments) => up::run(arguments),
        Command::Simkube(arguments) => simkube::run(arguments),
        Command::App(command) => app::run(command, global),
        Command::Admin(command) => admin::run(command),
        Command::Proj(command) => proj::run(command, global),
        Command::Cluster(command) => cluster::run(command, global),
        Command::Repo(command) => repo::run(command, global),
        Command::Render(arguments) => render::run(*arguments),
        Command::Controller(arguments) => controller::run(arguments),
        Command::CmpServer(arguments) => cmp_server::run(arguments),
        Command::K8sAuth(command) => k8s_auth::run(command),
        Command::Version(arguments) => version::run(arguments, global),
        Command::Completion(arguments) => completion::run(&arguments, command_line(), name),
    }
}
