use std::cell::Cell;

use goval::{Budget, Value};

use crate::{Cause, ExecError, Hooks, NoHooks, Parsed, TemplateSet};

use super::world::{functions, run, run_within};

fn set_of(text: &str) -> TemplateSet {
    let mut set = TemplateSet::new("gotpl");
    set.add("t", &Parsed::new(text.as_bytes(), &functions()).unwrap()).unwrap();
    set
}

fn execute(text: &str, data: &Value) -> Result<Vec<u8>, ExecError> {
    run(&set_of(text), "t", data)
}

fn error_of(text: &str, budget: Budget) -> ExecError {
    run_within(&set_of(text), "t", &Value::Nil, budget, &mut NoHooks).0.unwrap_err()
}

const PLENTY: Budget = Budget { fuel: 1 << 40, bytes: 1 << 40 };

#[test]
fn a_thousand_and_one_includes_of_a_name_may_nest() {
    let text = r#"{{define "a"}}{{if gt . 1}}{{include "a" (len (slice (printf "%*s" . "") 1))}}{{end}}x{{end}}{{include "a" .}}"#;
    assert_eq!(execute(text, &Value::int(1001)).unwrap(), b"x".repeat(1001));
    let error = execute(text, &Value::int(1002)).unwrap_err();
    assert_eq!(error.stack.len(), 1002);
    assert_eq!(
        error.message,
        "error calling include: rendering template has a nested reference name: a: unable to execute template"
    );
}

