//! Who mails are from.

use super::scene::play_all;

on_both! {
    async fn people_are_known_by_address(fresh: Fresh) {
        play_all(&fresh.url, include_str!("../data/ingest/person.json")).await;
    }
}
