//! What CI systems and editors send that are not run here: their requests, and what they read of the answers.

use serde_json::{Value, json};

use super::{
    http::{Answer, Request},
    site::{self, Site},
};

fn get(site: &Site, target: &str) -> Answer {
    Request::get(target).send(site).is(200)
}

/// Follows a redirection, as libraries do for requests that only read.
fn followed(site: &Site, target: &str) -> Answer {
    let answer = Request::get(target).send(site);
    match answer.status {
        301 | 302 => get(site, answer.header("Location")),
        _ => answer.is(200),
    }
}

/// Demands fields that are there, whatever they are.
#[track_caller]
fn has(json: &Value, fields: &str) {
    for field in fields.split_whitespace() {
        let path = format!("/{}", field.replace('.', "/"));
        assert!(json.pointer(&path).is_some(), "no {field} in {json}");
    }
}

/// Returns the address of the next page as careless clients find it: it must be the first of all, in a header that is
/// spelled just so.
fn next(answer: &Answer) -> Option<String> {
    let first = answer.spelled("Link").split(',').next()?;
    let (address, rel) = first.split_once("; ")?;
    let address = address.strip_prefix('<')?.strip_suffix('>')?;
    (rel == "rel=\"next\"").then(|| address.to_owned())
}

/// Returns one field of all entries of all pages.
fn all(site: &Site, target: &str, field: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut target = Some(target.to_owned());
    while let Some(page) = target {
        let answer = get(site, &page);
        found.extend(answer.each(field));
        target = next(&answer);
    }
    found
}

/// Demands a date that a clock without a zone can be compared with.
#[track_caller]
fn is_naive(date: &Value) {
    let date = date.as_str().expect("a text");
    let plain = |c: char| c.is_ascii_digit() || "-T:.".contains(c);
    assert!(
        date.chars().all(plain) && date.matches('-').count() == 2,
        "{date}"
    );
}

#[test]
fn kernel_patches_daemon() {
    site::on_sqlite(|site| {
        let since = "since=2023-12-30T00:00:00&project=1";
        let known =
            format!("/api/1.2/patches/?archived=False&state=1&state=2&state=5&state=7&{since}");
        assert_eq!(all(site, &known, "id").len(), 47);
        let unknown = format!("{known}&state=13&state=15");
        assert_eq!(get(site, &unknown).body, "[]");
        let series = get(site, "/api/1.2/series/1/").json();
        has(
            &series,
            "id name date url web_url version submitter.email mbox patches.0.id patches.2.name cover_letter.name",
        );
        is_naive(&series["date"]);
        let patch = get(site, "/api/1.2/patches/1/").json();
        has(&patch, "state name date archived project.id delegate");
        assert_eq!(patch["archived"], json!(false));
        let subject = "/api/1.2/series/?q=widget:%20three%20improvements";
        assert_eq!(all(site, subject, "id"), [1]);
        let mbox = get(site, series["mbox"].as_str().expect("an address"));
        assert_eq!(mbox.body.matches("\nSubject: ").count(), 3);
        kernel_patches_daemon_reports(site);
    });
}

fn kernel_patches_daemon_reports(site: &Site) {
    let newest = "/api/1.2/patches/1/checks/?context=bpf-ci&order=-date&per_page=1";
    assert_eq!(get(site, newest).body, "[]");
    for state in ["pending", "success"] {
        let form = format!(
            "context=bpf-ci&state={state}&target_url=https%3A%2F%2Fci.example.com%2F1&description=tests"
        );
        let post = Request::form("POST", "/api/1.2/patches/1/checks/", &form);
        let answer = post.by_maintainer(site).send(site).is(201);
        assert!(answer.header("Location").starts_with(&site.url()));
        let found = get(site, newest).json();
        assert_eq!(found[0]["state"], json!(state));
        has(&found[0], "context target_url description date");
        is_naive(&found[0]["date"]);
    }
}

#[test]
fn nipa() {
    site::on_sqlite(|site| {
        assert_eq!(all(site, "/api/1.1/projects/?", "name"), ["P", "Q"]);
        let events = "/api/1.1/events/?project=1&since=2024-01-01T00:00:00&order=date&category=series-completed&";
        let found = get(site, events).json();
        let last = found
            .as_array()
            .and_then(|all| all.last())
            .expect("an event");
        has(last, "payload.series.id date");
        is_naive(&last["date"]);
        nipa_polls_on(site, last);
        let dates = all(site, events, "date");
        assert!(dates.is_sorted_by(|a, b| a.as_str() <= b.as_str()) && dates.len() > 30);
        for (download, name) in [
            ("/cover/1/mbox/", ".mbox"),
            ("/patch/4/mbox/", "gear-turn-like-M-ller-s.patch"),
        ] {
            assert_eq!(Request::get(download).send(site).status, 302, "{download}");
            let file = followed(site, download);
            let named = file.header("Content-Disposition");
            assert!(
                named.starts_with("attachment; filename=") && named.ends_with(name),
                "{named}"
            );
        }
        let pull = get(site, "/api/1.2/patches/?msgid=pull@example.com").json();
        assert_eq!(
            pull[0]["pull_url"],
            "https://git.example.com/widgets.git tags/for-everybody"
        );
        nipa_reports(site);
    });
}