#[test]
fn a_hundred_thousand_templates_may_nest() {
    let error = error_of(r#"{{define "a"}}{{template "a" .}}{{end}}{{template "a"}}"#, PLENTY);
    assert_eq!(error.stack.len(), 100_001);
    assert_eq!(
        error.to_string(),
        r#"template: t:1:25: executing "a" at <{{template "a" .}}>: exceeded maximum template depth (100000)"#
    );
}

#[test]
fn includes_of_a_thousand_names_inside_templates_end_with_a_limit() {
    let text = r#"{{define "a"}}{{include "b" .}}{{end}}{{define "b"}}{{template "a" .}}{{end}}{{include "a" 1}}"#;
    let error = error_of(text, PLENTY);
    assert!(error.message.contains("nested reference name"), "{}", error.message);
    let text = r#"{{define "a"}}{{tpl "{{template `a` .}}" .}}{{end}}{{template "a" 1}}"#;
    let error = error_of(text, PLENTY);
    assert_eq!(error.cause, Cause::Budget);
    assert!(error.to_string().len() < 5_000_000);
}

#[test]
fn parentheses_nest_ten_thousand_deep_and_no_deeper() {
    let text = |depth: usize| format!("{{{{{}1{}}}}}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(execute(&text(10_000), &Value::Nil).unwrap(), b"1");
    let error = Parsed::new(text(10_001).as_bytes(), &functions()).unwrap_err();
    assert_eq!(error.text("t"), "template: t:1: max expression depth exceeded");
}

#[test]
fn blocks_nest_as_deep_as_the_text_says() {
    for (head, tail) in [
        ("{{if true}}", "{{end}}"),
        ("{{with 1}}", "{{end}}"),
        ("{{range 1}}", "{{end}}"),
        ("{{if false}}{{else}}", "{{end}}"),
        ("{{block \"b\" 1}}", "{{end}}"),
    ] {
        let depth = if head.contains("block") { 1 } else { 20_000 };
        let text = format!("{}x{}", head.repeat(depth), tail.repeat(depth));
        assert_eq!(execute(&text, &Value::Nil).unwrap(), b"x");
    }
    let text = format!("{{{{if false}}}}{}{{{{end}}}}", "{{else if true}}x".repeat(20_000));
    assert_eq!(execute(&text, &Value::Nil).unwrap(), b"x");
    let text = format!("{{{{1{}}}}}", " | print".repeat(20_000));
    assert_eq!(execute(&text, &Value::Nil).unwrap(), b"1");
}

#[test]
fn an_endless_loop_ends_with_the_fuel() {
    let error = error_of("{{range 1000000000000}}{{end}}", Budget { fuel: 100_000, bytes: 100 });
    assert_eq!(error.cause, Cause::Budget);
    assert_eq!(error.message, "the rendering takes too many steps");
    assert_eq!(error.stack[0].node, "1000000000000");
}

#[test]
fn an_endless_text_ends_with_the_bytes() {
    let error =
        error_of("{{range 1000000000000}}text{{end}}", Budget { fuel: 1 << 40, bytes: 10_000 });
    assert_eq!(error.cause, Cause::Budget);
    assert_eq!(error.message, "the rendering makes too much text");
    let doubling = r#"{{$x := "x"}}{{range 100}}{{$x = print $x $x}}{{end}}"#;
    assert_eq!(error_of(doubling, Budget { fuel: 1 << 40, bytes: 1 << 20 }).cause, Cause::Budget);
}

#[test]
fn unused_fuel_is_given_back() {
    let budget = Budget { fuel: 1_000_000, bytes: 1_000_000 };
    let (outcome, left) = run_within(&set_of("{{1}}{{2}}"), "t", &Value::Nil, budget, &mut NoHooks);
    assert_eq!(outcome.unwrap(), b"12");
    assert_eq!(left, Budget { fuel: 999_995, bytes: 999_998 });
}

#[test]
fn the_caller_is_asked_whether_to_stop() {
    struct StopAtThird(Cell<u32>);
    impl Hooks for StopAtThird {
        fn should_stop(&mut self) -> bool {
            self.0.set(self.0.get() + 1);
            self.0.get() == 3
        }
    }
    let mut hooks = StopAtThird(Cell::new(0));
    let set = set_of("{{range 1000000000}}{{end}}");
    let error = run_within(&set, "t", &Value::Nil, PLENTY, &mut hooks).0.unwrap_err();
    assert_eq!(error.cause, Cause::Stopped);
    assert_eq!(hooks.0.get(), 3);
}

#[test]
fn an_error_tells_each_place_that_led_to_it() {
    let text = "{{define \"inner\"}}\n  {{ fail \"no\" }}{{end}}\
                {{define \"outer\"}}{{template \"inner\" .}}{{end}}\n{{ include \"outer\" . }}";
    let error = execute(text, &Value::Nil).unwrap_err();
    let places: Vec<_> = error
        .stack
        .iter()
        .map(|place| (place.template.as_str(), place.line, place.column, place.node.as_str()))
        .collect();
    assert_eq!(
        places,
        [
            ("t", 3, 3, "include \"outer\" ."),
            ("outer", 2, 53, "{{template \"inner\" .}}"),
            ("inner", 2, 5, "fail \"no\""),
        ]
    );
    assert_eq!(error.cause, Cause::Function { name: "fail".into(), said: "no".into() });
}

/// Numbers that follow each other as if by chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

#[test]
fn no_text_makes_the_parser_or_the_machine_panic() {
    const PIECES: &[&str] = &[
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        "\n",
        "(",
        ")",
        "|",
        ".",
        ".x",
        "$",
        "$x",
        ":=",
        "=",
        ",",
        "if ",
        "else",
        "end",
        "range ",
        "with ",
        "define ",
        "template ",
        "block ",
        "\"a\"",
        "`b`",
        "'c'",
        "1",
        "-1.5e3",
        "0x1p4",
        "1i",
        "1+2i",
        "nil",
        "true",
        "print ",
        "index ",
        "include ",
        "tpl ",
        "break",
        "continue",
        "/*",
        "*/",
        "{{end}}",
        "{{else}}",
        "é",
        "\\",
        "\"",
        "`",
        "'",
        "{{if .}}",
        "{{range $i, $e := .}}",
        "{{$x := 1}}",
        "{{define \"a\"}}",
        "slice ",
        "printf ",
        "and ",
        "or ",
        "eq ",
        "call ",
        "list ",
        "dict ",
        ".O.Get ",
    ];
    let functions = functions();
    let mut chance = Chance(7);
    let data = Value::list(vec![Value::int(1), Value::Nil, Value::str("a")]);
    for _ in 0..20_000 {
        let mut text = Vec::new();
        for _ in 0..chance.below(30) {
            if chance.below(12) == 0 {
                text.push(chance.below(256) as u8);
            } else {
                text.extend_from_slice(PIECES[chance.below(PIECES.len())].as_bytes());
            }
        }
        if let Ok(parsed) = Parsed::new(&text[..], &functions) {
            let mut set = TemplateSet::new("gotpl");
            if set.add("t", &parsed).is_ok() {
                let budget = Budget { fuel: 10_000, bytes: 100_000 };
                let _ = run_within(&set, "t", &data, budget, &mut NoHooks).0;
            }
        }
    }
}

#[test]
fn parsed_templates_and_sets_may_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Parsed>();
    shared::<TemplateSet>();
    shared::<crate::Functions>();
}
