//! Filters: what finds which patches.

use super::seed;

/// A query, and how many of the 51 patches it finds.
const FOUND: &[(&str, usize)] = &[
    // 10
    ("project=P", 50),
    ("project=1", 50),
    ("project=nosuch", 0),
    ("project=p&project=nosuch", 0),
    ("project=p&project=q", 51),
    ("project=", 51),
    ("project=p,q", 0),
    // 11
    ("submitter=SAM@EXAMPLE.COM", 3),
    ("submitter=Sam", 0),
    ("submitter=1", 3),
    ("submitter=sam@example.com&submitter=grace@example.com", 5),
    ("submitter=", 51),
    // 12
    ("state=under-review", 2),
    ("state=Under%20Review", 2),
    ("state=UNDER-REVIEW", 2),
    ("state=2", 2),
    ("state=1&state=2", 51),
    ("state=1&state=99", 0),
    ("state=1&state=13", 0),
    ("state=accepted", 0),
    // 13
    ("archived=True", 1),
    ("archived=1", 1),
    ("archived=0", 50),
    ("archived=yes", 51),
    ("archived=", 51),
    // 15
    ("since=2024-03-05T10:02:00", 50),
    ("before=2024-03-05T10:02:00", 1),
    ("since=2024-03-05T10:02:00Z", 50),
    ("since=2024-03-05T11:02:00%2B01:00", 50),
    ("since=2024-03-05%2010:02", 50),
    ("since=2024-03-05T10:02:00.5", 49),
    ("since=2024-03-05T10:02:00.000000", 50),
    ("since=2024-03-05T10:02:00.000001Z", 49),
    ("before=2024-03-05T10:02:00.5", 2),
    ("since=garbage", 0),
    ("before=2024-03-06", 3),
    // 16
    ("q=pump+start", 1),
    ("q=PUMP", 2),
    ("q=%22pump:+start%22", 1),
    ("q=start+pump", 1),
    ("q=%22start+pump%22", 0),
    ("q=", 51),
    ("q=100%25", 0),
    // Others.
    ("series=1", 3),
    ("series=x", 0),
    ("series=", 51),
    ("delegate=d", 1),
    ("delegate=4", 1),
    ("delegate=nobody", 0),
    ("nosuch=1", 51),
    ("project=p&state=1&archived=false", 47),
    ("msgid=s1@example.com", 1),
    ("msgid=%3Cs1@example.com%3E", 1),
    ("msgid=single/slash%2B1@example.com", 1),
    ("msgid=nosuch", 0),
    ("series=99999999999999999999", 0),
];

on_both! {
    async fn patches_are_filtered(db: Db) {
        let site = seed::site(&db).await;
        for id in [7, 8] {
            site.patch("m", &format!("patches/{id}/"), serde_json::json!({"state": "under-review"})).await.is(200);
        }
        site.patch("m", "patches/9/", serde_json::json!({"archived": true})).await.is(200);
        for (query, count) in FOUND {
            let seen = site.get(&format!("patches/?per_page=250&{query}")).await.is(200);
            assert_eq!(seen.ids().len(), *count, "{query}");
            assert_eq!(seen.header("X-Total-Count"), count.to_string(), "{query}");
        }
        // 14: older versions do not know these and leave the list as it is.
        let hash = site.get("patches/1/").await.json["hash"].as_str().expect("a hash").to_uppercase();
        assert_eq!(site.get(&format!("patches/?hash={hash}")).await.ids(), [1]);
        for query in [format!("hash={hash}"), "msgid=s1@example.com".to_owned()] {
            assert_eq!(site.get(&format!("1.1/patches/?per_page=250&{query}")).await.ids().len(), 51, "{query}");
        }
        // 17
        let names = site.get("patches/?order=-name,id&q=pump").await.ids();
        assert_eq!(names, [2, 1]);
        let all = site.get("patches/?order=check&per_page=250").await.ids();
        assert_eq!(all.len(), 51);
    }
}

