//! The address: what is answered there, and what it looks like.

use patchwork::store::{Db, sql};
use rocket::http::Method;
use scraper::{Html, Selector};
use serde_json::json;

use super::{
    client::{self, answer, request, send},
    world::World,
};

pub async fn what_is_no_call_is_a_fault(db: &Db) {
    let site = client::site(db).await;
    for body in [
        "",
        "garbage",
        "<methodResponse/>",
        "{}",
        "<?xml version='1.0'?>",
    ] {
        let seen = send(&site, Method::Post, "/xmlrpc/", &[], body).await;
        assert_eq!(seen.status, 200);
        let fault = answer(&seen.body).expect_err("a fault");
        assert!(
            fault.starts_with("<class 'xml.parsers.expat.ExpatError'>:"),
            "{fault}"
        );
    }
    let body = request("patch_get", &json!(["&"])).replace("&amp;", "&x;");
    let body = format!(
        "<!DOCTYPE a [<!ENTITY x 'y'>]>{}",
        body.replace("<?xml version='1.0'?>\n", "")
    );
    let fault = answer(&send(&site, Method::Post, "/xmlrpc/", &[], body).await.body);
    assert!(
        fault
            .expect_err("a fault")
            .contains("document types are not taken")
    );
    let body = "<methodCall><methodName>patch_get</methodName><params><param><value><int>x</int></value></param></params></methodCall>";
    let fault = answer(&send(&site, Method::Post, "/xmlrpc/", &[], body).await.body);
    let expected = "<class 'ValueError'>:invalid literal for int() with base 10: 'x'";
    assert_eq!(fault, Err(expected.to_owned()));
}

pub async fn addresses_and_methods(db: &Db) {
    let site = client::site(db).await;
    let version = request("pw_rpc_version", &json!([]));
    for path in ["/xmlrpc/", "/xmlrpc"] {
        for kind in ["text/xml", "application/x-www-form-urlencoded", "nonsense"] {
            let headers = [("Content-Type", kind)];
            let seen = send(&site, Method::Post, path, &headers, &version).await;
            assert_eq!(answer(&seen.body), Ok(json!([1, 3, 0])), "{path} {kind}");
            assert_eq!(seen.header("Content-Type"), "text/xml; charset=utf-8");
            assert_eq!(seen.status, 200);
        }
        for method in [Method::Put, Method::Patch, Method::Delete, Method::Options] {
            let seen = send(&site, method, path, &[], "").await;
            assert_eq!(
                (seen.status, seen.header("Allow")),
                (405, "GET, HEAD, POST"),
                "{method}"
            );
        }
        let head = send(&site, Method::Head, path, &[], "").await;
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        assert!(head.header("Content-Type").starts_with("text/html"));
    }
    let page = send(&site, Method::Get, "/xmlrpc/", &[], "").await;
    assert!(
        page.header("Content-Security-Policy")
            .starts_with("default-src 'self'; ")
    );
    let html = Html::parse_document(&page.body);
    let find = |selector: &str| {
        let selector = Selector::parse(selector).expect("a selector");
        html.select(&selector)
            .map(|found| {
                (
                    found.attr("id").unwrap_or_default().to_owned(),
                    found.text().collect::<String>(),
                )
            })
            .collect::<Vec<_>>()
    };
    let sections = find("section");
    assert!(sections.len() == 23 && sections.is_sorted());
    for (id, text) in &sections {
        let login = ["-patch_set", "-check_create"].contains(&id.as_str());
        assert_eq!(text.contains("Needs login."), login, "{id}");
        assert!(!text.contains("user:"), "{id}");
    }
    assert!(
        sections[0]
            .1
            .contains("check_create(patch_id: int, context: string"),
        "{:?}",
        sections[0]
    );
    assert!(page.body.contains("href=\"/api/\"") && page.body.contains("deprecated"));
    assert_eq!(find("header.bar a").len(), 2, "the site's bar");
    let sheet = send(&site, Method::Get, "/static/patchwork.css", &[], "").await;
    assert!(page.body.contains("href=\"/static/patchwork.css\"") && sheet.status == 200);
}

