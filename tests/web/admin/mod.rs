//! The admin console: who may enter, what it shows, what it changes, and what it refuses.

mod access;
mod content;
mod generic;
mod people;
mod setup;
mod system;
mod webhook;

use patchwork::{
    domain::UserId,
    store::{
        self, Db,
        permission::{self, Holder},
        sql,
    },
};

use super::{browser::Browser, seed};

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
    only_staff_enters: access::only_staff_enters;
    old_addresses_lead_on: access::old_addresses_lead_on;
    nobody_writes_without_permission: access::nobody_writes_without_permission;
    a_view_permission_shows_and_no_more: access::a_view_permission_shows_and_no_more;
    groups_give_permissions: access::groups_give_permissions;
    rights_do_not_grow_by_themselves: access::rights_do_not_grow_by_themselves;
    an_old_login_asks_for_the_password: access::an_old_login_asks_for_the_password;
    every_list_takes_every_search: generic::every_list_takes_every_search;
    searches_find_what_they_say: generic::searches_find_what_they_say;
    long_lists_have_pages: generic::long_lists_have_pages;
    nobody_overwrites_what_another_changed: generic::nobody_overwrites_what_another_changed;
    what_is_wrong_stands_beside_its_field: generic::what_is_wrong_stands_beside_its_field;
    the_way_back_keeps_the_filters: generic::the_way_back_keeps_the_filters;
    formulas_in_csv_are_text: generic::formulas_in_csv_are_text;
    projects_are_added: setup::projects_are_added;
    an_old_linkname_leads_on: setup::an_old_linkname_leads_on;
    delegation_rules_are_kept_and_tested: setup::delegation_rules_are_kept_and_tested;
    a_maintainer_may_edit_at_once: setup::a_maintainer_may_edit_at_once;
    a_project_with_patches_stays: setup::a_project_with_patches_stays;
    the_first_state_stays_first: setup::the_first_state_stays_first;
    a_used_state_is_replaced: setup::a_used_state_is_replaced;
    tags_are_counted_anew: setup::tags_are_counted_anew;
    the_site_gets_its_domain: setup::the_site_gets_its_domain;
    maintainers_set_addresses_and_rules: setup::maintainers_set_addresses_and_rules;
    merged_people_stay_one: setup::merged_people_stay_one;
    users_are_added_and_changed: people::users_are_added_and_changed;
    the_last_superuser_stays: people::the_last_superuser_stays;
    a_deleted_user_leaves_everything_behind: people::a_deleted_user_leaves_everything_behind;
    people_are_unlinked_and_sessions_end: people::people_are_unlinked_and_sessions_end;
    tokens_are_shown_once: people::tokens_are_shown_once;
    sessions_are_ended: people::sessions_are_ended;
    people_with_mail_stay: people::people_with_mail_stay;
    nobody_links_people_to_themselves: people::nobody_links_people_to_themselves;
    a_patch_is_put_right: content::a_patch_is_put_right;
    patches_move_between_series: content::patches_move_between_series;
    series_become_one: content::series_become_one;
    comments_go_with_their_tags: content::comments_go_with_their_tags;
    deletes_take_what_they_say: content::deletes_take_what_they_say;
    old_checks_are_deleted: content::old_checks_are_deleted;
    patches_move_to_another_project: content::patches_move_to_another_project;
    relations_are_edited: content::relations_are_edited;
    webhooks_are_set_up_and_tested: webhook::webhooks_are_set_up_and_tested;
    the_quarantine_is_looked_after: system::the_quarantine_is_looked_after;
    outgoing_mail_is_tried_again: system::outgoing_mail_is_tried_again;
    optouts_are_added_and_removed: system::optouts_are_added_and_removed;
    a_test_mail_names_the_domain: system::a_test_mail_names_the_domain;
    waiting_notifications_are_sent_at_once: system::waiting_notifications_are_sent_at_once;
    jobs_are_worked_on: system::jobs_are_worked_on;
    a_job_belongs_to_one_worker: system::a_job_belongs_to_one_worker;
    old_events_are_pruned: system::old_events_are_pruned;
    mails_for_no_project_are_read_again: system::mails_for_no_project_are_read_again;
    links_are_mailed: people::links_are_mailed;
    a_lost_second_factor_is_ended: people::a_lost_second_factor_is_ended;
    confirmations_of_all_kinds_are_listed: people::confirmations_of_all_kinds_are_listed;
    series_are_split: content::series_are_split;
    the_log_tells_everything: system::the_log_tells_everything;
}

/// The kinds of things, as addresses have them, each with the lists that a site with data has rows in.
pub const MODELS: [&str; 31] = [
    "patchwork/project",
    "patchwork/state",
    "patchwork/tag",
    "patchwork/webhook",
    "auth/user",
    "auth/group",
    "authtoken/token",
    "sessions/session",
    "sites/site",
    "patchwork/person",
    "patchwork/emailoptout",
    "patchwork/emailconfirmation",
    "patchwork/patch",
    "patchwork/cover",
    "patchwork/patchcomment",
    "patchwork/covercomment",
    "patchwork/series",
    "patchwork/seriesreference",
    "patchwork/patchrelation",
    "patchwork/bundle",
    "patchwork/check",
    "patchwork/event",
    "patchwork/patchchangenotification",
    "patchwork/mail",
    "patchwork/quarantine",
    "patchwork/outbox",
    "patchwork/webhookdelivery",
    "patchwork/job",
    "patchwork/audit",
    "patchwork/personalias",
    "patchwork/projectalias",
];

