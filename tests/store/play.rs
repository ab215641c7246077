//! Plays the tables of `tests/data/domain/`: what is done to patches, and what must be there after it.
//!
//! A row has a `name` (the words of its rule), `steps`, and what is expected:
//!
//! | step | |
//! |---|---|
//! | `{"mail": "p1", "subject": …, "body": …, "reply": "c", "project": "quiet", "from": …}` | a mail is received |
//! | `state p1,p2 accepted by mara` | also `delegate p1 mara by …`, `delegate p1 none`, `archive p1`, `commit p1 abc` |
//! | `relate p3 p1,p2 by mara`, `leave p3 by mara` | relations |
//! | `check p1 success build by ci` | a check of the context `build` |
//! | `edit r1 TEXT`, `delete r1`, `addressed r1` | comments |
//! | `wait 11m`, `wait -24h` | the clock |
//! | `register zoe`, `confirm zoe`, `confirm-again zoe`, `switch-off zoe` | an account and its confirmations |
//! | `optout a@b`, `spoil-address <>` | what the database says of an address |
//! | `cron` | digests, the outbox, expiry; ten minutes of delay, seven days of validity |
//! | `from here` | only later events are looked at |
//!
//! `events`, `queue`, `mails`, `errors`, `relations`, `checks`, `tags`, `left`: see the functions that read them.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use mail_parser::MessageParser;
use patchwork::{
    config::{self, Backend},
    domain::{
        CommentId, PatchId, StateId, Timestamp, UserId,
        change::{Actor, PatchChange},
        check::{CheckState, NewCheck},
    },
    ingest::{self, Outcome},
    notify::{
        Mailer,
        digest::{self, Site},
        outbox,
    },
    store::{self, Conn, Db, patch::list, sql},
};
use serde_json::{Map, Value, json};

use crate::support::{fresh_folder, tally};

const BEGIN: Timestamp = Timestamp(1_704_708_000_000_000);
const DELAY: i64 = 10;
const VALIDITY: i64 = 7 * 24 * 60;

/// Those that refer come before those that are referred to.
const TABLES: [&str; 17] = [
    "event",
    "mail",
    "patch_check",
    "patch_change_notification",
    "patch_tag",
    "patch_body",
    "comment",
    "awaited",
    "series_reference",
    "patch",
    "series",
    "cover",
    "patch_relation",
    "email_confirmation",
    "email_optout",
    "person",
    "outbox",
];

/// Plays every row of a table and fails with all that is wrong.
pub async fn play_all(db: &Db, table: &str) {
    let rows: Vec<Value> = serde_json::from_str(table).expect("a table");
    let mut trouble = Vec::new();
    for row in &rows {
        let mut player = Player::new(db).await;
        for step in row["steps"].as_array().expect("steps") {
            player.step(step).await;
        }
        tally::is_right(db).await;
        trouble.extend(player.compare(row).await);
    }
    assert!(trouble.is_empty(), "\n{}", trouble.join("\n"));
}

/// A site under test.
pub struct Player {
    db: Db,
    folder: PathBuf,
    now: Timestamp,
    patches: BTreeMap<String, PatchId>,
    comments: BTreeMap<String, CommentId>,
    errors: Vec<String>,
    first_event: i64,
}

impl Player {
    /// Clears the stage: two projects, three users, no mail.
    pub async fn new(db: &Db) -> Self {
        let mut tx = db.begin().await.expect("a transaction");
        for table in TABLES {
            let mut all = sql("DELETE FROM ");
            all.push(table);
            all.run(&mut tx).await.expect(table);
        }
        for text in [
            "DELETE FROM account",
            "DELETE FROM project",
            "INSERT INTO project (linkname, name, list_id, list_email, send_notifications) \
             VALUES ('dev', 'Development', 'dev.example.org', 'dev@example.org', TRUE), \
                    ('quiet', 'Quiet', 'quiet.example.org', 'quiet@example.org', FALSE), \
                    ('plain', 'Plain', 'plain.example.org', 'plain@example.org', FALSE)",
            "UPDATE project SET use_tags = FALSE WHERE linkname = 'plain'",
        ] {
            sql(text).run(&mut tx).await.expect(text);
        }
        for name in ["mara", "tobias", "ci"] {
            account(&mut tx, name, true).await;
        }
        tx.commit().await.expect("a commit");
        Player {
            db: db.clone(),
            folder: fresh_folder(),
            now: BEGIN,
            patches: BTreeMap::new(),
            comments: BTreeMap::new(),
            errors: Vec::new(),
            first_event: 0,
        }
    }

