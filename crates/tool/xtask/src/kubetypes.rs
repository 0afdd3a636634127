//! `cargo xtask kubetypes`: builds the type tables of the `kubetypes` crate.
//!
//! Reads, for each Kubernetes minor, the published OpenAPI and discovery files of the
//! `k8s.io/kubernetes` module and the struct declarations of the API modules (JSON names,
//! `omitempty`, pointers, protobuf numbers), all from the Go module cache. No prose is taken.
//! `go mod download` brings what is missing; the versions stand in [`MINORS`].

mod gosource;
mod pack;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use gosource::{Decl, Expr, Field, Sources};
use pack::{Minor, Pool, Strings, put};

/// Minor, then the patch releases of k8s.io/kubernetes, of kube-aggregator, and of the rest.
const MINORS: [(usize, usize, usize, usize); 7] = [
    (30, 14, 14, 14),
    (31, 14, 0, 14),
    (32, 13, 13, 13),
    (33, 13, 13, 13),
    (34, 9, 9, 9),
    (35, 6, 10, 10),
    (36, 3, 3, 3),
];

/// Where the tables go, from the root of the repository.
const OUTPUT: &str = "crates/engine/kubetypes/data/tables.bin.zst";

/// Runs the command; `arguments` may name the Go module cache.
pub fn run(mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let cache = match arguments.next() {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(std::env::var("HOME")?).join("go/pkg/mod"),
    };
    let mut strings = Strings::new();
    let mut types = Pool::default();
    let mut resources = Pool::default();
    let mut minors = Vec::new();
    for (minor, kubernetes, aggregator, rest) in MINORS {
        let module = |name: &str, patch: usize| {
            (format!("k8s.io/{name}"), cache.join(format!("k8s.io/{name}@v0.{minor}.{patch}")))
        };
        let sources = Sources::new(vec![
            module("api", rest),
            module("apimachinery", rest),
            module("apiextensions-apiserver", rest),
            module("kube-aggregator", aggregator),
        ]);
        let release = format!("v1.{minor}.{kubernetes}");
        let api = cache.join(format!("k8s.io/kubernetes@{release}/api"));
        let read = Reader::new(&api, sources).with_context(|| release.clone())?;
        minors.push(Minor {
            minor,
            types: read.types(&mut strings, &mut types).with_context(|| release.clone())?,
            resources: read_resources(&api.join("discovery"), &mut strings, &mut resources)
                .with_context(|| release.clone())?,
            release,
        });
    }
    for minor in &minors {
        println!(
            "1.{}: {} types, {} resources",
            minor.minor,
            minor.types.len(),
            minor.resources.len()
        );
    }
    println!("distinct: {} types, {} resources", types.len(), resources.len());
    let plain = pack::assemble(strings, &types, &resources, &minors);
    let packed = zstd::bulk::compress(&plain, 22)?;
    println!("{} bytes, {} compressed", plain.len(), packed.len());
    let output = Path::new(OUTPUT);
    fs::create_dir_all(output.parent().context("the output lies in a folder")?)?;
    fs::write(output, packed)?;
    Ok(())
}

/// Reads one minor.
struct Reader {
    sources: std::cell::RefCell<Sources>,
    /// `definitions` of the v2 document.
    published: BTreeMap<String, Value>,
    /// Defaults of the v3 documents by (definition, property).
    defaults: BTreeMap<(String, String), Value>,
}

impl Reader {
    fn new(api: &Path, sources: Sources) -> Result<Reader> {
        let swagger = json(&api.join("openapi-spec/swagger.json"))?;
        let published = swagger["definitions"]
            .as_object()
            .context("no definitions")?
            .iter()
            .map(|(name, definition)| (name.clone(), definition.clone()))
            .collect();
        let mut defaults = BTreeMap::new();
        for entry in fs::read_dir(api.join("openapi-spec/v3"))? {
            let document = json(&entry?.path())?;
            let Some(schemas) = document["components"]["schemas"].as_object() else { continue };
            for (name, schema) in schemas {
                let Some(properties) = schema["properties"].as_object() else { continue };
                for (property, content) in properties {
                    if let Some(default) = content.get("default") {
                        defaults.insert((name.clone(), property.clone()), default.clone());
                    }
                }
            }
        }
        Ok(Reader { sources: std::cell::RefCell::new(sources), published, defaults })
    }

