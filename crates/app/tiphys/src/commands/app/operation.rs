//! Asking for an operation: the same checks and the same field as upstream's server.

use std::env;

use anyhow::{Result, bail};
use crd::{Application, Operation, OperationInitiator};

use crate::commands::connect::Session;
use crate::commands::name::AppName;

/// Who asks where the host names nobody, as upstream's first account.
const NOBODY: &str = "admin";

/// Who asks: the person whom the host names.
pub fn initiator() -> OperationInitiator {
    let named = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let username = named("USER").or_else(|| named("LOGNAME")).unwrap_or_else(|| NOBODY.to_owned());
    OperationInitiator { username, ..OperationInitiator::default() }
}

/// Writes an operation into an Application; `operation` sees the Application as it stands then.
///
/// # Errors
///
/// Where an operation is asked for or runs already, the Application is being deleted, or its project
/// does not exist.
pub async fn ask(
    session: &Session,
    name: &AppName,
    operation: impl Fn(&Application) -> Result<Operation>,
) -> Result<Application> {
    let project = session.application(name).await?.spec.project_name().to_owned();
    if session.project(&project).await?.is_none() {
        bail!("app is not allowed in project \"{project}\", or the project does not exist");
    }
    session
        .change(name, |application| {
            if application.is_deleted() {
                bail!("application is deleting");
            }
            let state = application.status.operation_state.as_deref();
            if application.operation.is_some() || state.is_some_and(|one| !one.phase.completed()) {
                bail!("another operation is already in progress");
            }
            application.operation = Some(Box::new(operation(application)?));
            application.status.operation_state = None;
            Ok(())
        })
        .await
}
