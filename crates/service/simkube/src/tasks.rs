//! What acts in a cluster by itself: garbage collection, namespaces, simulated controllers.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::cluster::Cluster;

/// Starts a cluster's loops; they end with `work`.
pub fn spawn(work: &mut JoinSet<()>, cluster: &Arc<Cluster>, ca_pem: &str) {
    let _seam = (work, cluster, ca_pem);
}
