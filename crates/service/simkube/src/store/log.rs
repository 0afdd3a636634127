//! The store on disk: an append log that a snapshot replaces from time to time.
//!
//! `log-N` holds the writes since `snapshot-N` (generation 0 has none). A write is answered
//! once the operating system has it, so killing the process loses nothing; [`LogHandle::sync`]
//! brings it to the disk as well. Compaction begins `log-N+1`, writes `snapshot-N+1` beside it
//! and then removes the older generation: at each moment a newest snapshot and all logs from
//! its generation on are there.
//!
//! A record is: length of what follows (u32, little endian), CRC-32 of it, revision (u64),
//! kind (1: object, 0: removal), length of the table's name (u16), length of the key (u16),
//! table, key, object. An unknown kind ends the reading, as a torn record does.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::TableId;

/// When the log is compacted.
#[derive(Clone, Copy, Debug)]
pub struct LogSettings {
    /// A log shorter than this is left alone.
    pub compact_bytes_min: u64,
}

impl Default for LogSettings {
    fn default() -> Self {
        LogSettings { compact_bytes_min: 16 << 20 }
    }
}

/// Why the state on disk cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The operating system refused.
    #[error("cannot use `{path}`")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },
    /// An earlier write failed, so that what is on disk is older than what was answered.
    #[error("an earlier write to `{path}` failed; no further write is taken")]
    Broken {
        /// The log.
        path: PathBuf,
    },
}

/// One write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) revision: u64,
    pub(super) table: &'a str,
    pub(super) key: &'a str,
    /// `None`: the object went.
    pub(super) object: Option<&'a [u8]>,
}

pub(super) struct Log {
    dir: PathBuf,
    generation: u64,
    file: File,
    written: u64,
    /// Bytes of the last snapshot: a log that has grown beyond it is worth compacting.
    snapshot_bytes: u64,
    settings: LogSettings,
    broken: bool,
    compaction: Option<std::thread::JoinHandle<Option<u64>>>,
    buffer: Vec<u8>,
}

/// A second handle on the log's file, for syncing outside of any lock.
pub(super) struct LogHandle {
    path: PathBuf,
    file: File,
}

impl LogHandle {
    pub(super) fn sync(&self) -> Result<(), LogError> {
        self.file.sync_data().map_err(at(&self.path))
    }
}

impl Log {
    pub(super) fn open(
        dir: &Path,
        settings: LogSettings,
        mut each: impl FnMut(Record<'_>),
    ) -> Result<Log, LogError> {
        fs::create_dir_all(dir).map_err(at(dir))?;
        let (snapshots, logs) = generations(dir)?;
        let newest = snapshots.last().copied().unwrap_or(0);
        let mut snapshot_bytes = 0;
        if newest > 0 {
            snapshot_bytes = replay(&snapshot_path(dir, newest), &mut each)?;
        }
        let mut generation = newest;
        let mut written = 0;
        for log in logs.iter().copied().filter(|log| *log >= newest) {
            let path = log_path(dir, log);
            written = replay(&path, &mut each)?;
            // What was never answered is cut off, so that the next record follows a whole one.
            let file = OpenOptions::new().write(true).open(&path).map_err(at(&path))?;
            file.set_len(written).map_err(at(&path))?;
            generation = log;
        }
        remove_older(dir, newest)?;
        let path = log_path(dir, generation);
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(at(&path))?;
        Ok(Log {
            dir: dir.to_owned(),
            generation,
            file,
            written,
            snapshot_bytes,
            settings,
            broken: false,
            compaction: None,
            buffer: Vec::new(),
        })
    }

    pub(super) fn append(&mut self, record: &Record<'_>) -> Result<(), LogError> {
        let path = log_path(&self.dir, self.generation);
        if self.broken {
            return Err(LogError::Broken { path });
        }
        self.buffer.clear();
        encode(&mut self.buffer, record);
        if let Err(cause) = self.file.write_all(&self.buffer) {
            self.broken = true;
            return Err(LogError::Io { path, cause });
        }
        self.written += self.buffer.len() as u64;
        Ok(())
    }

    pub(super) fn handle(&self) -> Result<LogHandle, LogError> {
        let path = log_path(&self.dir, self.generation);
        let file = self.file.try_clone().map_err(at(&path))?;
        Ok(LogHandle { path, file })
    }

    pub(super) fn compaction_due(&mut self) -> bool {
        if let Some(running) = self.compaction.take_if(|running| running.is_finished()) {
            self.snapshot_bytes = running.join().ok().flatten().unwrap_or(self.snapshot_bytes);
        }
        self.compaction.is_none()
            && self.written > self.settings.compact_bytes_min.max(self.snapshot_bytes)
    }

    /// Begins the next generation; the snapshot is written beside, by a thread that ends with it.
    ///
    /// Where the new log cannot be made the old one goes on.
    pub(super) fn compact(&mut self, records: Vec<(TableId, Box<str>, u64, Bytes)>, revision: u64) {
        let generation = self.generation + 1;
        let path = log_path(&self.dir, generation);
        let opened = OpenOptions::new().create_new(true).append(true).open(&path);
        let Ok(mut file) = opened else { return };
        // A removal of nothing carries the revision over, also where the newest write was a removal.
        let mut first = Vec::new();
        encode(&mut first, &Record { revision, table: "", key: "", object: None });
        if file.write_all(&first).is_err() {
            let _removed = fs::remove_file(&path);
            return;
        }
        self.generation = generation;
        self.file = file;
        self.written = first.len() as u64;
        let dir = self.dir.clone();
        self.compaction = std::thread::Builder::new()
            .name("simkube-compact".to_owned())
            .spawn(move || write_snapshot(&dir, generation, &records).ok())
            .ok();
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(running) = self.compaction.take() {
            let _ended = running.join();
        }
    }
}

fn write_snapshot(
    dir: &Path,
    generation: u64,
    records: &[(TableId, Box<str>, u64, Bytes)],
) -> Result<u64, LogError> {
    let path = snapshot_path(dir, generation);
    let whole = path.with_extension("part");
    let file = File::create(&whole).map_err(at(&whole))?;
    let mut out = io::BufWriter::with_capacity(1 << 20, file);
    let mut buffer = Vec::new();
    let mut bytes = 0;
    for (table, key, revision, raw) in records {
        buffer.clear();
        encode(&mut buffer, &Record { revision: *revision, table, key, object: Some(raw) });
        bytes += buffer.len() as u64;
        out.write_all(&buffer).map_err(at(&whole))?;
    }
    let file = out.into_inner().map_err(|error| at(&whole)(error.into_error()))?;
    file.sync_all().map_err(at(&whole))?;
    fs::rename(&whole, &path).map_err(at(&path))?;
    remove_older(dir, generation)?;
    Ok(bytes)
}

fn encode(out: &mut Vec<u8>, record: &Record<'_>) {
    let object = record.object.unwrap_or_default();
    let body = 8 + 1 + 2 + 2 + record.table.len() + record.key.len() + object.len();
    out.extend_from_slice(&u32::try_from(body).unwrap_or(u32::MAX).to_le_bytes());
    let checksum_at = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&record.revision.to_le_bytes());
    out.push(u8::from(record.object.is_some()));
    for text in [record.table, record.key] {
        out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
    }
    out.extend_from_slice(record.table.as_bytes());
    out.extend_from_slice(record.key.as_bytes());
    out.extend_from_slice(object);
    let checksum = crc32(&out[checksum_at + 4..]);
    out[checksum_at..checksum_at + 4].copy_from_slice(&checksum.to_le_bytes());
}

