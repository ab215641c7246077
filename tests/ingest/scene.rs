//! Plays scenes: mails, and what must be in the database after them.
//!
//! A scene has a `name` (the words of its rule), `mails` in order of arrival, and what is expected:
//!
//! | key | |
//! |---|---|
//! | `series` | by age: `patches` in date order, `cover` (none when not said), and what else is said |
//! | `patches` | by id: what is said of name, state, delegate, tags (Acked, Reviewed, Tested), … |
//! | `comments` | per patch or cover, in date order |
//! | `events` | in order: `patch-completed p1 #1` |
//! | `outcomes` | one per mail |
//! | others | as `rows.rs` reads them |
//!
//! A mail: `id`, `subject`, `from`, `reply` (what it answers, nearest first), `minute` (else one second after
//! the mail before it), `list` (a project's linkname), `body` (`{diff}` stands for one), `files` of the diff,
//! `headers` (`null` takes one away). `{"call": "x"}` instead of a mail names the eldest series by hand.

use patchwork::{
    domain::Timestamp,
    ingest::{self, Options, Outcome, archive::Summary},
    store::{self, Db, sql},
};
use serde_json::Value;

use super::{rows, stage};

/// When the first mail of each scene was written.
pub const BEGIN: Timestamp = Timestamp(1_704_708_000_000_000);

enum Step {
    Mail(Vec<u8>),
    Call(String),
}

/// Plays every scene of a table one mail at a time and as an archive, each twice.
pub async fn play_all(url: &str, table: &str) {
    let db = &stage::open(url).await;
    let scenes: Vec<Value> = serde_json::from_str(table).expect("a table of scenes");
    let mut trouble = Vec::new();
    for scene in &scenes {
        for play in [Way::Mails, Way::Archive] {
            stage::clear(db).await;
            let found = perform(db, scene, play).await;
            trouble.extend(
                found
                    .into_iter()
                    .map(|what| format!("{} ({play:?}): {what}", scene["name"])),
            );
        }
    }
    assert!(trouble.is_empty(), "\n{}", trouble.join("\n"));
}

/// Plays every scene of a table with its first mails one at a time and the others as an archive, whatever their number.
pub async fn play_all_splits(url: &str, table: &str) {
    let db = &stage::open(url).await;
    let scenes: Vec<Value> = serde_json::from_str(table).expect("a table of scenes");
    let mut trouble = Vec::new();
    for scene in &scenes {
        for first in 1..steps(scene).len() {
            stage::clear(db).await;
            let found = perform(db, scene, Way::Split(first)).await;
            let name = &scene["name"];
            trouble.extend(
                found
                    .into_iter()
                    .map(|what| format!("{name} ({first} first): {what}")),
            );
        }
    }
    assert!(trouble.is_empty(), "\n{}", trouble.join("\n"));
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Mails,
    Archive,
    /// So many one at a time, the others as an archive.
    Split(usize),
}

/// Plays a scene and returns what is wrong.
async fn perform(db: &Db, scene: &Value, way: Way) -> Vec<String> {
    let steps = steps(scene);
    let first = deliver(db, &steps, way).await;
    let mut conn = db.reader().await.expect("a connection");
    let found = rows::read(&mut conn).await;
    let mut trouble = compare(scene, &found);
    if way == Way::Mails {
        trouble.extend(differs(
            "outcomes",
            scene.get("outcomes"),
            &Value::from(first.clone()),
        ));
    } else {
        let expected = scene.get("outcomes").map(sorted);
        trouble.extend(differs(
            "outcomes",
            expected.as_ref(),
            &sorted(&Value::from(first.clone())),
        ));
    }
    trouble.extend(unkept(&mut conn, &steps, &first, way).await);
    let counts = stage::counts(&mut conn).await;
    drop(conn);
    let mails: Vec<Step> = steps
        .into_iter()
        .filter(|step| matches!(step, Step::Mail(_)))
        .collect();
    deliver(db, &mails, way).await;
    let mut conn = db.reader().await.expect("a connection");
    let again = stage::counts(&mut conn).await;
    if again != counts {
        trouble.push(format!("delivered twice: {counts:?} became {again:?}"));
    }
    if rows::read(&mut conn).await != found {
        trouble.push("delivering twice changed something".to_owned());
    }
    trouble
}

