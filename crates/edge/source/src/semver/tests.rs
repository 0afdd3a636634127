use super::{Constraint, Version};

/// `constraint <tab> version <tab> true|false|invalid`, answered by Masterminds/semver v3.4.0.
#[test]
fn every_answer_is_the_one_upstreams_library_gave() {
    let table = include_str!("../../tests/data/semver/answers.tsv");
    let mut wrong = Vec::new();
    let mut cases = 0;
    for line in table.lines().filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [constraint, version, expected] = fields[..] else { panic!("not a case: {line:?}") };
        cases += 1;
        let got = match (Constraint::parse(constraint), Version::parse(version)) {
            (None, _) => "invalid",
            (Some(_), None) => "not a version",
            (Some(parsed), Some(version)) if parsed.allows(&version) => "true",
            (Some(_), Some(_)) => "false",
        };
        if got != expected {
            wrong.push(format!("{constraint:?} on {version}: {got}, expected {expected}"));
        }
    }
    assert!(cases > 1000, "the table is there");
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_highest_tag_that_fits_is_taken_and_other_tags_are_passed_over() {
    let tags =
        ["nightly", "v1.2.0", "v1.10.0", "v1.9.9", "v2.0.0-rc.1", "v1.11.0-beta", "junk-1.5"];
    let highest = |text: &str| Constraint::parse(text).and_then(|c| c.highest(tags));
    assert_eq!(highest("1.x"), Some("v1.10.0"));
    assert_eq!(highest("*"), Some("v1.10.0"));
    assert_eq!(highest(">=1.11.0-0"), Some("v2.0.0-rc.1"));
    assert_eq!(highest("~1.2"), Some("v1.2.0"));
    assert_eq!(highest("3.x"), None);
    assert_eq!(highest("main"), None);
}

#[test]
fn versions_order_as_the_standard_says() {
    let ordered = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0",
    ];
    let parsed: Vec<_> = ordered.iter().map(|text| Version::parse(text).expect(text)).collect();
    assert!(parsed.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(Version::parse("v1.0"), Version::parse("1.0.0+build.7"));
    assert_eq!(Version::parse("main"), None);
    assert_eq!(Version::parse("1.2.3.4"), None);
}
