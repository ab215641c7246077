//! Pages, through Rocket's local client: what they say, where they lead, what they cost.

mod about;
mod account;
mod admin;
mod autocomplete;
mod browser;
mod bulk;
mod bundle;
mod comment;
mod confirmation;
mod contract;
mod cost;
mod cover;
mod download;
mod edit;
mod error;
mod feed;
mod hostile;
mod inbound;
mod letters;
mod list;
mod matrix;
mod monitor;
mod news;
mod optout;
mod password;
mod patch;
mod people;
mod person;
mod profile;
mod project;
mod range_diff;
mod registration;
mod review;
mod saved;
mod search;
mod second_factor;
pub mod seed;
mod series;
mod session;
mod site;
mod todo;
mod token;
mod undo;
mod unsubscribe;
mod weight;

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
    mails_come_in_every_shape: inbound::mails_come_in_every_shape;
    mails_come_from_those_who_may: inbound::mails_come_from_those_who_may;
    what_is_no_mail_is_refused: inbound::what_is_no_mail_is_refused;
    a_mail_ends_the_notifications: unsubscribe::a_mail_ends_the_notifications;
    the_primary_address_is_changed_by_its_link: account::the_primary_address_is_changed_by_its_link;
    an_address_becomes_that_of_one_account: account::an_address_becomes_that_of_one_account;
    an_account_is_deleted_by_its_owner: account::an_account_is_deleted_by_its_owner;
    pages_are_as_their_reader_wants: account::pages_are_as_their_reader_wants;
    a_second_factor_is_asked_for: second_factor::a_second_factor_is_asked_for;
    codes_cannot_be_tried_for_ever: second_factor::codes_cannot_be_tried_for_ever;
    staff_may_need_a_second_factor: second_factor::staff_may_need_a_second_factor;
    projects_are_listed: project::projects_are_listed;
    a_project_tells_of_itself: project::a_project_tells_of_itself;
    what_is_kept_is_what_counting_gives: project::what_is_kept_is_what_counting_gives;
    an_empty_list_says_so: list::an_empty_list_says_so;
    lists_are_sorted: list::lists_are_sorted;
    lists_are_filtered: list::lists_are_filtered;
    pages_are_clamped_and_linked: list::pages_are_clamped_and_linked;
    a_series_is_shown_whole: list::a_series_is_shown_whole;
    chips_drop_filters: list::chips_drop_filters;
    a_fragment_is_part_of_the_page: list::a_fragment_is_part_of_the_page;
    a_queue_is_by_series: list::a_queue_is_by_series;
    no_mail_becomes_a_page: hostile::no_mail_becomes_a_page;
    a_list_is_a_feed: feed::a_list_is_a_feed;
    a_submitter_has_a_page: person::a_submitter_has_a_page;
    replies_stand_at_the_line_they_quote: patch::replies_stand_at_the_line_they_quote;
    searches_jump: list::searches_jump;
    filters_are_saved_shared_and_deleted: saved::filters_are_saved_shared_and_deleted;
    pages_hear_of_news: news::pages_hear_of_news;
    mails_are_found: search::mails_are_found;
    what_is_wrong_with_a_search_is_underlined: search::what_is_wrong_with_a_search_is_underlined;
    a_search_is_paged_and_leads_on: search::a_search_is_paged_and_leads_on;
    the_search_is_found_and_explained: search::the_search_is_found_and_explained;
    lists_ask_the_index: search::lists_ask_the_index;
    nothing_is_taken_for_markup: list::nothing_is_taken_for_markup;
    a_patch_shows_what_is_known: patch::a_patch_shows_what_is_known;
    a_patch_is_escaped: patch::a_patch_is_escaped;
    slashes_in_ids_have_three_spellings: patch::slashes_in_ids_have_three_spellings;
    old_addresses_lead_on: patch::old_addresses_lead_on;
    long_diffs_come_on_demand: patch::long_diffs_come_on_demand;
    a_diff_is_shown_side_by_side: patch::a_diff_is_shown_side_by_side;
    a_mail_is_answered_by_mail: patch::a_mail_is_answered_by_mail;
    only_effective_checks_count: patch::only_effective_checks_count;
    downloads_are_named_and_typed: download::downloads_are_named_and_typed;
    a_mail_is_kept_byte_for_byte: download::a_mail_is_kept_byte_for_byte;
    a_public_bundle_is_a_mailbox_for_everybody: bundle::a_public_bundle_is_a_mailbox_for_everybody;
    a_private_bundle_is_there_for_its_owner: bundle::a_private_bundle_is_there_for_its_owner;
    pwclient_gets_its_settings: bundle::pwclient_gets_its_settings;
    a_patch_comes_with_those_before_it: download::a_patch_comes_with_those_before_it;
    a_cover_shows_its_patches: cover::a_cover_shows_its_patches;
    a_series_names_what_is_missing: series::a_series_names_what_is_missing;
    two_series_are_compared: range_diff::two_series_are_compared;
    two_patches_are_compared: range_diff::two_patches_are_compared;
    a_long_comparison_comes_on_demand: range_diff::a_long_comparison_comes_on_demand;
    revisions_are_shown_and_put_right: series::revisions_are_shown_and_put_right;
    trailers_are_shown_before_they_are_taken: series::trailers_are_shown_before_they_are_taken;
    a_series_is_answered_and_thanked_for: series::a_series_is_answered_and_thanked_for;
    numbers_are_for_those_who_may: monitor::numbers_are_for_those_who_may;
    numbers_tell_of_requests_and_queues: monitor::numbers_tell_of_requests_and_queues;
    names_of_requests_come_back: monitor::names_of_requests_come_back;
    errors_are_pages: error::errors_are_pages;
    the_front_page_finds_what_was_sought: error::the_front_page_finds_what_was_sought;
    a_failure_has_a_reference: error::a_failure_has_a_reference;
    a_user_logs_in_and_out: session::a_user_logs_in_and_out;
    a_login_may_name_the_address: session::a_login_may_name_the_address;
    a_login_leads_to_pages_of_ours_only: session::a_login_leads_to_pages_of_ours_only;
    passwords_kept_by_django_are_renewed: session::passwords_kept_by_django_are_renewed;
    passwords_cannot_be_tried_for_ever: session::passwords_cannot_be_tried_for_ever;
    many_passwords_at_once_are_counted: session::many_passwords_at_once_are_counted;
    logins_are_counted_by_network: session::logins_are_counted_by_network;
    a_token_does_not_help_other_sites: session::a_token_does_not_help_other_sites;
    pages_of_who_is_logged_in_are_private: session::pages_of_who_is_logged_in_are_private;
    registrations_count_whatever_comes_of_them: registration::registrations_count_whatever_comes_of_them;
    a_switched_off_account_is_nobody: session::a_switched_off_account_is_nobody;
    a_notice_is_told_once_and_on_a_page: session::a_notice_is_told_once_and_on_a_page;
    a_login_leads_back_to_the_page_of_the_form: session::a_login_leads_back_to_the_page_of_the_form;
    no_form_of_another_site_is_taken: session::no_form_of_another_site_is_taken;
    a_list_has_what_changes_it: bulk::a_list_has_what_changes_it;
    a_maintainer_changes_many: bulk::a_maintainer_changes_many;
    what_is_missing_stays_as_it_is: bulk::what_is_missing_stays_as_it_is;
    a_form_that_makes_no_sense_changes_nothing: bulk::a_form_that_makes_no_sense_changes_nothing;
    maintainers_name_the_commit_of_many: bulk::maintainers_name_the_commit_of_many;
    each_patch_asks_for_permission: bulk::each_patch_asks_for_permission;
    bundles_are_filled_from_lists: bulk::bundles_are_filled_from_lists;
    all_that_a_filter_finds_is_asked_for_once_more: bulk::all_that_a_filter_finds_is_asked_for_once_more;
    every_table_of_patches_takes_the_form: bulk::every_table_of_patches_takes_the_form;
    a_change_is_taken_back_once: undo::a_change_is_taken_back_once;
    every_way_back_is_told: undo::every_way_back_is_told;
    what_was_changed_since_stays: undo::what_was_changed_since_stays;
    only_who_made_a_change_takes_it_back: undo::only_who_made_a_change_takes_it_back;
    after_ten_minutes_it_is_too_late: undo::after_ten_minutes_it_is_too_late;
    comments_are_marked_by_those_who_may: comment::comments_are_marked_by_those_who_may;
    a_reply_is_marked_alone: comment::a_reply_is_marked_alone;
    marks_that_make_no_sense_change_nothing: comment::marks_that_make_no_sense_change_nothing;
    submitters_are_suggested: autocomplete::submitters_are_suggested;
    anybody_is_told_less: autocomplete::anybody_is_told_less;
    a_bundle_is_shown_whole_and_in_order: bundle::a_bundle_is_shown_whole_and_in_order;
    a_private_page_is_there_for_its_owner: bundle::a_private_page_is_there_for_its_owner;
    an_owner_changes_a_bundle: bundle::an_owner_changes_a_bundle;
    nobody_else_changes_a_bundle: bundle::nobody_else_changes_a_bundle;
    a_bundle_is_copied: bundle::a_bundle_is_copied;
    a_bundle_is_put_in_order: bundle::a_bundle_is_put_in_order;
    bundles_are_listed_made_and_deleted: bundle::bundles_are_listed_made_and_deleted;
    a_patch_is_changed_by_those_who_may: edit::a_patch_is_changed_by_those_who_may;
    an_old_tab_takes_nothing_back: edit::an_old_tab_takes_nothing_back;
    a_patch_is_changed_and_changed_back: edit::a_patch_is_changed_and_changed_back;
    only_maintainers_name_the_commit: edit::only_maintainers_name_the_commit;
    wrong_values_are_told_beside_their_field: edit::wrong_values_are_told_beside_their_field;
    a_panel_is_changed_alone: edit::a_panel_is_changed_alone;
    maintainers_relate_patches: edit::maintainers_relate_patches;
    a_patch_is_put_into_bundles: edit::a_patch_is_put_into_bundles;
    what_waits_in_one_project_is_a_list: todo::what_waits_in_one_project_is_a_list;
    what_waits_in_all_projects_is_in_sections: todo::what_waits_in_all_projects_is_in_sections;
    nobody_but_users_has_a_desk: todo::nobody_but_users_has_a_desk;
    me_is_whoever_looks: todo::me_is_whoever_looks;
    new_replies_stay_new_until_they_are_seen: todo::new_replies_stay_new_until_they_are_seen;
    what_i_sent_says_whose_turn_it_is: todo::what_i_sent_says_whose_turn_it_is;
    what_i_decided_is_taken_back: todo::what_i_decided_is_taken_back;
    pages_say_whose_turn_it_is: review::pages_say_whose_turn_it_is;
    a_review_is_promised_and_ended: review::a_review_is_promised_and_ended;
    a_promise_ends_by_itself: review::a_promise_ends_by_itself;
    a_promise_changes_a_part_of_the_page: review::a_promise_changes_a_part_of_the_page;
    a_site_tells_what_it_offers: about::a_site_tells_what_it_offers;
    wrong_fields_are_named: registration::wrong_fields_are_named;
    an_account_is_confirmed_by_mail: registration::an_account_is_confirmed_by_mail;
    who_was_never_seen_becomes_a_person: registration::who_was_never_seen_becomes_a_person;
    an_address_in_use_is_told_to_nobody_else: registration::an_address_in_use_is_told_to_nobody_else;
    a_lost_mail_can_be_asked_for_again: registration::a_lost_mail_can_be_asked_for_again;
    mails_to_an_address_are_limited: registration::mails_to_an_address_are_limited;
    a_site_may_make_no_accounts: registration::a_site_may_make_no_accounts;
    unknown_keys_are_nowhere: confirmation::unknown_keys_are_nowhere;
    an_address_is_added_by_who_asked: confirmation::an_address_is_added_by_who_asked;
    an_address_of_another_account_stays_there: confirmation::an_address_of_another_account_stays_there;
    links_expire: confirmation::links_expire;
    a_newer_link_replaces_the_older: confirmation::a_newer_link_replaces_the_older;
    addresses_to_add_are_checked: confirmation::addresses_to_add_are_checked;
    an_address_leaves_and_comes_back: optout::an_address_leaves_and_comes_back;
    leaving_twice_is_leaving_once: optout::leaving_twice_is_leaving_once;
    addresses_are_checked: optout::addresses_are_checked;
    a_profile_is_its_users_only: profile::a_profile_is_its_users_only;
    a_profile_shows_what_is_its_users: profile::a_profile_shows_what_is_its_users;
    settings_are_checked_and_saved: profile::settings_are_checked_and_saved;
    only_own_addresses_are_taken_away: profile::only_own_addresses_are_taken_away;
    sessions_are_ended: profile::sessions_are_ended;
    a_password_is_changed: password::a_password_is_changed;
    old_passwords_cannot_be_tried_for_ever: password::old_passwords_cannot_be_tried_for_ever;
    a_forgotten_password_is_chosen_anew: password::a_forgotten_password_is_chosen_anew;
    tokens_outlive_a_password: password::tokens_outlive_a_password;
    a_link_for_a_password_ends: password::a_link_for_a_password_ends;
    nobody_learns_which_accounts_there_are: password::nobody_learns_which_accounts_there_are;
    a_token_is_shown_once: token::a_token_is_shown_once;
    tokens_have_names_and_limits: token::tokens_have_names_and_limits;
    without_an_api_there_are_no_tokens: token::without_an_api_there_are_no_tokens;
    links_that_leave_keep_to_https: site::links_that_leave_keep_to_https;
    pages_carry_their_headers: site::pages_carry_their_headers;
    a_site_answers_under_its_names_only: site::a_site_answers_under_its_names_only;
    a_site_lives_below_a_path: site::a_site_lives_below_a_path;
    files_are_kept_for_good: site::files_are_kept_for_good;
    every_address_has_its_row: matrix::every_address_has_its_row;
    addresses_end_in_a_slash: contract::addresses_end_in_a_slash;
    projects_that_are_not_there_have_no_pages: contract::projects_that_are_not_there_have_no_pages;
    the_map_is_complete: contract::the_map_is_complete;
    pages_of_users_lead_to_the_login: contract::pages_of_users_lead_to_the_login;
    scripts_log_in_as_they_always_did: contract::scripts_log_in_as_they_always_did;
    a_link_logs_nobody_out: contract::a_link_logs_nobody_out;
    cookies_keep_to_https: contract::cookies_keep_to_https;
    filters_mean_what_they_always_did: contract::filters_mean_what_they_always_did;
    pages_are_stable_and_keep_their_filters: contract::pages_are_stable_and_keep_their_filters;
    downloads_are_called_as_clients_expect: contract::downloads_are_called_as_clients_expect;
    settings_of_pwclient_have_one_section: contract::settings_of_pwclient_have_one_section;
    mailed_keys_look_as_ever: contract::mailed_keys_look_as_ever;
    commits_and_pulls_are_escaped: contract::commits_and_pulls_are_escaped;
    suggestions_have_a_pace: contract::suggestions_have_a_pace;
    lists_and_patches_are_light: weight::lists_and_patches_are_light;
    a_visit_fetches_little: weight::a_visit_fetches_little;
    a_login_needs_no_script: weight::a_login_needs_no_script;
    pages_cost_the_same_however_much_there_is: cost::pages_cost_the_same_however_much_there_is;
}

/// Calls the matrix of rights once for each role, each with a database of its own, on each engine.
macro_rules! by_each_role {
    ($($name:ident: $role:literal;)*) => {$(
        on_both! {
            async fn $name(db: Db) {
                matrix::tried(&db, $role).await;
            }
        }
    )*};
}

by_each_role! {
    what_nobody_writes: 0;
    what_a_user_writes: 1;
    what_a_submitter_writes: 2;
    what_a_delegate_writes: 3;
    what_a_maintainer_writes: 4;
    what_staff_writes: 5;
    what_a_superuser_writes: 6;
    what_a_clerk_writes: 7;
}

#[rocket::async_test]
async fn without_a_database_pages_are_503() {
    error::without_a_database_pages_are_503().await;
}

#[rocket::async_test]
async fn without_a_database_mails_by_http_are_503() {
    inbound::without_a_database_mails_by_http_are_503().await;
}
