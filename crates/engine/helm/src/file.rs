//! The files of a chart, by their paths inside it.

use std::sync::{Arc, OnceLock};

use filetree::Later;

/// One file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// From the chart's folder.
    pub(crate) name: Arc<str>,
    data: Data,
}

#[derive(Clone)]
enum Data {
    Read(Arc<[u8]>),
    Open(Arc<Open>),
}

/// An open file that was not read yet, or was.
struct Open {
    read: Later,
    bytes: OnceLock<Arc<[u8]>>,
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

impl File {
    /// A file as it was stored.
    pub(crate) fn new(name: &str, data: Arc<[u8]>) -> Self {
        Self { name: name.into(), data: Data::Read(without_mark(data)) }
    }

    /// A file that is read when its bytes are asked for.
    pub(crate) fn open(name: &str, read: Later) -> Self {
        let open = Open { read, bytes: OnceLock::new() };
        Self { name: name.into(), data: Data::Open(Arc::new(open)) }
    }

    /// Its bytes, without a byte order mark. A file that its disk no longer gives is empty.
    pub(crate) fn data(&self) -> &Arc<[u8]> {
        match &self.data {
            Data::Read(bytes) => bytes,
            Data::Open(open) => {
                open.bytes.get_or_init(|| without_mark((open.read)().unwrap_or_default()))
            }
        }
    }

    /// The same file under another name.
    pub(crate) fn renamed(&self, name: &str) -> Self {
        Self { name: name.into(), data: self.data.clone() }
    }
}

fn without_mark(data: Arc<[u8]>) -> Arc<[u8]> {
    match data.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => rest.into(),
        None => data,
    }
}

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Data::Read(bytes) => write!(f, "{} bytes", bytes.len()),
            Data::Open(_) => f.write_str("open"),
        }
    }
}

/// The last name of a path.
pub(crate) fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The last name's ending with its dot, as Go's `filepath.Ext`; `""` without a dot.
pub(crate) fn ending(path: &str) -> &str {
    let name = base(path);
    name.rfind('.').map_or("", |dot| &name[dot..])
}
