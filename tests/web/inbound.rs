//! Mails by HTTP: every provider's shape, who may send, what is refused.

use base64::{Engine, engine::general_purpose::STANDARD};
use patchwork::{domain::Timestamp, store::Db, web};
use pbkdf2::hmac::{Hmac, KeyInit, Mac};
use rocket::{http::Header, local::asynchronous::Client};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{letters, seed};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:patches";
const MAIL: &str = "application/octet-stream";
const FORM: &str = "application/x-www-form-urlencoded";

fn mail(id: &str) -> String {
    format!(
        "From: Zoë <zoe@example.org>\r\nSubject: [PATCH] pump: run\r\nMessage-Id: <{id}@example.org>\r\n\
         Date: Tue, 05 Mar 2024 07:07:08 +0100\r\nList-Id: <dev.example.org>\r\n\r\nStart it & see.\r\n---\r\n\
         --- a/pump.c\r\n+++ b/pump.c\r\n@@ -1 +1,2 @@\r\n x\r\n+y\r\n"
    )
}

async fn site(db: &Db) -> Client {
    seed::project(db, "one").await;
    letters::run(db, "UPDATE project SET list_id = 'dev.example.org'").await;
    seed::site(db, |options| {
        options.site_url = Some("https://patches.example.org".into());
        options.inbound = web::Keys {
            secret: SECRET.into(),
            mailgun_key: "signing".into(),
            topics: vec![TOPIC.into()],
        };
    })
    .await
}

async fn send(
    site: &Client,
    path: &str,
    kind: &str,
    authorization: &str,
    body: impl AsRef<[u8]>,
) -> (u16, Value) {
    let mut request = site.post(path.to_owned()).body(body);
    request.add_header(Header::new("Content-Type", kind.to_owned()));
    if !authorization.is_empty() {
        request.add_header(Header::new("Authorization", authorization.to_owned()));
    }
    let response = request.dispatch().await;
    let status = response.status().code;
    assert_eq!(
        response.headers().get_one("Cache-Control"),
        Some("no-store")
    );
    assert_eq!(
        response.headers().get_one("Retry-After").is_some(),
        status == 503
    );
    let body = response.into_string().await.expect("a body");
    (status, serde_json::from_str(&body).expect("JSON"))
}

fn bearer() -> String {
    format!("Bearer {SECRET}")
}

async fn patches(db: &Db) -> i64 {
    letters::count(db, "SELECT count(*) FROM patch").await
}

fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn parts(fields: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let all: String = fields.iter().map(part).collect();
    format!("{all}--limit--\r\n")
}

const MULTIPART: &str = "multipart/form-data; boundary=limit";

pub async fn mails_come_in_every_shape(db: &Db) {
    let site = site(db).await;
    let ses = |id: &str, is_packed: bool| {
        let content = match is_packed {
            true => STANDARD.encode(mail(id)),
            false => mail(id),
        };
        json!({ "notificationType": "Received", "content": content }).to_string()
    };
    let sns = |id: &str, is_packed: bool| {
        json!({ "Type": "Notification", "TopicArn": TOPIC, "Message": ses(id, is_packed) })
            .to_string()
    };
    let shapes: Vec<(&str, String)> = vec![
        ("message/rfc822", mail("a")),
        (MAIL, mail("b")),
        (FORM, mail("c")),
        (
            FORM,
            format!(
                "recipient=x%40example.org&body-mime={}",
                escaped(&mail("d"))
            ),
        ),
        (
            MULTIPART,
            parts(&[("to", "x@example.org"), ("email", &mail("e"))]),
        ),
        (MULTIPART, parts(&[("body-mime", &mail("f"))])),
        (
            "application/json",
            json!({ "Subject": "x", "RawEmail": mail("g") }).to_string(),
        ),
        ("application/json", json!({ "raw": mail("h") }).to_string()),
        ("text/plain; charset=UTF-8", sns("i", false)),
        ("text/plain; charset=UTF-8", sns("j", true)),
        ("application/json", ses("k", true)),
    ];
    let count = shapes.len() as i64;
    for (number, (kind, body)) in (1_i64..).zip(&shapes) {
        let (status, told) = send(&site, "/inbound/mail/", kind, &bearer(), body).await;
        assert_eq!(
            (status, &told["result"]),
            (200, &json!("patch")),
            "{number} {kind}: {told}"
        );
        let id = told["id"].as_i64().expect("an id");
        assert_eq!(
            told["url"],
            format!("https://patches.example.org/patch/{id}/")
        );
    }
    assert_eq!(patches(db).await, count);
    for (kind, body) in &shapes {
        let (status, told) = send(&site, "/inbound/mail/mime", kind, &bearer(), body).await;
        assert_eq!(
            (status, &told["result"]),
            (200, &json!("duplicate")),
            "{kind}: {told}"
        );
    }
    assert_eq!(patches(db).await, count, "nothing is stored twice");
    let reply = "From: b@example.org\nSubject: Re: x\nMessage-Id: <r@h>\nIn-Reply-To: <a@example.org>\n\nFine.\n";
    let (_, told) = send(&site, "/inbound/mail/", MAIL, &bearer(), reply).await;
    assert_eq!(told["result"], "no-project");
    let reply = reply.replace("<r@h>", "<s@h>");
    let (_, told) = send(
        &site,
        "/inbound/mail/?list_id=dev.example.org",
        MAIL,
        &bearer(),
        reply,
    )
    .await;
    assert_eq!(
        (&told["result"], &told["url"]),
        (&json!("comment"), &Value::Null)
    );
}

