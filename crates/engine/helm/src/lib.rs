//! Charts to manifests.
