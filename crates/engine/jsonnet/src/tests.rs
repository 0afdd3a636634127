use filetree::{MapTree, TreePath};
use serde_json::{Value, json};

use crate::{JsonnetError, Limits, Program, Variable, evaluate};

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

fn variable(name: &str, value: &str, code: bool) -> Variable {
    Variable { name: name.to_owned(), value: value.to_owned(), code }
}

#[derive(Default)]
struct Given<'a> {
    files: &'a [(&'a str, &'a str)],
    external: Vec<Variable>,
    top_level: Vec<Variable>,
    libraries: Vec<TreePath>,
}

fn run(file: &str, text: &str, given: &Given<'_>) -> Result<Value, JsonnetError> {
    let tree = given
        .files
        .iter()
        .fold(MapTree::new(), |tree, (name, content)| tree.with(&path(name), content));
    let program = Program {
        file: &path(file),
        text,
        external: &given.external,
        top_level: &given.top_level,
        libraries: &given.libraries,
    };
    let text = evaluate(&tree, &program, &Limits::default(), &|| false)?;
    Ok(serde_json::from_str(&text).unwrap())
}

#[test]
fn programs_have_the_values_that_the_language_gives_them() {
    for (text, expected) in [
        ("1 + 2", json!(3)),
        ("{ a: 1, b:: 2, c: self.a + self.b }", json!({"a": 1, "c": 3})),
        ("local f(x, y=2) = x * y; [f(i) for i in std.range(1, 3)]", json!([2, 4, 6])),
        ("({ a: { x: 1 } } + { a+: { y: 2 } })", json!({"a": {"x": 1, "y": 2}})),
        ("'%05d %s %.2f' % [42, 'x', 3.14159]", json!("00042 x 3.14")),
        ("|||\n  one\n    two\n|||", json!("one\n  two\n")),
        ("std.manifestYamlDoc({ a: [1, 'b'] })", json!("\"a\":\n- 1\n- \"b\"")),
        ("std.manifestJsonEx({ a: [] }, '  ')", json!("{\n  \"a\": [\n\n  ]\n}")),
        (
            "std.base64('hi') + std.md5('') + std.asciiUpper('a')",
            json!("aGk=d41d8cd98f00b204e9800998ecf8427eA"),
        ),
        ("std.parseJson('{\"a\": 1.5}').a", json!(1.5)),
        ("{ [if false then 'a']: 1, ['b' + 'c']: 2 }", json!({"bc": 2})),
        ("std.thisFile", json!("app/main.jsonnet")),
    ] {
        assert_eq!(run("app/main.jsonnet", text, &Given::default()).unwrap(), expected, "{text}");
    }
}

/// The wanted values are go-jsonnet 0.22's.
#[test]
fn the_library_answers_as_go_does() {
    for (text, expected) in [
        ("std.trim(' \\t a\\u00a0\\n')", json!("a")),
        ("local a = 0.1, b = 'x'; a + b", json!("0.10000000000000001x")),
        ("local a = [0.1, {}, { b: 1e-7, c: 'd', e: [] }], b = 'x'; b + a", {
            json!(
                "x[0.10000000000000001, { }, {\"b\": 9.9999999999999995e-08, \"c\": \"d\", \"e\": [ ]}]"
            )
        }),
        ("'%s' % [[0.1]]", json!("[0.10000000000000001]")),
        ("[std.base64('é'), std.base64('hi'), std.base64([104, 105])]", {
            json!(["w6k=", "aGk=", "aGk="])
        }),
        ("local f(x) = x; [f(1) + f(2), f([1]) + f([2]), f({ a: 1 }) + f({ a+: 2 })]", {
            json!([3, [1, 2], {"a": 3}])
        }),
        ("local f(n) = if n == 0 then 0 else n + f(n - 1); f(450)", json!(101475)),
        ("[std.isNull(null), std.log2(8), std.log10(1000)]", json!([true, 3, 2.9999999999999996])),
        ("[std.hypot(3, 4), std.deg2rad(180), std.mantissa(10), std.exponent(10)]", {
            json!([5, std::f64::consts::PI, 0.625, 4])
        }),
        (
            "std.foldl(function(a, b) a + b, 'abc', '') + std.foldr(function(a, b) a + b, 'd', '')",
            { json!("abcd") },
        ),
        ("std.uniq('aab')", json!(["a", "b"])),
        ("[std.escapeStringJson(1.5), std.makeArray(-1, std.id)]", json!(["\"1.5\"", []])),
        ("std.mergePatch([], { a: { b: null } })", json!({"a": {}})),
        ("std.manifestYamlDoc({ a: 'x\\ny', b: 'z\\n', c: [[1], {}], d: { e: 'f' } })", {
            json!("\"a\": \"x\\ny\"\n\"b\": |\n  z\n\"c\":\n-\n  - 1\n- {}\n\"d\":\n  \"e\": \"f\"")
        }),
        ("std.manifestYamlDoc({ 'a b': 1, yes: 2, 'c/d': [3] }, true, false)", {
            json!("\"a b\": 1\nc/d:\n  - 3\n\"yes\": 2")
        }),
        ("std.manifestYamlStream([{ a: 1 }], c_document_end=false)", json!("---\n\"a\": 1\n")),
        ("std.parseYaml('a: yes\\nb: 0777')", json!({"a": true, "b": 511})),
        ("std.parseYaml('---\\na: 1')", json!([{"a": 1}])),
        ("std.parseYaml('---a: 1')", json!({"---a": 1})),
        ("std.parseYaml('# c\\n---\\na: 1\\n---\\n')", json!([null, {"a": 1}, null])),
        ("[std.toString(0.1), 'a' + 1.1 + 'b', 0.7 + '']", {
            json!(["0.10000000000000001", "a1.1000000000000001b", "0.69999999999999996"])
        }),
    ] {
        assert_eq!(run("a.jsonnet", text, &Given::default()).unwrap(), expected, "{text}");
    }
    for text in ["std.split('a', '')", "std.strReplace('a', '', 'b')", "std.manifestYamlStream(1)"]
    {
        assert!(run("a.jsonnet", text, &Given::default()).is_err(), "{text}");
    }
}

