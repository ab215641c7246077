//! Confirmations: keys that were mailed to prove that an address is somebody's (`domain.md §1.18`).

use super::{Result, Tx, sql};
use crate::domain::Timestamp;

/// How much had expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Confirmations.
    pub confirmations: u64,
    /// Accounts that nobody had confirmed.
    pub accounts: u64,
}

/// Deletes confirmations that are used or older than `limit`, and with them accounts that were registered, never
/// confirmed and never entered. An account that was switched off stays, so does every person and patch.
///
/// # Errors
/// When the database is away or refuses.
pub async fn expire(tx: &mut Tx, limit: Timestamp) -> Result<Expired> {
    // Who has reported a check was let in after all.
    let accounts = sql(
        "DELETE FROM account WHERE registration_pending AND NOT is_active AND last_login IS NULL \
         AND EXISTS (SELECT 1 FROM email_confirmation c \
                      WHERE c.account_id = account.id AND c.type = 'registration' AND c.date < $1) \
         AND NOT EXISTS (SELECT 1 FROM email_confirmation c \
                      WHERE c.account_id = account.id AND c.active AND c.date >= $1) \
         AND NOT EXISTS (SELECT 1 FROM patch_check k WHERE k.account_id = account.id)",
    )
    .bind(limit);
    // Their confirmations go with them, and would not be counted.
    let confirmations =
        sql("SELECT count(*) FROM email_confirmation WHERE date < $1 OR NOT active")
            .bind(limit)
            .one::<(i64,)>(tx)
            .await?;
    let accounts = accounts.run(tx).await?;
    sql("DELETE FROM email_confirmation WHERE date < $1 OR NOT active")
        .bind(limit)
        .run(tx)
        .await?;
    Ok(Expired {
        confirmations: u64::try_from(confirmations.0).unwrap_or_default(),
        accounts,
    })
}
