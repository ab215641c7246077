//! A site to ask, and those who ask: a project with a series, a single patch, a pull request, and many more.

use patchwork::{
    api, auth,
    domain::{ProjectId, Timestamp, UserId, permission::Scope},
    ingest,
    store::{self, Database, Db, Pool, sql, token::NewToken, user::NewUser},
    web,
};
use rocket::{
    http::{
        Cookie, Header, Method,
        uri::{Authority, Host},
    },
    local::asynchronous::{Client, LocalResponse},
};
use serde_json::Value;

pub const NOW: Timestamp = Timestamp(1_710_000_000_123_456);
pub const PASSWORD: &str = "low-tide-at-noon";

/// The accounts: a maintainer, the series' submitter, nobody special, a delegate of patch 2, a superuser.
pub const USERS: [&str; 5] = ["m", "s", "n", "d", "root"];

/// A site under test.
pub struct Site {
    pub client: Client,
    pub db: Db,
}

/// What somebody got.
#[derive(Debug)]
pub struct Seen {
    pub status: u16,
    pub text: String,
    pub json: Value,
    headers: Vec<(String, String)>,
}

impl Seen {
    async fn of(response: LocalResponse<'_>) -> Seen {
        let headers = response.headers().iter();
        let headers = headers
            .map(|h| (h.name().to_string(), h.value().to_owned()))
            .collect();
        let status = response.status().code;
        let text = response.into_string().await.unwrap_or_default();
        Seen {
            status,
            headers,
            json: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    /// How many statements it took.
    pub fn statements(&self) -> u32 {
        let timing = self.header("Server-Timing");
        let count = timing.split('"').nth(1).and_then(|text| text.parse().ok());
        count.unwrap_or_else(|| panic!("{self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    /// The ids of a list, in its order.
    pub fn ids(&self) -> Vec<i64> {
        let list = self
            .json
            .as_array()
            .unwrap_or_else(|| panic!("no list: {self:?}"));
        list.iter()
            .map(|it| it["id"].as_i64().expect("an id"))
            .collect()
    }

    /// The keys of an object as they were written.
    pub fn keys(&self) -> Vec<String> {
        keys(&self.text)
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Seen {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

/// Returns the keys of the outermost object of a text, in order: a parsed one forgets it.
pub fn keys(text: &str) -> Vec<String> {
    let (mut depth, mut keys, mut chars) = (0, Vec::new(), text.chars().peekable());
    let mut last = String::new();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                last.clear();
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    last.push(c);
                    if c == '\\' {
                        last.extend(chars.next());
                    }
                }
            }
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            ':' if depth == 1 => keys.push(last.clone()),
            _ => {}
        }
    }
    keys
}

/// A request under way.
pub struct Ask<'a> {
    site: &'a Site,
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl Site {
    pub fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        let path = match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("/api/{path}"),
        };
        Ask {
            site: self,
            method,
            path,
            headers: vec![("Host", "pw.example.com".to_owned())],
            body: None,
        }
    }

    /// Reads something of the API as nobody.
    pub async fn get(&self, path: &str) -> Seen {
        self.ask(Method::Get, path).seen().await
    }

    /// Changes a patch or another thing as somebody.
    pub async fn patch(&self, who: &str, path: &str, body: Value) -> Seen {
        self.ask(Method::Patch, path)
            .by(who)
            .json(body)
            .seen()
            .await
    }

    pub async fn put(&self, who: &str, path: &str, body: Value) -> Seen {
        self.ask(Method::Put, path).by(who).json(body).seen().await
    }

    pub async fn post(&self, who: &str, path: &str, body: Value) -> Seen {
        self.ask(Method::Post, path).by(who).json(body).seen().await
    }

    /// Reads something of the API as somebody.
    pub async fn get_as(&self, who: &str, path: &str) -> Seen {
        self.ask(Method::Get, path).by(who).seen().await
    }

    /// Changes something behind the site's back.
    pub async fn run(&self, statement: store::Sql) {
        let mut tx = self.db.begin().await.expect("a transaction");
        statement.run(&mut tx).await.expect("a statement");
        tx.commit().await.expect("a commit");
    }

    /// How many events there are.
    pub async fn events(&self) -> i64 {
        let mut conn = self.db.reader().await.expect("a connection");
        let (count,) = sql("SELECT count(*) FROM event")
            .one(&mut conn)
            .await
            .expect("a count");
        count
    }
}

impl Ask<'_> {
    /// As somebody, by token; nobody for an empty name.
    pub fn by(self, who: &str) -> Self {
        match who {
            "" => self,
            who => self.with("Authorization", &format!("Token {}", token(who))),
        }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn json(self, body: Value) -> Self {
        self.body("application/json", &body.to_string())
    }

    pub fn form(self, body: &str) -> Self {
        self.body("application/x-www-form-urlencoded", body)
    }

    pub fn body(mut self, kind: &str, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self.with("Content-Type", kind)
    }

    pub async fn seen(self) -> Seen {
        let mut request = self.site.client.req(self.method, self.path);
        for (name, value) in self.headers {
            match name {
                // The local client does not read these two.
                "Host" => {
                    let host = Authority::parse_owned(value).expect("a host");
                    request.inner_mut().set_host(Host::new(host));
                }
                "Cookie" => {
                    let cookies = value.split("; ").map(|it| it.to_owned());
                    let cookies = cookies.map(|it| Cookie::parse(it).expect("a cookie"));
                    request = request.cookies(cookies.collect::<Vec<_>>());
                }
                name => request.add_header(Header::new(name, value)),
            }
        }
        if let Some(body) = self.body {
            request.set_body(body);
        }
        Seen::of(request.dispatch().await).await
    }
}

/// The token of a user, made up of the name: 40 digits.
pub fn token(who: &str) -> String {
    let digits: String = who.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits:0<40}")
}

/// Makes the site: patches 1 to 3 and cover 1 of series 1 by Sam, patch 4 alone with a slash in its id, pull request 5,
/// 45 more; project `q` with one patch, 51.
pub async fn site(db: &Db) -> Site {
    fill(db).await;
    site_with(db, web::Options::default(), api::Options::default()).await
}

/// Opens a site that is there already, as another process of it does.
pub async fn reopened(db: &Db) -> Site {
    site_with(db, web::Options::default(), api::Options::default()).await
}

async fn fill(db: &Db) {
    people(db).await;
    for mail in mails() {
        let options = ingest::Options::default();
        let outcome = ingest::receive(db, mail.as_bytes(), None, &options, NOW).await;
        outcome.expect("a delivery");
    }
    adopt(db).await;
}

/// Makes the same site with other settings.
pub async fn site_as(db: &Db, web: web::Options, api: api::Options) -> Site {
    fill(db).await;
    site_with(db, web, api).await
}

async fn site_with(db: &Db, web: web::Options, api: api::Options) -> Site {
    let options = web::Options {
        server_timing: true,
        ..web
    };
    let figment = rocket::Config::figment()
        .merge(("log_level", "off"))
        .merge(("secret_key", [7u8; 32].as_slice()));
    let rocket = rocket::custom(figment).manage(Database::from(Pool::from(db.clone())));
    let rocket = api::mount(web::mount(rocket, options), api);
    Site {
        client: Client::untracked(rocket).await.expect("a site"),
        db: db.clone(),
    }
}

async fn people(db: &Db) {
    let mut tx = db.begin().await.expect("a transaction");
    for text in [
        "INSERT INTO project (linkname, name, list_id, list_email, list_archive_url_format) VALUES \
         ('p', 'Pool', 'p.example.org', 'p@example.org', 'https://lists.example.org/p/{}')",
        "INSERT INTO project (linkname, name, list_id, list_email) VALUES ('q', 'Quay', 'q.example.org', 'q@example.org')",
    ] {
        sql(text).run(&mut tx).await.expect(text);
    }
    let password = auth::hash_password(PASSWORD).expect("a hash");
    for username in USERS {
        let user = NewUser {
            username,
            email: &format!("{username}@example.com"),
            first_name: "",
            last_name: "",
            password: &password,
            is_superuser: username == "root",
            date_joined: NOW,
            items_per_page: 100,
        };
        let id = store::user::insert(&mut tx, &user).await.expect(username);
        keep_token(&mut tx, id, &token(username), Scope::Write).await;
    }
    let m = UserId(1);
    store::user::add_maintainer(&mut tx, m, ProjectId(1))
        .await
        .expect("a maintainer");
    tx.commit().await.expect("a commit");
}

/// Keeps a token under its own key.
pub async fn keep_token(tx: &mut store::Tx, user: UserId, key: &str, scope: Scope) {
    let new = NewToken {
        user,
        key_hash: &auth::token_hash(key),
        name: "",
        scope: scope.word(),
        created: NOW,
        expires: None,
    };
    store::token::insert(tx, &new).await.expect("a token");
}

/// Sam's address is the account `s`; patch 2 is on the desk of `d`.
async fn adopt(db: &Db) {
    let mut tx = db.begin().await.expect("a transaction");
    store::user::adopt_person(&mut tx, UserId(2), "sam@example.com")
        .await
        .expect("a person");
    sql("UPDATE patch SET delegate_id = 4 WHERE id = 2")
        .run(&mut tx)
        .await
        .expect("a delegate");
    tx.commit().await.expect("a commit");
}

fn mails() -> Vec<String> {
    let series = |number: i64, subject: &str, rest: &str| {
        mail(
            "Sam Sailor <sam@example.com>",
            &format!("[PATCH {number}/3] {subject}"),
            &format!("s{number}@example.com"),
            "p",
            &format!(
                "In-Reply-To: <s0@example.com>\nDate: Tue, 05 Mar 2024 10:0{number}:00 +0000\n"
            ),
            rest,
        )
    };
    let mut mails = vec![
        mail(
            "Sam Sailor <sam@example.com>",
            "[PATCH 0/3] pump: three fixes",
            "s0@example.com",
            "p",
            "Date: Tue, 05 Mar 2024 10:00:00 +0000\n",
            "All about the pump.\n",
        ),
        series(1, "pump: start it", &diff("a.c", 1)),
        series(2, "pump: stop it", &diff("b.c", 2)),
        series(3, "valve: open it", &diff("c.c", 3)),
        mail(
            "Grace <grace@example.com>",
            "[PATCH] dock: paint it",
            "single/slash+1@example.com",
            "p",
            "Date: Wed, 06 Mar 2024 10:00:00 +0000\n",
            &diff("d.c", 4),
        ),
        mail(
            "Grace <grace@example.com>",
            "[GIT PULL] dock changes",
            "pull@example.com",
            "p",
            "Date: Wed, 06 Mar 2024 11:00:00 +0000\n",
            "The following changes since commit 0123456789012345678901234567890123456789:\n\n  Old (2024-01-01)\n\n\
              are available in the Git repository at:\n\n  https://git.example.com/dock.git for-linus\n\n\
              for you to fetch changes up to 1123456789012345678901234567890123456789:\n",
        ),
    ];
    for number in 6..=50 {
        let minute = number % 60;
        mails.push(mail(
            "Hedy <hedy@example.com>",
            &format!("[PATCH] buoy {number}: light it"),
            &format!("h{number}@example.com"),
            "p",
            &format!("Date: Thu, 07 Mar 2024 10:{minute:02}:00 +0000\n"),
            &diff("e.c", number),
        ));
    }
    mails.push(mail(
        "Quinn <quinn@example.com>",
        "[PATCH] quay: sweep it",
        "q1@example.com",
        "q",
        "Date: Thu, 07 Mar 2024 12:00:00 +0000\n",
        &diff("q.c", 1),
    ));
    mails.push(mail("Grace <grace@example.com>", "Re: [PATCH 1/3] pump: start it", "c1@example.com", "p",
                    "In-Reply-To: <s1@example.com>\nDate: Tue, 05 Mar 2024 12:00:00 +0000\nX-Twice: a\nX-Twice: b\n", "Please shorten it.\n"));
    mails.push(mail(
        "Grace <grace@example.com>",
        "Re: [PATCH 0/3] pump: three fixes",
        "c2@example.com",
        "p",
        "In-Reply-To: <s0@example.com>\nDate: Tue, 05 Mar 2024 12:30:00 +0000\n",
        "Fine with me.\n",
    ));
    mails
}

fn mail(from: &str, subject: &str, id: &str, list: &str, headers: &str, body: &str) -> String {
    format!(
        "From: {from}\nTo: {list}@example.org\nSubject: {subject}\nMessage-Id: <{id}>\nList-Id: <{list}.example.org>\n{headers}\n{body}"
    )
}

fn diff(file: &str, number: i64) -> String {
    format!(
        "It is due.\n\nSigned-off-by: A <a@example.com>\n---\n--- a/{file}\n+++ b/{file}\n@@ -1 +1 @@\n-old {number}\n+new {number}\n"
    )
}
