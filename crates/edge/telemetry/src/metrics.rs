//! Numbers with names and labels, and their text.
//!
//! The text is Prometheus' format 0.0.4 as Go's client prints it, so that what reads upstream's
//! metrics reads ours: families sorted by name, series sorted by label values, numbers in the
//! same notation.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use parking_lot::Mutex;

/// Series that one family may have; a further one is not counted, so that a label with
/// values from outside cannot fill the memory.
const SERIES_MAX: usize = 200_000;

/// All families of a process. Clones are handles to the same.
#[derive(Clone, Default)]
pub struct Registry {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    families: BTreeMap<String, Arc<Family>>,
    before: Vec<Arc<dyn Fn() + Send + Sync>>,
}

struct Family {
    help: &'static str,
    labels: Mutex<Vec<String>>,
    kind: Kind,
    series: Mutex<BTreeMap<Box<[String]>, Value>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Counter,
    Gauge,
    Histogram(&'static [f64]),
}

#[derive(Clone)]
enum Value {
    Number(f64),
    Buckets { counts: Box<[u64]>, count: u64, sum: f64 },
}

/// A number that only grows.
#[derive(Clone)]
pub struct Counter {
    family: Arc<Family>,
}

/// A number that goes up and down.
#[derive(Clone)]
pub struct Gauge {
    family: Arc<Family>,
}

/// How often a number was how large.
#[derive(Clone)]
pub struct Histogram {
    family: Arc<Family>,
}

impl Registry {
    /// Returns the counter of a name. The name is registered once; asked for again it is the
    /// same counter.
    pub fn counter(&self, name: &str, help: &'static str, labels: &[&str]) -> Counter {
        Counter { family: self.family(name, help, labels, Kind::Counter) }
    }

    /// Returns the gauge of a name.
    pub fn gauge(&self, name: &str, help: &'static str, labels: &[&str]) -> Gauge {
        Gauge { family: self.family(name, help, labels, Kind::Gauge) }
    }

    /// Returns the histogram of a name; `buckets` are upper bounds, rising.
    pub fn histogram(
        &self,
        name: &str,
        help: &'static str,
        labels: &[&str],
        buckets: &'static [f64],
    ) -> Histogram {
        Histogram { family: self.family(name, help, labels, Kind::Histogram(buckets)) }
    }

    /// Has `fill` called before each print, for numbers that are only known when asked for.
    pub fn before_print(&self, fill: impl Fn() + Send + Sync + 'static) {
        self.inner.lock().before.push(Arc::new(fill));
    }

    fn family(&self, name: &str, help: &'static str, labels: &[&str], kind: Kind) -> Arc<Family> {
        let mut inner = self.inner.lock();
        let family = inner.families.entry(name.to_owned()).or_insert_with(|| {
            Arc::new(Family {
                help,
                labels: Mutex::new(labels.iter().map(|label| (*label).to_owned()).collect()),
                kind,
                series: Mutex::default(),
            })
        });
        debug_assert!(family.kind == kind, "`{name}` is registered as another kind");
        family.clone()
    }

    /// Prints all families that have a series.
    pub fn print(&self) -> String {
        let before = self.inner.lock().before.clone();
        before.iter().for_each(|fill| fill());
        let families: Vec<_> =
            self.inner.lock().families.iter().map(|(n, f)| (n.clone(), f.clone())).collect();
        let mut out = String::new();
        for (name, family) in families {
            family.print(&name, &mut out);
        }
        out
    }
}

impl Family {
    fn change(&self, labels: &[&str], change: impl FnOnce(&mut Value)) {
        debug_assert_eq!(labels.len(), self.labels.lock().len(), "one value a label");
        let key: Box<[String]> = labels.iter().map(|value| (*value).to_owned()).collect();
        let mut series = self.series.lock();
        if series.len() >= SERIES_MAX && !series.contains_key(&key) {
            return;
        }
        change(series.entry(key).or_insert_with(|| self.zero()));
    }

    fn zero(&self) -> Value {
        match self.kind {
            Kind::Counter | Kind::Gauge => Value::Number(0.0),
            Kind::Histogram(buckets) => {
                Value::Buckets { counts: vec![0; buckets.len()].into(), count: 0, sum: 0.0 }
            }
        }
    }

