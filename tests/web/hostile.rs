//! Mails that try to be pages: whatever stands in a header, a text, a file name or a message id is shown, never done.

use patchwork::{
    domain::{ListId, Timestamp},
    ingest::{self, Options},
    store::{Db, sql},
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use rocket::local::asynchronous::Client;
use scraper::{ElementRef, Html};

use super::seed::{self, get};

/// How many threads are made up: each a cover, two patches and replies.
const THREADS: usize = 12;

/// Pieces that mean something to a browser, a mail program, a shell or a terminal.
const PIECES: &[&str] = &[
    "<script>alert(1)</script>",
    "</pre><script src=//evil.example.net/x.js></script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)' x='",
    "<svg/onload=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "javascript://evil.example.net/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "http://evil.example.net/\"onclick=alert(1)//",
    "https://evil.example.net/<b>x",
    "<base href=//evil.example.net/>",
    "<meta http-equiv=refresh content=0;url=//evil.example.net/>",
    "<style>@import'//evil.example.net/'</style>",
    "<form action=//evil.example.net/><button>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<!--",
    "-->",
    "]]>",
    "&lt;script&gt;",
    "&#x3c;b&#x3e;",
    "{{7*7}}",
    "${7*7}",
    "%3Cscript%3E",
    "\u{202e}gpj.exe",
    "\u{200b}",
    "\u{feff}",
    "\u{0}",
    "\u{1b}[31m",
    "../../etc/passwd",
    "?#&=;",
    "hx-get=\"//evil.example.net/\"",
    "net: fix a leak",
    "Reviewed-by: <b>x</b> <x@h>",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => "[ -~]{0,12}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

/// A text as a header may hold it.
fn word() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.replace(['\r', '\n', '\0'], " "))
}

/// A message id of any kind.
fn msgid() -> impl Strategy<Value = String> {
    word().prop_map(|word| word.replace(['<', '>', ' '], "'"))
}

/// The words of one thread.
#[derive(Clone, Debug)]
struct Words {
    subject: String,
    author: String,
    body: String,
    file: String,
    msgid: String,
}

fn words() -> impl Strategy<Value = Words> {
    (
        word(),
        word(),
        prop::collection::vec(text(), 1..6),
        word(),
        msgid(),
    )
        .prop_map(|(subject, author, body, file, msgid)| Words {
            subject,
            author,
            body: body.join("\n"),
            file: file.replace([' ', '\t'], "_"),
            msgid,
        })
}

/// The mails of a thread.
fn mails(number: usize, words: &Words) -> Vec<String> {
    let Words {
        subject,
        author,
        body,
        file,
        msgid,
    } = words;
    let author = author.replace(['"', '\\'], "'");
    let mail = |id: &str, title: &str, references: &str, text: &str| {
        format!(
            "From: \"{author}\" <p{number}@example.com>\nMessage-Id: <{id}{number}.{msgid}@example.com>\nSubject: {title}\n\
             Date: Tue, 5 Mar 2024 06:07:0{} +0000\nList-Id: <h.example.org>\nContent-Type: text/plain; charset=utf-8\n\
             Content-Transfer-Encoding: 8bit\n{references}X-Odd: {subject}\n\n{text}\n",
            number % 10
        )
    };
    let cover = format!("In-Reply-To: <c{number}.{msgid}@example.com>\n");
    let first = format!("In-Reply-To: <a{number}.{msgid}@example.com>\n");
    let diff = format!(
        "{body}\n---\ndiff --git a/{file} b/{file}\n--- a/{file}\n+++ b/{file}\n@@ -1,2 +1,2 @@ {subject}\n {}\n-old\n+{}\n",
        body.lines().next().unwrap_or_default(),
        body.lines().next_back().unwrap_or_default(),
    );
    let reply = format!(
        "> +{}\n\n{body}\n",
        body.lines().next_back().unwrap_or_default()
    );
    vec![
        mail("c", &format!("[PATCH 0/2] {subject}"), "", body),
        mail("a", &format!("[PATCH 1/2] {subject}"), &cover, &diff),
        mail("b", &format!("[PATCH 2/2] {subject}"), &cover, &diff),
        mail("r", &format!("Re: [PATCH 1/2] {subject}"), &first, &reply),
    ]
}

/// What no page may have, whatever came: found faults, each with its element.
fn faults(page: &str) -> Vec<String> {
    let html = Html::parse_document(page);
    let elements = html.tree.nodes().filter_map(ElementRef::wrap);
    elements.flat_map(|element| faults_of(&element)).collect()
}

