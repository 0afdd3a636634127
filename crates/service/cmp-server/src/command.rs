//! Running one command, with bounds on its time and output.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::Instant;

/// What a command may print; more ends it.
const OUTPUT_BYTES_MAX: usize = 100 << 20;
/// What is kept of its complaints.
const COMPLAINT_BYTES_MAX: usize = 64 << 10;
/// Between asking a command to end and ending it.
const GRACE: Duration = Duration::from_secs(5);

/// A command, where it runs and until when.
pub(crate) struct Run<'a> {
    pub(crate) command: &'a [String],
    pub(crate) args: &'a [String],
    pub(crate) directory: &'a Path,
    pub(crate) env: &'a [(String, String)],
    pub(crate) deadline: Instant,
}

/// Runs a command and answers what it printed, without the last newline.
///
/// The error is one line for people: the command, what happened, and its own complaint.
pub(crate) async fn run(run: Run<'_>) -> Result<String, String> {
    let Some((program, first)) = run.command.split_first() else {
        return Err("Command is empty".to_owned());
    };
    let shown: Vec<&str> = run.command.iter().chain(run.args).map(String::as_str).collect();
    let shown = shown.join(" ");
    let failed = |why: &str| format!("`{shown}` failed {why}");
    let mut child = Command::new(program)
        .args(first)
        .args(run.args)
        .current_dir(run.directory)
        .envs(run.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // What the command starts belongs to it, and ends with it.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&error.to_string()))?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let stdout = child.stdout.take().expect("it is piped");
    let stderr = child.stderr.take().expect("it is piped");
    let work = async {
        let (output, complaint, status) = tokio::join!(
            read_within(stdout, OUTPUT_BYTES_MAX),
            read_up_to(stderr, COMPLAINT_BYTES_MAX),
            child.wait()
        );
        (output, complaint, status)
    };
    let (output, complaint, status) = match tokio::time::timeout_at(run.deadline, work).await {
        Ok(done) => done,
        Err(_) => {
            end(group, &mut child).await;
            return Err(failed("timeout: it took longer than the request may"));
        }
    };
    // Whatever it left running in its group ends as well.
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let output = output.map_err(|why| failed(&why))?;
    let status = status.map_err(|error| failed(&error.to_string()))?;
    if !status.success() {
        let complaint = String::from_utf8_lossy(&complaint);
        let complaint = complaint.trim();
        let how = match (status.code(), complaint) {
            (Some(code), "") => format!("exit status {code}"),
            (Some(code), complaint) => format!("exit status {code}: {complaint}"),
            (None, complaint) => format!("{status}: {complaint}"),
        };
        return Err(failed(&how));
    }
    let text = String::from_utf8_lossy(&output);
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

/// Asks a group to end, and ends it after a while.
async fn end(group: Option<Pid>, child: &mut tokio::process::Child) {
    let Some(group) = group else { return };
    let _ = kill_process_group(group, Signal::TERM);
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        let _ = kill_process_group(group, Signal::KILL);
        let _ = child.wait().await;
    }
    let _ = kill_process_group(group, Signal::KILL);
}

async fn read_within(mut from: impl AsyncRead + Unpin, max: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut limited = (&mut from).take(max as u64 + 1);
    limited.read_to_end(&mut bytes).await.map_err(|error| error.to_string())?;
    if bytes.len() > max {
        return Err(format!("it printed more than {max} bytes"));
    }
    Ok(bytes)
}

/// Keeps the beginning, and lets the command print on.
async fn read_up_to(mut from: impl AsyncRead + Unpin, max: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = (&mut from).take(max as u64).read_to_end(&mut bytes).await;
    let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
    bytes
}
