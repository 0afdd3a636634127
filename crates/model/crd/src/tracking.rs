//! To which Application an object belongs, as it is written on the object.

use std::fmt;
use std::str::FromStr;

use crate::shape::words;

words! {
    /// How an object's Application is written on it.
    pub enum TrackingMethod {
        /// By annotation; so does an unset or unknown method.
        Annotation = "annotation",
        /// By label.
        Label = "label",
        /// By annotation, and by a label for people and for selectors.
        AnnotationAndLabel = "annotation+label",
    }
}

impl TrackingMethod {
    /// Whether the annotation is written and read.
    pub fn uses_annotation(&self) -> bool {
        *self != Self::Label
    }

    /// Whether the label is written.
    pub fn uses_label(&self) -> bool {
        matches!(self, Self::Label | Self::AnnotationAndLabel)
    }
}

/// What stands in the annotation `argocd.argoproj.io/tracking-id`:
/// `app:group/Kind:namespace/name`.
///
/// The namespace is the object's own, else the destination's, for kinds without a namespace too.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackingId {
    /// `name`, or `namespace_name` outside the control plane's namespace.
    pub application: String,
    /// `""` is the core group.
    pub group: String,
    /// The object's kind.
    pub kind: String,
    /// The object's namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
}

/// A text is no tracking id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "wrong resource tracking format, should be <application-name>:<group>/<kind>:<namespace>/<name>"
)]
pub struct BadTrackingId;

impl fmt::Display for TrackingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { application, group, kind, namespace, name } = self;
        write!(f, "{application}:{group}/{kind}:{namespace}/{name}")
    }
}

impl FromStr for TrackingId {
    type Err = BadTrackingId;

    /// Reads a tracking id; a name may hold `:` (as RBAC kinds' do), but no `/`.
    fn from_str(text: &str) -> Result<Self, BadTrackingId> {
        let mut parts = text.splitn(3, ':');
        let mut part = || parts.next().ok_or(BadTrackingId);
        let application = part()?.to_owned();
        let (group, kind) = pair(part()?)?;
        let (namespace, name) = pair(part()?)?;
        Ok(Self { application, group, kind, namespace, name })
    }
}

fn pair(text: &str) -> Result<(String, String), BadTrackingId> {
    match text.split_once('/') {
        Some((left, right)) if !right.contains('/') => Ok((left.to_owned(), right.to_owned())),
        _ => Err(BadTrackingId),
    }
}

/// What a tracking label holds for an Application: at most 63 bytes, ending in a letter or digit.
///
/// `None` where nothing of the name could stand. Only `annotation+label` cuts names short; where
/// the label alone tracks, the whole name stands in it or the API server refuses it.
pub fn label_value(application: &str) -> Option<&str> {
    const BYTES_MAX: usize = 63;
    if application.len() <= BYTES_MAX {
        return Some(application);
    }
    let bytes = &application.as_bytes()[..BYTES_MAX];
    let end = bytes.iter().rposition(u8::is_ascii_alphanumeric)? + 1;
    application.get(..end)
}
