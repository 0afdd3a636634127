//! A certificate with its key.

use std::any::Any;
use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::rc::Rc;

use goval::{Map, Object, Str, Value};

/// `sprig.certificate`: what `genCA` and its like give.
///
/// Making one takes tens of milliseconds, and many charts make one that they never look into:
/// see [`Certificate::later`].
#[derive(Clone)]
pub struct Certificate(Rc<Lazy>);

struct Lazy {
    pair: OnceCell<Pair>,
    make: RefCell<Option<Box<dyn FnOnce() -> Pair>>>,
}

/// A certificate and its private key, both as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) cert: String,
    pub(crate) key: String,
}

impl Certificate {
    /// One that is there: certificate and private key, both as PEM.
    pub fn new(cert: String, key: String) -> Self {
        let pair = OnceCell::from(Pair { cert, key });
        Self(Rc::new(Lazy { pair, make: RefCell::default() }))
    }

    /// One that is made when somebody looks at it; `make` gives the same whenever that is.
    pub(crate) fn later(make: impl FnOnce() -> Pair + 'static) -> Self {
        Self(Rc::new(Lazy { pair: OnceCell::new(), make: RefCell::new(Some(Box::new(make))) }))
    }

    /// The certificate, as PEM.
    pub fn cert(&self) -> &str {
        &self.pair().cert
    }

    /// Its private key, as PEM.
    pub fn key(&self) -> &str {
        &self.pair().key
    }

    /// What somebody has looked at.
    pub(crate) fn made(&self) -> Option<&Pair> {
        self.0.pair.get()
    }

    fn pair(&self) -> &Pair {
        self.0.pair.get_or_init(|| {
            let make = self.0.make.borrow_mut().take();
            make.expect("it is made once, unless it was there")()
        })
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0) || self.pair() == other.pair()
    }
}

impl Eq for Certificate {}

/// Shows nothing: it has a private key.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

impl Object for Certificate {
    fn type_name(&self) -> &str {
        "sprig.certificate"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(Value::str(self.cert())),
            "Key" => Some(Value::str(self.key())),
            _ => None,
        }
    }

    fn print(&self) -> String {
        format!("{{{} {}}}", self.cert(), self.key())
    }

    fn fields(&self) -> Option<Vec<(&str, Value)>> {
        Some(vec![("Cert", Value::str(self.cert())), ("Key", Value::str(self.key()))])
    }

    fn plain(&self) -> Option<Value> {
        let map = Map::new();
        map.insert(Str::from("Cert"), Value::str(self.cert()));
        map.insert(Str::from("Key"), Value::str(self.key()));
        Some(Value::Map(map))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
