//! Short names for the content of a template.

use serde_json::Value;

/// The letters of a hash in a name: no vowels, so that no word comes out.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Returns a short name for the content of `value`: equal values have equal names.
pub fn name_of(value: &Value) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in value.to_string().bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut name = String::with_capacity(10);
    for _ in 0..10 {
        let letter = usize::try_from(hash % LETTERS.len() as u64).expect("fewer than 27 letters");
        name.push(char::from(LETTERS[letter]));
        hash /= LETTERS.len() as u64;
    }
    name
}
