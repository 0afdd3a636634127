//! Charts with a slip in one of their files, rendered by both programs.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::beside::{self, Case};
use super::ours::{self, Setting};
use super::settings;
use super::tool::Tool;
use crate::random::Random;

/// Charts with more are left out: each slip costs a copy.
const BYTES_MAX: u64 = 300_000;
const FILES_MAX: usize = 120;

/// Copies each chart once a seed, makes a slip or two, and compares.
pub fn run(list: &str, seeds: Range<u64>, name: &str) -> Result<()> {
    let Some(tool) = Tool::find() else {
        println!("skipped: no helm");
        return Ok(());
    };
    let cache = helm::Cache::default();
    beside::over(list, name, |chart, tell| {
        let mut files = Vec::new();
        if gather(chart, Path::new(""), &mut files).is_err() || files.len() > FILES_MAX {
            return;
        }
        let size: u64 = files.iter().map(|file| file.1.len() as u64).sum();
        if size > BYTES_MAX {
            return;
        }
        for seed in seeds.clone() {
            let mut random = Random::new(seed ^ settings::stirred(&chart.to_string_lossy()));
            let made = slipped(&files, &mut random);
            let case = made.and_then(|(place, what)| {
                let setting = Setting::default();
                let outcome = beside::compared(&tool, &place, &setting, &cache)?;
                Ok(Case { label: format!("seed {seed}"), what, outcome })
            });
            tell(case);
        }
        let _ = fs::remove_dir_all(copy_place());
    })
}

type File = (PathBuf, Vec<u8>);

fn gather(root: &Path, inside: &Path, into: &mut Vec<File>) -> Result<()> {
    let mut entries: Vec<_> = fs::read_dir(root.join(inside))?.flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = inside.join(entry.file_name());
        if fs::metadata(root.join(&path))?.is_dir() {
            gather(root, &path, into)?;
        } else {
            into.push((path.clone(), fs::read(root.join(&path))?));
        }
    }
    Ok(())
}

fn copy_place() -> PathBuf {
    ours::values_file().with_extension("chart")
}

/// Writes the files with a slip; where, and what was done.
fn slipped(files: &[File], random: &mut Random) -> Result<(PathBuf, String)> {
    let place = copy_place();
    let _ = fs::remove_dir_all(&place);
    let is_wanted = |path: &Path, random: &mut Random| {
        let shown = path.to_string_lossy();
        let weight = match shown.as_ref() {
            "Chart.yaml" => 6,
            "values.yaml" => 6,
            "values.schema.json" => 20,
            "requirements.yaml" | "Chart.lock" => 2,
            _ if shown.contains("templates/") => 4,
            _ if shown.ends_with("/Chart.yaml") || shown.ends_with("/values.yaml") => 2,
            _ => 0,
        };
        random.below(24) < weight
    };
    let mut chosen = random.below(files.len());
    for _ in 0..500 {
        if is_wanted(&files[chosen].0, random) {
            break;
        }
        chosen = random.below(files.len());
    }
    let mut what = String::new();
    for (at, (path, bytes)) in files.iter().enumerate() {
        let target = place.join(path);
        fs::create_dir_all(target.parent().context("a file lies somewhere")?)?;
        if at != chosen {
            fs::write(target, bytes)?;
            continue;
        }
        let mut bytes = bytes.clone();
        let is_template = path.to_string_lossy().contains("templates/");
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        what = format!("{}: ", path.display());
        for _ in 0..=random.below(2) {
            what += &slip(&mut bytes, is_template, &name, random);
            what += "; ";
        }
        fs::write(target, bytes)?;
    }
    Ok((place, what))
}