pub async fn large_calls_are_refused(db: &Db) {
    let site = client::site_with(db, |options| options.max_body = 1000).await;
    let call = |length: usize| {
        let call = request("project_list", &json!([""]));
        let call = call.trim_end();
        format!("{call}{}", " ".repeat(length - call.len()))
    };
    for (length, status) in [(1000, 200), (1001, 413), (100_000, 413)] {
        let seen = send(&site, Method::Post, "/xmlrpc/", &[], call(length)).await;
        assert_eq!(seen.status, status, "{length}");
    }
}

pub async fn it_may_be_off(db: &Db) {
    let site = client::site_with(db, |options| options.enabled = false).await;
    for method in [Method::Post, Method::Get, Method::Put] {
        let seen = send(&site, method, "/xmlrpc/", &[], "").await;
        assert_eq!(seen.status, 404, "{method}");
    }
}

pub async fn a_site_lives_below_a_path(db: &Db) {
    let site = client::site_with(db, |options| options.base = "/pw/".to_owned()).await;
    let version = request("pw_rpc_version", &json!([]));
    let seen = send(&site, Method::Post, "/pw/xmlrpc/", &[], &version).await;
    assert_eq!(answer(&seen.body), Ok(json!([1, 3, 0])));
    let page = send(&site, Method::Get, "/pw/xmlrpc/", &[], "").await;
    for address in ["/pw/", "/pw/api/", "/pw/static/patchwork.css"] {
        assert!(
            page.body.contains(&format!("href=\"{address}\"")),
            "{address}"
        );
    }
    let seen = send(&site, Method::Post, "/xmlrpc/", &[], &version).await;
    assert_eq!(seen.status, 404);
}

/// Clients are no browsers, and no browser's cookie counts here: there is nothing to forge.
pub async fn other_sites_headers_do_not_matter(db: &Db) {
    let site = client::site(db).await;
    let headers = [
        ("Origin", "https://other.example"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Cookie", "session=x"),
    ];
    let version = request("pw_rpc_version", &json!([]));
    let seen = send(&site, Method::Post, "/xmlrpc/", &headers, version).await;
    assert_eq!(answer(&seen.body), Ok(json!([1, 3, 0])));
}

pub async fn a_failing_database_is_a_fault(db: &Db) {
    let world = World::new(db).await;
    world.run(sql("ALTER TABLE person RENAME TO nobody")).await;
    let internal = Err("<class 'Exception'>:Internal server error".to_owned());
    // One fails when the ids are read, the other when the rows are.
    assert_eq!(world.call("person_list", json!([])).await, internal);
    assert_eq!(world.call("patch_list", json!([])).await, internal);
    assert_eq!(world.call("patch_get", json!([1])).await, internal);
    assert_eq!(
        world.call("pw_rpc_version", json!([])).await,
        Ok(json!([1, 3, 0]))
    );
}

/// The exact texts: clients that do not convert see the types.
pub async fn answers_look_as_ever(db: &Db) {
    let world = World::new(db).await;
    let id = world.patches[3];
    let look = async |method: &str, params: serde_json::Value| {
        let seen = send(
            &world.site,
            Method::Post,
            "/xmlrpc/",
            &[],
            request(method, &params),
        )
        .await;
        assert_eq!(seen.status, 200);
        seen.body
    };
    let cases = [
        (
            look("pw_rpc_version", json!([])).await,
            include_str!("../data/xmlrpc/version.xml").to_owned(),
        ),
        (
            look("project_get", json!([world.one])).await,
            include_str!("../data/xmlrpc/project.xml").replace("ID", &world.one.to_string()),
        ),
        (
            look("person_list", json!(["bob"])).await,
            include_str!("../data/xmlrpc/people.xml").to_owned(),
        ),
        (
            look("patch_list", json!([{ "id": id }])).await,
            include_str!("../data/xmlrpc/patches.xml").replace("ID", &id.to_string()),
        ),
        (
            look("patch_get", json!([999])).await,
            include_str!("../data/xmlrpc/nothing.xml").to_owned(),
        ),
        (
            look("patch_set", json!([id, {}])).await,
            include_str!("../data/xmlrpc/fault.xml").to_owned(),
        ),
        (
            look("patch_check_get", json!([id])).await,
            include_str!("../data/xmlrpc/combined.xml").to_owned(),
        ),
        (
            look(
                "system.multicall",
                json!([[{ "methodName": "patch_get_diff", "params": [999] }, 1]]),
            )
            .await,
            include_str!("../data/xmlrpc/multicall.xml").to_owned(),
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}
