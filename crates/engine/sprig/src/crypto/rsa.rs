//! RSA keys.

use num_bigint::BigUint;
use sha2::{Digest, Sha256};

use crate::crypto::der::{Reader, integer, sequence, small};
use crate::crypto::prime::{self, Modulus};
use crate::random::Stream;

const EXPONENT: u32 = 65_537;
/// What says that a SHA-256 hash follows, in a signature.
const SHA256_PREFIX: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// A private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RsaKey {
    modulus: BigUint,
    exponent: BigUint,
    private: BigUint,
    p: BigUint,
    q: BigUint,
}

impl RsaKey {
    /// A new key of 128 · `N` bits.
    pub(super) fn random<const N: usize>(stream: &mut Stream) -> Self {
        let exponent = BigUint::from(EXPONENT);
        let one = BigUint::from(1u8);
        let suits = |prime: &BigUint| prime % &exponent != one;
        let p = prime::random::<N>(stream, suits);
        loop {
            let q = prime::random::<N>(stream, suits);
            if p == q {
                continue;
            }
            let (below_p, below_q) = (&p - 1u8, &q - 1u8);
            let order = &below_p * &below_q / gcd(below_p, below_q);
            let private = exponent.modinv(&order).expect("the primes suit the exponent");
            return Self { modulus: &p * &q, exponent, private, p, q };
        }
    }

    /// PKCS #1.
    pub(super) fn from_der(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes).sequence()?;
        let version = reader.integer()?;
        let [modulus, exponent, private, p, q] = [(); 5]
            .map(|()| reader.integer())
            .into_iter()
            .collect::<Option<Vec<_>>>()?
            .try_into()
            .ok()?;
        let zero = BigUint::ZERO;
        let fits = version == zero && p > zero && q > zero && &p * &q == modulus;
        fits.then_some(Self { modulus, exponent, private, p, q })
    }

    /// PKCS #1.
    pub(super) fn to_der(&self) -> Vec<u8> {
        let coefficient = self.q.modinv(&self.p).unwrap_or_default();
        sequence(&[
            small(0),
            integer(&self.modulus),
            integer(&self.exponent),
            integer(&self.private),
            integer(&self.p),
            integer(&self.q),
            integer(&(&self.private % (&self.p - 1u8))),
            integer(&(&self.private % (&self.q - 1u8))),
            integer(&coefficient),
        ])
    }

    /// The public half, PKCS #1.
    pub(super) fn public_der(&self) -> Vec<u8> {
        sequence(&[integer(&self.modulus), integer(&self.exponent)])
    }

    /// Signs with SHA-256 and PKCS #1's padding; `None` for a key too short for it.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let len = self.modulus.bits().div_ceil(8) as usize;
        let digest = [SHA256_PREFIX.as_slice(), &Sha256::digest(message)].concat();
        let filled = len.checked_sub(digest.len() + 3).filter(|filled| *filled >= 8)?;
        let padded = [&[0, 1], vec![0xFF; filled].as_slice(), &[0], digest.as_slice()].concat();
        let message = BigUint::from_bytes_be(&padded);
        let part = |prime: &BigUint| {
            let exponent = &self.private % (prime - 1u8);
            power(&(&message % prime), &exponent, prime)
        };
        // By the remainders of both primes, which is four times as fast.
        let (by_p, by_q) = (part(&self.p), part(&self.q));
        let coefficient = self.q.modinv(&self.p)?;
        let difference = (&by_p + &self.p - &by_q % &self.p) % &self.p;
        let signature = by_q + difference * coefficient % &self.p * &self.q;
        let bytes = signature.to_bytes_be();
        Some([vec![0; len - bytes.len()], bytes].concat())
    }
}

fn power(base: &BigUint, exponent: &BigUint, modulus: &BigUint) -> BigUint {
    match modulus.bits() {
        1024 => {
            let limbs = prime::from_big::<16>(modulus).expect("1024 bits are 16 limbs");
            Modulus::new(&limbs).power(base, exponent)
        }
        2048 => {
            let limbs = prime::from_big::<32>(modulus).expect("2048 bits are 32 limbs");
            Modulus::new(&limbs).power(base, exponent)
        }
        _ => base.modpow(exponent, modulus),
    }
}

fn gcd(mut a: BigUint, mut b: BigUint) -> BigUint {
    while b != BigUint::ZERO {
        (a, b) = (b.clone(), a % b);
    }
    a
}
