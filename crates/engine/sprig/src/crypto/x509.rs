//! Certificates as Go makes them from Sprig's template.

use std::net::IpAddr;

use goval::Value;
use num_bigint::BigUint;

use crate::crypto::der::{
    BOOLEAN, GENERALIZED_TIME, INTEGER, OBJECT_ID, OCTET_STRING, PRINTABLE_STRING, Reader,
    SEQUENCE, SET, UTC_TIME, UTF8_STRING, element, integer, object_id, sequence, small,
};
use crate::crypto::key::{Key, key_id};
use crate::random::Stream;
use crate::time::Time;

const DAY_NS: i128 = 86_400 * 1_000_000_000;

/// What a certificate shall say.
pub(super) struct Template {
    name: Vec<u8>,
    ips: Vec<IpAddr>,
    names: Vec<String>,
    days: i64,
    is_authority: bool,
}

/// Who signs: the names as they stand in the certificate.
pub(super) struct Issuer {
    subject: Vec<u8>,
    key_id: Vec<u8>,
    public_info: Vec<u8>,
}

impl Template {
    /// # Errors
    ///
    /// For what is no address or no text, in Sprig's words.
    pub(super) fn new(
        name: &[u8],
        ips: &[Value],
        names: &[Value],
        days: i64,
    ) -> Result<Self, String> {
        let ips = ips.iter().map(|ip| match ip {
            Value::Str(text) => {
                let text = goval::text_of(text);
                text.parse().map_err(|_| format!("error parsing ip: {text}"))
            }
            other => {
                let shown = goval::print_value(other);
                Err(format!("error parsing ip: {shown} is not a string"))
            }
        });
        let names = names.iter().map(|name| match name {
            Value::Str(text) => Ok(goval::text_of(text)),
            other => {
                let shown = goval::print_value(other);
                Err(format!("error processing alternate dns name: {shown} is not a string"))
            }
        });
        Ok(Self {
            name: name.to_vec(),
            ips: ips.collect::<Result<_, _>>()?,
            names: names.collect::<Result<_, _>>()?,
            days,
            is_authority: false,
        })
    }

    /// One that may sign others.
    pub(super) fn authority(self) -> Self {
        Self { is_authority: true, ..self }
    }

    /// Says now what would be wrong with a certificate, its key and its issuer apart.
    ///
    /// # Errors
    ///
    /// As [`Template::certificate`].
    pub(super) fn check(&self) -> Result<(), String> {
        let subject = self.subject()?;
        self.extensions(&[], &[], is_empty(&subject))?;
        Ok(())
    }

    /// Makes the certificate for `key`; without an issuer it signs itself.
    ///
    /// # Errors
    ///
    /// Go's.
    pub(super) fn certificate(
        &self,
        key: &Key,
        issuer: Option<(&Issuer, &Key)>,
        now_ns: i128,
        stream: &mut Stream,
    ) -> Result<Vec<u8>, String> {
        let signer = issuer.map_or(key, |(_, signer)| signer);
        let algorithm = signer.signature_algorithm()?;
        let (public_info, public) = key.public_info()?;
        if let Some((issuer, signer)) = issuer
            && issuer.public_info != signer.public_info()?.0
        {
            return Err("x509: provided PrivateKey doesn't match parent's PublicKey".to_owned());
        }
        let subject = self.subject()?;
        let issuer_name = issuer.map_or(&subject, |(issuer, _)| &issuer.subject);
        let mut serial = [0; 16];
        stream.fill(&mut serial);
        let end_ns = now_ns + i128::from(self.days) * DAY_NS;
        let authority = issuer
            .filter(|(issuer, _)| issuer.subject != subject)
            .map_or(&[][..], |(issuer, _)| &issuer.key_id);
        let extensions = sequence(&self.extensions(&public, authority, is_empty(&subject))?);
        let body = sequence(&[
            element(0xA0, &small(2)),
            integer(&BigUint::from_bytes_be(&serial)),
            algorithm.clone(),
            issuer_name.clone(),
            sequence(&[time(now_ns), time(end_ns)]),
            subject.clone(),
            public_info,
            element(0xA3, &extensions),
        ]);
        let signature =
            signer.sign(&body).ok_or("crypto/rsa: message too long for RSA key size")?;
        Ok(sequence(&[body, algorithm, crate::crypto::der::bits(&signature)]))
    }

