//! Two projects, five patches, and people with and without rights.

use std::sync::LazyLock;

use patchwork::{
    auth,
    domain::{Timestamp, UserId},
    store::{self, Db, Sql, sql, token::NewToken},
};
use rocket::local::asynchronous::Client;
use serde_json::Value;

use super::client;
use crate::web::seed::{self, Patch};

/// The password of everybody.
pub const PASSWORD: &str = "tide and pöol: 1";

/// What tests look at.
pub struct World {
    pub db: Db,
    pub site: Client,
    /// Maintains the first project.
    pub mara: i64,
    /// Maintains nothing.
    pub tom: i64,
    pub one: i64,
    pub two: i64,
    /// Written on days 3, 1, 2, 4, and one of the second project on day 5.
    pub patches: Vec<i64>,
}

impl World {
    pub async fn new(db: &Db) -> World {
        let (one, two) = (
            seed::project(db, "one").await,
            seed::project(db, "Two").await,
        );
        let mara = seed::user(db, "mara", Some(one)).await;
        let tom = seed::user(db, "tom", None).await;
        let patches = patches(db, one, two, mara).await;
        let world = World {
            db: db.clone(),
            site: client::site(db).await,
            mara,
            tom,
            one,
            two,
            patches,
        };
        static KEPT: LazyLock<String> =
            LazyLock::new(|| auth::hash_password(PASSWORD).expect("a hash"));
        world
            .run(sql("UPDATE account SET password = $1").bind(KEPT.as_str()))
            .await;
        world
    }

    /// Changes something.
    pub async fn run(&self, statement: Sql) {
        let mut tx = self.db.begin().await.expect("a transaction");
        statement.run(&mut tx).await.expect("a statement");
        tx.commit().await.expect("a commit");
    }

    /// Reads one number.
    pub async fn number(&self, query: &'static str) -> i64 {
        let mut conn = self.db.reader().await.expect("a connection");
        sql(query).one::<(i64,)>(&mut conn).await.expect("a row").0
    }

    /// Reads texts.
    pub async fn texts(&self, query: &'static str) -> Vec<String> {
        let mut conn = self.db.reader().await.expect("a connection");
        let rows: Vec<(String,)> = sql(query).all(&mut conn).await.expect("rows");
        rows.into_iter().map(|(text,)| text).collect()
    }

    /// Makes a token.
    pub async fn token(&self, user: i64, scope: &str, expires: Option<Timestamp>) -> String {
        let token = auth::new_token().expect("a token");
        let mut tx = self.db.begin().await.expect("a transaction");
        let new = NewToken {
            user: UserId(user),
            key_hash: &token.hash,
            name: "test",
            scope,
            created: seed::day(0),
            expires,
        };
        store::token::insert(&mut tx, &new).await.expect("a token");
        tx.commit().await.expect("a commit");
        token.key
    }

    /// Calls a method as nobody.
    pub async fn call(&self, method: &str, params: Value) -> Result<Value, String> {
        client::call(&self.site, method, params).await
    }

    /// Calls a method with the password of an account.
    pub async fn call_as(&self, user: &str, method: &str, params: Value) -> Result<Value, String> {
        self.call_with(&client::basic(user, PASSWORD), method, params)
            .await
    }

    /// Calls a method with an `Authorization`.
    pub async fn call_with(
        &self,
        authorization: &str,
        method: &str,
        params: Value,
    ) -> Result<Value, String> {
        client::call_as(&self.site, Some(authorization), method, params).await
    }
}

async fn patches(db: &Db, one: i64, two: i64, mara: i64) -> Vec<i64> {
    let ann = ("Ann Lee", "ann@example.org");
    let patch = |day, name, msgid, from| Patch {
        project: one,
        day,
        name,
        msgid,
        from,
        ..Patch::default()
    };
    let patches = [
        patch(3, "[1/3] widget: fix 50% of it", "<a@example.org>", ann),
        patch(
            1,
            "[2/3] Widget_2: Über",
            "<b/1@example.org>",
            ("", "bob@example.com"),
        ),
        Patch {
            state: 3,
            delegate: Some(mara),
            ..patch(2, "[3/3] gadget: new", "<c@example.org>", ann)
        },
        Patch {
            archived: true,
            ..patch(
                4,
                "gadget: old",
                "<d@example.org>",
                ("Cy", "cy@example.com"),
            )
        },
        Patch {
            project: two,
            ..patch(5, "elsewhere", "<a@example.org>", ann)
        },
    ];
    seed::patches(db, &patches).await
}
