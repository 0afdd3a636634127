//! Random documents and patches, applied and made by upstream and by us.

use anyhow::Result;
use merge::schema::{ListKind, Schema, Type, TypeId};
use merge::{csa_upgrade, json_merge, json_patch, strategic};
use serde_json::{Value, json};

use crate::managed::{Score, definitions};
use crate::openapi;
use crate::oracle::Oracle;
use crate::random::{Maker, Random};

pub fn run(oracle: &mut Oracle, openapi_dir: &str, seeds: std::ops::Range<u64>) -> Result<Score> {
    let apps = openapi::read(&definitions(&format!("{openapi_dir}/apis__apps__v1_openapi.json"))?);
    let core = openapi::read(&definitions(&format!("{openapi_dir}/api__v1_openapi.json"))?);
    let kinds = [
        ("Deployment", &apps.schema, apps.kinds["apps/v1/Deployment"]),
        ("Pod", &core.schema, core.kinds["v1/Pod"]),
        ("Service", &core.schema, core.kinds["v1/Service"]),
        ("ServiceAccount", &core.schema, core.kinds["v1/ServiceAccount"]),
        ("ConfigMap", &core.schema, core.kinds["v1/ConfigMap"]),
    ];
    let mut score = Score::default();
    for seed in seeds {
        let mut random = Random::new(seed ^ 0x77);
        let (kind, schema, id) = *random.pick(&kinds);
        let maker = Maker { schema, odd: random.one_in(4) };
        let original = object(&maker, &mut random, id);
        let mut modified = original.clone();
        maker.mutate(&mut random, id, &mut modified, 8);
        let mut current = original.clone();
        maker.mutate(&mut random, id, &mut current, 8);
        let case = Case { kind, schema, id, original, modified, current };
        case.run(&mut random, oracle, &mut score, seed)?;
        if score.different >= 8 {
            break;
        }
    }
    Ok(score)
}

fn object(maker: &Maker<'_>, random: &mut Random, id: TypeId) -> Value {
    let mut object = maker.value(random, id, 7);
    if !object.is_object() {
        object = json!({});
    }
    object["metadata"]["name"] = "x".into();
    object
}

struct Case<'s> {
    kind: &'s str,
    schema: &'s Schema,
    id: TypeId,
    original: Value,
    modified: Value,
    current: Value,
}

fn answer<E: std::fmt::Display>(result: Result<Value, E>) -> Value {
    match result {
        Ok(object) => json!({"object": object}),
        Err(error) => {
            let error = error.to_string();
            let error = if error.starts_with("patch:\n") { "conflict".to_owned() } else { error };
            json!({"error": error})
        }
    }
}

impl Case<'_> {
    fn run(
        &self,
        random: &mut Random,
        oracle: &mut Oracle,
        score: &mut Score,
        seed: u64,
    ) -> Result<()> {
        let (a, b, c) = (&self.original, &self.modified, &self.current);
        let mut check = |op: &str, request: Value, ours: Value| -> Result<Value> {
            let mut request = request;
            request["op"] = op.into();
            request["kind"] = self.kind.into();
            let theirs = oracle.ask(&request)?;
            score.steps += 1;
            match theirs.get("object") {
                Some(_) => score.applied += 1,
                None => score.refused += 1,
            }
            let both_fail = |answer: &Value| answer.get("object").is_none();
            let panics = theirs.get("panic").is_some() && both_fail(&ours);
            let is_typo =
                theirs["error"].as_str().is_some_and(|text| text.contains("api field in struct"));
            let same = theirs == ours || panics || (is_typo && both_fail(&ours));
            if !same {
                score.different += 1;
                println!("seed {seed} {op}\nrequest {request}\ntheirs {theirs}\nours   {ours}\n");
            }
            Ok(theirs)
        };

        let two = answer(strategic::create_two_way(a, b, self.schema, self.id));
        let theirs = check("smp_two", json!({"a": a, "b": b}), two)?;
        let overwrite = random.one_in(2);
        let three = answer(strategic::create_three_way(a, b, c, self.schema, self.id, overwrite));
        let three =
            check("smp_three", json!({"a": a, "b": b, "c": c, "overwrite": overwrite}), three)?;
        for patch in [&theirs, &three] {
            let Some(patch) = patch.get("object") else { continue };
            let mut patch = patch.clone();
            if random.one_in(3) {
                add_directives(random, self.schema, self.id, &mut patch);
            }
            let on = if random.one_in(2) { a } else { c };
            let ours = answer(strategic::apply(on, &patch, self.schema, self.id));
            check("smp_apply", json!({"a": on, "b": patch}), ours)?;
        }
        let mut wild = Maker { schema: self.schema, odd: true }.value(random, self.id, 7);
        add_directives(random, self.schema, self.id, &mut wild);
        if wild.is_object() {
            let ours = answer(strategic::apply(a, &wild, self.schema, self.id));
            check("smp_apply", json!({"a": a, "b": wild}), ours)?;
        }

        check("json_create", json!({"a": a, "b": b}), json!({"object": json_merge::create(a, b)}))?;
        let three = answer(json_merge::create_three_way(a, b, c));
        check("json_three", json!({"a": a, "b": b, "c": c}), three)?;
        let mut merged = a.clone();
        let ours = json_merge::apply(&mut merged, &wild).map(|()| merged);
        check("json_merge", json!({"a": a, "b": wild}), answer(ours))?;

        for _ in 0..4 {
            let patch = operations(random, a);
            let ours = answer(json_patch::apply(a, &patch));
            check("json_patch", json!({"a": a, "b": patch}), ours)?;
        }

        let live = with_owners(random);
        let names = ["kubectl-client-side-apply", "kubectl"];
        let subresource = if random.one_in(4) { "status" } else { "" };
        let names = &names[..1 + random.below(2)];
        let names = if names.len() == 2 && random.one_in(2) { &names[1..] } else { &names[..1] };
        let mut ours = live.clone();
        let result = csa_upgrade::upgrade(&mut ours, names, "argocd-controller", subresource);
        let ours = answer(result.map(|_| ours));
        let request = json!({"live": live, "names": names, "manager": "argocd-controller", "subresource": subresource});
        check("csa", request, ours)?;
        Ok(())
    }
}

