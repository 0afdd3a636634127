//! The tables of one Kubernetes minor: its resources and the shapes of its kinds.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use manifest::Gvk;
use merge::schema::{Schema, TypeId};

use crate::read::Whole;
use crate::schema;
use crate::shape::{Field, Shape, Struct, StructId};

/// The minors that the tables hold: 30 is Kubernetes 1.30.
pub const MINORS: [u32; 7] = [30, 31, 32, 33, 34, 35, 36];

/// The newest of [`MINORS`].
pub const LATEST_MINOR: u32 = 36;

/// What may be asked of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `create`
    Create,
    /// `delete`
    Delete,
    /// `deletecollection`
    DeleteCollection,
    /// `get`
    Get,
    /// `list`
    List,
    /// `patch`
    Patch,
    /// `update`
    Update,
    /// `watch`
    Watch,
}

impl Verb {
    /// In the order in which discovery lists them.
    pub const ALL: [Verb; 8] = [
        Verb::Create,
        Verb::Delete,
        Verb::DeleteCollection,
        Verb::Get,
        Verb::List,
        Verb::Patch,
        Verb::Update,
        Verb::Watch,
    ];

    /// As discovery spells it.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Create => "create",
            Verb::Delete => "delete",
            Verb::DeleteCollection => "deletecollection",
            Verb::Get => "get",
            Verb::List => "list",
            Verb::Patch => "patch",
            Verb::Update => "update",
            Verb::Watch => "watch",
        }
    }
}

/// A resource as discovery describes it.
#[derive(Debug)]
pub struct Resource {
    /// `""` is the core group.
    pub group: &'static str,
    /// As in `v1`.
    pub version: &'static str,
    /// As in `deployments`.
    pub plural: &'static str,
    /// As in `deployment`.
    pub singular: &'static str,
    /// As in `Deployment`.
    pub kind: &'static str,
    /// Whether its objects stand in namespaces.
    pub namespaced: bool,
    /// As in `deploy`.
    pub short_names: Box<[&'static str]>,
    /// As in `all`.
    pub categories: Box<[&'static str]>,
    /// `status`, `scale` and the like.
    pub subresources: Vec<Subresource>,
    pub(crate) verbs: u8,
}

/// A subresource as discovery describes it.
#[derive(Debug)]
pub struct Subresource {
    /// As in `status`.
    pub name: &'static str,
    /// The group of what it takes and gives.
    pub group: &'static str,
    /// The version of what it takes and gives.
    pub version: &'static str,
    /// The kind of what it takes and gives: `Scale` for `scale`.
    pub kind: &'static str,
    pub(crate) verbs: u8,
}

impl Resource {
    /// What may be asked of it.
    pub fn verbs(&self) -> impl Iterator<Item = Verb> + use<> {
        verbs(self.verbs)
    }

    /// The kind of its lists. A resource that is never listed (`bindings`) has none in practice.
    pub fn list_kind(&self) -> String {
        format!("{}List", self.kind)
    }

    /// The subresource of that name.
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|subresource| subresource.name == name)
    }

    /// Whether a delete answers with the object instead of a `Status`.
    pub fn deletion_answers_object(&self) -> bool {
        match self.group {
            "resource.k8s.io" => true,
            "storage.k8s.io" => self.plural != "csistoragecapacities",
            "" => matches!(
                self.plural,
                "persistentvolumeclaims"
                    | "persistentvolumes"
                    | "pods"
                    | "podtemplates"
                    | "resourcequotas"
                    | "serviceaccounts"
                    | "services"
            ),
            _ => false,
        }
    }

    /// Whether a server without further configuration serves it: general availability, and the
    /// betas that were on by default before that ended in 1.24.
    pub fn served_by_default(&self) -> bool {
        let unstable = self.version.contains("alpha") || self.version.contains("beta");
        !unstable || (self.group == "flowcontrol.apiserver.k8s.io" && self.version == "v1beta3")
    }
}

impl Subresource {
    /// What may be asked of it.
    pub fn verbs(&self) -> impl Iterator<Item = Verb> + use<> {
        verbs(self.verbs)
    }
}

fn verbs(mask: u8) -> impl Iterator<Item = Verb> {
    Verb::ALL.into_iter().enumerate().filter(move |(bit, _)| mask & (1 << bit) != 0).map(|(_, v)| v)
}

