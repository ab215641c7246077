//! XML-RPC: through Rocket's local client what it says, through the real program how it is reached.

mod check;
mod client;
mod login;
mod lookup;
mod patch;
mod program;
mod right;
mod set;
mod site;
mod system;
mod world;

/// Calls each test with a database of its own, on each engine.
macro_rules! on_each_engine {
    ($($name:ident: $test:path;)*) => {$(
        on_both! {
            async fn $name(db: Db) {
                $test(&db).await;
            }
        }
    )*};
}

on_each_engine! {
    projects_are_listed: lookup::projects_are_listed;
    people_are_listed: lookup::people_are_listed;
    states_are_listed: lookup::states_are_listed;
    a_patch_has_sixteen_members: patch::a_patch_has_sixteen_members;
    patches_are_listed_by_date: patch::patches_are_listed_by_date;
    patches_are_filtered: patch::patches_are_filtered;
    texts_are_compared_with_care: patch::texts_are_compared_with_care;
    filters_of_the_wrong_type_are_faults: patch::filters_of_the_wrong_type_are_faults;
    a_hash_finds_the_newest: patch::a_hash_finds_the_newest;
    a_patch_is_handed_out: patch::a_patch_is_handed_out;
    a_long_list_comes_whole: patch::a_long_list_comes_whole;
    editors_change_patches: set::editors_change_patches;
    values_are_read_kindly: set::values_are_read_kindly;
    faults_come_in_their_order: set::faults_come_in_their_order;
    credentials_are_judged: login::credentials_are_judged;
    passwords_cannot_be_tried_for_ever: login::passwords_cannot_be_tried_for_ever;
    tokens_are_taken: login::tokens_are_taken;
    others_take_no_notice: login::others_take_no_notice;
    everybody_may_write_what_is_theirs: right::everybody_may_write_what_is_theirs;
    checks_are_reported: check::checks_are_reported;
    checks_are_listed: check::checks_are_listed;
    only_effective_checks_count: check::only_effective_checks_count;
    the_interface_describes_itself: system::the_interface_describes_itself;
    several_calls_are_made_in_one: system::several_calls_are_made_in_one;
    a_password_is_judged_once: system::a_password_is_judged_once;
    what_is_no_call_is_a_fault: site::what_is_no_call_is_a_fault;
    addresses_and_methods: site::addresses_and_methods;
    large_calls_are_refused: site::large_calls_are_refused;
    it_may_be_off: site::it_may_be_off;
    a_site_lives_below_a_path: site::a_site_lives_below_a_path;
    other_sites_headers_do_not_matter: site::other_sites_headers_do_not_matter;
    a_failing_database_is_a_fault: site::a_failing_database_is_a_fault;
    answers_look_as_ever: site::answers_look_as_ever;
}
