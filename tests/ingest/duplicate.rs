//! The same mail twice, and mails with one id.

use super::scene::play_all;

on_both! {
    async fn known_mails_are_duplicates(fresh: Fresh) {
        play_all(&fresh.url, include_str!("../data/ingest/duplicate.json")).await;
    }
}
