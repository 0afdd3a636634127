//! How an Application's objects reach the cluster: in which order, and when the next one may.
//!
//! An operation is [`Progress`], a value. [`Progress::advance`] says what to do now, given the
//! [`World`]; [`Progress::record`] writes down what became of it. Whatever must outlive the
//! process stands in the results, so an operation goes on where a killed process left it.
//!
//! Nothing here applies, deletes or waits: the controller carries the actions out, and calls
//! again when the world changed. Every operation that waits says what for.
//!
//! To see how an operation runs, read `tests.rs`.

mod advance;
pub mod apply;
mod kinds;
pub mod marks;
mod model;
mod options;
mod plan;
mod retry;
mod task;
mod tracking;
pub mod words;

pub use advance::{Progress, Step};
pub use model::{
    Action, Deed, DeletePolicy, Done, How, Live, OperationPhase, Outcome, Propagation, Resource,
    ResultCode, Selected, SyncPhase, TaskId, TaskResult, Wellness, WriteVerdict,
};
pub use options::{KUBECTL_CLIENT_SIDE, Options, value_of};
pub use plan::{World, hook_name, with_namespace};
pub use retry::{NoDuration, Retry, parse_duration};
pub use tracking::{INSTALLATION_ID, Method, TRACKING_ID, Tracking, TrackingId};

#[cfg(test)]
mod tests;
