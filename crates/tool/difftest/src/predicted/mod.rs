//! Whether the local prediction of an apply says what the real server's dry run says.
//!
//! `difftest predicted [--edits N] [--seed N] [--chart PART] [--whole]`: the objects of the
//! corpus' charts are applied to a real server (all definitions first, then each chart into a
//! namespace of its own), and each is compared as the controller compares it, and asked of the
//! server. Then objects are changed by hand, N times in all, and judged again: after the change,
//! and after the apply that takes it back. `--whole` lets controllers run beside it. Exits 1 where
//! the two disagree and the prediction counts as certain.

mod edits;
mod stage;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use compare::{
    CompareError, Comparison, Evidence, IgnoreRules, KnownTypes, Mode, Rules, compare, differences,
};
use kubetest::{Parts, RealCluster};
use merge::schema::{Schema, TypeId};
use serde_json::Value;

use crate::charts::{corpus, tool};
use crate::random::Random;
use stage::Stage;

/// As whom the controller applies.
const MANAGER: &str = "argocd-controller";

/// How often each comparison is made; the quickest counts, as others run on this machine.
const RUNS: usize = 3;

/// How many disagreements of a sort are printed.
const SHOWN_MAX: usize = 3;

/// What was asked for on the command line.
struct Wanted {
    edits: usize,
    seed: u64,
    chart: String,
    parts: Parts,
}

/// Runs `difftest predicted`.
pub fn run(arguments: &[String]) -> Result<()> {
    let wanted = parse(arguments)?;
    let Some(corpus) = corpus::find()? else {
        println!("skipped: no corpus");
        return Ok(());
    };
    let Some(cluster) = RealCluster::start(wanted.parts)? else { return Ok(()) };
    let _first = rustls::crypto::ring::default_provider().install_default();
    let mut stage = Stage::new(&cluster.url(), cluster.token())?;

    let mut charts: Vec<(String, Vec<Value>)> = Vec::new();
    for chart in &corpus.charts {
        let Some(golden) = chart.golden.as_ref().filter(|_| chart.name.contains(&wanted.chart))
        else {
            continue;
        };
        let objects = tool::objects(&std::fs::read(golden)?);
        charts.push((chart.name.clone(), objects.with_context(|| chart.name.clone())?));
    }
    let mut score = Score::default();
    let mut random = Random::new(wanted.seed);
    let mut definitions = Vec::new();
    for (_, objects) in &mut charts {
        let (crds, rest) = std::mem::take(objects)
            .into_iter()
            .partition(|object| manifest::kind(object) == "CustomResourceDefinition");
        *objects = rest;
        definitions.extend::<Vec<Value>>(crds);
    }
    let definitions = stage.define(definitions, &mut score)?;
    for definition in &definitions {
        judge(&stage, definition, "after sync", &mut score)?;
    }
    println!("{} definitions, {} refused", definitions.len(), score.refused);
    let each = wanted.edits.div_ceil(charts.len() + 1);
    edit(&stage, &definitions, each, &mut random, &mut score)?;

    for (number, (name, objects)) in charts.into_iter().enumerate() {
        let namespace = format!("chart-{number}");
        stage.namespace(&namespace)?;
        // What stands in everybody's way is made last, and taken away again.
        let (guards, objects): (Vec<Value>, Vec<Value>) = objects.into_iter().partition(is_guard);
        let objects = stage.apply_all(objects, &namespace, &mut score)?;
        for object in &objects {
            judge(&stage, object, "after sync", &mut score)?;
        }
        let share = each.min(wanted.edits.saturating_sub(score.edits));
        let of_guards = if guards.is_empty() { 0 } else { share.div_ceil(4) };
        edit(&stage, &objects, share - of_guards, &mut random, &mut score)?;
        for guard in guards {
            let made = stage.apply_all(vec![guard], &namespace, &mut score)?;
            for object in &made {
                judge(&stage, object, "after sync", &mut score)?;
            }
            edit(&stage, &made, of_guards, &mut random, &mut score)?;
            for object in &made {
                stage.delete(object)?;
            }
        }
        if number % 20 == 19 {
            println!("… {} charts, the last {name}; {}", number + 1, score.line());
        }
    }
    score.print()
}

