//! What staff may do in the admin console, themselves or by their groups.

use super::{Conn, Result, Tx, sql};
use crate::domain::{UserId, permission::Console};

/// Returns what an account may do in the console; superusers may do everything.
///
/// # Errors
/// When the database is away.
pub async fn of(conn: &mut Conn, user: UserId, is_superuser: bool) -> Result<Console> {
    if is_superuser {
        return Ok(Console {
            everything: true,
            ..Console::default()
        });
    }
    let rows: Vec<(String,)> = sql(
        "SELECT permission FROM account_permission WHERE account_id = $1 \
         UNION SELECT p.permission FROM group_permission p JOIN group_member m ON m.group_id = p.group_id \
         WHERE m.account_id = $1",
    )
    .bind(user)
    .all(conn)
    .await?;
    Ok(Console {
        everything: false,
        granted: rows.into_iter().map(|(name,)| name).collect(),
    })
}

/// Who holds permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// An account.
    Account(i64),
    /// A group.
    Group(i64),
}

/// Returns the permissions that a holder has itself, by name.
///
/// # Errors
/// When the database is away.
pub async fn held(conn: &mut Conn, holder: Holder) -> Result<Vec<String>> {
    let query = match holder {
        Holder::Account(id) => sql(
            "SELECT permission FROM account_permission WHERE account_id = $1 ORDER BY permission",
        )
        .bind(id),
        Holder::Group(id) => {
            sql("SELECT permission FROM group_permission WHERE group_id = $1 ORDER BY permission")
                .bind(id)
        }
    };
    let rows: Vec<(String,)> = query.all(conn).await?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// Gives a holder these permissions and no others.
///
/// # Errors
/// When the database is away or refuses.
pub async fn set(tx: &mut Tx, holder: Holder, names: &[String]) -> Result<()> {
    let (clear, add, id) = match holder {
        Holder::Account(id) => (
            "DELETE FROM account_permission WHERE account_id = $1",
            "INSERT INTO account_permission (account_id, permission) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            id,
        ),
        Holder::Group(id) => (
            "DELETE FROM group_permission WHERE group_id = $1",
            "INSERT INTO group_permission (group_id, permission) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            id,
        ),
    };
    sql(clear).bind(id).run(tx).await?;
    for name in names {
        sql(add).bind(id).bind(name).run(tx).await?;
    }
    Ok(())
}

/// Returns all groups, id and name, by name.
///
/// # Errors
/// When the database is away.
pub async fn groups(conn: &mut Conn) -> Result<Vec<(i64, String)>> {
    sql("SELECT id, name FROM account_group ORDER BY name LIMIT 1000")
        .all(conn)
        .await
}

/// Returns the groups an account is in.
///
/// # Errors
/// When the database is away.
pub async fn groups_of(conn: &mut Conn, user: i64) -> Result<Vec<i64>> {
    let rows: Vec<(i64,)> =
        sql("SELECT group_id FROM group_member WHERE account_id = $1 ORDER BY group_id")
            .bind(user)
            .all(conn)
            .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Puts an account into these groups and no others.
///
/// # Errors
/// When a group is not there, or the database is away.
pub async fn set_groups(tx: &mut Tx, user: i64, groups: &[i64]) -> Result<()> {
    sql("DELETE FROM group_member WHERE account_id = $1")
        .bind(user)
        .run(tx)
        .await?;
    for group in groups {
        add_member(tx, *group, user).await?;
    }
    Ok(())
}

/// Returns who is in a group: id and login name.
///
/// # Errors
/// When the database is away.
pub async fn members(conn: &mut Conn, group: i64) -> Result<Vec<(i64, String)>> {
    sql(
        "SELECT a.id, a.username FROM group_member m JOIN account a ON a.id = m.account_id \
         WHERE m.group_id = $1 ORDER BY a.username LIMIT 1000",
    )
    .bind(group)
    .all(conn)
    .await
}

/// Puts an account into a group.
///
/// # Errors
/// When one of them is not there, or the database is away.
pub async fn add_member(tx: &mut Tx, group: i64, user: i64) -> Result<()> {
    sql("INSERT INTO group_member (group_id, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(group)
        .bind(user)
        .run(tx)
        .await?;
    Ok(())
}

/// Takes an account out of a group.
///
/// # Errors
/// When the database is away.
pub async fn remove_member(tx: &mut Tx, group: i64, user: i64) -> Result<()> {
    sql("DELETE FROM group_member WHERE group_id = $1 AND account_id = $2")
        .bind(group)
        .bind(user)
        .run(tx)
        .await?;
    Ok(())
}
