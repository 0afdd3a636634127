//! What the engines say about single objects: is it well, does it differ, how is it applied.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cluster::{ApiError, Patch, Validation, Write, Written};
use compare::{CompareError, Compiled, IgnoreRules, KnownTypes, Mode, Share};
use crd::{Application, HealthStatusCode};
use health::{Rules, assess};
use jiff::Timestamp;
use reconcile::{Ground, Judged, Target};
use serde_json::Value;
use settings::{CompareOptions, IgnoreStatus};
use sync::marks::{COMPARE_OPTIONS, is_crd};
use sync::{How, Method, Options, Resource, Wellness};
use tracing::debug;

use crate::carry_out::MANAGER;
use crate::checks::{Checks, note};
use crate::destinations::Destination;
use crate::gate::ProjectGate;
use crate::metrics::Tally;
use crate::shapes::Shape;
use crate::shared::Snapshot;

/// How long a user's script may take.
const SCRIPT_TIME_MAX: Duration = Duration::from_secs(1);

/// Returns how well an object is; `None` where its kind has no health.
///
/// A user's script that takes longer than a second is ended, and the object is Unknown.
pub(crate) fn health(snapshot: &Snapshot, object: &Value) -> Option<Judged> {
    let user = |object: &Value| {
        let until = Instant::now() + SCRIPT_TIME_MAX;
        let should_stop = Arc::new(move || until < Instant::now());
        snapshot.health.judge(object, Timestamp::now(), Some(should_stop))
    };
    let health = assess(object, &Rules { user: Some(&user) })?;
    if health.status == HealthStatusCode::Unset {
        return None;
    }
    let wellness = match health.status.as_str() {
        "Healthy" => Wellness::Healthy,
        "Suspended" => Wellness::Suspended,
        "Progressing" => Wellness::Progressing,
        "Missing" => Wellness::Missing,
        "Degraded" => Wellness::Degraded,
        _ => Wellness::Unknown,
    };
    Some(Judged { wellness, message: health.message, rule_failed: health.rule_failed })
}

/// The rules by which objects of one Application are compared.
pub(crate) struct Rulebook {
    ignore: Arc<IgnoreRules>,
    /// Rules that cannot be used, for people: with them nothing can be compared.
    pub errors: Vec<String>,
    options: Options,
    tracking_label: Option<String>,
    known: Arc<KnownTypes>,
    /// Whether differences are always asked of the cluster.
    server_side: bool,
    include_webhooks: bool,
    /// How many of the answers from here are held to the cluster's.
    checked: Share,
    /// As whom the cluster is asked; `None`: as the controller.
    account: Option<String>,
    compare: CompareOptions,
    /// The same for the same rules.
    pub hash: u64,
}

impl Rulebook {
    pub fn new(snapshot: &Snapshot, application: &Application) -> Self {
        let spec = &application.spec;
        let (ignore, errors) = match spec.ignore_differences.is_empty() {
            true => (snapshot.ignore.clone(), snapshot.ignore_errors.clone()),
            false => {
                let all = spec.ignore_differences.iter().chain(&snapshot.ignored);
                let Compiled { rules, errors, warnings } = IgnoreRules::compile(all);
                for warning in warnings {
                    debug!(warning, "a rule ignores nothing");
                }
                (Arc::new(rules), errors)
            }
        };
        let list = spec
            .sync_policy
            .as_ref()
            .map(|policy| policy.sync_options.as_slice())
            .unwrap_or_default();
        let annotated = application
            .metadata
            .annotations
            .get(COMPARE_OPTIONS)
            .map(String::as_str)
            .unwrap_or_default();
        let has = |option: &str| annotated.split(',').any(|one| one.trim() == option);
        let server_side = match (has("ServerSideDiff=true"), has("ServerSideDiff=false")) {
            (true, _) => true,
            (false, true) => false,
            (false, false) => snapshot.settings.controller.server_side_diff,
        };
        let mut hash = DefaultHasher::new();
        (snapshot.version, ignore.hash(), list, annotated).hash(&mut hash);
        let tracking = &snapshot.rules.tracking;
        Self {
            ignore,
            errors,
            options: Options::from_list(list),
            known: snapshot.known.clone(),
            server_side,
            include_webhooks: has("IncludeMutationWebhook=true"),
            checked: Share {
                one_in: snapshot.settings.controller.diff_check_one_in as u64,
                per_minute_max: snapshot.settings.controller.diff_checks_per_minute as u64,
            },
            account: None,
            tracking_label: (tracking.method != Method::Label).then(|| tracking.label_key.clone()),
            compare: snapshot.settings.resources.compare,
            hash: hash.finish(),
        }
    }

    /// The same, asking the cluster as this account.
    pub fn acting_as(mut self, account: Option<String>) -> Self {
        self.account = account;
        self
    }

