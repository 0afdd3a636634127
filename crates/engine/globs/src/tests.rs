use crate::{BadPattern, Glob, PathGlob, file_match};

fn glob(pattern: &str, text: &str) -> bool {
    Glob::new(pattern, &[]).expect("a pattern").matches(text)
}

#[test]
fn a_glob_without_separators_crosses_directories() {
    for (pattern, text, fits) in [
        ("*.yaml", "a/b.yaml", true),
        ("{a,b}.yaml", "b.yaml", true),
        ("{a,b*}.yaml", "bc.yaml", true),
        ("{,x}a", "a", true),
        ("{a,{b,c}}", "c", true),
        ("[a-c]x", "bx", true),
        ("[!a-c]x", "bx", false),
        ("[!abc]x", "dx", true),
        ("a\\*", "a*", true),
        ("a\\*", "ab", false),
        ("a\\", "a", true),
        ("{a,b", "b", true),
        ("a}", "a}", true),
        ("?", "é", true),
        ("", "", true),
        ("*", "", true),
    ] {
        assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
    }
}

#[test]
fn a_separator_stops_one_star_and_not_two() {
    let glob = |pattern, text| Glob::new(pattern, &['/']).expect("a pattern").matches(text);
    assert!(!glob("https://x/*", "https://x/a/b"));
    assert!(glob("https://x/**", "https://x/a/b"));
    assert!(!glob("a?b", "a/b"));
}

#[test]
fn a_broken_class_is_refused_with_gos_words() {
    let error = |pattern| Glob::new(pattern, &[]).expect_err("no pattern").to_string();
    assert_eq!(error("[]"), "could not parse range");
    assert_eq!(error("[a"), "unexpected end of input");
    assert_eq!(error("[z-a]"), "hi character 'a' should be greater than lo 'z'");
    assert_eq!(error("[a-zb]"), "expected close range character");
}

#[test]
fn file_match_is_gos() {
    for (pattern, name, fits) in [
        ("*", "a/b", Ok(false)),
        ("/apps/*/x", "/apps/a/x", Ok(true)),
        ("[^a-c]*", "dog", Ok(true)),
        ("[\\-x]", "-", Ok(true)),
        ("a[", "b", Err(BadPattern)),
        ("b*[", "a", Ok(false)),
        ("*[^a]*", "aaé/a", Ok(false)),
        ("[]a]", "a", Err(BadPattern)),
        ("[a-]", "a", Err(BadPattern)),
        ("a\\", "a", Err(BadPattern)),
    ] {
        assert_eq!(file_match(pattern, name), fits, "{pattern} {name}");
    }
}

#[test]
fn two_stars_are_any_number_of_directories() {
    for (pattern, path, fits) in [
        ("**/values.yaml", "values.yaml", true),
        ("**/values.yaml", "a/b/values.yaml", true),
        ("**/values.yaml", "a/xvalues.yaml", false),
        ("a/**", "a/b/c", true),
        ("a/**", "a", true),
        ("a/**", "ab", false),
        ("a/**/b", "a/b", true),
        ("a/**/b", "a/x/y/b", true),
        ("*.yaml", "a/b.yaml", false),
        ("{a,b/*}/c", "b/x/c", true),
        ("[!a]x", "/x", false),
    ] {
        assert_eq!(
            PathGlob::new(pattern).expect("a pattern").matches(path),
            fits,
            "{pattern} {path}"
        );
    }
}

#[test]
fn a_pattern_of_many_stars_is_not_slow() {
    let pattern = "*a".repeat(200);
    assert!(!glob(&pattern, &"a".repeat(5_000).replace("aaaa", "aaab")[..150]));
    assert!(glob(&pattern, &"a".repeat(2_000)));
}
