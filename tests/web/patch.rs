//! The page of a patch, and every address that leads to it.

use patchwork::store::Db;

use super::{
    browser::Browser,
    seed::{self, DIFF, Patch, get, get_with},
};

pub async fn a_patch_shows_what_is_known(db: &Db) {
    let project = seed::project(db, "one").await;
    let mara = seed::user(db, "mara", Some(project)).await;
    let cover = seed::cover(db, project, "<0@h>", "[0/2] Both").await;
    let series = seed::series(db, project, "Both", 2, Some(cover)).await;
    let of = |number, name, msgid| Patch {
        project,
        name,
        msgid,
        series: Some((series, number)),
        delegate: Some(mara),
        ..Patch::default()
    };
    let ids = seed::patches(
        db,
        &[of(1, "[1/2] one", "<1@h>"), of(2, "[2/2] two", "<2@h>")],
    )
    .await;
    let comment = seed::comment(
        db,
        Some(ids[0]),
        None,
        "<c@h>",
        "> text\n\nNo.\nReviewed-by: Bob <b@h>",
    )
    .await;
    let site = seed::site(db, |_| {}).await;
    let page = get(&site, "/project/one/patch/1@h/").await;
    assert_eq!(page.texts("h1"), ["[1/2] one"]);
    assert!(page.texts("aside .state").contains(&"New".to_owned()));
    assert_eq!(page.texts("aside .members li strong"), ["one"]);
    assert_eq!(
        page.values("aside .members li a", "href"),
        ["/project/one/cover/0@h/", "/project/one/patch/2@h/"]
    );
    assert_eq!(
        page.values("a[rel=next]", "href"),
        ["/project/one/patch/2@h/"]
    );
    assert_eq!(
        page.values("a[rel=prev]", "href"),
        ["/project/one/cover/0@h/"]
    );
    assert_eq!(page.values("article.reply", "id"), [comment.to_string()]);
    assert_eq!(page.texts("article.reply .label"), ["action required"]);
    assert_eq!(page.values(".file", "id"), ["f1"]);
    assert!(page.body.contains(r#"id="f1-h1-l3""#));
    for wanted in ["raw/", "mbox/", "mail/"] {
        assert!(
            page.values("aside .buttons a", "href")
                .contains(&format!("/project/one/patch/1@h/{wanted}"))
        );
    }
    assert!(page.statements() <= 9, "{}", page.statements());
    let next = get(&site, "/project/one/patch/2@h/").await;
    assert_eq!(next.statements(), page.statements());
}

pub async fn a_patch_is_escaped(db: &Db) {
    let project = seed::project(db, "one").await;
    let diff = DIFF.replace("x.c", "<b>.c").replace('é', "<b>");
    let name = "<b>x</b>";
    seed::patch(
        db,
        Patch {
            project,
            name,
            msgid: "<x<b>@h>",
            content: "<b> https://x/<b>",
            headers: "X: <b>",
            diff: Some(&diff),
            from: ("<b>", "<b>@h"),
            ..Patch::default()
        },
    )
    .await;
    let site = seed::site(db, |_| {}).await;
    let page = get(&site, "/project/one/list/").await;
    let path = page.values("td.c-name a", "href").remove(0);
    let page = get(&site, &path).await;
    assert_eq!(page.status, 200, "{path}");
    assert!(!page.body.contains("<b>"), "{}", page.body);
}

pub async fn slashes_in_ids_have_three_spellings(db: &Db) {
    let project = seed::project(db, "one").await;
    seed::patch(
        db,
        Patch {
            project,
            msgid: "<a/b@h>",
            ..Patch::default()
        },
    )
    .await;
    seed::cover(db, project, "<c/d@h>", "[0/1] x").await;
    let site = seed::site(db, |_| {}).await;
    for id in ["a/b@h", "a%2Fb@h", "a%252Fb@h"] {
        for action in ["", "raw/", "mbox/"] {
            let path = format!("/project/one/patch/{id}/{action}");
            assert_eq!(get(&site, &path).await.status, 200, "{path}");
        }
    }
    for id in ["c/d@h", "c%2Fd@h", "c%252Fd@h"] {
        for action in ["", "mbox/"] {
            let path = format!("/project/one/cover/{id}/{action}");
            assert_eq!(get(&site, &path).await.status, 200, "{path}");
        }
    }
    let page = get(&site, "/project/one/list/").await;
    assert_eq!(
        page.values("td.c-name a", "href"),
        ["/project/one/patch/a%252Fb@h/"]
    );
}

pub async fn old_addresses_lead_on(db: &Db) {
    let project = seed::project(db, "one").await;
    seed::project(db, "two").await;
    let patch = seed::patch(
        db,
        Patch {
            project,
            msgid: "<a/b@h>",
            ..Patch::default()
        },
    )
    .await;
    let cover = seed::cover(db, project, "<c@h>", "[0/1] x").await;
    let series = seed::series(db, project, "x", 1, Some(cover)).await;
    let on_patch = seed::comment(db, Some(patch), None, "<r1@h>", "x").await;
    let on_cover = seed::comment(db, None, Some(cover), "<r2@h>", "x").await;
    let site = seed::site(db, |_| {}).await;
    for (path, status, target) in [
        (
            format!("/patch/{patch}/"),
            302,
            "/project/one/patch/a%252Fb@h/".to_owned(),
        ),
        (
            format!("/patch/{patch}/raw/"),
            302,
            "/project/one/patch/a%252Fb@h/raw/".to_owned(),
        ),
        (
            format!("/patch/{patch}/mbox/"),
            302,
            "/project/one/patch/a%252Fb@h/mbox/".to_owned(),
        ),
        (
            format!("/cover/{cover}/"),
            302,
            "/project/one/cover/c@h/".to_owned(),
        ),
        (
            "/project/one/patch/c@h/raw/".into(),
            302,
            "/project/one/cover/c@h/".to_owned(),
        ),
        (
            "/project/one/cover/c@h/raw/".into(),
            302,
            "/project/one/cover/c@h/".to_owned(),
        ),
        (
            format!("/cover/{cover}/mbox/"),
            302,
            "/project/one/cover/c@h/mbox/".to_owned(),
        ),
        (
            format!("/comment/{on_patch}/"),
            302,
            format!("/project/one/patch/a%252Fb@h/#{on_patch}"),
        ),
        (
            format!("/comment/{on_cover}/"),
            302,
            format!("/project/one/cover/c@h/#{on_cover}"),
        ),
        (
            format!("/series/{series}/"),
            302,
            format!("/project/one/series/{series}/"),
        ),
        (
            format!("/project/two/series/{series}/"),
            302,
            format!("/project/one/series/{series}/"),
        ),
        (
            "/project/one/patch/c@h/".into(),
            302,
            "/project/one/cover/c@h/".into(),
        ),
        (
            "/project/one/cover/a%252Fb@h/mbox/".into(),
            302,
            "/project/one/patch/a%252Fb@h/mbox/".into(),
        ),
        (
            "/project/one/patch/r2@h/".into(),
            302,
            format!("/project/one/cover/c@h/#{on_cover}"),
        ),
        (
            "/project/one/patch/%3Ca%2Fb@h%3E/".into(),
            301,
            "/project/one/patch/a%252Fb@h/".into(),
        ),
        (
            "/project/one/patch/a%252Fb@h".into(),
            301,
            "/project/one/patch/a%252Fb@h/".into(),
        ),
        (
            "/project/one/list?state=*&page=2".into(),
            301,
            "/project/one/list/?state=*&page=2".into(),
        ),
        ("/help/pwclient/".into(), 301, "/about/".into()),
    ] {
        let seen = get(&site, &path).await;
        assert_eq!(
            (seen.status, seen.header("Location")),
            (status, target.as_str()),
            "{path}"
        );
    }
    let elsewhere = get(&site, "/project/two/patch/c@h/").await;
    assert_eq!(elsewhere.status, 404);
    assert!(
        elsewhere
            .values("main li a", "href")
            .contains(&"/project/one/cover/c@h/".to_owned())
    );
    for path in [
        "/patch/99/",
        "/patch/x/",
        "/comment/99/",
        "/series/99/",
        "/project/one/patch/none@h/",
    ] {
        assert_eq!(get(&site, path).await.status, 404, "{path}");
    }
}

pub async fn long_diffs_come_on_demand(db: &Db) {
    let project = seed::project(db, "one").await;
    let lines = "+x\n".repeat(2500);
    let diff = format!("{DIFF}diff --git a/y b/y\n--- a/y\n+++ b/y\n@@ -0,0 +1,2500 @@\n{lines}");
    seed::patch(
        db,
        Patch {
            project,
            diff: Some(&diff),
            ..Patch::default()
        },
    )
    .await;
    let site = seed::site(db, |_| {}).await;
    let page = get(&site, "/project/one/patch/a@h/").await;
    let more = "/project/one/patch/a@h/?file=2";
    assert_eq!(
        page.values(".more [href], a.more", "href"),
        [format!("{more}#f2")]
    );
    assert!(page.body.len() < 200_000);
    let part = get_with(&site, more, &[("HX-Request", "true")]).await;
    assert!(part.body.starts_with("<pre") && part.body.matches(r#"class="a""#).count() == 2500);
    let whole = get(&site, more).await;
    assert!(whole.body.contains(r#"id="f2-h1-l2500""#) && whole.body.contains("<html"));
}

pub async fn only_effective_checks_count(db: &Db) {
    let project = seed::project(db, "one").await;
    let (mara, ci) = (
        seed::user(db, "mara", None).await,
        seed::user(db, "ci", None).await,
    );
    let patch = seed::any_patch(db, project).await;
    for (user, at, state, context) in [
        (ci, 1, 3, "build"),
        (ci, 2, 1, "build"),
        (mara, 1, 2, "build"),
        (ci, 1, 0, "test"),
    ] {
        seed::check(db, patch, user, at, state, context).await;
    }
    let site = seed::site(db, |_| {}).await;
    let list = get(&site, "/project/one/list/").await;
    assert_eq!(
        list.texts("td.c-checks .check"),
        ["1 passed", "1 with warnings", "1 pending"]
    );
    let page = get(&site, "/project/one/patch/a@h/").await;
    assert_eq!(
        page.texts(".checks > ul li strong"),
        ["build", "build", "test"]
    );
    assert_eq!(page.texts(".checks details summary"), ["1 earlier result"]);
}

pub async fn replies_stand_at_the_line_they_quote(db: &Db) {
    let project = seed::project(db, "one").await;
    let id = seed::any_patch(db, project).await;
    let said = "> @@ -1,2 +1,2 @@\n>  a\n> -b\n\nWhy <b>?\n";
    let comment = seed::comment(db, Some(id), None, "<c@h>", said).await;
    let site = seed::site(db, |_| {}).await;
    let page = get(&site, "/project/one/patch/a@h/").await;
    assert_eq!(page.texts(".remark .said"), ["Why <b>?"]);
    assert_eq!(page.values(".remark a", "href"), [format!("#{comment}")]);
}

pub async fn a_diff_is_shown_side_by_side(db: &Db) {
    let project = seed::project(db, "one").await;
    let id = seed::any_patch(db, project).await;
    seed::comment(db, Some(id), None, "<c@h>", "> -b\n\nWhy?\n").await;
    let site = seed::site(db, |_| {}).await;
    let reader = Browser::new(&site);
    let path = "/project/one/patch/a@h/";
    let page = reader.get(path).await;
    assert!(page.texts("pre.split").is_empty());
    let current = "[aria-label=\"Form of the diff\"] [aria-current]";
    assert_eq!(page.texts(current), ["Unified"]);
    let other = page.values("[data-key=i]", "href").remove(0);
    assert_eq!(other, format!("{path}?view=split#diff"));
    let split = reader.get(other.trim_end_matches("#diff")).await;
    assert_eq!(split.texts(current), ["Split"]);
    assert_eq!(split.texts("pre.split .d"), ["removed -b"]);
    assert_eq!(split.texts("pre.split .c"), ["a"]);
    assert_eq!(split.values("pre.split .c", "aria-hidden"), ["true"]);
    assert_eq!(split.texts(".remark .said"), ["Why?"]);
    // The choice is remembered, also for files that come later.
    assert_eq!(reader.cookie("diff"), "split");
    assert!(!reader.get(path).await.texts("pre.split").is_empty());
    let part = reader
        .get_with(&format!("{path}?file=1"), &[("HX-Request", "true")])
        .await;
    assert!(
        part.body.starts_with("<pre class=\"diff split\">"),
        "{}",
        part.body
    );
    let back = reader.get(&format!("{path}?view=unified")).await;
    assert_eq!(back.texts("pre.split"), [] as [&str; 0]);
    assert_eq!(reader.cookie("diff"), "unified");
    // What makes no sense changes nothing.
    assert_eq!(reader.get(&format!("{path}?view=x")).await.status, 200);
    assert_eq!(reader.cookie("diff"), "unified");
}

pub async fn a_mail_is_answered_by_mail(db: &Db) {
    let project = seed::project(db, "one").await;
    let of = |name, msgid| Patch {
        project,
        name,
        msgid,
        content: "text\n\n> é & more\n",
        ..Patch::default()
    };
    let id = seed::patch(db, of("[1/2] a & b", "<a+b@h>")).await;
    let long = "x\n".repeat(5000);
    seed::comment(db, Some(id), None, "<c@h>", &long).await;
    let site = seed::site(db, |_| {}).await;
    let page = get(&site, "/project/one/patch/a+b@h/").await;
    let expected = "mailto:ann@example.org?cc=one@example.org&in-reply-to=%3Ca%2Bb@h%3E\
                    &subject=Re:%20%5B1%2F2%5D%20a%20%26%20b&body=On%2015%20Nov%202023,%2022:13%20UTC,%20Ann%20wrote:\
                    %0D%0A%3E%20text%0D%0A%3E%0D%0A%3E%3E%20%C3%A9%20%26%20more%0D%0A";
    assert_eq!(page.values("#answer a.button", "href"), [expected]);
    assert_eq!(
        page.texts("#answer code"),
        ["git send-email --in-reply-to='<a+b@h>' --to=ann@example.org --cc=one@example.org FILE"]
    );
    let reply = page
        .values(".reply .tools a[href^=mailto]", "href")
        .remove(0);
    assert!(
        reply.contains("in-reply-to=%3Cc@h%3E") && reply.len() < 2000,
        "{reply}"
    );
    seed::cover(db, project, "<0@h>", "[0/2] both").await;
    let cover = get(&site, "/project/one/cover/0@h/").await;
    assert!(cover.values("#answer a.button", "href")[0].contains("in-reply-to=%3C0@h%3E"));
}