/// The wanted texts are go-jsonnet 0.22's.
#[test]
fn texts_are_formatted_in_gos_arithmetic() {
    for (text, expected) in [
        (
            "'%.2f %.0f %5.1f|%-6d|%06d' % [1.999, 0.5, 2.25, -3.7, -42]",
            "2.00 1   2.3|-3    |-00042",
        ),
        (
            "'%e %e %g %g %g' % [0, 1e15, 1e15, 1234567, 0.1]",
            "0.000000e+00 10.000000e+14 10e+14 1.23457e+06 0.1",
        ),
        ("'%x %X %#x %o %c%c %%' % [255, 255, 255, 8, 65, 'é']", "ff FF 0xff 10 Aé %"),
        ("'%(a).1f and %(b)5s' % { a: 1.96, b: 'é' }", "2.0 and     é"),
        ("local f = '%s', v = 1.1; (f % v) + ('-' + f) % [[1]]", "1.1000000000000001-[1]"),
        ("'%*d' % [5, 42]", "   42"),
        ("local x = 7; std.toString(x % 4 % 2) + '%d' % (x % 4)", "13"),
        ("|||\n  a %d\n||| % 1 + 'b'", "a 1\nb"),
    ] {
        assert_eq!(run("a.jsonnet", text, &Given::default()).unwrap(), json!(expected), "{text}");
    }
    for text in
        ["'%d' % 'x'", "'%s' % []", "'%s' % [1, 2]", "'%z' % 1", "'%' % 1", "1 % 0", "{} % 1"]
    {
        assert!(run("a.jsonnet", text, &Given::default()).is_err(), "{text}");
    }
}

#[test]
fn imported_programs_have_the_same_operators_and_texts_stay_as_they_are() {
    let given = Given {
        files: &[("x.libsonnet", "{ f(v):: 'v' + v, g: '%.1f' % 0.96 }"), ("t.txt", "'a' % 'b'")],
        ..Given::default()
    };
    let text = "local x = import 'x.libsonnet'; [x.f(0.1), x.g, importstr 't.txt']";
    assert_eq!(
        run("a.jsonnet", text, &given).unwrap(),
        json!(["v0.10000000000000001", "1.0", "'a' % 'b'"])
    );
}

#[test]
fn imports_come_from_beside_the_file_then_from_the_last_library() {
    let given = Given {
        files: &[
            ("app/near.libsonnet", "{ from: 'near', up: import '../shared/x.libsonnet' }"),
            ("shared/x.libsonnet", "'shared'"),
            ("one/lib.libsonnet", "'one'"),
            ("two/lib.libsonnet", "'two'"),
            ("app/text.txt", "plain"),
        ],
        libraries: vec![path("one"), path("two")],
        ..Given::default()
    };
    let text =
        "{ near: import 'near.libsonnet', lib: import 'lib.libsonnet', t: importstr 'text.txt' }";
    assert_eq!(
        run("app/main.jsonnet", text, &given).unwrap(),
        json!({"near": {"from": "near", "up": "shared"}, "lib": "two", "t": "plain"})
    );
    for outside in ["import '../../etc/passwd'", "import '/etc/passwd'", "import 'none'"] {
        let error = run("app/main.jsonnet", outside, &given).unwrap_err().to_string();
        assert!(error.contains("passwd") || error.contains("none"), "{error}");
    }
}

#[test]
fn variables_are_text_or_code() {
    let given = Given {
        external: vec![variable("s", "1", false), variable("c", "1 + 1", true)],
        top_level: vec![variable("name", "x", false), variable("n", "[1, 2]", true)],
        ..Given::default()
    };
    let text = "function(name, n, other='d') [std.extVar('s'), std.extVar('c'), name, n, other]";
    assert_eq!(run("a.jsonnet", text, &given).unwrap(), json!(["1", 2, "x", [1, 2], "d"]));
    let error = run("a.jsonnet", "std.extVar('none')", &given).unwrap_err();
    assert!(error.to_string().contains("none"), "{error}");
    let error = run("a.jsonnet", "function(a) a", &Given::default()).unwrap_err();
    assert!(error.to_string().contains('a'), "{error}");
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (text, expected) in [
        ("error 'so'", "so"),
        ("{ a: 1, a: 2 }", "a"),
        ("local x = ; 1", "a.jsonnet"),
        ("{ a: 1 }.b", "no such field: b"),
        ("assert false : 'no'; 1", "no"),
        ("local f(x) = f(x + 1) + 1; f(0)", "stack overflow"),
    ] {
        let error = run("a.jsonnet", text, &Given::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn a_program_that_does_not_end_is_left() {
    let tree = MapTree::new();
    let text = "local f(n) = if n < 0 then 0 else f(n + 1) tailstrict; f(0)";
    let program = Program {
        file: &path("a.jsonnet"),
        text: "std.foldl(function(a, b) a + b, std.range(1, 1000000000), 0)",
        external: &[],
        top_level: &[],
        libraries: &[],
    };
    let limits = Limits::default();
    let error = evaluate(&tree, &program, &limits, &|| true).unwrap_err();
    assert!(matches!(error, JsonnetError::Stopped), "{error}");
    let endless = Program { text, ..program };
    assert!(evaluate(&tree, &endless, &limits, &|| true).is_err());
}