fn parse(arguments: &[String]) -> Result<Wanted> {
    let mut wanted = Wanted { edits: 2000, seed: 1, chart: String::new(), parts: Parts::ApiServer };
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let mut value = || rest.next().with_context(|| format!("`{flag}` needs a value"));
        match flag.as_str() {
            "--edits" => wanted.edits = value()?.parse().context("N is a number")?,
            "--seed" => wanted.seed = value()?.parse().context("N is a number")?,
            "--chart" => wanted.chart = value()?.clone(),
            "--whole" => wanted.parts = Parts::Whole,
            other => bail!("`{other}` is not known"),
        }
    }
    Ok(wanted)
}

/// What decides about other writes.
fn is_guard(object: &Value) -> bool {
    manifest::kind(object).contains("Webhook")
        || ["APIService", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]
            .contains(&manifest::kind(object))
}

/// Changes objects by hand, judges, takes the changes back, and judges again.
fn edit(
    stage: &Stage,
    objects: &[Value],
    count: usize,
    random: &mut Random,
    score: &mut Score,
) -> Result<()> {
    if objects.is_empty() {
        return Ok(());
    }
    let mut left = count * 6;
    let until = score.edits + count;
    while score.edits < until && left > 0 {
        left -= 1;
        let target = random.pick(objects);
        let Some(live) = stage.get(target)? else { continue };
        let (edited, what) = edits::edit(&live, target, random);
        if !stage.put(&edited, &live)? {
            continue;
        }
        score.edits += 1;
        judge(stage, target, &what, score)?;
        if let Err(refused) = stage.apply(target, false)? {
            // What by hand became impossible to apply is put back by hand.
            score.irreversible += 1;
            if stage.put(&live, &live)? {
                continue;
            }
            println!("{}: cannot be mended: {refused}", stage::label(target));
            continue;
        }
        judge(stage, target, &format!("taken back: {what}"), score)?;
    }
    Ok(())
}

/// Compares here, asks the server, and notes where the two disagree.
fn judge(stage: &Stage, target: &Value, after: &str, score: &mut Score) -> Result<()> {
    let Some(live) = stage.get(target)? else { return Ok(()) };
    let dry = stage.apply(target, true)?;
    let shape = stage.shape(target);
    let (ignore, known) = (IgnoreRules::default(), KnownTypes::default());
    let rules = rules(shape.as_ref(), &ignore, &known);
    let (here, took) = compared(target, &live, rules);
    let dry = match dry {
        Ok(dry) => dry,
        Err(words) => {
            // What the server refuses is a difference that a sync would name.
            score.refused_later += 1;
            if here.is_ok_and(|here| !here.modified()) {
                score.note("in sync here, refused there", || {
                    format!("{} {after}: {words}", stage::label(target))
                });
            }
            return Ok(());
        }
    };
    score.count(took, &here);
    let there = !stage::same(&dry, &live);
    let by_answer =
        compare::compare_dry_run(&dry, &live, &Rules { include_webhooks: true, ..rules });
    if by_answer.is_ok_and(|answer| answer.modified() != there) {
        score.answer_differs += 1;
        score.note("the answer is read otherwise", || {
            format!("{} {after}: {}", stage::label(target), stage::difference(&dry, &live))
        });
    }
    let by_answer = compare::compare_dry_run(&dry, &live, &rules);
    if let (Ok(here), Ok(answer)) = (&here, &by_answer) {
        let (finding, fields) = compare::check(here, answer, target, &live, &rules);
        if finding == compare::Finding::Otherwise {
            score.note("both differ, not in the same fields", || {
                format!("{} {after}: {}", stage::label(target), fields.join(", "))
            });
        }
    }
    let here = match here {
        Ok(here) => here,
        Err(error) => {
            score.wrong += 1;
            score.note("refused here, taken there", || {
                format!("{} {after}: {error}", stage::label(target))
            });
            return Ok(());
        }
    };
    let sort = match (here.modified(), there, here.certain) {
        (true, true, _) | (false, false, _) => return Ok(()),
        // The server is asked then, and wins.
        (true, false, false) => {
            score.asked_in_vain += 1;
            "differs here only, and the server is asked"
        }
        (true, false, true) => {
            score.wrong += 1;
            "false OutOfSync"
        }
        (false, true, _) => {
            score.wrong += 1;
            "missed difference"
        }
    };
    score.note(sort, || {
        let mut words = format!("{} {after}", stage::label(target));
        words.push_str(&format!("\n     there: {}", stage::difference(&dry, &live)));
        if let Some(sides) = &here.difference {
            let evidence = Evidence { target, live: &live, applied: None };
            for field in differences(sides, evidence, &rules).iter().take(4) {
                let text = |value: &Option<Value>| match value {
                    Some(value) => value.to_string().chars().take(160).collect(),
                    None => "(none)".to_owned(),
                };
                words.push_str(&format!(
                    "\n     here: {} desired {} live {}",
                    field.path,
                    text(&field.desired),
                    text(&field.live)
                ));
            }
        }
        words
    });
    Ok(())
}

