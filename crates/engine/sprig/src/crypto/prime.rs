//! Large primes.
//!
//! Candidates are sieved by small primes, and then tested with arithmetic of a fixed width, in
//! Montgomery's form, so that making a key takes milliseconds.

use std::sync::LazyLock;

use num_bigint::BigUint;

use crate::random::Stream;

/// Candidates have no smaller factor.
const SMALL_PRIME_MAX: usize = 1 << 15;
/// Odd numbers looked at from one random start on.
const WINDOW: usize = 1 << 13;
/// Rounds with random bases, behind the one with base 2: for numbers of such length that are
/// random themselves, four rounds leave a chance below 2^-100.
const ROUNDS: usize = 3;

static SMALL_PRIMES: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let mut is_prime = vec![true; SMALL_PRIME_MAX];
    let mut primes = Vec::new();
    for number in 3..SMALL_PRIME_MAX {
        if is_prime[number] && number % 2 == 1 {
            primes.push(number as u32);
            for multiple in (number * number..SMALL_PRIME_MAX).step_by(2 * number) {
                is_prime[multiple] = false;
            }
        }
    }
    primes
});

/// A random prime of 64 · `N` bits, its two highest bits set, that `suits`.
pub(super) fn random<const N: usize>(
    stream: &mut Stream,
    suits: impl Fn(&BigUint) -> bool,
) -> BigUint {
    loop {
        let mut start = [0u64; N];
        for limb in &mut start {
            let mut bytes = [0; 8];
            stream.fill(&mut bytes);
            *limb = u64::from_le_bytes(bytes);
        }
        start[0] |= 1;
        start[N - 1] |= 3 << 62;
        if let Some(prime) = from(&start, stream, &suits) {
            return prime;
        }
    }
}

/// The first prime in the window at `start`.
fn from<const N: usize>(
    start: &[u64; N],
    stream: &mut Stream,
    suits: &impl Fn(&BigUint) -> bool,
) -> Option<BigUint> {
    let mut composite = vec![false; WINDOW];
    for prime in SMALL_PRIMES.iter() {
        let prime = u64::from(*prime);
        let left = remainder(start, prime);
        // start + 2 · at is a multiple where at = −start / 2, modulo the prime.
        let negative = (prime - left) % prime;
        let first = if negative % 2 == 0 { negative / 2 } else { (negative + prime) / 2 };
        for at in (first as usize..WINDOW).step_by(prime as usize) {
            composite[at] = true;
        }
    }
    for at in (0..WINDOW).filter(|at| !composite[*at]) {
        let mut candidate = *start;
        if !add(&mut candidate, 2 * at as u64) {
            return None;
        }
        if !is_probable_prime(&candidate, stream) {
            continue;
        }
        let prime = to_big(&candidate);
        if suits(&prime) {
            return Some(prime);
        }
    }
    None
}

/// Whether a number of exactly 64 · `N` bits is a prime; wrong with a chance nobody meets.
pub(super) fn is_probable_prime<const N: usize>(number: &[u64; N], stream: &mut Stream) -> bool {
    let modulus = Modulus::new(number);
    if !modulus.passes(&modulus.two()) {
        return false;
    }
    (0..ROUNDS).all(|_| {
        let mut base = [0u64; N];
        for limb in &mut base {
            let mut bytes = [0; 8];
            stream.fill(&mut bytes);
            *limb = u64::from_le_bytes(bytes);
        }
        // Any number is some base in Montgomery's form; this one is below the modulus.
        base[N - 1] >>= 1;
        modulus.passes(&base)
    })
}

fn remainder<const N: usize>(number: &[u64; N], by: u64) -> u64 {
    let halves = number.iter().rev().flat_map(|limb| [limb >> 32, limb & 0xFFFF_FFFF]);
    // The divisor has half as many bits as the remainder with 32 more.
    halves.fold(0, |left, half| (left << 32 | half) % by)
}

/// Adds; whether it fits.
fn add<const N: usize>(number: &mut [u64; N], more: u64) -> bool {
    let mut carry = more;
    for limb in number {
        let (sum, over) = limb.overflowing_add(carry);
        *limb = sum;
        carry = u64::from(over);
    }
    carry == 0
}

pub(super) fn to_big<const N: usize>(number: &[u64; N]) -> BigUint {
    let bytes: Vec<u8> = number.iter().flat_map(|limb| limb.to_le_bytes()).collect();
    BigUint::from_bytes_le(&bytes)
}

/// The number in `N` limbs, where it fits.
pub(super) fn from_big<const N: usize>(number: &BigUint) -> Option<[u64; N]> {
    let digits = number.to_u64_digits();
    let mut limbs = [0; N];
    limbs.get_mut(..digits.len())?.copy_from_slice(&digits);
    Some(limbs)
}

/// An odd number whose highest bit is set, as a modulus.
pub(super) struct Modulus<const N: usize> {
    number: [u64; N],
    /// The negated inverse of the lowest limb.
    inverse: u64,
    /// 1 in Montgomery's form.
    one: [u64; N],
}

