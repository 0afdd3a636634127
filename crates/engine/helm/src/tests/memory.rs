//! A rendering that remembers gives what one gives that does not.

use std::fmt::Write as _;
use std::sync::Arc;

use filetree::MapTree;
use serde_json::{Value, json};

use super::support::{request, tree};
use crate::{Cache, HelmError, Limits, Object, Reading, Rendering, Request, ValuesFile, render};

/// What changes between renderings of one chart.
#[derive(Clone, Debug)]
struct Given {
    values: Value,
    set: Vec<String>,
    release_name: String,
    kube_version: String,
    api_versions: Vec<String>,
    steps_max: u64,
}

impl Given {
    fn of(values: Value) -> Self {
        Self {
            values,
            set: Vec::new(),
            release_name: "rel".to_owned(),
            kube_version: "1.33.0".to_owned(),
            api_versions: Vec::new(),
            steps_max: Limits::default().steps_max,
        }
    }

    fn render(&self, chart: &MapTree, cache: &Cache) -> Result<Rendering, HelmError> {
        self.render_stoppable(chart, cache, &mut || false)
    }

    fn render_stoppable(
        &self,
        chart: &MapTree,
        cache: &Cache,
        should_stop: &mut dyn FnMut() -> bool,
    ) -> Result<Rendering, HelmError> {
        let content = Arc::from(self.values.to_string().into_bytes());
        let request = Request {
            release_name: &self.release_name,
            kube_version: Some(&self.kube_version),
            api_versions: &self.api_versions,
            values_files: &[ValuesFile { name: "v.yaml".to_owned(), content }],
            set: &self.set,
            limits: Limits { steps_max: self.steps_max, ..Limits::default() },
            reading: Reading {
                objects: |value| Ok(vec![Object { object: Arc::new(value), hash: 0 }]),
                as_text: None,
            },
            ..request(chart)
        };
        let mut chance = sprig::Stable::new([7; 32], 1_700_000_000_000_000_000);
        render(&request, &mut chance, should_stop, cache)
    }

    /// All that a rendering says, as text.
    fn told(&self, chart: &MapTree, cache: &Cache) -> String {
        match self.render(chart, cache) {
            Ok(rendering) => {
                let mut told = format!("{:?}\n", rendering.asked);
                for document in rendering.documents {
                    let text = String::from_utf8_lossy(document.text.as_deref().expect("texts"))
                        .into_owned();
                    let (source, stored_at) = (document.source, document.stored_at);
                    let (part, contents) = (document.part, document.contents);
                    writeln!(told, "{source} {stored_at} {part:?}\n{text}\n{contents:?}")
                        .expect("text grows");
                }
                told
            }
            Err(error) => format!("{error}\n{error:?}"),
        }
    }
}

/// Numbers that look like chance, the same from the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((number ^ (number >> 31)) % end as u64) as usize
    }

    fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// What values may have; some lead nowhere.
const PATHS: [&str; 14] = [
    "a", "b", "on", "n", "m", "m.x", "m.y", "m.deep", "m.deep.z", "list", "items", "global.g",
    "global.t", "absent",
];

