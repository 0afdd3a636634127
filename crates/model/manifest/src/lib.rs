//! A Kubernetes object as a value: how it is named, and how its metadata is read.
//!
//! An object is a [`serde_json::Value`] (maps sorted by key, as Go prints them). This
//! crate reads what every object has: its kind, its name, its labels. It knows no
//! word of Argo CD's, and never changes an object unasked.
//!
//! Start at [`ObjectKey`].

mod duration;
pub mod field;
mod key;
mod order;
mod read;

pub use duration::go_nanoseconds;
pub use key::{GroupKind, Gvk, ObjectKey, split_api_version};
pub use order::INSTALL_ORDER;
pub use read::{
    OwnerReference, annotation, annotations, api_version, generation, gvk, key_of, kind, label,
    labels, name, namespace, owner_references, resource_version, set_annotation, set_label,
    set_namespace, uid,
};

#[cfg(test)]
mod tests;
