//! The machine under all patterns: a set of places in the pattern, moved on by each character.

/// One step of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Exactly this character.
    Char(char),
    /// Any character.
    Any,
    /// Any character but these.
    AnyBut(Box<[char]>),
    /// A character in one of the ranges, or in none where `not`.
    Class { ranges: Box<[(char, char)]>, not: bool },
    /// Goes on at both places.
    Split(usize, usize),
    /// Goes on there.
    Jump(usize),
    /// Only at the beginning of the text or behind a `/`.
    AfterSlash,
    /// Only at the end of the text or before a `/`.
    BeforeSlash,
}

impl Step {
    /// Whether the step takes this character.
    pub(crate) fn takes(&self, char: char) -> bool {
        match self {
            Step::Char(wanted) => *wanted == char,
            Step::Any => true,
            Step::AnyBut(not) => !not.contains(&char),
            Step::Class { ranges, not } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&char)) != *not
            }
            Step::Split(..) | Step::Jump(_) | Step::AfterSlash | Step::BeforeSlash => false,
        }
    }
}

/// A compiled pattern; the place after the last step is the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) steps: Vec<Step>,
}

impl Machine {
    pub(crate) fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// Adds a loop over one step, none or more times.
    pub(crate) fn push_star(&mut self, step: Step) {
        let split = self.steps.len();
        self.push(Step::Split(split + 1, split + 3));
        self.push(step);
        self.push(Step::Jump(split));
    }

    /// Whether the whole text fits.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let end = self.steps.len();
        let mut here = Places::new(end);
        let mut next = Places::new(end);
        let mut before = None;
        let mut chars = text.chars().peekable();
        self.enter(0, before, chars.peek().copied(), &mut here);
        while let Some(char) = chars.next() {
            if here.list.is_empty() {
                return false;
            }
            before = Some(char);
            let after = chars.peek().copied();
            for place in &here.list {
                if *place < end && self.steps[*place].takes(char) {
                    self.enter(place + 1, before, after, &mut next);
                }
            }
            std::mem::swap(&mut here, &mut next);
            next.clear();
        }
        here.seen[end]
    }

    /// Goes to a place, and from there wherever no character is needed.
    fn enter(&self, place: usize, before: Option<char>, after: Option<char>, places: &mut Places) {
        let mut stack = vec![place];
        while let Some(place) = stack.pop() {
            if std::mem::replace(&mut places.seen[place], true) {
                continue;
            }
            match self.steps.get(place) {
                Some(Step::Split(one, other)) => stack.extend([*other, *one]),
                Some(Step::Jump(there)) => stack.push(*there),
                Some(Step::AfterSlash) => {
                    if before.is_none_or(|char| char == '/') {
                        stack.push(place + 1);
                    }
                }
                Some(Step::BeforeSlash) => {
                    if after.is_none_or(|char| char == '/') {
                        stack.push(place + 1);
                    }
                }
                Some(_) | None => places.list.push(place),
            }
        }
    }
}

/// Places in a pattern, each once.
struct Places {
    list: Vec<usize>,
    seen: Vec<bool>,
}

impl Places {
    fn new(end: usize) -> Self {
        Self { list: Vec::new(), seen: vec![false; end + 1] }
    }

    fn clear(&mut self) {
        self.list.clear();
        self.seen.fill(false);
    }
}