    /// Does one step.
    pub async fn step(&mut self, step: &Value) {
        match step.as_str() {
            None => self.receive(step).await,
            Some(text) => self.words(text).await,
        }
    }

    async fn receive(&mut self, mail: &Value) {
        let label = mail["mail"].as_str().expect("a label");
        let raw = compose(mail, self.now);
        let outcome = ingest::receive(&self.db, &raw, None, &ingest::Options::default(), self.now)
            .await
            .expect("a delivery");
        match outcome {
            Outcome::Patch(id) => drop(self.patches.insert(label.to_owned(), id)),
            Outcome::Comment(id) => drop(self.comments.insert(label.to_owned(), id)),
            Outcome::Cover(_) => {}
            other => panic!("{mail}: {other:?}"),
        }
    }

    async fn words(&mut self, text: &str) {
        let (deed, by) = match text.split_once(" by ") {
            Some((deed, by)) => (deed, Some(self.user(by).await)),
            None => (text, None),
        };
        let by = Actor {
            user: by,
            at: self.now,
        };
        let words: Vec<&str> = deed.split(' ').collect();
        match words[..] {
            ["state", patches, state] => {
                let state = Some(self.state(state).await);
                self.change(
                    patches,
                    PatchChange {
                        state,
                        ..PatchChange::default()
                    },
                    &by,
                )
                .await;
            }
            ["delegate", patches, user] => {
                let delegate = match user {
                    "none" => Some(None),
                    user => Some(Some(self.user(user).await)),
                };
                self.change(
                    patches,
                    PatchChange {
                        delegate,
                        ..PatchChange::default()
                    },
                    &by,
                )
                .await;
            }
            ["archive", patches] => {
                self.change(
                    patches,
                    PatchChange {
                        archived: Some(true),
                        ..PatchChange::default()
                    },
                    &by,
                )
                .await;
            }
            ["commit", patches, commit] => {
                let commit_ref = Some(Some(commit.to_owned()));
                self.change(
                    patches,
                    PatchChange {
                        commit_ref,
                        ..PatchChange::default()
                    },
                    &by,
                )
                .await;
            }
            ["relate", patch, others] => {
                let mut tx = self.db.begin().await.expect("a transaction");
                let (patch, others) = (self.patch(patch), self.list(others));
                let related = store::relation::extend(&mut tx, patch, &others, &by)
                    .await
                    .expect("an answer");
                self.errors
                    .extend(related.err().map(|conflict| conflict.to_string()));
                tx.commit().await.expect("a commit");
            }
            ["leave", patch] => {
                let mut tx = self.db.begin().await.expect("a transaction");
                store::relation::leave(&mut tx, self.patch(patch), &by)
                    .await
                    .expect("an answer");
                tx.commit().await.expect("a commit");
            }
            ["check", patch, state, context] => {
                let state = CheckState::from_word(state).expect("a result");
                let reporter = by.user.expect("a reporter");
                let new = NewCheck::new(
                    self.patch(patch),
                    reporter,
                    state,
                    Some(context),
                    None,
                    None,
                );
                let mut tx = self.db.begin().await.expect("a transaction");
                store::check::insert(&mut tx, &new.expect("a check"), self.now)
                    .await
                    .expect("a check");
                tx.commit().await.expect("a commit");
            }
            ["edit", comment, ..] => {
                let content = deed.splitn(3, ' ').nth(2).expect("a text");
                let mut tx = self.db.begin().await.expect("a transaction");
                assert!(
                    store::comment::edit(&mut tx, self.comments[comment], content)
                        .await
                        .expect("an answer")
                );
                tx.commit().await.expect("a commit");
            }
            ["delete", comment] => {
                let mut tx = self.db.begin().await.expect("a transaction");
                assert!(
                    store::comment::delete(&mut tx, self.comments[comment])
                        .await
                        .expect("an answer")
                );
                tx.commit().await.expect("a commit");
            }
            ["addressed", comment] => {
                let mut tx = self.db.begin().await.expect("a transaction");
                let id = self.comments[comment];
                assert!(
                    store::comment::set_addressed(&mut tx, id, Some(true))
                        .await
                        .expect("an answer")
                );
                tx.commit().await.expect("a commit");
            }
            ["wait", time] => self.now = self.now.plus_minutes(minutes(time)),
            ["register", name] => self.register(name).await,
            ["confirm", name] => {
                self.run("UPDATE account SET is_active = TRUE, registration_pending = FALSE WHERE username = $1", name).await;
                self.run("UPDATE email_confirmation SET active = FALSE WHERE email = $1 || '@example.com'", name).await;
            }
            ["confirm-again", name] => {
                let mut tx = self.db.begin().await.expect("a transaction");
                confirmation(&mut tx, name, &format!("{name}-again"), self.now).await;
                tx.commit().await.expect("a commit");
            }
            ["switch-off", name] => {
                self.run(
                    "UPDATE account SET is_active = FALSE WHERE username = $1",
                    name,
                )
                .await
            }
            ["optout", .., address] => {
                let mut tx = self.db.begin().await.expect("a transaction");
                store::optout::insert(&mut tx, address)
                    .await
                    .expect("a row");
                tx.commit().await.expect("a commit");
            }
            ["spoil-address", "empty"] => {
                self.run("UPDATE person SET email = substr($1, 1, 0)", "x")
                    .await
            }
            ["spoil-address", address] => self.run("UPDATE person SET email = $1", address).await,
            ["cron"] => self.cron().await,
            ["from", "here"] => {
                let mut conn = self.db.reader().await.expect("a reader");
                let (last,): (i64,) = sql("SELECT coalesce(max(id), 0) FROM event")
                    .one(&mut conn)
                    .await
                    .expect("an id");
                self.first_event = last + 1;
            }
            _ => panic!("no such step: {text}"),
        }
    }

