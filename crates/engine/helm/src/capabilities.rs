//! `.Capabilities`: the cluster, as templates see it. It notes what it is asked.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use goval::{Kind, List, ListType, Map, MapType, Object, Signature, Str, Type, Value};

use crate::asked::Asked;
use crate::profile::Profile;

/// A Kubernetes version, as Helm reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KubeVersion {
    /// As given, with a `v`.
    given: String,
    /// Three numbers with a `v`; the answer to constraints.
    normal: String,
    major: String,
    minor: String,
}

impl KubeVersion {
    /// Reads at least two numbers, and drops what follows the third.
    ///
    /// # Errors
    ///
    /// What is wrong, in the words of Kubernetes' parser.
    pub(crate) fn parse(text: &str, profile: Profile) -> Result<Self, String> {
        let quoted = goval::quote(text);
        let numbers = text.trim_start();
        let numbers = numbers.strip_prefix('v').unwrap_or(numbers);
        let end = numbers.find(|char: char| !char.is_ascii_digit() && char != '.');
        // What follows the numbers, a dot too, is of no interest.
        let parts: Vec<&str> = numbers[..end.unwrap_or(numbers.len())]
            .split('.')
            .take_while(|part| !part.is_empty())
            .collect();
        match parts.len() {
            0 => return Err(format!("could not parse {quoted} as version")),
            1 => return Err(format!("illegal version string {quoted}")),
            _ => {}
        }
        let mut values = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let shown = goval::quote(part);
            if at == 0 && part.len() > 1 && part.starts_with('0') {
                return Err(format!("illegal zero-prefixed version component {shown} in {quoted}"));
            }
            values.push(part.parse::<u64>().map_err(|_| {
                format!(
                    "illegal non-numeric version component {shown} in {quoted}: strconv.ParseUint: parsing {shown}: value out of range"
                )
            })?);
        }
        // Helm 3 reads it as a semantic version.
        if values.len() == 2 && profile == Profile::V3 {
            values.push(0);
        }
        let normal: Vec<String> = values.iter().map(u64::to_string).collect();
        let normal = format!("v{}", normal.join("."));
        let given = match profile {
            Profile::V3 => normal.clone(),
            Profile::V4 if text.starts_with('v') => text.to_owned(),
            Profile::V4 => format!("v{text}"),
        };
        Ok(Self { given, normal, major: values[0].to_string(), minor: values[1].to_string() })
    }

    /// What constraints are held against.
    pub(crate) fn normal(&self) -> &str {
        &self.normal
    }

    /// What messages show.
    pub(crate) fn given(&self) -> &str {
        &self.given
    }
}

/// What the objects of one rendering share.
#[derive(Debug)]
struct Cluster {
    profile: Profile,
    version: KubeVersion,
    api_versions: Vec<Str>,
    asked: Rc<RefCell<Asked>>,
}

/// `.Capabilities`.
#[derive(Clone, Debug)]
pub(crate) struct Capabilities(Rc<Cluster>);

#[derive(Debug)]
struct Version(Rc<Cluster>);

#[derive(Debug)]
struct ApiVersions(Rc<Cluster>);

#[derive(Debug)]
struct Build(Profile);

impl Capabilities {
    pub(crate) fn new(
        profile: Profile,
        version: KubeVersion,
        more_api_versions: &[String],
        asked: Rc<RefCell<Asked>>,
    ) -> Self {
        let mut api_versions: Vec<Str> =
            profile.api_versions().iter().map(|text| (*text).into()).collect();
        api_versions.extend(more_api_versions.iter().map(|text| Str::from(text.as_str())));
        Self(Rc::new(Cluster { profile, version, api_versions, asked }))
    }

    /// The version, which counts as asked from now on.
    pub(crate) fn version(&self) -> &KubeVersion {
        self.0.asked.borrow_mut().kube_version = true;
        &self.0.version
    }
}

