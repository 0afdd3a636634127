//! From rendered objects to what an Application wants in its destination.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use desired::DesiredObject;
use hashbrown::HashMap;
use manifest::{Gvk, ObjectKey, api_version, gvk, kind, name};
use serde_json::Value;
use sync::Tracking;
use sync::marks::{is_post_delete_hook, is_pre_delete_hook};

use crate::conditions::{Condition, Kind};
use crate::target::{Mark, Target};

/// Everything that an Application wants.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    /// Ordinary objects, each once, in the order in which their sources gave them.
    pub targets: Vec<Arc<Target>>,
    /// Hooks of a sync.
    pub hooks: Vec<Arc<Target>>,
    /// Hooks of a deletion.
    pub delete_hooks: Vec<Arc<Target>>,
    /// What users should know about the objects.
    pub conditions: Vec<Condition>,
}

impl Prepared {
    fn all(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.targets.iter().chain(&self.hooks).chain(&self.delete_hooks)
    }

    /// Tells whether something runs before the Application's resources are deleted.
    pub fn has_pre_delete_hooks(&self) -> bool {
        self.delete_hooks.iter().any(|hook| is_pre_delete_hook(hook.written()))
    }

    /// Tells whether something runs after the Application's resources are deleted.
    pub fn has_post_delete_hooks(&self) -> bool {
        self.delete_hooks.iter().any(|hook| is_post_delete_hook(hook.written()))
    }
}

/// What preparing must know.
pub struct Destination<'a> {
    /// The Application's name in tracking metadata: `web`, or `ns_web`.
    pub app: &'a str,
    /// Where objects go that say no namespace.
    pub namespace: &'a str,
    /// How objects are marked.
    pub tracking: &'a Tracking,
    /// Whether objects of a kind stand in namespaces; `None`: the cluster does not serve the kind.
    pub namespaced: &'a dyn Fn(&Gvk) -> Option<bool>,
    /// Whether the settings exclude a kind.
    pub excluded: &'a dyn Fn(&Gvk) -> bool,
}

/// Fills in namespaces, marks objects as the Application's, and keeps each object once.
///
/// Of an object that stands in the sources several times the last one counts (SRC-70). What was
/// prepared `before` and is to be the same again is shared with it.
pub fn prepare(
    objects: &[DesiredObject],
    destination: &Destination,
    before: Option<&Prepared>,
) -> Prepared {
    let mut context = DefaultHasher::new();
    (destination.app, destination.namespace, destination.tracking).hash(&mut context);
    let context = context.finish();
    let mark = Arc::new(Mark {
        app: destination.app.to_owned(),
        namespace: destination.namespace.to_owned(),
        tracking: destination.tracking.clone(),
    });
    let mut known = Known::new(before);
    let mut kinds = Kinds { destination, scope: None, excluded: None };
    let objects = objects.iter().filter(|desired| desired.object.is_object());
    let all: Vec<Arc<Target>> =
        objects.map(|desired| target(desired, &mut kinds, (&mark, context), &mut known)).collect();
    let identities: Vec<Cow<'_, ObjectKey>> =
        all.iter().enumerate().map(|(at, target)| identity(target, at)).collect();
    let mut left: HashMap<&ObjectKey, usize> = HashMap::with_capacity(all.len());
    for identity in &identities {
        *left.entry(identity).or_default() += 1;
    }
    let mut prepared = Prepared::default();
    let mut repeated: Vec<_> = left.iter().filter(|(_, times)| **times > 1).collect();
    repeated.sort();
    for (key, times) in repeated {
        prepared.conditions.push(Condition::new(
            Kind::RepeatedResourceWarning,
            format!("Resource {key} appeared {times} times among application resources."),
        ));
    }
    let none_repeated = left.len() == all.len();
    for (target, identity) in all.iter().zip(&identities) {
        if none_repeated {
            place(target.clone(), &mut kinds, &mut prepared);
            continue;
        }
        let count = left.entry(identity).or_default();
        *count -= 1;
        if *count == 0 {
            place(target.clone(), &mut kinds, &mut prepared);
        }
    }
    prepared
}

/// What was prepared before.
struct Known<'a> {
    before: Option<&'a Prepared>,
    /// The ordinary object that comes next, where all stay in their order.
    next: usize,
    /// All of it by its hash, once an object does not stand where it stood.
    by_hash: Option<HashMap<u64, &'a Arc<Target>>>,
}

