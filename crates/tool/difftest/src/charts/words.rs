//! Single expressions of templates, made by seeds, evaluated by both programs.
//!
//! An expression that we can evaluate is asked together with others; one that we refuse is asked
//! alone, since a refusal ends the real program.

use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::ours::{self, Chosen, Setting};
use super::tool::{self, Tool};
use crate::random::Random;

/// Expressions that one run of the real program evaluates.
const TOGETHER: usize = 40;

/// Makes an expression a seed, of the functions that a file of signatures names.
pub fn run(signatures: &str, seeds: Range<u64>) -> Result<()> {
    let Some(tool) = Tool::find() else {
        println!("skipped: no helm");
        return Ok(());
    };
    let functions = functions(signatures)?;
    let place = ours::values_file().with_extension("words");
    let mut counts = [0_u32; 4];
    let mut waiting: Vec<(u64, String)> = Vec::new();
    let end = seeds.end;
    for seed in seeds {
        let mut random = Random::new(seed);
        let line = expression(&functions, &mut random);
        let chart = Chart::write(&place, std::slice::from_ref(&(seed, line.clone())))?;
        match chart.ours() {
            Ok(_) => waiting.push((seed, line)),
            Err(ours) => match chart.theirs(&tool)? {
                Ok(_) => {
                    counts[3] += 1;
                    println!("== seed {seed} {line}\n  refused: {}", first(&ours));
                }
                Err(theirs) if first(&theirs) == first(&ours) => counts[1] += 1,
                Err(theirs) => {
                    counts[2] += 1;
                    let (ours, theirs) = (first(&ours), first(&theirs));
                    println!("== seed {seed} {line}\n  says {ours}\n   not {theirs}");
                }
            },
        }
        if waiting.len() == TOGETHER || seed + 1 == end {
            let different = together(&tool, &place, &waiting)?;
            counts[0] += waiting.len() as u32 - different;
            counts[3] += different;
            waiting.clear();
        }
    }
    let _ = fs::remove_dir_all(&place);
    let [equal, refused, other_words, different] = counts;
    println!("{equal} equal, {refused} refused, {other_words} other words, {different} different");
    if other_words + different > 0 {
        bail!("some expressions differ");
    }
    Ok(())
}

/// How many of these differ.
fn together(tool: &Tool, place: &Path, lines: &[(u64, String)]) -> Result<u32> {
    if lines.is_empty() {
        return Ok(0);
    }
    let chart = Chart::write(place, lines)?;
    match (chart.theirs(tool)?, chart.ours()) {
        (Ok(theirs), Ok(ours)) if theirs == ours => return Ok(0),
        (theirs, ours) if lines.len() == 1 => {
            let (seed, line) = &lines[0];
            println!("== seed {seed} {line}\n  {ours:?}\n  not\n  {theirs:?}");
            return Ok(1);
        }
        _ => {}
    }
    let (one, other) = lines.split_at(lines.len() / 2);
    Ok(together(tool, place, one)? + together(tool, place, other)?)
}

struct Chart<'a> {
    place: &'a Path,
}

impl<'a> Chart<'a> {
    fn write(place: &'a Path, lines: &[(u64, String)]) -> Result<Self> {
        let _ = fs::remove_dir_all(place);
        fs::create_dir_all(place.join("templates"))?;
        fs::write(place.join("Chart.yaml"), "apiVersion: v2\nname: words\nversion: 1.2.3\n")?;
        fs::write(place.join("values.yaml"), VALUES)?;
        fs::write(place.join("file.txt"), "one\ntwo: 2\n")?;
        fs::write(place.join("templates/_parts.tpl"), PARTS)?;
        let mut text = String::new();
        for (seed, line) in lines {
            write!(
                text,
                "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: s{seed}\ndata:\n  {line}\n"
            )?;
        }
        fs::write(place.join("templates/words.yaml"), text)?;
        Ok(Self { place })
    }

    fn ours(&self) -> Result<Vec<serde_json::Value>, String> {
        let cache = helm::Cache::default();
        ours::render(self.place, &Setting::default(), Chosen::Stable, &cache)
    }

    fn theirs(&self, tool: &Tool) -> Result<Result<Vec<serde_json::Value>, String>> {
        Ok(match tool.template(self.place, &Setting::default())? {
            Ok(printed) => tool::objects(&printed).map_err(|error| error.to_string()),
            Err(said) => Err(said),
        })
    }
}

