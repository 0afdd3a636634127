//! Clusters of AWS (EKS): the token is a signed request that asks who signed it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde::Deserialize;
use url::Url;

use crate::http::{Question, address, ask};
use crate::profile::Profile;
use crate::signing::{Signed, Signer, header_names, query};
use crate::surroundings::{CloudError, Login, Surroundings};

/// What tokens of EKS begin with.
const PREFIX: &str = "k8s-aws-v1.";
/// The header that names the cluster for which the request was signed.
const CLUSTER: &str = "x-k8s-aws-id";
/// How long the signed request may be used, in seconds, as AWS's own tool writes it; EKS itself takes
/// a token for 15 minutes.
const USABLE_S: &str = "60";
/// How long a token is used: a minute less than EKS takes it.
const HOLDS: SignedDuration = SignedDuration::from_mins(14);
/// The version of the service that knows who somebody is.
const VERSION: &str = "2011-06-15";
/// Where metadata of a machine are served.
const MACHINE: &str = "http://169.254.169.254";
/// Where credentials of a container are served, for the paths that are told without a server.
const CONTAINER: &str = "http://169.254.170.2";
/// Profiles that lead from one to another.
const PROFILES_MAX: usize = 5;
/// What our sessions are called in AWS's own logs.
const SESSION: &str = "tiphys";

/// A cluster, and as whom it is to be used.
#[derive(Clone, Debug, Default)]
pub struct Aws {
    /// Its name in EKS.
    pub cluster: String,
    /// The role to take on; `""`: none.
    pub role_arn: String,
    /// The profile to begin with; `""`: what the process runs with.
    pub profile: String,
}

/// Returns a token for a cluster of EKS.
///
/// Who we are is looked for in AWS's order: the profile that is named, else variables, the token of
/// a service account (`AWS_WEB_IDENTITY_TOKEN_FILE`), the default profile, the container, the machine.
///
/// # Errors
///
/// Where nothing says who we are, or AWS does not take it.
pub fn aws(wanted: &Aws, surroundings: &Surroundings<'_>) -> Result<Login, CloudError> {
    let finder = Finder { surroundings, region: region(wanted, surroundings) };
    let mut keys = finder.keys(&wanted.profile)?;
    if !wanted.role_arn.is_empty() {
        keys = finder.assume(&keys, &wanted.role_arn, None)?;
    }
    let url = finder.sts()?;
    let signer = finder.signer(&keys);
    let (credential, time) = (signer.credential(), signer.time());
    let host = authority(&url);
    let headers = [("host", host.as_str()), (CLUSTER, wanted.cluster.as_str())];
    let names = header_names(&headers);
    let mut fields = vec![
        ("Action", "GetCallerIdentity"),
        ("Version", VERSION),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", credential.as_str()),
        ("X-Amz-Date", time.as_str()),
        ("X-Amz-Expires", USABLE_S),
        ("X-Amz-SignedHeaders", names.as_str()),
    ];
    if let Some(token) = &keys.token {
        fields.push(("X-Amz-Security-Token", token));
    }
    let signed = Signed { method: "GET", path: "/", query: &fields, headers: &headers, body: "" };
    let signature = signer.signature(&signed);
    let signed = format!("{url}?{}&X-Amz-Signature={signature}", query(&fields));
    let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(signed));
    Ok(Login { token, expires: surroundings.after(HOLDS) })
}

/// Where AWS is asked: `None` stands for the whole world's server.
fn region(wanted: &Aws, surroundings: &Surroundings<'_>) -> Option<String> {
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    let told = named.iter().find_map(|name| surroundings.get(name));
    told.or_else(|| {
        let name = profile_name(&wanted.profile, surroundings);
        Profile::read(surroundings, &name).get("region").map(str::to_owned)
    })
}

fn profile_name(wanted: &str, surroundings: &Surroundings<'_>) -> String {
    match wanted {
        "" => surroundings.get("AWS_PROFILE").unwrap_or_else(|| "default".to_owned()),
        named => named.to_owned(),
    }
}

/// What signs.
struct Keys {
    id: String,
    secret: String,
    /// What temporary keys come with.
    token: Option<String>,
}

