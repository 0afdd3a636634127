use goval::Value;

use crate::{Parsed, TemplateSet};

use super::world::{functions, run};

fn execute(text: &str, data: &Value) -> Result<Vec<u8>, crate::ExecError> {
    let mut set = TemplateSet::new("gotpl");
    set.add("t", &Parsed::new(text.as_bytes(), &functions()).unwrap()).unwrap();
    run(&set, "t", data)
}

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
