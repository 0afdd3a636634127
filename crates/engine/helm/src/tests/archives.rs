//! Packed charts.

use std::io::Write;
use std::sync::Arc;

use crate::archive::read;

fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    let tar = builder.into_inner().unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&tar).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn an_archive_gives_its_files_without_the_first_name() {
    let bytes = packed(&[
        ("web/Chart.yaml", b"\xEF\xBB\xBFname: web\n"),
        ("web/templates/a.yaml", b"a"),
        (r"web\README.md", b"b"),
    ]);
    let files = read(&bytes).unwrap();
    let names: Vec<&str> = files.iter().map(|file| &*file.name).collect();
    assert_eq!(names, ["Chart.yaml", "templates/a.yaml", "README.md"]);
    assert_eq!(*files[0].data(), Arc::from(&b"name: web\n"[..]));
}

#[test]
fn an_archive_that_reaches_elsewhere_is_refused() {
    let refusal = |path: &str| read(&packed(&[(path, b"x")])).unwrap_err();
    assert_eq!(refusal("web//etc/passwd"), "chart illegally contains absolute paths");
    assert_eq!(refusal("web/../../x"), "chart illegally references parent directory");
    assert_eq!(
        refusal("Chart.yaml"),
        "chart illegally contains content outside the base directory: \"Chart.yaml\""
    );
    assert_eq!(refusal("web/c:/x"), "chart contains illegally named files");
    assert_eq!(read(b"no archive").unwrap_err(), "gzip: invalid header");
    assert_eq!(read(&packed(&[])).unwrap_err(), "no files in chart archive");
}

#[test]
fn a_file_that_is_too_large_is_refused_before_it_is_unpacked() {
    let large = vec![b'x'; 6 << 20];
    assert_eq!(
        read(&packed(&[("web/big", &large)])).unwrap_err(),
        "decompressed chart file \"web/big\" is larger than the maximum file size 5242880"
    );
}

#[test]
fn an_archive_that_ends_early_is_told_as_in_go() {
    let whole = packed(&[("web/Chart.yaml", b"name: web\n")]);
    assert_eq!(read(b"").unwrap_err(), "EOF");
    assert_eq!(read(&whole[..6]).unwrap_err(), "unexpected EOF");
    assert_eq!(read(&whole[..40]).unwrap_err(), "unexpected EOF");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"no tar").unwrap();
    assert_eq!(read(&encoder.finish().unwrap()).unwrap_err(), "unexpected EOF");
}