pub async fn mails_come_from_those_who_may(db: &Db) {
    let site = site(db).await;
    let basic = |password: &str| format!("Basic {}", STANDARD.encode(format!("any:{password}")));
    let with_key = format!("/inbound/mail/?key={SECRET}");
    let shown = [
        ("/inbound/mail/", String::new(), 400),
        ("/inbound/mail/", "Bearer wrong".to_owned(), 401),
        ("/inbound/mail/", basic("wrong"), 401),
        ("/inbound/mail/?key=wrong", String::new(), 403),
        ("/inbound/mail/", basic(SECRET), 200),
        (&with_key, String::new(), 200),
    ];
    for (path, authorization, expected) in shown {
        // Without anything a signature is looked for, and the body is none that has one.
        let body = if expected == 400 {
            "no mail".to_owned()
        } else {
            mail("a")
        };
        let (status, told) = send(&site, path, MAIL, &authorization, body).await;
        assert_eq!(status, expected, "{path} {authorization}: {told}");
        assert!(!told.to_string().contains(SECRET));
    }
    assert_eq!(
        send(&site, "/inbound/mail/", MAIL, "", mail("b")).await.0,
        401
    );
    let now = Timestamp::now().0 / 1_000_000;
    let signed = |then: i64, token: &str, key: &str, id: &str| {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.as_bytes()).expect("a key");
        mac.update(format!("{then}{token}").as_bytes());
        let code: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!(
            "timestamp={then}&token={token}&signature={code}&body-mime={}",
            escaped(&mail(id))
        )
    };
    for (what, body, expected) in [
        ("right", signed(now, "t1", "signing", "m"), 200),
        ("the same again", signed(now, "t1", "signing", "m"), 200),
        ("with another mail", signed(now, "t1", "signing", "n"), 403),
        ("with a wrong key", signed(now, "t2", "other", "n"), 403),
        (
            "too old",
            signed(now - 13 * 3600, "t3", "signing", "n"),
            403,
        ),
        (
            "of tomorrow",
            signed(now + 86_400, "t4", "signing", "n"),
            403,
        ),
    ] {
        let (status, told) = send(&site, "/inbound/mail/mime", FORM, "", body).await;
        assert_eq!(status, expected, "{what}: {told}");
    }
    let sns = |topic: &str| {
        json!({ "Type": "SubscriptionConfirmation", "TopicArn": topic,
                "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription" })
        .to_string()
    };
    let kind = "text/plain; charset=UTF-8";
    assert_eq!(
        send(&site, "/inbound/mail/", kind, &bearer(), sns(TOPIC))
            .await
            .0,
        200
    );
    assert_eq!(
        send(&site, "/inbound/mail/", kind, &bearer(), sns("arn:other"))
            .await
            .0,
        403
    );
    assert_eq!(
        send(&site, "/inbound/mail/", kind, "", sns(TOPIC)).await.0,
        401
    );
    assert_eq!(patches(db).await, 2);
    let closed = seed::site(db, |_| {}).await;
    assert_eq!(
        send(&closed, "/inbound/mail/", MAIL, &bearer(), mail("z"))
            .await
            .0,
        404
    );
    let asked = closed.get("/inbound/mail/").dispatch().await;
    assert_eq!(asked.status().code, 405);
}

pub async fn what_is_no_mail_is_refused(db: &Db) {
    let site = site(db).await;
    let json = "application/json";
    for (kind, body, expected) in [
        (MAIL, "", 400),
        (MAIL, "hello", 400),
        (json, "{", 400),
        (json, "[]", 400),
        (json, "{\"TextBody\":\"x\"}", 400),
        (json, "{\"raw\":\"!!\"}", 400),
        (FORM, "body-plain=x&subject=y", 400),
        (MULTIPART, "--limit\r\nbroken", 400),
        ("multipart/form-data", "x", 400),
        (MAIL, "Subject: nobody wrote it\n\nx\n", 422),
    ] {
        let (status, told) = send(&site, "/inbound/mail/", kind, &bearer(), body).await;
        assert_eq!(status, expected, "{kind} {body:?}: {told}");
        assert!(told["error"].is_string(), "{told}");
    }
    let (_, told) = send(&site, "/inbound/mail/", FORM, &bearer(), "body-plain=x").await;
    assert!(
        told["error"]
            .as_str()
            .is_some_and(|why| why.contains("raw MIME"))
    );
    let large = format!("{}{}", mail("l"), "x".repeat(33 << 20));
    assert_eq!(
        send(&site, "/inbound/mail/", MAIL, &bearer(), large)
            .await
            .0,
        413
    );
    // More than a mail may have here, less than a request may.
    let long = format!("{}{}", mail("q"), "x\n".repeat(9 << 20));
    let (status, told) = send(&site, "/inbound/mail/", MAIL, &bearer(), long).await;
    assert!(
        status == 422 && told["quarantine"].is_i64(),
        "{status} {told}"
    );
}

pub async fn without_a_database_mails_by_http_are_503() {
    let options = patchwork::store::Options {
        timeout: std::time::Duration::from_millis(200),
        ..patchwork::store::Options::default()
    };
    let db = Db::open("postgres://nobody@127.0.0.1:1/none", &options).expect("an address");
    let site = seed::site(&db, |options| options.inbound.secret = SECRET.into()).await;
    let (status, told) = send(&site, "/inbound/mail/", MAIL, &bearer(), mail("a")).await;
    assert_eq!(status, 503, "{told}");
}
