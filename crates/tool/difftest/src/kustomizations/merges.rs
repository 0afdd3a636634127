//! Random objects and patches on them, many builds in one run of the real program.

use std::fmt::Write;

use super::seed::Seed;
use super::tool::Files;

/// One object with one patch.
#[derive(Clone)]
pub struct Merge {
    pub object: String,
    pub patch: String,
    pub with_target: bool,
}

impl Merge {
    pub fn make(seed: u64) -> Self {
        let mut seed = Seed::new(seed);
        let kind = seed.choose(&["Deployment", "Deployment", "Service", "Foo", "Pod", "Bar"]);
        let mut writer = Writer { seed: &mut seed, of_patch: false };
        let object = writer.object(kind);
        writer.of_patch = true;
        let patch = writer.object(kind);
        Self { object, patch, with_target: seed.one_in(3) }
    }
}

/// A kustomization with all of these, each under a name of its own.
pub fn files(merges: &[Merge]) -> Files {
    let mut resources = String::new();
    let mut kustomization =
        "resources: [objects.yaml]\nsortOptions: {order: fifo}\npatches:\n".to_owned();
    for (at, merge) in merges.iter().enumerate() {
        let name = format!("case-{at:04}");
        let _ = write!(resources, "---\n{}\n", merge.object.replace("NAME", &name));
        if merge.with_target {
            let _ = write!(kustomization, "- target: {{name: {name}}}\n  patch: |-\n");
        } else {
            kustomization.push_str("- patch: |-\n");
        }
        let _ = writeln!(kustomization, "    {}", merge.patch.replace("NAME", &name));
    }
    Files::from([
        ("objects.yaml".to_owned(), resources),
        ("kustomization.yaml".to_owned(), kustomization),
    ])
}

struct Writer<'a> {
    seed: &'a mut Seed,
    of_patch: bool,
}

const SCALARS: [&str; 18] = [
    "a",
    "b",
    "\"a\"",
    "'b'",
    "5",
    "\"5\"",
    "true",
    "\"true\"",
    "yes",
    "\"yes\"",
    "1.5",
    "null",
    "~",
    "0x10",
    "2020-01-02",
    "\"\"",
    "\"null\"",
    "",
];

