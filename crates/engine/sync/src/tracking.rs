//! Which Application an object belongs to, as the object itself says.

use manifest::{ObjectKey, annotation, key_of, label, set_annotation, set_label};
use serde_json::Value;

/// Says which Application an object belongs to, and which object it is.
pub const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
/// Says which installation an object belongs to.
pub const INSTALLATION_ID: &str = "argocd.argoproj.io/installation-id";

/// A label's value is never longer.
const LABEL_LEN_MAX: usize = 63;

/// Where an Application leaves its name on its objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// The annotation [`TRACKING_ID`].
    #[default]
    Annotation,
    /// The instance label.
    Label,
    /// Both; the annotation decides.
    AnnotationAndLabel,
}

impl Method {
    /// Reads the setting `application.resourceTrackingMethod`; what is unknown is the default.
    pub fn from_setting(text: &str) -> Self {
        match text {
            "label" => Self::Label,
            "annotation+label" => Self::AnnotationAndLabel,
            _ => Self::Annotation,
        }
    }
}

/// How objects are marked and read in this installation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tracking {
    /// Where the name stands.
    pub method: Method,
    /// The instance label's key.
    pub label_key: String,
    /// `""`: this installation has none.
    pub installation_id: String,
}

impl Default for Tracking {
    fn default() -> Self {
        Self {
            method: Method::Annotation,
            label_key: "app.kubernetes.io/instance".into(),
            installation_id: String::new(),
        }
    }
}

/// What the annotation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackingId {
    /// `web`, or `ns_web` outside the control plane's namespace.
    pub app: String,
    /// The object that it was written for; a cluster-scoped one bears the destination's namespace.
    pub key: ObjectKey,
}

impl TrackingId {
    /// Reads `app:group/kind:namespace/name`; anything else is nobody's.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let (app, kind, name) = (parts.next()?, parts.next()?, parts.next()?);
        let (group, kind) = kind.split_once('/').filter(|(_, rest)| !rest.contains('/'))?;
        let (namespace, name) = name.split_once('/').filter(|(_, rest)| !rest.contains('/'))?;
        Some(Self { app: app.into(), key: ObjectKey::new(group, kind, namespace, name) })
    }

    /// Tells whether the annotation was written for this object, not copied to it (DIF-03).
    pub fn describes(&self, object: &ObjectKey) -> bool {
        self.key.group == object.group
            && self.key.kind == object.kind
            && self.key.name == object.name
            && (object.namespace.is_empty() || self.key.namespace == object.namespace)
    }
}

impl std::fmt::Display for TrackingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ObjectKey { group, kind, namespace, name } = &self.key;
        write!(f, "{}:{group}/{kind}:{namespace}/{name}", self.app)
    }
}

impl Tracking {
    /// Returns the name of the Application that the object says it belongs to.
    ///
    /// An object of another installation belongs to nobody here.
    pub fn app_of<'a>(&self, object: &'a Value) -> Option<&'a str> {
        match self.method {
            Method::Label => label(object, &self.label_key).filter(|name| !name.is_empty()),
            Method::Annotation | Method::AnnotationAndLabel => {
                let text = self.id_text(object)?;
                TrackingId::parse(text)?;
                text.split(':').next().filter(|name| !name.is_empty())
            }
        }
    }

    /// Returns what the annotation says, where the method has one.
    pub fn id_of(&self, object: &Value) -> Option<TrackingId> {
        match self.method {
            Method::Label => None,
            Method::Annotation | Method::AnnotationAndLabel => {
                TrackingId::parse(self.id_text(object)?)
            }
        }
    }

    fn id_text<'a>(&self, object: &'a Value) -> Option<&'a str> {
        let installation = annotation(object, INSTALLATION_ID).unwrap_or("");
        if installation != self.installation_id {
            return None;
        }
        annotation(object, TRACKING_ID)
    }

    /// Writes the Application's name on an object.
    ///
    /// `namespace` is the destination's; it stands in the annotation of an object that has none.
    /// CustomResourceDefinitions are never marked, as upstream leaves them.
    pub fn mark(&self, object: &mut Value, app: &str, namespace: &str) {
        if crate::marks::is_crd(object) {
            return;
        }
        if self.method != Method::Label {
            let mut key = key_of(object);
            if key.namespace.is_empty() {
                key.namespace = namespace.to_owned();
            }
            if self.installation_id.is_empty() {
                remove_annotation(object, INSTALLATION_ID);
            } else {
                set_annotation(object, INSTALLATION_ID, &self.installation_id);
            }
            set_annotation(object, TRACKING_ID, &TrackingId { app: app.into(), key }.to_string());
        }
        match self.method {
            Method::Annotation => {}
            // The label is the name here: cut short it would be another's.
            Method::Label => set_label(object, &self.label_key, app),
            Method::AnnotationAndLabel => set_label(object, &self.label_key, truncated(app)),
        }
    }

    /// Tells whether a live object is what its tracking metadata says (DIF-03).
    ///
    /// `desired` is the key that the Application wants the object under, where it wants it:
    /// the annotation may still name an older API group.
    pub fn is_self_referenced(&self, live: &Value, desired: Option<&ObjectKey>) -> bool {
        let key = key_of(live);
        match (self.method, desired) {
            (Method::Label, _) => true,
            (_, Some(desired)) => {
                desired.group == key.group
                    && desired.kind == key.kind
                    && desired.name == key.name
                    && (key.namespace.is_empty() || desired.namespace == key.namespace)
            }
            (_, None) => self.id_of(live).is_none_or(|id| id.describes(&key)),
        }
    }
}

fn truncated(app: &str) -> &str {
    if app.len() <= LABEL_LEN_MAX {
        return app;
    }
    let mut end = LABEL_LEN_MAX;
    while !app.is_char_boundary(end) {
        end -= 1;
    }
    app[..end].trim_end_matches(|c: char| !c.is_ascii_alphanumeric())
}

fn remove_annotation(object: &mut Value, key: &str) {
    let annotations = object
        .get_mut("metadata")
        .and_then(|meta| meta.get_mut("annotations"))
        .and_then(Value::as_object_mut);
    if let Some(annotations) = annotations {
        annotations.remove(key);
    }
}
