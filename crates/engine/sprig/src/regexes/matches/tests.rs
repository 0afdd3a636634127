use goval::Budget;

use super::{NoPattern, Texts, all, compile};

#[test]
fn what_is_made_for_ascii_finds_the_same_in_it() {
    let patterns = [
        "[^a-z\\d\\-]+",
        "\\W",
        "(-?[^a-z\\d\\-])+-?",
        "{(v[0-9])*[^}]*}}$",
        ".*:(\\d+)",
        "(?i)k+",
        "(?i)[^k]",
        "\\bfoo\\b",
        "^v?\\d+(\\.\\d+)?(-.*)?",
        "\\pL+",
        "[\\p{Greek}x]",
        "[^\\pL]",
        "é|e",
        "[é-ü]|a",
        "(?s).",
        "[[:^alpha:]]+",
        "\\x{7F}",
        "\\xE9|a",
        "",
        "a*",
        "(?m)^.*$",
        "\\S+",
        "[^\\x00-\\x7F]",
        "(?U)a+",
    ];
    let texts = [
        "",
        "a",
        "Kk e-foo_foo foo",
        "v1.2.3-x",
        "{{ x }}",
        "img:5000/a:12@sha256:ab",
        "aaa\nb\n",
        "-r12 e",
    ];
    let mut budget = Budget { fuel: u64::MAX, bytes: u64::MAX };
    for pattern in patterns {
        let [ascii, every] =
            [Texts::Ascii, Texts::All].map(|texts| match compile(pattern, texts, &mut budget) {
                Ok(compiled) => compiled,
                Err(NoPattern::Refused(error)) => panic!("{error}"),
                Err(NoPattern::Budget(error)) => panic!("{error}"),
            });
        for text in texts {
            let found = |regex| -> Vec<_> {
                let found = all(regex, text.as_bytes(), -1);
                found.iter().map(|one| (one.span(), one.group(1).map(<[u8]>::to_vec))).collect()
            };
            assert_eq!(found(&ascii.regex), found(&every.regex), "{pattern} {text}");
        }
    }
}
