//! Ownership passed on: what every write does to the field sets of all managers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use crate::fields::FieldSet;
use crate::managed::conflict::Conflicts;
use crate::managed::filter::{Filter, filter_at};
use crate::managed::owned::Owned;
use crate::managed::versions::Context;
use crate::typed::{Comparison, Duplicates, Typed};
use crate::values;

/// What nobody owns: who changes these does so by the server's rules, not by ownership.
static NEVER_OWNED: LazyLock<FieldSet> = LazyLock::new(|| {
    FieldSet::of_names(&[
        "apiVersion",
        "kind",
        "metadata",
        "metadata.name",
        "metadata.namespace",
        "metadata.creationTimestamp",
        "metadata.selfLink",
        "metadata.uid",
        "metadata.clusterName",
        "metadata.generation",
        "metadata.managedFields",
        "metadata.resourceVersion",
    ])
});

/// Takes out of a set what nobody owns.
pub(crate) fn strip(set: &mut FieldSet) {
    set.subtract(&NEVER_OWNED);
}

/// One kind at the version of one endpoint.
#[derive(Clone, Copy)]
pub(crate) struct Updater<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) typed: Typed<'a>,
    pub(crate) api_version: &'a str,
    pub(crate) reset: &'a [(&'a str, Filter)],
}

/// Why an apply did not come about.
pub(crate) enum Refusal {
    Conflicts(Conflicts),
    Failed(String),
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Refusal::Failed(reason)
    }
}

impl<'a> Updater<'a> {
    /// Returns the new object of an apply, and whether it is other than it was, owners apart;
    /// `owned` becomes what all managers then own. The entry of the one who applies is made if it
    /// was not there.
    pub(crate) fn apply(
        &self,
        live: &Value,
        patch: &Value,
        owned: &mut Vec<Owned>,
        me: Owned,
        force: bool,
    ) -> Result<(Value, bool), Refusal> {
        let merged = self.merge_and_prune(live, patch, owned, me.clone())?;
        let changed = !is_same_apart_from_owners(live, &merged);
        let is_alone = owned.iter().all(|owned| owned.is_same_manager(&me));
        // What changes nothing takes nothing from anybody.
        if !changed || is_alone {
            owned.retain(|owned| !owned.fields.is_empty());
        } else {
            let at = owned.iter().position(|owned| owned.is_same_manager(&me));
            self.pass_on(live, &merged, owned, at, force)?;
        }
        Ok((merged, changed))
    }

    /// Returns the fields of a patch that the endpoint takes.
    pub(crate) fn fields_of(&self, patch: &Value) -> FieldSet {
        let set = self.typed.field_set(patch);
        match filter_at(self.reset, self.api_version) {
            Some(filter) => filter.filter(set),
            None => set,
        }
    }

    /// Returns the object of an apply before anything is taken from others; the entry of the
    /// one who applies becomes what the patch has.
    pub(crate) fn merge_and_prune(
        &self,
        live: &Value,
        patch: &Value,
        owned: &mut Vec<Owned>,
        me: Owned,
    ) -> Result<Value, String> {
        self.fit_to_schema(live, owned)?;
        let mut merged = without_managed_fields(live);
        self.typed.merge(&mut merged, patch);

        let set = self.fields_of(patch);
        let at = match owned.iter().position(|owned| owned.is_same_manager(&me)) {
            Some(at) => at,
            None => {
                owned.push(Owned { fields: FieldSet::default(), ..me });
                owned.len() - 1
            }
        };
        let last = std::mem::replace(&mut owned[at].fields, set);
        let last_version =
            std::mem::replace(&mut owned[at].api_version, self.api_version.to_owned());
        self.prune(merged, owned, at, &last, last_version)
            .map_err(|reason| format!("failed to prune fields: {reason}"))
    }

    /// Returns what the writer of `new` then owns beside what it owned; `owned` becomes what
    /// all managers still own.
    pub(crate) fn update(
        &self,
        live: &Value,
        new: &Value,
        owned: &mut Vec<Owned>,
    ) -> Result<FieldSet, String> {
        self.fit_to_schema(live, owned)?;
        let comparison = match self.pass_on(live, new, owned, None, true) {
            Ok(comparison) => comparison,
            Err(Refusal::Failed(reason)) => return Err(reason),
            Err(Refusal::Conflicts(conflicts)) => return Err(conflicts.to_string()),
        };
        let mut taken = comparison.modified;
        taken.absorb(&comparison.added);
        Ok(taken)
    }

