//! What files gave before, so that those that are as they were are neither read nor parsed.

use desired::DesiredObject;
use filetree::ContentId;
use hashbrown::HashMap;

/// The objects of a directory's files, by their content: the same bytes under the same ending
/// give the same objects, wherever the file stands.
#[derive(Debug, Default)]
pub struct KnownFiles<'a> {
    files: HashMap<(ContentId, Format), &'a [DesiredObject]>,
}

/// How a file's text is read; its name's ending says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    Json,
    /// YAML, or JSON values one after another.
    Stream,
    /// It may read other files: its own content does not say what it gives.
    Jsonnet,
}

impl Format {
    pub(crate) fn of(name: &str) -> Self {
        if name.ends_with(".jsonnet") {
            Format::Jsonnet
        } else if name.ends_with(".json") {
            Format::Json
        } else {
            Format::Stream
        }
    }
}

impl<'a> KnownFiles<'a> {
    /// Knows what a directory source gave; `content_of` answers for a file's path which content
    /// it had then. A file that gave nothing is not known: it may have asked to be skipped.
    pub fn of_directory(
        objects: &'a [DesiredObject],
        content_of: impl Fn(&str) -> Option<ContentId>,
    ) -> Self {
        // A file's objects stand together: a walk meets each file once.
        let files = objects.chunk_by(|one, other| one.origin.file == other.origin.file);
        let known = files.filter_map(|objects| {
            let name = &objects.first()?.origin.file;
            let format = Format::of(name);
            let content = content_of(name).filter(|_| format != Format::Jsonnet)?;
            Some(((content, format), objects))
        });
        Self { files: known.collect() }
    }

    /// The objects of a file with this content; never those of a program.
    pub(crate) fn get(&self, content: ContentId, format: Format) -> Option<&'a [DesiredObject]> {
        self.files.get(&(content, format)).copied()
    }
}
