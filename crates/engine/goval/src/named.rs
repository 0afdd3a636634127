//! The types of maps in two bytes: values are copied often.

use std::cell::RefCell;

use crate::map::MapType;

/// A map's type.
#[derive(Clone, Copy)]
pub(crate) struct Tag(u16);

const ANY: u16 = 0;
const STRING: u16 = 1;
const FIRST_NAME: u16 = 2;

thread_local! {
    /// The names met so far: a handful, since they stand in the program's text. Values stay on
    /// their thread, so the numbers may differ between threads.
    static NAMES: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

impl Tag {
    /// Whether it is `map[string]string`.
    pub(crate) fn is_string(self) -> bool {
        self.0 == STRING
    }
}

impl From<MapType> for Tag {
    fn from(of: MapType) -> Self {
        let name = match of {
            MapType::Any => return Self(ANY),
            MapType::String => return Self(STRING),
            MapType::Named(name) => name,
        };
        let place = NAMES.with_borrow_mut(|names| {
            names.iter().position(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            })
        });
        Self(u16::try_from(place).expect("a program has few types of maps") + FIRST_NAME)
    }
}

impl From<Tag> for MapType {
    fn from(Tag(number): Tag) -> Self {
        match number {
            ANY => Self::Any,
            STRING => Self::String,
            _ => NAMES.with_borrow(|names| Self::Named(names[usize::from(number - FIRST_NAME)])),
        }
    }
}
