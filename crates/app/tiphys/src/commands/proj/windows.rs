//! `proj windows`: times at which syncs may, or may not, happen.

use anyhow::{Result, bail};
use crd::{AppProject, SyncWindow};
use jiff::Timestamp;

use super::change::{Done, apply};
use crate::commands::colour::Colour;
use crate::commands::connect::Session;
use crate::commands::failure::refused;
use crate::commands::output::{check, print, print_as};
use crate::commands::table::Table;

/// How many characters a window's description may have.
const DESCRIPTION_MAX: usize = 255;

/// The commands on windows.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add a window to a project
    Add(Add),
    /// Delete a project's window
    Delete(Which),
    /// Change a project's window
    Update(Update),
    /// List a project's windows
    List(List),
    /// Let people sync in spite of a window
    EnableManualSync(Which),
    /// Let a window hold people back, too
    DisableManualSync(Which),
    /// Let syncs go on that began before
    EnableSyncOverrun(Which),
    /// Hold syncs back that began before
    DisableSyncOverrun(Which),
}

/// What a window concerns, and when it is open.
#[derive(Debug, clap::Args)]
struct Window {
    /// When it opens: five fields of cron
    #[arg(long, value_name = "CRON", default_value = "")]
    schedule: String,
    /// How long it stays open, as 1h
    #[arg(long, value_name = "DURATION", default_value = "")]
    duration: String,
    /// Applications that it concerns, by name or pattern
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    applications: Vec<String>,
    /// Destination namespaces that it concerns
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    namespaces: Vec<String>,
    /// Destination clusters that it concerns
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    clusters: Vec<String>,
    /// Time zone of the schedule
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
}

/// Arguments of `proj windows add`.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: String,
    /// Whether it allows or denies: allow or deny
    #[arg(short = 'k', long, value_name = "KIND", default_value = "")]
    kind: String,
    #[command(flatten)]
    window: Window,
    /// Let people sync in spite of it
    #[arg(long)]
    manual_sync: bool,
    /// Let syncs go on that began before
    #[arg(long)]
    sync_overrun: bool,
    /// Applications, namespaces and clusters must all fit, and not only one of them
    #[arg(long)]
    use_and_operator: bool,
}

/// One window of a project.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: String,
    /// The window, as `proj windows list` numbers it
    #[arg(value_name = "ID")]
    id: usize,
}

/// Arguments of `proj windows update`.
#[derive(Debug, clap::Args)]
pub struct Update {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    window: Window,
}

/// Arguments of `proj windows list`.
#[derive(Debug, clap::Args)]
pub struct List {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: String,
    /// Output format, one of json|yaml|wide
    #[arg(short, long, value_name = "FORMAT", default_value = "wide")]
    output: String,
}

/// Runs one of them.
pub async fn run(command: &Command, session: &Session) -> Result<()> {
    match command {
        Command::List(arguments) => return list(arguments, session).await,
        Command::Add(arguments) => {
            let window = arguments.window()?;
            let add = |project: &mut AppProject| {
                project.spec.sync_windows.push(window.clone());
                Ok(Done::Changed(String::new()))
            };
            apply(session, &arguments.project, add).await?;
        }
        Command::Delete(which) => {
            let delete = |project: &mut AppProject| {
                which.find(project)?;
                project.spec.sync_windows.remove(which.id);
                Ok(Done::Changed(String::new()))
            };
            apply(session, &which.project, delete).await?;
        }
        Command::Update(arguments) => {
            let given = &arguments.window;
            if given.says_nothing() {
                return Err(refused(
                    "cannot update: require one or more of schedule, duration, application, namespace, cluster or description",
                ));
            }
            change(session, &arguments.which, |window| given.write(window)).await?;
        }
        Command::EnableManualSync(which) => {
            change(session, which, |window| window.manual_sync = true).await?;
        }
        Command::DisableManualSync(which) => {
            change(session, which, |window| window.manual_sync = false).await?;
        }
        Command::EnableSyncOverrun(which) => {
            change(session, which, |window| window.sync_overrun = true).await?;
        }
        Command::DisableSyncOverrun(which) => {
            change(session, which, |window| window.sync_overrun = false).await?;
        }
    }
    Ok(())
}

async fn change(session: &Session, which: &Which, write: impl Fn(&mut SyncWindow)) -> Result<()> {
    apply(session, &which.project, |project| {
        let window = which.find(project)?;
        write(window);
        valid(window)?;
        Ok(Done::Changed(String::new()))
    })
    .await?;
    Ok(())
}

