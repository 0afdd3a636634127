//! The handle of one cluster: what it serves, and reads.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::{Method, StatusCode, header};
use kube::Config;
use manifest::{GroupKind, Gvk};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::access::{Access, ConnectError};
use crate::compact::Compact;
use crate::error::ApiError;
use crate::home::Home;
use crate::kinds::{KindInfo, Kinds, escape};
use crate::limits::Limits;
use crate::live::{LiveOptions, LiveSet};
use crate::transport::{Answer, Call, Transport};
use crate::watch::{Knows, ObjectEvent, WatchSpec, Watching};
use crate::write::Gate;
use crate::writer::Writer;

/// Lists of the older discovery that are asked for at the same time.
const GROUPS_AT_ONCE: usize = 10;

/// An unknown kind makes the cluster be asked again, but not more often than this.
const DISCOVER_AGAIN_AFTER: Duration = Duration::from_millis(500);

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// One cluster. Clones are handles to the same connections and the same knowledge.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    transport: Transport,
    default_namespace: String,
    known: Mutex<Known>,
    /// How often a kind was defined anew since the CRDs are watched; at most one a CRD.
    definitions: Mutex<HashMap<GroupKind, u64>>,
    /// Held while the cluster is asked what it serves, so that it is asked once.
    asking: tokio::sync::Mutex<()>,
}

/// What the cluster said of itself when it was last asked.
#[derive(Default)]
struct Known {
    kinds: Arc<Kinds>,
    version: Option<ServerVersion>,
    asked: Option<Instant>,
    /// The tags and bodies of the two aggregated documents.
    documents: [Option<Document>; 2],
}

#[derive(Clone)]
struct Document {
    tag: String,
    /// Large, and only asked for again where the server says that it is still the same.
    body: Arc<Compact>,
}

/// What an API server says of its own version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServerVersion {
    /// As in `1`.
    pub major: String,
    /// As in `36`; some providers add a `+`.
    pub minor: String,
    /// As in `v1.36.3`.
    pub git_version: String,
    /// As in `linux/amd64`.
    pub platform: String,
}

impl ServerVersion {
    /// The minor version as a number; 0 where it is none.
    pub(crate) fn minor_number(&self) -> u32 {
        let digits: String = self.minor.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or(0)
    }
}

/// What a list is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// `""`: all namespaces.
    pub namespace: String,
    /// A label selector, as kubectl takes it; `""` for all.
    pub labels: String,
    /// A field selector; `""` for all.
    pub fields: String,
}

impl ListQuery {
    /// Everything in one namespace; `""` for all.
    pub fn in_namespace(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..Self::default() }
    }

    /// The selectors as a query, each part begun by `&`.
    pub(crate) fn selectors(&self) -> String {
        let mut query = String::new();
        if !self.labels.is_empty() {
            query.push_str(&format!("&labelSelector={}", escape(&self.labels)));
        }
        if !self.fields.is_empty() {
            query.push_str(&format!("&fieldSelector={}", escape(&self.fields)));
        }
        query
    }
}

