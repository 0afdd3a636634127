//! What the operating system knows about this process.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::metrics::Registry;

/// `USER_HZ`: Linux reports CPU time to programs in hundredths of a second.
const TICKS_PER_S: f64 = 100.0;

/// Adds the `process_*` series; they are read when they are printed.
///
/// Where there is no `/proc`, only the start time is there.
pub fn register_process(registry: &Registry) {
    let start = registry.gauge(
        "process_start_time_seconds",
        "When the process started, in seconds since 1970.",
        &[],
    );
    start.set(&[], started());
    let cpu = registry.counter(
        "process_cpu_seconds_total",
        "CPU time of the process, user and system, in seconds.",
        &[],
    );
    let resident = registry.gauge(
        "process_resident_memory_bytes",
        "Memory of the process that is resident, in bytes.",
        &[],
    );
    let virtual_memory = registry.gauge(
        "process_virtual_memory_bytes",
        "Address space of the process, in bytes.",
        &[],
    );
    let open = registry.gauge("process_open_fds", "File descriptors that are open.", &[]);
    let open_max = registry.gauge("process_max_fds", "File descriptors that may be open.", &[]);
    let threads = registry.gauge("process_threads", "Threads of the process.", &[]);
    registry.before_print(move || {
        if let Some(stat) = Stat::read() {
            cpu.set(&[], stat.cpu_s);
            resident.set(&[], stat.resident_bytes);
            virtual_memory.set(&[], stat.virtual_bytes);
            threads.set(&[], stat.threads);
        }
        if let Ok(entries) = std::fs::read_dir("/proc/self/fd") {
            open.set(&[], entries.count() as f64);
        }
        if let Some(limit) = open_files_max() {
            open_max.set(&[], limit);
        }
    });
}

/// Seconds since 1970 at the first call, which is at the start.
fn started() -> f64 {
    static STARTED: OnceLock<f64> = OnceLock::new();
    *STARTED.get_or_init(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
    })
}

struct Stat {
    cpu_s: f64,
    threads: f64,
    virtual_bytes: f64,
    resident_bytes: f64,
}

impl Stat {
    /// Reads `/proc/self/stat` (fields after the name, which stands in parentheses and may hold
    /// anything) and the resident size from `/proc/self/status`, which counts in kB.
    fn read() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let fields: Vec<&str> = stat[stat.rfind(')')? + 1..].split_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<f64>().ok();
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let resident_kb: f64 = resident.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(Self {
            cpu_s: (number(11)? + number(12)?) / TICKS_PER_S,
            threads: number(17)?,
            virtual_bytes: number(20)?,
            resident_bytes: resident_kb * 1024.0,
        })
    }
}

fn open_files_max() -> Option<f64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
