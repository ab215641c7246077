//! Second factors: set up, asked for at login, ended, and what passwords alone cannot do any more.

use patchwork::{
    auth::{self, Credentials, Refused, totp},
    domain::{Timestamp, UserId},
    store::{self, Db, second_factor::Kept},
};

use pbkdf2::hmac::{Hmac, KeyInit, Mac};

use super::{
    account::{PASSWORD, account},
    browser::Browser,
    letters, seed,
};

const SECRET: &[u8] = b"12345678901234567890";
const RECOVERY: &str = "aaaa-bbbb-cccc-dddd";

/// What a device shows at a moment (RFC 6238).
fn code_of(secret: &[u8], now: Timestamp) -> String {
    let mut mac = <Hmac<sha1::Sha1> as KeyInit>::new_from_slice(secret).expect("a key");
    mac.update(&(now.0 / 30_000_000).to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let four = <[u8; 4]>::try_from(&digest[at..at + 4]).expect("four bytes");
    format!(
        "{:06}",
        (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000
    )
}

/// Gives an account a second factor.
pub async fn equip(db: &Db, user: i64) {
    let mut tx = db.begin().await.expect("a transaction");
    let kept = Kept {
        secret: SECRET.to_vec(),
        last_step: 0,
    };
    let codes = [totp::recovery_hash(RECOVERY)];
    store::second_factor::set(&mut tx, UserId(user), &kept, &codes, Timestamp::now())
        .await
        .expect("rows");
    tx.commit().await.expect("a commit");
}

/// Gives the password, and returns the browser that is asked for the code.
async fn asked<'a>(site: &'a rocket::local::asynchronous::Client) -> Browser<'a> {
    let browser = Browser::new(site);
    browser.get("/user/login/").await;
    let fields = [
        ("username", "ann"),
        ("password", PASSWORD),
        ("next", "/about/"),
    ];
    let seen = browser.post("/user/login/", &fields).await;
    let address = "/user/login/code/?next=%2Fabout%2F";
    assert_eq!((seen.status, seen.header("Location")), (303, address));
    assert!(browser.cookie("sessionid").is_empty(), "not logged in");
    browser
}

pub async fn a_second_factor_is_asked_for(db: &Db) {
    let ann = account(db, "ann", false).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann).await;
    let page = browser.get("/user/second-factor/").await;
    let secret = page.values("input[name=secret]", "value").remove(0);
    assert!(page.values("main a", "href")[0].contains(&secret));
    assert_eq!(page.values("svg.square path", "d").len(), 1);
    let bytes = totp::from_base32(&secret).expect("a secret");
    let code = code_of(&bytes, Timestamp::now());
    let wrong = [
        ("secret", secret.as_str()),
        ("code", "x"),
        ("password", PASSWORD),
    ];
    let seen = browser.post("/user/second-factor/", &wrong).await;
    assert_eq!((seen.status, seen.texts("#code-error").len()), (422, 1));
    let right = [
        ("secret", secret.as_str()),
        ("code", code.as_str()),
        ("password", PASSWORD),
    ];
    let page = browser.submit("/user/second-factor/", &right).await;
    let codes = page.texts(".codes code");
    assert_eq!(codes.len(), 10);
    assert!(
        browser
            .get("/user/second-factor/")
            .await
            .texts(".codes code")
            .is_empty()
    );

    let entering = asked(&site).await;
    for given in ["", "000", code.as_str()] {
        let seen = entering.post("/user/login/code/", &[("code", given)]).await;
        assert_eq!(seen.status, 422, "wrong, or used before: {given}");
    }
    assert_eq!(entering.get("/user/").await.status, 302);
    let fields = [("code", codes[0].as_str()), ("next", "/about/")];
    let seen = entering.post("/user/login/code/", &fields).await;
    assert_eq!((seen.status, seen.header("Location")), (303, "/about/"));
    assert_eq!(entering.get("/user/").await.status, 200);
    let again = asked(&site).await;
    assert_eq!(
        again.post("/user/login/code/", &fields).await.status,
        422,
        "used up"
    );

    let basic = Credentials::Basic {
        username: "ann".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let conn = db.reader().await.expect("a reader");
    let who = auth::identify(db, conn, &basic, None, Timestamp::now()).await;
    assert_eq!(who.expect("an answer").err(), Some(Refused::SecondFactor));
    let end = "/user/second-factor/end/";
    for (password, code, wrong) in [
        ("wrong", codes[1].as_str(), "#password-error"),
        (PASSWORD, "", "#code-error"),
        (PASSWORD, "x", "#code-error"),
        // The second code was not looked at before, so it is still good; the first is used up.
        (PASSWORD, codes[0].as_str(), "#code-error"),
    ] {
        let fields = [("password", password), ("code", code)];
        for path in [end, "/user/second-factor/codes/"] {
            let seen = browser.post(path, &fields).await;
            assert_eq!((seen.status, seen.texts(wrong).len()), (422, 1), "{code}");
        }
    }
    let told = letters::last(db).await;
    assert!(told.subject.contains("second factor"), "{told:?}");
    let fields = [("password", PASSWORD), ("code", codes[1].as_str())];
    browser.submit("/user/second-factor/codes/", &fields).await;
    let told = letters::last(db).await;
    assert!(told.subject.contains("new codes"), "{told:?}");
    assert_eq!(browser.post(end, &fields).await.status, 422, "an old code");
    equip(db, ann).await;
    let fields = [("password", PASSWORD), ("code", RECOVERY)];
    browser.submit(end, &fields).await;
    let told = letters::last(db).await;
    assert!(told.subject.contains("no second factor"), "{told:?}");
    assert_eq!(told.recipient, "ann@example.com");
    assert_eq!(
        letters::count(db, "SELECT count(*) FROM recovery_code").await,
        0
    );
    let fresh = Browser::new(&site);
    fresh.get("/user/login/").await;
    fresh
        .submit(
            "/user/login/",
            &[("username", "ann"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(fresh.get("/user/").await.status, 200);
}

pub async fn codes_cannot_be_tried_for_ever(db: &Db) {
    let ann = account(db, "ann", false).await;
    equip(db, ann).await;
    let site = seed::site(db, |_| {}).await;
    let browser = asked(&site).await;
    for _ in 0..10 {
        let seen = browser.post("/user/login/code/", &[("code", "x")]).await;
        assert_eq!(seen.status, 422);
    }
    let late = browser
        .post("/user/login/code/", &[("code", RECOVERY)])
        .await;
    assert_eq!(late.status, 429, "even the right one");
    let told = late.texts("#code-error");
    assert!(told[0].contains("Please try again in"), "{told:?}");
    letters::run(db, "DELETE FROM throttle").await;
    letters::run(db, "UPDATE account SET is_active = FALSE").await;
    let seen = browser
        .post("/user/login/code/", &[("code", RECOVERY)])
        .await;
    assert_eq!(
        (seen.status, browser.cookie("sessionid")),
        (303, String::new())
    );
}

pub async fn staff_may_need_a_second_factor(db: &Db) {
    let root = account(db, "root", true).await;
    let site = seed::site(db, |options| options.staff_second_factor = true).await;
    let browser = Browser::of(&site, db, root).await;
    assert_eq!(browser.get("/admin/").await.status, 403);
    equip(db, root).await;
    assert_eq!(browser.get("/admin/").await.status, 200);
}