fn first(text: &str) -> String {
    let lines = text.lines().find(|line| !line.starts_with("level="));
    lines.unwrap_or("").trim_start_matches("Error: ").to_owned()
}

const PARTS: &str = r#"{{- define "plain" }}plain {{ . }}{{ end -}}
{{- define "lines" }}
a: {{ .Values.s }}
b:
  - {{ .Values.i }}
{{ end -}}
{{- define "deep" }}{{ include "plain" (index .Values.l 0) }}{{ end -}}
"#;

const VALUES: &str = r#"s: text
empty: ""
multi: "a: 1\nb:\n  - x\n  - 2\n"
i: 42
neg: -7
big: 9007199254740993
huge: 12345678901234567890
f: 1.5
whole: 3.0
small: 1.0e-9
large: 1e21
yes: true
no: false
nil: null
l: [a, 2, true, null, 1.5, [x], {k: v}]
strings: [beta, alpha, alpha, gamma]
numbers: [3, 1, 2]
none: []
d: {b: 1, a: {x: [1, 2], y: null}, c.d: z}
nothing: {}
time: 2021-02-03
octal: 0755
version: v1.20.3-rc.1+build.5
host: https://user:pw@example.com:8443/a/b?c=d&e=f#g
json: '{"a":[1,2.5,"x",null,true],"b":{"c":1e3}}'
toml: "a = 1\nb = [1.5, 2]\n[c]\nd = 2020-01-02\n"
uni: "näme ☃ 😀"
camel: someCamelCase_andSnake-andKebab
"#;

struct Named {
    name: String,
    params: Vec<String>,
}

/// Random ones, slow ones, and those that ask for the time.
const LEFT_OUT: [&str; 37] = [
    "ago",
    "bcrypt",
    "buildCustomCert",
    "date_modify",
    "decryptAES",
    "derivePassword",
    "encryptAES",
    "env",
    "expandenv",
    "genCA",
    "genCAWithKey",
    "genPrivateKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "getHostByName",
    "htpasswd",
    "now",
    "randAlpha",
    "randAlphaNum",
    "randAscii",
    "randBytes",
    "randInt",
    "randNumeric",
    "shuffle",
    "uuidv4",
    "mustDateModify",
    "must_date_modify",
    "dateModify",
    "keys",
    "values",
    "date",
    "dateInZone",
    "date_in_zone",
    "htmlDate",
    "htmlDateInZone",
];

/// What is no function of Sprig's.
const OWN: &str = "toToml func(interface {}) string
mustToToml func(interface {}) string
toYaml func(interface {}) string
mustToYaml func(interface {}) string
toYamlPretty func(interface {}) string
fromYaml func(string) string
fromYamlArray func(string) string
fromToml func(toml) string
fromJson func(string) string
fromJsonArray func(string) string
include func(template, interface {}) string
tpl func(tpl, interface {}) string
required func(string, interface {}) string
lookup func(string, string, string, string) string
print func(...interface {}) string
println func(...interface {}) string
printf func(format, ...interface {}) string
html func(...interface {}) string
js func(...interface {}) string
urlquery func(...interface {}) string
len func(interface {}) int
index func(interface {}, ...interface {}) string
slice func(interface {}, ...int) string
eq func(interface {}, interface {}, ...interface {}) bool
ne func(interface {}, interface {}) bool
lt func(interface {}, interface {}) bool
le func(interface {}, interface {}) bool
gt func(interface {}, interface {}) bool
ge func(interface {}, interface {}) bool
not func(interface {}) bool
and func(interface {}, ...interface {}) bool
or func(interface {}, ...interface {}) bool
call func(interface {}, ...interface {}) bool";

fn functions(signatures: &str) -> Result<Vec<Named>> {
    let text = fs::read_to_string(signatures).context("the signatures are read")?;
    // A file of one line asks about one function alone.
    let own = if text.lines().count() > 1 { OWN } else { "" };
    let lines = text.lines().chain(own.lines()).filter_map(|line| line.split_once(" func("));
    let named = lines.filter(|(name, _)| !LEFT_OUT.contains(name)).map(|(name, rest)| {
        let params = rest.split_once(')').map_or("", |(params, _)| params);
        let params = params.split(", ").filter(|param| !param.is_empty());
        Named { name: name.to_owned(), params: params.map(str::to_owned).collect() }
    });
    Ok(named.collect())
}