impl Object for Capabilities {
    fn type_name(&self) -> &str {
        match self.0.profile {
            Profile::V3 => "*chartutil.Capabilities",
            Profile::V4 => "*common.Capabilities",
        }
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn field(&self, name: &str) -> Option<Value> {
        let object: Rc<dyn Object> = match name {
            "KubeVersion" => Rc::new(Version(self.0.clone())),
            "APIVersions" => Rc::new(ApiVersions(self.0.clone())),
            "HelmVersion" => Rc::new(Build(self.0.profile)),
            _ => return None,
        };
        Some(Value::Object(object))
    }

    fn print(&self) -> String {
        format!(
            "{{{} {} {}}}",
            Version(self.0.clone()).as_struct(),
            ApiVersions(self.0.clone()).print(),
            Build(self.0.profile).print()
        )
    }

    fn fields(&self) -> Option<Vec<(&str, Value)>> {
        let names = ["KubeVersion", "APIVersions", "HelmVersion"];
        Some(names.into_iter().filter_map(|name| Some((name, self.field(name)?))).collect())
    }

    fn plain(&self) -> Option<Value> {
        let map = Map::new();
        for name in ["KubeVersion", "APIVersions", "HelmVersion"] {
            if let Some(Value::Object(object)) = self.field(name) {
                map.insert(name.into(), object.plain()?);
            }
        }
        Some(map.into())
    }

    fn members(&self) -> Option<Vec<(String, Value)>> {
        let fields = self.fields()?.into_iter();
        Some(fields.map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Version {
    /// As it stands inside of a printed struct.
    fn as_struct(&self) -> String {
        let KubeVersion { given, normal, major, minor } = self.ask();
        match self.0.profile {
            Profile::V3 => format!("{{{given} {major} {minor}}}"),
            Profile::V4 => format!("{{{given} {normal} {major} {minor}}}"),
        }
    }

    fn ask(&self) -> &KubeVersion {
        self.0.asked.borrow_mut().kube_version = true;
        &self.0.version
    }
}

impl Object for Version {
    fn type_name(&self) -> &str {
        match self.0.profile {
            Profile::V3 => "chartutil.KubeVersion",
            Profile::V4 => "common.KubeVersion",
        }
    }

    fn field(&self, name: &str) -> Option<Value> {
        let version = self.ask();
        match name {
            "Version" => Some(version.given.as_str().into()),
            "Major" => Some(version.major.as_str().into()),
            "Minor" => Some(version.minor.as_str().into()),
            _ => None,
        }
    }

    fn has_method(&self, name: &str) -> bool {
        matches!(name, "String" | "GitVersion")
    }

    fn signature(&self, _name: &str) -> Option<Signature> {
        Some(Signature { params: &[], variadic: false })
    }

    fn call(&self, name: &str, _args: &[Value]) -> Result<Value, String> {
        let version = self.ask();
        Ok(match name {
            "GitVersion" => version.given.as_str().into(),
            _ => version.normal.as_str().into(),
        })
    }

    /// As an action prints it: by the method of Go's pointer.
    fn print(&self) -> String {
        self.ask().normal.clone()
    }

    fn is_stringer_by_pointer(&self) -> bool {
        true
    }

    fn fields(&self) -> Option<Vec<(&str, Value)>> {
        let KubeVersion { given, normal, major, minor } = self.ask();
        let normal = match self.0.profile {
            Profile::V3 => None,
            Profile::V4 => Some(("normalizedVersion", normal)),
        };
        let fields = [("Version", given)].into_iter().chain(normal);
        let fields = fields.chain([("Major", major), ("Minor", minor)]);
        Some(fields.map(|(name, value)| (name, value.as_str().into())).collect())
    }

    fn plain(&self) -> Option<Value> {
        let members = self.members()?.into_iter();
        let entries = members.map(|(name, value)| (name.as_str().into(), value));
        Some(Map::of(MapType::Any, entries).into())
    }

    fn members(&self) -> Option<Vec<(String, Value)>> {
        let version = self.ask();
        Some(vec![
            ("Version".to_owned(), version.given.as_str().into()),
            ("Major".to_owned(), version.major.as_str().into()),
            ("Minor".to_owned(), version.minor.as_str().into()),
        ])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl ApiVersions {
    fn all(&self) -> &[Str] {
        self.0.asked.borrow_mut().all_api_versions = true;
        &self.0.api_versions
    }
}

impl Object for ApiVersions {
    fn type_name(&self) -> &str {
        match self.0.profile {
            Profile::V3 => "chartutil.VersionSet",
            Profile::V4 => "common.VersionSet",
        }
    }

    fn kind(&self) -> Kind {
        Kind::Slice
    }

    fn has_method(&self, name: &str) -> bool {
        name == "Has"
    }

    fn signature(&self, _name: &str) -> Option<Signature> {
        Some(Signature { params: &[Type::String], variadic: false })
    }

    fn call(&self, _name: &str, args: &[Value]) -> Result<Value, String> {
        let [Value::Str(wanted)] = args else {
            return Err("wrong number of args for Has: want 1".to_owned());
        };
        let there = self.0.api_versions.iter().any(|known| known == wanted);
        let built_in = self.0.profile.api_versions().len();
        // What is built in is there whatever the cluster says.
        if !self.0.api_versions[..built_in].contains(wanted) {
            let mut asked = self.0.asked.borrow_mut();
            asked.api_versions.insert(wanted.to_text().into_owned(), there);
        }
        Ok(there.into())
    }

    fn entries(&self) -> Option<Vec<(Value, Value)>> {
        let entries = self.all().iter().enumerate();
        Some(entries.map(|(at, text)| (Value::int(at as i64), text.clone().into())).collect())
    }

    fn print(&self) -> String {
        let texts: Vec<String> = self.all().iter().map(Str::to_string).collect();
        format!("[{}]", texts.join(" "))
    }

    fn plain(&self) -> Option<Value> {
        let texts = self.all().iter().map(|text| text.clone().into()).collect();
        Some(Value::List(List::typed(ListType::String, texts)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Build {
    /// The version of Go in upstream's image, and of its Kubernetes client.
    fn parts(&self) -> [&'static str; 5] {
        match self.0 {
            Profile::V3 => [self.0.helm_version(), "", "", "go1.25.9", "v1.34"],
            Profile::V4 => [self.0.helm_version(), "", "", "go1.26.8", "v1.36"],
        }
    }
}

impl Object for Build {
    fn type_name(&self) -> &str {
        "version.BuildInfo"
    }

    fn field(&self, name: &str) -> Option<Value> {
        let [version, commit, state, go, client] = self.parts();
        match name {
            "Version" => Some(version.into()),
            "GitCommit" => Some(commit.into()),
            "GitTreeState" => Some(state.into()),
            "GoVersion" => Some(go.into()),
            "KubeClientVersion" if self.0 == Profile::V4 => Some(client.into()),
            _ => None,
        }
    }

    fn print(&self) -> String {
        let parts = self.parts();
        let shown = match self.0 {
            Profile::V3 => &parts[..4],
            Profile::V4 => &parts[..],
        };
        format!("{{{}}}", shown.join(" "))
    }

    fn fields(&self) -> Option<Vec<(&str, Value)>> {
        let names = ["Version", "GitCommit", "GitTreeState", "GoVersion", "KubeClientVersion"];
        Some(names.into_iter().filter_map(|name| Some((name, self.field(name)?))).collect())
    }

    fn plain(&self) -> Option<Value> {
        let members = self.members()?.into_iter();
        let entries = members.map(|(name, value)| (name.as_str().into(), value));
        Some(Map::of(MapType::Any, entries).into())
    }

    /// What is empty is left out.
    fn members(&self) -> Option<Vec<(String, Value)>> {
        let [version, _, _, go, client] = self.parts();
        let mut members =
            vec![("version".to_owned(), version.into()), ("go_version".to_owned(), go.into())];
        if self.0 == Profile::V4 {
            members.push(("kube_client_version".to_owned(), client.into()));
        }
        Some(members)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
