//! Webhooks: what is sent to whom, how it is signed, what becomes of receivers that fail, hang or lead elsewhere.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use patchwork::{
    api,
    config::Webhooks,
    domain::{ProjectId, WebhookId, event::Category, webhook::MAX_TRIES},
    notify::webhook::{self, Teller, sign},
    store::{self, Db, sql, webhook::NewWebhook},
};
use serde_json::{Value, json};

use super::seed::{self, NOW, Site};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What a receiver got.
#[derive(Clone, Debug)]
struct Got {
    head: Vec<String>,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        let found = self.head.iter().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        });
        found.unwrap_or_else(|| panic!("no {name} in {:?}", self.head))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// A receiver of webhooks, on a port of its own.
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<Got>>>,
    answer: Arc<Mutex<&'static str>>,
}

const TAKEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const REFUSED: &str = "HTTP/1.1 500 Oh\r\nConnection: close\r\n\r\nout of order";
const ELSEWHERE: &str =
    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/inside\r\nContent-Length: 0\r\n\r\n";

impl Receiver {
    fn new() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let got: Arc<Mutex<Vec<Got>>> = Arc::default();
        let answer = Arc::new(Mutex::new(TAKEN));
        let (heard, answers) = (got.clone(), answer.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (heard, answers) = (heard.clone(), answers.clone());
                thread::spawn(move || {
                    if let Some(one) = read(&stream) {
                        heard.lock().expect("a lock").push(one);
                    }
                    let answer = *answers.lock().expect("a lock");
                    if answer.is_empty() {
                        // Says nothing until the other side has enough.
                        let _ = (&stream).read(&mut [0]);
                    }
                    let _ = (&stream).write_all(answer.as_bytes());
                });
            }
        });
        Receiver {
            url: format!("http://127.0.0.1:{port}/hook?a=b"),
            got,
            answer,
        }
    }

    fn answers(&self, answer: &'static str) {
        *self.answer.lock().expect("a lock") = answer;
    }

    /// What came since the last time.
    fn got(&self) -> Vec<Got> {
        std::mem::take(&mut self.got.lock().expect("a lock"))
    }
}

fn read(stream: &TcpStream) -> Option<Got> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let mut got = Got {
        head,
        body: String::new(),
    };
    let mut body = vec![0; got.header("content-length").parse().expect("a length")];
    reader.read_exact(&mut body).ok()?;
    got.body = String::from_utf8(body).expect("text");
    Some(got)
}

fn teller(db: &Db, settings: Webhooks) -> Teller {
    let options = api::Options {
        site_url: Some("https://pw.example.com".to_owned()),
        ..api::Options::default()
    };
    let events = Box::new(api::Events::new(db.clone(), options));
    Teller::new(db.clone(), events, &settings).expect("a teller")
}

fn open() -> Webhooks {
    Webhooks {
        allow_private: true,
        timeout: 1,
        ..Webhooks::default()
    }
}

async fn hook(db: &Db, project: i64, url: &str, categories: &[Category]) -> WebhookId {
    let new = NewWebhook {
        project: ProjectId(project),
        url,
        secret: SECRET,
        categories,
        created: NOW,
    };
    let mut tx = db.begin().await.expect("a transaction");
    let id = store::webhook::insert(&mut tx, &new)
        .await
        .expect("a webhook");
    tx.commit().await.expect("a commit");
    id
}

async fn run(db: &Db, text: &'static str) {
    let mut tx = db.begin().await.expect("a transaction");
    sql(text).run(&mut tx).await.expect(text);
    tx.commit().await.expect("a commit");
}

/// Makes all pauses end.
async fn wait(db: &Db) {
    run(db, "UPDATE webhook SET rests_until = NULL").await;
    run(
        db,
        "UPDATE webhook_delivery SET next_try = created WHERE next_try IS NOT NULL",
    )
    .await;
}

type Logged = (i64, Option<i64>, String, bool, bool);

/// The log: tries, status, answer, whether it was delivered, whether it is tried again.
async fn log(db: &Db) -> Vec<Logged> {
    let mut conn = db.reader().await.expect("a reader");
    sql("SELECT tries, status, answer, delivered IS NOT NULL, next_try IS NOT NULL FROM webhook_delivery ORDER BY id")
        .all(&mut conn)
        .await
        .expect("rows")
}

