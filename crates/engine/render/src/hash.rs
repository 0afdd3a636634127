//! Content hashes.

use serde_json::Value;
use sha1::{Digest, Sha1};

/// A hash of an object's content: the same on every machine and in every version.
///
/// The first eight bytes of the SHA-1 of its JSON text, whose keys are sorted.
pub fn object_hash(object: &Value) -> u64 {
    let text = serde_json::to_vec(object).expect("a JSON value prints to memory");
    first_bytes(Sha1::digest(text).into())
}

/// A hash of a whole rendering: its objects' hashes, in their order.
pub fn rendering_key(hashes: impl IntoIterator<Item = u64>) -> u64 {
    let mut sha = Sha1::new();
    for hash in hashes {
        sha.update(hash.to_be_bytes());
    }
    first_bytes(sha.finalize().into())
}

fn first_bytes(digest: [u8; 20]) -> u64 {
    digest[..8].iter().fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}
