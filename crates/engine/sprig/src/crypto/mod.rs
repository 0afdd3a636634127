//! Keys, certificates and passwords.

mod certificate;

pub use certificate::Certificate;