async fn accept(site: &Site, patch: i64) {
    let change = json!({"state": "accepted"});
    let path = format!("patches/{patch}/");
    site.patch("m", &path, change).await.is(200);
}

on_both! {
    async fn events_are_sent_signed_and_in_order(db: Db) {
        let site = seed::site(&db).await;
        let (all, some, other) = (Receiver::new(), Receiver::new(), Receiver::new());
        hook(&db, 1, &all.url, &[]).await;
        hook(&db, 1, &some.url, &[Category::CheckCreated]).await;
        hook(&db, 2, &other.url, &[]).await;
        let teller = teller(&db, open());
        webhook::round(&teller).await.expect("a round");
        assert!(all.got().is_empty(), "what was before it is not sent");
        accept(&site, 1).await;
        site.post("m", "patches/1/checks/", json!({"state": "fail"})).await.is(201);
        webhook::round(&teller).await.expect("a round");
        let got = all.got();
        assert_eq!(got.len(), 2);
        let list = site.get("events/?per_page=2").await.is(200);
        let listed = |at: usize| list.json[at].to_string().replace("http://pw.example.com", "https://pw.example.com");
        assert_eq!(got[0].json().to_string(), listed(1), "the addresses are the site's");
        assert_eq!(got[1].json().to_string(), listed(0));
        let first = &got[0];
        assert_eq!(first.head[0], "POST /hook?a=b HTTP/1.1");
        assert_eq!(first.header("Content-Type"), "application/json");
        assert_eq!(first.header("X-Patchwork-Event"), "patch-state-changed");
        assert!(first.header("User-Agent").starts_with("Patchwork/"));
        let (id, seconds) = (first.header("webhook-id"), first.header("webhook-timestamp"));
        let seconds: i64 = seconds.parse().expect("seconds");
        assert_eq!(first.header("webhook-signature"), sign::standard(SECRET, id, seconds, &first.body));
        assert_eq!(first.header("X-Hub-Signature-256"), sign::hub(SECRET, &first.body));
        assert_ne!(id, got[1].header("webhook-id"));
        let got = some.got();
        assert_eq!(got.len(), 1);
        assert_eq!(got[0].header("X-Patchwork-Event"), "check-created");
        assert!(other.got().is_empty());
        assert!(log(&db).await.iter().all(|row| (row.0, row.1, row.2.as_str(), row.3, row.4) == (1, Some(200), "ok", true, false)));
        webhook::round(&teller).await.expect("a round");
        assert!(all.got().is_empty() && some.got().is_empty(), "nothing is sent twice");
        webhook::tidy(&teller).await.expect("an end");
        assert_eq!(log(&db).await.len(), 3, "what is new stays in the log");
        run(&db, if db.kind() == store::Kind::Sqlite { "UPDATE webhook_delivery SET created = 0" } else { "UPDATE webhook_delivery SET created = now() - interval '15 days'" }).await;
        webhook::tidy(&teller).await.expect("an end");
        assert!(log(&db).await.is_empty());
    }
}

on_both! {
    async fn a_receiver_that_fails_rests_and_keeps_nobody_waiting(db: Db) {
        let site = seed::site(&db).await;
        let (bad, good) = (Receiver::new(), Receiver::new());
        bad.answers(REFUSED);
        hook(&db, 1, &bad.url, &[]).await;
        hook(&db, 1, &good.url, &[]).await;
        let teller = teller(&db, open());
        for patch in 1..4 {
            accept(&site, patch).await;
        }
        webhook::round(&teller).await.expect("a round");
        assert_eq!((bad.got().len(), good.got().len()), (1, 3), "after a failure it is left alone");
        let first = &log(&db).await[0];
        assert_eq!((first.0, first.1, first.2.as_str(), first.3, first.4), (1, Some(500), "out of order", false, true));
        webhook::round(&teller).await.expect("a round");
        assert!(bad.got().is_empty(), "it rests");
        for try_ in 2..=MAX_TRIES {
            wait(&db).await;
            webhook::round(&teller).await.expect("a round");
            assert_eq!(log(&db).await[0].0, try_);
        }
        let first = &log(&db).await[0];
        assert!(!first.3 && !first.4, "it is given up");
        bad.answers(TAKEN);
        bad.got();
        wait(&db).await;
        webhook::round(&teller).await.expect("a round");
        assert_eq!(bad.got().len(), 2, "the others wait no longer");
        let mut conn = db.reader().await.expect("a reader");
        let resting: Vec<(i64,)> = sql("SELECT id FROM webhook WHERE failures > 0").all(&mut conn).await.expect("rows");
        assert!(resting.is_empty());
    }
}