fn steps(scene: &Value) -> Vec<Step> {
    let mails = scene["mails"].as_array().expect("mails");
    let mut second = 0;
    let one = |mail: &Value| match mail["call"].as_str() {
        Some(name) => Step::Call(name.to_owned()),
        None => {
            second = mail["minute"]
                .as_f64()
                .map_or(second + 1, |minute| (minute * 60.0) as i64);
            Step::Mail(compose(mail, second))
        }
    };
    mails.iter().map(one).collect()
}

/// Writes a mail.
pub fn compose(mail: &Value, second: i64) -> Vec<u8> {
    let date = Timestamp(BEGIN.0 + second * 1_000_000);
    let mut headers = vec![
        (
            "From",
            mail["from"]
                .as_str()
                .unwrap_or("Ann Author <ann@example.com>")
                .to_owned(),
        ),
        (
            "Subject",
            mail["subject"].as_str().unwrap_or_default().to_owned(),
        ),
        ("Message-Id", id(&mail["id"])),
        ("Date", date.format("%a, %d %b %Y %H:%M:%S +0000")),
        (
            "List-Id",
            format!(
                "A list <{}>",
                stage::list_id(mail["list"].as_str().unwrap_or("dev"))
            ),
        ),
    ];
    if let Some(ids) = mail["reply"].as_array() {
        let ids: Vec<String> = ids.iter().rev().map(id).collect();
        headers.push(("In-Reply-To", ids.last().expect("an id").clone()));
        headers.push(("References", ids.join(" ")));
    }
    for (name, value) in mail["headers"].as_object().into_iter().flatten() {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.extend(
            value
                .as_str()
                .map(|value| (name.as_str(), value.to_owned())),
        );
    }
    let headers = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"));
    format!("{}\n{}", headers.collect::<String>(), body(mail)).into_bytes()
}

fn id(short: &Value) -> String {
    format!("<{}@example.com>", short.as_str().expect("an id"))
}

fn body(mail: &Value) -> String {
    let subject = mail["subject"].as_str().unwrap_or_default().to_lowercase();
    let text = match mail["body"].as_str() {
        Some(text) => text,
        None if subject.starts_with("re:") => "A remark.\n",
        None if subject.contains(" 0/") || subject.contains(" 0 of ") => "All of it.\n",
        None => "What it does.\n\n{diff}",
    };
    text.replace("{diff}", &diff(mail))
}

fn diff(mail: &Value) -> String {
    let files = match mail["files"].as_array() {
        Some(files) => files.iter().filter_map(Value::as_str).collect(),
        None => vec!["file.c"],
    };
    let one = |name: &str| format!("--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-old\n+new\n");
    files.into_iter().map(one).collect()
}

/// What the site of the scenes decides.
pub fn options() -> Options {
    Options {
        hosts: vec!["patchwork.example.org".to_owned()],
        ..Options::default()
    }
}

async fn deliver(db: &Db, steps: &[Step], way: Way) -> Vec<String> {
    let mut outcomes = Vec::new();
    let mut archive = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        let is_single = match way {
            Way::Mails => true,
            Way::Archive => false,
            Way::Split(first) => place < first,
        };
        match step {
            Step::Mail(raw) if !is_single => archive.push(raw.clone()),
            Step::Mail(raw) => outcomes.push(receive(db, raw).await),
            Step::Call(name) => {
                outcomes.extend(load(db, std::mem::take(&mut archive)).await);
                call(db, name).await;
            }
        }
    }
    outcomes.extend(load(db, archive).await);
    outcomes
}

/// Receives a mail and returns what became of it, in a word.
pub async fn receive(db: &Db, raw: &[u8]) -> String {
    let now = BEGIN.plus_minutes(60 * 24 * 30);
    let outcome = ingest::receive(db, raw, None, &options(), now).await;
    word(&outcome.expect("a database that takes all mails")).to_owned()
}

/// Returns the word for what became of a mail.
pub fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Patch(_) => "patch",
        Outcome::Cover(_) => "cover",
        Outcome::Comment(_) => "comment",
        Outcome::Duplicate(_) => "duplicate",
        Outcome::Ignored(why) => why.word(),
        Outcome::Invalid(_) => "invalid",
        Outcome::Quarantined { .. } => "quarantined",
    }
}

