//! Keys, certificates and passwords.

mod bcrypt;
mod certificate;
mod cipher;
mod der;
mod derive;
mod ec;
mod functions;
mod key;
mod pem;
mod prime;
mod rsa;
mod x509;

pub use certificate::Certificate;
pub(crate) use certificate::Pair;

pub(crate) use functions::{
    bcrypt, build_custom_cert, decrypt_aes, derive_password, encrypt_aes, gen_ca, gen_ca_with_key,
    gen_private_key, gen_self_signed_cert, gen_self_signed_cert_with_key, gen_signed_cert,
    gen_signed_cert_with_key, htpasswd,
};

#[cfg(test)]
mod tests;
