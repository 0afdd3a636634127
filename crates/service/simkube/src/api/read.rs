//! Get and list.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde_json::{Value, json};

use super::negotiate::{Count, Form, Wanted};
use super::options::ListOptions;
use super::problem::Problem;
use super::request::Response;
use super::selector::Selector;
use super::table;
use crate::body;
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::store::{self, Entry};
use crate::{convert, strategy};

/// Answers with one object.
///
/// # Errors
///
/// 404 where it is not there.
pub fn get(
    cluster: &Cluster,
    kind: &Kind,
    namespace: &str,
    name: &str,
    wanted: Wanted,
) -> Result<Response, Problem> {
    let entry = cluster
        .store
        .get(&kind.table, &kind.key(namespace, name))
        .ok_or_else(|| Problem::not_found(kind, name))?;
    one(kind, &entry, wanted, 200)
}

/// Answers with an object at rest in the form that is wanted.
///
/// # Errors
///
/// Where it cannot be shown at this version.
pub fn one(kind: &Kind, entry: &Entry, wanted: Wanted, code: u16) -> Result<Response, Problem> {
    if wanted.form == Form::Whole && !wanted.yaml && convert::is_stored_as(kind) {
        return Ok(Response::json(code, entry.raw.clone()));
    }
    if wanted.form == Form::Metadata(Count::List) {
        if !kind.built_in() {
            return Err(Problem::new(500, "", "content is not a list"));
        }
        return Err(other_count(kind, "PartialObjectMetadataList", "is not a list", ""));
    }
    let object = convert::out(kind, entry.value())?;
    value(kind, &object, wanted, code)
}

/// A list was asked for as one object, or the other way round.
fn other_count(kind: &Kind, asked: &str, is: &str, suffix: &str) -> Problem {
    let found = match (kind.built_in(), suffix) {
        (true, suffix) => {
            format!("{}{suffix}", strategy::go_internal_name(&kind.group, &kind.kind))
        }
        (false, "") => "unstructured.Unstructured".to_owned(),
        (false, _) => "unstructured.UnstructuredList".to_owned(),
    };
    Problem::new(
        406,
        "NotAcceptable",
        format!("you requested {asked}, but the requested object {is} (*{found})"),
    )
}

/// Answers with an object in the form that is wanted.
///
/// # Errors
///
/// Where the form cannot be written.
pub fn value(kind: &Kind, object: &Value, wanted: Wanted, code: u16) -> Result<Response, Problem> {
    let shown = match wanted.form {
        Form::Whole => object.clone(),
        Form::Metadata(_) => table::partial(kind, object),
        Form::Table(include) => {
            let rows = vec![table::row(kind, object, include)];
            let metadata = json!({
                "resourceVersion": object["metadata"]["resourceVersion"].as_str().unwrap_or_default()
            });
            table::whole(kind, &metadata, rows)
        }
    };
    written(code, &shown, wanted)
}

/// Writes a value as JSON or YAML.
///
/// # Errors
///
/// Where it cannot be written as YAML.
pub fn written(code: u16, value: &Value, wanted: Wanted) -> Result<Response, Problem> {
    let older = wanted.older.then(|| {
        let mut older = value.clone();
        table::make_older(&mut older);
        older
    });
    let value = older.as_ref().unwrap_or(value);
    if !wanted.yaml {
        return Ok(Response::value(code, value));
    }
    let text = crate::body::to_yaml(value);
    let mut response = Response::json(code, text.into_bytes());
    response.content_type = "application/yaml".to_owned();
    Ok(response)
}