/// Keys as servers of containers and machines tell them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Served {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
}

impl From<Served> for Keys {
    fn from(served: Served) -> Self {
        Self { id: served.access_key_id, secret: served.secret_access_key, token: served.token }
    }
}

struct Finder<'a> {
    surroundings: &'a Surroundings<'a>,
    region: Option<String>,
}

impl Finder<'_> {
    fn keys(&self, profile: &str) -> Result<Keys, CloudError> {
        if !profile.is_empty() {
            return self.of_profile(profile, PROFILES_MAX);
        }
        let get = |name: &str| self.surroundings.get(name);
        if let Some((id, secret)) = get("AWS_ACCESS_KEY_ID").zip(get("AWS_SECRET_ACCESS_KEY")) {
            return Ok(Keys { id, secret, token: get("AWS_SESSION_TOKEN") });
        }
        if let Some((file, role)) = get("AWS_WEB_IDENTITY_TOKEN_FILE").zip(get("AWS_ROLE_ARN")) {
            let session = get("AWS_ROLE_SESSION_NAME");
            return self.by_token(&file, &role, session.as_deref().unwrap_or(SESSION));
        }
        let name = profile_name("", self.surroundings);
        let known = Profile::read(self.surroundings, &name);
        let says = ["aws_access_key_id", "role_arn", "credential_process"];
        if says.iter().any(|key| known.get(key).is_some()) {
            return self.of_profile(&name, PROFILES_MAX);
        }
        if let Some(url) = get("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            return self.of_container(&url);
        }
        if let Some(path) = get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            return self.of_container(&format!("{CONTAINER}{path}"));
        }
        self.of_machine()
    }

    fn of_profile(&self, name: &str, left: usize) -> Result<Keys, CloudError> {
        let profile = Profile::read(self.surroundings, name);
        let unusable = |why: &str| CloudError::Unusable {
            what: format!("the AWS profile `{name}`"),
            why: why.to_owned(),
        };
        if let Some(role) = profile.get("role_arn") {
            let session = profile.get("role_session_name").unwrap_or(SESSION);
            if let Some(file) = profile.get("web_identity_token_file") {
                return self.by_token(file, role, session);
            }
            let source = profile.need(name, "source_profile")?;
            if left == 0 {
                return Err(unusable("its `source_profile` leads in a circle"));
            }
            let keys = match source == name {
                true => of_file(name, &profile)?,
                false => self.of_profile(source, left - 1)?,
            };
            return self.assume(&keys, role, profile.get("external_id"));
        }
        if profile.get("credential_process").is_some() {
            return Err(unusable("`credential_process` names a program, and none is run"));
        }
        of_file(name, &profile)
    }

    fn of_container(&self, url: &str) -> Result<Keys, CloudError> {
        let mut question = Question::get(address(url)?);
        let file = self.surroundings.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        let token = match file {
            Some(file) => Some(self.surroundings.read(&file)?.trim().to_owned()),
            None => self.surroundings.get("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        };
        if let Some(token) = token {
            question = question.with("authorization", token);
        }
        served(&ask(question)?)
    }

    fn of_machine(&self) -> Result<Keys, CloudError> {
        if self.surroundings.get("AWS_EC2_METADATA_DISABLED").is_some_and(|off| off == "true") {
            return Err(CloudError::Missing {
                what: "AWS_ACCESS_KEY_ID, or AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN",
            });
        }
        let server = self.surroundings.get("AWS_EC2_METADATA_SERVICE_ENDPOINT");
        let server = server.unwrap_or_else(|| MACHINE.to_owned());
        let server = server.trim_end_matches('/');
        let place = |path: &str| address(&format!("{server}/latest/{path}"));
        let mut session = Question::get(place("api/token")?);
        session.method = reqwest::Method::PUT;
        let session = ask(session.with("x-aws-ec2-metadata-token-ttl-seconds", "300"))?;
        let told = |path: &str| {
            ask(Question::get(place(path)?).with("x-aws-ec2-metadata-token", session.trim()))
        };
        let roles = told("meta-data/iam/security-credentials/")?;
        let Some(role) = roles.lines().next().filter(|role| !role.is_empty()) else {
            return Err(CloudError::Unusable {
                what: "the machine".to_owned(),
                why: "it has no role".to_owned(),
            });
        };
        served(&told(&format!("meta-data/iam/security-credentials/{role}"))?)
    }

    /// Takes a role on with the token of a service account.
    fn by_token(&self, file: &str, role: &str, session: &str) -> Result<Keys, CloudError> {
        let token = self.surroundings.read(file)?;
        let fields = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", VERSION),
            ("RoleArn", role),
            ("RoleSessionName", session),
            ("WebIdentityToken", token.trim()),
        ];
        assumed(&ask(Question::form(self.sts()?, &fields))?)
    }

    /// Takes a role on as who signs with `keys`.
    fn assume(&self, keys: &Keys, role: &str, external: Option<&str>) -> Result<Keys, CloudError> {
        let mut fields = vec![
            ("Action", "AssumeRole"),
            ("Version", VERSION),
            ("RoleArn", role),
            ("RoleSessionName", SESSION),
        ];
        fields.extend(external.map(|id| ("ExternalId", id)));
        let url = self.sts()?;
        let signer = self.signer(keys);
        let mut question = Question::form(url.clone(), &fields);
        let (host, time) = (authority(&url), signer.time());
        let mut headers = vec![
            ("content-type", "application/x-www-form-urlencoded"),
            ("host", host.as_str()),
            ("x-amz-date", time.as_str()),
        ];
        headers.extend(keys.token.as_deref().map(|token| ("x-amz-security-token", token)));
        let body = question.body.clone();
        let signed =
            Signed { method: "POST", path: "/", query: &[], headers: &headers, body: &body };
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}, SignedHeaders={}, Signature={}",
            signer.credential(),
            header_names(&headers),
            signer.signature(&signed)
        );
        question = question.with("authorization", authorization).with("x-amz-date", &time);
        if let Some(token) = &keys.token {
            question = question.with("x-amz-security-token", token);
        }
        assumed(&ask(question)?)
    }

    fn signer<'a>(&'a self, keys: &'a Keys) -> Signer<'a> {
        Signer {
            key_id: &keys.id,
            secret: &keys.secret,
            region: self.region.as_deref().unwrap_or("us-east-1"),
            service: "sts",
            now: self.surroundings.now,
        }
    }

    /// The server that knows who somebody is.
    fn sts(&self) -> Result<Url, CloudError> {
        let named = ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"];
        if let Some(named) = named.iter().find_map(|name| self.surroundings.get(name)) {
            return address(&named);
        }
        match self.region.as_deref() {
            None => address("https://sts.amazonaws.com"),
            Some(region) => {
                let more = if region.starts_with("cn-") { ".cn" } else { "" };
                address(&format!("https://sts.{region}.amazonaws.com{more}"))
            }
        }
    }
}

