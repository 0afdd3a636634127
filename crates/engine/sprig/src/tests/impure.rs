//! Three ways to be random.

use goval::{Budget, Context, Impure, Value};

use super::template::budget;
use crate::{Fresh, Pinned, Profile, Stable, functions};

fn call(impure: &mut dyn Impure, name: &str, args: &[Value]) -> String {
    let mut budget = budget();
    let mut context = Context { impure, budget: &mut budget, host: &mut () };
    let function = functions(Profile::Helm4).iter().find(|function| function.name == name);
    let value = (function.expect("it exists").body)(&mut context, args).expect("it works");
    goval::print_value(&value).to_string()
}

fn password(impure: &mut dyn Impure) -> String {
    call(impure, "randAlphaNum", &[Value::int(20)])
}

#[test]
fn stable_values_are_the_same_at_every_rendering_and_differ_within_one() {
    let rendering = |key: u8| {
        let mut stable = Stable::new([key; 32], 0);
        stable.enter("a.yaml");
        let first = password(&mut stable);
        let second = password(&mut stable);
        stable.enter("b.yaml");
        (first, second, password(&mut stable))
    };
    let (first, second, elsewhere) = rendering(1);
    assert_eq!(rendering(1), (first.clone(), second.clone(), elsewhere.clone()));
    assert!(first != second && first != elsewhere && second != elsewhere);
    assert_ne!(rendering(2).0, first);
}

#[test]
fn a_call_in_one_template_does_not_change_those_of_another() {
    let second = |calls_before: usize| {
        let mut stable = Stable::new([1; 32], 0);
        stable.enter("a.yaml");
        for _ in 0..calls_before {
            password(&mut stable);
        }
        stable.enter("b.yaml");
        password(&mut stable)
    };
    assert_eq!(second(0), second(3));
}

#[test]
fn what_was_costly_is_made_once() {
    let render = |stable: &mut Stable| {
        let kind = [Value::str("ed25519")];
        [call(stable, "genPrivateKey", &kind), call(stable, "genPrivateKey", &kind)]
    };
    let mut stable = Stable::new([1; 32], 0);
    let made = render(&mut stable);
    assert_ne!(made[0], made[1]);
    // Another key would make others, if it had to.
    let mut again = Stable::new([9; 32], 0).with_made(stable.into_made());
    assert_eq!(render(&mut again), made);
}

#[test]
fn fresh_values_come_from_the_caller() {
    let mut next = 0;
    let mut fill = |bytes: &mut [u8]| {
        next += 1;
        bytes.fill(next);
    };
    let mut fresh = Fresh::new(5_000_000_000, &mut fill);
    assert_ne!(password(&mut fresh), password(&mut fresh));
    assert_eq!(call(&mut fresh, "now", &[]), "1970-01-01 00:00:05 +0000 UTC");
}

#[test]
fn pinned_values_are_those_of_the_table() {
    let text = |name: &str, args: &[Value]| call(&mut Pinned, name, args);
    let of = |text: &str| Value::str(text);
    assert_eq!(text("randAlphaNum", &[Value::int(3)]), "xxx");
    assert_eq!(text("randNumeric", &[Value::int(3)]), "111");
    assert_eq!(text("randBytes", &[Value::int(3)]), "AAA");
    assert_eq!(text("randInt", &[Value::int(3), Value::int(9)]), "3");
    assert_eq!(text("uuidv4", &[]), "00000000-0000-4000-8000-000000000000");
    assert_eq!(text("shuffle", &[of("abc")]), "abc");
    assert_eq!(text("now", &[]), "2023-11-14 22:13:20 +0000 UTC");
    assert_eq!(
        text("genPrivateKey", &[of("rsa")]),
        "-----BEGIN rsa PRIVATE KEY-----\nk\n-----END rsa PRIVATE KEY-----\n"
    );
    assert_eq!(
        text("genCA", &[of("x"), Value::int(1)]),
        "{-----BEGIN CERTIFICATE-----\nca:x\n-----END CERTIFICATE-----\n \
         -----BEGIN RSA PRIVATE KEY-----\nca:x\n-----END RSA PRIVATE KEY-----\n}"
    );
    assert_eq!(text("htpasswd", &[of("u"), of("p")]), "u:$2a$10$p");
    assert_eq!(text("bcrypt", &[of("p")]), "$2a$10$p");
    assert_eq!(text("encryptAES", &[of("k"), of("v")]), "aes:v");
    assert_eq!(text("buildCustomCert", &[of("a"), of("b")]), "{a b}");
}

#[test]
fn what_grows_with_a_number_counts() {
    for (name, args) in [
        ("until", vec![Value::int(1 << 40)]),
        ("untilStep", vec![Value::int(0), Value::int(i64::MAX), Value::int(1)]),
        ("seq", vec![Value::int(1 << 40)]),
        ("repeat", vec![Value::int(1 << 40), Value::str("x")]),
        ("indent", vec![Value::int(1 << 40), Value::str("x")]),
        ("nindent", vec![Value::int(1 << 40), Value::str("x\n")]),
        ("randAlphaNum", vec![Value::int(1 << 40)]),
        ("randBytes", vec![Value::int(1 << 40)]),
        ("toJson", vec![Value::str("x".repeat(2 << 20))]),
        ("toYaml", vec![Value::str("x".repeat(2 << 20))]),
    ] {
        let mut budget = Budget { fuel: 1 << 20, bytes: 1 << 20 };
        let mut context = Context { impure: &mut Pinned, budget: &mut budget, host: &mut () };
        let function = functions(Profile::Helm4).iter().find(|function| function.name == name);
        let answer = (function.expect("it exists").body)(&mut context, &args);
        assert!(answer.is_err(), "{name}");
    }
}