/// Answers with a list.
///
/// # Errors
///
/// 400 or 422 for nonsense, 410 where a continue token or a revision is too old.
pub fn list(
    cluster: &Cluster,
    kind: &Kind,
    namespace: &str,
    options: &ListOptions,
    wanted: Wanted,
) -> Result<Response, Problem> {
    let selector = Selector::parse(&options.labels, &options.fields, kind)?;
    let page = select(cluster, kind, namespace, options, &selector)?;
    if wanted.form == Form::Metadata(Count::One) {
        return Err(other_count(kind, "PartialObjectMetadata", "is a list", "List"));
    }
    let mut metadata = json!({"resourceVersion": page.revision.to_string()});
    if let Some(token) = &page.next {
        metadata["continue"] = json!(token);
    }
    if !kind.built_in() && page.next.is_none() && wanted.form == Form::Whole {
        metadata["continue"] = json!("");
    }
    if let Some(remaining) = page.remaining {
        metadata["remainingItemCount"] = json!(remaining);
    }
    if wanted.form == Form::Whole && !wanted.yaml && convert::is_stored_as(kind) {
        return Ok(whole_list(kind, &metadata, &page.entries));
    }
    let mut objects = Vec::with_capacity(page.entries.len());
    for entry in &page.entries {
        objects.push(convert::out(kind, entry.value())?);
    }
    let shown = match wanted.form {
        Form::Table(include) => {
            let rows = objects.iter().map(|object| table::row(kind, object, include)).collect();
            table::whole(kind, &metadata, rows)
        }
        Form::Metadata(_) => json!({
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
            // Nothing at all is null here, as nobody makes the list.
            "items": match objects.as_slice() {
                [] => Value::Null,
                objects => objects.iter().map(|object| table::partial(kind, object)).collect(),
            },
        }),
        Form::Whole => {
            if kind.built_in() {
                for object in &mut objects {
                    if let Some(fields) = object.as_object_mut() {
                        fields.remove("kind");
                        fields.remove("apiVersion");
                    }
                }
            }
            json!({
                "kind": kind.list_kind,
                "apiVersion": kind.api_version(),
                "metadata": metadata,
                "items": objects,
            })
        }
    };
    written(200, &shown, wanted)
}

/// Puts the objects' own bytes together; items of built-in kinds bear no kind, as upstream's typed lists.
fn whole_list(kind: &Kind, metadata: &Value, entries: &[Entry]) -> Response {
    let mut body = Vec::with_capacity(2 * entries.len() + 2);
    let mut head = store_prefix(&kind.list_kind, &kind.api_version());
    head.extend_from_slice(format!("\"metadata\":{metadata},\"items\":[").as_bytes());
    let skipped =
        if kind.built_in() { store_prefix(&kind.kind, &kind.api_version()).len() } else { 0 };
    let mut before = head;
    for entry in entries {
        if skipped > 0 {
            before.push(b'{');
        }
        if !before.is_empty() {
            body.push(Bytes::from(std::mem::take(&mut before)));
        }
        let json = entry.json();
        body.push(json.slice(skipped.min(json.len())..));
        before.push(b',');
    }
    if !entries.is_empty() {
        before.clear();
    }
    before.extend_from_slice(b"]}\n");
    body.push(Bytes::from(before));
    let mut response = Response::json(200, Bytes::new());
    response.body = body;
    response
}

fn store_prefix(kind: &str, api_version: &str) -> Vec<u8> {
    store::prefix(kind, api_version)
}

/// What of a table a list shows.
#[derive(Debug)]
pub struct Selected {
    /// In order of their keys.
    pub entries: Vec<Entry>,
    /// The list's resource version.
    pub revision: u64,
    /// The token of the next page.
    pub next: Option<String>,
    /// How many stand behind this page, where that is known.
    pub remaining: Option<usize>,
}