/// What templates do with them; `P` and `Q` are paths, `KEY` a key.
const ACTIONS: [&str; 58] = [
    "{{ .Values.P }}",
    "{{ .Values.P | quote }}",
    "{{ if .Values.P }}yes{{ else }}no{{ end }}",
    "{{ with .Values.P }}{{ . }}{{ end }}",
    "{{ if kindIs \"map\" .Values.P }}{{ range $k, $v := .Values.P }}{{ $k }}={{ $v }};{{ end }}{{ end }}",
    "{{ range .Values.list }}{{ . }},{{ end }}",
    "{{ range .Values.items }}{{ .name }}{{ .v | default 3 }},{{ end }}",
    "{{ hasKey .Values \"KEY\" }}",
    "{{ hasKey .Values.m \"KEY\" }}",
    "{{ dig \"m\" \"deep\" \"z\" \"none\" (.Values | merge (dict)) }}",
    "{{ get .Values \"KEY\" }}",
    "{{ .Values.P | default .Values.Q | toJson }}",
    "{{ toYaml .Values | sha256sum }}",
    "{{ toYaml .Values.P }}",
    "{{ toJson . | len }}",
    "{{ merge (dict) .Values.m .Values.global | toJson }}",
    "{{ mergeOverwrite (deepCopy .Values.m) (dict \"x\" 1) | toJson }}",
    "{{ $c := deepCopy .Values.m }}{{ $_ := set $c \"new\" .Values.n }}{{ toJson $c }}",
    "{{ if kindIs \"string\" .Values.P }}{{ eq .Values.P \"two\" }}{{ end }}",
    "{{ deepEqual .Values.m .Values.m2 }}",
    "{{ deepEqual .Values.P .Values.Q }}",
    "{{ printf \"%v %T\" .Values.P .Values.Q }}",
    "{{ kindIs \"map\" .Values.P }}{{ kindOf .Values.Q }}",
    "{{ include \"lib\" (dict \"root\" $ \"at\" .Values.m \"KEY\" .Values.P) }}",
    "{{ include \"lib\" . }}",
    "{{ tpl (.Values.text | default \"{{ .Values.a }}\") $ }}",
    "{{ len .Values.m }}{{ empty .Values.P }}",
    "{{ keys .Values.m | sortAlpha | join \",\" }}",
    "{{ pick .Values.m \"x\" \"KEY\" | toJson }}{{ omit .Values.m \"x\" | toJson }}",
    "{{ pluck \"x\" .Values.m .Values | toJson }}{{ values .Values.m | len }}",
    "{{ .Release.Name }}-{{ .Chart.Name }}-{{ .Chart.Version }}",
    "{{ .Capabilities.KubeVersion.Version }}",
    "{{ .Capabilities.APIVersions.Has \"x/v1\" }}",
    "{{ range .Capabilities.APIVersions }}{{ if hasPrefix \"x/\" . }}{{ . }}{{ end }}{{ end }}",
    "{{ .Files.Get \"f.txt\" }}{{ .Template.Name }}{{ .Template.BasePath }}",
    "{{ randAlphaNum 3 }}{{ .Values.P }}",
    "{{ now | date \"2006\" }}",
    "{{ if .Values.bad }}{{ fail (printf \"bad %v\" .Values.P) }}{{ end }}",
    "{{ required \"needed\" .Values.a }}",
    "{{ range $name, $sub := .Subcharts }}{{ $name }}{{ $sub.Values.a }}{{ end }}",
    "{{ with .Values.sub }}{{ .a }}{{ .m }}{{ .global }}{{ end }}",
    "{{ with .Values.other }}{{ toJson . }}{{ end }}",
    "{{ $x := .Values }}{{ $x.P }}{{ with $x.m }}{{ .x }}{{ $.Values.b }}{{ end }}",
    "{{ index .Values \"KEY\" }}{{ index .Values.list 0 }}",
    "{{ first .Values.list }}{{ has \"one\" .Values.list }}{{ .Values.list | uniq | len }}",
    "{{ coalesce .Values.absent .Values.P \"c\" }}{{ ternary 1 2 (eq .Values.on true) }}",
    "{{ .Values.AsMap.P | toJson }}",
    "{{ $_ := set .Values \"KEY\" .Values.P }}{{ .Values.KEY | toJson }}",
    "{{ $_ := set .Values \"made\" (dict \"x\" .Values.P) }}{{ .Values.made.x }}",
    "{{ $_ := set .Values.m \"x\" .Release.Name }}",
    "{{ $_ := unset .Values \"KEY\" }}",
    "{{ $_ := set .Values \"m2\" .Values.m }}",
    "{{ $_ := set .Values.m2 \"through\" 1 }}{{ toJson .Values.m }}",
    "{{ range .Values.items }}{{ $_ := set . \"seen\" true }}{{ end }}",
    "{{ $_ := set .Values \"item\" (first .Values.items) }}{{ toJson .Values.item }}",
    "{{ $_ := mergeOverwrite .Values (dict \"m\" (dict \"x\" 8)) }}",
    "{{ $_ := merge .Values.global (dict \"t\" (dict \"KEY\" 1)) }}",
    "{{ $_ := set .Release \"Extra\" .Values.a }}{{ .Release.Extra }}",
];

/// Those before change nothing.
const FIRST_CHANGING: usize = 47;