/// Loads mails as an archive and returns what became of them, in no particular order.
pub async fn load(db: &Db, mails: Vec<Vec<u8>>) -> Vec<String> {
    let count = mails.len();
    let summary =
        ingest::archive::load(db, mails.into_iter().map(Ok), None, &options(), |_| true).await;
    let words = words(&summary.expect("a database that takes all mails"));
    assert_eq!(words.len(), count, "{words:?}");
    words
}

fn words(summary: &Summary) -> Vec<String> {
    let kinds = [
        ("patch", summary.patches),
        ("cover", summary.covers),
        ("comment", summary.comments),
        ("duplicate", summary.duplicates),
        ("invalid", summary.errors),
        ("quarantined", summary.quarantined),
    ];
    let dropped = summary.dropped.iter().map(|(word, count)| (*word, *count));
    let repeated = |(word, count)| std::iter::repeat_n(String::from(word), count as usize);
    kinds
        .into_iter()
        .chain(dropped)
        .flat_map(repeated)
        .collect()
}

async fn call(db: &Db, name: &str) {
    let mut tx = db.begin().await.expect("a transaction");
    sql("UPDATE series SET name = $1 WHERE id = (SELECT min(id) FROM series)")
        .bind(name)
        .run(&mut tx)
        .await
        .expect("a named series");
    tx.commit().await.expect("a commit");
}

/// Every mail that is no duplicate is kept as it came.
async fn unkept(
    conn: &mut store::Conn,
    steps: &[Step],
    outcomes: &[String],
    way: Way,
) -> Option<String> {
    let rows: Vec<(Vec<u8>, i64)> = sql("SELECT packed, size FROM mail")
        .all(conn)
        .await
        .expect("mails");
    let kept: Vec<Vec<u8>> = rows
        .iter()
        .map(|(packed, size)| store::mail::unpack(packed, *size).expect("a sound mail"))
        .collect();
    let mails = steps.iter().filter_map(|step| match step {
        Step::Mail(raw) => Some(raw),
        Step::Call(_) => None,
    });
    let missing: Vec<usize> = mails
        .enumerate()
        .filter(|(index, _)| way != Way::Mails || outcomes[*index] != "duplicate")
        .filter(|(_, raw)| !kept.contains(raw))
        .map(|(index, _)| index)
        .collect();
    let duplicates = outcomes.iter().filter(|word| *word == "duplicate").count();
    (missing.len() > duplicates).then(|| format!("not kept: mails {missing:?}"))
}

/// Returns where the rows differ from what the scene says.
fn compare(scene: &Value, found: &Value) -> Vec<String> {
    let scene = scene.as_object().expect("a scene");
    let mut trouble = Vec::new();
    for (key, expected) in scene {
        match key.as_str() {
            "name" | "mails" | "outcomes" => {}
            "series" => trouble.extend(series_differ(expected, &found["series"])),
            "patches" => {
                for (id, about) in expected.as_object().expect("patches by id") {
                    trouble.extend(lacks(id, about, &found["patches"][id]));
                }
            }
            key => trouble.extend(differs(key, Some(expected), &found[key])),
        }
    }
    trouble
}

fn series_differ(expected: &Value, found: &Value) -> Vec<String> {
    let (expected, found) = (
        expected.as_array().expect("series"),
        found.as_array().expect("series"),
    );
    if expected.len() != found.len() {
        return vec![format!(
            "{} series, not {}: {found:?}",
            found.len(),
            expected.len()
        )];
    }
    let one = |(expected, found): (&Value, &Value)| {
        let mut expected = expected.clone();
        if expected.get("cover").is_none() {
            expected["cover"] = Value::Null;
        }
        lacks("a series", &expected, found)
    };
    expected.iter().zip(found).filter_map(one).collect()
}

/// Says if `found` has not all that is expected.
fn lacks(what: &str, expected: &Value, found: &Value) -> Option<String> {
    let said = expected.as_object().expect("an object");
    let wrong = said
        .iter()
        .any(|(key, value)| found.get(key) != Some(value));
    wrong.then(|| format!("{what}: expected {expected}, found {found}"))
}

fn differs(what: &str, expected: Option<&Value>, found: &Value) -> Option<String> {
    let expected = expected?;
    (expected != found).then(|| format!("{what}: expected {expected}, found {found}"))
}

fn sorted(words: &Value) -> Value {
    let mut words = words.as_array().cloned().unwrap_or_default();
    words.sort_by_key(ToString::to_string);
    Value::from(words)
}