/// What a SelfSubjectAccessReview asks: may we do this?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// As in `list`.
    pub verb: String,
    /// `""` is the core group.
    pub group: String,
    /// The plural, as in `deployments`.
    pub resource: String,
    /// `""`: all namespaces.
    pub namespace: String,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("server", &self.server()).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Makes a client. Files are read and a credential plugin is run; the cluster itself is
    /// asked nothing yet, and need not be there.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] where address, certificates or credentials cannot be used.
    pub async fn connect(access: &Access, limits: Limits) -> Result<Self, ConnectError> {
        let config: Config = access.config().await?;
        let default_namespace = config.default_namespace.clone();
        let transport = Transport::open(config, limits).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                transport,
                default_namespace,
                known: Mutex::default(),
                definitions: Mutex::default(),
                asking: tokio::sync::Mutex::default(),
            }),
        })
    }

    /// Takes other limits. What is under way goes on as it began; where connections are to be
    /// made otherwise, a credential plugin is run again.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] where certificates or credentials cannot be used any more; the limits
    /// then stay as they were.
    pub async fn limit(&self, limits: Limits) -> Result<(), ConnectError> {
        self.inner.transport.limit(limits).await
    }

    /// The limits that hold.
    pub fn limits(&self) -> Limits {
        self.inner.transport.limits()
    }

    /// The URL of the API server, without a slash at its end.
    pub fn server(&self) -> &str {
        &self.inner.transport.server
    }

    /// The namespace of the kubeconfig's context, or of our pod, or `default`.
    pub fn default_namespace(&self) -> &str {
        &self.inner.default_namespace
    }

    /// Asks the server for its version.
    ///
    /// # Errors
    ///
    /// [`ApiError`] where it does not answer.
    pub async fn version(&self) -> Result<ServerVersion, ApiError> {
        let answer = self.call(Call::get("/version")).await?;
        let version: ServerVersion = parse(&answer.body, "/version")?;
        self.inner.known.lock().version = Some(version.clone());
        Ok(version)
    }

    /// Counts how often a kind was defined anew as far as the watch of CRDs has told.
    pub(crate) fn definition(&self, kind: &GroupKind) -> u64 {
        self.inner.definitions.lock().get(kind).copied().unwrap_or(0)
    }

    /// Notes that a kind is defined anew.
    pub(crate) fn note_definition(&self, kind: GroupKind) {
        *self.inner.definitions.lock().entry(kind).or_default() += 1;
    }

    /// The version that the server last told, if it was ever asked.
    pub fn known_version(&self) -> Option<ServerVersion> {
        self.inner.known.lock().version.clone()
    }

    /// What the cluster serves, as it said when it was last asked; empty before the first time.
    pub fn kinds(&self) -> Arc<Kinds> {
        self.inner.known.lock().kinds.clone()
    }

    /// Asks the cluster what it serves, and keeps the answer.
    ///
    /// Two requests where the server knows aggregated discovery (and next to nothing when
    /// nothing changed), one a group version where it does not. A group whose server does not
    /// answer keeps the kinds that it was last known to have.
    ///
    /// # Errors
    ///
    /// [`ApiError`] where the API server itself does not answer.
    pub async fn discover(&self) -> Result<Arc<Kinds>, ApiError> {
        let _one_at_a_time = self.inner.asking.lock().await;
        self.discover_now().await
    }

    async fn discover_now(&self) -> Result<Arc<Kinds>, ApiError> {
        if self.known_version().is_none() {
            self.version().await?;
        }
        let core = self.aggregated(0, "/api").await?;
        let groups = self.aggregated(1, "/apis").await?;
        let mut kinds = Kinds::default();
        match (core, groups) {
            (Some(core), Some(groups)) => {
                kinds.add_aggregated(&core);
                kinds.add_aggregated(&groups);
            }
            _ => self.discover_by_group(&mut kinds).await?,
        }
        let mut known = self.inner.known.lock();
        kinds.keep_broken_of(&known.kinds);
        if *known.kinds != kinds {
            known.kinds = Arc::new(kinds);
        }
        known.asked = Some(Instant::now());
        Ok(known.kinds.clone())
    }

    /// Returns one of the two aggregated documents; `None` from a server that has none.
    async fn aggregated(&self, slot: usize, path: &str) -> Result<Option<Value>, ApiError> {
        let before = self.inner.known.lock().documents[slot].clone();
        let call = Call {
            accept: AGGREGATED,
            if_none_match: before.as_ref().map(|document| document.tag.clone()),
            ..Call::get(path)
        };
        let answer = self.inner.transport.call(call).await?;
        if answer.status == StatusCode::NOT_MODIFIED
            && let Some(document) = before
        {
            return Ok(Some(document.body.unpack()));
        }
        let answer = answer.success()?;
        let body: Value = parse(&answer.body, path)?;
        if manifest::kind(&body) != "APIGroupDiscoveryList" {
            return Ok(None);
        }
        let tag = answer.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
        let document = tag.map(|tag| {
            let body = Arc::new(Compact::pack(&body));
            Document { tag: tag.to_owned(), body }
        });
        self.inner.known.lock().documents[slot] = document;
        Ok(Some(body))
    }

    /// The older discovery: one list a group version.
    pub(crate) async fn discover_by_group(&self, kinds: &mut Kinds) -> Result<(), ApiError> {
        let core: Value = self.get_path("/api").await?;
        let groups: Value = self.get_path("/apis").await?;
        let mut asked: Vec<(String, String)> = Vec::new();
        for version in core["versions"].as_array().into_iter().flatten() {
            let version = version.as_str().unwrap_or("");
            asked.push((version.to_owned(), format!("/api/{version}")));
        }
        for group in groups["groups"].as_array().into_iter().flatten() {
            let preferred = group["preferredVersion"]["groupVersion"].as_str().unwrap_or("");
            let others = group["versions"].as_array().into_iter().flatten();
            let others = others.filter_map(|version| version["groupVersion"].as_str());
            let mut versions: Vec<&str> = others.filter(|version| *version != preferred).collect();
            if !preferred.is_empty() {
                versions.insert(0, preferred);
            }
            asked.extend(versions.iter().map(|v| ((*v).to_owned(), format!("/apis/{v}"))));
        }
        let answers: Vec<_> = futures::stream::iter(asked)
            .map(|(version, path)| async move { (version, self.get_path(&path).await) })
            .buffered(GROUPS_AT_ONCE)
            .collect()
            .await;
        for (version, answer) in answers {
            match answer {
                Ok(list) => kinds.add_resource_list(&list),
                Err(error) if error.is_connection() => return Err(error),
                Err(error) => kinds.add_broken(version, error.message()),
            }
        }
        Ok(())
    }

    /// Returns a kind as the cluster serves it; an unknown one makes the cluster be asked again.
    ///
    /// # Errors
    ///
    /// [`ApiError::KindUnknown`] where it serves no such kind.
    pub async fn kind(&self, gvk: &Gvk) -> Result<KindInfo, ApiError> {
        if let Some(info) = self.kinds().get(gvk) {
            return Ok(info.clone());
        }
        let _one_at_a_time = self.inner.asking.lock().await;
        let (kinds, asked) = {
            let known = self.inner.known.lock();
            (known.kinds.clone(), known.asked)
        };
        if let Some(info) = kinds.get(gvk) {
            return Ok(info.clone());
        }
        let fresh = asked.is_some_and(|asked| asked.elapsed() < DISCOVER_AGAIN_AFTER);
        let kinds = if fresh { kinds } else { self.discover_now().await? };
        kinds.get(gvk).cloned().ok_or_else(|| ApiError::KindUnknown { gvk: gvk.clone() })
    }

    /// Reads one object; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`ApiError`], [`ApiError::KindUnknown`] among them.
    pub async fn get(
        &self,
        gvk: &Gvk,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, ApiError> {
        let path = self.kind(gvk).await?.path(namespace, name);
        // Without a name the path is that of all of them.
        if name.is_empty() {
            return Ok(None);
        }
        match self.call(Call::get(&path)).await {
            Ok(answer) => parse(&answer.body, &path).map(Some),
            Err(ApiError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads all objects of a kind, page by page. Each bears its `apiVersion` and `kind`.
    ///
    /// # Errors
    ///
    /// [`ApiError`], [`ApiError::KindUnknown`] among them.
    pub async fn list(&self, gvk: &Gvk, query: &ListQuery) -> Result<Vec<Value>, ApiError> {
        let info = self.kind(gvk).await?;
        let mut objects = Vec::new();
        self.pages(&info, query, |object| objects.push(object)).await?;
        Ok(objects)
    }

    /// Hands over all objects of a kind, page by page, and returns the list's version.
    ///
    /// A list whose pages the server has forgotten in between (410) is begun again; an object
    /// may then be handed over twice.
    pub(crate) async fn pages(
        &self,
        info: &KindInfo,
        query: &ListQuery,
        mut each: impl FnMut(Value),
    ) -> Result<String, ApiError> {
        let _one_of_few = self.inner.transport.lists.take().await;
        let page_objects = self.limits().page_objects.max(1);
        let path = info.path(&query.namespace, "");
        let selectors = query.selectors();
        let mut more = String::new();
        let mut begun_again = false;
        loop {
            let url = format!("{path}?limit={page_objects}{selectors}{more}");
            let answer = match self.call(Call::get(url)).await {
                Err(ApiError::Gone { .. }) if !more.is_empty() && !begun_again => {
                    begun_again = true;
                    more.clear();
                    continue;
                }
                other => other?,
            };
            let page: Page<'_> = parse_borrowed(&answer.body, &path)?;
            for raw in page.items.unwrap_or_default() {
                each(object_of(info, raw.get().as_bytes())?);
            }
            if page.metadata.more.is_empty() {
                return Ok(page.metadata.resource_version);
            }
            more = format!("&continue={}", escape(&page.metadata.more));
        }
    }

    /// Reads the OpenAPI v3 document of a group version, as in `apps/v1` or `v1`.
    ///
    /// # Errors
    ///
    /// [`ApiError`] where the server has none.
    pub async fn openapi_v3(&self, group_version: &str) -> Result<Value, ApiError> {
        let place = if group_version.contains('/') { "apis" } else { "api" };
        self.get_path(&format!("/openapi/v3/{place}/{group_version}")).await
    }

    /// Asks the cluster whether we may do something.
    ///
    /// # Errors
    ///
    /// [`ApiError`] where it does not say.
    pub async fn can_i(&self, question: &Question) -> Result<bool, ApiError> {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "verb": question.verb,
                "group": question.group,
                "resource": question.resource,
                "namespace": question.namespace,
            }},
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let call = Call {
            method: Method::POST,
            content_type: Some("application/json"),
            body: body_of(&review),
            ..Call::get(path)
        };
        let answer = self.call(call).await?;
        let answer: Value = parse(&answer.body, path)?;
        Ok(answer.pointer("/status/allowed").and_then(Value::as_bool).unwrap_or(false))
    }

    /// The one way to write to this cluster as a destination: each write passes `gate`.
    pub fn writer(&self, gate: Arc<dyn Gate>) -> Writer {
        Writer::new(self.clone(), gate)
    }

    /// Writes to our own objects in this cluster.
    pub fn home(&self) -> Home {
        Home::new(self.clone())
    }

    /// Begins to watch everything that `options` asks for.
    ///
    /// Must be called on a tokio runtime.
    pub fn live(&self, options: LiveOptions) -> LiveSet {
        LiveSet::start(self.clone(), options)
    }

    /// Begins to watch one kind, and calls `on` with all that happens.
    ///
    /// Must be called on a tokio runtime. `on` is called on the watch's own task, one call at a
    /// time, and must be quick.
    pub fn watch_objects(
        &self,
        what: WatchSpec,
        on: impl FnMut(ObjectEvent) + Send + 'static,
    ) -> Watching {
        Watching::start(self.clone(), what, None, on)
    }

    /// The same, passing over large objects in a state that `knows` tells to be known: what we
    /// have written ourselves comes back.
    pub fn watch_unknown(
        &self,
        what: WatchSpec,
        knows: Knows,
        on: impl FnMut(ObjectEvent) + Send + 'static,
    ) -> Watching {
        Watching::start(self.clone(), what, Some(knows), on)
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.inner.transport
    }

    /// Sends a call and returns its answer if it is a success.
    pub(crate) async fn call(&self, call: Call) -> Result<Answer, ApiError> {
        self.inner.transport.call(call).await?.success()
    }

    async fn get_path(&self, path: &str) -> Result<Value, ApiError> {
        let answer = self.call(Call::get(path)).await?;
        parse(&answer.body, path)
    }
}

/// A value as the body of a request.
pub(crate) fn body_of(value: &Value) -> Bytes {
    serde_json::to_vec(value).expect("a value always has a text").into()
}

/// Reads an answer. The error tells the place and never the text, which may be a Secret's.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(
    body: &[u8],
    path: &str,
) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| unreadable(path, &error))
}

fn parse_borrowed<'a, T: Deserialize<'a>>(body: &'a [u8], path: &str) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &str, error: &serde_json::Error) -> ApiError {
    ApiError::Malformed {
        what: format!(
            "the answer to `{path}` does not read at line {} column {}",
            error.line(),
            error.column()
        ),
    }
}

/// Reads an object of a list or a watch; built-in kinds leave kind and version out in lists.
pub(crate) fn object_of(info: &KindInfo, raw: &[u8]) -> Result<Value, ApiError> {
    let mut object: Value = parse(raw, &info.plural)?;
    if let Some(map) = object.as_object_mut() {
        map.entry("apiVersion").or_insert_with(|| info.gvk.api_version().into());
        map.entry("kind").or_insert_with(|| info.gvk.kind.clone().into());
    }
    Ok(object)
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PageMeta {
    resource_version: String,
    #[serde(rename = "continue")]
    more: String,
}