impl<'a> Known<'a> {
    fn new(before: Option<&'a Prepared>) -> Self {
        Self { before, next: 0, by_hash: None }
    }

    /// What stood where the next object stands.
    fn next(&mut self) -> Option<&'a Arc<Target>> {
        self.next += 1;
        self.before?.targets.get(self.next - 1)
    }

    fn get(&mut self, hash: u64) -> Option<&'a Arc<Target>> {
        let before = self.before?;
        let by_hash = self
            .by_hash
            .get_or_insert_with(|| before.all().map(|target| (target.hash, target)).collect());
        by_hash.get(&hash).copied()
    }
}

/// What the destination says of kinds; most objects are of the kind of the one before.
struct Kinds<'a> {
    destination: &'a Destination<'a>,
    scope: Option<Scope>,
    excluded: Option<(Gvk, bool)>,
}

/// What was answered of a kind, as objects name it.
struct Scope {
    api_version: String,
    gvk: Gvk,
    namespaced: Option<bool>,
}

impl Kinds<'_> {
    /// Whether an object stands in a namespace.
    fn namespaced(&mut self, object: &Value) -> Option<bool> {
        let (api_version, kind) = (api_version(object), kind(object));
        match &self.scope {
            Some(last) if last.gvk.kind == kind && last.api_version == api_version => {
                last.namespaced
            }
            _ => self.asked(api_version.to_owned(), gvk(object)),
        }
    }

    /// The same for an object of which the kind is known.
    fn stands_in(&mut self, gvk: &Gvk) -> Option<bool> {
        match &self.scope {
            Some(last) if last.gvk == *gvk => last.namespaced,
            _ => self.asked(gvk.api_version(), gvk.clone()),
        }
    }

    fn asked(&mut self, api_version: String, gvk: Gvk) -> Option<bool> {
        let namespaced = (self.destination.namespaced)(&gvk);
        self.scope.insert(Scope { api_version, gvk, namespaced }).namespaced
    }

    fn excludes(&mut self, gvk: &Gvk) -> bool {
        match &self.excluded {
            Some((last, answer)) if last == gvk => *answer,
            _ => self.excluded.insert((gvk.clone(), (self.destination.excluded)(gvk))).1,
        }
    }
}

/// What tells an object from others: its key, and for one that is named later its place, too.
fn identity(target: &Target, at: usize) -> Cow<'_, ObjectKey> {
    if !target.key.name.is_empty() {
        return Cow::Borrowed(&target.key);
    }
    let prefix = target.written().pointer("/metadata/generateName");
    let prefix = prefix.and_then(Value::as_str).unwrap_or("");
    Cow::Owned(ObjectKey { name: format!("{prefix}{at}"), ..target.key.clone() })
}

fn target(
    desired: &DesiredObject,
    kinds: &mut Kinds,
    (mark, context): (&Arc<Mark>, u64),
    known: &mut Known,
) -> Arc<Target> {
    let next = known.next();
    let namespaced = match next {
        // It need not be read again.
        Some(same) if std::ptr::eq(same.written(), &*desired.object) => kinds.stands_in(&same.gvk),
        _ => kinds.namespaced(&desired.object),
    };
    let mut hash = DefaultHasher::new();
    (desired.hash, context, namespaced).hash(&mut hash);
    let hash = hash.finish();
    let same = next.filter(|next| next.hash == hash).or_else(|| known.get(hash));
    if let Some(known) = same {
        return Arc::clone(known);
    }
    Arc::new(Target::marked(&desired.object, mark, namespaced, hash))
}

fn place(target: Arc<Target>, kinds: &mut Kinds, prepared: &mut Prepared) {
    if kinds.excludes(&target.gvk) {
        let Gvk { group, kind, .. } = &target.gvk;
        let name = name(target.written());
        prepared.conditions.push(Condition::new(
            Kind::ExcludedResourceWarning,
            format!("Resource {group}/{kind} {name} is excluded in the settings"),
        ));
        return;
    }
    let said = &target.said;
    if said.delete_hook {
        prepared.delete_hooks.push(target.clone());
        if !said.sync_phase {
            return;
        }
    }
    if said.ignored {
        return;
    }
    match said.any_hook {
        true => prepared.hooks.push(target),
        false => prepared.targets.push(target),
    }
}