impl<const N: usize> Modulus<N> {
    pub(super) fn new(number: &[u64; N]) -> Self {
        // Each step doubles the bits that are right.
        let mut inverse = 1u64;
        for _ in 0..6 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(number[0].wrapping_mul(inverse)));
        }
        // 2^(64·N) − number, as the highest bit of number is set.
        let mut one = [0; N];
        let mut borrow = false;
        for (limb, own) in one.iter_mut().zip(number) {
            let (low, first) = 0u64.overflowing_sub(*own);
            let (low, second) = low.overflowing_sub(u64::from(borrow));
            *limb = low;
            borrow = first || second;
        }
        Self { number: *number, inverse: inverse.wrapping_neg(), one }
    }

    fn two(&self) -> [u64; N] {
        let mut two = self.one;
        self.double(&mut two);
        two
    }

    fn double(&self, value: &mut [u64; N]) {
        let mut carry = 0;
        for limb in value.iter_mut() {
            let next = *limb >> 63;
            *limb = *limb << 1 | carry;
            carry = next;
        }
        self.reduce(value, carry != 0);
    }

    /// Subtracts the modulus where the value, with what is beyond its limbs, is not below it.
    fn reduce(&self, value: &mut [u64; N], beyond: bool) {
        let below = || {
            value
                .iter()
                .rev()
                .zip(self.number.iter().rev())
                .find(|(a, b)| a != b)
                .is_some_and(|(a, b)| a < b)
        };
        if !beyond && below() {
            return;
        }
        let mut borrow = false;
        for (limb, own) in value.iter_mut().zip(&self.number) {
            let (low, first) = limb.overflowing_sub(*own);
            let (low, second) = low.overflowing_sub(u64::from(borrow));
            *limb = low;
            borrow = first || second;
        }
    }

    /// The product, in Montgomery's form.
    fn times(&self, a: &[u64; N], b: &[u64; N]) -> [u64; N] {
        let mut sum = [0u64; N];
        let mut top = 0u64;
        for factor in b {
            let wide = u128::from(sum[0]) + u128::from(a[0]) * u128::from(*factor);
            let multiple = (wide as u64).wrapping_mul(self.inverse);
            let lower = u128::from(wide as u64) + u128::from(multiple) * u128::from(self.number[0]);
            // Two carries that do not wait for each other.
            let (mut carry, mut lower_carry) = ((wide >> 64) as u64, (lower >> 64) as u64);
            for at in 1..N {
                let wide = u128::from(sum[at])
                    + u128::from(a[at]) * u128::from(*factor)
                    + u128::from(carry);
                carry = (wide >> 64) as u64;
                let lower = u128::from(wide as u64)
                    + u128::from(multiple) * u128::from(self.number[at])
                    + u128::from(lower_carry);
                lower_carry = (lower >> 64) as u64;
                sum[at - 1] = lower as u64;
            }
            let last = u128::from(top) + u128::from(carry) + u128::from(lower_carry);
            sum[N - 1] = last as u64;
            top = (last >> 64) as u64;
        }
        self.reduce(&mut sum, top != 0);
        sum
    }

    /// Miller and Rabin's test with one base, in Montgomery's form.
    fn passes(&self, base: &[u64; N]) -> bool {
        let mut minus_one = self.number;
        let mut borrow = false;
        for (limb, one) in minus_one.iter_mut().zip(&self.one) {
            let (low, first) = limb.overflowing_sub(*one);
            let (low, second) = low.overflowing_sub(u64::from(borrow));
            *limb = low;
            borrow = first || second;
        }
        let mut exponent = self.number;
        exponent[0] -= 1;
        let twos = exponent.iter().take_while(|limb| **limb == 0).count() * 64;
        let twos = twos + exponent[twos / 64].trailing_zeros() as usize;
        let is_two = *base == self.two();
        let mut power = self.one;
        for bit in (twos..64 * N).rev() {
            power = self.times(&power, &power);
            if exponent[bit / 64] >> (bit % 64) & 1 == 1 {
                if is_two {
                    self.double(&mut power);
                } else {
                    power = self.times(&power, base);
                }
            }
        }
        if power == self.one || power == minus_one {
            return true;
        }
        for _ in 1..twos {
            power = self.times(&power, &power);
            if power == minus_one {
                return true;
            }
        }
        false
    }

    /// A power, of ordinary numbers below the modulus.
    pub(super) fn power(&self, base: &BigUint, exponent: &BigUint) -> BigUint {
        let shifted = (base << (64 * N)) % to_big(&self.number);
        let base: [u64; N] = from_big(&shifted).expect("it is below the modulus");
        let mut power = self.one;
        for bit in (0..exponent.bits()).rev() {
            power = self.times(&power, &power);
            if exponent.bit(bit) {
                power = self.times(&power, &base);
            }
        }
        let mut plain_one = [0; N];
        plain_one[0] = 1;
        to_big(&self.times(&power, &plain_one))
    }
}
