//! No more than ten managers that update.
//!
//! When there are more, the oldest of a version are put together under one name.

use std::collections::BTreeMap;

use crate::managed::owned::{Operation, Owned};

/// How many entries of updates are kept apart.
const UPDATERS_MAX: usize = 10;
/// Who owns what the oldest owned.
const OLDEST: &str = "ancient-changes";

pub(crate) fn cap(owned: &mut Vec<Owned>) {
    let is_update = |owned: &&Owned| owned.operation == Operation::Update;
    let mut updaters: Vec<_> = owned
        .iter()
        .filter(is_update)
        .map(|owned| (owned.time_s.unwrap_or(0), owned.identifier()))
        .collect();
    if updaters.len() <= UPDATERS_MAX {
        return;
    }
    updaters.sort();
    let mut length = updaters.len();
    let mut first_of_version: BTreeMap<String, String> = BTreeMap::new();
    for (_, identifier) in updaters {
        if length <= UPDATERS_MAX {
            return;
        }
        let place = |owned: &[Owned], identifier: &str| {
            owned.iter().position(|owned| owned.identifier() == identifier)
        };
        let Some(at) = place(owned, &identifier) else { continue };
        let version = owned[at].api_version.clone();
        let Some(first) = first_of_version.get(&version) else {
            first_of_version.insert(version, identifier);
            continue;
        };
        let bucket = Owned {
            manager: OLDEST.to_owned(),
            operation: Operation::Update,
            subresource: String::new(),
            api_version: version,
            time_s: None,
            fields: Default::default(),
        };
        let taken = owned.remove(at);
        let bucket_at = match owned.iter().position(|owned| owned.is_same_manager(&bucket)) {
            Some(at) => at,
            None => {
                let first_at = place(owned, first);
                let fields = first_at.map(|at| owned.remove(at).fields).unwrap_or_default();
                owned.push(Owned { fields, ..bucket });
                owned.len() - 1
            }
        };
        owned[bucket_at].fields.absorb(&taken.fields);
        owned[bucket_at].time_s = taken.time_s;
        length -= 1;
    }
}