    /// Writes every type that a published definition reaches; answers with their records.
    fn types(&self, strings: &mut Strings, pool: &mut Pool) -> Result<Vec<usize>> {
        let mut open: VecDeque<String> = self.published.keys().cloned().collect();
        let mut seen: BTreeSet<String> = open.iter().cloned().collect();
        // What is inlined has no definition of its own: its fields are described by its holder.
        let mut holders: BTreeMap<String, String> = BTreeMap::new();
        let mut structs: BTreeMap<String, (String, String, Vec<Field>)> = BTreeMap::new();
        while let Some(name) = open.pop_front() {
            let (package, type_name) = go_name(&name)?;
            if special(&package, &type_name).is_some() {
                continue;
            }
            let (package, fields) = self
                .struct_fields(&package, &type_name)?
                .with_context(|| format!("`{name}` is no struct in the sources"))?;
            for field in &fields {
                for found in self.structs_in(&field.expr, &package)? {
                    if inlined(field) {
                        let holder = holders.get(&name).unwrap_or(&name).clone();
                        if !self.published.contains_key(&found) {
                            holders.insert(found.clone(), holder);
                        }
                    }
                    if seen.insert(found.clone()) {
                        open.push_back(found);
                    }
                }
            }
            structs.insert(name, (package, type_name, fields));
        }
        structs
            .iter()
            .map(|(name, (package, type_name, fields))| {
                let described = holders.get(name).unwrap_or(name);
                let record = self.record(name, described, package, type_name, fields, strings)?;
                Ok(pool.number(record))
            })
            .collect()
    }