/// Runs one statement.
pub async fn run(db: &Db, statement: store::Sql) {
    let mut tx = db.begin().await.expect("a transaction");
    statement.run(&mut tx).await.expect("a statement");
    tx.commit().await.expect("a commit");
}

/// Returns a number that a statement selects.
pub async fn number(db: &Db, statement: &'static str) -> i64 {
    let mut conn = db.reader().await.expect("a reader");
    let (number,): (i64,) = sql(statement).one(&mut conn).await.expect("a number");
    number
}

/// Returns the texts that a statement selects.
pub async fn texts(db: &Db, statement: &'static str) -> Vec<String> {
    let mut conn = db.reader().await.expect("a reader");
    let rows: Vec<(String,)> = sql(statement).all(&mut conn).await.expect("texts");
    rows.into_iter().map(|(text,)| text).collect()
}

/// An account that may do everything.
pub async fn superuser(db: &Db, name: &str) -> i64 {
    let id = seed::user(db, name, None).await;
    let all = sql("UPDATE account SET is_staff = TRUE, is_superuser = TRUE WHERE id = $1");
    run(db, all.bind(id)).await;
    id
}

/// An account that is staff, with these permissions.
pub async fn staff(db: &Db, name: &str, permissions: &[&str]) -> i64 {
    let id = seed::user(db, name, None).await;
    run(
        db,
        sql("UPDATE account SET is_staff = TRUE WHERE id = $1").bind(id),
    )
    .await;
    let names: Vec<String> = permissions.iter().map(|name| (*name).to_owned()).collect();
    let mut tx = db.begin().await.expect("a transaction");
    permission::set(&mut tx, Holder::Account(id), &names)
        .await
        .expect("permissions");
    tx.commit().await.expect("a commit");
    id
}

/// A project with two patches in a series with a cover letter, comments, a check, a bundle: something of everything.
pub struct World {
    pub admin: i64,
    pub project: i64,
    pub cover: i64,
    pub series: i64,
    pub patches: Vec<i64>,
    pub comment: i64,
}

pub async fn world(db: &Db) -> World {
    let admin = superuser(db, "root").await;
    let project = seed::project(db, "tide").await;
    let cover = seed::cover(db, project, "<cover@h>", "[0/2] Tide").await;
    let series = seed::series(db, project, "Tide", 2, Some(cover)).await;
    let one = seed::Patch {
        project,
        msgid: "<1@h>",
        name: "[1/2] pool: käse",
        series: Some((series, 1)),
        ..seed::Patch::default()
    };
    let two = seed::Patch {
        msgid: "<2@h>",
        name: "[2/2] pool: 50%_done's",
        series: Some((series, 2)),
        from: ("Bob", "bob@example.org"),
        day: 2,
        ..one.clone()
    };
    let patches = seed::patches(db, &[one, two]).await;
    let text = "Reviewed-by: Bob <bob@example.org>\n";
    let comment = seed::comment(db, Some(patches[0]), None, "<c1@h>", text).await;
    seed::comment(db, None, Some(cover), "<c2@h>", "fine\n").await;
    seed::check(db, patches[0], admin, 1, 1, "ci-one").await;
    for statement in [
        "INSERT INTO series_reference (project_id, msgid, series_id, distance) SELECT project_id, '<late@h>', id, 1 FROM series",
        "INSERT INTO email_optout (email) VALUES ('no@example.org')",
    ] {
        run(db, sql(statement)).await;
    }
    let mut tx = db.begin().await.expect("a transaction");
    let owner = UserId(admin);
    let bundle = store::bundle::insert(
        &mut tx,
        owner,
        patchwork::domain::ProjectId(project),
        "mine",
        true,
    )
    .await;
    let bundle = bundle.expect("a bundle");
    store::bundle::append(&mut tx, bundle, &[patchwork::domain::PatchId(patches[0])])
        .await
        .expect("patches");
    tx.commit().await.expect("a commit");
    recount(db).await;
    World {
        admin,
        project,
        cover,
        series,
        patches,
        comment,
    }
}

/// Fills a form with what it holds, but for these fields, and sends it.
pub async fn resend(browser: &Browser<'_>, path: &str, but: &[(&str, &str)]) -> seed::Seen {
    let page = browser.get(path).await;
    assert_eq!(page.status, 200, "{path}: {}", page.body);
    let mut fields = page.form("form.thing");
    for (name, value) in but {
        fields.retain(|(known, _)| known != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    browser.post(path, &fields).await
}

/// Counts what was put in behind everybody's back.
pub async fn recount(db: &Db) {
    let mut tx = db.begin().await.expect("a transaction");
    store::tally::recount(&mut tx).await.expect("counts");
    tx.commit().await.expect("a commit");
}

/// Asserts that tables of counts are what counting gives.
pub async fn counts_are_right(db: &Db) {
    let listed = "SELECT kind || ' ' || project_id || ' ' || state_id || ' ' || category || ' ' || count FROM tally WHERE count <> 0 ORDER BY 1";
    let before = texts(db, listed).await;
    recount(db).await;
    assert_eq!(before, texts(db, listed).await);
}
