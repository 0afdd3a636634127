//! A chart's files from a `.tgz`.

use std::io::Read;
use std::sync::Arc;

use crate::file::File;

/// The largest file of a chart: 5 MiB.
pub(crate) const FILE_BYTES_MAX: u64 = 5 * 1024 * 1024;
/// All files of an archive together: 100 MiB.
const CHART_BYTES_MAX: u64 = 100 * 1024 * 1024;
/// Entries of an archive, directories counted.
const ENTRIES_MAX: usize = 100_000;

/// Whether the bytes begin as gzip does.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x1F\x8B\x08")
}

/// Unpacks an archive; the first name of each path (the chart's own folder) is cut off.
///
/// # Errors
///
/// Helm's words, for what is no archive, is too large or has paths that lead elsewhere.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<File>, String> {
    match bytes.len() {
        0 => return Err("EOF".to_owned()),
        // No header is shorter.
        1..10 => return Err("unexpected EOF".to_owned()),
        _ if !is_gzip(bytes) => return Err("gzip: invalid header".to_owned()),
        _ => {}
    }
    let too_large =
        || format!("decompressed chart is larger than the maximum size {CHART_BYTES_MAX}");
    let unpacked = flate2::read::MultiGzDecoder::new(bytes).take(2 * CHART_BYTES_MAX);
    let mut archive = tar::Archive::new(unpacked);
    let mut files = Vec::new();
    let mut left = CHART_BYTES_MAX;
    let entries = archive.entries().map_err(|error| said(&error))?;
    for (count, entry) in entries.enumerate() {
        let mut entry = entry.map_err(|error| said(&error))?;
        if count == ENTRIES_MAX {
            return Err(format!("the archive has more than {ENTRIES_MAX} entries"));
        }
        let kind = entry.header().entry_type();
        let raw_name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if kind.is_dir() || raw_name.ends_with('/') {
            continue;
        }
        if kind.is_pax_global_extensions() || kind.is_pax_local_extensions() {
            continue;
        }
        let name = inner_name(&raw_name)?;
        let size = entry.size();
        if size > left {
            return Err(too_large());
        }
        if size > FILE_BYTES_MAX {
            return Err(format!(
                "decompressed chart file {raw_name:?} is larger than the maximum file size {FILE_BYTES_MAX}"
            ));
        }
        let mut data = Vec::with_capacity(size as usize);
        let read = entry.read_to_end(&mut data).map_err(|error| said(&error))? as u64;
        left = left.saturating_sub(read);
        if read < size || left == 0 {
            return Err(too_large());
        }
        files.push(File::new(&name, Arc::from(data)));
    }
    if files.is_empty() {
        return Err("no files in chart archive".to_owned());
    }
    Ok(files)
}

/// A fault of the archive, in Go's words where it has one of its own.
fn said(error: &std::io::Error) -> String {
    let text = error.to_string();
    let ends_early = error.kind() == std::io::ErrorKind::UnexpectedEof
        || text.contains("failed to read entire block");
    if ends_early { "unexpected EOF".to_owned() } else { text }
}

/// A path without its first name; archives made on Windows have `\` in it.
fn inner_name(raw: &str) -> Result<String, String> {
    let delimiter = if raw.contains('\\') { '\\' } else { '/' };
    let (first, rest) = raw.split_once(delimiter).unwrap_or((raw, ""));
    let rest = rest.replace(delimiter, "/");
    if rest.starts_with('/') {
        return Err("chart illegally contains absolute paths".to_owned());
    }
    let name = clean(&rest);
    if name == "." {
        return Err(format!(
            "chart illegally contains content outside the base directory: {raw:?}"
        ));
    }
    if name.starts_with("..") {
        return Err("chart illegally references parent directory".to_owned());
    }
    let bytes = name.as_bytes();
    if bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' && bytes[2] == b'/' {
        return Err("chart contains illegally named files".to_owned());
    }
    if first == "Chart.yaml" {
        return Err("chart yaml not in base directory".to_owned());
    }
    Ok(name)
}

/// Go's `path.Clean` of a path that does not begin with `/`.
fn clean(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => match names.last() {
                Some(&"..") | None => names.push(".."),
                Some(_) => drop(names.pop()),
            },
            name => names.push(name),
        }
    }
    if names.is_empty() { ".".to_owned() } else { names.join("/") }
}
