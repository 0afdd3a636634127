use super::chars::{Tabs, usual};

fn one_by_one(text: &str) -> bool {
    text.chars().all(|char| {
        matches!(char, '\n' | '\t' | ' '..='~' | '\u{A0}'..)
            && !matches!(char, '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
    })
}

#[test]
fn many_bytes_at_once_are_seen_as_one_by_one() {
    for place in [0, 1, 15, 16, 31, 32, 40] {
        for char in (0..=0x17F).chain(0x2000..0x2030).chain(0xFEF0..0x1_0010) {
            let Some(char) = char::from_u32(char) else { continue };
            for beside in ['a', '\n', '~', 'é'] {
                let mut text: Vec<char> = vec![beside; 44];
                text[place] = char;
                let text: String = text.into_iter().collect();
                assert_eq!(usual(text.as_bytes()).is_some(), one_by_one(&text), "{text:?}");
            }
        }
    }
}

#[test]
fn tabs_are_noticed_wherever_they_stand() {
    for length in [1, 8, 33, 70] {
        for place in 0..length {
            let mut text = vec![b'x'; length];
            assert_eq!(usual(&text), Some(Tabs::None));
            text[place] = b'\t';
            assert_eq!(usual(&text), Some(Tabs::Some));
        }
    }
}
