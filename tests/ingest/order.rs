//! Mails in another order than they were written.

use super::scene::{play_all, play_all_splits};

on_both! {
    async fn replies_wait_for_what_they_answer(fresh: Fresh) {
        play_all(&fresh.url, include_str!("../data/ingest/order.json")).await;
    }
}

on_both! {
    async fn it_does_not_matter_how_many_come_at_once(fresh: Fresh) {
        play_all_splits(&fresh.url, include_str!("../data/ingest/order.json")).await;
    }
}
