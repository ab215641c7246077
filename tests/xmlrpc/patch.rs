//! Patches: what is shown of them, and which are found.

use patchwork::{
    domain::Timestamp,
    store::{Db, sql},
};
use serde_json::{Value, json};

use super::world::World;
use crate::web::seed::{self, Patch};

const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

/// The places in `world.patches` of what a filter finds, from 1.
async fn found(world: &World, filter: Value) -> Vec<usize> {
    let answer = world
        .call("patch_list", json!([filter]))
        .await
        .expect("no fault");
    let ids = answer.as_array().expect("an array").iter();
    let ids = ids.map(|patch| patch["id"].as_i64().expect("an id"));
    ids.map(|id| {
        world
            .patches
            .iter()
            .position(|p| *p == id)
            .expect("one of ours")
            + 1
    })
    .collect()
}

pub async fn a_patch_has_sixteen_members(db: &Db) {
    let world = World::new(db).await;
    let id = world.patches[2];
    let set = sql("UPDATE patch SET date = $1, hash = $2, commit_ref = 'beef' WHERE id = $3");
    let moment = Timestamp(1_704_103_322_123_456);
    world.run(set.bind(moment).bind(HASH).bind(id)).await;
    let expected = json!({
        "id": id,
        "date": { "base64": "2024-01-01 10:02:02.123456" },
        "filename": "3-3-gadget-new",
        "msgid": "<c@example.org>",
        "name": "[3/3] gadget: new",
        "project": { "base64": "The one project" },
        "project_id": world.one,
        "state": { "base64": "Accepted" },
        "state_id": 3,
        "archived": false,
        "submitter": { "base64": "Ann Lee <ann@example.org>" },
        "submitter_id": 1,
        "delegate": { "base64": "mara" },
        "delegate_id": world.mara,
        "commit_ref": "beef",
        "hash": HASH,
    });
    assert_eq!(expected.as_object().map(serde_json::Map::len), Some(16));
    for params in [json!([id]), json!([id.to_string()])] {
        assert_eq!(world.call("patch_get", params).await, Ok(expected.clone()));
    }
    let plain = world
        .call("patch_get", json!([world.patches[1]]))
        .await
        .expect("a patch");
    for (member, value) in [
        ("date", json!({ "base64": "2023-11-15 22:13:20" })),
        ("submitter", json!({ "base64": "bob@example.com" })),
        ("delegate", json!({ "base64": "None" })),
        ("delegate_id", json!(0)),
        ("commit_ref", json!("")),
        ("hash", json!("")),
        ("filename", json!("2-3-Widget_2-ber")),
    ] {
        assert_eq!(plain[member], value, "{member}");
    }
    assert_eq!(world.call("patch_get", json!([999])).await, Ok(json!({})));
    for (params, fault) in [
        (
            json!([]),
            "<class 'TypeError'>:patch_get() missing 1 required positional argument: 'patch_id'",
        ),
        (
            json!([null]),
            "<class 'TypeError'>:patch_get() missing 1 required positional argument: 'patch_id'",
        ),
        (
            json!(["x"]),
            "<class 'ValueError'>:Field 'patch_id' expected a number but got 'x'.",
        ),
        (
            json!([1.5]),
            "<class 'ValueError'>:Field 'patch_id' expected a number but got 1.5.",
        ),
    ] {
        assert_eq!(world.call("patch_get", params).await, Err(fault.to_owned()));
    }
}

pub async fn patches_are_listed_by_date(db: &Db) {
    let world = World::new(db).await;
    let all = [2, 3, 1, 4, 5];
    for (most, expected) in [
        (json!(0), &all[..]),
        (json!(2), &all[..2]),
        (json!("2"), &all[..2]),
        (json!(-2), &all[3..]),
        (json!(-1000), &all),
        (json!(1000), &all),
    ] {
        assert_eq!(
            found(&world, json!({ "max_count": most })).await,
            expected,
            "{most}"
        );
    }
    assert_eq!(found(&world, json!({})).await, all);
    assert_eq!(found(&world, Value::Null).await, all);
    let bare = world.call("patch_list", json!([])).await.expect("no fault");
    assert_eq!(bare.as_array().map(Vec::len), Some(5));
    let newest = json!({ "max_count": -1, "project_id": world.one });
    assert_eq!(found(&world, newest).await, [4]);
}