on_both! {
    async fn patches_are_searched_as_on_pages(db: Db) {
        let site = seed::site(&db).await;
        let name = site.get("patches/1/").await.json["name"].as_str().expect("a name").to_owned();
        for (query, ids) in [
            ("pump", vec![1, 2]),
            ("pump,-start", vec![2]),
            ("pump -id -from:sam", vec![]),
            ("pump (start OR state:new)", vec![1, 2]),
            ("msgid:s1@example.com OR msgid:s2@example.com", vec![1, 2]),
            ("pump is:closed", vec![]),
            ("pump is:open -is:archived project:p", vec![1, 2]),
            ("delegate:d", vec![2]),
            ("-after:2024-03-06 before:2024-03-05", vec![]),
            ("pump has:checks-none -has:comments is:comment", vec![]),
            ("file:no/such/file", vec![]),
            (name.as_str(), vec![1]),
        ] {
            let encoded = patchwork::domain::link::encoded(query);
            let seen = site.get(&format!("patches/?q={encoded}&order=id")).await.is(200);
            assert_eq!(seen.ids(), ids, "{query}");
            assert_eq!(seen.header("X-Total-Count"), ids.len().to_string(), "{query}");
        }
        let files = site.get("patches/?q=-file:no/such&per_page=250").await.is(200);
        assert_eq!(files.ids().len(), 51);
        for (query, detail) in [
            ("q=pump+is:shut", "q: After “is:” stands one of open, closed, archived, patch, cover, comment. It is “is:shut” at character 6."),
            ("q=%C3%BC+state:gone", "q: There is no state “gone”. It is “state:gone” at character 3."),
            ("q=from:me", "q: “me” needs an account. It is “from:me” at character 1."),
        ] {
            let seen = site.get(&format!("patches/?{query}")).await;
            assert_eq!((seen.status, seen.json["detail"].as_str()), (400, Some(detail)), "{query}");
            // Compatibility: with a version, these are words.
            assert!(site.get(&format!("1.4/patches/?{query}")).await.is(200).ids().is_empty());
        }
        assert_eq!(site.get_as("d", "patches/?q=delegate:me").await.is(200).ids(), [2]);
    }
}

/// What is asked in the language of searches, and the cover letters and series it finds.
const SOUGHT: &[(&str, &[i64], &[i64])] = &[
    ("three fixes", &[1], &[1]),
    ("fixes -three", &[], &[]),
    ("is:cover", &[1], &[1]),
    ("is:patch is:cover", &[], &[1]),
    ("is:comment", &[], &[]),
    ("from:sam", &[1], &[1]),
    ("from:grace project:p", &[], &[2, 3]),
    ("file:a.c", &[], &[1]),
    ("file:a.c file:d.c", &[], &[]),
    ("body:\"about the pump\"", &[1], &[1]),
    ("comment:shorten", &[], &[1]),
    ("comment:fine", &[1], &[1]),
    ("delegate:d", &[1], &[1]),
    ("project:q", &[], &[49]),
    ("msgid:s0@example.com", &[1], &[1]),
    (
        "msgid:s3@example.com OR msgid:q1@example.com",
        &[],
        &[1, 49],
    ),
    ("has:comments", &[1], &[1]),
    ("has:checks-fail", &[1], &[1]),
    ("before:2024-03-06", &[1], &[1]),
    ("after:2024-03-06 -file:e.c", &[], &[2, 3, 49]),
    ("state:accepted", &[], &[2]),
    ("-is:open", &[], &[2]),
];

on_both! {
    async fn covers_and_series_are_asked_in_the_language_of_searches(db: Db) {
        let site = seed::site(&db).await;
        site.post("m", "patches/3/checks/", serde_json::json!({"state": "fail"})).await.is(201);
        site.patch("m", "patches/4/", serde_json::json!({"state": "accepted"})).await.is(200);
        for (query, covers, series) in SOUGHT {
            let encoded = patchwork::domain::link::encoded(query);
            for (list, ids) in [("covers/", covers), ("series/", series)] {
                let seen = site.get(&format!("{list}?q={encoded}&order=id&per_page=250")).await.is(200);
                assert_eq!(seen.ids(), *ids, "{list} {query}");
                assert_eq!(seen.header("X-Total-Count"), ids.len().to_string(), "{list} {query}");
            }
        }
        for list in ["covers/", "series/", "events/"] {
            let seen = site.get(&format!("{list}?q=is:shut")).await.is(400);
            assert!(seen.text.contains("It is “is:shut” at character 1."), "{list}: {}", seen.text);
        }
        // Compatibility: with a version, these are words, and events have none.
        assert!(site.get("1.4/series/?q=is:open").await.is(200).ids().is_empty());
        let all = site.get("events/").await.is(200);
        assert_eq!(site.get("1.4/events/?q=is:shut").await.is(200).header("X-Total-Count"), all.header("X-Total-Count"));
    }
}