/// The next round begins with the date of the last event, which comes again.
fn nipa_polls_on(site: &Site, last: &Value) {
    let since = last["date"].as_str().expect("a date");
    let again =
        format!("/api/1.1/events/?project=1&since={since}&order=date&category=series-completed&");
    assert!(all(site, &again, "id").contains(&last["id"]));
    let later = format!(
        "/api/1.1/patches/?project=1&delegate=m&since={}&",
        since.replace('T', "%20")
    );
    assert_eq!(get(site, &later).body, "[]");
}

fn nipa_reports(site: &Site) {
    let form = "user=&state=warning&target_url=&context=build&description=two+warnings";
    let post = |form| Request::form("POST", "/api/1.1/patches/2/checks/", form).by_maintainer(site);
    let check = post(form).send(site).is(201).json();
    assert_eq!(check["user"]["username"], "m");
    let own = format!("user={}&{}", check["user"]["id"], &form["user=&".len()..]);
    post(&own).send(site).is(201);
    let patches = get(
        site,
        "/api/1.1/patches/?project=1&state=1&state=2&archived=false&",
    )
    .json();
    let checks = patches[1]["checks"].as_str().expect("an address");
    assert!(
        checks.starts_with(&format!("{}/api/patches/2/", site.url())),
        "{checks}"
    );
    assert_eq!(all(site, checks, "state"), ["warning", "warning"]);
    assert_eq!(patches[1]["check"], "warning");
    for list in [
        "patches/?msgid=widget-1@example.com",
        "covers/?msgid=widget-0@example.com",
    ] {
        assert_eq!(all(site, &format!("/api/{list}&project=1"), "id"), [1]);
    }
    let change = Request::form("PATCH", "/api/1.1/patches/2/", "state=changes-requested");
    let patch = change.by_maintainer(site).send(site).is(200).json();
    assert_eq!(patch["state"], "changes-requested");
}

#[test]
fn snowpatch() {
    site::on_sqlite(|site| {
        let with_token = |target: &str| Request::get(target).by_maintainer(site).send(site);
        for (target, location) in [
            ("/api/1.2", "/api/1.2/"),
            ("/api/1.2/series/1", "/api/1.2/series/1/"),
            (
                "/api/1.2/series?order=-id&per_page=50&project=p",
                "/api/1.2/series/?order=-id&per_page=50&project=p",
            ),
        ] {
            assert_eq!(with_token(target).is(301).header("Location"), location);
        }
        with_token("/api/6.9/").is(404);
        let series = followed(site, "/api/1.2/series?order=-id&per_page=50&project=p");
        for one in series.json().as_array().expect("a list") {
            has(
                one,
                "id url web_url name date submitter.name submitter.email version total received_total received_all mbox cover_letter patches project.link_name",
            );
        }
        let patch = followed(site, "/api/1.2/patches/1").json();
        assert_eq!(
            (&patch["pull_url"], &patch["tags"]),
            (&Value::Null, &json!({}))
        );
        assert_eq!(patch["commit_ref"], Value::Null);
        snowpatch_reports(site);
    });
}