fn expression(functions: &[Named], random: &mut Random) -> String {
    let inner = call(functions, random, 2);
    match random.below(24) {
        0..=5 => format!("v: {{{{ {inner} | toJson | quote }}}}"),
        6..=9 => format!("v: {{{{ printf \"%v|%T\" ({inner}) ({inner}) | toJson }}}}"),
        10..=12 => format!("v: {{{{ {inner} | toString | toJson }}}}"),
        13 | 14 => format!("v: {{{{ {inner} | toYaml | toJson }}}}"),
        15 => format!("v: {{{{ {inner} | toPrettyJson | toJson }}}}"),
        16 => format!("v: {{{{ $x := {inner} }}}}{{{{ if $x }}}}yes{{{{ else }}}}no{{{{ end }}}}"),
        17 => format!(
            "v: {{{{ range $k, $v := {inner} }}}}{{{{ printf \"%v=%v,\" $k $v | b64enc }}}}{{{{ else }}}}none{{{{ end }}}}"
        ),
        18 => format!("v: {{{{ with {inner} }}}}{{{{ toJson . | b64enc }}}}{{{{ end }}}}"),
        19 => format!("v: {{{{ {inner} }}}}"),
        20 => format!("v: {{{{ {inner} | quote }}}}"),
        21 => format!("v: {{{{ printf {} ({inner}) | toJson }}}}", format(random)),
        22 => format!(
            "v: {{{{ ({inner}).{} | toJson }}}}",
            random.pick(&["a", "x.y", "Major", "Host", "b"])
        ),
        _ => format!("v: |-\n    {{{{- {inner} | toYaml | nindent 4 }}}}"),
    }
}

fn call(functions: &[Named], random: &mut Random, depth: usize) -> String {
    let function = random.pick(functions);
    let mut args = Vec::new();
    for param in &function.params {
        match param.strip_prefix("...") {
            Some(param) => {
                for _ in 0..random.below(4) {
                    args.push(argument(functions, param, random, depth));
                }
            }
            None => args.push(argument(functions, param, random, depth)),
        }
    }
    if random.one_in(40) {
        args.pop();
    }
    if !args.is_empty() && random.one_in(3) {
        let last = args.pop().unwrap_or_default();
        return format!("{last} | {} {}", function.name, args.join(" ")).trim_end().to_owned();
    }
    format!("{} {}", function.name, args.join(" ")).trim_end().to_owned()
}

fn argument(functions: &[Named], param: &str, random: &mut Random, depth: usize) -> String {
    if depth > 0 && random.one_in(5) {
        return format!("({})", call(functions, random, depth - 1));
    }
    let kind = if random.one_in(14) { "interface {}" } else { param };
    let pool: &[&str] = match kind {
        "string" => &STRINGS,
        "int" | "uint32" => &INTS,
        "bool" => &["true", "false", ".Values.yes", ".Values.no", "(eq 1 1)"],
        "float64" => &["1.5", "0.0", "2"],
        "map[string]interface {}" => &MAPS,
        "[]interface {}" => &LISTS,
        "template" => &["\"plain\"", "\"lines\"", "\"deep\"", "\"nope\""],
        "tpl" => &TEMPLATES,
        "toml" => return toml(random),
        "format" => return format(random).to_owned(),
        _ => match random.below(6) {
            0 => &STRINGS,
            1 => &INTS,
            2 => &MAPS,
            3 => &LISTS,
            _ => &OTHERS,
        },
    };
    (*random.pick(pool)).to_owned()
}

/// A document of TOML as a literal, mostly with a slip.
fn toml(random: &mut Random) -> String {
    let mut text: Vec<char> = Vec::new();
    for _ in 0..=random.below(4) {
        text.extend(TOML[random.below(TOML.len())].chars());
        if !random.one_in(15) {
            text.push('\n');
        }
    }
    for _ in 0..random.below(3) {
        let at = random.below(text.len());
        match random.below(3) {
            0 if !text.is_empty() => drop(text.remove(at)),
            1 => text.truncate(at + 1),
            _ => text.insert(at, *random.pick(&TOML_CHARS)),
        }
    }
    serde_json::Value::String(text.into_iter().collect()).to_string()
}