    /// Drops managers of versions that are gone, and fits sets to lists and maps that have
    /// become one piece.
    ///
    /// # Errors
    /// What is there cannot be read at another manager's version.
    fn fit_to_schema(&self, live: &Value, owned: &mut Vec<Owned>) -> Result<(), String> {
        for at in (0..owned.len()).rev() {
            let Some(typed) = self.context.typed(&owned[at].api_version) else {
                owned.remove(at);
                continue;
            };
            if owned[at].api_version != self.api_version {
                self.convert(live, &owned[at].api_version)?;
            }
            typed.reconcile(&mut owned[at].fields);
        }
        Ok(())
    }

    /// Takes from each manager what the write changes; `but` is the one who applies.
    fn pass_on(
        &self,
        old: &Value,
        new: &Value,
        owned: &mut Vec<Owned>,
        but: Option<usize>,
        force: bool,
    ) -> Result<Comparison, Refusal> {
        let here = self.filtered(self.typed.compare(old, new), self.api_version);
        let mut elsewhere: BTreeMap<String, Option<Comparison>> = BTreeMap::new();
        for (at, theirs) in owned.iter().enumerate() {
            let version = &theirs.api_version;
            if Some(at) != but && version != self.api_version && !elsewhere.contains_key(version) {
                let comparison = self.compare_at(old, new, version)?;
                elsewhere.insert(version.clone(), comparison);
            }
        }
        let at_version = |version: &str| match version == self.api_version {
            true => Some(&here),
            false => elsewhere.get(version).and_then(Option::as_ref),
        };

        if !force {
            let mut conflicts = Vec::new();
            for (at, theirs) in owned.iter().enumerate() {
                if Some(at) == but {
                    continue;
                }
                let Some(comparison) = at_version(&theirs.api_version) else { continue };
                let mut set = theirs.fields.intersection(&comparison.modified);
                set.absorb(&theirs.fields.intersection(&comparison.added));
                if !set.is_empty() {
                    conflicts.push((theirs, set));
                }
            }
            if !conflicts.is_empty() {
                return Err(Refusal::Conflicts(Conflicts::new(conflicts)));
            }
        }

        let mut at = 0;
        owned.retain_mut(|theirs| {
            at += 1;
            if Some(at - 1) != but {
                let Some(comparison) = at_version(&theirs.api_version) else { return false };
                theirs.fields.subtract(&comparison.modified);
                theirs.fields.subtract(&comparison.added);
                theirs.fields.subtract(&comparison.removed);
            }
            !theirs.fields.is_empty()
        });
        Ok(here)
    }

    fn filtered(&self, comparison: Comparison, api_version: &str) -> Comparison {
        match filter_at(self.reset, api_version) {
            None => comparison,
            Some(filter) => comparison.map(|set| filter.filter(set)),
        }
    }

    /// Compares at another version; `None` where that is not served.
    fn compare_at(
        &self,
        old: &Value,
        new: &Value,
        api_version: &str,
    ) -> Result<Option<Comparison>, String> {
        let Some(typed) = self.context.typed(api_version) else { return Ok(None) };
        let old = self
            .convert(old, api_version)
            .map_err(|reason| format!("failed to convert old object: {reason}"))?;
        let new = self
            .convert(new, api_version)
            .map_err(|reason| format!("failed to convert new object: {reason}"))?;
        Ok(Some(self.filtered(typed.compare(&old, &new), api_version)))
    }

