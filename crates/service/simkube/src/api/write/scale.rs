//! A scale, written as any other object, and carried back to what it is the scale of.

use std::sync::Arc;

use bytes::Bytes;
use merge::managed;
use serde_json::Value;

use super::super::problem::Problem;
use super::super::request::Request;
use super::super::scale::{self, Before};
use super::carry_out::{ATTEMPTS_MAX, Origin, unregistered, was_overtaken};
use super::patch::{self, Patch};
use super::{Write, Written};
use crate::kinds::Kind;
use crate::{body, convert, meta, ownership, types};

impl Write<'_> {
    /// Answers PUT and PATCH on an object's scale; returns the object, and what the client is told.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn scale(mut self, request: &Request) -> Result<(Written, Vec<String>), Problem> {
        let outcome = self.scale_as_asked(request);
        match outcome {
            Ok(written) => Ok((written, self.warnings)),
            Err(mut problem) => {
                problem.warnings = self.warnings;
                Err(problem)
            }
        }
    }

    fn scale_as_asked(&mut self, request: &Request) -> Result<Written, Problem> {
        let mut shape = Kind::scale();
        shape.namespaced = self.kind.namespaced;
        let shape = Arc::new(shape);
        let asked = match request.method.as_str() {
            "PUT" => Asked::Sent(self.sent_scale(&shape, request)?),
            _ => match Patch::read(request, self.kind)? {
                Patch::Apply(bytes) => Asked::Applied(bytes),
                patch => Asked::Patched(patch),
            },
        };
        let key = self.kind.key(&self.target.namespace, &self.target.name);
        let warnings = self.warnings.len();
        for _attempt in 0..ATTEMPTS_MAX {
            self.warnings.truncate(warnings);
            let entry = self.cluster.store.get(&self.kind.table, &key);
            let entry = entry.ok_or_else(|| Problem::not_found(self.kind, &self.target.name))?;
            if let Asked::Sent(sent) = &asked {
                self.precondition(Origin::Put { uid: meta::text(sent, "uid") }, Some(&entry))?;
            }
            let live = convert::out(self.kind, entry.value())?;
            let before = scale::before(self.kind, &live)?;
            let scaled = match &asked {
                Asked::Sent(sent) => self.owned_scale(&shape, &before, sent.clone()),
                Asked::Applied(bytes) => {
                    let patch = patch::apply(bytes)?;
                    self.applied_scale(&shape, &before, &patch.value)?
                }
                Asked::Patched(patch) => self.patched_scale(&shape, &before, patch)?,
            };
            let pinned = match &asked {
                Asked::Sent(sent) => !meta::text(sent, "resourceVersion").is_empty(),
                Asked::Applied(_) | Asked::Patched(_) => false,
            };
            let new = scale::carried_back(self.kind, &live, &before, &scaled)?;
            match self.update_once(&entry, &live, new, Origin::Server) {
                Err(problem) if was_overtaken(&problem) && !pinned => {}
                Err(problem) if was_overtaken(&problem) => {
                    return Err(Problem::modified(self.kind, &self.target.name));
                }
                outcome => return outcome,
            }
        }
        Err(Problem::modified(self.kind, &self.target.name))
    }

    /// A writer of the scale itself, which is a kind of its own.
    fn at_door<T>(
        &mut self,
        shape: &Arc<Kind>,
        act: impl FnOnce(&mut Write<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut door = Write {
            cluster: self.cluster,
            kind: shape,
            target: self.target,
            options: self.options,
            manager: self.manager.clone(),
            warnings: Vec::new(),
            server_side: false,
            shares_labels: false,
            has_unknown: false,
            is_strange: false,
            is_kept_otherwise: false,
            says_nothing: false,
        };
        let outcome = act(&mut door);
        self.warnings.append(&mut door.warnings);
        outcome
    }

    fn sent_scale(&mut self, shape: &Arc<Kind>, request: &Request) -> Result<Value, Problem> {
        let built_in = self.kind.built_in();
        self.at_door(shape, |door| {
            let read = body::read(&request.content_type, &request.body, shape);
            let read = read.and_then(|body| door.decode(body));
            let mut sent = read.map_err(|problem| undecodable(built_in, problem))?;
            door.names_namespace(&mut sent)?;
            door.named_as_the_path(&sent)?;
            Ok(sent)
        })
    }

    fn patched_scale(
        &mut self,
        shape: &Arc<Kind>,
        before: &Before,
        patch: &Patch,
    ) -> Result<Value, Problem> {
        let validation = self.options.field_validation;
        let patched = patch.on(shape, &before.scale, validation)?;
        let refused =
            |said: &str| crate::patches::refused(&patched.shown.of(shape, &before.scale), said);
        if matches!(patch, Patch::Json(_) | Patch::Merge(_))
            && !manifest::api_version(&patched.object).is_empty()
            && (manifest::api_version(&patched.object), manifest::kind(&patched.object))
                != ("autoscaling/v1", "Scale")
            && let Some(said) = unregistered(shape, &patched.object)
        {
            return Err(refused(&said));
        }
        let read = match patch {
            Patch::Strategic(_) => types::decode_parsed(shape, patched.object),
            Patch::Json(_) | Patch::Merge(_) | Patch::Apply(_) => {
                types::decode(shape, patched.object)
            }
        };
        let mut read = read.map_err(|error| refused(&error.0))?;
        read.faults.splice(0..0, patched.faults);
        let new = self.at_door(shape, |door| {
            let mut new = door.patched(read, &patched.shown, &before.scale)?;
            door.names_namespace(&mut new)?;
            door.named_as_the_path(&new)?;
            Ok(new)
        })?;
        Ok(self.owned_scale(shape, before, new))
    }

    fn applied_scale(
        &mut self,
        shape: &Arc<Kind>,
        before: &Before,
        patch: &Value,
    ) -> Result<Value, Problem> {
        let is_scale = manifest::api_version(patch) == shape.api_version()
            && manifest::kind(patch) == shape.kind;
        if is_scale && !self.kind.built_in() && !before.is_owned {
            // Where nobody owns its replicas, the server reads an empty scale as if it were the object.
            let failed = "create manager for existing fields: failed to convert live object";
            return Err(unconvertible(failed, "", ""));
        }
        let now = self.cluster.now_text();
        let writer = self.writer("scale", &now);
        let force = self.options.force;
        let object = ownership::apply(shape, Some(&before.scale), patch, force, &writer)?;
        if !self.kind.built_in() && !managed::is_same_without_owners(&before.scale, &object) {
            // Nor does it know a scale that an apply made something else of.
            let (namespace, name) = (meta::text(patch, "namespace"), meta::text(patch, "name"));
            return Err(unconvertible("convert new object", namespace, name));
        }
        self.at_door(shape, |door| door.applied(object, patch, Vec::new(), true))
    }

    /// Returns a scale with the owners that a plain write leaves behind.
    fn owned_scale(&self, shape: &Kind, before: &Before, new: Value) -> Value {
        let now = self.cluster.now_text();
        let writer = self.writer("scale", &now);
        ownership::update(shape, Some(&before.scale), new, &writer)
    }
}

/// How a scale is asked to be.
enum Asked {
    /// As a PUT sent it.
    Sent(Value),
    /// With a text applied, which is read when there is an object to apply it to.
    Applied(Bytes),
    /// With another patch carried out.
    Patched(Patch),
}

/// The server does not convert the scale of a custom kind, which it takes for the kind itself.
fn unconvertible(failed: &str, namespace: &str, name: &str) -> Problem {
    let said = format!(
        "failed to {failed} ({namespace}/{name}; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: autoscaling/v1"
    );
    Problem::new(500, "", said)
}

/// The server does not know the scale of a custom kind when it is to say what is wrong with one.
fn undecodable(built_in: bool, problem: Problem) -> Problem {
    match !built_in && problem.code == 400 {
        true => Problem::bad_request(
            "no kind is registered for the type v1.Scale in scheme \"pkg/runtime/scheme.go:111\"",
        ),
        false => problem,
    }
}
