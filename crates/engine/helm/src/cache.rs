//! What renderings have in common.

use std::sync::Arc;

use filetree::{ContentId, TreeError};

use crate::document::Parsed as ParsedDocument;
use crate::file::File;
use crate::frozen::Frozen;
use crate::memo::Memory;
use crate::metadata::Metadata;
use crate::profile::Profile;
use crate::schema::Schema;
use crate::store::{Content, Store};
use crate::values::{self, ValuesError};

/// How a file begins whose content Git LFS keeps elsewhere.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1";

/// What was made of contents before: parsed templates, values, schemas, documents and archives;
/// and files, which trees would read again.
///
/// It belongs to whoever renders, may be used by several threads, and is bounded. A rendering
/// gives the same with an empty one; it only takes longer.
pub struct Cache {
    files: Store<Arc<[u8]>>,
    metadata: Store<Arc<Metadata>>,
    values: Store<Arc<Frozen>>,
    schemas: Store<Arc<Schema>>,
    templates: Store<Arc<gotmpl::Parsed>>,
    archives: Store<Arc<Vec<File>>>,
    documents: Store<Arc<ParsedDocument>>,
    pub(crate) memory: Memory,
    /// Whether there is one rendering and no more.
    is_for_one: bool,
}

impl Cache {
    /// An empty cache that holds about `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Self {
        let share = |percent: usize| bytes_max / 100 * percent;
        Self {
            files: Store::new(share(20)),
            metadata: Store::new(share(2)),
            values: Store::new(share(12)),
            schemas: Store::new(share(16)),
            templates: Store::new(share(25)),
            archives: Store::new(share(5)),
            documents: Store::new(share(20)),
            memory: Memory::new(0),
            is_for_one: false,
        }
    }

    /// Also keeps what templates gave, about so many bytes of it, with what they had read: a
    /// template that would read the same again is not executed.
    #[must_use]
    pub fn remembering(self, bytes_max: usize) -> Self {
        Self { memory: Memory::new(bytes_max), ..self }
    }

    /// For a process's one rendering: keeps what a chart itself has twice, no files and no
    /// documents, and gives back no memory at the end.
    pub fn for_one() -> Self {
        let usual = Self::default();
        Self {
            files: Store::new(0),
            metadata: usual.metadata.for_few(),
            values: usual.values.for_few(),
            templates: usual.templates.for_few(),
            documents: Store::new(0),
            is_for_one: true,
            ..usual
        }
    }

    pub(crate) fn is_for_one(&self) -> bool {
        self.is_for_one
    }

    /// Drops what a rendering needs no more, or leaves it where it is: after the only rendering
    /// the process ends, and taking values apart one by one would be for nothing.
    pub(crate) fn let_go<T>(&self, value: T) {
        if self.is_for_one {
            std::mem::forget(value);
        }
    }

    pub(crate) fn keeps_files(&self) -> bool {
        self.files.keeps()
    }

    pub(crate) fn file(
        &self,
        id: ContentId,
        read: impl FnOnce() -> Result<Arc<[u8]>, TreeError>,
    ) -> Result<Arc<[u8]>, TreeError> {
        self.files.get_or(&id.0[..], 0, || {
            let bytes = read()?;
            // Whether a pointer is an answer depends on the tree: each must say so itself.
            let weight = if bytes.starts_with(LFS_POINTER) { usize::MAX / 2 } else { bytes.len() };
            Ok((bytes, weight))
        })
    }

    pub(crate) fn metadata(&self, text: &Arc<[u8]>) -> Result<Arc<Metadata>, String> {
        self.metadata.get_or(text, 0, || {
            Metadata::read(text).map(|metadata| (Arc::new(metadata), text.len() * 2))
        })
    }

    pub(crate) fn values(
        &self,
        text: &Arc<[u8]>,
        profile: Profile,
    ) -> Result<Arc<Frozen>, ValuesError> {
        self.values.get_or(text, profile as u8, || {
            let values = values::read(text, profile)?;
            let bytes = values.weight_bytes();
            Ok((Arc::new(values), bytes))
        })
    }

    pub(crate) fn schema(&self, text: &Arc<[u8]>) -> Arc<Schema> {
        // A compiled schema takes a multiple of its text.
        let made: Result<_, std::convert::Infallible> =
            self.schemas.get_or(text, 0, || Ok((Arc::new(Schema::new(text)), text.len() * 12)));
        match made {
            Ok(schema) => schema,
            Err(never) => match never {},
        }
    }

    pub(crate) fn template(
        &self,
        text: &Arc<[u8]>,
        profile: Profile,
        parse: impl FnOnce() -> Result<Arc<gotmpl::Parsed>, gotmpl::ParseError>,
    ) -> Result<Arc<gotmpl::Parsed>, gotmpl::ParseError> {
        self.templates
            .get_or(text, profile as u8, || parse().map(|parsed| (parsed, text.len() * 6)))
    }

    pub(crate) fn archive(
        &self,
        bytes: &Arc<[u8]>,
        unpack: impl FnOnce(&[u8]) -> Result<Vec<File>, String>,
    ) -> Result<Arc<Vec<File>>, String> {
        self.archives.get_or(bytes, 0, || {
            unpack(bytes).map(|files| {
                let size = files.iter().map(|file| file.data().len() + file.name.len() + 64).sum();
                (Arc::new(files), size)
            })
        })
    }

    pub(crate) fn document(
        &self,
        text: &(impl Content + ?Sized),
        variant: u8,
        parse: impl FnOnce() -> ParsedDocument,
    ) -> Arc<ParsedDocument> {
        let made: Result<_, std::convert::Infallible> =
            self.documents
                .get_or(text, variant, || Ok((Arc::new(parse()), text.bytes().len() * 8)));
        match made {
            Ok(parsed) => parsed,
            Err(never) => match never {},
        }
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::new(128 << 20)
    }
}
