//! bcrypt, at the cost that Go takes by default.

use blowfish::Blowfish;

use crate::random::Stream;

const COST: u32 = 10;
const PASSWORD_BYTES_MAX: usize = 72;
const ALPHABET: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// What is encrypted, 64 times over.
const MAGIC: &[u8; 24] = b"OrpheanBeholderScryDoubt";

/// Hashes a password with a random salt.
///
/// # Errors
///
/// For a password of more than 72 bytes.
pub(super) fn hash(password: &[u8], stream: &mut Stream) -> Result<String, String> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err("bcrypt: password length exceeds 72 bytes".to_owned());
    }
    let mut salt = [0; 16];
    stream.fill(&mut salt);
    Ok(with_salt(password, &salt))
}

pub(super) fn with_salt(password: &[u8], salt: &[u8; 16]) -> String {
    let key = [password, b"\0"].concat();
    let mut cipher: Blowfish = Blowfish::bc_init_state();
    cipher.salted_expand_key(salt, &key);
    for _ in 0..1u32 << COST {
        cipher.bc_expand_key(&key);
        cipher.bc_expand_key(salt);
    }
    let mut out = [0; 24];
    for (block, magic) in out.chunks_mut(8).zip(MAGIC.chunks(8)) {
        let word = |at: usize| {
            u32::from_be_bytes([magic[at], magic[at + 1], magic[at + 2], magic[at + 3]])
        };
        let mut words = [word(0), word(4)];
        for _ in 0..64 {
            words = cipher.bc_encrypt(words);
        }
        block[..4].copy_from_slice(&words[0].to_be_bytes());
        block[4..].copy_from_slice(&words[1].to_be_bytes());
    }
    format!("$2a${COST:02}${}{}", base64(salt), base64(&out[..23]))
}

/// bcrypt's own alphabet, without padding.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..=group.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * digit)) as usize & 63]));
        }
    }
    text
}