fn faults_of(element: &ElementRef) -> Vec<String> {
    let value = element.value();
    let mut faults = Vec::new();
    let mut fault = |what: &str| {
        faults.push(format!(
            "{what}: {}",
            element.html().chars().take(200).collect::<String>()
        ))
    };
    match value.name() {
        "script"
            if value
                .attr("src")
                .is_none_or(|src| !src.starts_with("/static/")) =>
        {
            fault("a script")
        }
        "style" | "iframe" | "object" | "embed" | "base" | "img" => fault("an element"),
        _ => {}
    }
    for (name, text) in value.attrs() {
        let address = text.trim().to_lowercase();
        match name {
            name if name.starts_with("on") || name == "style" || name == "srcdoc" => {
                fault("an attribute")
            }
            "src" | "action" | "formaction" | "hx-get" | "hx-post"
                if !text.starts_with('/') || text.starts_with("//") =>
            {
                fault("an address")
            }
            "href" if address.starts_with("javascript:") || address.starts_with("data:text") => {
                fault("an address")
            }
            "href"
                if value.name() == "a"
                    && address.contains("://")
                    && value.attr("rel") != Some("nofollow noopener") =>
            {
                fault("a link")
            }
            _ => {}
        }
    }
    faults
}

async fn paths(db: &Db) -> Vec<String> {
    let mut conn = db.reader().await.expect("a reader");
    let mut paths = vec![
        "/".to_owned(),
        "/project/h/list/?state=*".to_owned(),
        "/project/h/list/?state=*&view=flat&q=script".to_owned(),
        "/project/h/list/?submitter=%3Cscript%3E&q=%22%3E%3Cimg%20src=x%3E".to_owned(),
        "/no-such/%3Cscript%3Ealert(1)%3C/script%3E/".to_owned(),
        "/project/h/patch/%22%3E%3Cscript%3E@x/".to_owned(),
    ];
    for (text, path) in [
        ("SELECT id FROM patch", "/patch/"),
        ("SELECT id FROM cover", "/cover/"),
        ("SELECT id FROM series", "/series/"),
    ] {
        let rows: Vec<(i64,)> = sql(text).all(&mut conn).await.expect("ids");
        assert!(!rows.is_empty(), "{text}");
        paths.extend(rows.iter().map(|(id,)| format!("{path}{id}/")));
    }
    let people: Vec<(i64,)> = sql("SELECT id FROM person")
        .all(&mut conn)
        .await
        .expect("ids");
    paths.extend(
        people
            .iter()
            .map(|(id,)| format!("/project/h/people/{id}/")),
    );
    paths
}

/// Opens an address and whatever it leads to.
async fn opened(site: &Client, path: &str) -> seed::Seen {
    let seen = get(site, path).await;
    match seen.status {
        301 | 302 => get(site, seen.header("Location")).await,
        _ => seen,
    }
}

pub async fn no_mail_becomes_a_page(db: &Db) {
    let project = "INSERT INTO project (linkname, name, list_id, list_email) VALUES ('h', 'H', 'h.example.org', 'h@example.org')";
    let mut tx = db.begin().await.expect("a transaction");
    sql(project).run(&mut tx).await.expect("a project");
    sql("INSERT INTO project (linkname, name, list_id, list_email) VALUES ('i', 'I', 'i.example.org', 'i@example.org')")
        .run(&mut tx)
        .await
        .expect("another");
    tx.commit().await.expect("a commit");
    let mut runner = TestRunner::deterministic();
    let list = ListId::new("h.example.org");
    for number in 0..THREADS {
        let words = words().new_tree(&mut runner).expect("words").current();
        for mail in mails(number, &words) {
            let now = Timestamp::now();
            ingest::receive(db, mail.as_bytes(), Some(&list), &Options::default(), now)
                .await
                .expect("the database is there");
        }
    }
    let site = seed::site(db, |_| {}).await;
    let paths = paths(db).await;
    assert!(paths.len() > 4 * THREADS, "{}", paths.len());
    for path in paths {
        let seen = opened(&site, &path).await;
        assert!(matches!(seen.status, 200 | 404), "{path}: {}", seen.status);
        assert_eq!(faults(&seen.body), [""; 0], "{path}");
    }
}

#[test]
fn faults_are_found() {
    for page in [
        "<script>x</script>",
        "<p onclick=x>",
        "<a href='javascript:x'>",
        "<a href='https://evil.example.net/'>",
        "<form action='//evil.example.net/'>",
        "<p style=x>",
        "<img src=/x>",
    ] {
        assert!(!faults(page).is_empty(), "{page}");
    }
    let good = "<script src='/static/x.js'></script><a href='https://h/' rel='nofollow noopener'>";
    assert_eq!(faults(good), [""; 0]);
}
