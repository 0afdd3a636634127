//! Keys, certificates and passwords: what is random is checked by its shape, and by undoing it.

use goval::{Context, Impure, Value};
use num_bigint::BigUint;
use sha2::{Digest, Sha256};

use crate::crypto::bcrypt::with_salt;
use crate::crypto::key::Key;
use crate::crypto::prime::{self, Modulus};
use crate::crypto::rsa::RsaKey;
use crate::random::Stream;
use crate::tests::template::{Still, budget, render, table};
use crate::{Certificate, Profile, functions};

/// Numbers that are random enough for a test.
struct Counted(u64);

impl Impure for Counted {
    fn random(&mut self, _: &str, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (self.0 >> 40) as u8;
        }
    }

    fn now(&mut self) -> i128 {
        Still.now()
    }
}

fn call(name: &str, args: &[Value]) -> Value {
    let (mut impure, mut budget) = (Counted(42), budget());
    let mut context = Context { impure: &mut impure, budget: &mut budget, host: &mut () };
    let function = functions(Profile::Helm4).iter().find(|function| function.name == name);
    (function.expect("it exists").body)(&mut context, args).expect("it works")
}

fn certificate(value: &Value) -> Certificate {
    match value {
        Value::Object(object) => object.as_any().downcast_ref::<Certificate>().unwrap().clone(),
        other => panic!("no certificate: {other:?}"),
    }
}

#[test]
fn a_certificate_that_nobody_looks_into_is_not_made() {
    let authority = call("genCA", &[Value::str("x"), Value::int(1)]);
    assert!(certificate(&authority).made().is_none());
    let server = [Value::str("x"), Value::Nil, Value::Nil, Value::int(1)];
    assert!(certificate(&call("genSelfSignedCert", &server)).made().is_none());
}

/// Of 512 bits: making a longer one takes long without optimisation.
fn short_key() -> String {
    let (mut impure, mut budget) = (Counted(7), budget());
    let mut context = Context { impure: &mut impure, budget: &mut budget, host: &mut () };
    let mut stream = Stream::of(&mut context, "test", &[]);
    Key::Rsa(Box::new(RsaKey::random::<4>(&mut stream))).to_pem()
}

/// Reads one element: its content, its whole, and what is left.
fn element(bytes: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let (len, head) = match bytes[1] {
        short @ 0..0x80 => (usize::from(short), 2),
        long => {
            let digits = usize::from(long & 0x7F);
            let fold = |len, byte: &u8| len << 8 | usize::from(*byte);
            (bytes[2..2 + digits].iter().fold(0, fold), 2 + digits)
        }
    };
    (&bytes[head..head + len], &bytes[..head + len], &bytes[head + len..])
}

fn der(pem: &str) -> Vec<u8> {
    let inside: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    crate::encoding::base64_bytes(inside.as_bytes()).expect("PEM holds base 64")
}

/// The modulus of a private key.
fn modulus(key: &str) -> BigUint {
    let der = der(key);
    let (inside, ..) = element(&der);
    let (_, _, rest) = element(inside);
    BigUint::from_bytes_be(element(rest).0)
}

fn is_signed_by(cert: &str, key: &str) -> bool {
    let der = der(cert);
    let (outer, ..) = element(&der);
    let (_, body, rest) = element(outer);
    let (_, _, rest) = element(rest);
    let signature = BigUint::from_bytes_be(&element(rest).0[1..]);
    let opened = signature.modpow(&BigUint::from(65_537u32), &modulus(key)).to_bytes_be();
    opened.ends_with(&Sha256::digest(body))
}