const TEMPLATE_TEXTS: [&str; 44] = [
    "{{ fail \"it must not\" }}",
    "{{ .Values.nope.nope.nope }}",
    "{{ required \"give it\" .Values.nope }}",
    "{{ tpl \"{{ .Nope.x }}\" . }}",
    "{{ tpl \"{{ nope }}\" . }}",
    "{{ tpl \"{{ if }}\" $ }}",
    "{{ include \"nothing.there\" . }}",
    "{{ template \"nothing.there\" }}",
    "{{ index .Values \"a\" \"b\" }}",
    "{{ index (list 1) 3 }}",
    "{{ first (list) }}",
    "{{ .Release.Nope }}",
    "{{ .Capabilities.KubeVersion.Nope }}",
    "{{ .Chart.Nope }}",
    "{{ .Chart.Version.Nope }}",
    "{{ toYaml .Values.nope | nindent 2 }}",
    "{{ semverCompare \">=x\" \"1.2\" }}",
    "{{ semverCompare \">=1.2\" \"x\" }}",
    "{{ regexMatch \"(\" \"x\" }}",
    "{{ atoi 3 }}",
    "{{ div 1 0 }}",
    "{{ $nope }}",
    "{{ nope }}",
    "{{ end }}",
    "{{ else }}",
    "{{ break }}",
    "{{ if }}{{ end }}",
    "{{ range $i, $x, $y := .Values }}{{ end }}",
    "{{ with $x := 1 }}{{ $x.y }}{{ end }}",
    "{{ \"unclosed }}",
    "{{ 'ab' }}",
    "{{ 1_0x }}",
    "{{ ( 1 }}",
    "{{ 1 ) }}",
    "{{ .Values | }}",
    "{{ | quote }}",
    "{{/* never closed",
    "{{ define \"x\" }}",
    "{{ lt 1 \"a\" }}",
    "{{ eq .Values 1 }}",
    "{{ len 3 }}",
    "{{ \"a\" | fromYaml }}",
    "{{ merge .Values 3 }}",
    "{{ printf \"%d %s\" \"a\" }}",
];

const YAML_TEXTS: [&str; 34] = [
    "  x: y",
    "x: [1, 2",
    "x: {a: b",
    "\tx: y",
    "x: \"open",
    "x: 'open",
    "- item",
    "---",
    "...",
    "x: y: z",
    "x: *nope",
    "&a x: *a",
    "x: !!int abc",
    "x: |\n a\n  b\nc",
    "? x",
    ": y",
    "x: @y",
    "x: `y",
    "x: %y",
    "x:\n- a\n b: c",
    "<<: {a: b}",
    "<<: x",
    "kind: 3",
    "apiVersion: {}",
    "metadata: text",
    "name: [a]",
    "%YAML 1.2",
    "%TAG",
    "x: 2020-01-02",
    "1: 2",
    "true: 3",
    "null: 4",
    "x: \"\\q\"",
    "x: \u{7}",
];

const CHART_TEXTS: [&str; 28] = [
    "apiVersion: v3",
    "apiVersion: v1",
    "apiVersion: \"\"",
    "version: x",
    "version: 1.2",
    "version: \"01.2.3\"",
    "name: ../x",
    "name: \"\"",
    "name: [a]",
    "type: other",
    "type: library",
    "kubeVersion: \">=1.99\"",
    "kubeVersion: nope",
    "kubeVersion: \">=1.20.0-0 <2\"",
    "appVersion: 1.10",
    "appVersion: {}",
    "dependencies: x",
    "dependencies: [{name: sub, version: 1.x.x}]",
    "dependencies: [{name: \"\"}]",
    "dependencies: [{name: sub, version: nope, alias: \"a b\"}]",
    "dependencies: [null]",
    "maintainers: [{name: a}, null]",
    "maintainers: x",
    "annotations: {a: 1}",
    "keywords: x",
    "sources: [1]",
    "deprecated: yes please",
    "icon: 3",
];

