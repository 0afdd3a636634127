//! Servers of clouds, each on a port of its own, that note what they are asked.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use url::Url;

use crate::signing::{Signed, Signer};
use crate::{Aws, CloudError, Surroundings, aws, azure, google};

const ROLE: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>\
    <SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role/token==</SessionToken>\
    </Credentials></AssumeRoleResult></AssumeRoleResponse>";

fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a time")
}

/// A server that answers each path with one text, and 403 elsewhere.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn of(answers: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let answers: HashMap<String, String> =
            answers.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.expect("a connection"));
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    if reader.read_line(&mut head).expect("a line") == 0 {
                        break;
                    }
                }
                let length = head
                    .to_lowercase()
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
                    .unwrap_or(0);
                let mut body = vec![0; length];
                reader.read_exact(&mut body).expect("the body");
                let path = head.split(' ').nth(1).unwrap_or_default();
                let path = path.split('?').next().unwrap_or_default();
                let (code, text) = match answers.get(path) {
                    Some(text) => (200, text.as_str()),
                    None => (403, "nobody"),
                };
                log.lock().expect("no panic").push(head + &String::from_utf8_lossy(&body));
                let answer = format!(
                    "HTTP/1.1 {code} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{text}",
                    text.len()
                );
                reader.get_mut().write_all(answer.as_bytes()).expect("it is sent");
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

fn with<T>(
    variables: &[(&str, &str)],
    run: impl FnOnce(&Surroundings<'_>) -> Result<T, CloudError>,
) -> Result<T, CloudError> {
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    run(&Surroundings { variable: &variable, now: noon() })
}

fn cluster(name: &str) -> Aws {
    Aws { cluster: name.to_owned(), ..Aws::default() }
}

/// The request that a token of EKS stands for.
fn request(token: &str) -> Url {
    let text = token.strip_prefix("k8s-aws-v1.").expect("its kind");
    let text = URL_SAFE_NO_PAD.decode(text).expect("base64");
    String::from_utf8(text).expect("text").parse().expect("an address")
}

fn field(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[test]
fn a_signature_is_what_aws_publishes_for_it() {
    let signer = Signer {
        key_id: "AKIDEXAMPLE",
        secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        region: "us-east-1",
        service: "iam",
        now: "2015-08-30T12:36:00Z".parse().expect("a time"),
    };
    let signed = Signed {
        method: "GET",
        path: "/",
        query: &[("Action", "ListUsers"), ("Version", "2010-05-08")],
        headers: &[
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
        ],
        body: "",
    };
    assert_eq!(
        signer.signature(&signed),
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    );
}

#[test]
fn keys_of_the_environment_sign_for_a_cluster() {
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIA"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "a/token+"),
        ("AWS_REGION", "eu-west-1"),
    ];
    let login = with(&keys, |here| aws(&cluster("one"), here)).expect("a token");
    assert_eq!(login.expires.to_string(), "2026-11-22T12:14:00Z");
    let url = request(&login.token);
    assert_eq!(url.host_str(), Some("sts.eu-west-1.amazonaws.com"));
    assert_eq!(
        field(&url, "X-Amz-Credential").as_deref(),
        Some("AKIA/20261122/eu-west-1/sts/aws4_request")
    );
    assert_eq!(field(&url, "X-Amz-Security-Token").as_deref(), Some("a/token+"));
    assert_eq!(field(&url, "X-Amz-SignedHeaders").as_deref(), Some("host;x-k8s-aws-id"));
    let of = |name: &str| {
        let login = with(&keys, |here| aws(&cluster(name), here)).expect("a token");
        field(&request(&login.token), "X-Amz-Signature").expect("it is signed")
    };
    assert_eq!(of("one").len(), 64);
    assert_ne!(of("one"), of("two"), "the cluster's name is signed");
}

#[test]
fn a_service_accounts_token_and_a_role_lead_to_keys() {
    let server = Server::of(&[("/", ROLE)]);
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("token");
    std::fs::write(&file, "web-token\n").expect("it is written");
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().expect("text")),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/first"),
        ("AWS_ENDPOINT_URL_STS", &server.url),
    ];
    let wanted = Aws { role_arn: "arn:aws:iam::1:role/second".into(), ..cluster("one") };
    let login = with(&variables, |here| aws(&wanted, here)).expect("a token");
    let url = request(&login.token);
    assert!(field(&url, "X-Amz-Credential").is_some_and(|by| by.starts_with("ASIAROLE/")));
    assert_eq!(field(&url, "X-Amz-Security-Token").as_deref(), Some("role/token=="));
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked[0].contains("AssumeRoleWithWebIdentity") && asked[0].contains("web-token"));
    assert!(!asked[0].to_lowercase().contains("authorization:"));
    assert!(asked[1].contains("Action=AssumeRole&") && asked[1].contains("role%2Fsecond"));
    assert!(asked[1].contains("Credential=ASIAROLE/20261122/us-east-1/sts/aws4_request"));
}

