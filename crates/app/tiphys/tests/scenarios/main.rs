//! What a user sees: `tiphys up` as a process, a git repository, and a cluster.
//!
//! Each scenario runs on the simulated cluster. Where the real one was built (`make kube`) and
//! `TIPHYS_KUBE` is not `off`, `real.rs` runs the same ones on it.

mod bad_input;
mod deletion;
mod everyday;
mod stage;

use stage::Stage;

/// Runs a scenario on a cluster of its own.
macro_rules! scenarios {
    ($($room:ident :: $name:ident),* $(,)?) => {
        mod simulated {
            $(#[test]
            fn $name() {
                crate::Stage::simulated(crate::$room::$name);
            })*
        }
        mod real {
            $(#[test]
            fn $name() {
                crate::Stage::real(crate::$room::$name);
            })*
        }
    };
}

scenarios! {
    everyday::the_example_turns_synced_and_healthy,
    everyday::a_commit_is_applied_and_what_it_drops_is_pruned,
    everyday::a_change_by_hand_is_reverted,
    everyday::a_field_that_git_drops_goes_whoever_wrote_it_since,
    everyday::a_definition_and_its_object_come_in_one_sync,
    everyday::a_dry_run_changes_nothing,
    everyday::what_was_killed_goes_on,
    bad_input::broken_yaml_names_its_file_and_leaves_what_runs,
    bad_input::a_missing_path_and_an_unknown_revision_are_conditions,
    bad_input::a_forbidden_kind_fails_the_sync_before_any_write,
    bad_input::an_object_twice_in_one_source_is_warned_of,
    bad_input::two_applications_on_one_object_are_warned_of,
    deletion::an_application_with_the_finalizer_takes_its_objects_along,
    deletion::an_application_without_it_leaves_them,
}
