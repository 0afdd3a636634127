//! Base 32 and 64, and hashes.

use goval::{Context, Value};
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};

use crate::args::{Answer, text};

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Standard base 64, with padding.
pub(crate) fn base64_text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    let (whole, rest) = bytes.as_chunks::<3>();
    for [a, b, c] in whole {
        let bits = u32::from(*a) << 16 | u32::from(*b) << 8 | u32::from(*c);
        out.extend([18, 12, 6, 0].map(|by| char::from(BASE64[(bits >> by) as usize & 63])));
    }
    for group in rest.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            if digit <= group.len() {
                out.push(char::from(BASE64[(bits >> (18 - 6 * digit)) as usize & 63]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

/// Reads standard base 64; line breaks may stand anywhere.
///
/// # Errors
///
/// Go's, with the offset of the byte that does not fit.
pub(crate) fn base64_bytes(text: &[u8]) -> Result<Vec<u8>, String> {
    let corrupt = |at: usize| Err(format!("illegal base64 data at input byte {at}"));
    let skip_breaks = |mut at: usize| {
        while matches!(text.get(at), Some(b'\n' | b'\r')) {
            at += 1;
        }
        at
    };
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut at = 0;
    // Whole groups, as nearly all are.
    while let Some(&[a, b, c, d]) = text.get(at..at + 4) {
        let [a, b, c, d] = [a, b, c, d].map(|byte| BASE64_VALUES[usize::from(byte)]);
        if (a | b | c | d) & 0x80 != 0 {
            break;
        }
        out.extend_from_slice(&[a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
        at += 4;
    }
    loop {
        let mut bits = 0u32;
        let mut digits = 0;
        let mut padded = false;
        while digits < 4 {
            at = skip_breaks(at);
            let Some(byte) = text.get(at) else {
                return if digits == 0 { Ok(out) } else { corrupt(at - digits) };
            };
            at += 1;
            if let Some(value) = digit_of(&BASE64_VALUES, *byte) {
                bits = bits << 6 | value;
                digits += 1;
                continue;
            }
            if *byte != b'=' || digits < 2 {
                return corrupt(at - 1);
            }
            if digits == 2 {
                at = skip_breaks(at);
                match text.get(at) {
                    None => return corrupt(text.len()),
                    Some(b'=') => at += 1,
                    Some(_) => return corrupt(at - 1),
                }
            }
            at = skip_breaks(at);
            if at < text.len() {
                return corrupt(at);
            }
            padded = true;
            break;
        }
        let bytes = (bits << (6 * (4 - digits))).to_be_bytes();
        out.extend_from_slice(&bytes[1..digits]);
        if padded {
            return Ok(out);
        }
    }
}

/// What each byte means in an alphabet; 255 for one that is not in it.
const fn values(alphabet: &[u8]) -> [u8; 256] {
    let mut values = [u8::MAX; 256];
    let mut at = 0;
    while at < alphabet.len() {
        values[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    values
}

static BASE64_VALUES: [u8; 256] = values(BASE64);
static BASE32_VALUES: [u8; 256] = values(BASE32);

fn digit_of(values: &[u8; 256], byte: u8) -> Option<u32> {
    let value = values[usize::from(byte)];
    (value != u8::MAX).then_some(u32::from(value))
}

pub(crate) fn b64enc(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let bytes = text(args, 0)?;
    context.budget.charge(bytes.len() as u64 * 4 / 3)?;
    Ok(Value::str(base64_text(bytes)))
}

/// The error is the answer.
pub(crate) fn b64dec(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(match base64_bytes(text(args, 0)?) {
        Ok(bytes) => Value::str(bytes),
        Err(error) => Value::str(error),
    })
}

pub(crate) fn b32enc(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let bytes = text(args, 0)?;
    context.budget.charge(bytes.len() as u64 * 8 / 5)?;
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for group in bytes.chunks(5) {
        let mut bits = [0; 8];
        bits[3..3 + group.len()].copy_from_slice(group);
        let bits = u64::from_be_bytes(bits);
        let digits = (group.len() * 8).div_ceil(5);
        for digit in 0..8 {
            out.push(if digit < digits {
                char::from(BASE32[(bits >> (35 - 5 * digit)) as usize & 31])
            } else {
                '='
            });
        }
    }
    Ok(Value::str(out))
}

/// The error is the answer.
pub(crate) fn b32dec(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(match base32_bytes(text(args, 0)?) {
        Ok(bytes) => Value::str(bytes),
        Err(at) => Value::str(format!("illegal base32 data at input byte {at}")),
    })
}

/// The offset of what does not fit counts without line breaks.
fn base32_bytes(text: &[u8]) -> Result<Vec<u8>, i64> {
    let text: Vec<u8> =
        text.iter().copied().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let mut out = Vec::with_capacity(text.len() / 8 * 5);
    let mut at = 0;
    while at < text.len() {
        let mut bits = 0u64;
        let mut digits = 0;
        let mut end = false;
        while digits < 8 {
            let Some(byte) = text.get(at) else {
                return Err(at as i64 - digits as i64);
            };
            at += 1;
            let left = text.len() - at;
            if *byte == b'=' && digits >= 2 && left < 8 {
                if left + digits < 7 {
                    return Err(text.len() as i64);
                }
                for offset in 0..7 - digits {
                    if left > offset && text[at + offset] != b'=' {
                        return Err((at + offset) as i64 - 1);
                    }
                }
                if matches!(digits, 1 | 3 | 6) {
                    return Err(at as i64 - 1);
                }
                end = true;
                break;
            }
            let Some(value) = digit_of(&BASE32_VALUES, *byte) else { return Err(at as i64 - 1) };
            bits = bits << 5 | u64::from(value);
            digits += 1;
        }
        let bytes = (bits << (5 * (8 - digits))).to_be_bytes();
        out.extend_from_slice(&bytes[3..3 + digits * 5 / 8]);
        if end {
            break;
        }
    }
    Ok(out)
}

/// Bytes as small hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn sha1sum(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::str(hex(&Sha1::digest(text(args, 0)?.as_bytes()))))
}

pub(crate) fn sha256sum(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::str(hex(&Sha256::digest(text(args, 0)?.as_bytes()))))
}

pub(crate) fn sha512sum(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::str(hex(&Sha512::digest(text(args, 0)?.as_bytes()))))
}

pub(crate) fn adler32sum(_: &mut Context<'_>, args: &[Value]) -> Answer {
    const MODULUS: u32 = 65_521;
    // Sums of so many bytes still fit.
    const BLOCK: usize = 5_552;
    let (mut a, mut b) = (1u32, 0u32);
    for block in text(args, 0)?.chunks(BLOCK) {
        for byte in block {
            a += u32::from(*byte);
            b += a;
        }
        a %= MODULUS;
        b %= MODULUS;
    }
    Ok(Value::str((b << 16 | a).to_string()))
}
