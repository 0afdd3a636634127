//! The order in which kinds are installed.

use manifest::INSTALL_ORDER as KINDS;

use crate::profile::Profile;

/// Where the two kinds of webhook configurations begin, which Helm 3 does not know.
const WEBHOOKS: usize = 36;

/// Sorts by kind; what is of one kind keeps its order, and kinds that Helm does not know come
/// last, by the alphabet.
pub(crate) fn sort_by_kind<T>(items: &mut [T], kind: impl Fn(&T) -> &str, profile: Profile) {
    let known = match profile {
        Profile::V3 => &KINDS[..WEBHOOKS],
        Profile::V4 => &KINDS[..],
    };
    let place = |kind: &str| known.iter().position(|name| *name == kind);
    items.sort_by(|one, other| {
        let (one, other) = (kind(one), kind(other));
        match (place(one), place(other)) {
            (Some(one), Some(other)) => one.cmp(&other),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => one.cmp(other),
        }
    });
}
