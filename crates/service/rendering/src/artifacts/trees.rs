//! Unpacked artifacts, bounded by bytes.

use std::sync::Arc;

use filetree::FileTree;

use crate::pin::Artifact;

/// Files of artifacts that are kept, in bytes; the longest unused go first, and are fetched
/// anew where they are wanted.
const BYTES_MAX: usize = 128 << 20;

struct Kept {
    artifact: Arc<Artifact>,
    tree: Arc<dyn FileTree>,
    bytes: usize,
}

/// The newest in use last.
#[derive(Default)]
pub(crate) struct Trees {
    kept: Vec<Kept>,
    bytes: usize,
}

impl Trees {
    /// Returns what is kept of an artifact, unless it is larger than `bytes_max`.
    pub(crate) fn get(
        &mut self,
        artifact: &Arc<Artifact>,
        bytes_max: Option<u64>,
    ) -> Option<Arc<dyn FileTree>> {
        let at = self.kept.iter().position(|kept| kept.artifact == *artifact)?;
        if bytes_max.is_some_and(|max| self.kept[at].bytes as u64 > max) {
            return None;
        }
        let kept = self.kept.remove(at);
        let tree = kept.tree.clone();
        self.kept.push(kept);
        Some(tree)
    }

    pub(crate) fn put(&mut self, artifact: Arc<Artifact>, tree: Arc<dyn FileTree>, bytes: usize) {
        if let Some(at) = self.kept.iter().position(|kept| kept.artifact == artifact) {
            self.bytes -= self.kept.remove(at).bytes;
        }
        self.bytes += bytes;
        self.kept.push(Kept { artifact, tree, bytes });
        while self.bytes > BYTES_MAX && self.kept.len() > 1 {
            self.bytes -= self.kept.remove(0).bytes;
        }
    }
}
