//! Keys on NIST's curves.

use num_bigint::BigUint;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::crypto::der::{
    OBJECT_ID, OCTET_STRING, Reader, bits, element, integer, object_id, sequence, small,
};
use crate::random::Stream;

/// A curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const ALL: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

    /// Its object identifier, encoded.
    pub(super) fn id(self) -> &'static [u8] {
        match self {
            Curve::P256 => &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07],
            Curve::P384 => &[0x2B, 0x81, 0x04, 0x00, 0x22],
            Curve::P521 => &[0x2B, 0x81, 0x04, 0x00, 0x23],
        }
    }

    pub(super) fn of(id: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.id() == id)
    }

    fn bytes(self) -> usize {
        match self {
            Curve::P256 => 32,
            Curve::P384 => 48,
            Curve::P521 => 66,
        }
    }
}

/// A private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EcKey {
    pub(super) curve: Curve,
    /// As long as the curve says.
    secret: Vec<u8>,
    /// The point, uncompressed.
    pub(super) public: Vec<u8>,
}

impl EcKey {
    fn new(curve: Curve, secret: Vec<u8>) -> Option<Self> {
        let public = match curve {
            Curve::P256 => p256::ecdsa::SigningKey::from_slice(&secret)
                .ok()?
                .verifying_key()
                .to_sec1_point(false)
                .as_bytes()
                .to_vec(),
            Curve::P384 => p384::ecdsa::SigningKey::from_slice(&secret)
                .ok()?
                .verifying_key()
                .to_sec1_point(false)
                .as_bytes()
                .to_vec(),
            Curve::P521 => p521::ecdsa::SigningKey::from_slice(&secret)
                .ok()?
                .verifying_key()
                .to_sec1_point(false)
                .as_bytes()
                .to_vec(),
        };
        Some(Self { curve, secret, public })
    }

    /// A new key on P-256.
    pub(super) fn random(stream: &mut Stream) -> Self {
        loop {
            let mut secret = vec![0; 32];
            stream.fill(&mut secret);
            // Nearly every number is a key.
            if let Some(key) = Self::new(Curve::P256, secret) {
                return key;
            }
        }
    }

    /// SEC 1; the curve may be known from around it.
    pub(super) fn from_der(bytes: &[u8], known: Option<Curve>) -> Option<Self> {
        let mut reader = Reader::new(bytes).sequence()?;
        reader.integer()?;
        let secret = reader.take(OCTET_STRING)?.content;
        let named = reader.take(0xA0).and_then(|parameters| {
            Curve::of(Reader::new(parameters.content).take(OBJECT_ID)?.content)
        });
        let curve = known.or(named)?;
        let digits = &secret[secret.iter().take_while(|byte| **byte == 0).count()..];
        let zeros = curve.bytes().checked_sub(digits.len())?;
        Self::new(curve, [vec![0; zeros], digits.to_vec()].concat())
    }

    /// SEC 1, with curve and point.
    pub(super) fn to_der(&self) -> Vec<u8> {
        sequence(&[
            small(1),
            element(OCTET_STRING, &self.secret),
            element(0xA0, &object_id(self.curve.id())),
            element(0xA1, &bits(&self.public)),
        ])
    }

    /// Signs with the hash that suits the curve; the same message gives the same signature.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        use p256::ecdsa::signature::hazmat::PrehashSigner;
        let both = match self.curve {
            Curve::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&self.secret).ok()?;
                let made: p256::ecdsa::Signature =
                    key.sign_prehash(&Sha256::digest(message)).ok()?;
                made.to_bytes().to_vec()
            }
            Curve::P384 => {
                let key = p384::ecdsa::SigningKey::from_slice(&self.secret).ok()?;
                let made: p384::ecdsa::Signature =
                    key.sign_prehash(&Sha384::digest(message)).ok()?;
                made.to_bytes().to_vec()
            }
            Curve::P521 => {
                let key = p521::ecdsa::SigningKey::from_slice(&self.secret).ok()?;
                let made: p521::ecdsa::Signature =
                    key.sign_prehash(&Sha512::digest(message)).ok()?;
                made.to_bytes().to_vec()
            }
        };
        let (r, s) = both.split_at(both.len() / 2);
        Some(sequence(&[integer(&BigUint::from_bytes_be(r)), integer(&BigUint::from_bytes_be(s))]))
    }
}