    fn rules<'a>(
        &'a self,
        shape: &'a Option<Shape>,
        minor: u32,
        target: &Arc<Value>,
        previous: &'a [Arc<Value>],
        refusal: Option<Arc<str>>,
    ) -> compare::Rules<'a> {
        let resource = Resource {
            target: Some(target.clone()),
            structural_refusal: refusal,
            ..Resource::default()
        };
        let ignore_status = match self.compare.ignore_status {
            IgnoreStatus::All => true,
            IgnoreStatus::Crd => is_crd(target),
            IgnoreStatus::None => false,
        };
        compare::Rules {
            schema: shape_of(shape),
            minor,
            mode: match self.options.how(&resource) {
                How::ClientSide => Mode::ClientSide,
                How::ServerSide | How::Replace => Mode::ServerSide,
            },
            ignore: &self.ignore,
            known: &self.known,
            manager: MANAGER,
            previous,
            tracking_label: self.tracking_label.as_deref(),
            include_webhooks: self.include_webhooks,
            ignore_status,
            ignore_aggregated_roles: self.compare.ignore_aggregated_roles,
        }
    }

    /// Returns the object with ignored fields as they are live (`RespectIgnoreDifferences=true`).
    pub async fn respect(
        &self,
        destination: &Destination,
        target: &Arc<Value>,
        live: &Value,
    ) -> Arc<Value> {
        let gvk = manifest::gvk(target);
        let shape = destination.shape(&gvk).await;
        let rules = self.rules(&shape, destination.minor(), target, &[], None);
        Arc::new(compare::respect_ignored(target, live, &rules))
    }
}

fn shape_of(shape: &Option<Shape>) -> sync::apply::Shape<'_> {
    shape.as_ref().map(|shape| (&*shape.schema, shape.type_id))
}

/// Returns why the cluster would refuse to apply the object on its side.
pub(crate) async fn structural_refusal(
    destination: &Destination,
    target: &Value,
) -> Option<Arc<str>> {
    let shape = destination.shape(&manifest::gvk(target)).await;
    sync::apply::refuses_server_side(target, shape_of(&shape)).map(Arc::from)
}

/// Tells whether the cluster refused a server-side apply for its structure.
pub(crate) fn is_structural(error: &ApiError) -> bool {
    let words = error.message();
    words.contains("failed to create typed patch object")
        || words.contains("failed to convert new object")
        || words.contains("duplicate entries for key")
}

/// Whom a comparison may ask, within what, and who counts it.
pub(crate) struct Asking<'a> {
    pub destination: &'a Arc<Destination>,
    pub ground: &'a Ground,
    pub tally: Tally<'a>,
    /// Which answers from here are held to the cluster's.
    pub checks: &'a Checks,
}

/// Tells whether a live object differs from what is wanted; where that cannot be told from here,
/// the cluster is asked what an apply would change. It is asked of a few others, too: where the two
/// disagree, its word is the answer.
pub(crate) async fn differs(
    Asking { destination, ground, tally, checks }: &Asking<'_>,
    (target, object): (&Target, &Arc<Value>),
    live: &Value,
    previous: &[Arc<Value>],
    (refusal, rulebook): (Option<Arc<str>>, &Rulebook),
) -> Result<bool, String> {
    let shape = destination.shape(&target.gvk).await;
    let mut rules = rulebook.rules(&shape, destination.minor(), object, previous, refusal);
    let compared = match compare::compare(object, live, &rules) {
        Err(CompareError::Refused(_)) if rules.mode == Mode::ServerSide => {
            rules.mode = Mode::ClientSide;
            compare::compare(object, live, &rules)
        }
        compared => compared,
    };
    let compared = compared.map_err(|error| crate::destinations::chain(&error))?;
    if rules.mode == Mode::ClientSide {
        return Ok(compared.modified());
    }
    let settled = compared.certain && !rulebook.server_side;
    let is_claim = settled || !compared.modified();
    let version = manifest::resource_version(live);
    if is_claim && !checks.takes(rulebook.checked, &target.key, version, target.hash) {
        return Ok(compared.modified());
    }
    let gate = ProjectGate { project: ground.project.clone(), cluster: ground.cluster.clone() };
    let mut writer = destination.cluster.writer(Arc::new(gate));
    if let Some(account) = &rulebook.account {
        writer = writer.acting_as(account).map_err(|error| crate::destinations::chain(&error))?;
    }
    let write = Write::apply((**object).clone(), MANAGER).dry().validated(Validation::Ignore);
    let answer = writer.write(&write).await;
    tally.count(&write, &answer);
    match answer {
        Ok(Written { object: Some(answer), .. }) => {
            let answered = compare::compare_dry_run(&answer, live, &rules)
                .map_err(|error| crate::destinations::chain(&error))?;
            if is_claim {
                note(tally, object, live, [&compared, &answered], &rules);
            }
            Ok(answered.modified())
        }
        // What the cluster would refuse is a difference that the sync will name.
        Ok(_) | Err(_) => {
            if is_claim {
                tally.checked(object, "unanswered");
            }
            Ok(compared.modified())
        }
    }
}

/// Returns the patch that makes our own what others have left.
pub(crate) async fn take_over(
    destination: &Destination,
    live: &Value,
    target: &Value,
    previous: &[Arc<Value>],
    migrate_from: Option<&str>,
) -> Option<Value> {
    let shape = destination.shape(&manifest::gvk(target)).await;
    sync::apply::take_over(live, target, previous, MANAGER, migrate_from, shape_of(&shape))
}

/// Returns what a client-side apply changes; `None`: nothing.
pub(crate) async fn client_side_patch(
    destination: &Destination,
    target: &Value,
    live: &Value,
) -> Result<Option<Patch>, String> {
    let shape = destination.shape(&manifest::gvk(target)).await.filter(|shape| shape.builtin);
    let patch = sync::apply::client_side_patch(target, live, shape_of(&shape))
        .map_err(|error| error.to_string())?;
    Ok(patch.map(|one| match one.strategic {
        true => Patch::Strategic(one.patch),
        false => Patch::Merge(one.patch),
    }))
}
