//! `.Files`: a chart's other files, as templates see them.

use std::any::Any;
use std::rc::Rc;

use base64::Engine as _;
use globs::Glob;
use goval::{Kind, List, ListType, Map, Object, Signature, Str, Type, Value};

use crate::file::{File, base};

/// `.Files`: contents by name.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// Sorted by name; of two with one name, the later counts.
    files: Rc<[File]>,
}

impl Files {
    pub(crate) fn new(files: &[File]) -> Self {
        let mut files = files.to_vec();
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Self { files: files.into() }
    }

    fn find(&self, name: &[u8]) -> Option<&File> {
        let at = self.files.binary_search_by(|file| file.name.as_bytes().cmp(name)).ok()?;
        Some(&self.files[at])
    }

    /// What the pattern matches; a pattern that is none matches everything.
    fn glob(&self, pattern: &Str) -> Self {
        let Ok(glob) = Glob::new(&pattern.to_text(), &['/']) else { return self.clone() };
        Self { files: self.files.iter().filter(|file| glob.matches(&file.name)).cloned().collect() }
    }

    /// A YAML map by the files' last names; of two with one name, the last counts.
    fn by_base_name(&self, print: impl Fn(&[u8]) -> String) -> String {
        let mut entries = serde_json::Map::new();
        for file in self.files.iter() {
            entries.insert(base(&file.name).to_owned(), print(file.data()).into());
        }
        let text = goyaml::to_yaml(&serde_json::Value::Object(entries));
        text.map_or_else(|_| String::new(), |text| text.trim_end_matches('\n').to_owned())
    }

    fn lines(&self, name: &Str) -> Result<Value, String> {
        let Some(file) = self.find(name) else {
            return Ok(Value::List(List::typed(ListType::String, Vec::new())));
        };
        let Some(last) = file.data().last() else {
            return Err("runtime error: index out of range [-1]".to_owned());
        };
        let data = &file.data()[..];
        let text = if *last == b'\n' { &data[..data.len() - 1] } else { data };
        let lines = text.split(|byte| *byte == b'\n').map(|line| Str::from(line).into()).collect();
        Ok(Value::List(List::typed(ListType::String, lines)))
    }
}

impl Object for Files {
    fn type_name(&self) -> &str {
        "engine.files"
    }

    fn kind(&self) -> Kind {
        Kind::Map
    }

    fn field(&self, name: &str) -> Option<Value> {
        let data = self.find(name.as_bytes()).map_or(&[][..], |file| file.data());
        Some(Value::Bytes(Str::from(data)))
    }

    fn has_method(&self, name: &str) -> bool {
        matches!(name, "Get" | "GetBytes" | "Glob" | "AsConfig" | "AsSecrets" | "Lines")
    }

    fn signature(&self, name: &str) -> Option<Signature> {
        let params: &[Type] = match name {
            "AsConfig" | "AsSecrets" => &[],
            _ => &[Type::String],
        };
        Some(Signature { params, variadic: false })
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Value, String> {
        let no_text = Str::default();
        let text = match args {
            [Value::Str(text), ..] => text,
            _ => &no_text,
        };
        let data = || self.find(text).map_or(&[][..], |file| file.data());
        match name {
            "Get" => Ok(Value::Str(data().into())),
            "GetBytes" => Ok(Value::Bytes(data().into())),
            "Glob" => Ok(Value::Object(Rc::new(self.glob(text)))),
            "AsConfig" => Ok(self.by_base_name(goval::text_of).into()),
            "AsSecrets" => {
                let encode = |data: &[u8]| base64::engine::general_purpose::STANDARD.encode(data);
                Ok(self.by_base_name(encode).into())
            }
            _ => self.lines(text),
        }
    }

    fn is_true(&self) -> bool {
        !self.files.is_empty()
    }

    fn entries(&self) -> Option<Vec<(Value, Value)>> {
        let entry =
            |file: &File| (Value::from(&*file.name), Value::Bytes(Str::from(&file.data()[..])));
        Some(self.files.iter().map(entry).collect())
    }

    fn print(&self) -> String {
        let print = |file: &File| {
            let bytes: Vec<String> = file.data().iter().map(u8::to_string).collect();
            format!("{}:[{}]", file.name, bytes.join(" "))
        };
        let files: Vec<String> = self.files.iter().map(print).collect();
        format!("map[{}]", files.join(" "))
    }

    fn plain(&self) -> Option<Value> {
        let map = Map::new();
        for file in self.files.iter() {
            let text = base64::engine::general_purpose::STANDARD.encode(file.data());
            map.insert((&*file.name).into(), text.into());
        }
        Some(map.into())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