fn with_owners(random: &mut Random) -> Value {
    let entries: Vec<_> = (0..random.below(6))
        .map(|_| {
            let mut entry = json!({
                "manager": random.pick(&["kubectl-client-side-apply", "kubectl", "argocd-controller", "other"]),
                "operation": random.pick(&["Apply", "Update"]),
                "apiVersion": random.pick(&["v1", "v2"]),
                "fieldsType": "FieldsV1",
                "fieldsV1": {"f:data": {}},
            });
            for _ in 0..random.below(4) {
                let name = format!("f:{}", random.pick(&["a", "b", "c", "d", "e"]));
                entry["fieldsV1"]["f:data"][name] = json!({});
            }
            if random.one_in(4) {
                entry["subresource"] = "status".into();
            }
            entry
        })
        .collect();
    let mut live = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}});
    if !entries.is_empty() {
        live["metadata"]["managedFields"] = Value::Array(entries);
    }
    live
}

/// Puts patch directives into a patch, here and there.
fn add_directives(random: &mut Random, schema: &Schema, id: TypeId, patch: &mut Value) {
    let Value::Object(map) = patch else { return };
    if random.one_in(30) {
        map.insert(
            "$patch".to_owned(),
            random.pick(&[json!("delete"), json!("replace"), json!("merge"), json!("x")]).clone(),
        );
    }
    if random.one_in(40) {
        let keys: Vec<_> = map.keys().filter(|_| random.below(10) > 0).cloned().collect();
        map.insert("$retainKeys".to_owned(), json!(keys));
    }
    let Type::Map(shape) = schema.get(id) else { return };
    for field in &shape.fields {
        let name = field.name.to_string();
        let Type::List(list) = schema.get(field.type_id) else {
            if let Some(value) = map.get_mut(&name) {
                add_directives(random, schema, field.type_id, value);
            }
            continue;
        };
        if let Some(Value::Array(items)) = map.get_mut(&name) {
            for item in items.iter_mut() {
                add_directives(random, schema, list.element, item);
                if item.is_object() && random.one_in(8) {
                    item["$patch"] = random.pick(&[json!("delete"), json!("replace")]).clone();
                }
            }
        }
        if !field.patch.merge || !random.one_in(8) {
            continue;
        }
        let items: Vec<Value> =
            map.get(&name).and_then(Value::as_array).cloned().unwrap_or_default();
        let scalars = matches!(list.kind, ListKind::Set) || field.patch.merge_key.is_none();
        if scalars {
            map.insert(
                format!("$deleteFromPrimitiveList/{name}"),
                json!([random.pick(&["a", "b"])]),
            );
        }
        let mut order: Vec<Value> = items
            .iter()
            .map(|item| match &field.patch.merge_key {
                Some(key) => json!({&**key: item.get(&**key)}),
                None => item.clone(),
            })
            .collect();
        if random.one_in(4) {
            order.reverse();
        }
        if random.one_in(3) {
            order.insert(
                0,
                match &field.patch.merge_key {
                    Some(key) => json!({&**key: "b"}),
                    None => json!("b"),
                },
            );
        }
        map.insert(format!("$setElementOrder/{name}"), Value::Array(order));
    }
}

/// Makes a JSON patch, most of whose paths are in the document.
fn operations(random: &mut Random, document: &Value) -> Value {
    let mut paths = vec![String::new()];
    collect(document, "", &mut paths);
    let path = |random: &mut Random| {
        let mut path = random.pick(&paths).clone();
        match random.below(12) {
            0 => path.push_str("/new"),
            1 => path.push_str("/0"),
            2 => path.push_str("/-"),
            3 => path.push_str("/-1"),
            4 => path.push_str("/99"),
            5 => path.push_str("/x/y"),
            6 if random.one_in(6) => path = "no/slash".to_owned(),
            _ => {}
        }
        path
    };
    let operations: Vec<_> = (0..random.below(4))
        .map(|_| {
            let kind = *random.pick(&["add", "remove", "replace", "move", "copy", "test", "test"]);
            let mut operation = json!({"op": kind, "path": path(random)});
            let at = path(random);
            operation["value"] =
                match document.pointer(operation["path"].as_str().unwrap_or_default()) {
                    Some(value) if random.one_in(2) => value.clone(),
                    _ => random
                        .pick(&[json!("v"), json!(1), json!({"a": 1}), json!([1, 2]), Value::Null])
                        .clone(),
                };
            if matches!(kind, "move" | "copy") {
                operation["from"] = at.into();
            }
            if random.one_in(40) {
                let name = *random.pick(&["op", "path", "value", "from"]);
                operation.as_object_mut().map(|map| map.remove(name));
            }
            if random.one_in(60) {
                operation["op"] = "jump".into();
            }
            operation
        })
        .collect();
    Value::Array(operations)
}

fn collect(value: &Value, prefix: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let path = format!("{prefix}/{}", name.replace('~', "~0").replace('/', "~1"));
                out.push(path.clone());
                collect(value, &path, out);
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                let path = format!("{prefix}/{at}");
                out.push(path.clone());
                collect(value, &path, out);
            }
        }
        _ => {}
    }
}