fn slip(bytes: &mut Vec<u8>, is_template: bool, name: &str, random: &mut Random) -> String {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let at = random.below(lines.len());
    let indent = lines[at].len() - lines[at].trim_start().len();
    let told = match random.below(if is_template { 16 } else { 11 }) {
        0 => {
            let gone = lines.remove(at);
            format!("without line {} {gone:?}", at + 1)
        }
        1 => {
            let line = lines[at].clone();
            lines.insert(at, line);
            format!("line {} twice", at + 1)
        }
        2 => {
            let line = format!("{}{}", " ".repeat(1 + random.below(3)), lines[at]);
            lines[at] = line;
            format!("line {} further in", at + 1)
        }
        3 => {
            let line = lines[at].chars().skip(random.below(3) + 1).collect();
            lines[at] = line;
            format!("line {} cut to {:?}", at + 1, lines[at])
        }
        4..=6 => {
            let added = match name {
                "Chart.yaml" => (*random.pick(&CHART_TEXTS)).to_owned(),
                _ => {
                    let text = *random.pick(&YAML_TEXTS);
                    format!("{}{text}", " ".repeat(if random.one_in(2) { indent } else { 0 }))
                }
            };
            lines.insert(at, added.clone());
            format!("at line {} {added:?}", at + 1)
        }
        7 => {
            let other = random.below(lines.len());
            lines.swap(at, other);
            format!("lines {} and {} swapped", at + 1, other + 1)
        }
        8 => {
            let chars: Vec<char> = lines[at].chars().collect();
            let from = random.below(chars.len());
            let line: String = chars.iter().take(from).collect();
            lines[at] = line;
            format!("line {} ends as {:?}", at + 1, lines[at])
        }
        9 => {
            let mut chars: Vec<char> = lines[at].chars().collect();
            let from = random.below(chars.len() + 1);
            let odd = [
                '"', '\'', ':', '{', '}', '[', '\t', '#', '-', '\0', '\u{feff}', '*', '&', '%',
                '\r', '\u{85}',
            ];
            let odd = *random.pick(&odd);
            chars.insert(from.min(chars.len()), odd);
            lines[at] = chars.into_iter().collect();
            format!("line {} as {:?}", at + 1, lines[at])
        }
        10 => {
            // Another value.
            if let Some((key, _)) = lines[at].clone().split_once(": ") {
                let values = [
                    "3",
                    "true",
                    "null",
                    "[]",
                    "{}",
                    "text",
                    "\"\"",
                    "1.5",
                    "- x",
                    "~",
                    "|",
                    "!!binary aGk=",
                    "0o17",
                    "1e3",
                    "yes",
                    ".inf",
                ];
                lines[at] = format!("{key}: {}", random.pick(&values));
            }
            format!("line {} as {:?}", at + 1, lines[at])
        }
        11 | 12 => {
            let text = *random.pick(&TEMPLATE_TEXTS);
            let added = format!("{}{text}", " ".repeat(indent));
            lines.insert(at, added);
            format!("at line {} {text}", at + 1)
        }
        13 => {
            let parts = [
                "{{-", "-}}", "{{", "}}", "end", "if ", "include", "(", ")", "|", "$", ".Values",
                "\"", " . ",
            ];
            let part = *random.pick(&parts);
            let others = [
                "",
                "{{",
                "}}",
                "{{- ",
                " -}}",
                "with ",
                "range ",
                "template ",
                ".Value",
                " | ",
                "..",
                "else ",
            ];
            let other = *random.pick(&others);
            let line = (0..lines.len()).map(|add| (at + add) % lines.len());
            let mut with = line.filter(|line| lines[*line].contains(part));
            let Some(line) = with.next() else { return "nothing".to_owned() };
            lines[line] = lines[line].replacen(part, other, 1);
            format!("line {} as {:?}", line + 1, lines[line])
        }
        14 => {
            let functions = [
                "quote",
                "toYaml",
                "nindent",
                "indent",
                "default",
                "trunc",
                "printf",
                "lower",
                "toJson",
                "b64enc",
                "trimSuffix",
                "replace",
                "required",
                "tpl",
                "eq",
                "empty",
                "hasKey",
                "ternary",
                "int",
                "list",
                "dict",
                "not",
                "and",
                "or",
                "contains",
            ];
            let one = *random.pick(&functions);
            let other = *random.pick(&functions);
            let line = (0..lines.len()).map(|add| (at + add) % lines.len());
            let mut with =
                line.filter(|line| lines[*line].contains("{{") && lines[*line].contains(one));
            let Some(line) = with.next() else { return "nothing".to_owned() };
            lines[line] = lines[line].replacen(one, other, 1);
            format!("line {} as {:?}", line + 1, lines[line])
        }
        _ => {
            *bytes = text.replace('\n', "\r\n").into_bytes();
            return "lines with carriage returns".to_owned();
        }
    };
    *bytes = lines.join("\n").into_bytes();
    told
}
