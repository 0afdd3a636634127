//! Create, update and patch: one way through the rules for all of them.
//!
//! A write is decoded, its fields get their owner, admission and the kind's strategy do
//! their part, validation follows, and what then differs from what stood there is
//! committed. A commit that another write overtook is tried again from the start, unless
//! the client named the version that it wants to replace.

use std::sync::Arc;

use serde_json::{Value, json};

use super::negotiate::Wanted;
use super::options::{FieldValidation, WriteKind, WriteOptions};
use super::problem::{Cause, Problem};
use super::read;
use super::request::{Request, Response};
use super::route::{Query, Target};
use crate::body::{self, Body};
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::ownership::Writer;
use crate::store::{CommitError, Draft, Entry, Expect};
use crate::{convert, meta, ownership, strategy, types};

/// How often a write that others overtook is tried again.
const ATTEMPTS_MAX: usize = 16;

/// What a write led to.
#[derive(Debug)]
pub struct Written {
    /// The object at rest, or as it would rest.
    pub entry: Entry,
    /// Whether it was made by this write.
    pub created: bool,
}

/// What a request to write says, taken apart.
pub struct Write<'a> {
    /// The cluster.
    pub cluster: &'a Arc<Cluster>,
    /// The resource, at the version of the request.
    pub kind: &'a Arc<Kind>,
    /// Where.
    pub target: &'a Target,
    /// The options.
    pub options: &'a WriteOptions,
    /// The field manager: as named, or as the user agent says.
    pub manager: String,
    /// What the client is told beside the answer.
    pub warnings: Vec<String>,
    /// Whether the server itself writes.
    server_side: bool,
}