#[test]
fn an_authority_signs_itself_and_others() {
    let key = short_key();
    let args = [Value::str("Test CA"), Value::int(10), Value::str(key.as_str())];
    let authority = call("genCAWithKey", &args);
    let made = certificate(&authority);
    assert_eq!(made.key(), key);
    assert!(is_signed_by(made.cert(), &key));
    let names = Value::list(vec![Value::str("a.example"), Value::str("*.b.example")]);
    let ips = Value::list(vec![Value::str("10.0.0.1"), Value::str("::1")]);
    let elliptic = call("genPrivateKey", &[Value::str("ecdsa")]);
    let args = [Value::str("web"), ips, names, Value::int(1), authority.clone(), elliptic];
    let signed = certificate(&call("genSignedCertWithKey", &args));
    assert!(signed.key().starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    assert!(is_signed_by(signed.cert(), &key));
    let bytes = der(signed.cert());
    let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(has(b"\x82\x0b*.b.example") && has(&[0x87, 4, 10, 0, 0, 1]));
    // The issuer is the authority's name, valid for a day from the time that was given.
    assert!(has(b"Test CA") && has(b"231114221320Z") && has(b"231115221320Z"));
}

#[test]
fn every_kind_of_key_is_read_back() {
    for kind in ["ecdsa", "ed25519"] {
        let key = call("genPrivateKey", &[Value::str(kind)]);
        let args = [Value::str("x"), Value::Nil, Value::Nil, Value::int(1), key.clone()];
        let Value::Str(text) = key else { panic!("a key is text") };
        assert_eq!(
            certificate(&call("genSelfSignedCertWithKey", &args)).key().as_bytes(),
            &text[..]
        );
    }
}

#[test]
fn what_is_encrypted_is_decrypted() {
    let encrypted = call("encryptAES", &[Value::str("secret"), Value::str("some plain text")]);
    let plain = call("decryptAES", &[Value::str("secret"), encrypted]);
    assert_eq!(format!("{plain:?}"), format!("{:?}", Value::str("some plain text")));
}

#[test]
fn a_password_is_hashed_as_everywhere() {
    // The salt and the hash of an empty password from bcrypt's own tests.
    let salt = [
        0x9B, 0x6C, 0x9D, 0x2D, 0x4B, 0xCF, 0xD0, 0x24, 0x11, 0xC9, 0x15, 0xD1, 0x51, 0xD7, 0x01,
        0xD4,
    ];
    assert!(with_salt(b"", &salt).starts_with("$2a$10$"));
    assert_eq!(with_salt(b"", &salt).len(), 60);
}

#[test]
#[ignore = "scrypt takes ten seconds each without optimisation"]
fn a_derived_password_is_the_real_programs() {
    for (counter, kind, master, user, site, password) in [
        (1, "long", "password", "user", "example.com", "ZedaFaxcZaso9*"),
        (1, "maximum", "p", "u", "s", "t4#xAFSyHw8MyJrJ7#ru"),
        (2, "pin", "", "", "", "4149"),
    ] {
        let mut args = vec![Value::Uint(counter, goval::UintType::Uint32)];
        args.extend([kind, master, user, site].map(Value::str));
        let derived = call("derivePassword", &args);
        assert_eq!(goval::print_value(&derived).to_string(), password);
    }
}

#[test]
fn powers_and_primes_agree_with_ordinary_arithmetic() {
    let (mut impure, mut budget) = (Counted(3), budget());
    let mut context = Context { impure: &mut impure, budget: &mut budget, host: &mut () };
    let mut stream = Stream::of(&mut context, "test", &[]);
    for _ in 0..20 {
        let mut bytes = [0; 128];
        stream.fill(&mut bytes);
        bytes[0] |= 0x80;
        bytes[127] |= 1;
        let modulus = BigUint::from_bytes_be(&bytes);
        let limbs = prime::from_big::<16>(&modulus).expect("1024 bits");
        let (base, exponent) =
            (BigUint::from(stream.below(1 << 60)), BigUint::from(stream.below(1 << 40)));
        assert_eq!(Modulus::new(&limbs).power(&base, &exponent), base.modpow(&exponent, &modulus));
    }
    let prime = prime::random::<2>(&mut stream, |_| true);
    let two = BigUint::from(2u8);
    assert_eq!(two.modpow(&(&prime - 1u8), &prime), BigUint::from(1u8));
    let composite = prime::from_big::<2>(&(&prime - 2u8)).expect("128 bits");
    assert!(!prime::is_probable_prime(&composite, &mut stream));
}

#[test]
fn random_texts_have_their_length_and_letters() {
    let text = |template: &str| {
        String::from_utf8(render(template, &table(Profile::Helm4)).expect("it works"))
            .expect("ASCII")
    };
    let long = text("{{ randAlphaNum 500 }}");
    assert!(long.len() == 500 && long.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert!(text("{{ randNumeric 50 }}").bytes().all(|byte| byte.is_ascii_digit()));
    assert!(text("{{ randAlpha 50 }}").bytes().all(|byte| byte.is_ascii_alphabetic()));
    assert!(text("{{ randAscii 50 }}").bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    let uuid = text("{{ uuidv4 }}");
    assert!(uuid.len() == 36 && &uuid[14..15] == "4" && "89ab".contains(&uuid[19..20]));
    assert_eq!(text("{{ randBytes 9 }}").len(), 12);
    let number: i64 = text("{{ randInt 5 9 }}").parse().expect("a number");
    assert!((5..9).contains(&number));
    let mut letters: Vec<char> = text("{{ shuffle \"abcdef\" }}").chars().collect();
    letters.sort_unstable();
    assert_eq!(letters.iter().collect::<String>(), "abcdef");
}
