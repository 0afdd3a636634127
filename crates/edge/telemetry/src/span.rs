//! Spans: made here, so that a field has one spelling.

use tracing::{Span, info_span};

/// The span of one look at one Application. Everything logged inside bears its fields.
pub fn refresh_span(namespace: &str, name: &str, because: &str) -> Span {
    info_span!("refresh", app.namespace = namespace, app.name = name, because)
}

/// The span of one operation (a sync) of one Application.
pub fn operation_span(namespace: &str, name: &str) -> Span {
    info_span!("operation", app.namespace = namespace, app.name = name)
}
