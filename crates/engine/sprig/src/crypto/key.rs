//! Private keys of every kind.

use ed25519_dalek::{Signer, SigningKey};
use num_bigint::BigUint;
use sha2::{Digest, Sha256};

use crate::crypto::der::{
    NULL, OBJECT_ID, OCTET_STRING, Reader, bits, element, integer, object_id, sequence, small,
};
use crate::crypto::ec::{Curve, EcKey};
use crate::crypto::pem;
use crate::crypto::prime;
use crate::crypto::rsa::RsaKey;
use crate::random::Stream;

pub(super) const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
pub(super) const EC: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
pub(super) const ED25519: &[u8] = &[0x2B, 0x65, 0x70];
const SHA256_RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B];

/// A private key.
pub(super) enum Key {
    Rsa(Box<RsaKey>),
    Ec(EcKey),
    Ed25519(Box<SigningKey>),
    Dsa(Box<DsaKey>),
}

/// A private key of DSA, which signs no certificates.
pub(super) struct DsaKey {
    p: BigUint,
    q: BigUint,
    g: BigUint,
    public: BigUint,
    private: BigUint,
}

impl Key {
    /// A new key: `rsa` (which nothing means, too), `dsa`, `ecdsa` or `ed25519`.
    pub(super) fn random(kind: &[u8], stream: &mut Stream) -> Option<Self> {
        Some(match kind {
            b"" | b"rsa" => Key::Rsa(Box::new(RsaKey::random::<32>(stream))),
            b"dsa" => Key::Dsa(Box::new(DsaKey::random(stream))),
            b"ecdsa" => Key::Ec(EcKey::random(stream)),
            b"ed25519" => {
                let mut seed = [0; 32];
                stream.fill(&mut seed);
                Key::Ed25519(Box::new(SigningKey::from_bytes(&seed)))
            }
            _ => return None,
        })
    }

    /// The key that certificates get: RSA of 2048 bits.
    pub(super) fn for_certificate(stream: &mut Stream) -> Self {
        Key::Rsa(Box::new(RsaKey::random::<16>(stream)))
    }

    /// Reads a PEM block.
    ///
    /// # Errors
    ///
    /// In Sprig's words, and for what is inside nearly in Go's.
    pub(super) fn from_pem(text: &[u8]) -> Result<Self, String> {
        let (kind, bytes) = pem::decode(text).ok_or("no PEM data in input")?;
        if kind == "PRIVATE KEY" {
            return Self::from_pkcs8(&bytes)
                .map_err(|error| format!("decoding PEM as PKCS#8: {error}"));
        }
        let Some(of) = kind.strip_suffix(" PRIVATE KEY") else {
            return Err(format!("no private key data in PEM block of type {kind}"));
        };
        match of {
            "RSA" => RsaKey::from_der(&bytes).map(|key| Key::Rsa(Box::new(key))).ok_or_else(|| {
                "parsing RSA private key from PEM: x509: failed to parse private key".to_owned()
            }),
            "EC" => EcKey::from_der(&bytes, None).map(Key::Ec).ok_or_else(|| {
                "parsing EC private key from PEM: x509: failed to parse EC private key".to_owned()
            }),
            "DSA" => DsaKey::from_der(&bytes).map(|key| Key::Dsa(Box::new(key))).ok_or_else(|| {
                "parsing DSA private key from PEM: asn1: structure error".to_owned()
            }),
            _ => Err(format!("invalid private key type {kind}")),
        }
    }

    fn from_pkcs8(bytes: &[u8]) -> Result<Self, String> {
        let broken = "x509: failed to parse PKCS#8 private key";
        let read = || {
            let mut outer = Reader::new(bytes).sequence()?;
            outer.integer()?;
            let mut algorithm = outer.sequence()?;
            let id = algorithm.take(OBJECT_ID)?.content;
            let curve = algorithm.take(OBJECT_ID).and_then(|id| Curve::of(id.content));
            Some((id, curve, outer.take(OCTET_STRING)?.content))
        };
        let (id, curve, inside) = read().ok_or(broken)?;
        let key = if id == RSA {
            RsaKey::from_der(inside).map(|key| Key::Rsa(Box::new(key)))
        } else if id == EC {
            EcKey::from_der(inside, curve).map(Key::Ec)
        } else if id == ED25519 {
            Reader::new(inside)
                .take(OCTET_STRING)
                .and_then(|seed| <[u8; 32]>::try_from(seed.content).ok())
                .map(|seed| Key::Ed25519(Box::new(SigningKey::from_bytes(&seed))))
        } else {
            return Err(format!(
                "x509: PKCS#8 wrapping contained private key with unknown algorithm: {}",
                dotted(id)
            ));
        };
        key.ok_or_else(|| broken.to_owned())
    }