/// The tables of one minor.
pub struct Tables {
    minor: u32,
    release: &'static str,
    structs: Vec<Struct>,
    resources: Vec<Resource>,
    by_kind: HashMap<(&'static str, &'static str, &'static str), StructId>,
    schema: OnceLock<Arc<Schema>>,
}

/// Returns the tables of a minor (36 for 1.36), reading them at the first question.
///
/// A minor older than the oldest is answered with the oldest, a newer one with the newest:
/// both are closer to the truth than nothing.
pub fn tables(minor: u32) -> &'static Tables {
    static WHOLE: OnceLock<Whole> = OnceLock::new();
    static READ: [OnceLock<Tables>; MINORS.len()] = [const { OnceLock::new() }; MINORS.len()];
    let minor = minor.clamp(MINORS[0], LATEST_MINOR);
    READ[(minor - MINORS[0]) as usize].get_or_init(|| {
        let read =
            WHOLE.get_or_init(Whole::unpack).minor(minor).expect("the file holds each of `MINORS`");
        let mut by_kind = HashMap::new();
        for (at, found) in read.structs.iter().enumerate() {
            for &kind in &found.kinds {
                by_kind.insert(kind, StructId(at as u32));
            }
        }
        Tables {
            minor,
            release: read.release,
            structs: read.structs,
            resources: read.resources,
            by_kind,
            schema: OnceLock::new(),
        }
    })
}

impl Tables {
    /// 36 for 1.36.
    pub fn minor(&self) -> u32 {
        self.minor
    }

    /// The upstream release whose sources were read, such as `v1.36.3`.
    pub fn release(&self) -> &'static str {
        self.release
    }

    /// Every resource, in the order of discovery; those of alpha and beta versions too.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The resource whose objects are of this kind.
    pub fn resource_of(&self, kind: &Gvk) -> Option<&Resource> {
        self.resources.iter().find(|resource| {
            resource.kind == kind.kind
                && resource.group == kind.group
                && resource.version == kind.version
        })
    }

    /// The resource that is called `plural` in this group and version.
    pub fn resource(&self, group: &str, version: &str, plural: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| {
            resource.plural == plural && resource.group == group && resource.version == version
        })
    }

    /// The struct of a kind.
    pub fn struct_of(&self, kind: &Gvk) -> Option<StructId> {
        self.by_kind.get(&(&*kind.group, &*kind.version, &*kind.kind)).copied()
    }

    /// A struct. An id from another minor is a defect of the caller.
    pub fn get(&self, id: StructId) -> &Struct {
        &self.structs[id.0 as usize]
    }

    /// Every struct, sorted by name.
    pub fn structs(&self) -> &[Struct] {
        &self.structs
    }

    /// The struct of an OpenAPI name.
    pub fn struct_named(&self, name: &str) -> Option<StructId> {
        let at = self.structs.binary_search_by(|found| found.name.cmp(name)).ok()?;
        Some(StructId(at as u32))
    }

    /// The fields of a struct in the order of declaration, inlined ones in their place.
    pub fn in_order(&self, id: StructId) -> Vec<&Field> {
        let mut all = Vec::new();
        self.add_in_order(id, &mut all);
        all
    }

    fn add_in_order<'a>(&'a self, id: StructId, all: &mut Vec<&'a Field>) {
        for field in &self.get(id).fields {
            match field.shape {
                Shape::Struct(inlined) if field.inline => self.add_in_order(inlined, all),
                _ => all.push(field),
            }
        }
    }

    /// The field that stands under a JSON name in a struct, inlined ones too.
    pub fn field(&self, id: StructId, name: &str) -> Option<&Field> {
        let declared = self.get(id);
        let (_, home, field) = declared.names[declared.place(name)?];
        Some(&self.get(home).fields[field as usize])
    }

    /// The schema by which objects are merged, built at the first question.
    pub fn schema(&self) -> &Arc<Schema> {
        self.schema.get_or_init(|| Arc::new(schema::build(self)))
    }

    /// The type of a kind in [`Tables::schema`].
    pub fn type_of(&self, kind: &Gvk) -> Option<TypeId> {
        self.struct_of(kind).map(|id| TypeId(id.0))
    }
}
