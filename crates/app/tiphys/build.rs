//! Links the program so that it starts fast.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What rustc names when it links a program, and what stands for it.
const LIBRARIES: [(&str, &str); 7] = [
    ("libgcc_s.so", "libgcc_eh.a"),
    ("libc.so", "libc.a"),
    ("libm.so", "libm.a"),
    ("libutil.so", "libutil.a"),
    ("librt.so", "librt.a"),
    ("libpthread.so", "libpthread.a"),
    ("libdl.so", "libdl.a"),
];
/// `libdl.a` is no longer than this where the C library is one file and brings its own name
/// services (glibc 2.34 and later); a program of an older one would have to load them.
const EMPTY_ARCHIVE_BYTES_MAX: u64 = 100;
/// What makes a program one file that needs no others. `-static` alone would tell the compiler, too,
/// whose start of such programs has the first panic sort all tables of the unwinder.
const ALL_IN_ONE: [&str; 3] = ["-no-pie", "-Wl,-static", "-Wl,--no-dynamic-linker"];
/// Where the linker can, what renders stands together.
const ORDER: &str = "render.ld";
/// Set by who builds for other machines: the program then uses their own C library.
const SHARED: &str = "TIPHYS_SHARED";
/// A program that is linked as ours will be, and finds a host.
const PROBE: &str = "fn main() {
    let found = std::net::ToSocketAddrs::to_socket_addrs(&(\"localhost\", 80));
    std::process::exit(found.map_or(1, |_| 0));
}
";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={ORDER}");
    println!("cargo::rerun-if-env-changed={SHARED}");
    let is = |name: &str, wanted: &str| env::var(name).is_ok_and(|value| value == wanted);
    if !is("CARGO_CFG_TARGET_OS", "linux") || !is("CARGO_CFG_TARGET_ENV", "gnu") {
        return;
    }
    // A program that lies where it was linked needs none of its 80,000 addresses put right at
    // each start: that alone takes longer than rendering a small chart.
    println!("cargo::rustc-link-arg-bins=-no-pie");
    if env::var("HOST").ok() != env::var("TARGET").ok() {
        return;
    }
    let Some(out) = env::var_os("OUT_DIR").map(PathBuf::from) else { return };
    if is("PROFILE", "release")
        && env::var_os(SHARED).is_none()
        && let Some((archives, arguments)) = all_in_one(&out)
    {
        println!("cargo::rustc-link-search=native={}", archives.display());
        arguments.iter().for_each(|argument| println!("cargo::rustc-link-arg={argument}"));
        return;
    }
    unwind_alone(&out);
}

/// Where the archives are that the program is made of, and the linker's arguments; `None` where it
/// cannot be one file. The dynamic linker maps two libraries, looks up 200 names in them and
/// copies the pages where it writes what it found: half a millisecond.
fn all_in_one(out: &Path) -> Option<(PathBuf, Vec<String>)> {
    let archives = out.join("archives");
    let mut arguments = ALL_IN_ONE.map(str::to_owned).to_vec();
    if !stand_in(&archives, &LIBRARIES) || !is_whole() || !links(out, &archives, &arguments) {
        return None;
    }
    let order = env::current_dir().ok()?.join(ORDER);
    arguments.push(format!("-Wl,-T,{}", order.display()));
    if !links(out, &archives, &arguments) {
        arguments.pop();
    }
    Some((archives, arguments))
}

/// Puts the compiler's unwinder in the place of the shared library, which has to be found and
/// mapped at each start, and asks the processor what it is: together a tenth of a millisecond.
fn unwind_alone(out: &Path) {
    let place = out.join("unwinder");
    if stand_in(&place, &LIBRARIES[..1]) {
        println!("cargo::rustc-link-search=native={}", place.display());
    }
}

/// Writes linker scripts that name archives in the place of libraries; whether all are there.
fn stand_in(place: &Path, libraries: &[(&str, &str)]) -> bool {
    fs::create_dir_all(place).is_ok()
        && libraries.iter().all(|(library, archive)| {
            archive_of(archive).is_some_and(|archive| {
                let script = format!("INPUT({})\n", archive.display());
                fs::write(place.join(library), script).is_ok()
            })
        })
}

/// Whether the C library is whole in its archive.
fn is_whole() -> bool {
    let archive = archive_of("libdl.a").and_then(|path| fs::metadata(path).ok());
    archive.is_some_and(|archive| archive.len() <= EMPTY_ARCHIVE_BYTES_MAX)
}

/// Where the C compiler has an archive.
fn archive_of(name: &str) -> Option<PathBuf> {
    let compiler = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let answer = Command::new(compiler).arg(format!("-print-file-name={name}")).output().ok()?;
    let path = String::from_utf8(answer.stdout).ok()?;
    let path = Path::new(path.trim());
    (path.is_absolute() && path.is_file()).then(|| path.to_owned())
}

/// Whether a small program can be linked with the archives, and finds a host.
fn links(out: &Path, archives: &Path, arguments: &[String]) -> bool {
    let (source, program) = (out.join("probe.rs"), out.join("probe"));
    let Some(rustc) = env::var_os("RUSTC").filter(|_| fs::write(&source, PROBE).is_ok()) else {
        return false;
    };
    let mut command = Command::new(rustc);
    command.arg(&source).arg("-o").arg(&program).arg("-L").arg(archives);
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    command.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        command.arg(format!("-Clinker={linker}"));
    }
    command.args(arguments.iter().map(|argument| format!("-Clink-arg={argument}")));
    command.output().is_ok_and(|done| done.status.success())
        && Command::new(&program).status().is_ok_and(|status| status.success())
}
