//! Random replacements within random objects: paths that mean something, nearly.

use anyhow::Result;
use kustomize::edit::Overlay;
use serde_json::{Value, json};

use super::merges::Merge;
use super::seed::Seed;
use super::tool::{self, Files, Tool};
use super::trees::first_difference;
use super::{Score, ours, scratch};

/// Texts that hold YAML or JSON, or nearly.
const TEXTS: [&str; 13] = [
    "server:\n  host: a.example.com\n  port: 80\nlist:\n- name: x\n  value: \"1\"\n- name: y\n  value: two\n",
    "# about\na: 1 # one\n\n# about b\nb:\n  c: 'q'\n",
    "a:\n    b:\n        - 1\n        - c: 2\n",
    "{\"a\": {\"b\": [1, {\"name\": \"x\", \"v\": \"<1>\"}]}, \"n\": 1.5}",
    "{\n  \"a\": {\n    \"b\": 1000000\n  },\n  \"d\": \"2020-01-02\"\n}\n",
    "[1, 2, {\"a\": null}]",
    "plain",
    "a: b: c",
    "",
    "null",
    "key: |\n  several\n  lines\nother: >-\n  folded\n  text\nlast: \"a\\tb\"\n",
    "a: yes\nb: 0777\nc: 1e3\nd: ~\ne: 2020-01-02\n",
    "one-two:three",
];

/// Compares seeded replacements, live.
pub fn run(tool: &Tool, seeds: std::ops::Range<u64>) -> Result<Score> {
    let root = scratch("paths")?;
    let mut score = Score::default();
    for seed in seeds {
        let files = files(seed);
        tool::write(&root, &files)?;
        let how = match (ours::build(&root, ".", Overlay::default()), tool.build(&root, ".", &[])?)
        {
            (Ok(ours), Ok(printed)) => {
                let real = tool::objects(&printed)?;
                if ours == real {
                    score.equal += 1;
                    continue;
                }
                first_difference(&ours, &real)
            }
            (Err(_), Err(_)) => {
                score.both_refuse += 1;
                continue;
            }
            (Ok(_), Err(refused)) => format!("only the real one refuses: {refused}"),
            (Err(refused), Ok(_)) => format!("only ours refuses: {refused}"),
        };
        let (object, kustomization) = (&files["objects.yaml"], &files["kustomization.yaml"]);
        score.differ(format!("== seed {seed}: {how}\n{object}{kustomization}"));
    }
    std::fs::remove_dir_all(&root)?;
    Ok(score)
}

fn files(seed: u64) -> Files {
    let merge = Merge::make(seed);
    let mut seed = Seed::new(seed ^ 0x55);
    let text = seed.choose(&TEXTS);
    let mut source = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "source", "labels": {"a": "x", "b": "5"}},
        "data": {"text": text, "plain": "left-right:more", "a.b": seed.choose(&TEXTS)},
    });
    let mut kustomization =
        json!({"resources": ["objects.yaml"], "sortOptions": {"order": "fifo"}});
    let into_text = seed.one_in(2);
    let object = merge.object.replace("NAME", "target");
    let other = goyaml::to_json(object.as_bytes()).unwrap_or_default();
    let target = if into_text { &source } else { &other };
    let inside = into_text.then(|| goyaml::to_json(text.as_bytes()).ok()).flatten();
    let mut path = Vec::new();
    if into_text {
        path.extend(["data".to_owned(), "text".to_owned()]);
    }
    walk(&mut seed, inside.as_ref().unwrap_or(target), &mut path);
    if seed.one_in(6) {
        path.push(seed.choose(&["x", "0", "*", "[name=x]", "-", "[=q]", "a"]).to_owned());
    }
    let name = target["metadata"]["name"].clone();
    let mut chosen = json!({"select": {"name": name}, "fieldPaths": [path.join(".")]});
    let mut options = json!({});
    if seed.one_in(3) {
        options["create"] = json!(true);
    }
    if seed.one_in(4) {
        options["delimiter"] = json!(seed.choose(&["-", ":", ".", "left"]));
        options["index"] = json!(seed.below(4) as i64 - 1);
    }
    if options != json!({}) {
        chosen["options"] = options;
    }
    let field = seed.choose(&[
        "metadata.name",
        "data.plain",
        "metadata.labels.b",
        "metadata.labels",
        "data.text",
        "data.none",
        "data.[a.b]",
        "data.a\\.b",
    ]);
    let mut replacement =
        json!({"source": {"kind": "ConfigMap", "name": "source", "fieldPath": field}});
    if seed.one_in(4) {
        replacement["source"]["options"] = json!({"delimiter": "-", "index": seed.below(3)});
    }
    if seed.one_in(5) {
        replacement =
            json!({"sourceValue": seed.choose(&["v", "5", "true", "", "2020-01-02", "a: b"])});
    }
    replacement["targets"] = json!([chosen]);
    kustomization["replacements"] = json!([replacement]);
    if seed.one_in(5) {
        source["metadata"]["annotations"] = json!({"a": "b"});
    }
    let yaml = |value: &Value| goyaml::to_yaml(value).expect("what was made can be printed");
    Files::from([
        ("objects.yaml".to_owned(), format!("{}---\n{object}\n", yaml(&source))),
        ("kustomization.yaml".to_owned(), yaml(&kustomization)),
    ])
}

fn walk(seed: &mut Seed, value: &Value, path: &mut Vec<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let keys: Vec<&String> = fields.keys().collect();
            let key = seed.choose(&keys).clone();
            if path.len() > 2 && seed.one_in(5) {
                return;
            }
            path.push(key.replace('.', "\\."));
            walk(seed, &fields[&key], path);
        }
        Value::Array(items) if !items.is_empty() => {
            if seed.one_in(6) {
                return;
            }
            let at = seed.below(items.len());
            let named = items[at].as_object().and_then(|fields| {
                let (key, value) = fields.iter().find(|(_, value)| value.is_string())?;
                Some(format!("[{key}={}]", value.as_str()?))
            });
            path.push(match (seed.below(4), named) {
                (0, _) => "*".to_owned(),
                (1, _) => at.to_string(),
                (_, Some(named)) => named,
                (2, None) => items.len().to_string(),
                (_, None) => format!("[={}]", items[at].as_str().unwrap_or("q")),
            });
            walk(seed, &items[at], path);
        }
        _ => {}
    }
}
