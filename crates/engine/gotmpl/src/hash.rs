//! A quick hash for names of templates.

use std::hash::{BuildHasherDefault, Hasher};

/// For maps by name.
pub(crate) type NameHash = BuildHasherDefault<NameHasher>;

/// Multiplies and turns eight bytes at a time. Whoever can choose names to collide can as well
/// write a template that loops: both cost their own rendering its fuel.
#[derive(Default)]
pub(crate) struct NameHasher(u64);

const FACTOR: u64 = 0x517C_C1B7_2722_0A95;

impl NameHasher {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.add(u64::from_le_bytes(last));
    }

    fn write_usize(&mut self, number: usize) {
        self.add(number as u64);
    }

    fn finish(&self) -> u64 {
        // Tables look at the lowest and the highest bits.
        self.0 ^ (self.0 >> 32)
    }
}