/// Selects the objects of a list.
///
/// # Errors
///
/// As [`list`].
pub fn select(
    cluster: &Cluster,
    kind: &Kind,
    namespace: &str,
    options: &ListOptions,
    selector: &Selector,
) -> Result<Selected, Problem> {
    let prefix = kind.key_prefix(namespace);
    let mut at = match options.continue_token.is_empty() {
        true => exact_revision(cluster, kind, options)?,
        false => None,
    };
    let mut after: Option<String> = None;
    if !options.continue_token.is_empty() {
        let token = Token::read(&options.continue_token)?;
        if !options.resource_version.is_empty() && options.resource_version != "0" {
            return Err(Problem::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        // A token without a revision goes on with what is there now.
        at = token.revision;
        after = Some(format!("{prefix}{}", token.start));
    }
    // Who takes whatever there is gets all of it, but of events, which no cache holds.
    let whole = options.resource_version == "0"
        && options.continue_token.is_empty()
        && strategy::is_collected(kind);
    let most = if whole { 0 } else { options.limit };
    // A selector is asked before the limit, so that pages are full.
    let limit = if selector.is_empty() { most } else { 0 };
    let page = cluster
        .store
        .list(&kind.table, &prefix, after.as_deref(), limit, at)
        .map_err(|_expired| expired(options, after.as_deref(), &prefix))?;
    let revision = page.revision;
    let mut remaining = page.remaining;
    let mut kept: Vec<(Box<str>, Entry)> = page
        .entries
        .into_iter()
        .filter(|(key, entry)| selector.is_empty() || selector.shows(kind, key, entry))
        .collect();
    if most > 0 && kept.len() > most {
        remaining = kept.len() - most;
        kept.truncate(most);
    }
    let next = (remaining > 0).then(|| kept.last()).flatten().map(|(key, _)| {
        Token { revision: Some(revision), start: key[prefix.len()..].to_owned() }.written()
    });
    let remaining = (next.is_some() && selector.is_empty()).then_some(remaining);
    let entries = kept.into_iter().map(|(_, entry)| entry).collect();
    Ok(Selected { entries, revision, next, remaining })
}

fn exact_revision(
    cluster: &Cluster,
    kind: &Kind,
    options: &ListOptions,
) -> Result<Option<u64>, Problem> {
    if options.resource_version.is_empty() {
        return Ok(None);
    }
    let revision = parse_revision(&options.resource_version)?;
    newer_than_there_is(cluster, revision).map_err(|mut problem| {
        // Only where a cache may yet come up to it is it worth asking again.
        if !strategy::is_collected(kind)
            && let Some(details) = problem.details.as_mut().and_then(Value::as_object_mut)
        {
            details.remove("retryAfterSeconds");
        }
        problem
    })?;
    // A limited list at a revision shows that revision, as upstream's does.
    let exact = options.resource_version_match == "Exact"
        || (options.resource_version_match.is_empty() && options.limit > 0 && revision > 0);
    Ok(exact.then_some(revision))
}

/// Reads a resource version.
///
/// # Errors
///
/// 400 where it is no number.
pub fn parse_revision(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| {
        Problem::bad_request(format!(
            "invalid resource version: resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
        ))
    })
}

/// Refuses a revision that has not come yet.
///
/// # Errors
///
/// 504, with the server's words.
pub fn newer_than_there_is(cluster: &Cluster, revision: u64) -> Result<(), Problem> {
    let current = cluster.store.revision();
    if revision <= current {
        return Ok(());
    }
    let message = format!("Timeout: Too large resource version: {revision}, current: {current}");
    let mut problem = Problem::new(504, "Timeout", message);
    problem.details = Some(json!({
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }));
    Err(problem)
}

fn expired(options: &ListOptions, after: Option<&str>, prefix: &str) -> Problem {
    if options.continue_token.is_empty() {
        return Problem::expired(format!(
            "The resourceVersion for the provided list is too old: {}",
            options.resource_version
        ));
    }
    let start = after.and_then(|after| after.strip_prefix(prefix)).unwrap_or_default();
    let mut problem = Problem::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    );
    problem.continue_token =
        Some(Token { revision: None, start: start.to_owned() }.written().into_boxed_str());
    problem
}

/// Base64 for URLs as Go reads it: bits left over may be anything.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// What Go says of text that is not base64 for URLs.
fn not_base64(text: &str) -> String {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let at = text.bytes().position(|byte| !good(byte)).unwrap_or(text.len() / 4 * 4);
    format!("illegal base64 data at input byte {at}")
}

/// Where the next page begins.
struct Token {
    /// `None`: now, whatever the earlier pages showed.
    revision: Option<u64>,
    /// The last key of the page before, without the prefix.
    start: String,
}

impl Token {
    fn read(text: &str) -> Result<Token, Problem> {
        let bad = |why: &str| {
            Problem::bad_request(format!(
                "invalid continue token: continue key is not valid: {why}"
            ))
        };
        let bytes = LENIENT.decode(text).map_err(|_| bad(&not_base64(text)))?;
        let token: Value =
            serde_json::from_slice(&bytes).map_err(|error| bad(&body::go_words(&error, &bytes)))?;
        if token["v"] != "meta.k8s.io/v1" {
            let version = token["v"].as_str().unwrap_or_default();
            return Err(bad(&format!(
                "server does not recognize this encoded version \"{version}\""
            )));
        }
        let revision = token["rv"].as_i64().filter(|rv| *rv != 0);
        let Some(revision) = revision else {
            return Err(bad("incorrect encoded start resourceVersion (version meta.k8s.io/v1)"));
        };
        let start = token["start"].as_str().unwrap_or_default();
        if start.is_empty() {
            return Err(bad("encoded start key empty (version meta.k8s.io/v1)"));
        }
        Ok(Token {
            revision: u64::try_from(revision).ok(),
            start: start.trim_end_matches('\0').to_owned(),
        })
    }

    fn written(&self) -> String {
        let rv = self.revision.map_or(-1, |revision| i64::try_from(revision).unwrap_or(i64::MAX));
        let token = json!({"v": "meta.k8s.io/v1", "rv": rv, "start": format!("{}\0", self.start)});
        URL_SAFE_NO_PAD.encode(token.to_string())
    }
}
