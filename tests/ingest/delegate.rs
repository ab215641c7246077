//! Whose turn patches are, and where they stand.

use super::scene::play_all;

on_both! {
    async fn senders_and_rules_choose_delegate_and_state(fresh: Fresh) {
        play_all(&fresh.url, include_str!("../data/ingest/delegate.json")).await;
    }
}