impl Which {
    fn find<'a>(&self, project: &'a mut AppProject) -> Result<&'a mut SyncWindow> {
        match project.spec.sync_windows.get_mut(self.id) {
            Some(window) => Ok(window),
            None => bail!("window with id '{}' not found", self.id),
        }
    }
}

impl Window {
    fn says_nothing(&self) -> bool {
        self.schedule.is_empty()
            && self.duration.is_empty()
            && self.applications.is_empty()
            && self.namespaces.is_empty()
            && self.clusters.is_empty()
            && self.description.is_empty()
    }

    /// Writes what was given over what is there.
    fn write(&self, window: &mut SyncWindow) {
        for (given, held) in [
            (&self.schedule, &mut window.schedule),
            (&self.duration, &mut window.duration),
            (&self.description, &mut window.description),
        ] {
            if !given.is_empty() {
                held.clone_from(given);
            }
        }
        for (given, held) in [
            (&self.applications, &mut window.applications),
            (&self.namespaces, &mut window.namespaces),
            (&self.clusters, &mut window.clusters),
        ] {
            if !given.is_empty() {
                held.clone_from(given);
            }
        }
        window.time_zone.clone_from(&self.time_zone);
    }
}

impl Add {
    fn window(&self) -> Result<SyncWindow> {
        let given = &self.window;
        if self.kind.is_empty() || given.schedule.is_empty() || given.duration.is_empty() {
            bail!(
                "cannot create window: require kind, schedule, duration and one or more of applications, namespaces and clusters"
            );
        }
        let concerns = [&given.applications, &given.namespaces, &given.clusters];
        if concerns.iter().all(|list| list.is_empty()) {
            bail!(
                "cannot create window: require kind, schedule, duration and one or more of applications, namespaces and clusters"
            );
        }
        let mut window = SyncWindow {
            kind: self.kind.clone(),
            manual_sync: self.manual_sync,
            sync_overrun: self.sync_overrun,
            and_operator: self.use_and_operator,
            ..SyncWindow::default()
        };
        given.write(&mut window);
        valid(&window)?;
        Ok(window)
    }
}

/// Refuses a window that could never be told open or shut.
fn valid(window: &SyncWindow) -> Result<()> {
    if !matches!(window.kind.as_str(), "allow" | "deny") {
        bail!("kind '{}' mismatch: can only be allow or deny", window.kind);
    }
    if let Err(words) = policy::is_open(window, Timestamp::now()) {
        bail!("{words}");
    }
    if window.description.chars().count() > DESCRIPTION_MAX {
        bail!("description must not exceed {DESCRIPTION_MAX} characters");
    }
    Ok(())
}

async fn list(arguments: &List, session: &Session) -> Result<()> {
    check(&arguments.output, &["json", "yaml", "wide"])?;
    let Some(project) = session.project(&arguments.project).await? else {
        bail!("appprojects.argoproj.io \"{}\" not found", arguments.project);
    };
    match arguments.output.as_str() {
        format @ ("json" | "yaml") => print_as(format, &project.spec.sync_windows),
        _ => print(&table(&project, Timestamp::now()).print(Colour::Off)),
    }
}

/// What `proj windows list` shows.
fn table(project: &AppProject, now: Timestamp) -> Table {
    let mut table = Table::headed(&[
        "ID",
        "STATUS",
        "KIND",
        "SCHEDULE",
        "DURATION",
        "APPLICATIONS",
        "NAMESPACES",
        "CLUSTERS",
        "MANUALSYNC",
        "SYNCOVERRUN",
        "TIMEZONE",
        "USEANDOPERATOR",
    ]);
    let all = |list: &[String]| if list.is_empty() { "-".to_owned() } else { list.join(",") };
    let on = |on: bool| if on { "Enabled" } else { "Disabled" }.to_owned();
    for (id, window) in project.spec.sync_windows.iter().enumerate() {
        let open = policy::is_open(window, now).unwrap_or(false);
        table.line([
            id.to_string(),
            if open { "Active" } else { "Inactive" }.to_owned(),
            window.kind.clone(),
            window.schedule.clone(),
            window.duration.clone(),
            all(&window.applications),
            all(&window.namespaces),
            all(&window.clusters),
            on(window.manual_sync),
            on(window.sync_overrun),
            window.time_zone.clone(),
            on(window.and_operator),
        ]);
    }
    table
}
