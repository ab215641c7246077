//! Which events are told, and in which order.

use super::scene::play_all;

on_both! {
    async fn events_are_told_in_order(fresh: Fresh) {
        play_all(&fresh.url, include_str!("../data/ingest/event.json")).await;
    }
}
