//! Links the program so that it starts fast.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, wanted: &str| env::var(name).is_ok_and(|value| value == wanted);
    if !is("CARGO_CFG_TARGET_OS", "linux") || !is("CARGO_CFG_TARGET_ENV", "gnu") {
        return;
    }
    // A program that lies where it was linked needs none of its 80,000 addresses put right at
    // each start: that alone takes longer than rendering a small chart.
    println!("cargo::rustc-link-arg-bins=-no-pie");
    if env::var("HOST").ok() == env::var("TARGET").ok()
        && let Some(unwinder) = static_unwinder()
    {
        unwind_with(&unwinder);
    }
}

/// The compiler's own unwinder as an archive, where it has one.
fn static_unwinder() -> Option<PathBuf> {
    let compiler = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let answer = Command::new(compiler).arg("-print-file-name=libgcc_eh.a").output().ok()?;
    let path = String::from_utf8(answer.stdout).ok()?;
    let path = Path::new(path.trim());
    (path.is_absolute() && path.is_file()).then(|| path.to_owned())
}

/// Puts the archive in the place of the shared library, which has to be found and mapped at each
/// start, and asks the processor what it is: together a tenth of a millisecond.
fn unwind_with(archive: &Path) {
    let Some(out) = env::var_os("OUT_DIR").map(PathBuf::from) else { return };
    let library = format!("INPUT({})\n", archive.display());
    if fs::write(out.join("libgcc_s.so"), library).is_ok() {
        println!("cargo::rustc-link-search=native={}", out.display());
    }
}