    fn record(
        &self,
        name: &str,
        described_by: &str,
        package: &str,
        type_name: &str,
        fields: &[Field],
        strings: &mut Strings,
    ) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let own = self.published.get(name);
        put(&mut out, strings.number(name));
        let (own_package, _) = go_name(name)?;
        put(&mut out, strings.number(&format!("{}.{type_name}", last(&own_package))));
        let atomic = own.is_some_and(|d| d["x-kubernetes-map-type"] == "atomic");
        put(&mut out, usize::from(atomic) | usize::from(own.is_some()) << 1);
        let none = Vec::new();
        let kinds =
            own.and_then(|d| d["x-kubernetes-group-version-kind"].as_array()).unwrap_or(&none);
        put(&mut out, kinds.len());
        for kind in kinds {
            for key in ["group", "version", "kind"] {
                put(&mut out, strings.number(kind[key].as_str().context("a kind's parts")?));
            }
        }
        let described = self.published.get(described_by);
        let fields: Vec<&Field> = fields.iter().filter(|field| has_json(field)).collect();
        put(&mut out, fields.len());
        for field in fields {
            self.field(&mut out, field, package, (described_by, described), strings)
                .with_context(|| format!("field {} of {name}", field.go_name))?;
        }
        Ok(out)
    }

    fn field(
        &self,
        out: &mut Vec<u8>,
        field: &Field,
        package: &str,
        (described_by, described): (&str, Option<&Value>),
        strings: &mut Strings,
    ) -> Result<()> {
        let tag = field.tags.get("json").map(String::as_str).unwrap_or_default();
        let inline = inlined(field);
        let mut parts = tag.split(',');
        let json_name = if inline { "" } else { parts.next().unwrap_or_default() };
        let options: Vec<&str> = tag.split(',').skip(1).collect();
        let property = described.map_or(&Value::Null, |d| &d["properties"][json_name]);
        let required = described
            .and_then(|d| d["required"].as_array())
            .is_some_and(|names| names.iter().any(|n| n == json_name));
        let (pointer, expr) = match &field.expr {
            Expr::Pointer(to) => (true, &**to),
            other => (false, other),
        };
        let map_type = property["x-kubernetes-map-type"].as_str();
        let flags = [
            options.contains(&"omitempty"),
            options.contains(&"omitzero"),
            pointer,
            required,
            inline,
            map_type == Some("atomic"),
            map_type == Some("granular"),
            property.is_object(),
        ];
        put(out, strings.number(json_name));
        put(out, strings.number(&field.go_name));
        put(out, flags.iter().enumerate().map(|(bit, &set)| usize::from(set) << bit).sum());
        self.shape(out, expr, package, strings)?;
        put(out, protobuf_number(field)?);
        let default = self.defaults.get(&(described_by.to_owned(), json_name.to_owned()));
        put(out, strings.number(&default.map(Value::to_string).unwrap_or_default()));
        let list_type = property["x-kubernetes-list-type"].as_str();
        put(
            out,
            match list_type {
                None => 0,
                Some("atomic") => 1,
                Some("set") => 2,
                Some("map") => 3,
                Some(other) => bail!("list type {other}"),
            },
        );
        put_texts(out, property["x-kubernetes-list-map-keys"].as_array(), strings);
        let strategy = property["x-kubernetes-patch-strategy"].as_str().unwrap_or_default();
        let strategies: Vec<&str> = strategy.split(',').collect();
        put(
            out,
            usize::from(strategies.contains(&"merge"))
                | usize::from(strategies.contains(&"retainKeys")) << 1
                | usize::from(strategies.contains(&"replace")) << 2,
        );
        let merge_key = property["x-kubernetes-patch-merge-key"].as_str().unwrap_or_default();
        put(out, strings.number(merge_key));
        put_texts(out, property["enum"].as_array(), strings);
        Ok(())
    }

    /// Writes what a field holds; named types over others keep their Go name for messages.
    fn shape(
        &self,
        out: &mut Vec<u8>,
        expr: &Expr,
        package: &str,
        strings: &mut Strings,
    ) -> Result<()> {
        let mut named = String::new();
        let mut expr = expr.clone();
        let mut package = package.to_owned();
        while let Expr::Named { package: other, name } = &expr {
            let home = other.clone().unwrap_or_else(|| package.clone());
            if other.is_none()
                && let Some(code) = scalar(name)
            {
                put(out, code);
                put(out, strings.number(&named));
                return Ok(());
            }
            if let Some(code) = special(&home, name) {
                put(out, code);
                put(out, strings.number(&format!("{}.{name}", last(&home))));
                return Ok(());
            }
            let decl = self.sources.borrow_mut().decl(&home, name)?;
            match decl.with_context(|| format!("`{home}.{name}` is declared nowhere"))? {
                Decl::Struct(_) => {
                    put(out, code::STRUCT);
                    put(out, strings.number(&open_api_name(&home, name)));
                    return Ok(());
                }
                Decl::Other(_) if self.is_own_struct(&home, name)? => {
                    put(out, code::STRUCT);
                    put(out, strings.number(&open_api_name(&home, name)));
                    return Ok(());
                }
                Decl::Other(under) => {
                    if named.is_empty() {
                        named = format!("{}.{name}", last(&home));
                    }
                    expr = under;
                    package = home;
                }
            }
        }
        match &expr {
            Expr::List(element) if is_byte(element) => {
                put(out, code::BYTES);
                put(out, strings.number(&named));
            }
            Expr::List(element) => {
                put(out, code::LIST);
                put(out, strings.number(&named));
                self.shape(out, element, &package, strings)?;
            }
            Expr::Map(key, value) => {
                put(out, code::MAP);
                let key = match &**key {
                    Expr::Named { package: other, name } if scalar(name).is_none() => {
                        format!("{}.{name}", last(other.as_deref().unwrap_or(&package)))
                    }
                    _ => "string".to_owned(),
                };
                put(out, strings.number(&named));
                put(out, strings.number(&key));
                self.shape(out, value, &package, strings)?;
            }
            Expr::Pointer(to) => self.shape(out, to, &package, strings)?,
            Expr::Named { .. } => bail!("the name does not resolve"),
        }
        Ok(())
    }

    /// A named type over a struct that is published under its own name.
    fn is_own_struct(&self, package: &str, name: &str) -> Result<bool> {
        Ok(self.published.contains_key(&open_api_name(package, name))
            && self.struct_fields(package, name)?.is_some())
    }

    /// The fields of a struct, or of the struct that a named type stands over, with the package
    /// in which their types are to be looked up.
    fn struct_fields(&self, package: &str, name: &str) -> Result<Option<(String, Vec<Field>)>> {
        let (mut package, mut name) = (package.to_owned(), name.to_owned());
        loop {
            let decl = self.sources.borrow_mut().decl(&package, &name)?;
            match decl {
                Some(Decl::Struct(fields)) => return Ok(Some((package, fields))),
                Some(Decl::Other(Expr::Named { package: other, name: under }))
                    if other.is_some() || scalar(&under).is_none() =>
                {
                    package = other.unwrap_or(package);
                    name = under;
                }
                _ => return Ok(None),
            }
        }
    }

    /// Names the structs that a type expression reaches without passing through another.
    fn structs_in(&self, expr: &Expr, package: &str) -> Result<Vec<String>> {
        match expr {
            Expr::Pointer(to) | Expr::List(to) | Expr::Map(_, to) => self.structs_in(to, package),
            Expr::Named { package: other, name } => {
                let home = other.as_deref().unwrap_or(package);
                if (other.is_none() && scalar(name).is_some()) || special(home, name).is_some() {
                    return Ok(Vec::new());
                }
                let decl = self.sources.borrow_mut().decl(home, name)?;
                match decl.with_context(|| format!("`{home}.{name}` is declared nowhere"))? {
                    Decl::Struct(_) => Ok(vec![open_api_name(home, name)]),
                    Decl::Other(_) if self.is_own_struct(home, name)? => {
                        Ok(vec![open_api_name(home, name)])
                    }
                    Decl::Other(under) => self.structs_in(&under, home),
                }
            }
        }
    }
}

