//! People: several become one.

use crate::{
    domain::{PersonId, UserId},
    store::{Conn, Result, Tx, sql},
};

/// Makes people one: what they sent becomes the survivor's, and mail from their addresses will be, too.
///
/// # Errors
/// When one of them is not there, or the database is away.
pub async fn merge_people(tx: &mut Tx, from: PersonId, into: PersonId) -> Result<()> {
    let (email, account): (String, Option<UserId>) =
        sql("SELECT email, account_id FROM person WHERE id = $1")
            .bind(from)
            .one(tx)
            .await?;
    for statement in [
        "UPDATE patch SET submitter_id = $2 WHERE submitter_id = $1",
        "UPDATE cover SET submitter_id = $2 WHERE submitter_id = $1",
        "UPDATE comment SET submitter_id = $2 WHERE submitter_id = $1",
        "UPDATE series SET submitter_id = $2 WHERE submitter_id = $1",
        "UPDATE person_alias SET person_id = $2 WHERE person_id = $1",
    ] {
        sql(statement).bind(from).bind(into).run(tx).await?;
    }
    sql("UPDATE person SET account_id = $2 WHERE id = $1 AND account_id IS NULL")
        .bind(into)
        .bind(account)
        .run(tx)
        .await?;
    sql("DELETE FROM person WHERE id = $1")
        .bind(from)
        .run(tx)
        .await?;
    sql(
        "INSERT INTO person_alias (email, person_id) VALUES (lower($1), $2) \
         ON CONFLICT (email) DO UPDATE SET person_id = excluded.person_id",
    )
    .bind(email)
    .bind(into)
    .run(tx)
    .await?;
    Ok(())
}

/// Returns the addresses that lead to a person besides their own.
///
/// # Errors
/// When the database is away.
pub async fn aliases(conn: &mut Conn, person: PersonId) -> Result<Vec<String>> {
    let rows: Vec<(String,)> =
        sql("SELECT email FROM person_alias WHERE person_id = $1 ORDER BY email")
            .bind(person)
            .all(conn)
            .await?;
    Ok(rows.into_iter().map(|(email,)| email).collect())
}
