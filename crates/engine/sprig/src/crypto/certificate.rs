//! A certificate with its key.

use std::any::Any;

use goval::{Map, Object, Str, Value};

/// `sprig.certificate`: what `genCA` and its like give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate, as PEM.
    pub cert: String,
    /// Its private key, as PEM.
    pub key: String,
}

impl Object for Certificate {
    fn type_name(&self) -> &str {
        "sprig.certificate"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(Value::str(self.cert.as_str())),
            "Key" => Some(Value::str(self.key.as_str())),
            _ => None,
        }
    }

    fn print(&self) -> String {
        format!("{{{} {}}}", self.cert, self.key)
    }

    fn fields(&self) -> Option<Vec<(&str, Value)>> {
        Some(vec![("Cert", Value::str(self.cert.as_str())), ("Key", Value::str(self.key.as_str()))])
    }

    fn plain(&self) -> Option<Value> {
        let map = Map::new();
        map.insert(Str::from("Cert"), Value::str(self.cert.as_str()));
        map.insert(Str::from("Key"), Value::str(self.key.as_str()));
        Some(Value::Map(map))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