    async fn change(&self, patches: &str, change: PatchChange, by: &Actor) {
        let mut tx = self.db.begin().await.expect("a transaction");
        let after = store::patch::change::apply(&mut tx, &self.list(patches), &change, by)
            .await
            .expect("a change");
        for patch in after {
            assert_eq!(change.applied_to(&patch), patch, "it is as it was to be");
        }
        tx.commit().await.expect("a commit");
    }

    async fn register(&self, name: &str) {
        let mut tx = self.db.begin().await.expect("a transaction");
        account(&mut tx, name, false).await;
        sql("UPDATE account SET registration_pending = TRUE WHERE username = $1")
            .bind(name)
            .run(&mut tx)
            .await
            .expect("an account");
        confirmation(&mut tx, name, name, self.now).await;
        // As confirming an address of somebody who has sent mail does.
        sql(
            "UPDATE person SET account_id = (SELECT id FROM account WHERE username = $1) WHERE email = $1 || '@example.com'",
        )
        .bind(name)
        .run(&mut tx)
        .await
        .expect("people");
        tx.commit().await.expect("a commit");
    }

    async fn run(&self, text: &'static str, word: &str) {
        let mut tx = self.db.begin().await.expect("a transaction");
        sql(text).bind(word).run(&mut tx).await.expect(text);
        tx.commit().await.expect("a commit");
    }

    /// Does what the command does, on a clock of our own.
    async fn cron(&mut self) {
        let settings = config::Mail {
            backend: Backend::File,
            directory: self.folder.clone(),
            ..config::Mail::default()
        };
        let mailer = Mailer::new(&settings).expect("a mailer");
        let site = Site {
            url: "https://patches.example.org/pw".to_owned(),
            sender: "Tides <tides@example.org>".to_owned(),
            delay: DELAY,
        };
        let now = self.now;
        let mut errors = Vec::new();
        let mut failed = |to: &str, error: &str| errors.push(format!("{to}: {error}"));
        digest::queue(&self.db, &site, now, &mut failed)
            .await
            .expect("digests");
        outbox::send_due(
            &self.db,
            &mailer,
            Duration::from_secs(1),
            || now,
            &mut failed,
        )
        .await
        .expect("mails");
        self.errors.extend(errors);
        let mut tx = self.db.begin().await.expect("a transaction");
        store::confirmation::expire(&mut tx, now.plus_minutes(-VALIDITY))
            .await
            .expect("an end");
        tx.commit().await.expect("a commit");
    }

    async fn user(&self, name: &str) -> UserId {
        let mut conn = self.db.reader().await.expect("a reader");
        let user = store::user::by_username(&mut conn, name)
            .await
            .expect("an answer");
        user.unwrap_or_else(|| panic!("no user {name}")).id
    }

