//! Mails in another order than they were written.

use super::scene::play_all;

on_both! {
    async fn replies_wait_for_what_they_answer(fresh: Fresh) {
        play_all(&fresh.url, include_str!("../data/ingest/order.json")).await;
    }
}