on_both! {
    /// What failed while a receiver was away comes before what is newer.
    async fn a_receiver_that_is_back_gets_what_it_missed(db: Db) {
        let site = seed::site(&db).await;
        let receiver = Receiver::new();
        receiver.answers(REFUSED);
        hook(&db, 1, &receiver.url, &[]).await;
        let teller = teller(&db, open());
        accept(&site, 1).await;
        for _ in 0..3 {
            webhook::round(&teller).await.expect("a round");
            wait(&db).await;
        }
        webhook::round(&teller).await.expect("a round");
        run(&db, "UPDATE webhook SET rests_until = NULL").await;
        receiver.answers(TAKEN);
        receiver.got();
        accept(&site, 2).await;
        webhook::round(&teller).await.expect("a round");
        webhook::round(&teller).await.expect("a round");
        let patches: Vec<i64> = receiver.got().iter().map(|got| got.json()["payload"]["patch"]["id"].as_i64().expect("an id")).collect();
        assert_eq!(patches, [2, 1], "the first that is taken says that it is back");
        assert!(log(&db).await.iter().all(|row| row.3));
    }
}

on_both! {
    async fn receivers_that_hang_or_lead_elsewhere_are_cut_off(db: Db) {
        let site = seed::site(&db).await;
        let (elsewhere, silent) = (Receiver::new(), Receiver::new());
        elsewhere.answers(ELSEWHERE);
        silent.answers("");
        hook(&db, 1, &elsewhere.url, &[]).await;
        hook(&db, 1, &silent.url, &[]).await;
        hook(&db, 1, "https://nowhere.invalid/", &[]).await;
        accept(&site, 1).await;
        let teller = teller(&db, open());
        let round = rocket::tokio::time::timeout(Duration::from_secs(20), webhook::round(&teller));
        round.await.expect("within its time").expect("a round");
        let log = log(&db).await;
        assert_eq!((log[0].1, log[0].2.as_str()), (Some(302), "leads on to http://127.0.0.1:1/inside: enter that address instead"));
        assert_eq!((log[1].1, log[1].2.as_str()), (None, "no answer within 1 s"));
        assert!(log[2].2.starts_with("nowhere.invalid cannot be found"), "{}", log[2].2);
        assert!(log.iter().all(|row| !row.3 && row.4));
    }
}

on_both! {
    async fn private_addresses_are_asked_only_where_that_is_allowed(db: Db) {
        let site = seed::site(&db).await;
        let inside = Receiver::new();
        let port = inside.url.split(':').nth(2).expect("a port");
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"] {
            hook(&db, 1, &format!("http://{host}:{port}"), &[]).await;
        }
        accept(&site, 1).await;
        webhook::round(&teller(&db, Webhooks { allow_private: false, ..open() })).await.expect("a round");
        let log = log(&db).await;
        assert_eq!(log.len(), 4);
        for row in log {
            assert!(row.2.contains("webhooks.allow_private"), "{}", row.2);
        }
        assert!(inside.got().is_empty());
    }
}

on_both! {
    async fn many_senders_send_each_event_once(db: Db) {
        let site = seed::site(&db).await;
        let receiver = Receiver::new();
        hook(&db, 1, &receiver.url, &[]).await;
        for patch in 1..30 {
            accept(&site, patch).await;
        }
        let tellers: Vec<Teller> = (0..4).map(|_| teller(&db, open())).collect();
        let rounds = tellers.iter().map(webhook::round);
        for round in futures_util::future::join_all(rounds).await {
            // Of those that queue at the same time one is first; who met another one has nothing to do.
            round.expect("a round");
        }
        webhook::round(&tellers[0]).await.expect("a round");
        let ids: Vec<i64> = receiver.got().iter().map(|got| got.json()["id"].as_i64().expect("an id")).collect();
        assert_eq!(ids.len(), 29);
        assert!(ids.windows(2).all(|two| two[0] < two[1]), "in order: {ids:?}");
    }
}
