//! Ending notifications from the mail itself: by a mail program for its reader, by a button, never by looking.

use patchwork::{
    domain::Timestamp,
    store::{self, Db},
};

use super::{
    browser::Browser,
    letters,
    seed::{self, get},
};

pub const KEY: &str = "00112233445566778899aabbccddeeff00112233";
const LISTED: &str = "SELECT count(*) FROM email_optout WHERE email = 'foo@example.com'";

/// Has a key mailed to an address.
pub async fn mailed(db: &Db) {
    let mut tx = db.begin().await.expect("a transaction");
    store::unsubscribe::insert(&mut tx, KEY, "Foo@example.com", Timestamp::now())
        .await
        .expect("a row");
    tx.commit().await.expect("a commit");
}

pub async fn a_mail_ends_the_notifications(db: &Db) {
    mailed(db).await;
    let site = seed::site(db, |_| {}).await;
    let path = format!("/mail/unsubscribe/{KEY}/");
    let page = get(&site, &path).await;
    assert_eq!(
        (page.status, page.header("Cache-Control")),
        (200, "no-store")
    );
    assert_eq!(page.values("main form", "action"), [path.as_str()]);
    assert_eq!(letters::count(db, LISTED).await, 0, "opening does nothing");
    for wrong in ["1", &KEY.replace('0', "f"), &KEY.to_uppercase()] {
        let path = format!("/mail/unsubscribe/{wrong}/");
        assert_eq!(get(&site, &path).await.status, 404, "{wrong}");
    }
    // A mail provider: neither cookies nor a page of ours, and it may not be sent elsewhere.
    let provider = Browser::new(&site);
    let click = [("List-Unsubscribe", "One-Click")];
    for _ in 0..2 {
        assert_eq!(provider.post_plainly(&path, &click).await.status, 200);
        assert_eq!(letters::count(db, LISTED).await, 1);
    }
    let page = get(&site, &path).await;
    assert!(page.values("main form", "action").is_empty(), "it is done");
}
