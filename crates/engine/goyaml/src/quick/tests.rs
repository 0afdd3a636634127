use super::{is_usual, is_usual_ascii, is_usual_at};

#[test]
fn eight_bytes_at_once_are_seen_as_one_by_one() {
    for place in 0..8 {
        for byte in 0..=u8::MAX {
            for beside in [b'a', b'\n', b'~', b' ', 0x0B] {
                let mut word = [beside; 8];
                word[place] = byte;
                let usual = |byte: &u8| matches!(byte, b'\n' | b' '..=b'~');
                let all = word.iter().all(usual);
                assert_eq!(is_usual_ascii(u64::from_le_bytes(word)), all, "{word:?}");
            }
        }
    }
    for text in ["tabs\tare usual", "é and \u{a0}", "one more than eight\n", ""] {
        assert!(is_usual(text), "{text:?}");
    }
    for text in ["\u{85}", "1234567\r", "\u{feff}", "12345678\u{7f}", "a\u{2028}"] {
        assert!(!is_usual(text), "{text:?}");
        assert!((0..text.len()).any(|at| !is_usual_at(text.as_bytes(), at)), "{text:?}");
    }
}