impl<'a> Write<'a> {
    /// Begins a write.
    pub fn new(
        cluster: &'a Arc<Cluster>,
        kind: &'a Arc<Kind>,
        target: &'a Target,
        options: &'a WriteOptions,
        user_agent: &str,
    ) -> Write<'a> {
        let manager = if options.field_manager.is_empty() {
            manager_of(user_agent)
        } else {
            options.field_manager.clone()
        };
        Write { cluster, kind, target, options, manager, warnings: Vec::new(), server_side: false }
    }

    /// Answers POST on a collection.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn create(mut self, request: &Request, wanted: Wanted) -> Result<Response, Problem> {
        self.namespace_exists()?;
        let body = body::read(&request.content_type, &request.body, self.kind)?;
        let object = self.decode(body)?;
        let written = self.create_object(object)?;
        self.answer(&written, wanted)
    }

    /// Answers PUT on an object or its status.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn replace(mut self, request: &Request, wanted: Wanted) -> Result<Response, Problem> {
        let body = body::read(&request.content_type, &request.body, self.kind)?;
        let object = self.decode(body)?;
        let named = meta::text(&object, "name");
        if named != self.target.name {
            return Err(Problem::bad_request(if named.is_empty() {
                "name must be provided".to_owned()
            } else {
                format!(
                    "the name of the object ({named}) does not match the name on the URL ({})",
                    self.target.name
                )
            }));
        }
        let pinned = !meta::text(&object, "resourceVersion").is_empty();
        let written = self.change(pinned, |live| match live {
            Some(_) => Ok(Step::Update(object.clone())),
            None => Ok(Step::Create(object.clone())),
        })?;
        self.answer(&written, wanted)
    }

    /// Answers PATCH on an object or its status.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn patch(mut self, request: &Request, wanted: Wanted) -> Result<Response, Problem> {
        let patch = Patch::read(request, self.kind)?;
        let written = self.apply_patch(&patch)?;
        self.answer(&written, wanted)
    }

    /// Makes an object that did not come as a request.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn create_value(mut self, object: Value) -> Result<Written, Problem> {
        let object = self.decode(Body::of(object))?;
        self.create_object(object)
    }

    /// Replaces an object, or its status, by one that did not come as a request.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn replace_value(mut self, object: Value) -> Result<Written, Problem> {
        self.server_side = true;
        let object = self.decode(Body::of(object))?;
        self.change(true, |live| {
            live.ok_or(Step::NotFound)?;
            Ok(Step::Update(object.clone()))
        })
    }

    /// Applies replicas through the scale subresource.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn apply_scale(mut self, patch: &Value) -> Result<Written, Problem> {
        let (kind, force) = (self.kind.clone(), self.options.force);
        let (manager, now) = (self.manager.clone(), self.cluster.now_text());
        self.change(false, |live| {
            let live = live.ok_or(Step::NotFound)?;
            let writer = Writer { manager: &manager, subresource: "scale", now: &now };
            let object = ownership::apply(&kind, Some(live), patch, force, &writer)?;
            Ok(Step::Applied(object))
        })
    }

    /// Sets part of an object, as the scale subresource does. `version` is the one to replace, or `""`.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn set(mut self, version: &str, set: impl Fn(&mut Value)) -> Result<Written, Problem> {
        let pinned = !version.is_empty();
        self.change(pinned, |live| {
            let mut object = live.cloned().ok_or(Step::NotFound)?;
            set(&mut object);
            let given =
                if pinned { json!(version) } else { object["metadata"]["resourceVersion"].clone() };
            meta::of(&mut object).insert("resourceVersion".to_owned(), given);
            Ok(Step::Update(object))
        })
    }

    fn apply_patch(&mut self, patch: &Patch) -> Result<Written, Problem> {
        if let Patch::Apply(body) = patch {
            let twice = body.duplicates.iter().map(|path| {
                let name = path.rsplit('.').next().unwrap_or(path);
                format!("error converting YAML to JSON: yaml: unmarshal errors: key \"{name}\" already set in map")
            });
            let twice: Vec<String> = twice.collect();
            match (self.options.field_validation, twice.first()) {
                (FieldValidation::Strict, Some(first)) => {
                    return Err(Problem::bad_request(format!(
                        "error strict decoding YAML: {first}"
                    )));
                }
                (FieldValidation::Warn, _) => self.warnings.extend(twice),
                (FieldValidation::Strict, None) | (FieldValidation::Ignore, _) => {}
            }
            return self.apply(&body.value);
        }
        let kind = self.kind.clone();
        self.change_by(false, Some(patch.plain()), |live| {
            let live = live.ok_or(Step::NotFound)?;
            let patched = crate::patches::on(&kind, live, patch.plain())?;
            let read = match patch {
                Patch::Strategic(_) => types::decode_parsed(&kind, patched.clone()),
                Patch::Json(_) | Patch::Merge(_) | Patch::Apply(_) => {
                    types::decode(&kind, patched.clone())
                }
            };
            let read =
                read.map_err(|error| crate::patches::refused(patch.plain(), &patched, &error.0))?;
            Ok(Step::Patched(read, patched))
        })
    }

    fn apply(&mut self, patch: &Value) -> Result<Written, Problem> {
        if meta::of_ref(patch).is_some_and(|metadata| metadata.contains_key("managedFields")) {
            return Err(Problem::bad_request("metadata.managedFields must be nil"));
        }
        let (kind, force) = (self.kind.clone(), self.options.force);
        let manager = self.manager.clone();
        let now = self.cluster.now_text();
        let subresource = self.target.subresource.clone();
        self.change(false, |live| {
            let writer = Writer { manager: &manager, subresource: &subresource, now: &now };
            let object = ownership::apply(&kind, live, patch, force, &writer)?;
            Ok(match live {
                Some(_) => Step::Applied(object),
                None => Step::AppliedNew(object),
            })
        })
    }

    fn decode(&mut self, body: Body) -> Result<Value, Problem> {
        let (mut value, text) = (body.value, body.text);
        self.names_kind(&mut value, &text)?;
        let duplicates = body.duplicates.iter().map(|path| format!("duplicate field \"{path}\""));
        let decoded = types::decode(self.kind, value).map_err(|error| error.of_body(self.kind))?;
        let faults: Vec<String> = duplicates.chain(decoded.faults).collect();
        let faults = match text.is_empty() {
            true => faults,
            false => Body { value: Value::Null, duplicates: Vec::new(), text }.in_order(faults),
        };
        self.mind(&faults)?;
        let mut value = decoded.value;
        types::set_defaults(self.kind, &mut value);
        self.names_namespace(&mut value)?;
        Ok(value)
    }

    /// What strict decoding finds is an error, a warning, or nothing, as the client wants.
    fn mind(&mut self, faults: &[String]) -> Result<(), Problem> {
        match self.options.field_validation {
            FieldValidation::Ignore => {}
            FieldValidation::Warn => self.warnings.extend_from_slice(faults),
            FieldValidation::Strict if faults.is_empty() => {}
            FieldValidation::Strict => {
                let said = faults.join(", ");
                let kind = &self.kind.kind;
                let message = format!(
                    "{kind} in version \"{}\" cannot be handled as a {kind}: strict decoding error: {said}",
                    self.kind.version
                );
                return Err(Problem::bad_request(message));
            }
        }
        Ok(())
    }

    fn names_kind(&self, value: &mut Value, text: &[u8]) -> Result<(), Problem> {
        let expected = (self.kind.api_version(), self.kind.kind.clone());
        if !value.is_object() {
            return Err(Problem::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }} ({})",
                expected.1,
                go_type(value),
                hex::encode(value.to_string())
            )));
        }
        let api_version = manifest::api_version(value).to_owned();
        let kind = manifest::kind(value).to_owned();
        if !self.kind.built_in() && (api_version.is_empty() || kind.is_empty()) {
            let text = String::from_utf8_lossy(text);
            let missing = if kind.is_empty() { "Kind" } else { "apiVersion" };
            return Err(Problem::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): Object '{missing}' is missing in '{text}' ({text})",
                self.kind.kind
            )));
        }
        if (!kind.is_empty() && kind != expected.1)
            || (!api_version.is_empty() && api_version != expected.0)
        {
            return Err(self.other_kind(&api_version, &kind));
        }
        value["apiVersion"] = json!(expected.0);
        value["kind"] = json!(expected.1);
        Ok(())
    }

    fn other_kind(&self, api_version: &str, kind: &str) -> Problem {
        let expected = self.kind.api_version();
        let api_version = if api_version.is_empty() { &expected } else { api_version };
        let kinds = self.cluster.kinds();
        let known = kinds.of(api_version, kind).is_some();
        let (_, version) = manifest::split_api_version(api_version);
        if known && api_version != expected && self.kind.kind == kind {
            return Problem::bad_request(format!(
                "the API version in the data ({api_version}) does not match the expected API version ({expected})"
            ));
        }
        if known && self.kind.built_in() {
            return Problem::bad_request(format!(
                "{kind} in version \"{version}\" cannot be handled as a {}: converting ({}) to ({}): unknown conversion",
                self.kind.kind,
                strategy::go_name(api_version, kind),
                strategy::go_internal_name(&self.kind.group, &self.kind.kind),
            ));
        }
        if self.kind.built_in() {
            return Problem::bad_request(format!(
                "{kind} in version \"{version}\" cannot be handled as a {}: no kind \"{kind}\" is registered for version \"{api_version}\" in scheme \"pkg/runtime/scheme.go:111\"",
                self.kind.kind
            ));
        }
        if kind != self.kind.kind {
            return Problem::bad_request(format!(
                "{kind} in version \"{version}\" cannot be handled as a {}: unknown kind",
                self.kind.kind
            ));
        }
        Problem::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        ))
    }

    fn names_namespace(&self, value: &mut Value) -> Result<(), Problem> {
        let named = meta::text(value, "namespace").to_owned();
        if !self.kind.namespaced {
            if !named.is_empty() {
                return Err(Problem::bad_request(
                    "namespace is not allowed on this type".to_owned(),
                ));
            }
            return Ok(());
        }
        if named.is_empty() {
            meta::of(value).insert("namespace".to_owned(), json!(self.target.namespace));
        } else if named != self.target.namespace {
            return Err(Problem::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        Ok(())
    }

    fn namespace_exists(&self) -> Result<(), Problem> {
        if !self.kind.namespaced {
            return Ok(());
        }
        let namespace = &self.target.namespace;
        if self.cluster.store.get("/namespaces", namespace).is_some() {
            return Ok(());
        }
        let kinds = self.cluster.kinds();
        let kind = kinds.find("", "v1", "namespaces").expect("namespaces are built in");
        Err(Problem::not_found(kind, namespace))
    }

    /// No new content for a namespace that is going.
    fn namespace_stays(&self, name: &str) -> Result<(), Problem> {
        if !self.kind.namespaced {
            return Ok(());
        }
        let namespace = &self.target.namespace;
        let going =
            self.cluster.store.get("/namespaces", namespace).is_some_and(|e| e.meta.deleting);
        if !going {
            return Ok(());
        }
        let why = format!(
            "unable to create new content in namespace {namespace} because it is being terminated"
        );
        let because = Cause {
            reason: "NamespaceTerminating".to_owned(),
            message: format!("namespace {namespace} is being terminated"),
            field: "metadata.namespace".to_owned(),
        };
        Err(Problem::forbidden(self.kind, name, &why).because(&[because]))
    }

    fn create_object(&mut self, object: Value) -> Result<Written, Problem> {
        for attempt in 1..=ATTEMPTS_MAX {
            let generated = meta::text(&object, "name").is_empty()
                && !meta::text(&object, "generateName").is_empty();
            match self.create_once(object.clone(), None) {
                Err(problem)
                    if generated && problem.reason == "AlreadyExists" && attempt < ATTEMPTS_MAX => {
                }
                outcome => return outcome,
            }
        }
        Err(Problem::new(500, "InternalError", "no free name was found"))
    }

    /// Makes an object; `owned` is the object with its managed fields where an apply made them.
    fn create_once(&mut self, object: Value, owned: Option<()>) -> Result<Written, Problem> {
        let now = self.cluster.now_text();
        let mut object = object;
        let version = meta::text(&object, "resourceVersion").to_owned();
        meta::clear_system_fields(&mut object);
        strategy::before_owners(self.kind, &mut object);
        if owned.is_none() {
            let writer =
                Writer { manager: &self.manager, subresource: &self.target.subresource, now: &now };
            object = ownership::update(self.kind, None, object, &writer);
        }
        if !version.is_empty() {
            return Err(Problem::new(
                500,
                "",
                "resourceVersion should not be set on objects to be created",
            ));
        }
        strategy::admit_create(self.cluster, self.kind, &mut object)?;
        self.namespace_stays(meta::text(&object, "name"))?;
        if meta::text(&object, "name").is_empty() {
            let base = meta::text(&object, "generateName").to_owned();
            if !base.is_empty() {
                let name = self.cluster.generate_name(&base);
                meta::of(&mut object).insert("name".to_owned(), json!(name));
            }
        }
        let uid = self.cluster.new_uid();
        let metadata = meta::of(&mut object);
        metadata.insert("uid".to_owned(), json!(uid));
        metadata.insert("creationTimestamp".to_owned(), json!(now));
        strategy::prepare_create(self.cluster, self.kind, &mut object)?;
        let name = meta::text(&object, "name").to_owned();
        let causes = strategy::create_causes(self.kind, &object);
        if !causes.is_empty() {
            return Err(Problem::invalid(&self.kind.group, &self.kind.kind, &name, &causes));
        }
        self.warnings.extend(strategy::warnings(self.kind, &object, None));
        let stored = convert::into_stored(self.kind, object)?;
        let key = self.kind.key(&self.target.namespace, &name);
        let draft = Draft::new(&stored);
        if self.options.dry_run {
            if self.cluster.store.get(&self.kind.table, &key).is_some() {
                return Err(Problem::already_exists(self.kind, &name));
            }
            return Ok(Written { entry: draft.unkept(), created: true });
        }
        match self.cluster.store.commit(&self.kind.table, &key, Expect::Absent, draft) {
            Ok(entry) => {
                strategy::after_write(self.cluster, self.kind, None, &stored);
                Ok(Written { entry, created: true })
            }
            Err(CommitError::Conflict) => Err(Problem::already_exists(self.kind, &name)),
            Err(CommitError::NotKept(error)) => Err(not_kept(&error)),
        }
    }

    /// Changes what stands at the target, again where another write came between.
    fn change(
        &mut self,
        pinned: bool,
        step: impl Fn(Option<&Value>) -> Result<Step, Step>,
    ) -> Result<Written, Problem> {
        self.change_by(pinned, None, step)
    }

    /// As [`Write::change`]; `patch_of` is the patch that it carries out.
    fn change_by(
        &mut self,
        pinned: bool,
        patch_of: Option<crate::patches::Patch<'_>>,
        step: impl Fn(Option<&Value>) -> Result<Step, Step>,
    ) -> Result<Written, Problem> {
        let key = self.kind.key(&self.target.namespace, &self.target.name);
        let warnings = self.warnings.len();
        for _attempt in 0..ATTEMPTS_MAX {
            self.warnings.truncate(warnings);
            let live = self.cluster.store.get(&self.kind.table, &key);
            let shown = match &live {
                Some(entry) => Some(convert::out(self.kind, entry.value())?),
                None => None,
            };
            let next = match step(shown.as_ref()) {
                Ok(next) | Err(next) => next,
            };
            let outcome = match (next, live, shown) {
                (Step::Refused(problem), _, _) => return Err(problem),
                (Step::NotFound, _, _) => {
                    return Err(Problem::not_found(self.kind, &self.target.name));
                }
                (Step::Create(object), None, _) => {
                    if !strategy::creates_on_update(self.kind)
                        || !self.target.subresource.is_empty()
                    {
                        return Err(Problem::not_found(self.kind, &self.target.name));
                    }
                    if !meta::text(&object, "resourceVersion").is_empty() {
                        return Err(Problem::modified(self.kind, &self.target.name));
                    }
                    self.namespace_exists()?;
                    self.create_once(object, None)
                }
                (Step::AppliedNew(object), None, _) => {
                    if !self.target.subresource.is_empty() {
                        return Err(Problem::not_found(self.kind, &self.target.name));
                    }
                    self.applied_new(object)
                }
                (Step::Update(object), Some(entry), Some(shown)) => {
                    self.update_once(&entry, &shown, object, From::Put)
                }
                (Step::Patched(read, patched), Some(entry), Some(shown)) => {
                    let object = self.patched(read, patch_of, &patched)?;
                    self.update_once(&entry, &shown, object, From::Patch)
                }
                (Step::Applied(object), Some(entry), Some(shown)) => {
                    let object = self.decode_applied(object)?;
                    self.update_once(&entry, &shown, object, From::Apply)
                }
                (_, _, _) => return Err(Problem::not_found(self.kind, &self.target.name)),
            };
            match outcome {
                Err(problem) if problem.reason == OVERTAKEN && !pinned => {}
                Err(problem) if problem.reason == OVERTAKEN => {
                    return Err(Problem::modified(self.kind, &self.target.name));
                }
                outcome => return outcome,
            }
        }
        Err(Problem::modified(self.kind, &self.target.name))
    }

    fn applied_new(&mut self, object: Value) -> Result<Written, Problem> {
        self.namespace_exists()?;
        let mut object = self.decode_applied(object)?;
        self.named_as_the_path(&mut object)?;
        match self.create_once(object, Some(())) {
            Err(problem) if problem.reason == "AlreadyExists" && !self.options.dry_run => {
                Err(overtaken())
            }
            outcome => outcome,
        }
    }

    fn named_as_the_path(&self, object: &mut Value) -> Result<(), Problem> {
        let named = meta::text(object, "name").to_owned();
        if named.is_empty() {
            meta::of(object).insert("name".to_owned(), json!(self.target.name));
        } else if named != self.target.name {
            return Err(Problem::bad_request(format!(
                "the name of the object ({named}) does not match the name on the URL ({})",
                self.target.name
            )));
        }
        self.names_namespace(object)
    }

    /// What strict decoding finds in the result of a patch is the patch's fault.
    fn patched(
        &mut self,
        read: types::Decoded,
        patch: Option<crate::patches::Patch<'_>>,
        patched: &Value,
    ) -> Result<Value, Problem> {
        match (self.options.field_validation, patch) {
            (FieldValidation::Strict, Some(patch)) if !read.faults.is_empty() => {
                let said = format!("strict decoding error: {}", read.faults.join(", "));
                return Err(crate::patches::refused(patch, patched, &said));
            }
            _ => self.mind(&read.faults)?,
        }
        let mut value = read.value;
        types::set_defaults(self.kind, &mut value);
        Ok(value)
    }

    fn decode_applied(&mut self, object: Value) -> Result<Value, Problem> {
        let read = types::decode_parsed(self.kind, object).map_err(|error| {
            let (api_version, kind) = (self.kind.api_version(), &self.kind.kind);
            let said = format!(
                "unable to convert unstructured object to {api_version}, Kind={kind}: {}",
                error.0
            );
            Problem::new(500, "", said)
        })?;
        let mut value = read.value;
        types::set_defaults(self.kind, &mut value);
        Ok(value)
    }

    fn update_once(
        &mut self,
        entry: &Entry,
        live: &Value,
        new: Value,
        from: From,
    ) -> Result<Written, Problem> {
        let name = self.target.name.clone();
        let mut new = new;
        let refuse = |causes: &[Cause]| {
            Err(Problem::invalid(&self.kind.group, &self.kind.kind, &name, causes))
        };
        new["apiVersion"] = json!(self.kind.api_version());
        new["kind"] = json!(self.kind.kind);
        let uid = meta::text(&new, "uid");
        if !uid.is_empty() && uid != &*entry.meta.uid && from == From::Put {
            let key = self.kind.key(&self.target.namespace, &name);
            let why = format!(
                "StorageError: invalid object, Code: 4, Key: /registry/{}/{key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                self.kind.plural, entry.meta.uid
            );
            return Err(Problem::conflict(self.kind, &name, &why));
        }
        if from != From::Put {
            self.named_as_the_path(&mut new)?;
        }
        let version = meta::text(&new, "resourceVersion").to_owned();
        if version.is_empty() || version == "0" {
            if !strategy::updates_unconditionally(self.kind) && self.target.subresource.is_empty() {
                // This one names the resource instead of the kind.
                let cause = meta::cause(
                    "FieldValueInvalid",
                    "metadata.resourceVersion",
                    "Invalid value: 0: must be specified for an update",
                );
                return Err(Problem::invalid(&self.kind.group, &self.kind.plural, &name, &[cause]));
            }
        } else if version.parse() != Ok(entry.revision) {
            if version.parse::<u64>().is_err() {
                return refuse(&[meta::cause(
                    "FieldValueInvalid",
                    "metadata.resourceVersion",
                    &format!(
                        "Invalid value: \"{version}\": strconv.ParseUint: parsing \"{version}\": invalid syntax"
                    ),
                )]);
            }
            return Err(Problem::modified(self.kind, &name));
        }
        meta::of(&mut new).remove("resourceVersion");
        strategy::before_owners(self.kind, &mut new);
        if from != From::Apply {
            let now = self.cluster.now_text();
            let writer =
                Writer { manager: &self.manager, subresource: &self.target.subresource, now: &now };
            new = ownership::update(self.kind, Some(live), new, &writer);
        }
        if self.target.subresource == "scale" {
            ownership::forget_scale_times(&mut new);
        }
        strategy::admit_update(self.cluster, self.kind, live, &mut new)?;
        meta::carry_over(live, &mut new);
        strategy::prepare_update(
            self.cluster,
            self.kind,
            &self.target.subresource,
            live,
            &mut new,
        )?;
        let causes = strategy::update_causes(
            self.kind,
            &self.target.subresource,
            self.server_side,
            live,
            &new,
        );
        if !causes.is_empty() {
            return refuse(&causes);
        }
        self.warnings.extend(strategy::warnings(self.kind, &new, Some(live)));
        ownership::keep_times_of_no_change(live, &mut new);
        self.commit_update(entry, live, new)
    }

    fn commit_update(
        &mut self,
        entry: &Entry,
        live: &Value,
        new: Value,
    ) -> Result<Written, Problem> {
        let mut before = live.clone();
        meta::of(&mut before).remove("resourceVersion");
        if before == new {
            return Ok(Written { entry: entry.clone(), created: false });
        }
        let stored = convert::into_stored(self.kind, new)?;
        let key = self.kind.key(&self.target.namespace, &self.target.name);
        let draft = Draft::new(&stored);
        if self.options.dry_run {
            return Ok(Written { entry: draft.kept_as(entry.revision), created: false });
        }
        if entry.meta.deleting && super::delete::may_go(self.kind, &stored) {
            return super::delete::finish(self.cluster, self.kind, &key, entry, draft)
                .map(|entry| Written { entry, created: false });
        }
        match self.cluster.store.commit(
            &self.kind.table,
            &key,
            Expect::Revision(entry.revision),
            draft,
        ) {
            Ok(entry) => {
                strategy::after_write(self.cluster, self.kind, Some(&before), &stored);
                Ok(Written { entry, created: false })
            }
            Err(CommitError::Conflict) => Err(overtaken()),
            Err(CommitError::NotKept(error)) => Err(not_kept(&error)),
        }
    }

    fn answer(self, written: &Written, wanted: Wanted) -> Result<Response, Problem> {
        let code = if written.created { 201 } else { 200 };
        let mut response = read::one(self.kind, &written.entry, wanted, code)?;
        response.warnings = self.warnings;
        Ok(response)
    }
}

/// Reads, changes and writes an object on behalf of the server itself.
///
/// `change` answers whether it changed anything. An object that is not there is left alone.
///
/// # Errors
///
/// In the server's words.
pub fn change_as_server(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    namespace: &str,
    name: &str,
    change: impl Fn(&mut Value) -> bool,
) -> Result<(), Problem> {
    let key = kind.key(namespace, name);
    for _attempt in 0..ATTEMPTS_MAX {
        let Some(entry) = cluster.store.get(&kind.table, &key) else { return Ok(()) };
        let mut object = entry.value();
        if !change(&mut object) {
            return Ok(());
        }
        meta::of(&mut object).remove("resourceVersion");
        let draft = Draft::new(&object);
        if entry.meta.deleting && super::delete::may_go(kind, &object) {
            match super::delete::finish(cluster, kind, &key, &entry, draft) {
                Err(problem) if problem.reason == OVERTAKEN => continue,
                outcome => return outcome.map(drop),
            }
        }
        match cluster.store.commit(&kind.table, &key, Expect::Revision(entry.revision), draft) {
            Ok(_) => {
                strategy::after_write(cluster, kind, Some(&entry.value()), &object);
                return Ok(());
            }
            Err(CommitError::Conflict) => {}
            Err(CommitError::NotKept(error)) => return Err(not_kept(&error)),
        }
    }
    Err(Problem::modified(kind, name))
}

/// What an update comes from. An apply has set the managed fields; elsewhere they follow from what changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Put,
    Patch,
    Apply,
}

