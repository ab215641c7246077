//! Rows to look at, and a reader to look at them.

use patchwork::{
    domain::{Timestamp, patch::name_key, person},
    store::{Database, Db, Pool, Tx, sql},
    web,
};
use rocket::{
    http::{
        Cookie, Header,
        uri::{Authority, Host},
    },
    local::asynchronous::{Client, LocalResponse},
};
use scraper::{Html, Selector};

/// A site on this database, with settings of one's own.
pub async fn site(db: &Db, change: impl FnOnce(&mut web::Options)) -> Client {
    let mut options = web::Options {
        server_timing: true,
        ..web::Options::default()
    };
    change(&mut options);
    let figment = rocket::Config::figment()
        .merge(("log_level", "off"))
        .merge(("secret_key", [7u8; 32].as_slice()));
    let rocket = rocket::custom(figment).manage(Database::from(Pool::from(db.clone())));
    Client::untracked(web::mount(rocket, options))
        .await
        .expect("a site")
}

/// What a reader got.
pub struct Seen {
    pub status: u16,
    pub body: String,
    headers: Vec<(String, String)>,
}

impl Seen {
    pub async fn of(response: LocalResponse<'_>) -> Seen {
        let headers = response
            .headers()
            .iter()
            .map(|h| (h.name().to_string(), h.value().to_owned()))
            .collect();
        let status = response.status().code;
        let bytes = response.into_bytes().await.unwrap_or_default();
        Seen {
            status,
            headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// All values of a header.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.headers.iter();
        found
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn header(&self, name: &str) -> &str {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    /// The number of statements it took.
    pub fn statements(&self) -> u32 {
        let timing = self.header("Server-Timing");
        let count = timing.split('"').nth(1).unwrap_or_default();
        count.parse().expect("a number of statements")
    }

    /// The texts of what a selector finds.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let selector = Selector::parse(selector).expect("a selector");
        let page = Html::parse_document(&self.body);
        page.select(&selector)
            .map(|e| {
                e.text()
                    .collect::<String>()
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    }

    /// What a browser would send of the first form that a selector finds, without its buttons.
    pub fn form(&self, selector: &str) -> Vec<(String, String)> {
        let page = Html::parse_document(&self.body);
        let forms = Selector::parse(selector).expect("a selector");
        let fields = Selector::parse("input, select, textarea").expect("a selector");
        let chosen = Selector::parse("option[selected]").expect("a selector");
        let first = Selector::parse("option").expect("a selector");
        let form = page.select(&forms).next().expect("a form");
        let sent = form.select(&fields).filter_map(|field| {
            let name = field.attr("name")?.to_owned();
            let value = match field.value().name() {
                "select" => {
                    let option = field
                        .select(&chosen)
                        .next()
                        .or(field.select(&first).next())?;
                    option.attr("value")?.to_owned()
                }
                "textarea" => field.text().collect(),
                _ => {
                    let is_box = field.attr("type") == Some("checkbox");
                    if is_box && field.attr("checked").is_none() {
                        return None;
                    }
                    field.attr("value").unwrap_or_default().to_owned()
                }
            };
            Some((name, value))
        });
        sent.collect()
    }

    /// An attribute of what a selector finds.
    pub fn values(&self, selector: &str, name: &str) -> Vec<String> {
        let selector = Selector::parse(selector).expect("a selector");
        let page = Html::parse_document(&self.body);
        page.select(&selector)
            .filter_map(|e| e.attr(name).map(str::to_owned))
            .collect()
    }
}

pub async fn get(client: &Client, path: &str) -> Seen {
    Seen::of(client.get(path.to_owned()).dispatch().await).await
}

pub async fn get_with(client: &Client, path: &str, headers: &[(&'static str, &str)]) -> Seen {
    let mut request = client.get(path.to_owned());
    for (name, value) in headers {
        match *name {
            // The local client does not read these two.
            "Host" => {
                let host = Authority::parse_owned((*value).to_owned()).expect("a host");
                request.inner_mut().set_host(Host::new(host));
            }
            "Cookie" => {
                request = request.cookie(Cookie::parse((*value).to_owned()).expect("a cookie"))
            }
            name => request.add_header(Header::new(name, (*value).to_owned())),
        }
    }
    Seen::of(request.dispatch().await).await
}

/// A patch with what matters to a test.
#[derive(Clone)]
pub struct Patch<'a> {
    pub project: i64,
    pub name: &'a str,
    pub msgid: &'a str,
    pub from: (&'a str, &'a str),
    pub day: i64,
    pub state: i64,
    pub archived: bool,
    pub delegate: Option<i64>,
    pub series: Option<(i64, i64)>,
    pub content: &'a str,
    pub diff: Option<&'a str>,
    pub headers: &'a str,
}

pub const DIFF: &str = "diff --git a/x.c b/x.c\nindex 1..2 100644\n--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n a\n-b\n+é\n";

impl Default for Patch<'_> {
    fn default() -> Self {
        Patch {
            project: 1,
            name: "a patch",
            msgid: "<a@h>",
            from: ("Ann", "ann@example.org"),
            day: 1,
            state: 1,
            archived: false,
            delegate: None,
            series: None,
            content: "text\n",
            diff: Some(DIFF),
            headers: "From: Ann <ann@example.org>\nSubject: x\n",
        }
    }
}

pub fn day(day: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + day * 86_400)
}

async fn id(tx: &mut Tx, query: patchwork::store::Sql) -> i64 {
    query.one::<(i64,)>(tx).await.expect("a row").0
}

pub async fn project(db: &Db, linkname: &str) -> i64 {
    let mut tx = db.begin().await.expect("a transaction");
    let id = id(
        &mut tx,
        sql("INSERT INTO project (linkname, name, list_id, list_email) VALUES ($1, $2, $3, $4) RETURNING id")
            .bind(linkname)
            .bind(format!("The {linkname} project"))
            .bind(format!("{linkname}.example.org"))
            .bind(format!("{linkname}@example.org")),
    )
    .await;
    tx.commit().await.expect("a commit");
    id
}

pub async fn user(db: &Db, username: &str, maintains: Option<i64>) -> i64 {
    let mut tx = db.begin().await.expect("a transaction");
    let id = id(
        &mut tx,
        sql("INSERT INTO account (username, email, password, date_joined) VALUES ($1, $2, '!', $3) RETURNING id")
            .bind(username)
            .bind(format!("{username}@example.org"))
            .bind(day(0)),
    )
    .await;
    if let Some(project) = maintains {
        let insert = sql("INSERT INTO maintainer (account_id, project_id) VALUES ($1, $2)");
        insert
            .bind(id)
            .bind(project)
            .run(&mut tx)
            .await
            .expect("a maintainer");
    }
    tx.commit().await.expect("a commit");
    id
}

async fn submitter(tx: &mut Tx, (name, email): (&str, &str)) -> i64 {
    let known = sql("SELECT id FROM person WHERE email = $1")
        .bind(email)
        .optional::<(i64,)>(tx)
        .await
        .expect("a look");
    match known {
        Some((id,)) => id,
        None => {
            let insert =
                sql("INSERT INTO person (email, name, key) VALUES ($1, $2, $3) RETURNING id");
            id(
                tx,
                insert
                    .bind(email)
                    .bind(name)
                    .bind(person::key(Some(name), email)),
            )
            .await
        }
    }
}

/// A patch of which nothing matters but that it is there.
pub async fn any_patch(db: &Db, project: i64) -> i64 {
    let any = Patch {
        project,
        ..Patch::default()
    };
    patch(db, any).await
}

pub async fn patch(db: &Db, patch: Patch<'_>) -> i64 {
    patches(db, &[patch]).await[0]
}

pub async fn patches(db: &Db, patches: &[Patch<'_>]) -> Vec<i64> {
    let mut tx = db.begin().await.expect("a transaction");
    let mut ids = Vec::new();
    for patch in patches {
        let person = submitter(&mut tx, patch.from).await;
        let insert = sql(
            "INSERT INTO patch (project_id, submitter_id, state_id, delegate_id, series_id, number, archived, date, msgid, name, name_key)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
        )
        .bind(patch.project)
        .bind(person)
        .bind(patch.state)
        .bind(patch.delegate)
        .bind(patch.series.map(|(series, _)| series))
        .bind(patch.series.map(|(_, number)| number))
        .bind(patch.archived)
        .bind(day(patch.day))
        .bind(patch.msgid)
        .bind(patch.name)
        .bind(name_key(patch.name));
        let new = id(&mut tx, insert).await;
        let body = sql(
            "INSERT INTO patch_body (patch_id, headers, content, diff) VALUES ($1, $2, $3, $4)",
        );
        let body = body
            .bind(new)
            .bind(patch.headers)
            .bind(patch.content)
            .bind(patch.diff.map(str::to_owned));
        body.run(&mut tx).await.expect("a body");
        ids.push(new);
    }
    patchwork::store::tally::recount(&mut tx)
        .await
        .expect("counts");
    tx.commit().await.expect("a commit");
    ids
}

pub async fn cover(db: &Db, project: i64, msgid: &str, name: &str) -> i64 {
    let mut tx = db.begin().await.expect("a transaction");
    let person = submitter(&mut tx, ("Ann", "ann@example.org")).await;
    let insert = sql(
        "INSERT INTO cover (project_id, submitter_id, msgid, date, name, headers, content)
         VALUES ($1, $2, $3, $4, $5, '', 'letter') RETURNING id",
    );
    let id = id(
        &mut tx,
        insert
            .bind(project)
            .bind(person)
            .bind(msgid)
            .bind(day(0))
            .bind(name),
    )
    .await;
    tx.commit().await.expect("a commit");
    id
}

pub async fn series(db: &Db, project: i64, name: &str, total: i64, cover: Option<i64>) -> i64 {
    let mut tx = db.begin().await.expect("a transaction");
    let person = submitter(&mut tx, ("Ann", "ann@example.org")).await;
    let insert = sql(
        "INSERT INTO series (project_id, submitter_id, cover_id, name, date, total) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
    );
    let insert = insert
        .bind(project)
        .bind(person)
        .bind(cover)
        .bind(name)
        .bind(day(0))
        .bind(total);
    let id = id(&mut tx, insert).await;
    tx.commit().await.expect("a commit");
    id
}

pub async fn comment(
    db: &Db,
    patch: Option<i64>,
    cover: Option<i64>,
    msgid: &str,
    content: &str,
) -> i64 {
    let mut tx = db.begin().await.expect("a transaction");
    let person = submitter(&mut tx, ("Bob", "bob@example.org")).await;
    let insert = sql(
        "INSERT INTO comment (patch_id, cover_id, submitter_id, date, msgid, content, addressed)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
    );
    let insert = insert
        .bind(patch)
        .bind(cover)
        .bind(person)
        .bind(day(9))
        .bind(msgid)
        .bind(content)
        .bind(false);
    let id = id(&mut tx, insert).await;
    tx.commit().await.expect("a commit");
    id
}

pub async fn check(db: &Db, patch: i64, user: i64, at: i64, state: i64, context: &str) {
    let mut tx = db.begin().await.expect("a transaction");
    let insert = sql(
        "INSERT INTO patch_check (patch_id, account_id, date, state, context) VALUES ($1, $2, $3, $4, $5)",
    );
    let insert = insert
        .bind(patch)
        .bind(user)
        .bind(day(at))
        .bind(state)
        .bind(context);
    insert.run(&mut tx).await.expect("a check");
    tx.commit().await.expect("a commit");
}
