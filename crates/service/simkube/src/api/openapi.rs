//! The OpenAPI documents. Their content is `kubetypes`'.

use serde_json::json;

use super::problem::Problem;
use super::request::Response;
use crate::cluster::Cluster;
use crate::kinds::join;

/// Answers `/openapi/v3`.
pub fn v3_index(cluster: &Cluster) -> Response {
    let kinds = cluster.kinds();
    let mut paths = serde_json::Map::new();
    for group in &kinds.groups {
        for version in &group.versions {
            let path = if group.name.is_empty() {
                format!("api/{version}")
            } else {
                format!("apis/{}", join(&group.name, version))
            };
            let url = format!("/openapi/v3/{path}");
            paths.insert(path, json!({"serverRelativeURL": url}));
        }
    }
    Response::value(200, &json!({"paths": paths}))
}

/// Answers `/openapi/v3/PATH`.
///
/// # Errors
///
/// 404 where nothing is served there.
pub fn v3(cluster: &Cluster, path: &str, accept: &str) -> Result<Response, Problem> {
    let _seam = (cluster, path, accept);
    Err(Problem::no_such_resource())
}

/// Answers `/openapi/v2`.
///
/// # Errors
///
/// 404 where there is none.
pub fn v2(cluster: &Cluster, accept: &str) -> Result<Response, Problem> {
    let _seam = (cluster, accept);
    Err(Problem::no_such_resource())
}