/// Numbers of shapes; `kubetypes::shape` reads the same.
mod code {
    pub const STRUCT: usize = 0;
    pub const LIST: usize = 1;
    pub const MAP: usize = 2;
    pub const BYTES: usize = 3;
}

fn scalar(name: &str) -> Option<usize> {
    Some(match name {
        "string" => 4,
        "bool" => 5,
        "int32" => 6,
        "int64" | "int" => 7,
        "float64" => 8,
        "uint32" => 9,
        "byte" | "uint8" => 10,
        _ => return None,
    })
}

/// Types with a JSON form of their own.
fn special(package: &str, name: &str) -> Option<usize> {
    const META: &str = "k8s.io/apimachinery/pkg/apis/meta/v1";
    const EXTENSIONS: &str = "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1";
    Some(match (package, name) {
        (META, "Time") => 16,
        (META, "MicroTime") => 17,
        (META, "Duration") => 18,
        ("k8s.io/apimachinery/pkg/api/resource", "Quantity") => 19,
        ("k8s.io/apimachinery/pkg/util/intstr", "IntOrString") => 20,
        ("k8s.io/apimachinery/pkg/runtime", "RawExtension") => 21,
        (META, "FieldsV1") => 22,
        (EXTENSIONS, "JSON") => 23,
        (EXTENSIONS, "JSONSchemaPropsOrArray") => 24,
        (EXTENSIONS, "JSONSchemaPropsOrBool") => 25,
        (EXTENSIONS, "JSONSchemaPropsOrStringArray") => 26,
        (META, "Patch") => 27,
        _ => return None,
    })
}

fn is_byte(expr: &Expr) -> bool {
    matches!(expr, Expr::Named { package: None, name } if name == "byte")
}

fn inlined(field: &Field) -> bool {
    let tag = field.tags.get("json").map(String::as_str).unwrap_or_default();
    field.go_name.is_empty() && tag.split(',').next().unwrap_or_default().is_empty()
        || tag.split(',').skip(1).any(|option| option == "inline")
}

fn has_json(field: &Field) -> bool {
    let exported = field.go_name.is_empty() || field.go_name.starts_with(char::is_uppercase);
    exported && field.tags.get("json").is_none_or(|tag| tag != "-")
}

