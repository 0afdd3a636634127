//! YAML written and read as go-jsonnet does.

use jrsonnet_evaluator::function::builtin;
use jrsonnet_evaluator::manifest::escape_string_json;
use jrsonnet_evaluator::{IStr, Result, Val, bail, runtime_error};
use jrsonnet_stdlib::YamlFormat;

/// Writes a value; text is quoted unless it ends with a line break.
#[builtin]
pub(super) fn builtin_manifest_yaml_doc(
    value: Val,
    indent_array_in_object: Option<bool>,
    quote_keys: Option<bool>,
) -> Result<String> {
    let mut writer = Writer {
        out: String::new(),
        indent_lists: indent_array_in_object.unwrap_or(false),
        quote_keys: quote_keys.unwrap_or(true),
    };
    writer.value(&value, 0)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
    indent_lists: bool,
    quote_keys: bool,
}

impl Writer {
    fn line(&mut self, indent: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    fn value(&mut self, value: &Val, indent: usize) -> Result<()> {
        match value {
            Val::Null => self.out.push_str("null"),
            Val::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Val::Num(number) => self.out.push_str(&number.get().to_string()),
            Val::Str(text) => self.text(&text.clone().into_flat(), indent),
            Val::Arr(items) if items.is_empty() => self.out.push_str("[]"),
            Val::Arr(items) => {
                for (at, item) in items.iter().enumerate() {
                    let item = item?;
                    if at > 0 {
                        self.line(indent);
                    }
                    self.out.push('-');
                    match &item {
                        Val::Arr(inner) if !inner.is_empty() => self.line(indent + 2),
                        _ => self.out.push(' '),
                    }
                    let deeper = matches!(item, Val::Arr(_) | Val::Obj(_));
                    self.value(&item, if deeper { indent + 2 } else { indent })?;
                }
            }
            Val::Obj(object) => {
                object.run_assertions()?;
                let fields = object.fields();
                if fields.is_empty() {
                    self.out.push_str("{}");
                }
                for (at, name) in fields.iter().enumerate() {
                    let inner = object.get_or_bail(name.clone())?;
                    if at > 0 {
                        self.line(indent);
                    }
                    self.key(name)?;
                    self.out.push(':');
                    let mut at = indent;
                    match &inner {
                        Val::Arr(items) if !items.is_empty() => {
                            at += if self.indent_lists { 2 } else { 0 };
                            self.line(at);
                        }
                        Val::Obj(object) if !object.fields().is_empty() => {
                            at += 2;
                            self.line(at);
                        }
                        _ => self.out.push(' '),
                    }
                    self.value(&inner, at)?;
                }
            }
            Val::Func(_) => bail!("couldn't manifest function as YAML"),
        }
        Ok(())
    }

    fn text(&mut self, text: &str, indent: usize) {
        match text.strip_suffix('\n') {
            None => self.out.push_str(&escape_string_json(text)),
            Some(lines) => {
                self.out.push('|');
                for line in lines.split('\n') {
                    self.line(indent + 2);
                    self.out.push_str(line);
                }
            }
        }
    }

    fn key(&mut self, name: &IStr) -> Result<()> {
        let plain = |char: char| char.is_ascii_alphanumeric() || "_/.-".contains(char);
        if self.quote_keys || !name.chars().all(plain) {
            self.out.push_str(&escape_string_json(name));
            return Ok(());
        }
        // The interpreter knows which words are something else than text.
        let mut object = jrsonnet_evaluator::ObjValueBuilder::new();
        object.field(name.clone()).value(Val::Null);
        let written = Val::Obj(object.build()).manifest(YamlFormat::std_to_yaml(false, false))?;
        self.out.push_str(written.strip_suffix(": null").unwrap_or(&written));
        Ok(())
    }
}

/// Reads YAML 1.1; several documents, or one behind `---`, are a list.
#[builtin]
pub(super) fn builtin_parse_yaml(str: IStr) -> Result<Val> {
    let failed = |problem: String| runtime_error!("failed to parse YAML: {problem}");
    let mut documents = Vec::new();
    let mut is_list = false;
    let mut document = String::new();
    for line in str.split_inclusive('\n') {
        let behind = line.strip_prefix("---");
        let Some(behind) =
            behind.filter(|rest| rest.trim_start().len() < rest.len() || rest.is_empty())
        else {
            document.push_str(line);
            continue;
        };
        // What stands before the first one counts only if something does.
        if is_list || !document.trim().is_empty() {
            documents.push(std::mem::take(&mut document));
        }
        is_list = true;
        document.clear();
        document.push_str(behind);
    }
    if is_list || !document.trim().is_empty() {
        documents.push(document);
    }
    let mut values = Vec::with_capacity(documents.len());
    for document in documents {
        let value = goyaml::to_json(document.as_bytes())
            .map_err(|error| failed(format!("error converting YAML to JSON: {error}")))?;
        values.push(serde_json::from_value(value).map_err(|error| failed(error.to_string()))?);
    }
    Ok(match is_list {
        true => Val::Arr(values.into()),
        false => values.pop().unwrap_or(Val::Null),
    })
}