#[test]
fn a_profile_may_lead_to_another() {
    let server = Server::of(&[("/", ROLE)]);
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        path.to_str().expect("text").to_owned()
    };
    let credentials = write(
        "credentials",
        "# ours\n[base]\naws_access_key_id = AKIABASE\naws_secret_access_key=base\n",
    );
    let config = write(
        "config",
        "[profile team]\nrole_arn = arn:aws:iam::1:role/team\nsource_profile = base\nregion = eu-north-1\n\
         [profile round]\nrole_arn = r\nsource_profile = other\n[profile other]\nrole_arn = r\nsource_profile = round\n\
         [profile runs]\ncredential_process = /bin/true\n",
    );
    let variables = [
        ("AWS_SHARED_CREDENTIALS_FILE", credentials.as_str()),
        ("AWS_CONFIG_FILE", config.as_str()),
        ("AWS_ENDPOINT_URL_STS", server.url.as_str()),
    ];
    let of = |profile: &str| {
        let wanted = Aws { profile: profile.to_owned(), ..cluster("one") };
        with(&variables, |here| aws(&wanted, here))
    };
    let url = request(&of("team").expect("a token").token);
    assert_eq!(
        field(&url, "X-Amz-Credential").as_deref(),
        Some("ASIAROLE/20261122/eu-north-1/sts/aws4_request")
    );
    assert!(server.asked()[0].contains("Credential=AKIABASE/"));
    let said = |profile: &str| of(profile).expect_err("it cannot be used").to_string();
    assert_eq!(
        said("round").replace("other", "round"),
        "the AWS profile `round` cannot be used: its `source_profile` leads in a circle"
    );
    assert!(said("runs").contains("names a program, and none is run"));
    assert!(said("absent").contains("it has no `aws_access_key_id`"));
}

#[test]
fn a_container_and_a_machine_tell_keys() {
    let keys = r#"{"AccessKeyId": "ASIASERVED", "SecretAccessKey": "s", "Token": "t"}"#;
    let server = Server::of(&[
        ("/v1/credentials", keys),
        ("/latest/api/token", "session"),
        ("/latest/meta-data/iam/security-credentials/", "node\n"),
        ("/latest/meta-data/iam/security-credentials/node", keys),
    ]);
    let full = format!("{}/v1/credentials", server.url);
    let container = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", full.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "pod"),
    ];
    let machine = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url.as_str())];
    for variables in [&container[..], &machine] {
        let login = with(variables, |here| aws(&cluster("one"), here)).expect("a token");
        let by = field(&request(&login.token), "X-Amz-Credential").expect("it is signed");
        assert!(by.starts_with("ASIASERVED/"), "{by}");
    }
    let asked = server.asked();
    assert!(asked[0].contains("authorization: pod"));
    assert!(asked[1].starts_with("PUT "));
    assert!(asked[3].contains("x-aws-ec2-metadata-token: session"));
    let none = [("AWS_EC2_METADATA_DISABLED", "true")];
    let error = with(&none, |here| aws(&cluster("one"), here)).expect_err("nobody says who we are");
    assert!(error.to_string().contains("AWS_ACCESS_KEY_ID"), "{error}");
}