type Fields = [(&'static str, Shape)];

#[derive(Clone, Copy)]
enum Shape {
    Scalar,
    Map(&'static Fields),
    Scalars,
    /// Items, the first fields being keys.
    List(usize, &'static Fields),
}

use Shape::{List, Map, Scalar, Scalars};

const TEXTS: &Fields = &[("a", Scalar), ("b", Scalar), ("c", Scalar)];
const ENV: &Fields = &[("name", Scalar), ("value", Scalar), ("valueFrom", Map(TEXTS))];
const PORT: &Fields = &[("containerPort", Scalar), ("protocol", Scalar), ("name", Scalar)];
const SERVICE_PORT: &Fields =
    &[("port", Scalar), ("protocol", Scalar), ("name", Scalar), ("targetPort", Scalar)];
const CONTAINER: &Fields = &[
    ("name", Scalar),
    ("image", Scalar),
    ("args", Scalars),
    ("env", List(1, ENV)),
    ("ports", List(2, PORT)),
    ("volumeMounts", List(1, &[("mountPath", Scalar), ("name", Scalar)])),
    ("resources", Map(&[("limits", Map(TEXTS)), ("requests", Map(TEXTS))])),
];
const POD: &Fields = &[
    ("containers", List(1, CONTAINER)),
    ("volumes", List(1, &[("name", Scalar), ("emptyDir", Map(TEXTS)), ("configMap", Map(TEXTS))])),
    ("tolerations", List(1, &[("key", Scalar), ("value", Scalar)])),
    (
        "topologySpreadConstraints",
        List(2, &[("topologyKey", Scalar), ("whenUnsatisfiable", Scalar), ("maxSkew", Scalar)]),
    ),
    ("imagePullSecrets", List(1, &[("name", Scalar)])),
    ("hostAliases", List(1, &[("ip", Scalar), ("hostnames", Scalars)])),
    ("notKnown", List(1, &[("name", Scalar), ("value", Scalar)])),
    ("nodeSelector", Map(TEXTS)),
];
const TEMPLATE: &Fields =
    &[("metadata", Map(&[("labels", Map(TEXTS)), ("finalizers", Scalars)])), ("spec", Map(POD))];
const DEPLOYMENT: &Fields = &[
    ("replicas", Scalar),
    ("strategy", Map(&[("type", Scalar), ("rollingUpdate", Map(TEXTS))])),
    ("template", Map(TEMPLATE)),
    ("selector", Map(&[("matchLabels", Map(TEXTS))])),
];
const SERVICE: &Fields = &[
    ("ports", List(2, SERVICE_PORT)),
    ("selector", Map(TEXTS)),
    ("type", Scalar),
    ("externalIPs", Scalars),
];
const FOO: &Fields = &[
    ("a", Scalar),
    ("list", List(1, &[("name", Scalar), ("x", Scalar)])),
    ("map", Map(TEXTS)),
    ("template", Map(TEMPLATE)),
];

impl Writer<'_> {
    fn object(&mut self, kind: &str) -> String {
        let (version, spec) = match kind {
            "Deployment" => ("apps/v1", DEPLOYMENT),
            "Service" => ("v1", SERVICE),
            "Pod" => ("v1", POD),
            _ => ("example.com/v1", FOO),
        };
        let mut out = format!("{{apiVersion: {version}, kind: {kind}, metadata: {{name: NAME");
        for (name, fields) in [("labels", TEXTS), ("annotations", TEXTS)] {
            if self.seed.one_in(3) {
                let _ = write!(out, ", {name}: ");
                self.map(&mut out, fields, 3);
            }
        }
        if self.seed.one_in(4) {
            out.push_str(", finalizers: ");
            self.scalars(&mut out);
        }
        if self.of_patch && self.seed.one_in(40) {
            out.push_str(", $patch: replace");
        }
        out.push_str("}, spec: ");
        if kind == "Bar" {
            // An object that says inside what it is.
            out.push_str("{pod: {apiVersion: v1, kind: Pod, spec: ");
            self.map(&mut out, POD, 0);
            out.push_str("}}");
        } else {
            self.map(&mut out, spec, 0);
        }
        if self.of_patch && self.seed.one_in(40) {
            let _ = write!(out, ", $patch: {}", self.seed.choose(&["delete", "replace", "merge"]));
        }
        out.push('}');
        out
    }

    fn value(&mut self, out: &mut String, shape: Shape, depth: usize) {
        if self.seed.one_in(25) {
            out.push_str(self.seed.choose(&["null", "~", "", "{}", "[]"]));
            return;
        }
        match shape {
            Scalar => out.push_str(self.seed.choose(&SCALARS)),
            Map(fields) => self.map(out, fields, depth + 1),
            Scalars => self.scalars(out),
            List(keys, fields) => self.list(out, keys, fields, depth + 1),
        }
    }

    fn map(&mut self, out: &mut String, fields: &Fields, depth: usize) {
        out.push('{');
        let mut first = true;
        for (name, shape) in fields {
            if self.seed.one_in(2 + depth / 4) && fields.len() > 1 {
                continue;
            }
            if !std::mem::take(&mut first) {
                out.push_str(", ");
            }
            let _ = write!(out, "{name}: ");
            self.value(out, *shape, depth);
        }
        self.directive(out, first, 20);
        out.push('}');
    }

    fn directive(&mut self, out: &mut String, first: bool, one_in: usize) {
        if !self.of_patch || !self.seed.one_in(one_in) {
            return;
        }
        let comma = if first { "" } else { ", " };
        let directive = self.seed.choose(&["delete", "delete", "replace", "merge", "other"]);
        let _ = write!(out, "{comma}$patch: {directive}");
    }

    fn scalars(&mut self, out: &mut String) {
        out.push('[');
        for at in 0..self.seed.below(4) {
            let comma = if at > 0 { ", " } else { "" };
            let scalar = match self.seed.choose(&SCALARS) {
                "" => "c",
                scalar => scalar,
            };
            let _ = write!(out, "{comma}{scalar}");
        }
        out.push(']');
    }

    fn list(&mut self, out: &mut String, keys: usize, fields: &Fields, depth: usize) {
        const NAMES: [&str; 7] = ["x", "y", "z", "\"x\"", "80", "\"80\"", "w"];
        out.push('[');
        for at in 0..self.seed.below(4) {
            if at > 0 {
                out.push_str(", ");
            }
            if self.seed.one_in(40) {
                out.push_str(self.seed.choose(&["null", "{}", "lone", "[]", "{$patch: replace}"]));
                continue;
            }
            if self.of_patch && self.seed.one_in(25) {
                let directive = self.seed.choose(&["delete", "replace", "merge"]);
                let _ = write!(out, "{{$patch: {directive}}}");
                continue;
            }
            out.push('{');
            let mut first = true;
            for (place, (name, shape)) in fields.iter().enumerate() {
                let is_key = place < keys;
                let left_out = if is_key {
                    self.seed.one_in(if place == 0 { 14 } else { 2 })
                } else {
                    self.seed.one_in(2)
                };
                if left_out {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    out.push_str(", ");
                }
                let _ = write!(out, "{name}: ");
                if is_key {
                    out.push_str(self.seed.choose(&NAMES));
                } else {
                    self.value(out, *shape, depth + 1);
                }
            }
            self.directive(out, first, 12);
            out.push('}');
        }
        out.push(']');
    }
}
