//! What an Application's objects own, as a tree.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::Result;
use cluster::{ApiError, Cluster, KindInfo, ListQuery, excluded_always};
use crd::{Application, HealthStatusCode};
use futures::future::try_join_all;
use health::{Health, Rules, UserScripts, assess};
use jiff::Timestamp;
use manifest::ObjectKey;
use serde_json::Value;

use super::live::{self, LiveResource};
use super::states::{ResourceState, resource_states};
use crate::commands::connect::Session;
use crate::commands::scripts::{health_rules, settings, should_stop};
use crate::commands::table::Table;

/// One object of the tree.
#[derive(Clone, Debug)]
pub struct Node {
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Empty where the object is not there.
    uid: String,
    created: Option<Timestamp>,
    health: Option<Health>,
}

impl Node {
    fn of(object: &Value, scripts: &UserScripts) -> Self {
        let user = |object: &Value| scripts.judge(object, Timestamp::now(), Some(should_stop()));
        let created = object.pointer("/metadata/creationTimestamp").and_then(Value::as_str);
        Self {
            group: manifest::gvk(object).group,
            kind: manifest::kind(object).to_owned(),
            namespace: manifest::namespace(object).to_owned(),
            name: manifest::name(object).to_owned(),
            uid: manifest::uid(object).to_owned(),
            created: created.and_then(|text| text.parse().ok()),
            health: assess(object, &Rules { user: Some(&user) })
                .filter(|health| health.status != HealthStatusCode::Unset),
        }
    }

    fn missing(resource: &LiveResource) -> Self {
        let status = &resource.status;
        Self {
            group: status.group.clone(),
            kind: status.kind.clone(),
            namespace: status.namespace.clone(),
            name: status.name.clone(),
            uid: String::new(),
            created: None,
            health: None,
        }
    }

    /// What the object is called.
    pub fn key(&self) -> ObjectKey {
        ObjectKey::new(&self.group, &self.kind, &self.namespace, &self.name)
    }

    fn age(&self, now: Timestamp) -> String {
        match self.created {
            Some(created) => human_age(now.as_second() - created.as_second()),
            None => "<unknown>".to_owned(),
        }
    }

    fn health_words(&self) -> (String, String) {
        match &self.health {
            Some(health) => (health.status.as_str().to_owned(), health.message.clone()),
            None => (String::new(), String::new()),
        }
    }
}