    /// Converts an object, where it is not at the version already.
    fn convert<'v>(&self, object: &'v Value, to: &str) -> Result<Cow<'v, Value>, String> {
        if object.get("apiVersion").and_then(Value::as_str) == Some(to) {
            return Ok(Cow::Borrowed(object));
        }
        let converted = self.context.versions.convert(object, to)?;
        if let Some(typed) = self.context.typed(to) {
            typed.validate(&converted, Duplicates::Refused).map_err(|error| error.to_string())?;
        }
        Ok(Cow::Owned(converted))
    }

    /// Removes what the one who applies has dropped and nobody else claims.
    fn prune(
        &self,
        merged: Value,
        owned: &[Owned],
        me: usize,
        last: &FieldSet,
        last_version: String,
    ) -> Result<Value, String> {
        let Some(at_last) = self.context.typed(&last_version) else { return Ok(merged) };
        // Where all that was applied last is applied again, nothing can go.
        // Others at other versions are asked what they own, and that may be told of.
        let at_one_version = owned.iter().all(|owned| owned.api_version == last_version);
        let keeps_all =
            at_one_version && last_version == self.api_version && last.is_subset(&owned[me].fields);
        if last.is_empty() || keeps_all {
            return Ok(merged);
        }
        let merged = self
            .convert(&merged, &last_version)
            .map_err(|reason| {
                format!("failed to convert merged object to last applied version: {reason}")
            })?
            .into_owned();
        let last = at_last.with_named_fields(last);
        let mut pruned = merged.clone();
        at_last.remove_items(&mut pruned, &last);
        let pruned = self
            .add_back_owned(&merged, pruned, owned, &last_version)
            .map_err(|reason| format!("failed add back owned items: {reason}"))?;
        let pruned = self
            .convert(&pruned, &last_version)
            .map_err(|reason| format!("failed add back dangling items: failed to convert pruned object to last applied version: {reason}"))?;

        // Only what was theirs goes; what hung below it and belonged to nobody stays.
        let merged_set = at_last.with_named_fields(&at_last.field_set(&merged));
        let pruned_set = at_last.with_named_fields(&at_last.field_set(&pruned));
        let gone = merged_set.difference(&pruned_set).intersection(&last);
        let mut out = merged;
        at_last.remove_items(&mut out, &gone);
        Ok(self.convert(&out, self.api_version)?.into_owned())
    }

    /// Puts back what others own, and what is applied now, at every version.
    fn add_back_owned(
        &self,
        merged: &Value,
        pruned: Value,
        owned: &[Owned],
        last_version: &str,
    ) -> Result<Value, String> {
        let mut at_version: BTreeMap<&str, FieldSet> = BTreeMap::new();
        for owned in owned {
            at_version.entry(&owned.api_version).or_default().absorb(&owned.fields);
        }
        // The last version first: a conversion may need what would otherwise be missing.
        let first = at_version.remove_entry(last_version);
        let (mut merged, mut pruned) = (Cow::Borrowed(merged), pruned);
        for (version, managed) in first.into_iter().chain(at_version) {
            let Some(typed) = self.context.typed(version) else { continue };
            merged = Cow::Owned(
                self.convert(&merged, version)
                    .map_err(|reason| {
                        format!("failed to convert merged object at version {version}: {reason}")
                    })?
                    .into_owned(),
            );
            let at_version = self.convert(&pruned, version).map_err(|reason| {
                format!("failed to convert pruned object at version {version}: {reason}")
            })?;
            let mut gone = typed.with_named_fields(&typed.field_set(&merged));
            gone.subtract(&typed.with_named_fields(&typed.field_set(&at_version)));
            gone.subtract(&typed.with_named_fields(&managed));
            pruned = merged.clone().into_owned();
            typed.remove_items(&mut pruned, &gone);
        }
        Ok(pruned)
    }
}

/// Returns a copy of an object that does not say who owns it.
pub(crate) fn without_managed_fields(object: &Value) -> Value {
    let Value::Object(map) = object else { return object.clone() };
    let copied = map.iter().map(|(name, value)| match value {
        Value::Object(metadata) if name == "metadata" => {
            let metadata = metadata.iter().filter(|(name, _)| *name != "managedFields");
            let metadata = metadata.map(|(name, value)| (name.clone(), value.clone()));
            (name.clone(), Value::Object(metadata.collect()))
        }
        value => (name.clone(), value.clone()),
    });
    Value::Object(copied.collect())
}

/// Whether two objects are the same, whoever owns what in them.
pub(crate) fn is_same_apart_from_owners(live: &Value, object: &Value) -> bool {
    let (Value::Object(live), Value::Object(object)) = (live, object) else {
        return values::equal(live, object);
    };
    let metadata_same = |left: &Value, right: &Value| match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let left = left.iter().filter(|(name, _)| *name != "managedFields");
            let mut right = right.iter().filter(|(name, _)| *name != "managedFields");
            let mut left = left.peekable();
            let is_same = left.by_ref().all(|(name, value)| {
                right.next().is_some_and(|other| other.0 == name && values::equal(value, other.1))
            });
            is_same && right.next().is_none()
        }
        (left, right) => values::equal(left, right),
    };
    live.len() == object.len()
        && live.iter().zip(object).all(|((name, left), (other, right))| {
            name == other
                && match name.as_str() {
                    "metadata" => metadata_same(left, right),
                    _ => values::equal(left, right),
                }
        })
}
