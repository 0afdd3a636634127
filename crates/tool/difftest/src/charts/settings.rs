//! Settings made by seeds: values as people write them, and as they slip.

use serde_json::{Map, Value, json};

use super::changes::put;
use super::ours::Setting;
use crate::random::Random;

/// A number from a name, so that each chart has changes of its own.
pub fn stirred(name: &str) -> u64 {
    name.bytes().fold(17, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
}

/// A setting that changes a few of the values that a chart has, and sometimes what is around it.
pub fn changed(defaults: &Value, random: &mut Random) -> Setting {
    let mut places = Vec::new();
    collect(defaults, &mut Vec::new(), &mut places);
    let mut setting = Setting::default();
    let mut values = json!({});
    let most = if random.one_in(3) { 12 } else { 4 };
    for _ in 0..=random.below(most) {
        let Some((path, value)) = (!places.is_empty()).then(|| random.pick(&places).clone()) else {
            values = json!({"added": "by a seed"});
            break;
        };
        let other = other(path.last().map_or("", String::as_str), &value, random);
        match random.below(12) {
            0 => setting.set.push(line(&path, &other, random)),
            1 => setting.set_string.push(line(&path, &other, random)),
            _ => put(&mut values, &path, other),
        }
    }
    if random.one_in(6) {
        values["global"] = random
            .pick(&[
                json!({"imageRegistry": "example.com", "imagePullSecrets": ["pull"]}),
                json!({"storageClass": "fast", "labels": {"a": "b"}}),
                json!({"security": {"allowInsecureImages": true}}),
                json!(null),
                json!("text"),
            ])
            .clone();
    }
    setting.values = Some(match random.one_in(8) {
        false => serde_json::to_string_pretty(&values).unwrap_or_default(),
        true => serde_json::to_string(&values).unwrap_or_default(),
    });
    around(&mut setting, random);
    setting
}

fn around(setting: &mut Setting, random: &mut Random) {
    if random.one_in(8) {
        let names =
            ["a", "a-release-whose-name-is-as-long-as-names-of-releases-may-b", "prod-2", "1x"];
        setting.release_name = (*random.pick(&names)).to_owned();
    }
    if random.one_in(8) {
        let names = ["default", "kube-system", "a-namespace-with-quite-a-long-name-for-namespaces"];
        setting.namespace = (*random.pick(&names)).to_owned();
    }
    if random.one_in(6) {
        let versions = ["1.19.0", "v1.21.5", "1.25.16-eks-1a2b3c", "1.31.2+k3s1", "1.36.3", "1.16"];
        setting.kube_version = (*random.pick(&versions)).to_owned();
    }
    if random.one_in(20) {
        setting.kube_version = (*random.pick(&ODD_VERSIONS)).to_owned();
    }
    if random.one_in(8) {
        let lines = if random.one_in(3) { &mut setting.set_string } else { &mut setting.set };
        lines.push((*random.pick(&ODD_LINES)).to_owned());
    }
    if random.one_in(6) {
        for _ in 0..random.below(4) {
            setting.api_versions.push((*random.pick(&APIS)).to_owned());
        }
    }
}

const ODD_VERSIONS: [&str; 11] = [
    "vv1.2",
    "01.2",
    "1",
    "1.2.3.4",
    "v1.30",
    "1.30.x",
    "1.30-alpha.1",
    "1.30.0+",
    "latest",
    " 1.30.0",
    "1.030.1",
];

const ODD_LINES: [&str; 34] = [
    "a",
    "=b",
    "a=",
    "a[",
    "a[0]=1",
    "a[-1]=x",
    "a[99999999]=1",
    "a.b[1].c=2",
    "a={",
    "a={x,y",
    "a={}",
    "a=[]",
    "a=x\\,y",
    "a..b=c",
    "a=null",
    "a[0][1]=x",
    "[0]=x",
    "a=b,c",
    "a=b,c=d,",
    "a=1e3",
    "a=0x10",
    "a=true,b=TRUE",
    "a=01",
    "a=9223372036854775808",
    "a[x]=1",
    "a[1=2",
    ",a=b",
    "a.b.=c",
    ".a=b",
    "a=b=c",
    "a\\.b=c",
    "a={x,{y}}",
    "a={b,c},d={}",
    "a[0].b=1,a[0].c=2",
];

const APIS: [&str; 10] = [
    "monitoring.coreos.com/v1/ServiceMonitor",
    "monitoring.coreos.com/v1/PrometheusRule",
    "cert-manager.io/v1",
    "cert-manager.io/v1/Certificate",
    "route.openshift.io/v1",
    "security.openshift.io/v1",
    "networking.k8s.io/v1/Ingress",
    "policy/v1beta1/PodSecurityPolicy",
    "gateway.networking.k8s.io/v1",
    "autoscaling.k8s.io/v1",
];

/// Every value with the keys that lead to it; maps with entries too, though seldom picked.
fn collect(value: &Value, path: &mut Vec<String>, into: &mut Vec<(Vec<String>, Value)>) {
    if let Value::Object(fields) = value {
        for (key, value) in fields {
            path.push(key.clone());
            collect(value, path, into);
            path.pop();
        }
        if path.is_empty() || (!fields.is_empty() && path.len() > 2) {
            return;
        }
    }
    into.push((path.clone(), value.clone()));
}

/// A line for `--set`: keys with their dots and commas as they are, or masked.
fn line(path: &[String], value: &Value, random: &mut Random) -> String {
    let masked = |key: &String| match random.one_in(30) {
        true => key.clone(),
        false => key.replace('\\', "\\\\").replace('.', "\\.").replace(',', "\\,"),
    };
    let mut keys: Vec<String> = path.iter().map(masked).collect();
    let shown = match value {
        Value::String(text) => match random.one_in(3) {
            true => text.clone(),
            false => text.replace(',', "\\,"),
        },
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                .collect();
            format!("{{{}}}", items.join(","))
        }
        Value::Array(_) => {
            let last = keys.pop().unwrap_or_default();
            keys.push(format!("{last}[{}].name", random.below(3)));
            "indexed".to_owned()
        }
        Value::Object(_) => {
            keys.push("added".to_owned());
            "x".to_owned()
        }
        other => other.to_string(),
    };
    format!("{}={shown}", keys.join("."))
}