    fn subject(&self) -> Result<Vec<u8>, String> {
        if self.name.is_empty() {
            return Ok(sequence(&[]));
        }
        let is_printable =
            |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+,-./ :=?".contains(byte);
        if std::str::from_utf8(&self.name).is_err() {
            return Err("asn1: string not valid UTF-8".to_owned());
        }
        let tag = if self.name.iter().all(is_printable) { PRINTABLE_STRING } else { UTF8_STRING };
        let pair = sequence(&[object_id(&[0x55, 0x04, 0x03]), element(tag, &self.name)]);
        Ok(sequence(&[element(SET, &pair)]))
    }

    fn extensions(
        &self,
        public: &[u8],
        authority: &[u8],
        no_subject: bool,
    ) -> Result<Vec<Vec<u8>>, String> {
        // Digital signature and key encipherment; an authority signs certificates, too.
        let usage: &[u8] = if self.is_authority { &[2, 0xA4] } else { &[5, 0xA0] };
        let server_auth = object_id(&[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]);
        let client_auth = object_id(&[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02]);
        let constraints =
            if self.is_authority { vec![element(BOOLEAN, &[0xFF])] } else { Vec::new() };
        let mut all = vec![
            extension(15, true, &element(crate::crypto::der::BIT_STRING, usage)),
            extension(37, false, &sequence(&[server_auth, client_auth])),
            extension(19, true, &sequence(&constraints)),
        ];
        if self.is_authority {
            all.push(extension(14, false, &element(OCTET_STRING, &key_id(public))));
        }
        if !authority.is_empty() {
            all.push(extension(35, false, &sequence(&[element(0x80, authority)])));
        }
        if !self.names.is_empty() || !self.ips.is_empty() {
            let mut names = Vec::new();
            for name in &self.names {
                if !name.is_ascii() {
                    let name = goval::quote(name);
                    return Err(format!("x509: {name} cannot be encoded as an IA5String"));
                }
                names.push(element(0x82, name.as_bytes()));
            }
            for ip in &self.ips {
                names.push(match ip.to_canonical() {
                    IpAddr::V4(ip) => element(0x87, &ip.octets()),
                    IpAddr::V6(ip) => element(0x87, &ip.octets()),
                });
            }
            all.push(extension(17, no_subject, &sequence(&names)));
        }
        Ok(all)
    }
}

fn is_empty(subject: &[u8]) -> bool {
    subject.len() == 2
}

/// An extension of X.509's own.
fn extension(number: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![object_id(&[0x55, 0x1D, number])];
    if critical {
        parts.push(element(BOOLEAN, &[0xFF]));
    }
    parts.push(element(OCTET_STRING, value));
    sequence(&parts)
}

/// Two digits for the year where it is between 1950 and 2049.
fn time(nanos: i128) -> Vec<u8> {
    let time = Time::from_unix_nanos(nanos);
    let year: i64 = time.formatted("2006").parse().unwrap_or_default();
    if (1950..2050).contains(&year) {
        element(UTC_TIME, time.formatted("060102150405Z").as_bytes())
    } else {
        element(GENERALIZED_TIME, time.formatted("20060102150405Z").as_bytes())
    }
}

impl Issuer {
    /// Reads a certificate; `None` for what is none.
    pub(super) fn from_der(bytes: &[u8]) -> Option<Self> {
        let mut whole = Reader::new(bytes);
        let mut outer = whole.sequence()?;
        let mut body = outer.sequence()?;
        outer.sequence()?;
        outer.take(crate::crypto::der::BIT_STRING)?;
        if !outer.is_empty() || !whole.is_empty() {
            return None;
        }
        body.take(0xA0);
        body.take(INTEGER)?;
        body.sequence()?;
        body.sequence()?;
        body.sequence()?;
        let subject = body.take(SEQUENCE)?.whole.to_vec();
        let public_info = body.take(SEQUENCE)?.whole.to_vec();
        let mut own_id = Vec::new();
        while let Some(part) = body.next() {
            if part.tag != 0xA3 {
                continue;
            }
            let mut extensions = Reader::new(part.content).sequence()?;
            while let Some(mut extension) = extensions.sequence() {
                let id = extension.take(OBJECT_ID)?.content;
                extension.take(BOOLEAN);
                let value = extension.take(OCTET_STRING)?.content;
                if id == [0x55, 0x1D, 14] {
                    own_id = Reader::new(value).take(OCTET_STRING)?.content.to_vec();
                }
            }
        }
        Some(Self { subject, key_id: own_id, public_info })
    }
}
