//! Which mails make one series.

use super::scene::play_all;

on_both! {
    async fn mails_of_one_series_find_each_other(fresh: Fresh) {
        play_all(&fresh.url, include_str!("../data/ingest/series.json")).await;
    }
}