pub async fn patches_are_filtered(db: &Db) {
    let world = World::new(db).await;
    let [a, b, c, d, e] = world.patches[..] else {
        panic!("five patches");
    };
    let series = seed::series(db, world.one, "a series", 3, None).await;
    let member =
        sql("UPDATE patch SET series_id = $1, number = 1, commit_ref = 'Beef' WHERE id = $2");
    world.run(member.bind(series).bind(a)).await;
    let empty = sql("UPDATE patch SET commit_ref = '' WHERE id = $1");
    world.run(empty.bind(b)).await;
    let link = sql("UPDATE person SET account_id = $1 WHERE id = 3");
    world.run(link.bind(world.mara)).await;
    let cases: Vec<(Value, &[usize])> = vec![
        (json!({ "id": c }), &[3]),
        (json!({ "id": c.to_string() }), &[3]),
        (json!({ "id__in": [a, b.to_string(), 99] }), &[2, 1]),
        (json!({ "id__in": [] }), &[]),
        (json!({ "id__range": [a, b] }), &[2, 1]),
        (json!({ "id__gt": d }), &[5]),
        (json!({ "id__gte": d }), &[4, 5]),
        (json!({ "id__lt": b }), &[1]),
        (json!({ "id__startswith": e.to_string() }), &[5]),
        (json!({ "id__isnull": false, "id": a }), &[1]),
        (json!({ "name": "gadget: old" }), &[4]),
        (json!({ "name": "gadget" }), &[]),
        (json!({ "name__in": ["gadget: old", "elsewhere"] }), &[4, 5]),
        (json!({ "name__icontains": "WIDGET" }), &[2, 1]),
        (json!({ "project_id": world.two }), &[5]),
        (json!({ "project_id": world.two.to_string() }), &[5]),
        (json!({ "project_id__gt": world.one }), &[2, 3, 1, 4]),
        (json!({ "project_id": 99 }), &[]),
        (json!({ "submitter_id": 1 }), &[3, 1, 5]),
        (json!({ "submitter_id__in": 2 }), &[2]),
        (json!({ "state_id": 3 }), &[3]),
        (json!({ "state_id": 99 }), &[]),
        // The delegate is looked up by the person of its account.
        (json!({ "delegate_id": 3 }), &[3]),
        (json!({ "delegate_id": 2 }), &[]),
        (json!({ "archived": true }), &[4]),
        (json!({ "archived": 1 }), &[4]),
        (
            json!({ "archived": "no", "project_id": world.one }),
            &[2, 3, 1],
        ),
        (json!({ "archived__isnull": true }), &[]),
        (json!({ "archived__isnull": false }), &[2, 3, 1, 4, 5]),
        (json!({ "archived__gt": true }), &[]),
        (json!({ "commit_ref": "Beef" }), &[1]),
        (json!({ "commit_ref": "beef" }), &[]),
        (json!({ "commit_ref__isnull": true }), &[3, 4, 5]),
        (json!({ "commit_ref__isnull": false }), &[2, 1]),
        (json!({ "msgid": "<a@example.org>" }), &[1, 5]),
        (json!({ "msgid": "a@example.org" }), &[1, 5]),
        (json!({ "msgid__contains": "/" }), &[2]),
        (json!({ "series": series }), &[1]),
        (json!({ "series_id": series.to_string() }), &[1]),
        (
            json!({ "name__icontains": "widget", "state_id": 1, "project_id": world.one }),
            &[2, 1],
        ),
        (json!({ "date": "2023-11-15 22:13:20" }), &[2]),
        (json!({ "date": "2023-11-15" }), &[]),
        (json!({ "date__gte": "2023-11-17 22:13:20" }), &[1, 4, 5]),
        (json!({ "date__gt": "2023-11-17 22:13:20" }), &[4, 5]),
        (json!({ "date__lt": "2023-11-16" }), &[2]),
        (
            json!({ "date__range": ["2023-11-15", "2023-11-17 22:13"] }),
            &[2, 3],
        ),
        (
            json!({ "date__in": ["2023-11-15 22:13:20", "2020-01-01"] }),
            &[2],
        ),
        (json!({ "date__day": 16 }), &[3]),
        (
            json!({ "date__month": 11, "date__year": "2023" }),
            &[2, 3, 1, 4, 5],
        ),
        (json!({ "date__year": 2024 }), &[]),
        (json!({ "date__startswith": "2023-11-18 22" }), &[4]),
        (json!({ "date__iexact": "2023-11-18 22:13:20" }), &[4]),
        (json!({ "date__isnull": true }), &[]),
        // What is not known finds nothing.
        (json!({ "bogus": 1 }), &[]),
        (json!({ "id__lte": 3 }), &[]),
        (json!({ "id__exact": a }), &[]),
        (json!({ "name__regex": "." }), &[]),
        (json!({ "name__icontains__x": "a" }), &[]),
        (json!({ "name__year": 2024 }), &[]),
        (json!({ "order": "name" }), &[]),
        (json!({ "bogus": null, "id": a }), &[1]),
    ];
    for (filter, expected) in cases {
        assert_eq!(found(&world, filter.clone()).await, expected, "{filter}");
    }
}

