//! What acts in a cluster by itself: garbage collection, namespaces, simulated controllers.
//!
//! One loop a cluster reads the store's events and wakes whom they concern. Nothing is
//! polled: a cluster in which nothing is written, and nothing is due, costs nothing.

mod aggregation;
mod collector;
mod controllers;
mod namespaces;
mod quotas;

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::store::{Change, Event, TableId};

/// Events that are read from one table at once.
const BATCH_EVENTS_MAX: usize = 1024;

/// Starts a cluster's loop; it ends with `work`.
pub fn spawn(work: &mut JoinSet<()>, cluster: &Arc<Cluster>, ca_pem: &str) {
    let mut loops = Loops {
        cluster: cluster.clone(),
        collector: collector::Collector::default(),
        namespaces: namespaces::Namespaces::new(ca_pem),
        controllers: controllers::Controllers::default(),
        quotas: quotas::Quotas::default(),
        aggregation: aggregation::Aggregation::default(),
        seen: 0,
    };
    work.spawn(async move { loops.run().await });
}

struct Loops {
    cluster: Arc<Cluster>,
    collector: collector::Collector,
    namespaces: namespaces::Namespaces,
    controllers: controllers::Controllers,
    quotas: quotas::Quotas,
    aggregation: aggregation::Aggregation,
    seen: u64,
}

impl Loops {
    async fn run(&mut self) {
        let mut newest = self.cluster.store.follow_all();
        self.look_at_everything();
        loop {
            newest.mark_unchanged();
            self.catch_up();
            self.act();
            if self.cluster.store.revision() > self.seen || self.is_busy() {
                tokio::task::yield_now().await;
                continue;
            }
            let due = self.controllers.next_due();
            tokio::select! {
                changed = newest.changed() => if changed.is_err() { return },
                () = sleep_until(due) => self.controllers.wake_due(Instant::now()),
            }
        }
    }

    fn is_busy(&self) -> bool {
        self.collector.is_busy()
            || self.namespaces.is_busy()
            || self.controllers.is_busy()
            || self.quotas.is_busy()
            || self.aggregation.is_busy()
    }

    fn act(&mut self) {
        self.collector.act(&self.cluster);
        self.namespaces.act(&self.cluster);
        self.controllers.act(&self.cluster);
        self.quotas.act(&self.cluster);
        self.aggregation.act(&self.cluster);
    }

    /// Reads what happened since; where that is forgotten, everything counts as new.
    fn catch_up(&mut self) {
        let (changed, newest) = self.cluster.store.changed_after(self.seen);
        let Some(changed) = changed else { return self.look_at_everything() };
        let mut events: Vec<(TableId, Arc<Event>)> = Vec::new();
        for table in changed {
            let mut from = self.seen;
            loop {
                let read = self.cluster.store.events_after(&table, from, BATCH_EVENTS_MAX);
                let Ok((read, _)) = read else { return self.look_at_everything() };
                let whole = read.len() < BATCH_EVENTS_MAX;
                from = read.last().map_or(from, |event| event.revision);
                events.extend(read.into_iter().map(|event| (table.clone(), event)));
                if whole {
                    break;
                }
            }
        }
        events.retain(|(_, event)| event.revision <= newest);
        events.sort_by_key(|(_, event)| event.revision);
        self.seen = newest;
        for (table, event) in &events {
            self.tell(table, event);
        }
    }

    fn look_at_everything(&mut self) {
        self.seen = self.cluster.store.revision();
        for table in self.cluster.store.tables() {
            let Ok(page) = self.cluster.store.list(&table, "", None, 0, None) else { continue };
            for (key, entry) in page.entries {
                let event = Event { revision: entry.revision, key, entry, change: Change::Added };
                self.tell(&table, &event);
            }
        }
    }

    fn tell(&mut self, table: &TableId, event: &Event) {
        if self.cluster.controllers {
            self.collector.see(&self.cluster, table, event);
            self.namespaces.see(&self.cluster, table, event);
            self.controllers.see(&self.cluster, table, event);
            self.quotas.see(&self.cluster, table, event);
            self.aggregation.see(table, event);
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
