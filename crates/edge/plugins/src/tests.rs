use filetree::{MapTree, TreePath};

use crate::archive::{ArchiveError, pack, unpack};
use crate::{PluginError, Plugins};

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

#[test]
fn files_come_back_as_they_were_packed_without_those_nobody_wants() {
    let tree = MapTree::new()
        .with(&path("app/a.yaml"), "a: 1\n")
        .with(&path("app/sub/b.yaml"), "b: 2\n")
        .with(&path("other/large.bin"), "x".repeat(1000));
    let archive =
        pack(&tree, &TreePath::root(), &|path| path == "other", 1 << 20).expect("it packs");
    let dir = tempfile::tempdir().unwrap();
    unpack(&mut archive.as_slice(), dir.path(), false, 1 << 20).unwrap();
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(read("app/a.yaml"), "a: 1\n");
    assert_eq!(read("app/sub/b.yaml"), "b: 2\n");
    assert!(!dir.path().join("other").exists());
    assert!(matches!(
        pack(&tree, &TreePath::root(), &|_| false, 100),
        Err(ArchiveError::TooLarge { .. })
    ));
    let again = tempfile::tempdir().unwrap();
    assert!(matches!(
        unpack(&mut archive.as_slice(), again.path(), false, 6),
        Err(ArchiveError::TooLarge { .. })
    ));
}

#[test]
fn an_archive_that_leads_out_of_the_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (name, link) in
        [("../x", None), ("a/../../x", None), ("a/l", Some("../../x")), ("l", Some("/etc"))]
    {
        let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut builder = tar::Builder::new(gzip);
        let mut header = tar::Header::new_gnu();
        // The library refuses such names itself; a foreign archive does not ask it.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(0);
        header.set_mode(0o644);
        if let Some(link) = link {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_link_name(link).unwrap();
        }
        header.set_cksum();
        builder.append(&header, &b""[..]).unwrap();
        let archive = builder.into_inner().unwrap().finish().unwrap();
        let outcome = unpack(&mut archive.as_slice(), dir.path(), false, 100);
        assert!(matches!(outcome, Err(ArchiveError::Escape { .. })), "{name}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_plugin_that_is_not_there_is_named_with_its_socket() {
    let dir = tempfile::tempdir().unwrap();
    let plugins = Plugins::new(dir.path(), std::time::Duration::from_secs(1));
    assert!(plugins.names().is_empty());
    for name in ["none", "", "../x", "a/b"] {
        let error = plugins.check(name).await.unwrap_err();
        assert!(matches!(error, PluginError::Missing { .. }), "{error}");
    }
    std::fs::write(dir.path().join("dead.sock"), "").unwrap();
    assert_eq!(plugins.names(), ["dead"]);
    let error = plugins.check("dead").await.unwrap_err();
    assert!(matches!(error, PluginError::Unreachable { .. }), "{error}");
}