fn decode(body: &[u8]) -> Option<Record<'_>> {
    let revision = u64::from_le_bytes(body.get(..8)?.try_into().ok()?);
    let kind = *body.get(8)?;
    let table_len = usize::from(u16::from_le_bytes(body.get(9..11)?.try_into().ok()?));
    let key_len = usize::from(u16::from_le_bytes(body.get(11..13)?.try_into().ok()?));
    let table = std::str::from_utf8(body.get(13..13 + table_len)?).ok()?;
    let rest = body.get(13 + table_len..)?;
    let key = std::str::from_utf8(rest.get(..key_len)?).ok()?;
    let object = match kind {
        0 => None,
        1 => Some(rest.get(key_len..)?),
        _ => return None,
    };
    Some(Record { revision, table, key, object })
}

/// Reads a file's whole records, and returns how many bytes they take.
fn replay(path: &Path, each: &mut impl FnMut(Record<'_>)) -> Result<u64, LogError> {
    let mut content = Vec::new();
    File::open(path).and_then(|mut file| file.read_to_end(&mut content)).map_err(at(path))?;
    let mut done = 0;
    while let Some((record, next)) = record_at(&content, done) {
        each(record);
        done = next;
    }
    Ok(done as u64)
}

fn record_at(content: &[u8], at: usize) -> Option<(Record<'_>, usize)> {
    let length = u32::from_le_bytes(content.get(at..at + 4)?.try_into().ok()?) as usize;
    let checksum = u32::from_le_bytes(content.get(at + 4..at + 8)?.try_into().ok()?);
    let next = (at + 8).checked_add(length)?;
    let body = content.get(at + 8..next)?;
    if crc32(body) != checksum {
        return None;
    }
    Some((decode(body)?, next))
}

fn generations(dir: &Path) -> Result<(Vec<u64>, Vec<u64>), LogError> {
    let (mut snapshots, mut logs) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(dir).map_err(at(dir))? {
        let name = entry.map_err(at(dir))?.file_name();
        let name = name.to_string_lossy();
        if let Some(number) = name.strip_prefix("snapshot-").and_then(|n| n.parse().ok()) {
            snapshots.push(number);
        } else if let Some(number) = name.strip_prefix("log-").and_then(|n| n.parse().ok()) {
            logs.push(number);
        }
    }
    snapshots.sort_unstable();
    logs.sort_unstable();
    Ok((snapshots, logs))
}

fn remove_older(dir: &Path, generation: u64) -> Result<(), LogError> {
    let (snapshots, logs) = generations(dir)?;
    let old_snapshots = snapshots.into_iter().filter(|n| *n < generation);
    let old_logs = logs.into_iter().filter(|n| *n < generation);
    let paths =
        old_snapshots.map(|n| snapshot_path(dir, n)).chain(old_logs.map(|n| log_path(dir, n)));
    for path in paths {
        fs::remove_file(&path).map_err(at(&path))?;
    }
    Ok(())
}

fn snapshot_path(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("snapshot-{generation}"))
}

fn log_path(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("log-{generation}"))
}

fn at(path: &Path) -> impl Fn(io::Error) -> LogError + '_ {
    move |cause| LogError::Io { path: path.to_owned(), cause }
}

/// CRC-32 (IEEE 802.3) of `bytes`.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        let index = (crc ^ u32::from(*byte)) & 0xff;
        crc = CRC_TABLE[index as usize] ^ (crc >> 8);
    }
    !crc
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};
