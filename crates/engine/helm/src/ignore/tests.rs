use super::Rules;

#[test]
fn a_short_way_ignores_what_matching_ignores() {
    let patterns = [
        "*.tmp", "*~", "*", "a", ".git/", "/a/b", "a/b", "/*.tmp", "a/*.tmp", "[ab]", "a?", "x*",
        "*.t[mn]p", "a\\*", "*\\~", "!a", "é*", "*é",
    ];
    let paths =
        ["a", "b", "a~", "ab", "a/b", "x.tmp", "a/x.tmp", "a*", ".git", "x", "é", "aé", "~", ""];
    for pattern in patterns {
        let rules = Rules::parse(pattern.as_bytes()).expect("a pattern");
        for path in paths {
            let whole = pattern.trim_start_matches('!').trim_end_matches('/').contains('/');
            let name = if whole { path } else { crate::file::base(path) };
            let plain = pattern.trim_matches(['!', '/']);
            let matches = globs::file_match(plain, name) == Ok(true);
            let is_negated = pattern.starts_with('!');
            assert_eq!(rules.ignores(path, true), matches != is_negated, "{pattern} {path}");
        }
    }
}
