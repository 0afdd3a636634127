//! What every object of the API is called and carries.

use std::collections::BTreeMap;

use crate::shape::shape;
use crate::values::Time;

shape! {
    /// An object's metadata, as far as we read it; the rest of it is kept.
    pub struct Metadata {
        /// Name; one a kind and namespace.
        name: String = "name",
        /// Prefix from which the server makes a name.
        generate_name: String = "generateName",
        /// Namespace.
        namespace: String = "namespace",
        /// Unique id, never used again.
        uid: String = "uid",
        /// Version that the server wrote last.
        resource_version: String = "resourceVersion",
        /// Counts the changes of the spec.
        generation: i64 = "generation",
        /// When the server made the object.
        creation_timestamp: Option<Time> = "creationTimestamp",
        /// When somebody asked for its deletion.
        deletion_timestamp: Option<Time> = "deletionTimestamp",
        /// Seconds that a deletion waits.
        deletion_grace_period_seconds: Option<i64> = "deletionGracePeriodSeconds",
        /// Labels.
        labels: BTreeMap<String, String> = "labels",
        /// Annotations.
        annotations: BTreeMap<String, String> = "annotations",
        /// Who must finish before the object goes.
        finalizers: Vec<String> = "finalizers",
        /// Who owns the object.
        owner_references: Vec<OwnerReference> = "ownerReferences",
    }
}

shape! {
    /// One owner of an object.
    pub struct OwnerReference {
        /// The owner's API version.
        api_version: String = "apiVersion" required,
        /// The owner's kind.
        kind: String = "kind" required,
        /// The owner's name.
        name: String = "name" required,
        /// The owner's unique id.
        uid: String = "uid" required,
        /// Whether the owner manages the object.
        controller: Option<bool> = "controller",
        /// Whether a foreground deletion of the owner waits for the object.
        block_owner_deletion: Option<bool> = "blockOwnerDeletion",
    }
}