    async fn state(&self, slug: &str) -> StateId {
        let mut conn = self.db.reader().await.expect("a reader");
        let states = store::state::all(&mut conn).await.expect("states");
        states
            .iter()
            .find(|state| state.slug == slug)
            .unwrap_or_else(|| panic!("no state {slug}"))
            .id
    }

    fn patch(&self, label: &str) -> PatchId {
        *self
            .patches
            .get(label)
            .unwrap_or_else(|| panic!("no patch {label}"))
    }

    fn list(&self, labels: &str) -> Vec<PatchId> {
        labels.split(',').map(|label| self.patch(label)).collect()
    }

    fn label(&self, id: PatchId) -> &str {
        let known = self.patches.iter().find(|(_, known)| **known == id);
        known.map_or("?", |(label, _)| label)
    }

    /// Compares what a row says with what is there.
    async fn compare(&self, row: &Value) -> Vec<String> {
        let mut conn = self.db.reader().await.expect("a reader");
        let mut found = Map::new();
        found.insert("events".to_owned(), self.events(&mut conn).await);
        found.insert("queue".to_owned(), self.queue(&mut conn).await);
        found.insert("relations".to_owned(), self.relations(&mut conn).await);
        found.insert("checks".to_owned(), self.checks(&mut conn).await);
        found.insert("tags".to_owned(), self.tags(&mut conn).await);
        found.insert("left".to_owned(), left(&mut conn).await);
        found.insert("errors".to_owned(), json!(self.errors));
        found.insert("mails".to_owned(), self.mails());
        let expected = row.as_object().expect("a row");
        let told = expected
            .iter()
            .filter(|(key, _)| !["name", "steps"].contains(&key.as_str()));
        let mut trouble = Vec::new();
        for (key, expected) in told {
            let found = found
                .get(key)
                .unwrap_or_else(|| panic!("nobody reads '{key}'"));
            let is_same = match key.as_str() {
                "mails" => is_told(expected, found),
                _ => expected == found,
            };
            if !is_same {
                trouble.push(format!(
                    "{}: {key}: expected {expected}, found {found}",
                    row["name"]
                ));
            }
        }
        assert!(expected.len() > 2, "{} expects nothing", row["name"]);
        trouble
    }

    /// `category patch what by actor in project`; who and what only where it is told.
    async fn events(&self, conn: &mut Conn) -> Value {
        let rows: Vec<EventRow> = sql(
            "SELECT e.category, e.patch_id, e.series_id, e.cover_id, e.comment_id, k.context, pr.linkname,
                    a.username AS actor, ps.slug AS previous_state, cs.slug AS current_state,
                    pd.username AS previous_delegate, cd.username AS current_delegate,
                    e.previous_relation_id IS NULL AND e.current_relation_id IS NULL AS plain
               FROM event e JOIN project pr ON pr.id = e.project_id LEFT JOIN account a ON a.id = e.actor_id
               LEFT JOIN state ps ON ps.id = e.previous_state_id LEFT JOIN state cs ON cs.id = e.current_state_id
               LEFT JOIN account pd ON pd.id = e.previous_delegate_id LEFT JOIN account cd ON cd.id = e.current_delegate_id
               LEFT JOIN patch_check k ON k.id = e.check_id
              WHERE e.id >= $1 ORDER BY e.id",
        )
        .bind(self.first_event)
        .all(conn)
        .await
        .expect("events");
        rows.iter().map(|row| Value::from(self.told(row))).collect()
    }

    fn told(&self, row: &EventRow) -> String {
        assert!(row.plain, "relations are never told");
        let mut words = vec![row.category.clone()];
        words.extend(row.patch_id.map(|id| self.label(id).to_owned()));
        words.extend(row.series_id.map(|_| "series".to_owned()));
        words.extend(row.cover_id.map(|_| "cover".to_owned()));
        words.extend(row.comment_id.map(|_| "comment".to_owned()));
        words.extend(row.context.clone());
        for (before, after) in [
            (&row.previous_state, &row.current_state),
            (&row.previous_delegate, &row.current_delegate),
        ] {
            if before.is_some() || after.is_some() {
                let side = |side: &Option<String>| side.clone().unwrap_or_default();
                words.push(format!("{}>{}", side(before), side(after)));
            }
        }
        words.extend(row.actor.as_ref().map(|actor| format!("by {actor}")));
        words.push(format!("in {}", row.linkname));
        words.join(" ")
    }

