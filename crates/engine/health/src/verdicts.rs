//! Short ways to write down what a rule answers.

use crd::HealthStatusCode;

use crate::assess::Health;

/// It runs as it should.
pub(crate) fn healthy(message: impl Into<String>) -> Health {
    Health::new(HealthStatusCode::Healthy, message)
}

/// Somebody stopped it on purpose.
pub(crate) fn suspended(message: impl Into<String>) -> Health {
    Health::new(HealthStatusCode::Suspended, message)
}

/// What it stands for is not there.
pub(crate) fn missing(message: impl Into<String>) -> Health {
    Health::new(HealthStatusCode::Missing, message)
}

/// It may still become well by itself.
pub(crate) fn progressing(message: impl Into<String>) -> Health {
    Health::new(HealthStatusCode::Progressing, message)
}

/// It failed, or did not become well in time.
pub(crate) fn degraded(message: impl Into<String>) -> Health {
    Health::new(HealthStatusCode::Degraded, message)
}

/// It cannot be told.
pub(crate) fn unknown(message: impl Into<String>) -> Health {
    Health::new(HealthStatusCode::Unknown, message)
}
