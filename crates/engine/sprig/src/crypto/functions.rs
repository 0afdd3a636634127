//! The functions themselves.

use goval::{Context, Value};

use crate::args::{Answer, int, list, named, object, text};
use crate::crypto::certificate::{Certificate, Pair};
use crate::crypto::key::Key;
use crate::crypto::x509::{Issuer, Template};
use crate::crypto::{cipher, derive, pem};
use crate::encoding::base64_bytes;
use crate::random::Stream;

/// Steps that a costly call counts for: so many such calls are as much as a long rendering.
const COSTLY_STEPS: u64 = 1_000_000;

/// What was pinned or made before, else what `make` makes, which is remembered.
fn remembered(
    context: &mut Context<'_>,
    function: &str,
    args: &[Value],
    make: impl FnOnce(&mut Context<'_>, Stream) -> Answer,
) -> Answer {
    if let Some(pinned) = context.impure.pinned(function, args) {
        return Ok(pinned);
    }
    context.budget.spend(COSTLY_STEPS)?;
    if let Some(known) = context.impure.remembered(function, args) {
        return Ok(known);
    }
    let stream = Stream::of(context, function, args);
    let made = make(context, stream)?;
    context.impure.remember(function, args, &made);
    Ok(made)
}

fn hashed(password: &[u8], stream: &mut Stream) -> String {
    crate::crypto::bcrypt::hash(password, stream)
        .unwrap_or_else(|error| format!("failed to encrypt string with bcrypt: {error}"))
}

pub(crate) fn bcrypt(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let password = text(args, 0)?;
    remembered(context, "bcrypt", args, |_, mut stream| {
        Ok(Value::str(hashed(password, &mut stream)))
    })
}

pub(crate) fn htpasswd(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let (user, password) = (text(args, 0)?, text(args, 1)?);
    if user.contains(&b':') {
        return Ok(Value::str([b"invalid username: ", user.as_bytes()].concat()));
    }
    remembered(context, "htpasswd", args, |_, mut stream| {
        let hash = hashed(password, &mut stream);
        Ok(Value::str([user.as_bytes(), b":", hash.as_bytes()].concat()))
    })
}

pub(crate) fn derive_password(context: &mut Context<'_>, args: &[Value]) -> Answer {
    context.budget.spend(COSTLY_STEPS)?;
    let counter = int(args, 0)? as u32;
    let [kind, master, user, site] =
        [text(args, 1)?, text(args, 2)?, text(args, 3)?, text(args, 4)?];
    Ok(match derive::password(counter, kind, master, user, site) {
        Ok(password) => Value::str(password),
        Err(error) => Value::str(error),
    })
}

pub(crate) fn encrypt_aes(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let (password, plain) = (text(args, 0)?, text(args, 1)?);
    if plain.is_empty() {
        return Ok(Value::str(""));
    }
    if let Some(pinned) = context.impure.pinned("encryptAES", args) {
        return Ok(pinned);
    }
    context.budget.charge(plain.len() as u64 * 3)?;
    let mut stream = Stream::of(context, "encryptAES", args);
    Ok(Value::str(cipher::encrypt(password, plain, &mut stream)))
}

pub(crate) fn decrypt_aes(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let (password, encrypted) = (text(args, 0)?, text(args, 1)?);
    if encrypted.is_empty() {
        return Ok(Value::str(""));
    }
    context.budget.charge(encrypted.len() as u64 * 3)?;
    Ok(Value::str(cipher::decrypt(password, encrypted)?))
}

pub(crate) fn gen_private_key(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let kind = text(args, 0)?;
    remembered(context, "genPrivateKey", args, |_, mut stream| {
        Ok(match Key::random(kind, &mut stream) {
            Some(key) => Value::str(key.to_pem()),
            None => Value::str([b"Unknown type ", kind.as_bytes()].concat()),
        })
    })
}

/// Checks a certificate and a key, both in base 64, and gives them as they are.
pub(crate) fn build_custom_cert(context: &mut Context<'_>, args: &[Value]) -> Answer {
    if let Some(pinned) = context.impure.pinned("buildCustomCert", args) {
        return Ok(pinned);
    }
    let cert = base64_bytes(text(args, 0)?).map_err(|_| "unable to decode base64 certificate")?;
    let key = base64_bytes(text(args, 1)?).map_err(|_| "unable to decode base64 private key")?;
    let (_, der) = pem::decode(&cert).ok_or("unable to decode certificate")?;
    Issuer::from_der(&der)
        .ok_or("error parsing certificate: decodedCert.Bytes: x509: malformed certificate")?;
    Key::from_pem(&key).map_err(|error| format!("error parsing private key: {error}"))?;
    Ok(named(Certificate::new(goval::text_of(&cert), goval::text_of(&key))))
}

/// A key that was given.
fn key_of(pem: &[u8]) -> Result<Key, String> {
    Key::from_pem(pem).map_err(|error| format!("parsing private key: {error}"))
}

fn finished(
    context: &mut Context<'_>,
    template: &Template,
    key: &Key,
    issuer: Option<(&Issuer, &Key)>,
    stream: &mut Stream,
) -> Answer {
    let der =
        template.certificate(key, issuer, context.impure.now(), stream).map_err(not_created)?;
    Ok(named(Certificate::new(pem::encode("CERTIFICATE", &der), key.to_pem())))
}

fn not_created(error: String) -> String {
    format!("error creating certificate: {error}")
}

/// Signed by itself, with the key that was given or a new one. A new one is made when somebody
/// looks at it; what can be wrong is told now.
fn signed_by_itself(
    context: &mut Context<'_>,
    template: Template,
    given: Option<&[u8]>,
    mut stream: Stream,
) -> Answer {
    if let Some(pem) = given {
        return finished(context, &template, &key_of(pem)?, None, &mut stream);
    }
    template.check().map_err(not_created)?;
    let now_ns = context.impure.now();
    Ok(named(Certificate::later(move || {
        let key = Key::for_certificate(&mut stream);
        let der = template.certificate(&key, None, now_ns, &mut stream);
        let der = der.expect("the names were checked, and such a key can sign");
        Pair { cert: pem::encode("CERTIFICATE", &der), key: key.to_pem() }
    })))
}

pub(crate) fn gen_ca(context: &mut Context<'_>, args: &[Value]) -> Answer {
    authority(context, "genCA", args, None)
}

pub(crate) fn gen_ca_with_key(context: &mut Context<'_>, args: &[Value]) -> Answer {
    authority(context, "genCAWithKey", args, Some(text(args, 2)?))
}

fn authority(
    context: &mut Context<'_>,
    function: &str,
    args: &[Value],
    given: Option<&[u8]>,
) -> Answer {
    let (name, days) = (text(args, 0)?, int(args, 1)?);
    remembered(context, function, args, |context, stream| {
        let template = Template::new(name, &[], &[], days)?.authority();
        signed_by_itself(context, template, given, stream)
    })
}

/// The template of a certificate for a server.
fn template(args: &[Value]) -> Result<Template, String> {
    let ips = list(args, 1)?.map_or(&[][..], |list| list);
    let names = list(args, 2)?.map_or(&[][..], |list| list);
    Template::new(text(args, 0)?, ips, names, int(args, 3)?)
}

pub(crate) fn gen_self_signed_cert(context: &mut Context<'_>, args: &[Value]) -> Answer {
    self_signed(context, "genSelfSignedCert", args, None)
}

pub(crate) fn gen_self_signed_cert_with_key(context: &mut Context<'_>, args: &[Value]) -> Answer {
    self_signed(context, "genSelfSignedCertWithKey", args, Some(text(args, 4)?))
}

fn self_signed(
    context: &mut Context<'_>,
    function: &str,
    args: &[Value],
    given: Option<&[u8]>,
) -> Answer {
    remembered(context, function, args, |context, stream| {
        // What is wrong with a key is told before what is wrong with the names.
        given.map(key_of).transpose()?;
        signed_by_itself(context, template(args)?, given, stream)
    })
}

pub(crate) fn gen_signed_cert(context: &mut Context<'_>, args: &[Value]) -> Answer {
    signed(context, "genSignedCert", args, None)
}

pub(crate) fn gen_signed_cert_with_key(context: &mut Context<'_>, args: &[Value]) -> Answer {
    signed(context, "genSignedCertWithKey", args, Some(text(args, 5)?))
}

fn signed(
    context: &mut Context<'_>,
    function: &str,
    args: &[Value],
    given: Option<&[u8]>,
) -> Answer {
    let authority: &Certificate = object(args, 4, "sprig.certificate")?;
    remembered(context, function, args, |context, mut stream| {
        let given = given.map(key_of).transpose()?;
        let (_, der) =
            pem::decode(authority.cert().as_bytes()).ok_or("unable to decode certificate")?;
        let issuer = Issuer::from_der(&der).ok_or(
            "error parsing certificate: decodedSignerCert.Bytes: x509: malformed certificate",
        )?;
        let signer = Key::from_pem(authority.key().as_bytes())
            .map_err(|error| format!("error parsing private key: {error}"))?;
        let template = template(args)?;
        let key = match given {
            Some(key) => key,
            None => Key::for_certificate(&mut stream),
        };
        finished(context, &template, &key, Some((&issuer, &signer)), &mut stream)
    })
}
