//! What commands print, and in which form.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;

use anyhow::{Result, bail};
use crd::Time;
use serde::Serialize;
use serde_json::Value;

use super::yaml;

/// Prints a text. A reader that went away is no error.
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints a text that comes in pieces. A reader that went away is no error.
pub fn print_pieces(
    pieces: impl FnOnce(&mut dyn FnMut(&str) -> io::Result<()>) -> Result<()>,
) -> Result<()> {
    const BUFFER_BYTES: usize = 1 << 13;
    // Standard output of its own looks for line breaks in all that it is given.
    let descriptor = io::stdout().as_fd().try_clone_to_owned()?;
    let mut out = io::BufWriter::with_capacity(BUFFER_BYTES, File::from(descriptor));
    let printed = pieces(&mut |text| out.write_all(text.as_bytes()));
    match printed.and_then(|()| Ok(out.flush()?)) {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        printed => printed,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// Tells something beside the output.
pub fn note(text: &str) {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints an object, or a list of them, as `json` or `yaml`.
pub fn print_as(format: &str, value: &impl Serialize) -> Result<()> {
    let value = match serde_json::to_value(value)? {
        Value::Array(objects) => objects.into_iter().map(presentable).collect(),
        value => presentable(value),
    };
    print(&formatted(format, &value)?)
}

/// A value as text in `json` or `yaml`.
pub fn formatted(format: &str, value: &Value) -> Result<String> {
    match format {
        "json" => Ok(format!("{}\n", serde_json::to_string_pretty(value)?)),
        "yaml" => Ok(yaml::text(value)),
        format => Err(unknown(format)),
    }
}

/// Nobody knows this form.
pub fn unknown(format: &str) -> anyhow::Error {
    anyhow::anyhow!("unknown output format: {format}")
}

/// Refuses a form early that the command does not have.
pub fn check(format: &str, known: &[&str]) -> Result<()> {
    if !format.is_empty() && !known.contains(&format) {
        bail!(unknown(format));
    }
    Ok(())
}

/// A line of a summary: the name in 20 columns, then the value.
pub fn row(name: &str, value: &str) -> String {
    format!("{name:<20}{value}\n")
}

/// A moment as Go prints it: `2026-11-21 16:56:48 +0000 UTC`.
pub fn moment(time: &Time) -> String {
    match time.timestamp() {
        Some(moment) => moment.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string(),
        None => time.as_str().to_owned(),
    }
}

/// What people see of an object: without the bookkeeping of field managers, and of a Secret
/// without its values.
pub fn presentable(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    if manifest::kind(&object) == "Secret" && manifest::api_version(&object) == "v1" {
        hide_values(&mut object);
    }
    object
}

/// What stands for a value that is not shown.
const HIDDEN: &str = "++++++++";

/// Puts stars in the place of a Secret's values, also where a client-side apply remembers them.
fn hide_values(secret: &mut Value) {
    for field in ["data", "stringData"] {
        if let Some(data) = secret.get_mut(field).and_then(Value::as_object_mut) {
            data.values_mut().for_each(|value| *value = HIDDEN.into());
        }
    }
    let annotations = secret.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
    if let Some(applied) =
        annotations.and_then(|all| all.get_mut("kubectl.kubernetes.io/last-applied-configuration"))
    {
        *applied = HIDDEN.into();
    }
}
