//! Trailers are counted.

use super::scene::play_all;

on_both! {
    async fn trailers_are_counted(fresh: Fresh) {
        play_all(&fresh.url, include_str!("../data/ingest/tag.json")).await;
    }
}
