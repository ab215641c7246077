//! What the domain demands, as tables: events, notifications, expiry, checks, relations, tags.

use super::play::play_all;

on_both! {
    async fn events(db: Db) {
        play_all(&db, include_str!("../data/domain/event.json")).await;
    }
}

on_both! {
    async fn notifications(db: Db) {
        play_all(&db, include_str!("../data/domain/notify.json")).await;
    }
}

on_both! {
    async fn expiry(db: Db) {
        play_all(&db, include_str!("../data/domain/expiry.json")).await;
    }
}

on_both! {
    async fn checks(db: Db) {
        play_all(&db, include_str!("../data/domain/check.json")).await;
    }
}

on_both! {
    async fn relations(db: Db) {
        play_all(&db, include_str!("../data/domain/relation.json")).await;
    }
}

on_both! {
    async fn tags(db: Db) {
        play_all(&db, include_str!("../data/domain/tag.json")).await;
    }
}