pub async fn texts_are_compared_with_care(db: &Db) {
    let world = World::new(db).await;
    let set = sql("UPDATE patch SET commit_ref = 'aB_%' WHERE id = $1");
    world.run(set.bind(world.patches[0])).await;
    let cases: Vec<(&str, &str, &[usize])> = vec![
        ("name__contains", "Widget", &[2]),
        ("name__icontains", "widget_", &[2]),
        ("name__icontains", "ÜBER", &[2]),
        ("name__icontains", "50%", &[1]),
        ("name__contains", "%", &[1]),
        ("name__contains", "", &[2, 3, 1, 4, 5]),
        ("name__startswith", "[", &[2, 3, 1]),
        ("name__startswith", "Gadget", &[]),
        ("name__istartswith", "Gadget", &[4]),
        ("name__startswith", "elsewhere and far away", &[]),
        ("name__endswith", "new", &[3]),
        ("name__endswith", "NEW", &[]),
        ("name__iendswith", "NEW", &[3]),
        ("name__iendswith", "über", &[2]),
        ("name__endswith", "further elsewhere", &[]),
        ("name__iexact", "GADGET: OLD", &[4]),
        // By code point: capitals and brackets before small letters.
        ("name__gt", "a", &[4, 5]),
        ("name__gte", "elsewhere", &[4, 5]),
        ("name__lt", "a", &[2, 3, 1]),
        ("commit_ref__contains", "b", &[]),
        ("commit_ref__icontains", "b_%", &[1]),
        ("commit_ref__iexact", "AB_%", &[1]),
        ("commit_ref__istartswith", "Ab", &[1]),
        ("msgid__iendswith", "@EXAMPLE.ORG>", &[2, 3, 1, 4, 5]),
        ("hash__contains", "0", &[]),
    ];
    for (key, value, expected) in cases {
        assert_eq!(
            found(&world, json!({ key: value })).await,
            expected,
            "{key} {value}"
        );
    }
    let range = json!({ "name__range": ["e", "gadget: old"] });
    assert_eq!(found(&world, range).await, [4, 5]);
}

pub async fn filters_of_the_wrong_type_are_faults(db: &Db) {
    let world = World::new(db).await;
    for filter in [
        json!({ "id": "x" }),
        json!({ "id": [1] }),
        json!({ "id__in": 1 }),
        json!({ "id__in": ["x"] }),
        json!({ "id__range": [1] }),
        json!({ "name": ["a"] }),
        json!({ "name__icontains": {} }),
        json!({ "project_id": "one" }),
        json!({ "project_id__in": [1, 2] }),
        json!({ "date": "yesterday" }),
        json!({ "date": 1 }),
        json!({ "date__year": "x" }),
        json!({ "archived": "maybe" }),
        json!({ "commit_ref__isnull": "maybe" }),
        json!({ "max_count": "x" }),
        json!("widget"),
    ] {
        let fault = world
            .call("patch_list", json!([filter]))
            .await
            .expect_err("a fault");
        assert!(
            fault.starts_with("<class 'ValueError'>:Field '"),
            "{filter}: {fault}"
        );
    }
    let fault = world.call("patch_list", json!([{ "id": "x" }])).await;
    let expected = "<class 'ValueError'>:Field 'id' expected a number but got 'x'.";
    assert_eq!(fault, Err(expected.to_owned()));
}

