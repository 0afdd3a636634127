//! The tables' binary form, read; `xtask` writes it (`xtask/src/kubetypes/pack.rs`).
//!
//! The file is our own and checked in, so a broken one is a defect of the build: reading does
//! not fail, it panics.

use merge::schema::Patch;

use crate::in_place::is_always_written;
use crate::shape::{Field, ListType, MapType, Scalar, Shape, Struct, StructId, beginning};
use crate::tables::{Resource, Subresource};

static PACKED: &[u8] = include_bytes!("../data/tables.bin.zst");

/// What the tables say of one minor.
pub(crate) struct MinorTables {
    pub release: &'static str,
    pub structs: Vec<Struct>,
    pub resources: Vec<Resource>,
}

/// The whole file, unpacked, with its strings and records found.
pub(crate) struct Whole {
    strings: Vec<&'static str>,
    types: Vec<&'static [u8]>,
    resources: Vec<&'static [u8]>,
    minors: Vec<(usize, &'static str, Vec<usize>, Vec<usize>)>,
}

impl Whole {
    /// Unpacks the file. The text lives as long as the program: every minor refers to it.
    pub(crate) fn unpack() -> Whole {
        let plain = zstd::stream::decode_all(PACKED).expect("the tables were packed by xtask");
        let plain: &'static [u8] = Box::leak(plain.into_boxed_slice());
        let mut from = Bytes(plain);
        assert_eq!(from.take(4), b"KTT1", "the tables are of another form");
        let strings: Vec<&'static str> = (0..from.number())
            .map(|_| {
                let length = from.number();
                std::str::from_utf8(from.take(length)).expect("strings are UTF-8")
            })
            .collect();
        let mut pools = [(); 2].map(|()| {
            let count = from.number();
            (0..count)
                .map(|_| {
                    let length = from.number();
                    from.take(length)
                })
                .collect::<Vec<&'static [u8]>>()
        });
        let minors = (0..from.number())
            .map(|_| {
                let minor = from.number();
                let release = strings[from.number()];
                let [types, resources] = [(); 2].map(|()| {
                    let count = from.number();
                    (0..count).map(|_| from.number()).collect::<Vec<usize>>()
                });
                (minor, release, types, resources)
            })
            .collect();
        let resources = std::mem::take(&mut pools[1]);
        let types = std::mem::take(&mut pools[0]);
        Whole { strings, types, resources, minors }
    }

    /// Reads one minor; `None` where the file does not hold it.
    pub(crate) fn minor(&self, minor: u32) -> Option<MinorTables> {
        let (_, release, types, resources) =
            self.minors.iter().find(|(number, ..)| *number == minor as usize)?;
        let mut ids = vec![u32::MAX; self.strings.len()];
        for (at, &number) in types.iter().enumerate() {
            let name = Bytes(self.types[number]).number();
            ids[name] = u32::try_from(at).expect("a minor has fewer than 2^32 types");
        }
        let mut structs: Vec<Struct> = types
            .iter()
            .map(|&number| {
                Reader { from: Bytes(self.types[number]), strings: &self.strings, ids: &ids }
                    .record()
            })
            .collect();
        for at in 0..structs.len() {
            let mut names = Vec::with_capacity(structs[at].fields.len());
            collect_names(&structs, StructId(at as u32), &mut names);
            structs[at].always = names
                .iter()
                .map(|&(_, home, field)| (home, field))
                .filter(|&(home, field)| {
                    is_always_written(&structs[home.0 as usize].fields[field as usize])
                })
                .collect();
            names.sort_by_key(|&(name, ..)| name);
            structs[at].beginnings = names.iter().map(|&(name, ..)| beginning(name)).collect();
            // They stay as long as the program.
            names.shrink_to_fit();
            structs[at].always.shrink_to_fit();
            structs[at].names = names;
        }
        let resources = resources
            .iter()
            .map(|&number| {
                Reader { from: Bytes(self.resources[number]), strings: &self.strings, ids: &ids }
                    .resource()
            })
            .collect();
        Some(MinorTables { release, structs, resources })
    }
}

fn collect_names(structs: &[Struct], id: StructId, into: &mut Vec<(&'static str, StructId, u32)>) {
    for (at, field) in structs[id.0 as usize].fields.iter().enumerate() {
        match field.shape {
            Shape::Struct(inlined) if field.inline => collect_names(structs, inlined, into),
            _ => into.push((field.name, id, at as u32)),
        }
    }
}

struct Bytes(&'static [u8]);

impl Bytes {
    fn number(&mut self) -> usize {
        let mut number = 0;
        let mut shift = 0;
        loop {
            let byte = self.0[0];
            self.0 = &self.0[1..];
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return number;
            }
            shift += 7;
        }
    }

    fn take(&mut self, length: usize) -> &'static [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }
}

struct Reader<'a> {
    from: Bytes,
    strings: &'a [&'static str],
    ids: &'a [u32],
}