#[test]
fn google_is_asked_by_the_machine_or_by_a_file() {
    let answer = r#"{"access_token": "ya29", "expires_in": 3599, "token_type": "Bearer"}"#;
    let place = "/computeMetadata/v1/instance/service-accounts/default/token";
    let server = Server::of(&[(place, answer), ("/token", answer)]);
    let machine = [("GCE_METADATA_HOST", server.url.trim_start_matches("http://"))];
    let login = with(&machine, google).expect("a token");
    assert_eq!(
        (login.token.as_str(), login.expires.to_string().as_str()),
        ("ya29", "2026-11-22T12:58:59Z")
    );
    assert!(server.asked()[0].contains("metadata-flavor: Google"));
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("key.json");
    let of = |file: serde_json::Value| {
        std::fs::write(&path, file.to_string()).expect("it is written");
        let variables = [("GOOGLE_APPLICATION_CREDENTIALS", path.to_str().expect("text"))];
        with(&variables, google)
    };
    let token_uri = format!("{}/token", server.url);
    let person = serde_json::json!({"type": "authorized_user", "client_id": "c", "client_secret": "s",
        "refresh_token": "r", "token_uri": token_uri});
    assert_eq!(of(person).expect("a token").token, "ya29");
    assert!(server.asked()[1].contains("grant_type=refresh_token"));
    let broken = serde_json::json!({"type": "service_account", "client_email": "e", "private_key": "no",
        "token_uri": token_uri});
    assert!(of(broken).expect_err("no key").to_string().contains("`private_key` is no PEM"));
    let other = serde_json::json!({"type": "external_account"});
    assert!(of(other).expect_err("not built").to_string().contains("`external_account`"));
}

#[test]
fn azure_is_asked_as_the_login_method_says() {
    let answer = r#"{"access_token": "ey", "expires_in": "3600"}"#;
    let server = Server::of(&[
        ("/tenant/oauth2/v2.0/token", answer),
        ("/metadata/identity/oauth2/token", answer),
    ]);
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("token");
    std::fs::write(&file, "federated\n").expect("it is written");
    let base = [
        ("AZURE_AUTHORITY_HOST", server.url.as_str()),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url.as_str()),
        ("AZURE_CLIENT_ID", "client"),
        ("AZURE_TENANT_ID", "tenant"),
    ];
    let by = |more: &[(&str, &str)]| {
        let variables: Vec<_> = base.iter().chain(more).copied().collect();
        with(&variables, azure)
    };
    let mounted = [("AZURE_FEDERATED_TOKEN_FILE", file.to_str().expect("text"))];
    assert_eq!(by(&mounted).expect("a token").expires.to_string(), "2026-11-22T12:59:00Z");
    assert!(server.asked()[0].contains("client_assertion=federated"));
    assert!(server.asked()[0].contains("6dae42f8-4368-4678-94ff-3960e28e3630%2F.default"));
    by(&[("AAD_LOGIN_METHOD", "spn"), ("AZURE_CLIENT_SECRET", "s")]).expect("a token");
    assert!(server.asked()[1].contains("client_secret=s"));
    by(&[("AAD_LOGIN_METHOD", "msi")]).expect("a token");
    assert!(server.asked()[2].contains("resource=6dae42f8"));
    let person = by(&[]).expect_err("a person would have to act").to_string();
    assert!(person.contains("`devicecode`") && person.contains("workloadidentity"), "{person}");
}

#[test]
fn a_refusal_names_the_server_and_no_secret() {
    let server = Server::of(&[]);
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIA"),
        ("AWS_SECRET_ACCESS_KEY", "very-secret"),
        ("AWS_ENDPOINT_URL_STS", server.url.as_str()),
    ];
    let wanted = Aws { role_arn: "r".into(), ..cluster("one") };
    let error = with(&variables, |here| aws(&wanted, here)).expect_err("it is refused");
    assert_eq!(error.to_string(), format!("{}/ answers 403: nobody", server.url));
    assert!(!format!("{error:?}").contains("very-secret"));
}