const TOML_CHARS: [char; 34] = [
    '"', '\'', '=', '.', ',', '[', ']', '{', '}', '\n', '\r', '\t', ' ', '#', '\\', '_', '-', '+',
    '0', '1', 'e', 'x', ':', 'T', 'Z', 'a', 'ä', '\0', '\u{7f}', '\u{feff}', 'u', 'b', 'o', '9',
];

const TOML: [&str; 47] = [
    "a = 1",
    "a = 'x'",
    "a = \"y\\n\\u00e9\"",
    "b.c = 2",
    "b.c.d = 3",
    "b = {c = 1, d.e = 'x'}",
    "b = { }",
    "b = [1, 2.5, 'x']",
    "b = [{c = 1}, {c = 2}]",
    "b = [[1], []]",
    "[a]",
    "[b]",
    "[b.c]",
    "[b.c.d]",
    "[[b]]",
    "[[b.c]]",
    "[ \"q uoted\" . 'x' ]",
    "\"k ey\" = true",
    "'' = false",
    "c = 1_000",
    "c = 0x1F",
    "c = 0o17",
    "c = 0b101",
    "c = 007",
    "c = -0",
    "c = +5",
    "c = 1.5e3",
    "c = 1.",
    "c = .5",
    "c = 1e400",
    "c = 99999999999999999999",
    "c = 2020-01-02",
    "c = 2020-01-02T03:04:05Z",
    "c = 2020-01-02 03:04:05.123+02:00",
    "c = 03:04:05",
    "c = 2020-13-02",
    "c = inf",
    "c = -nan",
    "c = \"\"\"many\nlines \\\n  here\"\"\"",
    "c = '''raw\n'lines'''",
    "c = [ 1,\n 2, # two\n]",
    "# a comment",
    "c = yes",
    "d = { x = 1,\n y = 2 }",
    "d = \"\\q\"",
    "e = \"\"\"x\"\"\"\"\"",
    "d = \"\\u12\"",
];

fn format(random: &mut Random) -> &'static str {
    FORMATS[random.below(FORMATS.len())]
}

const FORMATS: [&str; 38] = [
    "\"%d\"",
    "\"%s\"",
    "\"%v\"",
    "\"%q\"",
    "\"%x\"",
    "\"%X\"",
    "\"%05d\"",
    "\"%-6s|\"",
    "\"%6.2f\"",
    "\"%e\"",
    "\"%g\"",
    "\"%+v\"",
    "\"%#v\"",
    "\"%T\"",
    "\"%c\"",
    "\"%U\"",
    "\"%t\"",
    "\"%o\"",
    "\"%b\"",
    "\"%%\"",
    "\"%!\"",
    "\"%\"",
    "\"%z\"",
    "\"%[2]d %[1]s\"",
    "\"%*d\"",
    "\"%.3s\"",
    "\"%+d\"",
    "\"% x\"",
    "\"%#x\"",
    "\"%s-%d\"",
    "\"%v %v %v\"",
    "\"%08.3f\"",
    "\"%#o\"",
    "\"%+q\"",
    "\"%#q\"",
    "\"%.2v\"",
    "\"%6v|\"",
    "\"%O\"",
];

const STRINGS: [&str; 62] = [
    "\"\"",
    "\"a\"",
    "\"abc\"",
    "\"A b C\"",
    "\"a,b,c\"",
    "\"1.2.3\"",
    "\">=1.2.0-0\"",
    "\"^1.2\"",
    "\"~1\"",
    "\"1.x || >=2.5\"",
    "\"v1\"",
    "\"2020-01-02T03:04:05Z\"",
    "\"2006-01-02\"",
    "\"{\\\"a\\\":[1,{\\\"b\\\":null}]}\"",
    "\"a: 1\\nb: [1, x]\\n\"",
    "\"- a\\n- b: 2\"",
    "\"a = 1\\n[t]\\nb = 'x'\"",
    "\"x=1\"",
    "\"07\"",
    "\"0x1F\"",
    "\"1e3\"",
    "\"-5\"",
    "\" 5 \"",
    "\"1_000\"",
    "\"true\"",
    "\"T\"",
    "\"yes\"",
    "\"[a-c]+\"",
    "\"(a)(b)?\"",
    "\"(?i)AB\"",
    "\"${1}x$1\"",
    "\"(\"",
    "\"/a/../b//c.txt\"",
    "\"a/b\"",
    "\"dGV4dA==\"",
    "\"####\"",
    "\"näme ☃ 😀\"",
    "\"1h30m5s\"",
    "\"string\"",
    "\"int\"",
    "\"float64\"",
    "\"map\"",
    "\"slice\"",
    "\"map[string]interface {}\"",
    "\"a.b\"",
    "\"k\"",
    "\"x\"",
    "`raw \\n`",
    "\"tab\\tnew\\nline\"",
    "\"<b>&'\\\"\"",
    ".Values.s",
    ".Values.empty",
    ".Values.multi",
    ".Values.version",
    ".Values.host",
    ".Values.json",
    ".Values.toml",
    ".Values.uni",
    ".Values.camel",
    ".Release.Name",
    ".Chart.Version",
    ".Capabilities.KubeVersion.Version",
];