    /// As Sprig writes it.
    pub(super) fn to_pem(&self) -> String {
        match self {
            Key::Rsa(key) => pem::encode("RSA PRIVATE KEY", &key.to_der()),
            Key::Ec(key) => pem::encode("EC PRIVATE KEY", &key.to_der()),
            Key::Dsa(key) => pem::encode("DSA PRIVATE KEY", &key.to_der()),
            Key::Ed25519(key) => {
                let inside = element(OCTET_STRING, key.as_bytes());
                let algorithm = sequence(&[object_id(ED25519)]);
                let whole = sequence(&[small(0), algorithm, element(OCTET_STRING, &inside)]);
                pem::encode("PRIVATE KEY", &whole)
            }
        }
    }

    /// The public half as certificates have it, and its bits alone.
    ///
    /// # Errors
    ///
    /// For DSA.
    pub(super) fn public_info(&self) -> Result<(Vec<u8>, Vec<u8>), String> {
        let (algorithm, public) = match self {
            Key::Rsa(key) => (sequence(&[object_id(RSA), element(NULL, &[])]), key.public_der()),
            Key::Ec(key) => {
                (sequence(&[object_id(EC), object_id(key.curve.id())]), key.public.clone())
            }
            Key::Ed25519(key) => {
                (sequence(&[object_id(ED25519)]), key.verifying_key().as_bytes().to_vec())
            }
            Key::Dsa(_) => {
                return Err("x509: unsupported public key type: *dsa.PublicKey".to_owned());
            }
        };
        Ok((sequence(&[algorithm, bits(&public)]), public))
    }

    /// The algorithm of its signatures.
    ///
    /// # Errors
    ///
    /// For DSA.
    pub(super) fn signature_algorithm(&self) -> Result<Vec<u8>, String> {
        // ecdsa-with-SHA256, -384 and -512 differ in the last number.
        let ecdsa = |last: u8| object_id(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, last]);
        Ok(match self {
            Key::Rsa(_) => sequence(&[object_id(SHA256_RSA), element(NULL, &[])]),
            Key::Ec(key) => sequence(&[ecdsa(match key.curve {
                Curve::P256 => 2,
                Curve::P384 => 3,
                Curve::P521 => 4,
            })]),
            Key::Ed25519(_) => sequence(&[object_id(ED25519)]),
            Key::Dsa(_) => {
                return Err(
                    "x509: certificate private key does not implement crypto.Signer".to_owned()
                );
            }
        })
    }

    /// Signs; `None` for a key that cannot.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Key::Rsa(key) => key.sign(message),
            Key::Ec(key) => key.sign(message),
            Key::Ed25519(key) => Some(key.sign(message).to_bytes().to_vec()),
            Key::Dsa(_) => None,
        }
    }
}

/// An object identifier in numbers.
fn dotted(id: &[u8]) -> String {
    let mut numbers: Vec<u64> = Vec::new();
    let mut value = 0u64;
    for byte in id {
        value = value << 7 | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            if numbers.is_empty() {
                let first = (value / 40).min(2);
                numbers.extend([first, value - first * 40]);
            } else {
                numbers.push(value);
            }
            value = 0;
        }
    }
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

impl DsaKey {
    /// New parameters of 2048 and 256 bits, and a key.
    fn random(stream: &mut Stream) -> Self {
        let q = prime::random::<4>(stream, |_| true);
        let one = BigUint::from(1u8);
        let p = loop {
            let mut bytes = [0; 256];
            stream.fill(&mut bytes);
            bytes[0] |= 0x80;
            let start = BigUint::from_bytes_be(&bytes);
            // One more than a multiple of 2q.
            let candidate = &start - &start % (&q * 2u8) + &one;
            let Some(limbs) = prime::from_big::<32>(&candidate) else { continue };
            let small = [3u32, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67];
            let has_factor = small.iter().any(|prime| &candidate % *prime == BigUint::ZERO);
            if candidate.bits() == 2048 && !has_factor && prime::is_probable_prime(&limbs, stream) {
                break candidate;
            }
        };
        let power = (&p - 1u8) / &q;
        let g = (2u32..)
            .map(|base| BigUint::from(base).modpow(&power, &p))
            .find(|g| *g != one)
            .expect("nearly every base gives a generator");
        let mut bytes = [0; 64];
        stream.fill(&mut bytes);
        let private = BigUint::from_bytes_be(&bytes) % (&q - 1u8) + 1u8;
        let public = g.modpow(&private, &p);
        Self { p, q, g, public, private }
    }

    fn to_der(&self) -> Vec<u8> {
        let numbers = [&self.p, &self.q, &self.g, &self.public, &self.private];
        let mut all = vec![small(0)];
        all.extend(numbers.map(integer));
        sequence(&all)
    }

    fn from_der(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes).sequence()?;
        reader.integer()?;
        let [p, q, g, public, private] = [(); 5]
            .map(|()| reader.integer())
            .into_iter()
            .collect::<Option<Vec<_>>>()?
            .try_into()
            .ok()?;
        Some(Self { p, q, g, public, private })
    }
}

/// The identifier of a public key: a shortened hash of its bits.
pub(super) fn key_id(public: &[u8]) -> Vec<u8> {
    Sha256::digest(public)[..20].to_vec()
}