on_both! {
    /// An event is found where what it tells of is.
    async fn events_are_asked_in_the_language_of_searches(db: Db) {
        let site = seed::site(&db).await;
        site.post("m", "patches/3/checks/", serde_json::json!({"state": "fail"})).await.is(201);
        site.patch("m", "patches/4/", serde_json::json!({"state": "accepted"})).await.is(200);
        for (query, found) in [
            ("file:a.c -is:comment", vec!["patch-completed", "patch-created", "series-completed", "series-created"]),
            ("file:a.c is:patch -is:comment", vec!["patch-completed", "patch-created"]),
            ("file:a.c is:comment", vec!["patch-comment-created"]),
            ("is:cover three", vec!["cover-comment-created", "cover-created"]),
            ("msgid:s0@example.com -is:cover", vec!["series-completed", "series-created"]),
            ("has:checks-fail is:patch", vec!["check-created", "patch-completed", "patch-created"]),
            ("from:grace state:accepted", vec!["patch-completed", "patch-created", "patch-state-changed", "series-completed", "series-created"]),
            ("from:grace state:accepted category", vec![]),
            ("project:q", vec!["patch-completed", "patch-created", "series-completed", "series-created"]),
        ] {
            let encoded = patchwork::domain::link::encoded(query);
            let seen = site.get(&format!("events/?q={encoded}&per_page=250")).await.is(200);
            let events = seen.json.as_array().expect("a list");
            let mut words: Vec<&str> = events.iter().map(|it| it["category"].as_str().expect("a word")).collect();
            words.sort_unstable();
            assert_eq!(words, found, "{query}");
            assert_eq!(seen.header("X-Total-Count"), found.len().to_string(), "{query}");
        }
    }
}

/// A list, a query, and how many entries it finds.
const OTHERS: &[(&str, &str, usize)] = &[
    ("covers/", "project=p", 1),
    ("covers/", "project=q", 0),
    ("covers/", "series=1", 1),
    ("covers/", "series=2", 0),
    ("covers/", "msgid=s0@example.com", 1),
    ("1.0/covers/", "msgid=nosuch", 0),
    ("covers/", "q=three", 1),
    ("covers/", "submitter=sam@example.com", 1),
    ("series/", "project=p", 48),
    ("series/", "project=q", 1),
    ("series/", "q=three+fixes", 1),
    ("series/", "submitter=hedy@example.com", 45),
    ("series/", "since=2024-03-07", 46),
    ("projects/", "q=quay", 1),
    ("projects/", "q=example.org", 2),
    ("patches/1/comments/", "q=START", 1),
    ("patches/1/comments/", "q=nosuch", 0),
];

on_both! {
    async fn other_lists_are_filtered(db: Db) {
        let site = seed::site(&db).await;
        for (list, query, count) in OTHERS {
            let seen = site.get(&format!("{list}?per_page=250&{query}")).await.is(200);
            assert_eq!(seen.ids().len(), *count, "{list} {query}");
            assert_eq!(seen.header("X-Total-Count"), count.to_string(), "{list} {query}");
        }
    }
}

on_both! {
    async fn words_are_found_in_any_case_of_any_alphabet(db: Db) {
        use patchwork::store::sql;
        let site = seed::site(&db).await;
        for change in [
            "UPDATE project SET name = '\u{dc}BER \u{3a9}mega' WHERE id = 1",
            "UPDATE series SET name = '\u{dc}BER \u{3a9}mega' WHERE id = 1",
            "UPDATE cover SET name = '\u{dc}BER \u{3a9}mega' WHERE id = 1",
            "UPDATE account SET first_name = '\u{dc}BER \u{3a9}mega' WHERE id = 1",
            "UPDATE person SET name = '\u{dc}BER \u{3a9}mega', key = '\u{fc}ber \u{3c9}mega ' || key WHERE id = 1",
            "UPDATE patch SET name = '\u{dc}BER \u{3a9}mega', name_key = '\u{fc}ber \u{3c9}mega' WHERE id = 1",
        ] {
            site.run(sql(change)).await;
        }
        let name = "\u{dc}BER \u{3a9}mega";
        site.post("m", "bundles/", serde_json::json!({"name": name, "patches": [1]})).await.is(201);
        for list in ["projects/", "series/", "covers/", "users/", "people/", "patches/", "bundles/"] {
            for (query, count) in [
                ("q=%C3%9Cber", 1),
                ("q=%C3%BCber", 1),
                ("q=%22%C3%BCber+%CE%A9M%22", 1),
                ("q=%CF%89", 1),
                ("q=%C3%9C%C3%9C", 0),
                ("q=%C3%9C*", 0),
                ("q=%C3%9C.", 0),
                ("q=%C3%9C%5Bb%5D", 0),
                ("q=%5C%C3%9C", 0),
                ("q=%5E%C3%9C", 0),
            ] {
                let seen = site.get_as("m", &format!("{list}?{query}")).await.is(200);
                assert_eq!(seen.ids().len(), count, "{list} {query}");
                assert_eq!(seen.header("X-Total-Count"), count.to_string(), "{list} {query}");
            }
        }
    }
}
