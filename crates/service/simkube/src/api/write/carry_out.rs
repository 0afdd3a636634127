//! A write, once it is known what is to become of the object: owners, admission, strategy,
//! validation, commit.

use bytes::Bytes;
use merge::managed::{self, Owned};
use serde_json::{Value, json};

use super::super::delete;
use super::super::options::FieldValidation;
use super::super::problem::{Cause, Problem};
use super::patch::{self, Patch, Shown};
use super::{Write, Written};
use crate::authority::{Wish, grants};
use crate::body::Body;
use crate::kinds::{Kind, Kinds};
use crate::ownership::Writer;
use crate::store::{CommitError, Draft, Entry, Expect};
use crate::strategy::policies::Change;
use crate::{convert, meta, ownership, patches, strategy, types};

/// How often a write that others overtook is tried again.
pub(super) const ATTEMPTS_MAX: usize = 16;

impl Write<'_> {
    pub(super) fn apply_patch(&mut self, patch: &Patch) -> Result<Written, Problem> {
        if let Patch::Apply(bytes) = patch {
            return self.apply(bytes);
        }
        let (kind, validation) = (self.kind.clone(), self.options.field_validation);
        let kinds = self.cluster.kinds();
        self.change(false, Origin::Patch, |live| {
            let live = live.ok_or(Step::NotFound)?;
            let patched = patch.on(&kind, live, validation)?;
            let refused = |said: &str| patches::refused(&patched.shown.of(&kind, live), said);
            if matches!(patch, Patch::Json(_) | Patch::Merge(_))
                && let Some(said) = unregistered(&kind, &patched.object)
            {
                return Err(refused(&said).into());
            }
            if !kind.built_in() && manifest::kind(&patched.object).is_empty() {
                let shown = patched.shown.of(&kind, live);
                let said = format!("Object 'Kind' is missing in '{shown}'");
                return Err(patches::refused(&shown, &said).into());
            }
            let read = match patch {
                Patch::Strategic(_) => types::decode_parsed(&kind, patched.object),
                Patch::Json(_) | Patch::Merge(_) | Patch::Apply(_) => {
                    // It is read as what it says it is.
                    let (said, named) =
                        (manifest::api_version(&patched.object), manifest::kind(&patched.object));
                    let other = kinds.of(said, named).filter(|other| {
                        !kind.built_in() && other.table == kind.table && said != kind.api_version()
                    });
                    types::decode(other.unwrap_or(&kind), patched.object)
                }
            };
            let mut read = read.map_err(|error| refused(&error.0))?;
            let said = (manifest::api_version(&read.value), manifest::kind(&read.value));
            if !kind.built_in() && kinds.of(said.0, said.1).is_none_or(|of| of.table != kind.table)
            {
                // Of a kind that is not known only the metadata is.
                read.faults.retain(|fault| fault.contains("\"metadata."));
            }
            read.faults.splice(0..0, patched.faults);
            Ok(Step::Patched(read, patched.shown))
        })
    }

    fn apply(&mut self, bytes: &Bytes) -> Result<Written, Problem> {
        let (kind, force) = (self.kind.clone(), self.options.force);
        let manager = self.manager.clone();
        let now = self.cluster.now_text();
        let dry_run = self.options.dry_run;
        let subresource = self.target.subresource.clone();
        for _attempt in 0..ATTEMPTS_MAX {
            match self.apply_apart(bytes) {
                Some(Err(problem)) if was_overtaken(&problem) => {}
                Some(outcome) => return outcome,
                None => break,
            }
        }
        self.change(false, Origin::Apply, |live| {
            let body = patch::apply(bytes)?;
            let writer =
                Writer { manager: &manager, subresource: &subresource, now: &now, dry_run };
            let object = ownership::apply(&kind, live, &body.value, force, &writer)?;
            let twice = said_of_twice(&body);
            Ok(Step::Applied { object, patch: body.value, twice })
        })
    }

    /// Applies to an object that is there while its managed fields stay apart from it: the same as
    /// any other change, but nothing of them is ever a tree of values. `None` where they cannot be
    /// had apart.
    fn apply_apart(&mut self, bytes: &Bytes) -> Option<Result<Written, Problem>> {
        if !self.target.subresource.is_empty() || !convert::is_stored_as(self.kind) {
            return None;
        }
        let key = self.kind.key(&self.target.namespace, &self.target.name);
        let entry = self.cluster.store.get(&self.kind.table, &key)?;
        let (live, before) = entry.apart()?;
        let owned = managed::owners_of_text(before)?;
        let warnings = self.warnings.len();
        let outcome = self.apply_to(&entry, &live, before, owned, bytes);
        if outcome.as_ref().is_err_and(was_overtaken) {
            self.warnings.truncate(warnings);
        }
        Some(outcome)
    }

    /// Who writes, as owners of fields are told.
    pub(super) fn writer<'w>(&'w self, subresource: &'w str, now: &'w str) -> Writer<'w> {
        let dry_run = self.options.dry_run;
        Writer { manager: &self.manager, subresource, now, dry_run }
    }

    fn apply_to(
        &mut self,
        entry: &Entry,
        live: &Value,
        before: &[u8],
        owned: Vec<Owned>,
        bytes: &Bytes,
    ) -> Result<Written, Problem> {
        let now = self.cluster.now_text();
        let body = patch::apply(bytes)?;
        let writer = self.writer("", &now);
        let force = self.options.force;
        let applied = ownership::apply_apart(self.kind, live, owned, &body.value, force, &writer)?;
        let (object, after) = match applied {
            Some(applied) => (applied.object, managed::text_of_owners(&applied.owned)),
            None => (live.clone(), before.to_vec()),
        };
        let object = self.applied(object, &body.value, said_of_twice(&body), true)?;
        let moves_times = !meta::text(&object, "selfLink").is_empty();
        let new = self.prepare_update(entry, live, object, Origin::Apply)?;
        // What is taken away where objects are kept is a change before, and has its time.
        let same_owners = match moves_times {
            true => before == after,
            false => ownership::is_same_but_times(before, &after),
        };
        if is_same_but_version(live, &new) && same_owners && !self.writes_labels(live) {
            return Ok(Written { entry: entry.clone(), created: false });
        }
        let draft = Draft::with_managed_fields(&new, &after);
        self.commit_draft(entry, live, &new, draft)
    }

    /// What strict reading finds in an apply patch is told after the patch fits.
    fn mind_twice(&mut self, twice: Vec<String>) -> Result<(), Problem> {
        match (self.options.field_validation, twice.first()) {
            (FieldValidation::Strict, Some(first)) => {
                return Err(Problem::bad_request(format!(
                    "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  {first}"
                )));
            }
            (FieldValidation::Warn, _) => self.warnings.extend(twice),
            (FieldValidation::Strict, None) | (FieldValidation::Ignore, _) => {}
        }
        Ok(())
    }

    pub(super) fn create_object(&mut self, object: Value) -> Result<Written, Problem> {
        let prefixed = !meta::text(&object, "generateName").is_empty();
        let generated = prefixed && meta::text(&object, "name").is_empty();
        if !prefixed {
            return self.create_once(object, Origin::Create);
        }
        for attempt in 1..=ATTEMPTS_MAX {
            match self.create_once(object.clone(), Origin::Create) {
                Err(problem)
                    if generated && problem.reason == "AlreadyExists" && attempt < ATTEMPTS_MAX => {
                }
                // Who gave a name as well is told as if it had been made up.
                Err(problem) if problem.reason == "AlreadyExists" => {
                    return Err(problem.not_generated());
                }
                outcome => return outcome,
            }
        }
        Err(Problem::new(500, "InternalError", "no free name was found"))
    }

    /// Makes an object. Where an apply made it, its fields have their owner already.
    fn create_once(&mut self, object: Value, origin: Origin<'_>) -> Result<Written, Problem> {
        let now = self.cluster.now_text();
        let mut object = object;
        let generated = !meta::text(&object, "generateName").is_empty();
        let version = meta::text(&object, "resourceVersion");
        if origin != Origin::Create && !version.is_empty() && version.parse::<u64>().is_err() {
            let said = format!("strconv.ParseUint: parsing \"{version}\": invalid syntax");
            return Err(Problem::new(500, "", said));
        }
        // Where objects are kept it is taken away; what is only tried gets no further than here.
        if origin == Origin::Create || !self.options.dry_run {
            meta::of(&mut object).remove("selfLink");
        }
        if origin == Origin::Create {
            meta::clear_system_fields(&mut object);
        }
        self.owners_once(&mut object, origin);
        let is_autoscaler = self.kind.is("autoscaling", "HorizontalPodAutoscaler");
        if origin != Origin::Apply {
            if is_autoscaler {
                // What carries the status at the older version belongs to whoever writes it.
                object = convert::as_read_back(self.kind, object)?;
            }
            strategy::before_owners(self.kind, &mut object, &now);
            let writer = self.writer(&self.target.subresource, &now);
            object = ownership::update(self.kind, None, object, &writer);
        }
        self.namespace_exists()?;
        strategy::admit_create(self.cluster, self.kind, self.server_side, &mut object)?;
        self.namespace_stays(meta::name_asked(&object))?;
        self.grants_what_is_held(None, &object)?;
        if meta::text(&object, "name").is_empty() {
            let base = meta::text(&object, "generateName").to_owned();
            if !base.is_empty() {
                let name = match strategy::completes_names(self.kind) {
                    true => self.cluster.generate_name(&base),
                    false => base,
                };
                meta::of(&mut object).insert("name".to_owned(), json!(name));
            }
        }
        let uid = self.cluster.new_uid();
        let metadata = meta::of(&mut object);
        metadata.insert("uid".to_owned(), json!(uid));
        metadata.insert("creationTimestamp".to_owned(), json!(now));
        let version = metadata.remove("resourceVersion").unwrap_or_default();
        let door = self.target.subresource.clone();
        let user = &self.options.user;
        strategy::prepare_create(self.cluster, self.kind, &door, user, &mut object)?;
        if is_autoscaler && !convert::is_stored_as(self.kind) {
            convert::keep_carried_status(&Value::Null, &mut object);
        }
        if self.kind.is("", "Pod") {
            self.warnings.extend(strategy::move_app_armor(&mut object));
        }
        if self.shares_labels {
            object["metadata"]["labels"] = object["spec"]["template"]["metadata"]["labels"].clone();
        }
        let name = meta::text(&object, "name").to_owned();
        let causes = strategy::create_causes(self.cluster, self.kind, &object);
        if door.is_empty() {
            strategy::allocate(self.cluster, self.kind, None, &object, self.options.dry_run)?;
        }
        if !causes.is_empty() {
            return Err(self.invalid(&name, &causes));
        }
        if origin != Origin::Create && !self.server_side {
            Wish::to_create(self.target).granted(self.cluster, &self.options.user)?;
        }
        strategy::admit_valid(self.cluster, self.kind, &object)?;
        strategy::read_back(self.kind, &mut object);
        self.warnings.extend(strategy::warnings(self.kind, "", &object, None));
        self.keeps_standards("", None, &object)?;
        types::keep(self.kind, &mut object);
        strategy::hide(self.kind, &mut object);
        let key = self.kind.key(&self.target.namespace, &name);
        if self.options.dry_run {
            if self.cluster.store.get(&self.kind.table, &key).is_some() {
                return Err(self.exists(&key, &name, generated));
            }
            let (stored, _) = convert::into_stored(self.kind, object)?;
            // A version that was sent is taken away where objects are kept.
            let version = version.as_str().filter(|version| is_plain(version)).unwrap_or_default();
            let entry = Draft::new(&stored).unkept_as(version);
            return Ok(Written { entry, created: true });
        }
        let numbered =
            version.as_str().is_some_and(|version| version.parse().is_ok_and(|n: u64| n > 0));
        if numbered && origin == Origin::Create {
            return Err(Problem::new(
                500,
                "",
                "resourceVersion should not be set on objects to be created",
            ));
        }
        let (stored, has_more) = convert::into_stored(self.kind, object)?;
        let draft = Draft::new(&stored);
        match self.cluster.store.commit(&self.kind.table, &key, Expect::Absent, draft) {
            Ok(entry) => {
                strategy::after_write(self.cluster, self.kind, None, &stored);
                if self.shares_labels {
                    self.cluster.unwritten.kept_as_shown(&stored);
                }
                self.note_unknown(&stored);
                if has_more {
                    self.cluster.unwritten.kept_otherwise(&stored);
                }
                Ok(Written { entry, created: true })
            }
            Err(CommitError::Conflict) if origin == Origin::Create => {
                Err(self.exists(&key, &name, generated))
            }
            Err(CommitError::Conflict) => Err(overtaken()),
            Err(CommitError::NotKept(error)) => Err(not_kept(&error)),
        }
    }

    /// What is said where an object of that name is there already, or still.
    fn exists(&self, key: &str, name: &str, generated: bool) -> Problem {
        let mut problem = match self.kind.is("events.k8s.io", "Event") {
            // They are kept as those of the core group.
            true if generated => {
                let kinds = self.cluster.kinds();
                let core = kinds.find("", "v1", "events").expect("events are built in");
                Problem::already_exists(core, name)
            }
            _ => Problem::already_exists(self.kind, name),
        };
        if self.cluster.store.get(&self.kind.table, key).is_some_and(|entry| entry.meta.deleting) {
            problem.message.insert_str(0, "object is being deleted: ");
        }
        problem
    }

    /// Holds whoever writes roles and bindings to what he has; the server itself has everything.
    fn grants_what_is_held(&self, old: Option<&Value>, new: &Value) -> Result<(), Problem> {
        if self.server_side {
            return Ok(());
        }
        grants::held(self.cluster, &self.options.user, self.target, old, new)
    }

    /// Holds pods to their namespace's limits and standard, and everything to the policies that are bound, and
    /// charges it to its namespace's quotas.
    fn keeps_standards(
        &mut self,
        door: &str,
        old: Option<&Value>,
        new: &Value,
    ) -> Result<(), Problem> {
        strategy::limits::keep(self.cluster, self.kind, door, old, new)?;
        let warnings = strategy::standards::admit(self.cluster, self.kind, door, old, new)?;
        self.warnings.extend(warnings);
        if self.server_side && self.kind.subresources.contains_key(door) {
            return Ok(());
        }
        let change = Change {
            kind: self.kind,
            door,
            named: true,
            old,
            new: Some(new),
            user: &self.options.user,
            dry_run: self.options.dry_run,
        };
        match strategy::policies::admit(self.cluster, &change) {
            Ok(warnings) => self.warnings.extend(warnings),
            Err(mut problem) => {
                self.warnings.append(&mut problem.warnings);
                return Err(problem);
            }
        }
        let dry_run = self.options.dry_run;
        strategy::quotas::charge(self.cluster, self.kind, door, old, new, dry_run)?;
        Ok(())
    }

    /// Of owner references that are the same in everything only the first stays.
    pub(super) fn owners_once(&mut self, object: &mut Value, origin: Origin<'_>) {
        let twice = meta::owners_once(object);
        if twice.is_empty() {
            return;
        }
        let when = match origin {
            Origin::Create | Origin::Put { .. } => "",
            Origin::Patch | Origin::Apply | Origin::Server => " after mutating admission happens",
        };
        self.warnings.push(format!(
            ".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
            twice.join(", ")
        ));
    }

    /// Changes what stands at the target, again where another write came between.
    pub(super) fn change(
        &mut self,
        pinned: bool,
        origin: Origin<'_>,
        step: impl Fn(Option<&Value>) -> Result<Step, Step>,
    ) -> Result<Written, Problem> {
        let key = self.kind.key(&self.target.namespace, &self.target.name);
        let warnings = self.warnings.len();
        for _attempt in 0..ATTEMPTS_MAX {
            self.warnings.truncate(warnings);
            let live = self.cluster.store.get(&self.kind.table, &key);
            self.precondition(origin, live.as_ref())?;
            let shown = match &live {
                Some(entry) => Some(convert::out(self.kind, entry.value())?),
                None if self.may_make(origin) => None,
                None => return Err(Problem::not_found(self.kind, &self.target.name)),
            };
            let next = match step(shown.as_ref()) {
                Ok(next) | Err(next) => next,
            };
            let outcome = match (next, live, shown) {
                (Step::Refused(problem), _, _) => return Err(problem),
                (Step::NotFound, _, _) => {
                    return Err(Problem::not_found(self.kind, &self.target.name));
                }
                (Step::Create(object), None, _) => self.create_once(object, origin),
                (Step::Applied { object, patch, twice }, None, _) => {
                    let object = self.applied(object, &patch, twice, false)?;
                    self.create_once(object, origin)
                }
                (Step::Update(object), Some(entry), Some(shown)) => {
                    self.update_once(&entry, &shown, object, origin)
                }
                (Step::Patched(read, patch), Some(entry), Some(shown)) => {
                    let mut object = self.patched(read, &patch, &shown)?;
                    self.names_namespace(&mut object)?;
                    self.named_as_the_path(&object)?;
                    // Through its status an object stays what it is.
                    if self.target.subresource != "status" {
                        other_type(self.kind, &object)?;
                    }
                    let (api_version, named) =
                        (manifest::api_version(&object), manifest::kind(&object));
                    self.is_strange = !self.kind.built_in()
                        && self.cluster.kinds().of(api_version, named).is_none();
                    self.update_once(&entry, &shown, object, origin)
                }
                (Step::Applied { object, patch, twice }, Some(entry), Some(shown)) => {
                    // What says nothing new is filled in with nothing, either.
                    self.says_nothing = !convert::is_stored_as(self.kind)
                        && managed::is_same_without_owners(&shown, &object);
                    let mut object = self.applied(object, &patch, twice, true)?;
                    if self.says_nothing {
                        let metadata = object["metadata"].take();
                        object.clone_from(&shown);
                        object["metadata"] = metadata;
                    }
                    self.update_once(&entry, &shown, object, origin)
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

    /// An object is refused under the name of the type that the server holds it in.
    fn invalid(&self, name: &str, causes: &[Cause]) -> Problem {
        let group = match self.kind.group.as_str() {
            "events.k8s.io" => "",
            group => group,
        };
        Problem::invalid(group, &self.kind.kind, name, causes)
    }

    /// Whether what is not there is made.
    fn may_make(&self, origin: Origin<'_>) -> bool {
        let door = self.target.subresource.as_str();
        let open = door == "status" && strategy::made_through_status(self.kind);
        // What is only tried is looked for in its namespace, which is not there.
        let open = open && !(self.options.dry_run && self.kind.is("", "Namespace"));
        let replaced = matches!(origin, Origin::Put { .. })
            && door == "status"
            && strategy::replaced_through_status(self.kind);
        (door.is_empty() || (open && origin == Origin::Apply) || replaced)
            && match origin {
                Origin::Put { .. } => strategy::creates_on_update(self.kind),
                Origin::Apply | Origin::Create => true,
                Origin::Patch | Origin::Server => false,
            }
    }

    /// A uid that is sent with a replacement is that of the object to replace.
    pub(super) fn precondition(
        &self,
        origin: Origin<'_>,
        live: Option<&Entry>,
    ) -> Result<(), Problem> {
        let Origin::Put { uid } = origin else { return Ok(()) };
        let stands = live.map_or("", |entry| &*entry.meta.uid);
        let asked = live.is_some() || self.may_make(origin);
        if uid.is_empty() || uid == stands || !asked {
            return Ok(());
        }
        let key = self.kind.key(&self.target.namespace, &self.target.name);
        // What is only tried is looked for where nothing is kept.
        let place = if self.options.dry_run { "" } else { "/registry" };
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: {place}/{}/{key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {stands}",
            self.kind.plural
        );
        Err(Problem::conflict(self.kind, &self.target.name, &why))
    }

    fn makes_no_uid(&self, object: &Value) -> Result<(), Problem> {
        let uid = meta::text(object, "uid");
        if uid.is_empty() {
            return Ok(());
        }
        let why = format!(
            "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        );
        Err(Problem::conflict(self.kind, &self.target.name, &why))
    }

    pub(super) fn applied(
        &mut self,
        object: Value,
        patch: &Value,
        twice: Vec<String>,
        lives: bool,
    ) -> Result<Value, Problem> {
        let mut object = self.decode_applied(object, patch)?;
        self.mind_twice(twice)?;
        if !lives {
            self.makes_no_uid(&object)?;
        }
        self.names_namespace(&mut object)?;
        self.named_as_the_path(&object)?;
        Ok(object)
    }

    pub(super) fn update_once(
        &mut self,
        entry: &Entry,
        live: &Value,
        new: Value,
        origin: Origin<'_>,
    ) -> Result<Written, Problem> {
        let mut new = self.prepare_update(entry, live, new, origin)?;
        ownership::keep_times_of_no_change(live, &mut new);
        self.commit_update(entry, live, new)
    }

    /// Returns an object as it is to be kept.
    fn prepare_update(
        &mut self,
        entry: &Entry,
        live: &Value,
        new: Value,
        origin: Origin<'_>,
    ) -> Result<Value, Problem> {
        let name = self.target.name.clone();
        let mut new = new;
        new["apiVersion"] = json!(self.kind.api_version());
        new["kind"] = json!(self.kind.kind);
        self.grants_what_is_held(Some(live), &new)?;
        let version = meta::text(&new, "resourceVersion").to_owned();
        if version.is_empty() || version == "0" {
            let door = self.target.subresource.as_str();
            let asked = matches!(door, "" | "status");
            if !strategy::updates_unconditionally(self.kind) && asked {
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
                let said = format!("strconv.ParseUint: parsing \"{version}\": invalid syntax");
                return Err(Problem::new(500, "", said));
            }
            return Err(Problem::modified(self.kind, &name));
        }
        meta::of(&mut new).remove("resourceVersion");
        strategy::before_owners(self.kind, &mut new, &self.cluster.now_text());
        if matches!(origin, Origin::Put { .. }) {
            self.owners_once(&mut new, origin);
        }
        if self.kind.is("autoscaling", "HorizontalPodAutoscaler") {
            // What carries the status at the older version is written with it; owners are as they were sent.
            let owners = new["metadata"].get("managedFields").cloned();
            new = convert::as_read_back(self.kind, new)?;
            if let Some(owners) = owners {
                meta::of(&mut new).insert("managedFields".to_owned(), owners);
            }
        }
        // The owners of a scale are carried back with it.
        if origin != Origin::Apply && self.target.subresource != "scale" {
            let now = self.cluster.now_text();
            let writer = self.writer(&self.target.subresource, &now);
            new = ownership::update(self.kind, Some(live), new, &writer);
        }
        let carries = self.kind.is("autoscaling", "HorizontalPodAutoscaler")
            && !convert::is_stored_as(self.kind);
        if carries && self.target.subresource.is_empty() {
            convert::keep_carried_status(live, &mut new);
        }
        if self.is_strange {
            meta::of(&mut new).remove("managedFields");
        }
        strategy::admit_update(self.cluster, self.kind, &self.target.subresource, live, &mut new)?;
        self.owners_once(&mut new, origin);
        meta::carry_over(live, &mut new);
        // It is taken away where objects are kept.
        if !self.options.dry_run {
            meta::of(&mut new).remove("selfLink");
        }
        strategy::prepare_update(
            self.cluster,
            self.kind,
            &self.target.subresource,
            live,
            &mut new,
        )?;
        let generation = manifest::generation(live);
        if self.has_unknown && manifest::generation(&new) == generation {
            meta::of(&mut new).insert("generation".to_owned(), json!(generation + 1));
        }
        let causes = strategy::update_causes(
            self.kind,
            &self.target.subresource,
            self.server_side,
            live,
            &new,
        );
        if self.target.subresource.is_empty() {
            strategy::allocate(self.cluster, self.kind, Some(live), &new, self.options.dry_run)?;
        }
        if !causes.is_empty() {
            return Err(self.invalid(&name, &causes));
        }
        strategy::one_default(self.cluster, self.kind, &new, true)?;
        let door = &self.target.subresource;
        self.warnings.extend(strategy::warnings(self.kind, door, &new, Some(live)));
        let target = self.target;
        self.keeps_standards(&target.subresource, Some(live), &new)?;
        types::keep(self.kind, &mut new);
        strategy::hide(self.kind, &mut new);
        Ok(new)
    }

    pub(super) fn commit_update(
        &mut self,
        entry: &Entry,
        live: &Value,
        new: Value,
    ) -> Result<Written, Problem> {
        let is_same = is_same_but_version(live, &new);
        if self.kind.built_in() || convert::is_stored_as(self.kind) {
            let is_shown_so = self.says_nothing || convert::is_stored_as(self.kind);
            if is_same && is_shown_so && !self.writes_labels(live) {
                return Ok(Written { entry: entry.clone(), created: false });
            }
            let (mut stored, _) = convert::into_stored(self.kind, new)?;
            if self.says_nothing || self.target.subresource == "status" {
                // There is no way back for what is not written: it stays as it is kept.
                if let Some(kept) = entry.value().get("spec") {
                    stored["spec"] = kept.clone();
                }
            }
            // What is shown as it was may still be kept otherwise.
            if is_same && is_same_but_version(&entry.value(), &stored) && !self.writes_labels(live)
            {
                return Ok(Written { entry: entry.clone(), created: false });
            }
            let draft = Draft::new(&stored);
            return self.commit_draft(entry, live, &stored, draft);
        }
        // What is kept at another version loses what the version of the request does not know.
        let (stored, has_more) = convert::into_stored(self.kind, new)?;
        let is_kept_so = self.options.dry_run
            || (!self.is_kept_otherwise && has_more == self.cluster.unwritten.has(live));
        if is_same && is_kept_so && is_same_but_version(&entry.value(), &stored) {
            return Ok(Written { entry: entry.clone(), created: false });
        }
        self.is_kept_otherwise |= has_more;
        let draft = Draft::new(&stored);
        self.commit_draft(entry, live, &stored, draft)
    }

    /// What is not shown of what was applied is kept until the next update.
    fn note_unknown(&self, stored: &Value) {
        if self.is_kept_otherwise {
            self.cluster.unwritten.kept_otherwise(stored);
        }
    }

    /// Whether an update that changes nothing writes what has only been shown.
    fn writes_labels(&self, live: &Value) -> bool {
        !self.options.dry_run && (self.is_kept_otherwise || self.cluster.unwritten.has(live))
    }

    fn commit_draft(
        &mut self,
        entry: &Entry,
        live: &Value,
        stored: &Value,
        draft: Draft,
    ) -> Result<Written, Problem> {
        let key = self.kind.key(&self.target.namespace, &self.target.name);
        if self.options.dry_run {
            return Ok(Written { entry: draft.kept_as(entry.revision), created: false });
        }
        if entry.meta.deleting && delete::may_go(self.kind, stored) {
            // Who takes the last hold away is told of the object as he sent it.
            let shown = draft.clone().kept_as(entry.revision);
            delete::finish(self.cluster, self.kind, &key, entry, draft)?;
            return Ok(Written { entry: shown, created: false });
        }
        match self.cluster.store.commit(
            &self.kind.table,
            &key,
            Expect::Revision(entry.revision),
            draft,
        ) {
            Ok(entry) => {
                strategy::after_write(self.cluster, self.kind, Some(live), stored);
                self.note_unknown(stored);
                Ok(Written { entry, created: false })
            }
            Err(CommitError::Conflict) => Err(overtaken()),
            Err(CommitError::NotKept(error)) => Err(not_kept(&error)),
        }
    }
}

/// What is said of keys that stand twice in an apply patch.
fn said_of_twice(body: &Body) -> Vec<String> {
    let said = body.duplicates.iter().map(|path| {
        let name = path.rsplit('.').next().unwrap_or(path);
        // The text of a patch that is JSON is one line.
        format!("line 1: key \"{name}\" already set in map")
    });
    let in_yaml = body.said.iter().flat_map(|said| said.lines().skip(1));
    said.chain(in_yaml.map(|line| line.trim_start().to_owned())).collect()
}

/// Whether `new`, which bears no version, is what stands there.
fn is_same_but_version(live: &Value, new: &Value) -> bool {
    let (Some(live), Some(new)) = (live.as_object(), new.as_object()) else { return false };
    let same = |name: &String, value: &Value| match (name.as_str(), live.get(name), value) {
        ("metadata", Some(Value::Object(live)), Value::Object(new)) => {
            let version = usize::from(live.contains_key("resourceVersion"));
            live.len() == new.len() + version
                && new.iter().all(|(name, value)| live.get(name) == Some(value))
        }
        (_, live, value) => live == Some(value),
    };
    live.len() == new.len() && new.iter().all(|(name, value)| same(name, value))
}

/// Whether a text needs no escapes.
fn is_plain(text: &str) -> bool {
    text.chars()
        .all(|sign| !sign.is_control() && !sign.is_whitespace() && sign != '"' && sign != '\\')
}

/// What a write comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin<'a> {
    /// POST.
    Create,
    /// PUT, with the uid that the object bears.
    Put {
        /// May be empty.
        uid: &'a str,
    },
    /// PATCH but apply.
    Patch,
    /// PATCH with an apply patch, which has set the managed fields; elsewhere they follow from what changed.
    Apply,
    /// The server itself.
    Server,
}

/// What is to be done with what stands at the target.
pub(super) enum Step {
    /// Made as it is.
    Create(Value),
    /// Replaced by this.
    Update(Value),
    /// Replaced by what a patch made of it.
    Patched(types::Decoded, Shown),
    /// Replaced by, or made as, what an apply made of it.
    Applied {
        /// With its managed fields.
        object: Value,
        /// What was applied.
        patch: Value,
        /// What is said of keys that stand in it twice.
        twice: Vec<String>,
    },
    /// Not done.
    NotFound,
    /// Not done either.
    Refused(Problem),
}

impl std::convert::From<Problem> for Step {
    fn from(problem: Problem) -> Step {
        Step::Refused(problem)
    }
}

/// Marks a commit that another write overtook; it never leaves this module.
pub(super) const OVERTAKEN: &str = "Overtaken";

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

/// What is said where a patch made something of an object that is not the kind's: the server reads it as
/// what it says it is.
pub(super) fn unregistered(kind: &Kind, patched: &Value) -> Option<String> {
    let (api_version, named) = (manifest::api_version(patched), manifest::kind(patched));
    if !kind.built_in() || api_version.is_empty() {
        return None;
    }
    if api_version.matches('/').count() > 1 {
        return Some(format!("unexpected GroupVersion string: {api_version}"));
    }
    let named = if named.is_empty() { &kind.kind } else { named };
    match Kinds::built_in().of(api_version, named) {
        Some(found) if found.table == kind.table => None,
        Some(_) => Some(format!(
            "converting ({}) to ({}): unknown conversion",
            strategy::go_name(api_version, named),
            strategy::go_internal_name(&kind.group, &kind.kind),
        )),
        None => Some(format!(
            "no kind \"{named}\" is registered for version \"{api_version}\" in scheme \"pkg/runtime/scheme.go:111\""
        )),
    }
}

/// Refuses a custom object of which a patch made another kind, or another version of its own.
fn other_type(kind: &Kind, patched: &Value) -> Result<(), Problem> {
    let (api_version, named) = (manifest::api_version(patched), manifest::kind(patched));
    if kind.built_in() || named.is_empty() {
        return Ok(());
    }
    if api_version.is_empty() {
        let why = "Object 'apiVersion' is missing in 'object has no apiVersion field'";
        let said = format!("Internal error occurred: {why}");
        let mut problem = Problem::new(500, "InternalError", said);
        problem.details = Some(json!({"causes": [{"message": why}]}));
        return Err(problem);
    }
    let expected =
        [("apiVersion", api_version, kind.api_version()), ("kind", named, kind.kind.clone())];
    let causes: Vec<Cause> = expected
        .into_iter()
        .filter(|(_, said, expected)| *said != expected.as_str())
        .map(|(field, said, expected)| {
            let words = format!("Invalid value: {}: must be {expected}", json!(said));
            meta::cause("FieldValueInvalid", field, &words)
        })
        .collect();
    if causes.is_empty() {
        return Ok(());
    }
    let (group, _) = manifest::split_api_version(api_version);
    Err(Problem::invalid(group, named, meta::text(patched, "name"), &causes))
}