/// What is to be done with what stands at the target.
enum Step {
    Create(Value),
    Update(Value),
    Patched(types::Decoded, Value),
    Applied(Value),
    AppliedNew(Value),
    NotFound,
    Refused(Problem),
}

impl std::convert::From<Problem> for Step {
    fn from(problem: Problem) -> Step {
        Step::Refused(problem)
    }
}

/// Marks a commit that another write overtook; it never leaves this module.
const OVERTAKEN: &str = "Overtaken";

/// Returns the mark of a commit that another write overtook.
pub fn overtaken() -> Problem {
    Problem::new(409, OVERTAKEN, "another write came first")
}

/// Returns whether a problem is only that another write came first.
pub fn was_overtaken(problem: &Problem) -> bool {
    problem.reason == OVERTAKEN
}

/// Returns what is said where the disk refuses.
pub fn not_kept(error: &crate::store::LogError) -> Problem {
    Problem::new(500, "InternalError", format!("Internal error occurred: {error}"))
}

/// Returns the field manager that a user agent stands for: what stands before the first slash.
fn manager_of(user_agent: &str) -> String {
    let name = user_agent.split('/').next().unwrap_or_default();
    let printable: String = name.chars().filter(|c| !c.is_control()).take(128).collect();
    if printable.is_empty() { "unknown".to_owned() } else { printable }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A patch as it came.
enum Patch {
    Json(Value),
    Merge(Value),
    Strategic(Value),
    Apply(Body),
}

impl Patch {
    fn read(request: &Request, kind: &Kind) -> Result<Patch, Problem> {
        let unparsed = |error: serde_json::Error| {
            let said = body::go_words(&error, &request.body);
            Problem::bad_request(format!("error decoding patch: {said}"))
        };
        let value = || serde_json::from_slice(&request.body).map_err(unparsed);
        match body::media(&request.content_type) {
            "application/json-patch+json" => value().map(Patch::Json),
            "application/merge-patch+json" => value().map(Patch::Merge),
            "application/strategic-merge-patch+json" if kind.built_in() => {
                value().map(Patch::Strategic)
            }
            "application/apply-patch+yaml" => {
                body::json_or_yaml(&request.body).map(Patch::Apply).map_err(|problem| {
                    Problem::bad_request(format!("error decoding YAML: {}", problem.message))
                })
            }
            _ => Err(unsupported_patch(kind)),
        }
    }

    fn plain(&self) -> crate::patches::Patch<'_> {
        match self {
            Patch::Json(patch) => crate::patches::Patch::Json(patch),
            Patch::Merge(patch) => crate::patches::Patch::Merge(patch),
            Patch::Strategic(patch) => crate::patches::Patch::Strategic(patch),
            Patch::Apply(body) => crate::patches::Patch::Merge(&body.value),
        }
    }
}

fn unsupported_patch(kind: &Kind) -> Problem {
    if !kind.built_in() {
        return Problem::new(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
        );
    }
    let mut problem = Problem::new(415, "UnsupportedMediaType", "415: Unsupported Media Type");
    problem.details = Some(json!({}));
    problem
}

/// Returns which options a PATCH with this content type has.
pub fn patch_kind(content_type: &str) -> WriteKind {
    match body::media(content_type) {
        "application/apply-patch+yaml" => WriteKind::Apply,
        _ => WriteKind::Patch,
    }
}

/// Reads the options of a write.
///
/// # Errors
///
/// As [`WriteOptions::parse`].
pub fn options(query: &Query, kind: WriteKind) -> Result<WriteOptions, Problem> {
    WriteOptions::parse(query, kind)
}

/// Returns a value patched by a request's body, by the rules of its content type.
///
/// # Errors
///
/// In the server's words.
pub fn patch_value(request: &Request, value: &Value) -> Result<Value, Problem> {
    let scale = Kind::scale();
    let patch = Patch::read(request, &scale)?;
    crate::patches::on(&scale, value, patch.plain())
}
