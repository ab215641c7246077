//! Pages, through Rocket's local client: what they say, where they lead, what they cost.

mod browser;
mod bundle;
mod cover;
mod download;
mod error;
mod feed;
mod hostile;
mod list;
mod patch;
mod person;
mod project;
pub mod seed;
mod series;
mod session;
mod site;

/// Calls each page test with a database of its own, on each engine.
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
    projects_are_listed: project::projects_are_listed;
    a_project_tells_of_itself: project::a_project_tells_of_itself;
    an_empty_list_says_so: list::an_empty_list_says_so;
    lists_are_sorted: list::lists_are_sorted;
    lists_are_filtered: list::lists_are_filtered;
    pages_are_clamped_and_linked: list::pages_are_clamped_and_linked;
    a_series_is_shown_whole: list::a_series_is_shown_whole;
    chips_drop_filters: list::chips_drop_filters;
    a_list_costs_six_statements: list::a_list_costs_six_statements;
    a_fragment_is_part_of_the_page: list::a_fragment_is_part_of_the_page;
    a_queue_is_by_series: list::a_queue_is_by_series;
    no_mail_becomes_a_page: hostile::no_mail_becomes_a_page;
    a_list_is_a_feed: feed::a_list_is_a_feed;
    a_submitter_has_a_page: person::a_submitter_has_a_page;
    replies_stand_at_the_line_they_quote: patch::replies_stand_at_the_line_they_quote;
    searches_jump: list::searches_jump;
    nothing_is_taken_for_markup: list::nothing_is_taken_for_markup;
    a_patch_shows_what_is_known: patch::a_patch_shows_what_is_known;
    a_patch_is_escaped: patch::a_patch_is_escaped;
    slashes_in_ids_have_three_spellings: patch::slashes_in_ids_have_three_spellings;
    old_addresses_lead_on: patch::old_addresses_lead_on;
    long_diffs_come_on_demand: patch::long_diffs_come_on_demand;
    only_effective_checks_count: patch::only_effective_checks_count;
    downloads_are_named_and_typed: download::downloads_are_named_and_typed;
    a_mail_is_kept_byte_for_byte: download::a_mail_is_kept_byte_for_byte;
    a_public_bundle_is_a_mailbox_for_everybody: bundle::a_public_bundle_is_a_mailbox_for_everybody;
    a_private_bundle_is_there_for_its_owner: bundle::a_private_bundle_is_there_for_its_owner;
    pwclient_gets_its_settings: bundle::pwclient_gets_its_settings;
    a_patch_comes_with_those_before_it: download::a_patch_comes_with_those_before_it;
    a_cover_shows_its_patches: cover::a_cover_shows_its_patches;
    a_series_names_what_is_missing: series::a_series_names_what_is_missing;
    errors_are_pages: error::errors_are_pages;
    the_front_page_finds_what_was_sought: error::the_front_page_finds_what_was_sought;
    a_failure_has_a_reference: error::a_failure_has_a_reference;
    a_user_logs_in_and_out: session::a_user_logs_in_and_out;
    a_login_may_name_the_address: session::a_login_may_name_the_address;
    a_login_leads_to_pages_of_ours_only: session::a_login_leads_to_pages_of_ours_only;
    passwords_kept_by_django_are_renewed: session::passwords_kept_by_django_are_renewed;
    passwords_cannot_be_tried_for_ever: session::passwords_cannot_be_tried_for_ever;
    a_switched_off_account_is_nobody: session::a_switched_off_account_is_nobody;
    no_form_of_another_site_is_taken: session::no_form_of_another_site_is_taken;
    links_that_leave_keep_to_https: site::links_that_leave_keep_to_https;
    pages_carry_their_headers: site::pages_carry_their_headers;
    a_site_answers_under_its_names_only: site::a_site_answers_under_its_names_only;
    a_site_lives_below_a_path: site::a_site_lives_below_a_path;
    files_are_kept_for_good: site::files_are_kept_for_good;
}

#[rocket::async_test]
async fn without_a_database_pages_are_503() {
    error::without_a_database_pages_are_503().await;
}