impl Reader<'_> {
    fn text(&mut self) -> &'static str {
        self.strings[self.from.number()]
    }

    fn texts(&mut self) -> Box<[&'static str]> {
        (0..self.from.number()).map(|_| self.text()).collect()
    }

    fn record(mut self) -> Struct {
        let name = self.text();
        let go_name = self.text();
        let flags = self.from.number();
        let kinds =
            (0..self.from.number()).map(|_| (self.text(), self.text(), self.text())).collect();
        let fields = (0..self.from.number()).map(|_| self.field()).collect();
        Struct {
            name,
            go_name,
            atomic: flags & 1 != 0,
            published: flags & 2 != 0,
            kinds,
            fields,
            names: Vec::new(),
            beginnings: Vec::new(),
            always: Vec::new(),
        }
    }

    fn field(&mut self) -> Field {
        let name = self.text();
        let go_name = self.text();
        let flags = self.from.number();
        let flag = |bit: usize| flags & (1 << bit) != 0;
        let shape = self.shape();
        let number = self.from.number() as u32;
        let default = Some(self.text()).filter(|text| !text.is_empty());
        let list_type = match self.from.number() {
            0 => None,
            1 => Some(ListType::Atomic),
            2 => Some(ListType::Set),
            _ => Some(ListType::Map),
        };
        let list_keys = self.texts();
        let strategy = self.from.number();
        let merge_key = Some(self.text()).filter(|text| !text.is_empty());
        Field {
            name,
            go_name,
            shape,
            number,
            omit_empty: flag(0),
            omit_zero: flag(1),
            pointer: flag(2),
            required: flag(3),
            inline: flag(4),
            published: flag(7),
            map_type: match (flag(5), flag(6)) {
                (true, _) => Some(MapType::Atomic),
                (_, true) => Some(MapType::Granular),
                _ => None,
            },
            list_type,
            list_keys,
            default,
            patch_replaces: strategy & 4 != 0,
            patch: Patch {
                merge: strategy & 1 != 0,
                retain_keys: strategy & 2 != 0,
                replace: strategy & 4 != 0,
                merge_key: merge_key.map(Box::from),
            },
            values: self.texts(),
        }
    }

    fn shape(&mut self) -> Shape {
        let code = self.from.number();
        if code == 0 {
            return Shape::Struct(StructId(self.ids[self.from.number()]));
        }
        let go_name = self.text();
        let scalar = match code {
            1 => return Shape::List { go_name, element: Box::new(self.shape()) },
            2 => {
                let go_key = self.text();
                return Shape::Map { go_name, go_key, value: Box::new(self.shape()) };
            }
            3 => Scalar::Bytes,
            4 => Scalar::String,
            5 => Scalar::Bool,
            6 => Scalar::Int32,
            7 => Scalar::Int64,
            8 => Scalar::Float64,
            9 => Scalar::Uint32,
            10 => Scalar::Uint8,
            16 => Scalar::Time,
            17 => Scalar::MicroTime,
            18 => Scalar::Duration,
            19 => Scalar::Quantity,
            20 => Scalar::IntOrString,
            21 => Scalar::RawExtension,
            22 => Scalar::FieldsV1,
            23 => Scalar::Json,
            24 => Scalar::SchemaOrArray,
            25 => Scalar::SchemaOrBool,
            26 => Scalar::SchemaOrStrings,
            27 => Scalar::Patch,
            other => panic!("the tables name shape {other}, which this reader does not know"),
        };
        Shape::Scalar(scalar, go_name)
    }

    fn resource(mut self) -> Resource {
        let [group, version, plural, singular, kind] = [(); 5].map(|()| self.text());
        let namespaced = self.from.number() == 1;
        let verbs = self.from.number() as u8;
        let short_names = self.texts();
        let categories = self.texts();
        let subresources = (0..self.from.number())
            .map(|_| {
                let [name, group, version, kind] = [(); 4].map(|()| self.text());
                Subresource { name, group, version, kind, verbs: self.from.number() as u8 }
            })
            .collect();
        Resource {
            group,
            version,
            plural,
            singular,
            kind,
            namespaced,
            verbs,
            short_names,
            categories,
            subresources,
        }
    }
}
