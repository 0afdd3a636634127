//! Seeded mutations: nothing that comes in makes the reader panic, and errors have a place.

use crate::{split, to_json, to_json_strict};

/// xorshift64*: the same seed gives the same documents on every machine.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound.max(1)
    }
}

const SEEDS: &[&str] = &[
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: {a: b, \"c\": 'd'}\ndata:\n  x: |\n    text\n    more\n  y: >-\n    folded\n    text\n",
    "- &a {x: 1}\n- <<: *a\n  y: [1, 2.5, 0x1F, ~]\n- !!binary aGVsbG8=\n- ? complex\n  : value\n",
    "%YAML 1.1\n%TAG !e! tag:example.org,2000:\n---\n!e!x \"dq \\u00e9 \\n\" : 'sq '' x'\n...\n---\nb: \u{2028} é \u{85}😀\n",
];

const PARTS: &[&str] = &[
    "\n", "  ", "\t", ": ", "- ", "? ", "[", "]", "{", "}", ",", "&a ", "*a", "!!int ", "!<", "|",
    ">", "'", "\"", "\\", "#", "%", "---", "...", "<<: ", "0x", "\r", "\u{FEFF}", "\0", "|2-\n",
    "`",
];

#[test]
fn no_mutation_makes_the_reader_panic() {
    let mut seeded = Seeded(0x5EED);
    for _ in 0..20_000 {
        let mut text = SEEDS[seeded.below(SEEDS.len())].as_bytes().to_vec();
        for _ in 0..=seeded.below(6) {
            let at = seeded.below(text.len());
            match seeded.below(4) {
                0 => drop(text.drain(at..(at + 1 + seeded.below(5)).min(text.len()))),
                1 => drop(text.splice(at..at, PARTS[seeded.below(PARTS.len())].bytes())),
                2 if !text.is_empty() => text[at] = seeded.below(256) as u8,
                _ => {
                    let from = seeded.below(text.len());
                    let part = text[from..(from + seeded.below(40)).min(text.len())].to_vec();
                    drop(text.splice(at..at, part));
                }
            }
        }
        for error in [to_json(&text).err(), to_json_strict(&text).err()].into_iter().flatten() {
            assert!(error.line() > 0 && error.column() > 0, "{error}");
        }
        for chunk in split(&text).flatten() {
            let _ = to_json(&chunk.bytes);
        }
    }
}
