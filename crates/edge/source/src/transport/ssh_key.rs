//! Private keys as `ssh-keygen` writes them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use russh::keys::{PrivateKey, decode_secret_key};

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
const MAGIC: &[u8] = b"openssh-key-v1\0";
/// What an unencrypted private section is padded to, in bytes.
const BLOCK: usize = 8;
/// The scalar of P-256, in bytes.
const P256_SCALAR: usize = 32;

/// Reads a private key that is not encrypted.
///
/// # Errors
///
/// The library's: the text is no key, or an encrypted one.
pub(super) fn read(text: &str) -> Result<PrivateKey, russh::keys::Error> {
    decode_secret_key(&padded(text), None)
}

/// The same key with a P-256 scalar of full length.
///
/// OpenSSH drops leading zeros of the scalar, which one key in 512 has; the library takes
/// that for a wrong length.
fn padded(text: &str) -> Cow<'_, str> {
    match with_full_scalar(text) {
        Some(whole) => Cow::Owned(whole),
        None => Cow::Borrowed(text),
    }
}

/// `None` where there is nothing to pad, or the text is not such a key.
fn with_full_scalar(text: &str) -> Option<String> {
    let body = text.split_once(BEGIN)?.1.split_once(END)?.0;
    let compact: String = body.split_whitespace().collect();
    let bytes = STANDARD.decode(compact).ok()?;
    let mut outer = Fields(bytes.strip_prefix(MAGIC)?);
    let (cipher, derivation, parameters) = (outer.next()?, outer.next()?, outer.next()?);
    let count = outer.number()?;
    let public = outer.next()?;
    let mut inner = Fields(outer.next()?);
    let (check, again) = (inner.number()?, inner.number()?);
    let (algorithm, curve, point) = (inner.next()?, inner.next()?, inner.next()?);
    let (scalar, comment) = (inner.next()?, inner.next()?);
    if cipher != b"none" || curve != b"nistp256" || scalar.len() >= P256_SCALAR {
        return None;
    }
    let mut whole = vec![0; P256_SCALAR - scalar.len()];
    whole.extend_from_slice(scalar);
    let mut private = Vec::new();
    private.extend(check.to_be_bytes());
    private.extend(again.to_be_bytes());
    for field in [algorithm, curve, point, &whole, comment] {
        put(&mut private, field);
    }
    for padding in 1.. {
        if private.len() % BLOCK == 0 {
            break;
        }
        private.push(padding);
    }
    let mut made = MAGIC.to_vec();
    for field in [cipher, derivation, parameters] {
        put(&mut made, field);
    }
    made.extend(count.to_be_bytes());
    put(&mut made, public);
    put(&mut made, &private);
    Some(format!("{BEGIN}\n{}\n{END}\n", lines(&STANDARD.encode(made))))
}

/// Lines of 70 characters, as `ssh-keygen` writes them.
fn lines(encoded: &str) -> String {
    let lines = encoded.as_bytes().chunks(70).map(String::from_utf8_lossy);
    lines.collect::<Vec<_>>().join("\n")
}

fn put(into: &mut Vec<u8>, field: &[u8]) {
    let length = u32::try_from(field.len()).expect("a part of a text that fits in memory");
    into.extend(length.to_be_bytes());
    into.extend_from_slice(field);
}

/// What is left of a row of length-prefixed fields.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The base point of P-256: the public key that belongs to the scalar 1.
    const BASE_POINT: &str = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
                              4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

    fn key_of_scalar(scalar: &[u8]) -> String {
        let point = hex::decode(BASE_POINT).expect("hexadecimal");
        let mut public = Vec::new();
        let name: &[u8] = b"ecdsa-sha2-nistp256";
        for field in [name, b"nistp256", &point] {
            put(&mut public, field);
        }
        let mut private = 7_u32.to_be_bytes().repeat(2);
        for field in [name, b"nistp256", &point, scalar, b"me"] {
            put(&mut private, field);
        }
        private.extend((1..).take((BLOCK - private.len() % BLOCK) % BLOCK));
        let mut made = MAGIC.to_vec();
        for field in [&b"none"[..], b"none", b""] {
            put(&mut made, field);
        }
        made.extend(1_u32.to_be_bytes());
        put(&mut made, &public);
        put(&mut made, &private);
        format!("{BEGIN}\n{}\n{END}\n", lines(&STANDARD.encode(made)))
    }

    #[test]
    fn a_scalar_may_begin_with_zeros_that_the_file_leaves_out() {
        for scalar in [&[1_u8][..], &[0x7f; 31], &[0x11; 32]] {
            let text = key_of_scalar(scalar);
            let key = read(&text).unwrap_or_else(|error| panic!("{scalar:?}: {error}"));
            let data = key.key_data().ecdsa().expect("an ECDSA key");
            let mut whole = vec![0; 32 - scalar.len()];
            whole.extend_from_slice(scalar);
            assert_eq!(data.private_key_bytes(), whole, "{scalar:?}");
        }
        assert!(read("no key").is_err());
    }
}
