//! Who somebody is: tokens of service accounts, signed here, and names that are lent.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::api::problem::Problem;
use crate::api::request::User;
use crate::api::route::decode_percent;
use crate::cluster::Cluster;

/// Whom tokens are for, and who issues them.
pub const AUDIENCE: &str = "https://kubernetes.default.svc";

/// Who issues the tokens that Secrets hold.
pub const OLD_ISSUER: &str = "kubernetes/serviceaccount";

const ANONYMOUS: &str = "system:anonymous";
const AUTHENTICATED: &str = "system:authenticated";
const UNAUTHENTICATED: &str = "system:unauthenticated";

/// Returns a token that says `claims`, and that this cluster will know again.
pub fn signed(cluster: &Cluster, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let said = format!("{}.{}", part(&json!({"alg": "HS256", "kid": "simulated"})), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(mac(cluster, &said).finalize().into_bytes());
    format!("{said}.{signature}")
}

fn mac(cluster: &Cluster, said: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(cluster.secret().as_bytes()).expect("a key has any length");
    mac.update(cluster.name.as_bytes());
    mac.update(b"\n");
    mac.update(said.as_bytes());
    mac
}

/// Returns who bears a token; `None` where nobody is let in with it.
pub fn bearer(cluster: &Cluster, token: &str) -> Option<User> {
    if same(token.as_bytes(), cluster.secret().as_bytes()) {
        return Some(User::default());
    }
    let (said, signature) = token.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    mac(cluster, said).verify_slice(&signature).ok()?;
    let (_, claims) = said.split_once('.')?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    if claims["iss"] == OLD_ISSUER {
        of_secret(cluster, &claims)
    } else {
        of_request(cluster, &claims)
    }
}

/// Compares without telling by its time where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
}

fn of_request(cluster: &Cluster, claims: &Value) -> Option<User> {
    let is_for_us = claims["aud"].as_array()?.iter().any(|audience| audience == AUDIENCE);
    if !is_for_us || claims["exp"].as_i64()? <= cluster.now().as_second() {
        return None;
    }
    let said = &claims["kubernetes.io"];
    let text = |at: &str| said.pointer(at).and_then(Value::as_str);
    let namespace = text("/namespace")?;
    let bound = [("pod", "/pods"), ("secret", "/secrets"), ("node", "/nodes")];
    for (what, table) in bound.iter().filter(|(what, _)| said.get(what).is_some()) {
        let name = text(&format!("/{what}/name"))?;
        let key = if *what == "node" { name.to_owned() } else { format!("{namespace}/{name}") };
        let entry = cluster.store.get(table, &key)?;
        if Some(&*entry.meta.uid) != text(&format!("/{what}/uid")) {
            return None;
        }
    }
    let mut user =
        account(cluster, namespace, text("/serviceaccount/name")?, text("/serviceaccount/uid")?)?;
    if let Some(id) = claims["jti"].as_str() {
        let key = "authentication.kubernetes.io/credential-id".to_owned();
        user.extra.insert(key, vec![format!("JTI={id}")]);
    }
    Some(user)
}

fn of_secret(cluster: &Cluster, claims: &Value) -> Option<User> {
    let text = |what: &str| claims[format!("kubernetes.io/serviceaccount/{what}")].as_str();
    let namespace = text("namespace")?;
    let secret = cluster.store.get("/secrets", &format!("{namespace}/{}", text("secret.name")?))?;
    if secret.meta.deleting {
        return None;
    }
    account(cluster, namespace, text("service-account.name")?, text("service-account.uid")?)
}

fn account(cluster: &Cluster, namespace: &str, name: &str, uid: &str) -> Option<User> {
    let found = cluster.store.get("/serviceaccounts", &format!("{namespace}/{name}"))?;
    if *found.meta.uid != *uid || found.meta.deleting {
        return None;
    }
    let mut groups = groups_of_account(namespace);
    groups.push(AUTHENTICATED.to_owned());
    let name = format!("system:serviceaccount:{namespace}:{name}");
    Some(User { name, groups, uid: uid.to_owned(), ..User::nobody() })
}

fn groups_of_account(namespace: &str) -> Vec<String> {
    vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")]
}

impl User {
    /// Somebody of whom nothing is known.
    fn nobody() -> User {
        User {
            name: String::new(),
            groups: Vec::new(),
            uid: String::new(),
            extra: BTreeMap::new(),
            asked_groups: Vec::new(),
        }
    }

    /// Who says nothing of himself.
    pub fn anonymous() -> User {
        User {
            name: ANONYMOUS.to_owned(),
            groups: vec![UNAUTHENTICATED.to_owned()],
            ..User::nobody()
        }
    }
}

/// Returns in whose name a request is to be answered, by its headers, whose names are in lower
/// case; `None` where they say nothing of it.
///
/// # Errors
///
/// 400 where anything but the name is given.
pub fn lent<'a>(
    headers: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Option<User>, Problem> {
    let mut user = User::nobody();
    for (name, value) in headers {
        match name {
            "impersonate-user" => user.name = value.to_owned(),
            "impersonate-uid" => user.uid = value.to_owned(),
            "impersonate-group" => user.asked_groups.push(value.to_owned()),
            _ => {
                if let Some(key) = name.strip_prefix("impersonate-extra-") {
                    let values = user.extra.entry(decode_percent(key)).or_default();
                    values.push(value.to_owned());
                }
            }
        }
    }
    if user.name.is_empty() {
        let says_nothing =
            user.uid.is_empty() && user.asked_groups.is_empty() && user.extra.is_empty();
        return if says_nothing { Ok(None) } else { Err(nameless(&user)) };
    }
    user.groups = user.asked_groups.clone();
    let account = user.name.strip_prefix("system:serviceaccount:");
    if let (true, Some((namespace, _))) =
        (user.groups.is_empty(), account.and_then(|rest| rest.split_once(':')))
    {
        user.groups = groups_of_account(namespace);
    }
    let has = |group: &str| user.groups.iter().any(|one| one == group);
    let missing = match user.name == ANONYMOUS {
        true => (!has(UNAUTHENTICATED)).then_some(UNAUTHENTICATED),
        false => (!has(AUTHENTICATED) && !has(UNAUTHENTICATED)).then_some(AUTHENTICATED),
    };
    user.groups.extend(missing.map(str::to_owned));
    Ok(Some(user))
}

/// What is said as the server's language prints it.
fn nameless(user: &User) -> Problem {
    let list = |values: &[String]| {
        let quoted: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
        format!("[]string{{{}}}", quoted.join(", "))
    };
    let groups = match user.asked_groups.as_slice() {
        [] => "[]string(nil)".to_owned(),
        groups => list(groups),
    };
    let mut extra = "map[string][]string".to_owned();
    if user.extra.is_empty() {
        extra.push_str("(nil)");
    } else {
        let all: Vec<String> =
            user.extra.iter().map(|(key, values)| format!("{key:?}:{}", list(values))).collect();
        // Writing to a string does not fail.
        let _ = write!(extra, "{{{}}}", all.join(", "));
    }
    Problem::bad_request(format!(
        "requested &user.DefaultInfo{{Name:\"\", UID:{:?}, Groups:{groups}, Extra:{extra}}} without impersonating a user name",
        user.uid
    ))
}
