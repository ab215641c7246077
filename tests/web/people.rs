//! Who may do what: one of each kind of reader, and a patch to do it to.

use patchwork::store::{Db, sql};
use rocket::local::asynchronous::Client;

use super::{
    browser::Browser,
    seed::{self, Patch},
};

/// Two projects, patches of both, and everybody who may have rights in the first.
pub struct World {
    pub one: i64,
    pub two: i64,
    /// Ann's, in project one, on `desk`'s desk.
    pub patch: i64,
    /// Cyd's, in project one, on nobody's desk.
    pub other: i64,
    /// Dan's, in project two, on nobody's desk.
    pub foreign: i64,
    pub user: i64,
    pub ann: i64,
    pub desk: i64,
    pub mara: i64,
    pub staff: i64,
    pub root: i64,
}

pub async fn world(db: &Db) -> World {
    let one = seed::project(db, "one").await;
    let two = seed::project(db, "two").await;
    let mara = seed::user(db, "mara", Some(one)).await;
    let desk = seed::user(db, "desk", None).await;
    let of = |project, name, msgid, from, day, delegate| Patch {
        project,
        name,
        msgid,
        from,
        day,
        delegate,
        ..Patch::default()
    };
    let ann = ("Ann", "ann@example.org");
    let patches = [
        of(one, "alpha", "<1@h>", ann, 3, Some(desk)),
        of(one, "beta", "<2@h>", ("Cyd", "cyd@example.org"), 2, None),
        of(two, "gamma", "<3@h>", ("Dan", "dan@example.org"), 1, None),
    ];
    let ids = seed::patches(db, &patches).await;
    let world = World {
        one,
        two,
        patch: ids[0],
        other: ids[1],
        foreign: ids[2],
        user: seed::user(db, "user", None).await,
        ann: seed::user(db, "ann", None).await,
        desk,
        mara,
        staff: seed::user(db, "staff", None).await,
        root: seed::user(db, "root", None).await,
    };
    let mut tx = db.begin().await.expect("a transaction");
    for (what, id) in [
        (
            sql("UPDATE account SET is_staff = TRUE WHERE id = $1"),
            world.staff,
        ),
        (
            sql("UPDATE account SET is_staff = TRUE, is_superuser = TRUE WHERE id = $1"),
            world.root,
        ),
        (
            sql("UPDATE person SET account_id = $1 WHERE email = 'ann@example.org'"),
            world.ann,
        ),
    ] {
        what.bind(id).run(&mut tx).await.expect("a change");
    }
    tx.commit().await.expect("a commit");
    world
}

impl World {
    /// Everybody who could try, and whether the first patch is theirs to change.
    pub fn everybody(&self) -> [(&'static str, Option<i64>, bool); 7] {
        [
            ("anonymous", None, false),
            ("user", Some(self.user), false),
            ("submitter", Some(self.ann), true),
            ("delegate", Some(self.desk), true),
            ("maintainer", Some(self.mara), true),
            ("staff", Some(self.staff), false),
            ("superuser", Some(self.root), false),
        ]
    }
}

/// Returns the browser of somebody, or of nobody.
pub async fn browser<'a>(site: &'a Client, db: &Db, user: Option<i64>) -> Browser<'a> {
    match user {
        Some(user) => Browser::of(site, db, user).await,
        None => {
            let browser = Browser::new(site);
            browser.get("/user/login/").await;
            browser
        }
    }
}

/// A field, a form, and what is said beside the field.
pub type Sent<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

/// State, delegate and shelf of a patch.
pub type Standing = (i64, Option<i64>, bool);

pub async fn standing(db: &Db, patch: i64) -> Standing {
    let mut conn = db.reader().await.expect("a reader");
    sql("SELECT state_id, delegate_id, archived FROM patch WHERE id = $1")
        .bind(patch)
        .one(&mut conn)
        .await
        .expect("a patch")
}

/// Puts a patch back to how it was made.
pub async fn reset(db: &Db, patch: i64, delegate: Option<i64>) {
    let mut tx = db.begin().await.expect("a transaction");
    sql("UPDATE patch SET state_id = 1, archived = FALSE, delegate_id = $2 WHERE id = $1")
        .bind(patch)
        .bind(delegate)
        .run(&mut tx)
        .await
        .expect("a change");
    tx.commit().await.expect("a commit");
}

/// Categories and actors of all events, in order.
pub async fn events(db: &Db) -> Vec<(String, Option<i64>)> {
    let mut conn = db.reader().await.expect("a reader");
    sql("SELECT category, actor_id FROM event ORDER BY id")
        .all(&mut conn)
        .await
        .expect("events")
}

/// Names of a user's bundles and the patches in them, in order.
pub async fn bundles(db: &Db, owner: i64) -> Vec<(String, Vec<i64>)> {
    let mut conn = db.reader().await.expect("a reader");
    let rows: Vec<(String, Option<i64>)> = sql(
        "SELECT b.name, bp.patch_id FROM bundle b LEFT JOIN bundle_patch bp ON bp.bundle_id = b.id \
         WHERE b.owner_id = $1 ORDER BY b.id, bp.position",
    )
    .bind(owner)
    .all(&mut conn)
    .await
    .expect("bundles");
    let mut bundles: Vec<(String, Vec<i64>)> = Vec::new();
    for (name, patch) in rows {
        match bundles.last_mut() {
            Some((last, patches)) if *last == name => patches.extend(patch),
            _ => bundles.push((name, patch.into_iter().collect())),
        }
    }
    bundles
}
