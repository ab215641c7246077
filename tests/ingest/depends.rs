//! What series need.

use super::scene::play_all;

on_both! {
    async fn series_record_what_they_need(fresh: Fresh) {
        play_all(&fresh.url, include_str!("../data/ingest/depends.json")).await;
    }
}
