//! The files of a chart, by their paths inside it.

use std::sync::Arc;

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// From the chart's folder.
    pub(crate) name: Arc<str>,
    /// Without a byte order mark.
    pub(crate) data: Arc<[u8]>,
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

impl File {
    /// A file as it was stored.
    pub(crate) fn new(name: &str, data: Arc<[u8]>) -> Self {
        let data = match data.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => rest.into(),
            None => data,
        };
        Self { name: name.into(), data }
    }

    /// The same file under another name.
    pub(crate) fn renamed(&self, name: &str) -> Self {
        Self { name: name.into(), data: self.data.clone() }
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
