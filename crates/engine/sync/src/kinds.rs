//! The order in which kinds are applied inside one wave.

use manifest::INSTALL_ORDER;

/// Kinds that go first, in their order; every other kind comes after them: all from `Namespace` to
/// `APIService` (SYN-02).
fn first() -> &'static [&'static str] {
    &INSTALL_ORDER[1..36]
}

/// Returns a kind's place; kinds that the list does not name share the last one.
pub(crate) fn rank(kind: &str) -> usize {
    first().iter().position(|first| *first == kind).unwrap_or(first().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_go_first_and_services_of_the_api_last_of_those_that_are_named() {
        assert_eq!(first().first(), Some(&"Namespace"));
        assert_eq!(first().last(), Some(&"APIService"));
        assert_eq!(rank("PriorityClass"), rank("Widget"));
        assert!(rank("CustomResourceDefinition") < rank("Deployment"));
    }
}
