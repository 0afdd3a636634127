use super::{count_byte, find_any, find_byte, find_dashes, find_where};

#[test]
fn many_bytes_at_once_are_seen_as_one_by_one() {
    for length in [0, 1, 31, 32, 33, 64, 100, 700] {
        for place in 0..length {
            let mut text = vec![b'a'; length];
            text[place] = b'x';
            assert_eq!(find_byte(b'x', &text), Some(place));
            assert_eq!(find_where(&text, |byte| byte > b'a'), Some(place));
            assert_eq!(find_any([b'y', b'x'], &text), Some(place));
            assert_eq!(find_any([b'y', b'z'], &text), None);
            assert_eq!(count_byte(b'x', &text), 1);
            assert_eq!(count_byte(b'a', &text), length - 1);
        }
        assert_eq!(find_byte(b'x', &vec![b'a'; length]), None);
    }
}

#[test]
fn dashes_are_found_wherever_they_stand() {
    for length in [4, 5, 34, 35, 36, 37, 70, 200] {
        for place in 0..=length - 4 {
            for beside in [b'a', b'-', b'\n'] {
                let mut text = vec![beside; length];
                text[place..place + 4].copy_from_slice(b"\n---");
                let wanted = text.windows(4).position(|four| four == b"\n---");
                assert_eq!(find_dashes(&text), wanted, "{length} {place}");
            }
        }
        assert_eq!(find_dashes(&vec![b'-'; length]), None);
        assert_eq!(find_dashes(&b"\n--".repeat(length)), None);
    }
}
