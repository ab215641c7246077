//! Accounts: how they end.

use super::patches;
use crate::{
    domain::{
        UserId,
        change::{Actor, PatchChange},
    },
    store::{Result, Tx, patch::change, sql, user},
};

/// The login name of the account that has the checks of deleted ones.
pub const NOBODY: &str = "deleted-user";

/// Deletes an account. Its patches lie on nobody's desk then, which is told; its people belong to nobody; its bundles and
/// rules go. Checks stay and become those of [`NOBODY`], an account that cannot log in.
///
/// # Errors
/// When the database is away.
pub async fn delete_user(tx: &mut Tx, id: UserId, by: &Actor) -> Result<()> {
    let touched = "SELECT patch_id FROM patch_check WHERE account_id = $1
                   UNION SELECT id FROM patch WHERE delegate_id = $1";
    change::lock_those(tx, touched, vec![id.into()]).await?;
    let change = PatchChange {
        delegate: Some(None),
        ..PatchChange::default()
    };
    loop {
        let some = patches(
            tx,
            "SELECT id FROM patch WHERE delegate_id = $1 ORDER BY id LIMIT $2",
            id.into(),
        )
        .await?;
        if some.is_empty() {
            break;
        }
        change::apply(tx, &some, &change, by).await?;
    }
    let (checks,): (bool,) =
        sql("SELECT (EXISTS (SELECT 1 FROM patch_check WHERE account_id = $1))")
            .bind(id)
            .one(tx)
            .await?;
    if checks {
        let nobody = nobody(tx, by).await?;
        sql("UPDATE patch_check SET account_id = $2 WHERE account_id = $1")
            .bind(id)
            .bind(nobody)
            .run(tx)
            .await?;
    }
    sql("DELETE FROM account WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}

async fn nobody(tx: &mut Tx, by: &Actor) -> Result<UserId> {
    if let Some(known) = user::by_username(tx, NOBODY).await? {
        return Ok(known.id);
    }
    let new = user::NewUser {
        username: NOBODY,
        email: "",
        first_name: "",
        last_name: "",
        password: "!",
        is_superuser: false,
        date_joined: by.at,
        items_per_page: 100,
    };
    let id = user::insert(tx, &new).await?;
    sql("UPDATE account SET is_active = FALSE WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(id)
}
