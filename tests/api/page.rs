//! Pages of lists, their links, what they cost.

use serde_json::json;

use super::seed;

on_both! {
    async fn pages_are_linked(db: Db) {
        let site = seed::site(&db).await;
        // 7
        let page = site.get("1.3/patches/?state=new&per_page=10&page=2&state=rfc").await.is(200);
        let url = "http://pw.example.com/api/1.3/patches/?";
        let expected = [
            format!("<{url}after=20&page=3&per_page=10&state=new&state=rfc>; rel=\"next\""),
            format!("<{url}per_page=10&state=new&state=rfc>; rel=\"prev\""),
            format!("<{url}page=1&per_page=10&state=new&state=rfc>; rel=\"first\""),
            format!("<{url}page=6&per_page=10&state=new&state=rfc>; rel=\"last\""),
        ];
        assert_eq!(page.header("Link"), expected.join(", "));
        assert_eq!(page.header("X-Total-Count"), "51");
        // 8
        for bad in ["0", "x", "99", "-1"] {
            let seen = site.get(&format!("patches/?page={bad}")).await.is(404);
            assert_eq!(seen.json["detail"], "Invalid page.", "{bad}");
        }
        assert_eq!(site.get("patches/?page=last&per_page=50").await.ids(), [51]);
        // 9
        for (size, count) in [("1000", 51), ("99999999999999999999", 51), ("0", 30), ("x", 30), ("", 30), ("-3", 30), ("7", 7)] {
            assert_eq!(site.get(&format!("patches/?per_page={size}")).await.ids().len(), count, "{size}");
        }
        let empty = site.get("patches/?project=nosuch").await.is(200);
        assert_eq!((empty.text.as_str(), empty.header("X-Total-Count")), ("[]", "0"));
        assert!(empty.header("Link").ends_with("page=1&project=nosuch>; rel=\"last\""), "{empty:?}");
        site.get("patches/?project=nosuch&page=2").await.is(404);
        // A count of one entry a page is what b4 takes for the length of the list.
        assert!(site.get("patches/?per_page=1").await.header("Link").contains("page=51&per_page=1>; rel=\"last\""));
    }
}

on_both! {
    async fn whoever_follows_next_misses_nothing(db: Db) {
        let site = seed::site(&db).await;
        for order in ["", "&order=-date", "&order=name,-id", "&order=state,-date", "&order=-id", "&order=check", "&order=-submitter,date"] {
            let mut next = format!("/api/patches/?per_page=7&state=new{order}");
            let (mut seen, mut round) = (Vec::new(), 0);
            while !next.is_empty() {
                let page = site.get(&next).await.is(200);
                seen.extend(page.ids());
                // What was worked on leaves the list while it is read.
                let done = page.ids()[0];
                site.patch("m", &format!("patches/{done}/"), json!({"state": "rfc"})).await;
                next = follow(page.header("Link"));
                round += 1;
                assert!(round < 20, "{order}");
            }
            let expected = site.get("patches/?per_page=250&state=new&state=rfc").await.ids().len();
            seen.sort_unstable();
            seen.dedup();
            // Patches of other projects cannot be changed by `m`, and stay.
            assert_eq!(seen.len(), expected, "{order}");
            let ids: Vec<i64> = (1..=50).collect();
            site.patch("m", "patches/", json!({"ids": ids, "state": "new"})).await.is(200);
        }
    }
}

/// Returns where the next page is.
pub fn follow(link: &str) -> String {
    let next = link.split(", ").find(|it| it.ends_with("rel=\"next\""));
    let url = next.and_then(|it| it.strip_prefix('<')?.split_once('>'));
    url.map_or_else(String::new, |(url, _)| {
        url.replacen("http://pw.example.com", "", 1)
    })
}

on_both! {
    async fn every_list_is_paged_and_sorted(db: Db) {
        let site = seed::site(&db).await;
        for user in ["m", "s"] {
            site.post(user, "bundles/", json!({"name": "b", "patches": [1], "public": true})).await.is(201);
        }
        for state in ["success", "fail"] {
            site.post("m", "patches/1/checks/", json!({"state": state, "context": state})).await.is(201);
        }
        let lists: &[(&str, &[&str])] = &[
            ("projects/", &["id", "name", "link_name", "list_id"]),
            ("users/", &["id", "username", "email"]),
            ("people/", &["id", "name", "email"]),
            ("patches/", &["id", "name", "project", "date", "state", "archived", "submitter", "check"]),
            ("covers/", &["id", "name", "date", "submitter"]),
            ("series/", &["id", "name", "date", "submitter", "received_all"]),
            ("patches/1/comments/", &["id", "date", "submitter", "subject"]),
            ("covers/1/comments/", &["id", "date", "submitter", "subject"]),
            ("patches/1/checks/", &["id", "user", "date", "state", "target_url", "context", "description"]),
            ("bundles/", &["id", "name", "owner"]),
            ("events/", &["date"]),
        ];
        for (list, orders) in lists {
            let whole = site.ask(rocket::http::Method::Get, &format!("{list}?per_page=250")).by("m").seen().await.is(200).ids();
            assert!(!whole.is_empty(), "{list}");
            for order in orders.iter().flat_map(|order| [(*order).to_owned(), format!("-{order}")]) {
                let mut next = format!("/api/{list}?per_page=3&order={order}");
                let mut seen = Vec::new();
                while !next.is_empty() {
                    let page = site.ask(rocket::http::Method::Get, &next).by("m").seen().await.is(200);
                    seen.extend(page.ids());
                    next = follow(page.header("Link"));
                }
                let first = seen.clone();
                seen.sort_unstable();
                let mut expected = whole.clone();
                expected.sort_unstable();
                assert_eq!(seen, expected, "{list} by {order}");
                let at_once = site.ask(rocket::http::Method::Get, &format!("{list}?per_page=250&order={order}")).by("m").seen().await;
                assert_eq!(at_once.ids(), first, "{list} by {order}");
            }
            for query in ["q=pump", "q=p,u", "order=bogus", "since=2024-01-01", "before=1990-01-01", "q=%00", "page=1&q=%FF"] {
                let seen = site.ask(rocket::http::Method::Get, &format!("{list}?{query}")).by("m").seen().await;
                seen.is(200);
            }
        }
    }
}

on_both! {
    async fn a_request_costs_a_fixed_number_of_statements(db: Db) {
        let site = seed::site(&db).await;
        site.patch("m", "patches/1/", json!({"related": [2]})).await.is(200);
        for (path, most) in [
            ("patches/?per_page=2", 4),
            ("patches/?per_page=50", 4),
            ("patches/1/", 3),
            ("series/?per_page=1", 6),
            ("series/?per_page=50", 6),
            ("series/1/diff/2/", 5),
            ("patches/1/diff/2/", 2),
            ("covers/", 4),
            ("events/?per_page=2", 9),
            ("events/?per_page=250", 9),
            ("projects/", 4),
            ("bundles/", 6),
            ("patches/1/checks/", 4),
            ("patches/1/comments/", 3),
            ("covers/1/comments/", 3),
            ("", 0),
        ] {
            let seen = site.get(path).await.is(200);
            assert!(seen.statements() <= most, "{path}: {}", seen.statements());
        }
        // Who asks is two more.
        for (path, most) in [("users/", 4), ("people/?per_page=1", 5), ("people/", 5)] {
            let seen = site.get_as("m", path).await.is(200);
            assert!(seen.statements() <= most, "{path}: {}", seen.statements());
        }
    }
}
