//! The time zone of who is looking: set once around a handler, so that whatever draws a time writes it in that zone
//! without being handed it down through every function that draws.

use std::future::Future;

use rocket::{Request, tokio};

use super::visit::Visit;
use crate::domain::{Timestamp, time::Zone};

tokio::task_local! {
    static ZONE: Zone;
}

/// Runs a handler, which writes times in the zone of who is looking.
pub async fn within<T>(request: &Request<'_>, handled: impl Future<Output = T>) -> T {
    let visit = request.local_cache(Visit::default);
    let named = visit
        .session
        .as_ref()
        .map(|session| session.caller.user.display.time_zone.as_str());
    // The zone may have been known to another machine, or to this one before an update.
    let zone = named.filter(|name| !name.is_empty()).and_then(Zone::named);
    ZONE.scope(zone.unwrap_or_default(), handled).await
}

/// Returns a moment to the minute, with its zone: `5 Mar 2024, 06:07 UTC`, or the offset from it.
pub fn moment(at: Timestamp) -> String {
    let zoned = |zone: &Zone| {
        let offset = if zone.is_utc() { "UTC" } else { "%:z" };
        at.format_in(zone, &format!("%-d %b %Y, %H:%M {offset}"))
    };
    ZONE.try_with(zoned)
        .unwrap_or_else(|_| zoned(&Zone::default()))
}

/// Returns the day of a moment.
pub fn day(at: Timestamp) -> String {
    ZONE.try_with(|zone| at.format_in(zone, "%Y-%m-%d"))
        .unwrap_or_else(|_| at.day())
}