const INTS: [&str; 20] = [
    "0",
    "1",
    "2",
    "3",
    "5",
    "-1",
    "-3",
    "10",
    "63",
    "100",
    "0x10",
    "0b11",
    "1_000",
    "'a'",
    "1e2",
    "(int 4)",
    "(int64 7)",
    ".Values.i",
    ".Values.neg",
    "(len .Values.s)",
];

const MAPS: [&str; 16] = [
    ".Values.d",
    ".Values.nothing",
    ".Values.d.a",
    "(dict)",
    "(dict \"a\" 1)",
    "(dict \"a\" (dict \"b\" 2 \"c\" nil) \"l\" (list 1))",
    "(dict \"b\" \"x\" \"a\" \"y\")",
    "(dict \"scheme\" \"http\" \"host\" \"h:1\" \"path\" \"/p\" \"query\" \"q=1\")",
    "(dict 1 2)",
    "(fromYaml .Values.multi)",
    "(fromJson .Values.json)",
    "(deepCopy .Values.d)",
    "(split \"-\" \"a-b\")",
    "(urlParse .Values.host)",
    "(dict \"a\" nil)",
    ".Values",
];

const LISTS: [&str; 16] = [
    ".Values.l",
    ".Values.strings",
    ".Values.numbers",
    ".Values.none",
    "(list)",
    "(list 1 2 3)",
    "(list \"b\" \"a\" \"b\")",
    "(list 1 \"1\" 1.0 true nil)",
    "(list (list 1 2) (dict \"a\" 1))",
    "(until 4)",
    "(untilStep 5 0 -2)",
    "(splitList \",\" \"a,b,,c\")",
    "(tuple \"x\" nil \"\")",
    "(regexFindAll \"[a-z]\" \"abc\" -1)",
    "(sortAlpha .Values.strings)",
    "(fromYamlArray \"- 1\\n- a: b\")",
];

const OTHERS: [&str; 33] = [
    ".Values.yes",
    ".Values.no",
    ".Values.nil",
    ".Values.nope",
    ".Values.f",
    ".Values.whole",
    ".Values.small",
    ".Values.large",
    ".Values.big",
    ".Values.huge",
    ".Values.time",
    ".Values.octal",
    "true",
    "false",
    "1.5",
    "-0.5",
    "1e21",
    "3.0",
    "1e-7",
    "2.5",
    "0.1",
    ".Chart",
    ".Release",
    ".Capabilities.KubeVersion",
    ".Template.Name",
    ".Files",
    "(.Files.Get \"file.txt\")",
    "(semver .Values.version)",
    "(semver \"1.2.3\")",
    ".Chart.Maintainers",
    ".Capabilities.APIVersions",
    "(list 1 2)",
    "(dict \"a\" 1)",
];

const TEMPLATES: [&str; 12] = [
    "\"{{ .Values.s }}\"",
    "\"{{ . }}\"",
    "\"{{ nope }}\"",
    "\"{{ if }}\"",
    "\"{{ .a.b }}\"",
    "\"{{ include \\\"plain\\\" . }}\"",
    "\"{{ range $i, $e := .Values.l }}{{ $i }}{{ $e }}{{ end }}\"",
    "\"{{ define \\\"z\\\" }}zz{{ end }}{{ template \\\"z\\\" }}\"",
    "\"plain text\"",
    "\"{{ .Values.d | toYaml }}\"",
    "\"{{ fail \\\"no\\\" }}\"",
    ".Values.s",
];
