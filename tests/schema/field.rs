//! Every field that is answered is in the description, and every one in the description is answered.

use patchwork::{
    api,
    store::{Database, Db, Options, Pool},
    web,
};
use rocket::{
    http::{ContentType, Header, Method, Status},
    local::asynchronous::Client,
};
use serde_json::{Value, json};

use super::{Sample, shape::Document};
use crate::support::database;

#[test]
fn what_is_answered_is_described_and_the_other_way_round() {
    let sample = Sample::load();
    database::block_on(async {
        let site = Site::new(&sample).await;
        let things = Things::make(&site).await;
        for prefix in ["", "1.0/", "1.1/", "1.2/", "1.3/", "1.4/", "1.5/"] {
            compare(&site, prefix, &things).await;
        }
    });
}

async fn compare(site: &Site, prefix: &str, things: &Things) {
    let root = site.get(&format!("{prefix}openapi.json")).await;
    let mut document = Document::new(&root);
    let paths = root["paths"].as_object().expect("paths");
    for (path, methods) in paths {
        let shape = &methods["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        for address in things.addresses(path, &root) {
            let answer = site.get(&format!("{prefix}{address}")).await;
            document.check(shape, &answer, &format!("{prefix}{address}"));
        }
    }
    let all = document.properties();
    let unmet: Vec<_> = all.difference(&document.met).collect();
    assert!(unmet.is_empty(), "{prefix}: nothing answered {unmet:?}");
}

/// The site, asked by a maintainer.
struct Site {
    client: Client,
    authorization: String,
}

impl Site {
    async fn new(sample: &Sample) -> Site {
        let db = Db::open(&sample.url, &Options::default()).expect("an address");
        let figment = rocket::Config::figment().merge(("log_level", "off"));
        let rocket = rocket::custom(figment).manage(Database::from(Pool::from(db)));
        let rocket = api::mount(
            web::mount(rocket, web::Options::default()),
            api::Options::default(),
        );
        Site {
            client: Client::untracked(rocket).await.expect("a site"),
            authorization: sample.authorization(),
        }
    }

    async fn get(&self, address: &str) -> Value {
        self.send(Method::Get, address, None).await
    }

    async fn send(&self, method: Method, address: &str, body: Option<Value>) -> Value {
        let mut request = self.client.req(method, format!("/api/{address}"));
        request.add_header(Header::new("Host", "pw.example.org"));
        request.add_header(Header::new("Authorization", self.authorization.clone()));
        if let Some(body) = body {
            request = request.header(ContentType::JSON).body(body.to_string());
        }
        let response = request.dispatch().await;
        let status = response.status();
        let text = response.into_string().await.unwrap_or_default();
        let is_good = [Status::Ok, Status::Created].contains(&status);
        assert!(is_good, "{method} {address}: {status} {text}");
        serde_json::from_str(&text).expect("JSON")
    }
}

/// The addresses of one thing of each kind, as they follow the prefix.
struct Things {
    user: String,
    bundle: String,
    patch_comment: String,
    cover_comment: String,
    check: String,
}

impl Things {
    /// Does what the sample's mails do not do, and looks up what they did.
    async fn make(site: &Site) -> Things {
        let users = site.get("users/?q=mara").await;
        let user = users[0]["id"].clone();
        let nobody = json!({ "delegate": null });
        site.send(Method::Patch, "patches/1/", Some(nobody)).await;
        let change = json!({ "state": "accepted", "delegate": user, "related": [2] });
        site.send(Method::Patch, "patches/1/", Some(change)).await;
        let bundle = json!({ "name": "to do", "patches": [1, 2], "public": true });
        let bundle = site.send(Method::Post, "bundles/", Some(bundle)).await;
        let check = json!({ "state": "success", "context": "ci" });
        site.send(Method::Post, "patches/1/checks/", Some(check))
            .await;
        let event = |category: &str| format!("events/?per_page=1&category={category}");
        let told = async |category, thing: &str| {
            let events = site.get(&event(category)).await;
            below_api(&events[0]["payload"][thing]["url"])
        };
        Things {
            user: below_api(&users[0]["url"]),
            bundle: below_api(&bundle["url"]),
            patch_comment: told("patch-comment-created", "comment").await,
            cover_comment: told("cover-comment-created", "comment").await,
            check: told("check-created", "check").await,
        }
    }

    /// Returns the addresses to look at for a path of the description.
    fn addresses(&self, path: &str, root: &Value) -> Vec<String> {
        let first = |address: &str, parts: usize| -> String {
            let parts = address.split_inclusive('/').take(parts);
            parts.collect()
        };
        let one = match path {
            "/events/" => return events(root),
            "/projects/{id}/" => return vec!["projects/1/".into(), "projects/tidepool/".into()],
            "/users/{id}/" => self.user.clone(),
            "/people/{id}/" => "people/1/".to_owned(),
            "/series/{id}/" => "series/1/".to_owned(),
            "/series/{series_id}/diff/{new_id}/" => "series/1/diff/2/".to_owned(),
            "/patches/{patch_id}/diff/{new_id}/" => "patches/1/diff/2/".to_owned(),
            "/bundles/{id}/" => self.bundle.clone(),
            "/patches/{id}/" => "patches/1/".to_owned(),
            "/patches/{patch_id}/comments/" => first(&self.patch_comment, 3),
            "/patches/{patch_id}/comments/{comment_id}/" => self.patch_comment.clone(),
            "/patches/{patch_id}/checks/" => first(&self.check, 3),
            "/patches/{patch_id}/checks/{check_id}/" => self.check.clone(),
            "/covers/{id}/" => first(&self.cover_comment, 2),
            "/covers/{cover_id}/comments/" => first(&self.cover_comment, 3),
            "/covers/{cover_id}/comments/{comment_id}/" => self.cover_comment.clone(),
            list if !list.contains('{') => format!("{}?per_page=250", &list[1..]),
            unknown => panic!("say here where one {unknown} is"),
        };
        vec![one]
    }
}

/// Returns a list of events for each category of the description.
fn events(root: &Value) -> Vec<String> {
    let mapping = &root["components"]["schemas"]["Event"]["discriminator"]["mapping"];
    let words = mapping.as_object().expect("a mapping").keys();
    words
        .map(|word| format!("events/?category={word}"))
        .collect()
}

fn below_api(url: &Value) -> String {
    let url = url.as_str().expect("an address");
    let (_, below) = url.split_once("/api/").expect("an address of the API");
    below.to_owned()
}
