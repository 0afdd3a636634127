//! What a user sees: `tiphys up` as a process, a git repository, and a cluster.
//!
//! Each scenario runs on the simulated cluster. Where the real one was built (`make kube`) and
//! `TIPHYS_KUBE` is not `off`, module `real` runs the same ones on it.

mod bad_input;
mod commands;
mod deletion;
mod diff;
mod everyday;
mod hooks;
mod hub;
mod options;
mod stage;
mod upstream;
mod upstream_apps;
mod upstream_hooks;
mod upstream_more;

use stage::Stage;

/// Runs a scenario on a simulated cluster of its own, and on a real one that it is lent.
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
    bad_input::a_huge_and_a_hostile_file_are_conditions_of_their_own_applications,
    bad_input::a_repository_that_does_not_answer_is_a_condition,
    bad_input::a_namespace_that_goes_by_hand_comes_back,
    bad_input::a_clusters_name_where_its_url_belongs_is_answered,
    deletion::an_application_with_the_finalizer_takes_its_objects_along,
    deletion::an_application_without_it_leaves_them,
    hooks::hooks_run_in_their_phases_and_keep_no_finalizer,
    hooks::a_failed_pre_sync_leaves_what_runs_and_runs_sync_fail,
    hooks::hooks_of_a_failure_run_at_each_failure,
    hooks::hooks_go_as_their_policies_say,
    hooks::a_hook_without_a_name_is_called_after_the_operation,
    hooks::helms_hooks_are_taken_for_ours,
    hooks::a_terminated_sync_takes_its_hooks_along,
    hooks::a_chosen_sync_runs_no_hooks,
    hooks::hooks_of_a_deletion_run_before_and_after,
    hooks::a_failed_hook_of_a_deletion_keeps_everything_until_it_is_mended,
    options::waves_wait_for_the_one_before_and_prune_mirrors_them,
    options::prune_last_waits_for_everything_else,
    options::prune_false_keeps_and_prune_confirm_waits_for_a_person,
    options::delete_false_stays_and_delete_confirm_waits_for_a_person,
    options::pruning_spreads_as_the_option_says,
    options::how_an_object_is_written_is_an_option,
    options::without_migration_client_side_fields_stay_their_managers,
    options::force_makes_anew_what_cannot_be_changed,
    options::only_what_differs_is_applied_where_asked,
    options::a_shared_object_fails_the_sync_that_says_so,
    options::ignored_fields_keep_their_values_where_asked,
    options::a_kind_that_is_not_served_is_told_or_skipped,
    options::unknown_fields_pass_where_validation_is_off,
    options::the_namespace_gets_its_metadata,
    options::a_failed_sync_is_tried_again_with_the_newest_revision,
    options::attempts_of_a_persons_sync_stay_with_its_revision,
    options::a_window_holds_syncs_back_and_lets_people_through_where_it_says,
    options::a_large_automated_prune_waits_for_a_person,
    options::a_rollback_syncs_to_what_was_deployed_before,
    options::impersonation_asks_for_the_projects_account,
    upstream_more::selective_sync,
    upstream_more::app_sync_wrong_version,
    upstream_more::deleting_app_stuck_in_sync,
    upstream_more::multi_source_app_with_source_name,
    upstream_more::server_side_diff_with_local,
    upstream_more::a_repository_that_is_made_anew_is_followed,
    upstream::project_creation,
    upstream::project_deletion,
    upstream::set_project,
    upstream::add_project_destination,
    upstream::remove_project_destination,
    upstream::app_creation,
    upstream::app_creation_without_force_update,
    upstream::create_from_partial_file,
    upstream::create_disable_validation,
    upstream::invalid_app_project,
    upstream::cannot_set_invalid_path,
    upstream::comparison_fails_if_cluster_not_added,
    upstream::app_labels,
    upstream::patch_values_object,
    upstream::app_deletion,
    upstream::sync_async,
    upstream::sync_with_infos,
    upstream::sync_resource_by_label,
    upstream::sync_resource_by_project,
    upstream::discover_new_commit,
    upstream::app_rollback_successful,
    upstream::pruning_required,
    upstream::auto_sync_self_heal_disabled,
    upstream::auto_sync_self_heal_enabled,
    upstream::list_resource,
    upstream::mask_secret_values,
    upstream::resource_diffing,
    upstream::local_manifest_sync,
    upstream::cluster_get,
    upstream::add_remove_public_repo,
    upstream_hooks::sync_hook_failure,
    upstream_hooks::post_sync_hook_failure,
    upstream_hooks::post_sync_hook_pod_failure,
    upstream_hooks::sync_fail_hook_pod_failure_sync_fail_failure,
    upstream_hooks::invalid_hook_waits_for_other_hooks_to_complete,
    upstream_hooks::hook_delete_policy_hook_succeeded_hook_exit1,
    upstream_hooks::hook_before_hook_creation_failure,
    upstream_hooks::hook_skip,
    upstream_hooks::naming_non_hook_resource,
    upstream_hooks::hook_finalizer_pre_sync,
    upstream_hooks::hook_finalizer_sync,
    upstream_hooks::hook_finalizer_post_sync,
    upstream_hooks::terminate_with_running_hooks,
    upstream_hooks::fixing_degraded_app,
    upstream_hooks::one_progressing_deployment_is_succeeded_and_synced,
    upstream_hooks::degraded_deployment_is_succeeded_and_synced,
    upstream_hooks::sync_prune_order_with_sync_waves,
    upstream_hooks::a_rule_of_health_that_fails_is_a_condition,
    upstream_hooks::a_rule_of_health_that_comes_later_sees_what_changes,
    upstream_hooks::what_is_waited_for_is_told_with_its_time,
    upstream_apps::immutable_change,
    upstream_apps::sync_option_prune_false_app_level,
    upstream_apps::sync_option_prune_false_resource_override,
    upstream_apps::revision_history_limit,
    upstream_apps::create_app_with_no_namespace_when_required,
    upstream_apps::create_app_with_no_namespace_for_global_resource,
    upstream_apps::stale_operation_revision_not_used_new_sync,
    upstream_apps::sync_option_replace,
    upstream_apps::switch_tracking_method,
    upstream_apps::switch_tracking_label,
    upstream_apps::tracking_method_annotation_moved_resource,
    upstream_apps::tracking_method_annotation_moved_resource_ssa,
    upstream_apps::annotation_tracking_extra_resources,
    upstream_apps::installation_id,
    upstream_apps::deletion_confirmation_app_level,
    upstream_apps::last_transition_time_unchanged,
    upstream_apps::source_namespace_can_be_migrated_to_managed_namespace,
    upstream_apps::no_local_sync_with_autosync_enabled,
    upstream_apps::comparison_fails_if_in_cluster_disabled,
    upstream_apps::app_skip_reconcile,
    upstream_apps::auto_sync_retry_and_refresh_enabled_changed_source,
    upstream_apps::selective_sync_chooses_by_namespace,
    upstream_apps::sync_with_skip_hook,
    upstream_apps::sync_with_force_replace,
    upstream_apps::a_wait_for_one_object_ends_when_it_is_well,
    upstream_apps::namespace_creation_with_ssa,
    upstream_apps::sync_with_create_namespace_and_dry_run_error,
    upstream_apps::not_permitted_resources,
    diff::a_difference_says_who_made_it_and_how_to_silence_it,
    diff::rules_of_the_settings_ignore_by_pointer_path_and_manager,
    diff::what_is_extraneous_excluded_or_orphaned_is_said,
    diff::a_quantity_in_a_custom_kind_is_one_where_the_settings_say_so,
    diff::a_server_side_comparison_is_asked_for_by_annotation,
    diff::what_a_definition_begins_to_fill_in_is_seen,
    commands::the_lists_of_a_project_are_changed_one_by_one,
    commands::a_windows_whole_life,
    commands::what_a_cluster_is_called_may_change,
    hub::settings_hold_as_soon_as_they_are_written,
    hub::limits_metrics_and_logs_follow_the_settings,
    diff::applications_stand_in_other_namespaces_where_both_sides_allow_it,
}

/// What needs more than one cluster or more than one process: on simulated clusters alone.
mod hub_of_many {
    use crate::Stage;
    use crate::hub::{BARE, TWO_MORE};

    #[test]
    fn each_cluster_of_a_secret_gets_what_is_its_own() {
        Stage::simulated_by(TWO_MORE, crate::hub::each_cluster_of_a_secret_gets_what_is_its_own);
    }

    #[test]
    fn a_cluster_of_some_namespaces_is_left_alone_outside_of_them() {
        Stage::simulated_by(
            TWO_MORE,
            crate::hub::a_cluster_of_some_namespaces_is_left_alone_outside_of_them,
        );
    }

    #[test]
    fn of_two_controllers_one_works_and_the_other_takes_over() {
        Stage::simulated_by(
            BARE,
            crate::hub::of_two_controllers_one_works_and_the_other_takes_over,
        );
    }
}

/// What the simulated cluster does not do; named as the others that need the real one.
mod alone {
    mod real {
        #[test]
        fn where_a_prediction_is_checked_the_clusters_word_is_taken() {
            crate::Stage::real(
                crate::diff::where_a_prediction_is_checked_the_clusters_word_is_taken,
            );
        }
    }
}