fn action(random: &mut Random, changes: bool) -> String {
    let end = if changes { ACTIONS.len() } else { FIRST_CHANGING };
    let action = ACTIONS[random.below(end)];
    let (one, other) = (random.one_of(&PATHS), random.one_of(&PATHS));
    let key = random.one_of(&["a", "x", "made", "m2", "list", "item", "absent"]);
    action.replace(".P", &format!(".{one}")).replace(".Q", &format!(".{other}")).replace("KEY", key)
}

fn template(random: &mut Random, changes: bool) -> String {
    let (mut defined, mut used) = (String::new(), String::new());
    for number in 0..=random.below(4) {
        let action = action(random, changes);
        // A block of its own is read, quoted and shown.
        let name = format!("block{}", random.below(1_000_000));
        writeln!(defined, "{{{{- define \"{name}\" }}}}{action}{{{{ end -}}}}").expect("grows");
        writeln!(used, "  k{number}: {{{{ include \"{name}\" . | quote }}}}").expect("grows");
    }
    format!("{defined}kind: ConfigMap\nmetadata:\n  name: n\ndata:\n{used}")
}

const LIB: &str = r#"{{ define "lib" }}{{ with .root }}{{ .Values.a }}{{ .Release.Name }}{{ end }}{{ with .at }}{{ .x }}{{ end }}{{ with .Values }}{{ .b }}{{ end }}{{ end }}"#;

fn chart(random: &mut Random, changes: bool) -> MapTree {
    let defaults = |a: &str| {
        format!(
            "a: {a}\nb: two\non: true\nn: 3\nm: {{x: 1, y: {{w: 2}}, deep: {{z: q}}}}\nm2: {{x: 1}}\nlist: [one, two]\nitems:\n- name: i\n- {{name: j, v: 2}}\nglobal: {{g: 1, t: {{u: 2}}}}\n"
        )
    };
    let mut files: Vec<(String, String)> = vec![
        (
            "Chart.yaml".into(),
            "apiVersion: v2\nname: top\nversion: 1.0.0\ndependencies:\n- {name: sub, version: '*', condition: sub.enabled}\n- {name: sub, version: '*', alias: other}\n".into(),
        ),
        ("values.yaml".into(), defaults("one") + "sub: {a: of-top, enabled: true}\n"),
        ("f.txt".into(), "file".into()),
        ("templates/_lib.tpl".into(), LIB.into()),
        ("charts/sub/Chart.yaml".into(), "apiVersion: v2\nname: sub\nversion: 0.1.0\n".into()),
        ("charts/sub/values.yaml".into(), defaults("sub-one")),
        ("templates/NOTES.txt".into(), "{{ .Values.a }}{{ toJson .Values.m }}".into()),
    ];
    for (folder, count) in [("", 5), ("charts/sub/", 3)] {
        for number in 0..count {
            let path = format!("{folder}templates/t{number}.yaml");
            files.push((path, template(random, changes)));
        }
    }
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    tree(&files)
}

fn change(given: &mut Given, random: &mut Random) {
    let new = |random: &mut Random| match random.below(10) {
        0 => json!(true),
        1 => json!(false),
        2 => json!(random.below(3)),
        3 => json!("two"),
        4 => json!(format!("text{}", random.below(3))),
        5 => Value::Null,
        6 => json!(["one", {"name": "k"}]),
        7 => json!({"x": random.below(2), "new": "key"}),
        8 => json!(""),
        _ => json!({}),
    };
    match random.below(17) {
        // Many a change makes a template fail: some begin again.
        0 | 14..=16 => given.values = json!({}),
        1 => {
            let line = random.one_of(&["n=4", "m.x=text", "global.g=5", "list[0]=zero", "sub.b=s"]);
            given.set = vec![line.to_owned()];
        }
        5 => given.set.clear(),
        2 => given.release_name = random.one_of(&["rel", "other"]).to_owned(),
        3 => given.kube_version = random.one_of(&["1.33.0", "1.34.0"]).to_owned(),
        4 => {
            let all = [&[][..], &["x/v1"], &["y/v1"], &["x/v1", "x/v2"]];
            given.api_versions =
                all[random.below(4)].iter().map(|text| (*text).to_owned()).collect();
        }
        6 => given.values["bad"] = json!(random.below(3) == 0),
        7 => given.values["text"] = json!(random.one_of(&["{{ .Values.m.x }}", "plain"])),
        8 => given.values["sub"] = json!({"enabled": random.below(3) > 0, "a": new(random)}),
        _ => {
            let within = random.one_of(&["", "sub", "other"]);
            let path = random.one_of(&PATHS);
            let value = new(random);
            let mut at = &mut given.values;
            for name in within.split('.').chain(path.split('.')).filter(|name| !name.is_empty()) {
                if !at.is_object() {
                    *at = json!({});
                }
                at = &mut at[name];
            }
            *at = value;
        }
    }
}

