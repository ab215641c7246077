//! Revisions of series: compared, and put right by those who maintain the project.

use serde_json::{Value, json};

use super::seed;

on_both! {
    async fn two_series_are_compared(db: Db) {
        let site = seed::site(&db).await;
        let seen = site.get("1.5/series/1/diff/2/").await.is(200).json;
        let page = "http://pw.example.com/project/p/series/1/diff/2/";
        assert_eq!(seen["url"], "http://pw.example.com/api/1.5/series/1/diff/2/");
        assert_eq!((&seen["web_url"], &seen["text_url"]), (&json!(page), &json!(format!("{page}raw/"))));
        assert_eq!((&seen["old"]["id"], &seen["new"]["id"]), (&json!(1), &json!(2)));
        let pairs = seen["pairs"].as_array().expect("a list");
        let of = |verdict: &str| pairs.iter().filter(|pair| pair["verdict"] == verdict).count();
        assert_eq!(pairs.len(), of("dropped") + of("added") + of("changed"));
        for pair in pairs {
            for side in ["old", "new"] {
                assert_eq!(pair[side].is_null(), pair[format!("{side}_number")].is_null(), "{pair}");
            }
            assert!(pair["verdict"] == "changed" || pair["diff"] == "", "{pair}");
        }
        let same = site.get("series/1/diff/1/").await.is(200).json;
        let told = |key: &str| same["pairs"].as_array().expect("a list").iter().map(|pair| pair[key].clone()).collect::<Vec<Value>>();
        assert_eq!((told("verdict"), told("new_number")), (vec![json!("unchanged"); 3], vec![json!(1), json!(2), json!(3)]));
        assert_eq!((&same["pairs"][1]["old"]["id"], &same["remarks"]), (&json!(2), &json!([])));
    }
}

on_both! {
    async fn two_patches_are_compared(db: Db) {
        let site = seed::site(&db).await;
        let seen = site.get("patches/1/diff/4/").await.is(200).json;
        assert_eq!(seen["web_url"], "http://pw.example.com/project/p/patch/s1@example.com/diff/single%252Fslash+1@example.com/");
        assert_eq!((&seen["old"]["id"], &seen["new"]["msgid"]), (&json!(1), &json!("<single/slash+1@example.com>")));
        let pair = &seen["pairs"][0];
        assert_eq!((&pair["verdict"], &pair["old_number"], &pair["new"]["id"]), (&json!("changed"), &json!(1), &json!(4)));
        let path = seen["text_url"].as_str().expect("an address").replacen("http://pw.example.com", "", 1);
        let text = site.get(&path).await.is(200).text;
        let diff = pair["diff"].as_str().expect("a text");
        assert!(!diff.is_empty() && text.ends_with(diff), "{diff} is not in {text}");
    }
}

on_both! {
    async fn what_is_not_there_is_not_compared(db: Db) {
        let site = seed::site(&db).await;
        let foreign = site.get("patches/51/").await.json["series"][0]["id"].clone();
        for path in ["series/1/diff/999/".to_owned(), "series/999/diff/1/".to_owned(), format!("series/1/diff/{foreign}/")] {
            assert_eq!(site.get(&path).await.is(404).json["detail"], "No Series matches the given query.", "{path}");
        }
        for path in ["patches/1/diff/999/", "patches/999/diff/1/", "patches/1/diff/51/"] {
            assert_eq!(site.get(path).await.is(404).json["detail"], "No Patch matches the given query.", "{path}");
        }
        for path in ["1.4/series/1/diff/2/", "1.4/patches/1/diff/2/", "series/1/diff/x/"] {
            assert_eq!(site.get(path).await.is(404).json["detail"], "Not found.", "{path}");
        }
    }
}

on_both! {
    async fn maintainers_say_which_series_is_before(db: Db) {
        let site = seed::site(&db).await;
        let foreign = site.get("patches/51/").await.json["series"][0]["id"].clone();
        let say = async |series: i64, previous: Value| site.patch("m", &format!("series/{series}/"), json!({"previous": previous})).await;
        let is = |seen: seed::Seen, previous: Value, reason: Value| {
            let seen = seen.is(200).json;
            assert_eq!((&seen["previous"], &seen["previous_reason"]), (&previous, &reason));
        };
        let first = || json!("http://pw.example.com/api/series/1/");
        for named in [json!(1), json!("1"), first(), json!("http://pw.example.com/project/p/list/?series=1")] {
            is(say(2, named).await, first(), json!("hand"));
        }
        assert_eq!(site.get("series/1/").await.json["following"], json!(["http://pw.example.com/api/series/2/"]));
        let circle = "That series is this one or follows it: revisions cannot go round in a circle.";
        let word = "Name a series by its id or its address, or write find.";
        for (series, previous, fault) in [
            (1, json!(2), circle),
            (1, json!(1), circle),
            (1, json!(999), "Invalid pk \"999\" - object does not exist."),
            (1, foreign, "That series is of another project."),
            (1, json!("first"), word),
            (1, json!([1]), word),
        ] {
            assert_eq!(say(series, previous).await.is(400).json, json!({"previous": [fault]}));
        }
        is(say(2, json!(null)).await, json!(null), json!("none"));
        is(say(2, json!("find")).await, json!(null), json!(null));
        let form = site.ask(rocket::http::Method::Patch, "series/2/").by("m").form("previous=1").seen().await;
        is(form, first(), json!("hand"));
        is(site.patch("m", "series/2/", json!({})).await, first(), json!("hand"));
        site.patch("m", "1.4/series/2/", json!({"previous": null})).await.is(405);
        site.patch("m", "series/999/", json!({"previous": null})).await.is(404);
    }
}
