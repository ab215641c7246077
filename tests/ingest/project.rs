//! Which project mails belong to.

use patchwork::{domain::ListId, ingest};
use serde_json::json;

use super::{
    rows,
    scene::{self, play_all},
    stage,
};

on_both! {
    async fn mails_find_their_project(fresh: Fresh) {
        play_all(&fresh.url, include_str!("../data/ingest/project.json")).await;
    }
}

on_both! {
    async fn unknown_list_id_with_list_id_override_goes_by_subject_among_that_lists_projects(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let list = ListId::new("shared.lists.example.org");
        for (id, subject) in [("a", "[PATCH keyword] a"), ("b", "[PATCH] b")] {
            let mail = json!({"id": id, "subject": subject, "list": "nowhere"});
            let raw = scene::compose(&mail, 1);
            assert_eq!(scene::receive(&db, &raw).await, "no-project");
            let now = scene::BEGIN.plus_minutes(60);
            let outcome = ingest::receive(&db, &raw, Some(&list), &scene::options(), now).await;
            assert_eq!(scene::word(&outcome.expect("a database")), "patch");
        }
        let found = rows::read(&mut db.reader().await.expect("a connection")).await;
        let patches = found["patches"].as_object().expect("patches");
        let names: Vec<&str> = patches.keys().map(String::as_str).collect();
        assert_eq!(names, ["a in shared-keyword", "b in shared"]);
    }
}
