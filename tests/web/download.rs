//! What readers save.

use patchwork::store::{Db, mail, sql};

use super::seed::{self, DIFF, Patch, get};

pub async fn downloads_are_named_and_typed(db: &Db) {
    let project = seed::project(db, "one").await;
    let cover = seed::cover(db, project, "<0@h>", "☃").await;
    let series = seed::series(db, project, "Both: a/b", 1, Some(cover)).await;
    let name = "[v2,1/1] foo: bar/baz (x)";
    let patch = seed::patch(
        db,
        Patch {
            project,
            name,
            series: Some((series, 1)),
            ..Patch::default()
        },
    )
    .await;
    seed::comment(db, Some(patch), None, "<r@h>", "Acked-by: Bob <b@h>").await;
    let site = seed::site(db, |_| {}).await;
    for (path, kind, file) in [
        (
            "/project/one/patch/a@h/raw/".to_owned(),
            "text/x-patch",
            "v2-1-1-foo-bar-baz-x.diff".to_owned(),
        ),
        (
            "/project/one/patch/a@h/mbox/".into(),
            "text/plain; charset=utf-8",
            "v2-1-1-foo-bar-baz-x.patch".into(),
        ),
        (
            "/project/one/cover/0@h/mbox/".into(),
            "text/plain; charset=utf-8",
            format!("cover-{cover}.mbox"),
        ),
        (
            format!("/series/{series}/mbox/"),
            "text/plain; charset=utf-8",
            "Both-a-b.patch".into(),
        ),
    ] {
        let seen = get(&site, &path).await;
        assert_eq!(seen.status, 200, "{path}");
        assert!(seen.header("Content-Type").starts_with(kind), "{path}");
        assert_eq!(
            seen.header("Content-Disposition"),
            format!("attachment; filename={file}")
        );
        assert!(!seen.header("ETag").is_empty());
    }
    assert_eq!(get(&site, "/project/one/patch/a@h/raw/").await.body, DIFF);
    let mbox = get(&site, "/project/one/patch/a@h/mbox/").await.body;
    assert!(
        mbox.starts_with("From patchwork ") && mbox.ends_with(DIFF),
        "{mbox}"
    );
    assert!(mbox.contains("text\nAcked-by: Bob <b@h>\n"), "{mbox}");
}

pub async fn a_mail_is_kept_byte_for_byte(db: &Db) {
    let project = seed::project(db, "one").await;
    let patch = seed::any_patch(db, project).await;
    let site = seed::site(db, |_| {}).await;
    assert_eq!(get(&site, "/project/one/patch/a@h/mail/").await.status, 404);
    let raw = "From: a\r\nSubject: =?utf-8?q?=C3=A9?=\r\n\r\nbody \r\n\n";
    let packed = zstd::bulk::compress(raw.as_bytes(), 3).expect("memory");
    let mut tx = db.begin().await.expect("a transaction");
    sql("INSERT INTO mail (project_id, msgid, received, outcome, patch_id, size, digest, packed) VALUES ($1, '<a@h>', $2, 'patch', $3, $4, $5, $6)")
        .bind(project)
        .bind(seed::day(1))
        .bind(patch)
        .bind(i64::try_from(raw.len()).expect("small"))
        .bind(vec![0u8; 32])
        .bind(packed)
        .run(&mut tx)
        .await
        .expect("a mail");
    tx.commit().await.expect("a commit");
    let seen = get(&site, "/project/one/patch/a@h/mail/").await;
    assert_eq!(
        (seen.header("Content-Type"), seen.body.as_str()),
        ("message/rfc822", raw)
    );
    let mut conn = db.reader().await.expect("a connection");
    let kept = mail::of_patch(&mut conn, patchwork::domain::PatchId(patch))
        .await
        .expect("a look");
    assert_eq!(kept.as_deref(), Some(raw.as_bytes()));
}

pub async fn a_patch_comes_with_those_before_it(db: &Db) {
    let project = seed::project(db, "one").await;
    let series = seed::series(db, project, "x", 3, None).await;
    let of = |number, msgid, content| Patch {
        project,
        msgid,
        content,
        series: Some((series, number)),
        ..Patch::default()
    };
    seed::patches(
        db,
        &[
            of(3, "<3@h>", "third"),
            of(1, "<1@h>", "first"),
            of(2, "<2@h>", "second"),
        ],
    )
    .await;
    seed::any_patch(db, project).await;
    let site = seed::site(db, |_| {}).await;
    for wanted in ["*".to_owned(), series.to_string()] {
        let body = get(
            &site,
            &format!("/project/one/patch/2@h/mbox/?series={wanted}"),
        )
        .await
        .body;
        let (first, second) = (body.find("first"), body.find("second"));
        assert!(
            first.is_some() && first < second && !body.contains("third"),
            "{body}"
        );
    }
    for path in [
        "2@h/mbox/?series=foo",
        "2@h/mbox/?series=99",
        "a@h/mbox/?series=*",
    ] {
        assert_eq!(
            get(&site, &format!("/project/one/patch/{path}"))
                .await
                .status,
            404,
            "{path}"
        );
    }
    let whole = get(&site, &format!("/series/{series}/mbox/")).await.body;
    assert_eq!(whole.matches("From patchwork ").count(), 3);
}
