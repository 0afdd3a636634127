//! Deleting Applications.

use cluster::Propagation;
use manifest::Gvk;
use serde_json::json;

use crate::stage::Stage;

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\ndata:\n  a: b\n";

fn config_map() -> Gvk {
    Gvk::new("", "v1", "ConfigMap")
}

fn application() -> Gvk {
    Gvk::new("argoproj.io", "v1alpha1", "Application")
}

async fn delete(stage: &Stage, name: &str) {
    let home = stage.cluster.home();
    home.delete(&application(), "argocd", name, Propagation::Background)
        .await
        .expect("the Application is deleted");
    stage
        .until(application(), "argocd", name, "the Application is gone", |app| app.is_none())
        .await;
}

pub async fn an_application_with_the_finalizer_takes_its_objects_along(stage: &mut Stage) {
    stage.repository().commit(&[("app/config.yaml", Some(CONFIG))]);
    stage
        .application("web", "app", |app| {
            app["metadata"]["finalizers"] = json!(["resources-finalizer.argocd.argoproj.io"]);
        })
        .await;
    stage.synced("web").await;
    delete(stage, "web").await;
    assert_eq!(stage.get(config_map(), "config").await, None);
}

pub async fn an_application_without_it_leaves_them(stage: &mut Stage) {
    stage.repository().commit(&[("app/config.yaml", Some(CONFIG))]);
    stage.application("web", "app", |_| {}).await;
    stage.synced("web").await;
    delete(stage, "web").await;
    assert!(stage.get(config_map(), "config").await.is_some());
}