fn protobuf_number(field: &Field) -> Result<usize> {
    match field.tags.get("protobuf").map(String::as_str) {
        None | Some("-" | "") => Ok(0),
        Some(tag) => {
            let number = tag.split(',').nth(1).context("a protobuf tag without number")?;
            number.parse().with_context(|| format!("protobuf tag `{tag}`"))
        }
    }
}

fn put_texts(out: &mut Vec<u8>, texts: Option<&Vec<Value>>, strings: &mut Strings) {
    let texts = texts.map(Vec::as_slice).unwrap_or_default();
    put(out, texts.len());
    for text in texts {
        put(out, strings.number(text.as_str().unwrap_or_default()));
    }
}

fn last(package: &str) -> &str {
    package.rsplit('/').next().unwrap_or(package)
}

/// `k8s.io/api/core/v1` and `Pod` make `io.k8s.api.core.v1.Pod`.
fn open_api_name(package: &str, name: &str) -> String {
    let rest = package.strip_prefix("k8s.io/").unwrap_or(package);
    format!("io.k8s.{}.{name}", rest.replace('/', "."))
}

fn go_name(open_api: &str) -> Result<(String, String)> {
    let rest = open_api.strip_prefix("io.k8s.").context("a name outside k8s.io")?;
    let (package, name) = rest.rsplit_once('.').context("a name without package")?;
    Ok((format!("k8s.io/{}", package.replace('.', "/")), name.to_owned()))
}

fn json(path: &Path) -> Result<Value> {
    let text = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("reading {}", path.display()))
}

const VERBS: [&str; 8] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Writes the resources of every group and version in the order of discovery.
fn read_resources(folder: &Path, strings: &mut Strings, pool: &mut Pool) -> Result<Vec<usize>> {
    let mut files = vec![folder.join("api__v1.json")];
    let groups = json(&folder.join("apis.json"))?;
    for group in groups["groups"].as_array().context("groups")? {
        for version in group["versions"].as_array().context("versions")? {
            let both = version["groupVersion"].as_str().context("groupVersion")?;
            files.push(folder.join(format!("apis__{}.json", both.replace('/', "__"))));
        }
    }
    let mut numbers = Vec::new();
    for file in files {
        let list = json(&file)?;
        let home = list["groupVersion"].as_str().context("groupVersion")?;
        let (group, version) = home.split_once('/').unwrap_or(("", home));
        let all = list["resources"].as_array().context("resources")?;
        let text = |resource: &Value, key: &str| resource[key].as_str().unwrap_or("").to_owned();
        for resource in all.iter().filter(|r| !text(r, "name").contains('/')) {
            let name = text(resource, "name");
            let mut out = Vec::new();
            for part in
                [group, version, &name, &text(resource, "singularName"), &text(resource, "kind")]
            {
                put(&mut out, strings.number(part));
            }
            put(&mut out, usize::from(resource["namespaced"] == true));
            put(&mut out, verbs(resource)?);
            put_texts(&mut out, resource["shortNames"].as_array(), strings);
            put_texts(&mut out, resource["categories"].as_array(), strings);
            let prefix = format!("{name}/");
            let below: Vec<&Value> =
                all.iter().filter(|r| text(r, "name").starts_with(&prefix)).collect();
            put(&mut out, below.len());
            for subresource in below {
                let or =
                    |key: &str, other: &str| subresource[key].as_str().unwrap_or(other).to_owned();
                put(&mut out, strings.number(&text(subresource, "name")[prefix.len()..]));
                put(&mut out, strings.number(&or("group", group)));
                put(&mut out, strings.number(&or("version", version)));
                put(&mut out, strings.number(&text(subresource, "kind")));
                put(&mut out, verbs(subresource)?);
            }
            numbers.push(pool.number(out));
        }
    }
    Ok(numbers)
}

fn verbs(resource: &Value) -> Result<usize> {
    let mut mask = 0;
    for verb in resource["verbs"].as_array().context("verbs")? {
        let at = VERBS.iter().position(|v| verb == v).with_context(|| format!("verb {verb}"))?;
        mask |= 1 << at;
    }
    Ok(mask)
}
