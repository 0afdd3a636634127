//! Random texts and numbers.

use goval::{Context, Value};
use sha2::{Digest, Sha256};

use crate::args::{Answer, int, text, utf8};
use crate::encoding::{base64_text, hex};

/// An unending stream of random bytes, grown from one seed of a call.
pub(crate) struct Stream {
    seed: [u8; 32],
    block: [u8; 32],
    used: usize,
    number: u64,
}

impl Stream {
    /// Asks for a seed for one call of a function with its arguments.
    pub(crate) fn of(context: &mut Context<'_>, function: &str, args: &[Value]) -> Self {
        let mut seed = [0; 32];
        context.impure.random(&call(function, args), &mut seed);
        Self { seed, block: [0; 32], used: 32, number: 0 }
    }

    pub(crate) fn byte(&mut self) -> u8 {
        if self.used == self.block.len() {
            let hash =
                Sha256::new().chain_update(self.seed).chain_update(self.number.to_be_bytes());
            self.block = hash.finalize().into();
            self.number += 1;
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.byte());
    }

    /// A number below `limit`, all equally likely. `limit` is not 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        let fair = u64::MAX - u64::MAX % limit;
        loop {
            let mut bytes = [0; 8];
            self.fill(&mut bytes);
            let number = u64::from_be_bytes(bytes);
            if number < fair {
                return number % limit;
            }
        }
    }
}

/// A call's name for [`goval::Impure`]: the function and its arguments, secrets as a hash.
pub(crate) fn call(function: &str, args: &[Value]) -> String {
    let mut hash = Sha256::new();
    for arg in args {
        let text = goval::print_value(arg);
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(&text[..]);
    }
    format!("{function} {}", hex(&hash.finalize()[..8]))
}

fn chars(
    context: &mut Context<'_>,
    function: &str,
    args: &[Value],
    is_wanted: impl Fn(u8) -> bool,
) -> Answer {
    // Go swallows the error of a negative length.
    let count = u64::try_from(int(args, 0)?).unwrap_or_default();
    context.budget.charge(count)?;
    if let Some(pinned) = context.impure.pinned(function, args) {
        return Ok(pinned);
    }
    let alphabet: Vec<u8> = (b' '..=b'~').filter(|byte| is_wanted(*byte)).collect();
    let mut stream = Stream::of(context, function, args);
    let letters = alphabet.len() as u64;
    let text: Vec<u8> = (0..count).map(|_| alphabet[stream.below(letters) as usize]).collect();
    Ok(Value::str(text))
}

pub(crate) fn rand_alpha_num(context: &mut Context<'_>, args: &[Value]) -> Answer {
    chars(context, "randAlphaNum", args, |byte| byte.is_ascii_alphanumeric())
}

pub(crate) fn rand_alpha(context: &mut Context<'_>, args: &[Value]) -> Answer {
    chars(context, "randAlpha", args, |byte| byte.is_ascii_alphabetic())
}

pub(crate) fn rand_numeric(context: &mut Context<'_>, args: &[Value]) -> Answer {
    chars(context, "randNumeric", args, |byte| byte.is_ascii_digit())
}

pub(crate) fn rand_ascii(context: &mut Context<'_>, args: &[Value]) -> Answer {
    chars(context, "randAscii", args, |_| true)
}

pub(crate) fn rand_bytes(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let count = u64::try_from(int(args, 0)?)
        .map_err(|_| "runtime error: makeslice: len out of range".to_owned())?;
    context.budget.charge(count.saturating_mul(2))?;
    if let Some(pinned) = context.impure.pinned("randBytes", args) {
        return Ok(pinned);
    }
    let mut bytes = vec![0; count as usize];
    Stream::of(context, "randBytes", args).fill(&mut bytes);
    Ok(Value::str(base64_text(&bytes)))
}

/// From the first number to before the second.
pub(crate) fn rand_int(context: &mut Context<'_>, args: &[Value]) -> Answer {
    if let Some(pinned) = context.impure.pinned("randInt", args) {
        return Ok(pinned);
    }
    let (low, high) = (int(args, 0)?, int(args, 1)?);
    let width = high.wrapping_sub(low);
    if width <= 0 {
        return Err("invalid argument to Intn".to_owned());
    }
    let number = Stream::of(context, "randInt", args).below(width as u64);
    Ok(Value::int(low.wrapping_add(number as i64)))
}

pub(crate) fn uuid_v4(context: &mut Context<'_>, args: &[Value]) -> Answer {
    if let Some(pinned) = context.impure.pinned("uuidv4", args) {
        return Ok(pinned);
    }
    let mut bytes = [0; 16];
    Stream::of(context, "uuidv4", args).fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let digits = hex(&bytes);
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    Ok(Value::str(parts.join("-")))
}

pub(crate) fn shuffle(context: &mut Context<'_>, args: &[Value]) -> Answer {
    if let Some(pinned) = context.impure.pinned("shuffle", args) {
        return Ok(pinned);
    }
    if text(args, 0)?.is_empty() {
        return Ok(args[0].clone());
    }
    let mut chars: Vec<char> = utf8(args, 0)?.chars().collect();
    context.budget.spend(chars.len() as u64)?;
    let mut stream = Stream::of(context, "shuffle", args);
    for last in (1..chars.len()).rev() {
        chars.swap(last, stream.below(last as u64 + 1) as usize);
    }
    Ok(Value::str(chars.into_iter().collect::<String>()))
}