pub async fn a_hash_finds_the_newest(db: &Db) {
    let world = World::new(db).await;
    world
        .run(sql("UPDATE patch SET hash = $1").bind(HASH))
        .await;
    let [a, .., d, e] = world.patches[..] else {
        panic!("five patches");
    };
    let id = |answer: Result<Value, String>| answer.expect("no fault")["id"].as_i64();
    assert_eq!(
        id(world.call("patch_get_by_hash", json!([HASH])).await),
        Some(e)
    );
    let of = |linkname: &str| json!([linkname, HASH]);
    assert_eq!(
        id(world.call("patch_get_by_project_hash", of("one")).await),
        Some(d)
    );
    assert_eq!(
        id(world.call("patch_get_by_project_hash", of("Two")).await),
        Some(e)
    );
    for params in [of("two"), of("none"), json!(["one", "0".repeat(40)])] {
        assert_eq!(
            world.call("patch_get_by_project_hash", params).await,
            Ok(json!({}))
        );
    }
    assert_eq!(
        world.call("patch_get_by_hash", json!([""])).await,
        Ok(json!({}))
    );
    assert_eq!(id(world.call("patch_get", json!([a])).await), Some(a));
}

pub async fn a_patch_is_handed_out(db: &Db) {
    let world = World::new(db).await;
    let diff = "--- a/x\r\n+++ b/x\r\n@@ -1 +1 @@\r\n-\u{c}é <&>]]>\r\n+\u{1b}\r\n";
    let patch = Patch {
        project: world.one,
        msgid: "<crlf@example.org>",
        content: "Käse\n\nSigned-off-by: Ann\n",
        diff: Some(diff),
        ..Patch::default()
    };
    let id = seed::patch(db, patch).await;
    seed::comment(
        db,
        Some(id),
        None,
        "<r@example.org>",
        "Acked-by: Bob <b@example.org>",
    )
    .await;
    let expected = diff.replace(['\u{c}', '\u{1b}'], "\u{fffd}");
    let found = world.call("patch_get_diff", json!([id])).await;
    assert_eq!(found, Ok(json!(expected)));
    let mbox = world
        .call("patch_get_mbox", json!([id]))
        .await
        .expect("a mail");
    let mbox = mbox.as_str().expect("a text");
    assert!(
        mbox.starts_with("From patchwork Wed Nov 15 22:13:20 2023\n"),
        "{mbox}"
    );
    assert!(mbox.contains(&format!("X-Patchwork-Id: {id}\n")), "{mbox}");
    assert!(
        mbox.contains("Käse\n\nSigned-off-by: Ann\nAcked-by: Bob <b@example.org>\n"),
        "{mbox}"
    );
    assert!(mbox.ends_with(&expected), "{mbox}");
    for method in ["patch_get_diff", "patch_get_mbox"] {
        assert_eq!(world.call(method, json!([999])).await, Ok(json!("")));
    }
}

pub async fn a_long_list_comes_whole(db: &Db) {
    let world = World::new(db).await;
    let names: Vec<(String, String)> = (0..2500)
        .map(|n| (format!("patch {n}"), format!("<{n}@long.example.org>")))
        .collect();
    let patches: Vec<Patch> = names
        .iter()
        .map(|(name, msgid)| Patch {
            project: world.two,
            name,
            msgid,
            day: 9,
            ..Patch::default()
        })
        .collect();
    seed::patches(db, &patches).await;
    for (filter, first, count) in [
        (json!({ "date__day": 23 }), "patch 0", 2500),
        (json!({ "max_count": -2001 }), "patch 499", 2001),
        (
            json!({ "name__startswith": "patch", "max_count": 1001 }),
            "patch 0",
            1001,
        ),
    ] {
        let answer = world
            .call("patch_list", json!([filter]))
            .await
            .expect("no fault");
        let rows = answer.as_array().expect("an array");
        assert_eq!(
            (rows.len(), rows[0]["name"].as_str()),
            (count, Some(first)),
            "{filter}"
        );
        let ids: Vec<i64> = rows.iter().filter_map(|row| row["id"].as_i64()).collect();
        assert!(ids.is_sorted() && ids.len() == count);
    }
}