/// The rules of a plain Application.
fn rules<'a>(
    shape: Option<&'a (std::sync::Arc<Schema>, TypeId)>,
    ignore: &'a IgnoreRules,
    known: &'a KnownTypes,
) -> Rules<'a> {
    Rules {
        schema: shape.map(|(schema, id)| (&**schema, *id)),
        minor: kubetypes::LATEST_MINOR,
        mode: Mode::ServerSide,
        ignore,
        known,
        manager: MANAGER,
        previous: &[],
        tracking_label: None,
        include_webhooks: false,
        ignore_status: true,
        ignore_aggregated_roles: false,
    }
}

/// Compares as the controller does, and says how long it took at best.
fn compared(
    target: &Value,
    live: &Value,
    rules: Rules<'_>,
) -> (Result<Comparison, CompareError>, Duration) {
    let mut took = Duration::MAX;
    let mut answer = None;
    for _ in 0..RUNS {
        let start = Instant::now();
        let compared = compare(target, live, &rules);
        took = took.min(start.elapsed());
        answer = Some(compared);
    }
    let answer = match answer.expect("it was compared at least once") {
        Err(CompareError::Refused(_)) => {
            compare(target, live, &Rules { mode: Mode::ClientSide, ..rules })
        }
        answer => answer,
    };
    (answer, took)
}

/// What came of it.
#[derive(Default)]
pub struct Score {
    /// Objects that the server did not take at all.
    pub refused: usize,
    edits: usize,
    irreversible: usize,
    compared: usize,
    modified: usize,
    uncertain: usize,
    asked_in_vain: usize,
    refused_later: usize,
    answer_differs: usize,
    wrong: usize,
    in_sync_took: Vec<Duration>,
    modified_took: Vec<Duration>,
    sorts: BTreeMap<&'static str, usize>,
}

impl Score {
    fn count(&mut self, took: Duration, answer: &Result<Comparison, CompareError>) {
        self.compared += 1;
        let Ok(answer) = answer else { return };
        self.uncertain += usize::from(!answer.certain);
        match answer.modified() {
            true => {
                self.modified += 1;
                self.modified_took.push(took);
            }
            false => self.in_sync_took.push(took),
        }
    }

    /// Counts a disagreement, and prints the first of its sort.
    fn note(&mut self, sort: &'static str, words: impl FnOnce() -> String) {
        let count = self.sorts.entry(sort).or_default();
        *count += 1;
        if *count <= SHOWN_MAX || std::env::var_os("DIFFTEST_ALL").is_some() {
            println!("== {sort}: {}", words());
        }
    }

    fn line(&self) -> String {
        format!("{} comparisons, {} edits, {} wrong", self.compared, self.edits, self.wrong)
    }

    fn print(&mut self) -> Result<()> {
        println!(
            "{}; {} differed, {} uncertain ({} of them asked in vain), {} not to be applied after an edit, {} not mended by an apply",
            self.line(),
            self.modified,
            self.uncertain,
            self.asked_in_vain,
            self.refused_later,
            self.irreversible,
        );
        println!(
            "{} objects refused by the server; {} answers read otherwise",
            self.refused, self.answer_differs
        );
        for (what, took) in
            [("in sync", &mut self.in_sync_took), ("modified", &mut self.modified_took)]
        {
            took.sort();
            let at = |share: f64| {
                let at = ((took.len() as f64 * share) as usize).min(took.len().saturating_sub(1));
                took.get(at).map_or(0.0, |took| took.as_secs_f64() * 1e6)
            };
            let all: Duration = took.iter().sum();
            println!(
                "{what}: mean {:.1} us, p50 {:.1} us, p90 {:.1} us, p99 {:.1} us",
                all.as_secs_f64() * 1e6 / took.len().max(1) as f64,
                at(0.5),
                at(0.9),
                at(0.99)
            );
        }
        for (sort, count) in &self.sorts {
            println!("{count:6} {sort}");
        }
        if self.wrong > 0 {
            bail!("{} comparisons are wrong", self.wrong);
        }
        Ok(())
    }
}
