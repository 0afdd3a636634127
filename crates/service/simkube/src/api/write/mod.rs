//! Create, update and patch: one way through the rules for all of them.
//!
//! A write is decoded, its fields get their owner, admission and the kind's strategy do
//! their part, validation follows, and what then differs from what stood there is
//! committed. A commit that another write overtook is tried again from the start, unless
//! the client named the version that it wants to replace.

mod as_server;
mod carry_out;
mod patch;
mod reading;
mod scale;

use std::sync::Arc;

use serde_json::Value;

use super::negotiate::Wanted;
use super::options::{WriteKind, WriteOptions};
use super::problem::Problem;
use super::read;
use super::request::{Request, Response};
use super::route::{Query, Target};
use crate::body::{self, Body};
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::meta;
use crate::store::Entry;

pub use as_server::{change_as_server, options_of, target_of, write_as};
use carry_out::{Origin, Step};
pub use carry_out::{not_kept, overtaken, was_overtaken};
use patch::Patch;

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
    /// Whether a Job has its labels from its template: then what the server adds there is added here.
    shares_labels: bool,
    /// Whether what an apply led to has fields that a custom kind does not know: they go when the object
    /// is read, and count as a change before.
    has_unknown: bool,
    /// Whether a patch of a custom object's status says of itself to be what nobody knows: who owns what is
    /// then forgotten.
    is_strange: bool,
    /// Whether what an apply led to is kept with more than is shown of it: what a custom kind does not
    /// know, what is empty, and bytes that are nothing. It is written each time, and so is what comes next.
    is_kept_otherwise: bool,
    /// Whether an apply at a version that is not kept leaves the object as it is shown there.
    says_nothing: bool,
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
        Write {
            cluster,
            kind,
            target,
            options,
            manager,
            warnings: Vec::new(),
            server_side: false,
            shares_labels: false,
            has_unknown: false,
            is_strange: false,
            is_kept_otherwise: false,
            says_nothing: false,
        }
    }

    /// Answers POST on a collection.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn create(mut self, request: &Request, wanted: Wanted) -> Result<Response, Problem> {
        let outcome = self.create_as_asked(request);
        self.answer(outcome, wanted)
    }

    fn create_as_asked(&mut self, request: &Request) -> Result<Written, Problem> {
        let body = body::read(&request.content_type, &request.body, self.kind)?;
        let mut object = self.decode(body)?;
        self.names_namespace(&mut object)?;
        self.create_object(object)
    }

    /// Answers PUT on an object or its status.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn replace(mut self, request: &Request, wanted: Wanted) -> Result<Response, Problem> {
        let outcome = self.replace_as_asked(request);
        self.answer(outcome, wanted)
    }

    fn replace_as_asked(&mut self, request: &Request) -> Result<Written, Problem> {
        let body = body::read(&request.content_type, &request.body, self.kind)?;
        let mut object = self.decode(body)?;
        self.names_namespace(&mut object)?;
        self.named_as_the_path(&object)?;
        self.owners_once(&mut object, Origin::Put { uid: "" });
        let pinned = !meta::text(&object, "resourceVersion").is_empty();
        let uid = meta::text(&object, "uid").to_owned();
        self.change(pinned, Origin::Put { uid: &uid }, |live| match live {
            Some(_) => Ok(Step::Update(object.clone())),
            None => Ok(Step::Create(object.clone())),
        })
    }

    /// Answers PATCH on an object or its status.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn patch(mut self, request: &Request, wanted: Wanted) -> Result<Response, Problem> {
        let outcome = Patch::read(request, self.kind).and_then(|patch| self.apply_patch(&patch));
        self.answer(outcome, wanted)
    }

    /// Makes an object that did not come as a request.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn create_value(mut self, object: Value) -> Result<Written, Problem> {
        self.server_side = true;
        let mut object = self.decode(Body::of(object))?;
        self.names_namespace(&mut object)?;
        self.create_object(object)
    }

    /// Replaces an object, or its status, by one that did not come as a request.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn replace_value(mut self, object: Value) -> Result<Written, Problem> {
        self.server_side = true;
        let mut object = self.decode(Body::of(object))?;
        self.names_namespace(&mut object)?;
        self.change(true, Origin::Server, |live| {
            live.ok_or(Step::NotFound)?;
            Ok(Step::Update(object.clone()))
        })
    }

    fn answer(
        self,
        outcome: Result<Written, Problem>,
        wanted: Wanted,
    ) -> Result<Response, Problem> {
        let written = match outcome {
            Ok(written) => written,
            Err(mut problem) => {
                problem.warnings = self.warnings;
                return Err(problem);
            }
        };
        let code = if written.created { 201 } else { 200 };
        let mut response = read::one(self.kind, &written.entry, wanted, code)?;
        response.warnings = self.warnings;
        Ok(response)
    }
}

/// What somebody asks or orders by a POST that makes no object of the kind's own.
pub struct Asked {
    /// The body, read as its kind; without one what is empty.
    pub object: Value,
    /// Who asks, in the words of fields' owners.
    pub manager: String,
    /// Whether nothing is to come of it.
    pub dry_run: bool,
    /// What the client is told beside the answer.
    pub warnings: Vec<String>,
}

/// Reads what a POST asks: its options, then its body as `kind`.
///
/// # Errors
///
/// In the server's words.
pub fn asked(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    target: &Target,
    request: &Request,
    query: &Query,
) -> Result<Asked, Problem> {
    let options = options(kind, request, query)?;
    let mut write = Write::new(cluster, kind, target, &options, &request.user_agent);
    let body = body::read(&request.content_type, &request.body, kind)?;
    let object = write.decode(body).map_err(|mut problem| {
        problem.warnings = std::mem::take(&mut write.warnings);
        problem
    })?;
    let Write { manager, warnings, .. } = write;
    Ok(Asked { object, manager, dry_run: options.dry_run, warnings })
}

/// Returns the field manager that a user agent stands for: what stands before the first slash.
pub fn manager_of(user_agent: &str) -> String {
    let name = user_agent.split('/').next().unwrap_or_default();
    let printable: String = name.chars().filter(|c| !c.is_control()).take(128).collect();
    if printable.is_empty() { "unknown".to_owned() } else { printable }
}

/// Refuses a patch of a form that the kind does not take.
///
/// # Errors
///
/// 415, which names the forms.
pub fn takes_patch(kind: &Kind, request: &Request) -> Result<(), Problem> {
    Patch::read(request, kind).map(drop)
}

/// Reads the options of a POST, PUT or PATCH.
///
/// # Errors
///
/// 415 where the kind does not take patches of that form; as [`WriteOptions::parse`].
pub fn options(kind: &Kind, request: &Request, query: &Query) -> Result<WriteOptions, Problem> {
    let write = match request.method.as_str() {
        "PATCH" => match Patch::read(request, kind)? {
            Patch::Apply(_) => WriteKind::Apply,
            Patch::Json(_) | Patch::Merge(_) | Patch::Strategic(_) => WriteKind::Patch,
        },
        "POST" => WriteKind::Create,
        _ => WriteKind::Update,
    };
    if request.method != "PATCH" && kind.built_in() {
        body::is_readable(&request.content_type)?;
    }
    let options = WriteOptions::parse(query, write)?;
    if request.method != "PATCH" {
        body::is_readable(&request.content_type)?;
    }
    Ok(WriteOptions { user: request.user.clone(), ..options })
}