    fn print(&self, name: &str, out: &mut String) {
        let series = self.series.lock();
        if series.is_empty() {
            return;
        }
        let kind = match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        // Writing into a String cannot fail.
        let _ = writeln!(out, "# HELP {name} {}", self.help);
        let _ = writeln!(out, "# TYPE {name} {kind}");
        for (values, value) in series.iter() {
            let labels = self.labels_text(values);
            match value {
                Value::Number(number) => {
                    let _ = writeln!(out, "{name}{} {}", braced(&labels), number_text(*number));
                }
                Value::Buckets { counts, count, sum } => {
                    let Kind::Histogram(bounds) = self.kind else { continue };
                    let comma = if labels.is_empty() { "" } else { "," };
                    let mut below = 0;
                    for (bound, own) in bounds.iter().zip(counts.iter()) {
                        below += own;
                        let le = number_text(*bound);
                        let _ =
                            writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{le}\"}} {below}");
                    }
                    let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {count}");
                    let braces = braced(&labels);
                    let _ = writeln!(out, "{name}_sum{braces} {}", number_text(*sum));
                    let _ = writeln!(out, "{name}_count{braces} {count}");
                }
            }
        }
    }

    /// `a="1",b="2"`, sorted by label.
    fn labels_text(&self, values: &[String]) -> String {
        let labels = self.labels.lock();
        let mut pairs: Vec<_> = labels.iter().zip(values).collect();
        pairs.sort();
        let pairs: Vec<String> =
            pairs.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        pairs.join(",")
    }
}

impl Counter {
    /// Counts one.
    pub fn inc(&self, labels: &[&str]) {
        self.add(labels, 1.0);
    }

    /// Counts `by`, which is not negative.
    pub fn add(&self, labels: &[&str], by: f64) {
        self.family.change(labels, |value| {
            if let Value::Number(number) = value {
                *number += by.max(0.0);
            }
        });
    }

    /// Sets what was counted elsewhere.
    pub fn set(&self, labels: &[&str], to: f64) {
        self.family.change(labels, |value| *value = Value::Number(to));
    }

    /// Forgets all series, as upstream does when its metrics cache expires.
    pub fn reset(&self) {
        self.family.series.lock().clear();
    }
}

impl Gauge {
    /// Sets one series.
    pub fn set(&self, labels: &[&str], to: f64) {
        self.family.change(labels, |value| *value = Value::Number(to));
    }

    /// Adds to one series; negative takes away.
    pub fn add(&self, labels: &[&str], by: f64) {
        self.family.change(labels, |value| {
            if let Value::Number(number) = value {
                *number += by;
            }
        });
    }

    /// Forgets one series.
    pub fn remove(&self, labels: &[&str]) {
        let key: Box<[String]> = labels.iter().map(|value| (*value).to_owned()).collect();
        self.family.series.lock().remove(&key);
    }

    /// Sets the labels too, where they are only known later; see [`Gauge::replace`].
    pub fn relabel(
        &self,
        labels: Vec<String>,
        series: impl IntoIterator<Item = (Vec<String>, f64)>,
    ) {
        *self.family.labels.lock() = labels;
        self.replace(series);
    }

    /// Forgets all series.
    pub fn reset(&self) {
        self.family.series.lock().clear();
    }

    /// Sets all series at once; those that are not among them are forgotten.
    pub fn replace(&self, series: impl IntoIterator<Item = (Vec<String>, f64)>) {
        let series = series.into_iter().take(SERIES_MAX);
        *self.family.series.lock() = series
            .map(|(labels, number)| (labels.into_boxed_slice(), Value::Number(number)))
            .collect();
    }
}

/// A label of Kubernetes as a label of a metric: upstream puts `label_` before it, and `_` in
/// place of what no metric's label may hold.
pub fn label_name(label: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("label_{}", label.chars().map(letter).collect::<String>())
}

impl Histogram {
    /// Counts one number.
    pub fn observe(&self, labels: &[&str], seen: f64) {
        let Kind::Histogram(bounds) = self.family.kind else { return };
        self.family.change(labels, |value| {
            if let Value::Buckets { counts, count, sum } = value {
                if let Some(at) = bounds.iter().position(|bound| seen <= *bound) {
                    counts[at] += 1;
                }
                *count += 1;
                *sum += seen;
            }
        });
    }

    /// Forgets all series, as upstream does when its metrics cache expires.
    pub fn reset(&self) {
        self.family.series.lock().clear();
    }
}

fn braced(labels: &str) -> String {
    if labels.is_empty() { String::new() } else { format!("{{{labels}}}") }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A number as Go's `%g` prints it in the fewest digits: with an exponent from a million on and
/// below a ten-thousandth.
pub(crate) fn number_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').expect("`e` prints an exponent");
    let exponent: i32 = exponent.parse().expect("`e` prints a number after it");
    if (-4..6).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}