/// A server's name, and its port where it is not the usual one.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn of_file(name: &str, profile: &Profile) -> Result<Keys, CloudError> {
    Ok(Keys {
        id: profile.need(name, "aws_access_key_id")?.to_owned(),
        secret: profile.need(name, "aws_secret_access_key")?.to_owned(),
        token: profile.get("aws_session_token").map(str::to_owned),
    })
}

fn served(answer: &str) -> Result<Keys, CloudError> {
    let read = serde_json::from_str::<Served>(answer);
    read.map(Keys::from).map_err(|error| CloudError::Unusable {
        what: "the answer with credentials".to_owned(),
        why: format!("it does not read at line {} column {}", error.line(), error.column()),
    })
}

/// Reads the keys of a role that was taken on. The answer is XML of a fixed form, in which nothing is
/// escaped that a key may hold.
fn assumed(answer: &str) -> Result<Keys, CloudError> {
    let field = |name: &str| {
        let (_, rest) = answer.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        Some(value.trim().to_owned())
    };
    let keys = field("AccessKeyId").zip(field("SecretAccessKey"));
    let (id, secret) = keys.ok_or_else(|| CloudError::Unusable {
        what: "AWS's answer".to_owned(),
        why: "it holds no credentials".to_owned(),
    })?;
    Ok(Keys { id, secret, token: field("SessionToken") })
}
