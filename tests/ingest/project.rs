//! Which project mails belong to.

use super::scene::play_all;

on_both! {
    async fn mails_find_their_project(fresh: Fresh) {
        play_all(&fresh.url, include_str!("../data/ingest/project.json")).await;
    }
}
