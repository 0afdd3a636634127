//! AES in CBC mode; the password itself, cut or filled with zeros, is the key.

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use crate::encoding::{base64_bytes, base64_text};
use crate::random::Stream;

const BLOCK: usize = 16;

fn cipher(password: &[u8]) -> Aes256 {
    let mut key = [0; 32];
    let len = password.len().min(key.len());
    key[..len].copy_from_slice(&password[..len]);
    Aes256::new(&key.into())
}

/// Encrypts; what comes first is the random start.
pub(super) fn encrypt(password: &[u8], text: &[u8], stream: &mut Stream) -> String {
    let cipher = cipher(password);
    let padding = BLOCK - text.len() % BLOCK;
    let mut bytes = vec![0; BLOCK];
    stream.fill(&mut bytes);
    let mut last: [u8; BLOCK] = bytes[..].try_into().expect("one block");
    let mut content = text.to_vec();
    content.resize(text.len() + padding, padding as u8);
    for block in content.chunks(BLOCK) {
        for (byte, plain) in last.iter_mut().zip(block) {
            *byte ^= plain;
        }
        let mut encrypted = last.into();
        cipher.encrypt_block(&mut encrypted);
        last = encrypted.into();
        bytes.extend_from_slice(&last);
    }
    base64_text(&bytes)
}

/// Decrypts what [`encrypt`] made.
///
/// # Errors
///
/// Go's, those of its runtime too: the password is not checked in any way.
pub(super) fn decrypt(password: &[u8], text: &[u8]) -> Result<Vec<u8>, String> {
    let bytes = base64_bytes(text)?;
    if bytes.len() < BLOCK {
        let capacity = text.len() / 4 * 3;
        return Err(format!(
            "runtime error: slice bounds out of range [:{BLOCK}] with capacity {capacity}"
        ));
    }
    let (start, rest) = bytes.split_at(BLOCK);
    if rest.len() % BLOCK != 0 {
        return Err("crypto/cipher: input not full blocks".to_owned());
    }
    let cipher = cipher(password);
    let mut out = Vec::with_capacity(rest.len());
    let mut last = start;
    for block in rest.chunks(BLOCK) {
        let whole: [u8; BLOCK] = block.try_into().expect("blocks are whole");
        let mut decrypted = whole.into();
        cipher.decrypt_block(&mut decrypted);
        out.extend(decrypted.iter().zip(last).map(|(byte, before)| byte ^ before));
        last = block;
    }
    let Some(padding) = out.last().copied().map(i64::from) else {
        return Err("runtime error: index out of range [-1]".to_owned());
    };
    let end = out.len() as i64 - padding;
    if end < 0 {
        return Err(format!("runtime error: slice bounds out of range [:{end}]"));
    }
    out.truncate(end as usize);
    Ok(out)
}
