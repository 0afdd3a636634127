//! Archives of charts and layers of images, unpacked into memory.

use std::collections::BTreeMap;
use std::io::Read;

use filetree::{MapTree, TreePath};

/// What a tar archive takes besides its files' bytes, at most.
const HEADERS_BYTES_MAX: u64 = 64 << 20;
/// Entries of one archive.
const ENTRIES_MAX: usize = 100_000;
/// Links that lead to links.
const LINKS_MAX: usize = 40;

/// Unpacks a tar archive, gzipped or not; `strip` takes the first name off each path, which is
/// a chart's own folder. Answers with the bytes of all files too. Files of more than `bytes_max`
/// together are refused before they are unpacked; `None` is no limit.
pub(crate) fn unpack(
    bytes: &[u8],
    strip: bool,
    bytes_max: Option<u64>,
) -> Result<(MapTree, usize), String> {
    if bytes.starts_with(&[0x1F, 0x8B]) {
        return read(flate2::read::MultiGzDecoder::new(bytes), strip, bytes_max);
    }
    read(bytes, strip, bytes_max)
}

fn read(bytes: impl Read, strip: bool, bytes_max: Option<u64>) -> Result<(MapTree, usize), String> {
    let bytes_max = bytes_max.unwrap_or(u64::MAX);
    let mut archive = tar::Archive::new(bytes.take(bytes_max.saturating_add(HEADERS_BYTES_MAX)));
    let mut files: BTreeMap<TreePath, Vec<u8>> = BTreeMap::new();
    let mut links: BTreeMap<TreePath, TreePath> = BTreeMap::new();
    let mut left = bytes_max;
    let entries = archive.entries().map_err(|error| error.to_string())?;
    for (count, entry) in entries.enumerate() {
        if count == ENTRIES_MAX {
            return Err(format!("it has more than {ENTRIES_MAX} entries"));
        }
        let mut entry = entry.map_err(|error| error.to_string())?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some(path) = inner_path(&name, strip)? else { continue };
        let kind = entry.header().entry_type();
        if kind.is_file() {
            let size = entry.size();
            left = left
                .checked_sub(size)
                .ok_or_else(|| format!("its files have more than {bytes_max} bytes"))?;
            let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
            entry.read_to_end(&mut content).map_err(|error| error.to_string())?;
            files.insert(path, content);
        } else if kind.is_symlink() {
            let target = entry.link_name_bytes().unwrap_or_default();
            let target = String::from_utf8_lossy(&target).into_owned();
            let from = path.parent().unwrap_or_else(TreePath::root);
            let inside = (!target.starts_with('/')).then(|| from.join(&target).ok()).flatten();
            let target = inside.ok_or_else(|| format!("illegal filepath in symlink: `{name}`"))?;
            links.insert(path, target);
        }
    }
    if files.is_empty() {
        return Err("there is no file in it".to_owned());
    }
    let size_bytes = files.values().map(Vec::len).sum();
    let mut tree = MapTree::new();
    for path in links.keys() {
        if let Some(content) = behind(path, &links, &files) {
            tree.insert(path.clone(), content);
        }
    }
    for (path, content) in files {
        tree.insert(path, &content);
    }
    Ok((tree, size_bytes))
}

/// The file that a link leads to; links to directories and to nothing lead nowhere.
fn behind<'a>(
    path: &TreePath,
    links: &BTreeMap<TreePath, TreePath>,
    files: &'a BTreeMap<TreePath, Vec<u8>>,
) -> Option<&'a [u8]> {
    let mut at = path;
    for _ in 0..LINKS_MAX {
        match links.get(at) {
            Some(next) => at = next,
            None => return files.get(at).map(Vec::as_slice),
        }
    }
    None
}

/// Where an entry belongs; `None` for the root itself.
fn inner_path(name: &str, strip: bool) -> Result<Option<TreePath>, String> {
    let outside = || format!("it holds `{name}`, which leads out of it");
    if name.starts_with('/') {
        return Err(outside());
    }
    let inner = match strip {
        true => name.trim_start_matches("./").split_once('/').map_or("", |(_, rest)| rest),
        false => name,
    };
    let path = TreePath::parse(inner).map_err(|_| outside())?;
    Ok((!path.is_root()).then_some(path))
}