const TEXTS: [&str; 30] = [
    "changed",
    "",
    "a: b #c",
    "yes",
    "1.5",
    "0777",
    "two words",
    "{{ .Release.Name }}-x",
    "{{ include \"nothing.there\" . }}",
    "{{ .Values.x | default \"y\" }}",
    "{{ .Chart.Name }}: {{ 1",
    "line\nline\n",
    "line\n  indented: x\n\nlast",
    "'quoted'",
    "\"doubly\" \\ and",
    "http://example.com/?a=b&c=d",
    " lead",
    "trail ",
    "näme ☃ 😀",
    "x,y=z",
    "- item",
    "1e3",
    "12345678901234567890",
    "null",
    "~",
    "100Mi",
    "a-name-that-is-much-longer-than-sixty-three-characters-and-must-be-cut-somewhere-",
    "<b>&</b>",
    "tab\there",
    "*star &anchor %percent @at `tick`",
];

/// Numbers that print in odd ways.
fn number(random: &mut Random) -> Value {
    let numbers = [
        json!(0),
        json!(1),
        json!(-1),
        json!(2500),
        json!(1_000_000),
        json!(10_000_000),
        json!(1.5),
        json!(0.1),
        json!(1e21),
        json!(1e-7),
        json!(123_456_789.125),
        json!(9_007_199_254_740_993_u64),
        json!(9_223_372_036_854_775_807_i64),
        json!(18_446_744_073_709_551_615_u64),
        json!("7"),
        json!("08"),
    ];
    random.pick(&numbers).clone()
}

fn text(random: &mut Random) -> Value {
    json!(random.pick(&TEXTS))
}