    /// `patch original-state minutes-since`.
    async fn queue(&self, conn: &mut Conn) -> Value {
        let rows: Vec<(PatchId, String, Timestamp)> = sql(
            "SELECT n.patch_id, s.slug, n.last_modified FROM patch_change_notification n \
             JOIN state s ON s.id = n.orig_state_id ORDER BY n.patch_id",
        )
        .all(conn)
        .await
        .expect("a queue");
        let told = rows.iter().map(|(patch, was, at)| {
            let age = (self.now.0 - at.0) / 60_000_000;
            format!("{} {was} {age}m", self.label(*patch))
        });
        told.map(Value::from).collect()
    }

    /// The patches of each relation.
    async fn relations(&self, conn: &mut Conn) -> Value {
        let rows: Vec<(i64, Option<PatchId>)> = sql(
            "SELECT r.id, p.id FROM patch_relation r LEFT JOIN patch p ON p.related_id = r.id ORDER BY r.id, p.id",
        )
        .all(conn)
        .await
        .expect("relations");
        let mut relations: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
        for (relation, patch) in rows {
            relations
                .entry(relation)
                .or_default()
                .extend(patch.map(|id| self.label(id)));
        }
        relations
            .values()
            .map(|labels| Value::from(labels.join(" ")))
            .collect()
    }

    /// By patch: the combined result, the effective checks, the counts of success, warning, fail and pending.
    async fn checks(&self, conn: &mut Conn) -> Value {
        let mut told = Map::new();
        for (label, id) in &self.patches {
            let ranked = store::check::of_patch(conn, *id).await.expect("checks");
            let effective: Vec<String> = ranked
                .iter()
                .filter(|one| one.effective)
                .map(|one| {
                    format!(
                        "{} {} {}",
                        one.check.context,
                        one.check.username,
                        one.check.state.word()
                    )
                })
                .collect();
            let marks = list::marks_of(conn, *id, Timestamp::now())
                .await
                .expect("marks");
            let counts = CheckState::ALL.map(|state| marks.checks.of(state));
            told.insert(
                label.clone(),
                json!({
                    "combined": marks.checks.combined().word(), "effective": effective, "counts": counts,
                    "rows": ranked.len(),
                }),
            );
        }
        Value::from(told)
    }

    /// By patch: Acked, Reviewed, Tested, as lists read them: for all patches in one statement.
    async fn tags(&self, conn: &mut Conn) -> Value {
        let tags = store::tag::all(conn).await.expect("tags");
        let ids: Vec<PatchId> = self.patches.values().copied().collect();
        let rows = list::rows(conn, &ids).await.expect("rows");
        let before = conn.statements();
        let marks = list::marks(conn, &rows, Timestamp::now())
            .await
            .expect("marks");
        assert!(conn.statements() - before <= 1, "a query per patch");
        let of = |id: &PatchId| -> Vec<i64> {
            let counted = |abbrev: &str| {
                let tag = tags.iter().find(|tag| tag.abbrev == abbrev).expect("a tag");
                marks
                    .get(id)
                    .and_then(|marks| marks.tags.get(&tag.id))
                    .copied()
                    .unwrap_or(0)
            };
            ["A", "R", "T"].map(counted).to_vec()
        };
        let told = self
            .patches
            .iter()
            .map(|(label, id)| (label.clone(), json!(of(id))));
        Value::from(told.collect::<Map<_, _>>())
    }

    /// What was sent.
    fn mails(&self) -> Value {
        let mut mails = Vec::new();
        for file in fs::read_dir(&self.folder).expect("a folder") {
            let raw = fs::read(file.expect("a file").path()).expect("a mail");
            let mail = MessageParser::default().parse(&raw).expect("a mail");
            let address = |addresses: Option<&mail_parser::Address<'_>>| {
                let first = addresses.and_then(|all| all.first());
                first
                    .and_then(|one| one.address())
                    .unwrap_or_default()
                    .to_owned()
            };
            mails.push(json!({
                "to": address(mail.to()),
                "from": address(mail.from()),
                "subject": mail.subject(),
                "precedence": mail.header("Precedence").and_then(|value| value.as_text()),
                "text": mail.body_text(0).map(|text| text.replace("\r\n", "\n")),
            }));
        }
        Value::from(mails)
    }
}

