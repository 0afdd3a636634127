//! Versions, as in `1.2.3-rc.1+build`.

use std::cmp::Ordering;

/// A version. What stands behind `+` is read and not compared.
#[derive(Clone, Debug)]
pub struct Version {
    /// Major, minor, patch.
    pub numbers: [u64; 3],
    before: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Word(String),
}

impl Version {
    /// Reads a version to the letter; `None` where it is none.
    pub fn parse(text: &str) -> Option<Version> {
        let (rest, build) = match text.split_once('+') {
            Some((rest, build)) => (rest, Some(build)),
            None => (text, None),
        };
        let (core, before) = match rest.split_once('-') {
            Some((core, before)) => (core, Some(before)),
            None => (rest, None),
        };
        let good = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if build.is_some_and(|build| !build.split('.').all(good)) {
            return None;
        }
        let numbers: Vec<u64> = core.split('.').map(number).collect::<Option<_>>()?;
        let before = before.map_or(Some(Vec::new()), |before| {
            before
                .split('.')
                .map(|word| match word.bytes().all(|byte| byte.is_ascii_digit()) {
                    true => number(word).map(Part::Number),
                    false => good(word).then(|| Part::Word(word.to_owned())),
                })
                .collect()
        })?;
        Some(Version { numbers: numbers.try_into().ok()?, before })
    }

    /// Reads a version as people write it: with a `v`, without a patch, with zeros in front.
    pub fn parse_loosely(text: &str) -> Option<Version> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(['-', '+']).unwrap_or(text.len());
        let (core, rest) = text.split_at(end);
        let mut numbers: Vec<String> = core
            .split('.')
            .map(|word| match word.trim_start_matches('0') {
                "" if word.is_empty() => String::new(),
                "" => "0".to_owned(),
                word => word.to_owned(),
            })
            .collect();
        if numbers.len() < 3 && !rest.is_empty() {
            return None;
        }
        numbers.resize(numbers.len().max(3), "0".to_owned());
        Version::parse(&format!("{}{rest}", numbers.join(".")))
    }
}

fn number(word: &str) -> Option<u64> {
    let leads = word.len() > 1 && word.starts_with('0');
    (!leads && word.bytes().all(|byte| byte.is_ascii_digit())).then(|| word.parse().ok()).flatten()
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What comes before a release is older than it.
impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let unfinished = |version: &Version| !version.before.is_empty();
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| unfinished(other).cmp(&unfinished(self)))
            .then_with(|| self.before.cmp(&other.before))
    }
}
