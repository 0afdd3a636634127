use russh::keys::PublicKey;

use super::{KnownHosts, fits};

const ED: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
const OTHER: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

fn key(blob: &str) -> PublicKey {
    format!("ssh-ed25519 {blob}").parse().expect("a key")
}

fn check(text: &str, host: &str, port: u16) -> Result<(), String> {
    KnownHosts::parse(text).check_key(host, port, &key(ED))
}

#[test]
fn a_host_is_known_by_name_port_wildcard_and_hash() {
    let line = |host: &str| format!("# comment\n\nbroken\n{host} ssh-ed25519 {ED} note\n");
    assert!(check(&line("example.com"), "Example.COM", 22).is_ok());
    assert!(check(&line("other,example.com"), "example.com", 22).is_ok());
    assert!(check(&line("[example.com]:22"), "example.com", 22).is_ok());
    assert!(check(&line("[example.com]:2222"), "example.com", 2222).is_ok());
    assert!(check(&line("example.com"), "example.com", 2222).is_err());
    assert!(check(&line("*.example.com"), "git.example.com", 22).is_ok());
    assert!(check(&line("*.example.com,!git.example.com"), "git.example.com", 22).is_err());
    // `ssh-keygen -H` made these of `example.com` and `[127.0.0.1]:2222`.
    let hashed = line(&hash_of("example.com"));
    assert!(check(&hashed, "example.com", 22).is_ok());
    assert!(check(&hashed, "else.com", 22).is_err());
    assert!(check(&line(&hash_of("[127.0.0.1]:2222")), "127.0.0.1", 2222).is_ok());
}

/// As OpenSSH hashes a name, with a fixed salt.
fn hash_of(name: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let salt = [7_u8; 20];
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
    let hash = ring::hmac::sign(&key, name.as_bytes());
    format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(hash.as_ref()))
}

#[test]
fn an_unknown_another_and_a_revoked_key_are_told_apart() {
    let unknown = check("", "example.com", 22).unwrap_err();
    assert!(unknown.contains("key is unknown") && unknown.contains("SHA256:"), "{unknown}");
    let other = check(&format!("example.com ssh-ed25519 {OTHER}"), "example.com", 22).unwrap_err();
    assert!(other.contains("key mismatch") && other.contains("line 1: ssh-ed25519"), "{other}");
    let both = format!("example.com ssh-ed25519 {ED}\n@revoked * ssh-ed25519 {ED}\n");
    assert!(check(&both, "example.com", 22).unwrap_err().contains("revoked"));
    let authority = format!("@cert-authority example.com ssh-ed25519 {ED}");
    assert!(check(&authority, "example.com", 22).is_err(), "an authority's key is no host's");
    assert!(KnownHosts::parse(&authority).has_authority("example.com", 22));
}

#[test]
fn kinds_of_keys_that_are_known_are_asked_for_first() {
    let known = KnownHosts::parse(&format!("example.com ssh-ed25519 {ED}"));
    assert_eq!(known.preferred("example.com", 22)[0].to_string(), "ssh-ed25519");
    assert_eq!(known.preferred("example.com", 22).len(), 7);
}

#[test]
fn patterns_fit_as_in_a_shell() {
    assert!(fits("*", "anything") && fits("a*c", "abbbc") && fits("a?c", "abc"));
    assert!(fits("192.168.*.1", "192.168.7.1") && fits("*.*", "a.b"));
    assert!(!fits("a*c", "abcd") && !fits("a?c", "ac") && !fits("", "a"));
}
