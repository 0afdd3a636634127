//! From a request's body to an object of the kind, and what is said of one that is none.

use serde_json::{Map, Value, json};

use super::super::options::FieldValidation;
use super::super::problem::{Cause, Problem};
use super::Write;
use super::patch::Shown;
use crate::body::{self, Body};
use crate::kinds::Kind;
use crate::{convert, meta, strategy, types, validation};

impl Write<'_> {
    pub(super) fn decode(&mut self, body: Body) -> Result<Value, Problem> {
        let (mut value, text) = (body.value, body.text);
        let duplicates: Vec<String> = body
            .duplicates
            .iter()
            .map(|path| format!("duplicate field \"{path}\""))
            .chain(body.said)
            .collect();
        if !duplicates.is_empty()
            && self.kind.built_in()
            && let Ok(merged) = body::merged_json(&text)
        {
            value = merged;
        }
        self.says_kind_in_text(&value, &text)?;
        self.other_version(&value, &duplicates)?;
        let other_kind = self.takes_other_kind(&value);
        if other_kind.is_some() {
            value["kind"] = json!(self.kind.kind);
        }
        self.names_kind(&mut value, &text)?;
        let decoded = types::decode(self.kind, value).map_err(|error| match &other_kind {
            Some(named) => Problem::bad_request(format!(
                "{named} in version \"{}\" cannot be handled as a {}: {}",
                self.kind.version, self.kind.kind, error.0
            )),
            None => error.of_body(self.kind),
        });
        let decoded = decoded.map_err(|mut problem| {
            problem.message = body::as_written(&problem.message, &text);
            problem
        })?;
        // What a built-in kind does not know is told once.
        let is_known = |fault: &String| {
            let path = fault.strip_prefix("duplicate ");
            !self.kind.built_in()
                || path.is_none_or(|path| !decoded.faults.contains(&format!("unknown {path}")))
        };
        let duplicates: Vec<String> = duplicates.into_iter().filter(is_known).collect();
        let faults: Vec<String> = duplicates.into_iter().chain(decoded.faults).collect();
        if let Some(named) = other_kind {
            // Of a kind that is not known only the metadata is.
            let of_metadata =
                |fault: &String| fault.starts_with("duplicate") || fault.contains("\"metadata.");
            // What YAML's reader says is told whatever the kind.
            let kept = |fault: &String| of_metadata(fault) || fault.starts_with("yaml: ");
            let faults: Vec<String> = faults.into_iter().filter(kept).collect();
            return Err(self.is_other_kind(&named, &decoded.value, &faults));
        }
        let faults = match text.is_empty() || !self.kind.built_in() {
            true => faults,
            false => Body { text, ..Body::of(Value::Null) }.in_order(faults),
        };
        self.mind(&faults)?;
        let mut value = decoded.value;
        self.shares_labels = shares_labels(self.kind, &value);
        types::set_defaults(self.kind, &mut value);
        Ok(value)
    }

    /// What an object says to be is read before anything else of it.
    fn says_kind_in_text(&self, value: &Value, text: &[u8]) -> Result<(), Problem> {
        let wrong = ["apiVersion", "kind"].into_iter().find_map(|name| {
            let said = value.get(name)?;
            (!said.is_string() && !said.is_null()).then_some((name, said))
        });
        let Some((name, said)) = wrong else { return Ok(()) };
        Err(Problem::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go struct field .{name} of type string ({})",
            self.kind.kind,
            body::go_type(said),
            body::summary(text)
        )))
    }

    /// A custom object at another version of its kind is read before it is refused.
    fn other_version(&mut self, value: &Value, duplicates: &[String]) -> Result<(), Problem> {
        let api_version = manifest::api_version(value);
        if self.kind.built_in() || api_version == self.kind.api_version() {
            return Ok(());
        }
        let kinds = self.cluster.kinds();
        let Some(other) = kinds.of(api_version, manifest::kind(value)) else {
            return self.strange_version(value);
        };
        if other.table != self.kind.table {
            return Ok(());
        }
        let read = types::decode(other, value.clone()).map_err(|error| error.of_body(other))?;
        let faults: Vec<String> = duplicates.iter().cloned().chain(read.faults).collect();
        self.mind_as(other, &faults)
    }

    /// Of a custom object at a version that nobody knows only the metadata is read.
    fn strange_version(&mut self, value: &Value) -> Result<(), Problem> {
        let (api_version, named) = (manifest::api_version(value), manifest::kind(value));
        if api_version.is_empty() || named.is_empty() || api_version.matches('/').count() > 1 {
            return Ok(());
        }
        let (_, version) = manifest::split_api_version(api_version);
        let faults = types::read_metadata(value).map_err(|error| {
            Problem::bad_request(format!(
                "{named} in version \"{version}\" cannot be handled as a {named}: {}",
                error.0
            ))
        })?;
        match self.options.field_validation {
            FieldValidation::Warn => self.warnings.extend(faults),
            FieldValidation::Strict if !faults.is_empty() => {
                return Err(Problem::bad_request(format!(
                    "{named} in version \"{version}\" cannot be handled as a {named}: strict decoding error: {}",
                    faults.join(", ")
                )));
            }
            FieldValidation::Strict | FieldValidation::Ignore => {}
        }
        Ok(())
    }

    /// The kind that a custom object says it is, where it is another one of the same version: that is
    /// found wrong behind everything else.
    fn takes_other_kind(&self, value: &Value) -> Option<String> {
        let named = manifest::kind(value);
        let is_other = !self.kind.built_in()
            && manifest::api_version(value) == self.kind.api_version()
            && !named.is_empty()
            && named != self.kind.kind;
        is_other.then(|| named.to_owned())
    }

    fn is_other_kind(&mut self, named: &str, object: &Value, faults: &[String]) -> Problem {
        match self.options.field_validation {
            FieldValidation::Ignore => {}
            FieldValidation::Warn => self.warnings.extend(told(faults)),
            FieldValidation::Strict if faults.is_empty() => {}
            FieldValidation::Strict => {
                return Problem::bad_request(format!(
                    "{named} in version \"{}\" cannot be handled as a {named}: strict decoding error: {}",
                    self.kind.version,
                    faults.join(", ")
                ));
            }
        }
        let key = self.kind.key(&self.target.namespace, &self.target.name);
        let is_put = !self.target.name.is_empty();
        if is_put {
            let mut object = object.clone();
            let fits = self.names_namespace(&mut object);
            if let Err(problem) = fits.and_then(|()| self.named_as_the_path(&object)) {
                return problem;
            }
        }
        if is_put && self.cluster.store.get(&self.kind.table, &key).is_none() {
            return Problem::not_found(self.kind, &self.target.name);
        }
        if is_put && matches!(meta::text(object, "resourceVersion"), "" | "0") {
            let cause = meta::cause(
                "FieldValueInvalid",
                "metadata.resourceVersion",
                "Invalid value: 0: must be specified for an update",
            );
            let (group, plural) = (&self.kind.group, &self.kind.plural);
            return Problem::invalid(group, plural, &self.target.name, &[cause]);
        }
        let words = format!("Invalid value: \"{named}\": must be {}", self.kind.kind);
        let mut causes = vec![meta::cause("FieldValueInvalid", "kind", &words)];
        causes.extend(validation::of_other_kind(self.kind, object));
        let base = meta::text(object, "generateName");
        let name = match meta::text(object, "name") {
            "" if !base.is_empty() => self.cluster.generate_name(base),
            name => name.to_owned(),
        };
        Problem::invalid(&self.kind.group, named, &name, &causes)
    }

    /// What strict decoding finds is an error, a warning, or nothing, as the client wants.
    pub(super) fn mind(&mut self, faults: &[String]) -> Result<(), Problem> {
        let kind = self.kind.clone();
        self.mind_as(&kind, faults)
    }

    fn mind_as(&mut self, kind: &Kind, faults: &[String]) -> Result<(), Problem> {
        match self.options.field_validation {
            FieldValidation::Ignore => {}
            FieldValidation::Warn => self.warnings.extend(told(faults)),
            FieldValidation::Strict if faults.is_empty() => {}
            FieldValidation::Strict => {
                let said = faults.join(", ");
                let message = format!(
                    "{0} in version \"{1}\" cannot be handled as a {0}: strict decoding error: {said}",
                    kind.kind, kind.version
                );
                return Err(Problem::bad_request(message));
            }
        }
        Ok(())
    }

    pub(super) fn names_kind(&self, value: &mut Value, text: &[u8]) -> Result<(), Problem> {
        let expected = (self.kind.api_version(), self.kind.kind.clone());
        if text.trim_ascii() == b"null" || (text.is_empty() && value.is_null()) {
            *value = json!({});
        }
        if !value.is_object() {
            return Err(Problem::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }} ({})",
                expected.1,
                body::go_type(value),
                body::summary(text)
            )));
        }
        let api_version = manifest::api_version(value).to_owned();
        let kind = manifest::kind(value).to_owned();
        if !self.kind.built_in() && (api_version.is_empty() || kind.is_empty()) {
            let text = String::from_utf8_lossy(text);
            let missing = if kind.is_empty() { "Kind" } else { "apiVersion" };
            if self.options.field_validation == FieldValidation::Ignore {
                return Err(Problem::bad_request(format!(
                    "{0} in version \"{1}\" cannot be handled as a {0}: Object '{missing}' is missing in '{text}'",
                    self.kind.kind, self.kind.version
                )));
            }
            return Err(Problem::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): Object '{missing}' is missing in '{text}' ({})",
                self.kind.kind,
                body::summary(text.as_bytes())
            )));
        }
        if (!kind.is_empty() && kind != expected.1)
            || (!api_version.is_empty() && api_version != expected.0)
        {
            return Err(self.other_kind(&api_version, &kind, value));
        }
        value["apiVersion"] = json!(expected.0);
        value["kind"] = json!(expected.1);
        Ok(())
    }

    pub(super) fn other_kind(&self, api_version: &str, kind: &str, value: &Value) -> Problem {
        let expected = self.kind.api_version();
        let api_version = if api_version.is_empty() { &expected } else { api_version };
        let kinds = self.cluster.kinds();
        let known = kinds.of(api_version, kind).is_some();
        let (_, version) = manifest::split_api_version(api_version);
        if known && api_version != expected && self.kind.kind == kind {
            if let Some(other) = kinds.of(api_version, kind)
                && let Err(error) = types::decode(other, value.clone())
            {
                return error.of_body(other);
            }
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
        Problem::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        ))
    }

    /// The namespace of the path is the object's, and the only one that it may name.
    pub(super) fn names_namespace(&self, value: &mut Value) -> Result<(), Problem> {
        let named = meta::text(value, "namespace").to_owned();
        if !self.kind.namespaced {
            if !named.is_empty() {
                meta::of(value).remove("namespace");
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

    pub(super) fn namespace_exists(&self) -> Result<(), Problem> {
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
    pub(super) fn namespace_stays(&self, name: &str) -> Result<(), Problem> {
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

    /// An object bears the name of its path.
    pub(super) fn named_as_the_path(&self, object: &Value) -> Result<(), Problem> {
        let (named, path) = (meta::text(object, "name"), &self.target.name);
        if named == path {
            return Ok(());
        }
        Err(Problem::bad_request(match named {
            "" => format!(
                "the name of the object ({path} based on URL) was undeterminable: name must be provided"
            ),
            named => format!(
                "the name of the object ({named}) does not match the name on the URL ({path})"
            ),
        }))
    }

    /// What strict decoding finds in what a patch made of a live object is the patch's fault.
    pub(super) fn patched(
        &mut self,
        read: types::Decoded,
        patch: &Shown,
        live: &Value,
    ) -> Result<Value, Problem> {
        if self.options.field_validation == FieldValidation::Strict && !read.faults.is_empty() {
            let said = format!("strict decoding error: {}", read.faults.join(", "));
            return Err(crate::patches::refused(&patch.of(self.kind, live), &said));
        }
        self.mind(&read.faults)?;
        let mut value = read.value;
        types::set_defaults(self.kind, &mut value);
        Ok(value)
    }

    pub(super) fn decode_applied(
        &mut self,
        object: Value,
        patch: &Value,
    ) -> Result<Value, Problem> {
        let owners = patch.pointer("/metadata/managedFields").filter(|owners| !owners.is_null());
        let readable = match owners.filter(|_| self.kind.built_in()) {
            // Owners that cannot be read get past those who refuse them, and no further.
            Some(owners) => {
                let mut metadata = patch["metadata"].clone();
                metadata["managedFields"] = owners.clone();
                types::decode_parsed(self.kind, json!({"metadata": metadata})).map(drop)
            }
            None => Ok(()),
        };
        let sent = (!self.kind.built_in()).then(|| object.clone());
        let read = readable.and_then(|()| types::decode_parsed(self.kind, object));
        let read = read.map_err(|error| {
            let (group, version, kind) = (&self.kind.group, &self.kind.version, &self.kind.kind);
            let (namespace, name) = (meta::text(patch, "namespace"), meta::text(patch, "name"));
            let about = format!("({namespace}/{name}; {group}/{version}, Kind={kind})");
            // What only the server's own form of the object cannot hold is found one step later.
            let said = match error.0.starts_with("strconv.") {
                true => format!("failed to convert to unversioned {about}: {}", error.0),
                false => format!(
                    "failed to convert new object {about} to proper version: unable to convert unstructured object to {group}/{version}, Kind={kind}: {}",
                    error.0
                ),
            };
            Problem::new(500, "", said)
        })?;
        let bytes = match (self.kind.group.as_str(), self.kind.kind.as_str()) {
            ("", "Secret") => "data",
            ("", "ConfigMap") => "binaryData",
            _ => "",
        };
        let has_no_bytes =
            patch[bytes].as_object().is_some_and(|entries| entries.values().any(Value::is_null));
        let of_metadata = |fault: &String| fault.contains("\"metadata.");
        let door = format!("\"{}", self.target.subresource);
        let of_door = |fault: &String| door.len() == 1 || fault.contains(&door);
        self.has_unknown = !self.kind.built_in()
            && read.faults.iter().any(|fault| !of_metadata(fault) && of_door(fault));
        if let Some(mut sent) = sent {
            types::whole_numbers(&mut sent);
            // What is empty in objects within others is nothing when the object is read.
            self.has_unknown |= self.target.subresource.is_empty()
                && read.faults.iter().all(of_metadata)
                && is_read_otherwise(&sent, &read.value);
            // Through the status no metadata is written, and what is turned into another version has
            // its metadata read once more.
            self.is_kept_otherwise = self.target.subresource.is_empty()
                && convert::is_stored_as(self.kind)
                && is_metadata_read_otherwise(&sent, &read.value);
        }
        self.is_kept_otherwise |= self.has_unknown || has_no_bytes;
        let mut value = read.value;
        self.shares_labels |= shares_labels(self.kind, &value);
        types::set_defaults_applied(self.kind, &mut value);
        Ok(value)
    }
}

/// Whether anything but metadata stands in an object that is not there when it is read.
fn is_read_otherwise(sent: &Value, read: &Value) -> bool {
    let fields = sent.as_object().into_iter().flatten();
    fields.filter(|(name, _)| *name != "metadata").any(|(name, sent)| read.get(name) != Some(sent))
}

/// Whether metadata says something that is nothing when it is read: what is empty.
fn is_metadata_read_otherwise(sent: &Value, read: &Value) -> bool {
    let (sent, read) = (&sent["metadata"], &read["metadata"]);
    ["annotations", "finalizers", "generateName", "labels", "ownerReferences"]
        .iter()
        .any(|name| sent.get(name) != read.get(name))
}

/// Whether a Job without labels has those of its template, which the server then adds to: they are one map,
/// empty or not.
fn shares_labels(kind: &Kind, object: &Value) -> bool {
    kind.is("batch", "Job")
        && object["metadata"]["labels"].as_object().is_none_or(Map::is_empty)
        && object["spec"]["template"]["metadata"]["labels"].is_object()
}

/// Faults as warnings tell them: what YAML's reader says line by line, without its head.
fn told(faults: &[String]) -> impl Iterator<Item = String> {
    faults.iter().flat_map(|fault| {
        let lines = fault.strip_prefix("yaml: unmarshal errors:\n");
        lines.unwrap_or(fault).lines().map(|line| line.trim_start().to_owned())
    })
}
