//! Replies find what they answer.

use super::scene::play_all;

on_both! {
    async fn replies_find_what_they_answer(fresh: Fresh) {
        play_all(&fresh.url, include_str!("../data/ingest/comment.json")).await;
    }
}