#[derive(sqlx::FromRow)]
struct EventRow {
    category: String,
    patch_id: Option<PatchId>,
    series_id: Option<i64>,
    cover_id: Option<i64>,
    comment_id: Option<i64>,
    context: Option<String>,
    linkname: String,
    actor: Option<String>,
    previous_state: Option<String>,
    current_state: Option<String>,
    previous_delegate: Option<String>,
    current_delegate: Option<String>,
    plain: bool,
}

async fn account(conn: &mut Conn, name: &str, is_active: bool) {
    sql("INSERT INTO account (username, email, password, is_active, date_joined) VALUES ($1, $1 || '@example.com', '', $2, $3)")
        .bind(name)
        .bind(is_active)
        .bind(BEGIN)
        .run(conn)
        .await
        .expect("an account");
}

async fn confirmation(conn: &mut Conn, name: &str, key: &str, now: Timestamp) {
    sql(
        "INSERT INTO email_confirmation (type, email, account_id, key_digest, date) \
         SELECT 'registration', email, id, $2, $3 FROM account WHERE username = $1",
    )
    .bind(name)
    .bind(format!("{key:0>40}"))
    .bind(now)
    .run(conn)
    .await
    .expect("a confirmation");
}

/// Accounts beside those of the stage, people and whose they are, and how much else there is.
async fn left(conn: &mut Conn) -> Value {
    let accounts: Vec<(String,)> = sql(
        "SELECT username FROM account WHERE username NOT IN ('mara', 'tobias', 'ci') ORDER BY id",
    )
    .all(conn)
    .await
    .expect("accounts");
    let people: Vec<(String, bool)> =
        sql("SELECT email, account_id IS NOT NULL FROM person ORDER BY id")
            .all(conn)
            .await
            .expect("people");
    let (confirmations,): (i64,) = sql("SELECT count(*) FROM email_confirmation")
        .one(conn)
        .await
        .expect("a count");
    let (patches,): (i64,) = sql("SELECT count(*) FROM patch")
        .one(conn)
        .await
        .expect("a count");
    let accounts: Vec<String> = accounts.into_iter().map(|(name,)| name).collect();
    json!({"accounts": accounts, "people": people, "confirmations": confirmations, "patches": patches})
}

/// Says whether mails are as expected: each key of an expected mail has its value; `has` are parts of the text.
fn is_told(expected: &Value, found: &Value) -> bool {
    let (expected, found) = (
        expected.as_array().expect("mails"),
        found.as_array().expect("mails"),
    );
    let is_one = |expected: &Value, found: &Value| {
        expected
            .as_object()
            .expect("a mail")
            .iter()
            .all(|(key, value)| match key.as_str() {
                "has" => {
                    let text = found["text"].as_str().unwrap_or_default();
                    value
                        .as_array()
                        .expect("parts")
                        .iter()
                        .all(|part| text.contains(part.as_str().expect("a part")))
                }
                key => found[key] == *value,
            })
    };
    expected.len() == found.len()
        && expected
            .iter()
            .all(|one| found.iter().any(|mail| is_one(one, mail)))
}

fn minutes(time: &str) -> i64 {
    let (number, unit) = time.split_at(time.len() - 1);
    let number: i64 = number.parse().expect("a number");
    match unit {
        "m" => number,
        "h" => number * 60,
        "d" => number * 60 * 24,
        _ => panic!("no such unit: {time}"),
    }
}

fn compose(mail: &Value, now: Timestamp) -> Vec<u8> {
    let word = |key: &str| mail[key].as_str();
    let reply = word("reply").map_or(String::new(), |id| {
        format!("In-Reply-To: <{id}@example.com>\n")
    });
    let subject = word("subject").unwrap_or("[PATCH] a");
    let diff = "--- a/file.c\n+++ b/file.c\n@@ -1 +1 @@\n-old\n+new\n";
    let is_patch = !subject.starts_with("Re:") && !subject.contains(" 0/");
    format!(
        "From: {}\nSubject: {subject}\nMessage-Id: <{}@example.com>\nDate: {}\nList-Id: <{}.example.org>\n{reply}\n{}\n{}",
        word("from").unwrap_or("Ann Author <ann@example.com>"),
        word("mail").unwrap_or_default(),
        now.format("%a, %d %b %Y %H:%M:%S +0000"),
        word("project").unwrap_or("dev"),
        word("body").unwrap_or("A text."),
        if is_patch { diff } else { "" },
    )
    .into_bytes()
}
