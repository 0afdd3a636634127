use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{Input, Libraries, Limits, Returned, Script, ScriptError};

const NOW: &str = "2026-11-21T19:00:05Z";

fn run_with(source: &str, object: &Value, libraries: Libraries) -> Result<Returned, ScriptError> {
    let limits = Limits { steps_max: 3_000_000, ..Limits::default() };
    let script = Script::compile(source, libraries, limits)?;
    let now: Timestamp = NOW.parse().expect("a time");
    let parameters = BTreeMap::from([("replicas".to_owned(), "3".to_owned())]);
    script.run(&Input { object, parameters: &parameters, now }, None)
}

fn run(source: &str, object: &Value) -> Result<Returned, ScriptError> {
    run_with(source, object, Libraries::Few)
}

fn value(source: &str) -> Value {
    match run_with(source, &json!({}), Libraries::Many) {
        Ok(Returned::Table(value)) => value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_script_sees_the_object_and_answers_with_a_table() {
    let source = "hs = {} if obj.status ~= nil and obj.status.ready then hs.status = 'Healthy' end
        hs.message = obj.metadata.name .. ' ' .. obj.spec.replicas return hs";
    let object = json!({"metadata": {"name": "web"}, "spec": {"replicas": 3},
        "status": {"ready": true, "gone": null}});
    let wanted = json!({"status": "Healthy", "message": "web 3"});
    assert_eq!(run(source, &object), Ok(Returned::Table(wanted)));
}

#[test]
fn tables_become_json_by_upstreams_rules() {
    assert_eq!(value("return {}"), json!([]));
    assert_eq!(
        value("return {a = {}, b = {1, 2.5, 'x'}, c = true}"),
        json!({"a": [], "b": [1, 2.5, "x"], "c": true})
    );
    assert_eq!(value("return {1e15, -0.5, 5.0}"), json!([1_000_000_000_000_000_i64, -0.5, 5]));
    let refused = |source| run(source, &json!({})).expect_err("a refusal").to_string();
    assert_eq!(refused("return {[1] = 1, [3] = 3}"), "cannot encode sparse array");
    assert_eq!(refused("return {1, a = 1}"), "cannot encode mixed or invalid key types");
    assert_eq!(refused("return {[true] = 1}"), "cannot encode mixed or invalid key types");
    assert_eq!(refused("return {a = pairs}"), "cannot encode function to JSON");
    let nested = "cannot encode recursively nested tables to JSON";
    assert_eq!(refused("local t = {} t.t = t return t"), nested);
    assert_eq!(run("return", &json!({})), Ok(Returned::Nothing));
    assert_eq!(run("return nil", &json!({})), Ok(Returned::Nothing));
    assert_eq!(run("return 'x'", &json!({})), Ok(Returned::Other("string")));
    assert_eq!(run("return 5", &json!({})), Ok(Returned::Other("number")));
}

#[test]
fn null_is_absent_and_every_number_a_float() {
    let object = json!({"a": null, "n": 3, "list": [1, 2], "big": 9_007_199_254_740_993_i64});
    let source = "return {none = obj.a == nil, n = obj.n / 2, count = #obj.list, last = table.getn(obj.list)}";
    assert_eq!(
        run(source, &object),
        Ok(Returned::Table(json!({"none": true, "n": 1.5, "count": 2, "last": 2})))
    );
}

#[test]
fn parameters_and_the_time_are_the_callers() {
    let source = "local os = require('os')
        return {actionParams['replicas'], os.date('!%Y-%m-%dT%H:%M:%SZ'), os.date('!%Y-%m-%dT%XZ', 0),
            os.time{year = 2026, month = 1, day = 2, hour = 3}, os.date('*t', 0).year}";
    let wanted = json!(["3", NOW, "1970-01-01T00:00:00Z", 1_767_322_800, 1970]);
    assert_eq!(run(source, &json!({})), Ok(Returned::Table(wanted)));
    assert_eq!(run("return {os.time()}", &json!({})), Ok(Returned::Table(json!([1_795_287_605]))));
}

#[test]
fn what_can_do_harm_is_not_there() {
    let names = "io os.execute os.exit os.getenv os.remove os.clock debug package.loadlib package load loadstring dofile
        loadfile collectgarbage getfenv setfenv newproxy jit ffi bit module coroutine string.dump";
    for name in names.split_whitespace() {
        let source = match name.split_once('.') {
            Some((table, field)) => format!("return {{{table} == nil or {table}.{field} == nil}}"),
            None => format!("return {{{name} == nil}}"),
        };
        for libraries in [Libraries::Few, Libraries::Many] {
            let got = run_with(&source, &json!({}), libraries);
            assert_eq!(got, Ok(Returned::Table(json!([true]))), "{name} {libraries:?}");
        }
    }
    assert_eq!(
        run("return {string == nil, math == nil}", &json!({})),
        Ok(Returned::Table(json!([true, true])))
    );
    assert!(run("return {('x'):upper()}", &json!({})).is_err());
    for module in ["io", "debug", "ffi", "jit", "package", "string"] {
        let error = run(&format!("return {{require('{module}')}}"), &json!({})).expect_err(module);
        assert!(error.to_string().contains(&format!("module {module} not found")), "{error}");
    }
}

#[test]
fn one_run_leaves_nothing_for_the_next() {
    let source = "local seen = leak ~= nil or table.leak ~= nil or string.leak ~= nil
        leak = 1 table.leak = 1 string.leak = 1 return {seen}";
    let script = Script::compile(source, Libraries::Many, Limits::default()).expect("a script");
    let (object, parameters) = (json!({}), BTreeMap::new());
    let input =
        Input { object: &object, parameters: &parameters, now: NOW.parse().expect("a time") };
    for _ in 0..3 {
        assert_eq!(script.run(&input, None), Ok(Returned::Table(json!([false]))));
    }
}

#[test]
fn endless_scripts_end() {
    for source in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local function f() return pcall(f) end while true do f() end",
        "local t = setmetatable({}, {__index = function(t, k) while true do end end}) return t.x",
        "repeat until false",
        "goto a ::a:: goto a",
    ] {
        assert_eq!(run(source, &json!({})), Err(ScriptError::TookTooLong), "{source}");
    }
}

#[test]
fn a_caller_can_end_a_script() {
    let script = Script::compile(
        "while true do end",
        Libraries::Few,
        Limits { steps_max: u64::MAX, ..Limits::default() },
    );
    let (object, parameters) = (json!({}), BTreeMap::new());
    let input =
        Input { object: &object, parameters: &parameters, now: NOW.parse().expect("a time") };
    let got = script.expect("a script").run(&input, Some(Arc::new(|| true)));
    assert_eq!(got, Err(ScriptError::TookTooLong));
}

#[test]
fn memory_has_a_limit() {
    let bombs = [
        "local s = 'x' while true do s = s .. s end",
        "local t = {} for i = 1, 1e9 do t[i] = {i} end",
        "return {string.rep('x', 1e9)}",
    ];
    for source in bombs {
        let got = run_with(source, &json!({}), Libraries::Many);
        assert!(
            matches!(got, Err(ScriptError::WantedTooMuch | ScriptError::TookTooLong)),
            "{source}: {got:?}"
        );
    }
}

#[test]
fn patterns_that_explode_are_ended() {
    let bomb = "return {string.find(string.rep('a', 3000), string.rep('.-', 12) .. 'b')}";
    assert_eq!(run_with(bomb, &json!({}), Libraries::Many), Err(ScriptError::TookTooLong));
}

#[test]
fn patterns_are_luas() {
    let cases = [
        ("string.find('hello world', 'o w')", json!([5, 7])),
        ("string.find('hello', 'l+')", json!([3, 4])),
        ("string.find('a.b', '.', 1, true)", json!([2, 2])),
        ("string.find('abc', 'b()')", json!([2, 2, 3])),
        ("string.find('abc', 'x') == nil", json!([true])),
        ("string.find('', '')", json!([1, 0])),
        ("string.match('key = value', '^(%w+)%s*=%s*(%w+)$')", json!(["key", "value"])),
        ("string.match('  trim  ', '^%s*(.-)%s*$')", json!(["trim"])),
        ("string.match('2026-11-21T19:00:05Z', '(%d+)-(%d+)-(%d+)')", json!(["2026", "11", "21"])),
        ("string.match('f(a(b)c)d', '%b()')", json!(["(a(b)c)"])),
        ("string.match('THE (quick) fox', '%f[%a]%a+', 5)", json!(["quick"])),
        ("string.match('abcabc', '(abc)%1')", json!(["abc"])),
        ("string.match('x', '[]x]')", json!(["x"])),
        ("string.match('a-b', '[a%-]+')", json!(["a-"])),
        ("string.match('key', '[^%s=]+')", json!(["key"])),
        ("string.match('abc', 'b?c?d?', 2)", json!(["bc"])),
        ("string.gsub('hello world', 'o', '0')", json!(["hell0 w0rld", 2])),
        ("string.gsub('hello', '', '-')", json!(["-h-e-l-l-o-", 6])),
        ("string.gsub('abc', '%w', '%0%0')", json!(["aabbcc", 3])),
        ("string.gsub('abc', '%w', {a = '1', b = false})", json!(["1bc", 3])),
        ("string.gsub('abc', 'b', function(x) return x .. '!' end)", json!(["ab!c", 1])),
        ("string.gsub('aaa', 'a', 'b', 2)", json!(["bba", 2])),
        ("string.gsub('abc', '^a', 'x')", json!(["xbc", 1])),
        ("('a,b,c'):gsub(',', ';')", json!(["a;b;c", 2])),
        ("string.format('%s %d', 'a', 3)", json!(["a 3"])),
    ];
    for (source, wanted) in cases {
        assert_eq!(value(&format!("return {{{source}}}")), wanted, "{source}");
    }
    let split = "local t = {} for part in string.gmatch('a=1, b=2', '(%w+)=%w+') do t[#t + 1] = part end return t";
    assert_eq!(value(split), json!(["a", "b"]));
    for malformed in ["[a", "%", "(a", "a)"] {
        assert!(
            run_with(
                &format!("return {{string.find('a', '{malformed}')}}"),
                &json!({}),
                Libraries::Many
            )
            .is_err(),
            "{malformed}"
        );
    }
}

#[test]
fn errors_say_where_and_why() {
    let words = |source| run(source, &json!({"a": {}})).expect_err("an error").to_string();
    assert_eq!(words("error('invalid number: x', 0)"), "invalid number: x");
    assert_eq!(words("local x = 1\nerror('no ' .. x)"), "<string>:2: no 1");
    assert!(words("return obj.b.c").starts_with("<string>:1: attempt to index field 'b'"));
    assert!(words("return {").starts_with("<string>:1: "));
}

#[test]
fn runs_leave_no_garbage_behind() {
    let source =
        "local t = {} for i = 1, 5000 do t[i] = {i} end return {os.time(), require('os') ~= nil}";
    let script = Script::compile(
        source,
        Libraries::Many,
        Limits { memory_bytes_max: 4 << 20, ..Limits::default() },
    );
    let script = script.expect("a script");
    let (object, parameters) = (json!({}), BTreeMap::new());
    let input =
        Input { object: &object, parameters: &parameters, now: NOW.parse().expect("a time") };
    for _ in 0..200 {
        assert!(script.run(&input, None).is_ok());
    }
}
