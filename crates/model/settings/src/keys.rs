//! The one table of settings: validation, documentation and defaults read it.

use crate::key::{Key, Place};

mod environment;
mod main_map;
mod parameters;
mod rbac;
mod secret;

/// Returns every setting, place by place.
pub fn all() -> impl Iterator<Item = &'static Key> {
    [main_map::KEYS, parameters::KEYS, rbac::KEYS, secret::KEYS, environment::KEYS]
        .into_iter()
        .flatten()
}

/// Returns the settings of one place.
pub fn of(place: Place) -> &'static [Key] {
    match place {
        Place::Main => main_map::KEYS,
        Place::Parameters => parameters::KEYS,
        Place::Rbac => rbac::KEYS,
        Place::Secret => secret::KEYS,
        Place::Environment => environment::KEYS,
    }
}

/// Returns the setting that a name in a place means; exact names win over patterns.
pub fn find(place: Place, name: &str) -> Option<&'static Key> {
    let keys = of(place);
    keys.iter().find(|key| !key.is_pattern() && key.name == name).or_else(|| {
        // `accounts.<name>.enabled` says more than `accounts.<name>`.
        let patterns = keys.iter().filter(|key| key.is_pattern() && key.matches(name));
        patterns.max_by_key(|key| key.name.len())
    })
}

/// Returns the other places where a name means something.
pub fn places_of(name: &str) -> Vec<Place> {
    Place::ALL.into_iter().filter(|place| find(*place, name).is_some()).collect()
}

/// Returns the key of a place whose name is nearest to an unknown one, where one is near enough
/// to be meant: at most two letters in five differ.
pub fn nearest(place: Place, name: &str) -> Option<&'static Key> {
    let lower = name.to_lowercase();
    of(place)
        .iter()
        .filter(|key| !key.is_pattern())
        .map(|key| (distance(&lower, &key.name.to_lowercase()), key))
        .filter(|(distance, key)| *distance <= 3 && distance * 5 <= key.name.len() * 2)
        .min_by_key(|(distance, key)| (*distance, key.name))
        .map(|(_, key)| key)
}

/// How many letters must be put in, taken out or changed to turn one text into the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.chars().enumerate() {
        let mut corner = row[0];
        row[0] = at + 1;
        for (column, other) in right.iter().enumerate() {
            let change = corner + usize::from(letter != *other);
            corner = row[column + 1];
            row[column + 1] = change.min(corner + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}