fn snowpatch_reports(site: &Site) {
    let check = json!({"state": "pending", "target_url": null, "description": null, "context": "snowpatch"});
    let post = Request::json("POST", "/api/1.2/patches/3/checks/", &check);
    let answer = post.by_maintainer(site).send(site).is(201).json();
    assert_eq!(
        (&answer["target_url"], &answer["description"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        all(site, "/api/1.2/patches/3/checks/", "context"),
        ["snowpatch"]
    );
}

#[test]
fn vscode_patchwork() {
    site::on_sqlite(|site| {
        let get = |target: &str| {
            let asked = Request::get(target).with("Accept", "application/json");
            let answer = asked.send(site);
            match answer.status {
                301 => Request::get(answer.header("Location")).send(site).is(200),
                _ => answer.is(200),
            }
        };
        let list = get("/api/series?page=1&order=-id&project=1");
        assert!(list.header("Link").contains("rel=\"next\""), "{list:?}");
        let more = get("/api/series?page=2&order=-id&project=1");
        assert!(
            list.each("id").last().map(Value::as_i64) > more.each("id").first().map(Value::as_i64)
        );
        let patch = get("/api/patches/1").json();
        for header in ["To", "Cc", "Message-ID"] {
            assert!(patch["headers"][header].is_string(), "{header} of {patch}");
        }
        assert!(patch["content"].is_string() && patch["diff"].is_string());
        let comments = patch["comments"].as_str().expect("an address");
        let comment = &get(comments).json()[0];
        assert_eq!(comment["headers"]["In-Reply-To"], "<widget-1@example.com>");
        assert_eq!(
            get("/api/patches?msgid=single/slash%2B1@example.com").each("id"),
            [4]
        );
        assert_eq!(
            get("/api/covers?msgid=widget-0@example.com").each("id"),
            [1]
        );
        let page = Request::get("/api/patches/?msgid=0").with("Accept", "text/html");
        let page = page.send(site).is(200).body;
        let html = scraper::Html::parse_document(&page);
        let options = scraper::Selector::parse("#id_project > option").expect("a selector");
        let projects: Vec<_> = html
            .select(&options)
            .filter_map(|it| it.attr("value"))
            .collect();
        assert!(projects.contains(&"1") && projects.contains(&"2"), "{page}");
        let people = scraper::Selector::parse("#id_submitter").expect("a selector");
        assert_eq!(html.select(&people).count(), 1, "{page}");
    });
}

#[test]
fn git_patchwork_bot() {
    site::on_sqlite(|site| {
        let token = |target: &str| Request::get(target).by_maintainer(site);
        let target = format!(
            "/api/1.2/patches?project=p&archived=false&hash={}",
            site.hash
        );
        let moved = token(&target).send(site).is(301);
        let found = token(moved.header("Location")).send(site).is(200);
        assert_eq!(found.each("id"), [1]);
        let older = "/api/1.2/series/?q=widget:+three+improvements&submitter=ada@example.com&project=p&per_page=100";
        assert_eq!(token(older).send(site).is(200).each("received_all"), [true]);
        let form =
            "state=accepted&commit_ref=0123456789abcdef0123456789abcdef01234567&archived=False";
        let change = Request::form("PATCH", "/api/1.2/patches/1/", form).by_maintainer(site);
        let patch = change.send(site).is(200).json();
        assert_eq!(
            (&patch["state"], &patch["archived"]),
            (&json!("accepted"), &json!(false))
        );
    });
}

#[test]
fn patman() {
    site::on_sqlite(|site| {
        assert_eq!(
            get(site, "/api/1.2/projects/").each("link_name"),
            ["p", "q"]
        );
        let found = get(site, "/api/1.2/series/?project=1&q=three+improvements");
        assert_eq!(
            (found.each("name"), found.each("version")),
            (vec![json!("widget: three improvements")], vec![json!(1)])
        );
        for target in [
            "series/1/",
            "patches/1/",
            "patches/1/comments/",
            "covers/1/",
            "covers/1/comments/",
        ] {
            get(site, &format!("/api/1.2/{target}"));
        }
        let page = get(site, "/project/p/list/?series=1&state=*&archive=both").body;
        assert!(
            page.contains("let widget_2 count") && !page.contains("sprocket"),
            "{page}"
        );
    });
}

#[test]
fn sktm() {
    site::on_sqlite(|site| {
        let index = followed(site, "/api/1.0").json();
        let address = |list: &str| index[list].as_str().expect("an address").to_owned();
        // It joins the addresses of the index with a slash too many.
        let project = get(site, &format!("{}/p/", address("projects"))).json();
        assert_eq!(project["id"], 1);
        let patch = followed(site, &format!("{}/1", address("patches"))).json();
        let events = format!(
            "{}?project=1&category=series-completed&since=2024-01-01T00:00:00",
            address("events").trim_end_matches('/')
        );
        let found = followed(site, &events);
        assert!(next(&found).is_some(), "{found:?}");
        let series = found.json()[0]["payload"]["series"]["url"].clone();
        get(site, series.as_str().expect("an address"));
        let checks = patch["checks"].as_str().expect("an address");
        let check = json!({"patch": 1, "state": "success", "context": "skt", "target_url": "", "description": "skt boot"});
        Request::json("POST", checks, &check)
            .by_maintainer(site)
            .send(site)
            .is(201);
    });
}

#[test]
fn scripts() {
    site::on_sqlite(|site| {
        let counted = get(site, "/api/1.2/patches/?project=p&per_page=1");
        let last = "<URL/api/1.2/patches/?page=47&per_page=1&project=p>; rel=\"last\"";
        let last = last.replace("URL", &site.url());
        assert!(
            counted.spelled("Link").ends_with(&last),
            "{}",
            counted.asked
        );
        let newest = get(site, "/api/1.2/patches/?q=sprocket_40&order=-date");
        assert_eq!(newest.each("name"), ["sprocket: smoother sprocket_40"]);
        assert_eq!(
            get(site, "/api/patches/?submitter=GRACE@example.com&project=p").each("id"),
            [4]
        );
        // Every pwclient on XML-RPC writes the whole address into the first line of its request.
        let whole = Request::get("/api/1.2/projects/p/").whole_target(site);
        assert_eq!(whole.send(site).is(200).json()["link_name"], "p");
        downloads(site);
    });
}

/// Downloads are public: credentials sent along do not matter, not even wrong ones.
fn downloads(site: &Site) {
    for target in [
        "/series/1/mbox/",
        "/project/p/patch/single%252Fslash+1@example.com/mbox/",
    ] {
        let asked = Request::get(target).with("Authorization", "Token wrong");
        asked.send(site).is(200);
    }
}