/// Renders chains of changes with one memory, and each without any.
fn check(seeds: std::ops::Range<u64>, changes: bool) -> usize {
    let mut succeeded = 0;
    for seed in seeds {
        let mut random = Random(seed);
        let chart = chart(&mut random, changes);
        let cache = Cache::default().remembering(16 << 20);
        let mut given = Given::of(json!({}));
        for step in 0..12 {
            let told = given.told(&chart, &cache);
            let plain = given.told(&chart, &Cache::default());
            assert_eq!(told, plain, "seed {seed}, step {step}, {given:?}");
            succeeded += usize::from(told.starts_with("Asked"));
            change(&mut given, &mut random);
        }
    }
    succeeded
}

#[test]
fn a_template_is_executed_only_where_what_it_reads_has_changed() {
    let chart = tree(&[
        ("Chart.yaml", "apiVersion: v2\nname: top\nversion: 1.0.0\n"),
        ("values.yaml", "a: 1\nb: {c: 2, d: 3}\nlist: [1]\n"),
        ("templates/a.yaml", "kind: A\nx: {{ .Values.a }}\n"),
        ("templates/b.yaml", "kind: B\nx: {{ .Values.b.c }}\n"),
        ("templates/all.yaml", "kind: C\nx: {{ toJson .Values | quote }}\n"),
        ("templates/set.yaml", "kind: D\n{{ $_ := set .Values \"e\" 1 }}\n"),
        ("templates/api.yaml", "kind: E\nx: {{ .Capabilities.APIVersions.Has \"x/v1\" }}\n"),
        ("templates/chance.yaml", "kind: F\nx: {{ randAlphaNum 4 }}\n"),
        ("templates/length.yaml", "kind: G\nx: {{ len .Values.list }}{{ .Release.Name }}\n"),
    ]);
    let cache = Cache::default().remembering(1 << 20);
    let executed = |given: &Given| {
        let mut executed = 0;
        let mut count = || {
            executed += 1;
            false
        };
        given.render_stoppable(&chart, &cache, &mut count).expect("it renders");
        executed
    };
    let mut given = Given::of(json!({}));
    assert_eq!(executed(&given), 7);
    // One changes what it reads, and one wants chance.
    assert_eq!(executed(&given), 2);
    given.values = json!({"b": {"c": 5}});
    assert_eq!(executed(&given), 4);
    given.values = json!({"b": {"c": 5, "d": 6}});
    assert_eq!(executed(&given), 3);
    given.values = json!({});
    assert_eq!(executed(&given), 2);
    given.api_versions = vec!["y/v1".to_owned()];
    assert_eq!(executed(&given), 2);
    given.api_versions = vec!["x/v1".to_owned()];
    assert_eq!(executed(&given), 3);
    given.release_name = "other".to_owned();
    assert_eq!(executed(&given), 3);
    given.release_name = "rel".to_owned();
    assert_eq!(executed(&given), 2);
    given.kube_version = "1.34.0".to_owned();
    assert_eq!(executed(&given), 7);
}

#[test]
fn steps_count_as_if_every_template_were_executed() {
    let mut random = Random(3);
    let chart = chart(&mut random, false);
    let cache = Cache::default().remembering(1 << 20);
    let mut given = Given::of(json!({}));
    given.told(&chart, &cache);
    for steps_max in (0..6000).step_by(97) {
        given.steps_max = steps_max;
        assert_eq!(given.told(&chart, &cache), given.told(&chart, &Cache::default()));
    }
}

#[test]
fn any_change_gives_what_a_rendering_gives_that_remembers_nothing() {
    let succeeded = check(0..60, false);
    assert!(succeeded > 200, "{succeeded}");
}

#[test]
fn templates_that_change_what_others_read_are_seen_by_them() {
    let succeeded = check(1000..1080, true);
    assert!(succeeded > 200, "{succeeded}");
}