/// An age as kubectl shows it: `45s`, `3m20s`, `2h`, `5d`.
pub fn human_age(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let with = |big: i64, unit: char, rest: i64, small: char| match rest {
        0 => format!("{big}{unit}"),
        rest => format!("{big}{unit}{rest}{small}"),
    };
    match seconds {
        ..120 => format!("{seconds}s"),
        120..600 => with(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => with(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => with(days, 'd', hours % 24, 'h'),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => with(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    }
}

/// The objects of an Application, and what they own.
#[derive(Debug, Default)]
pub struct Tree {
    roots: Vec<Node>,
    children: HashMap<String, Vec<Node>>,
    orphans: Vec<Node>,
}

impl Tree {
    /// Reads the Application's objects, and everything in their namespaces that they own.
    pub async fn gather(session: &Session, application: &Application) -> Result<Self> {
        let cluster = live::destination(session, application).await?;
        let resources = live::resources(&cluster, application).await?;
        let mut namespaces: BTreeSet<&str> = resources
            .iter()
            .filter_map(|resource| resource.object.as_ref())
            .map(manifest::namespace)
            .filter(|namespace| !namespace.is_empty())
            .collect();
        let project = session.project(application.spec.project_name()).await?;
        let orphaned = project.and_then(|one| one.spec.orphaned_resources);
        if orphaned.is_some() && !application.spec.destination.namespace.is_empty() {
            namespaces.insert(&application.spec.destination.namespace);
        }
        let around = everything_in(&cluster, &namespaces).await?;
        let scripts = UserScripts::compile(health_rules(&settings(session).await?));
        let mut tree = Self::build(&resources, &around, &scripts);
        match orphaned {
            Some(asked) => tree.orphans.retain(|node| {
                !policy::ignores_orphan(&asked.ignore, &node.group, &node.kind, &node.name)
            }),
            None => tree.orphans.clear(),
        }
        Ok(tree)
    }

    fn build(resources: &[LiveResource], around: &[Value], scripts: &UserScripts) -> Self {
        let mut tree = Self::default();
        let mut known: HashSet<String> = HashSet::new();
        for resource in resources {
            let node = match &resource.object {
                Some(object) => Node::of(object, scripts),
                None => Node::missing(resource),
            };
            known.insert(node.uid.clone());
            tree.roots.push(node);
        }
        let mut owned: HashMap<String, Vec<&Value>> = HashMap::new();
        for object in around.iter().filter(|object| !known.contains(manifest::uid(object))) {
            let owners = manifest::owner_references(object);
            if owners.is_empty() && is_orphan(object) {
                tree.orphans.push(Node::of(object, scripts));
            }
            if let Some(owner) = owners.first() {
                owned.entry(owner.uid.clone()).or_default().push(object);
            }
        }
        // From the roots down; an object is placed once, so a cycle ends.
        let mut parents: Vec<String> = known.iter().cloned().collect();
        while let Some(parent) = parents.pop() {
            let Some(objects) = owned.remove(&parent) else { continue };
            let mut nodes: Vec<Node> =
                objects.into_iter().map(|object| Node::of(object, scripts)).collect();
            nodes.sort_by(|left, right| (&left.kind, &left.name).cmp(&(&right.kind, &right.name)));
            nodes.retain(|node| known.insert(node.uid.clone()));
            parents.extend(nodes.iter().map(|node| node.uid.clone()));
            tree.children.insert(parent, nodes);
        }
        tree
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// The Application's own objects.
    pub fn roots(&self) -> &[Node] {
        &self.roots
    }

    /// What stands in its namespaces and belongs to nobody; nothing where the project does not
    /// look for it.
    pub fn orphans(&self) -> &[Node] {
        &self.orphans
    }

    /// Calls `line` with each node below `nodes`, parents first, and the lines of the tree before
    /// it.
    pub fn walk(&self, nodes: &[Node], line: &mut dyn FnMut(&str, &Node)) {
        for node in nodes {
            line("", node);
            self.walk_below(node, "", line);
        }
    }

    fn walk_below(&self, parent: &Node, before: &str, line: &mut dyn FnMut(&str, &Node)) {
        let children = match parent.uid.as_str() {
            "" => return,
            uid => self.children.get(uid).map(Vec::as_slice).unwrap_or_default(),
        };
        for (index, node) in children.iter().enumerate() {
            let (branch, below) = match index + 1 == children.len() {
                true => ("└─", "  "),
                false => ("├─", "│ "),
            };
            line(&format!("{before}{branch}"), node);
            self.walk_below(node, &format!("{before}{below}"), line);
        }
    }
}

/// What every namespace holds without anybody having asked for it.
fn is_orphan(object: &Value) -> bool {
    let is_given = matches!(
        (manifest::kind(object), manifest::name(object)),
        ("ServiceAccount", "default") | ("ConfigMap", "kube-root-ca.crt")
    );
    let is_derived = matches!(manifest::kind(object), "Endpoints" | "EndpointSlice");
    !is_given && !is_derived && manifest::annotation(object, crd::keys::TRACKING_ID).is_none()
}

async fn everything_in(cluster: &Cluster, namespaces: &BTreeSet<&str>) -> Result<Vec<Value>> {
    let kinds = cluster.kinds();
    let wanted: Vec<&KindInfo> = kinds
        .watchable()
        .filter(|info| info.namespaced && !excluded_always(&info.gvk.group_kind()))
        .collect();
    let places = namespaces.iter().flat_map(|namespace| {
        wanted.iter().map(move |info| (*info, ListQuery::in_namespace(namespace)))
    });
    let lists = places.map(async |(info, query)| match cluster.list(&info.gvk, &query).await {
        // What may not be seen is not shown.
        Err(ApiError::Forbidden { .. } | ApiError::NotFound { .. }) => Ok(Vec::new()),
        listed => listed,
    });
    Ok(try_join_all(lists).await?.into_iter().flatten().collect())
}

/// The tree with what the Application knows of each object, as `app get -o tree` shows it.
pub fn application_table(tree: &Tree, application: &Application, detailed: bool) -> Table {
    let states: BTreeMap<String, ResourceState> = resource_states(application, &[])
        .into_iter()
        .map(|state| (format!("{}/{}", state.kind, state.name), state))
        .collect();
    let mut table = match detailed {
        true => Table::headed(&["KIND/NAME", "STATUS", "HEALTH", "AGE", "MESSAGE", "REASON"]),
        false => Table::headed(&["KIND/NAME", "STATUS", "HEALTH", "MESSAGE"]),
    };
    let now = Timestamp::now();
    tree.walk(tree.roots(), &mut |before, node| {
        let called = format!("{}/{}", node.kind, node.name);
        let (health, reason) = node.health_words();
        let (status, health, message) = match states.get(&called) {
            Some(state) => {
                let health = match (state.health.as_str(), node.uid.as_str()) {
                    ("", "") => HealthStatusCode::Missing.as_str().to_owned(),
                    ("", _) => health,
                    (told, _) => told.to_owned(),
                };
                (state.status.clone(), health, state.message.clone())
            }
            None => (String::new(), health, String::new()),
        };
        let first = format!("{before}{called}");
        match detailed {
            true => table.line([first, status, health, node.age(now), message, reason]),
            false => table.line([first, status, health, message]),
        }
    });
    table
}

/// The tree as `app resources` shows it.
pub fn resources_table(tree: &Tree, shape: Shape, which: Which) -> Table {
    let mut headings = vec!["GROUP", "KIND", "NAMESPACE", "NAME", "ORPHANED"];
    if shape == Shape::Detailed {
        headings.extend(["AGE", "HEALTH", "REASON"]);
    }
    let mut table = Table::headed(&headings);
    let now = Timestamp::now();
    let mut add = |before: &str, node: &Node, orphaned: &str| {
        let mut cells = vec![
            format!("{before}{}", node.group),
            node.kind.clone(),
            node.namespace.clone(),
            node.name.clone(),
            orphaned.to_owned(),
        ];
        if shape == Shape::Detailed {
            let (health, reason) = node.health_words();
            cells.extend([node.age(now), health, reason]);
        }
        table.line(cells);
    };
    for (nodes, orphaned, wanted) in [
        (tree.roots(), "No", which != Which::Orphans),
        (tree.orphans(), "Yes", which != Which::Owned),
    ] {
        match shape {
            _ if !wanted => {}
            Shape::Flat => nodes.iter().for_each(|node| add("", node, orphaned)),
            Shape::Tree | Shape::Detailed => {
                tree.walk(nodes, &mut |before, node| add(before, node, orphaned));
            }
        }
    }
    table
}

/// How much of the tree is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Its roots.
    Flat,
    /// All of it.
    Tree,
    /// All of it, with ages and healths.
    Detailed,
}

/// Which objects are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// What nobody owns.
    Orphans,
    /// What the Application owns.
    Owned,
}