/// What the last key of a path makes people write.
fn typical(key: &str, random: &mut Random) -> Option<Value> {
    let key = key.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| key.contains(word));
    let odd = text(random);
    let count = number(random);
    Some(if has(&["annotations", "labels", "selector"]) {
        random
            .pick(&[
                json!({"example.com/x": odd, "b": "true"}),
                json!({"n": count}),
                json!({"long": "first line\nsecond: line\n", "a.b/c": "1"}),
                json!({"on": true, "off": null}),
                json!({}),
            ])
            .clone()
    } else if has(&["env"]) {
        random
            .pick(&[
                json!([{"name": "A", "value": odd}, {"name": "B", "value": count}]),
                json!([{"name": "C", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]),
                json!({"A": odd, "B": count, "C": true, "D": null}),
                json!([{"configMapRef": {"name": "x"}}]),
                json!("name: A\nvalue: {{ .Release.Name }}"),
            ])
            .clone()
    } else if has(&["toleration"]) {
        json!([{"key": "k", "operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": count}])
    } else if has(&["affinity"]) {
        json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "In", "values": [odd]}]}]}}})
    } else if has(&["resources"]) {
        random
            .pick(&[
                json!({"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": 0.5, "memory": 134_217_728}}),
                json!({"requests": {"cpu": "100m"}, "limits": null}),
                json!({"limits": {"nvidia.com/gpu": count}}),
            ])
            .clone()
    } else if has(&["hosts"]) {
        random
            .pick(&[
                json!(["a.example.com", "*.b.example.com"]),
                json!([{"host": "a.example.com", "paths": ["/", "/x"]}]),
                json!([{"host": "a.example.com", "paths": [{"path": "/", "pathType": "Prefix"}]}]),
                json!([{"name": "a.example.com", "path": "/", "tls": true, "tlsSecret": "t"}]),
            ])
            .clone()
    } else if has(&["tls"]) {
        random
            .pick(&[
                json!([{"secretName": "t", "hosts": ["a.example.com"]}]),
                json!({"enabled": true, "secretName": "t"}),
                json!([]),
            ])
            .clone()
    } else if has(&["volumes", "mounts"]) {
        random
            .pick(&[
                json!([{"name": "v", "emptyDir": {}, "mountPath": "/v"}]),
                json!([{"name": "c", "configMap": {"name": "x", "defaultMode": 420}}]),
                json!("- name: {{ .Release.Name }}\n  emptyDir: {}"),
            ])
            .clone()
    } else if has(&["args", "command"]) {
        json!(["--flag=1", odd, count])
    } else if has(&["containers"]) {
        json!([{"name": "side", "image": "x:1", "args": [odd], "ports": [{"containerPort": 80}]}])
    } else if has(&["port", "replica", "count", "seconds"]) {
        count
    } else {
        return None;
    })
}

fn other(key: &str, value: &Value, random: &mut Random) -> Value {
    if random.one_in(25) {
        return json!(null);
    }
    // Wrong types are what people write most often by mistake.
    if random.one_in(15) {
        return random
            .pick(&[
                json!("text"),
                json!(3),
                json!(true),
                json!(["a"]),
                json!({"a": "b"}),
                json!({}),
                json!([]),
            ])
            .clone();
    }
    if random.one_in(2)
        && let Some(typical) = typical(key, random)
    {
        return typical;
    }
    match value {
        Value::Bool(value) => json!(!value),
        Value::Number(_) => number(random),
        Value::String(before) => match random.below(4) {
            0 if !before.is_empty() => json!(format!("{before}-x")),
            _ => text(random),
        },
        Value::Array(items) => {
            let mut items = items.clone();
            let more = items.first().cloned();
            items.push(match more {
                Some(first) if random.one_in(2) => first,
                _ => match random.below(4) {
                    0 => json!({"name": "added", "value": "1"}),
                    1 => number(random),
                    _ => text(random),
                },
            });
            Value::Array(items)
        }
        Value::Object(fields) if !fields.is_empty() => match random.below(3) {
            // One entry less, as a null says.
            0 => {
                let names: Vec<&String> = fields.keys().collect();
                let name = (*random.pick(&names)).clone();
                Value::Object(Map::from_iter([(name, Value::Null)]))
            }
            1 => json!({"added": text(random)}),
            _ => json!({}),
        },
        Value::Object(_) => random
            .pick(&[
                json!({"added": "x"}),
                json!({"a.b/c": "true", "n": 5}),
                json!({"enabled": true}),
            ])
            .clone(),
        Value::Null => random
            .pick(&[json!("set"), json!(true), json!(3), json!({"a": "b"}), json!(["a"])])
            .clone(),
    }
}
