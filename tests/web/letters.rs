//! Mails that pages cause, as they wait in the outbox.

use patchwork::store::{Db, sql};

/// A mail that waits.
#[derive(Debug, sqlx::FromRow)]
pub struct Mail {
    pub sender: String,
    pub recipient: String,
    pub subject: String,
    pub headers: String,
    pub content: String,
}

impl Mail {
    /// The path of the link in it that begins like this.
    pub fn path(&self, begin: &str) -> String {
        let at = self.content.find(begin);
        let rest = &self.content[at.unwrap_or_else(|| panic!("no {begin} in {}", self.content))..];
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let path = rest[..end].splitn(4, '/').nth(3);
        format!("/{}", path.unwrap_or_default())
    }
}

/// Returns all mails that wait, the oldest first.
pub async fn all(db: &Db) -> Vec<Mail> {
    let mut conn = db.reader().await.expect("a reader");
    sql("SELECT sender, recipient, subject, headers, content FROM outbox ORDER BY id")
        .all(&mut conn)
        .await
        .expect("mails")
}

/// Returns the newest mail.
pub async fn last(db: &Db) -> Mail {
    let mail = all(db).await.pop().expect("a mail");
    assert!(mail.sender.contains('@'), "{mail:?}");
    mail
}

/// Makes all links older.
pub async fn age(db: &Db, days: i64) {
    let mut tx = db.begin().await.expect("a transaction");
    let rows: Vec<(i64, patchwork::domain::Timestamp)> =
        sql("SELECT id, date FROM email_confirmation")
            .all(&mut tx)
            .await
            .expect("links");
    for (id, date) in rows {
        sql("UPDATE email_confirmation SET date = $2 WHERE id = $1")
            .bind(id)
            .bind(date.plus_minutes(-days * 24 * 60))
            .run(&mut tx)
            .await
            .expect("a change");
    }
    tx.commit().await.expect("a commit");
}

/// Counts rows: `SELECT count(*) …`.
pub async fn count(db: &Db, query: &'static str) -> i64 {
    let mut conn = db.reader().await.expect("a reader");
    sql(query)
        .one::<(i64,)>(&mut conn)
        .await
        .expect("a number")
        .0
}

/// Changes rows.
pub async fn run(db: &Db, statement: &'static str) {
    let mut tx = db.begin().await.expect("a transaction");
    sql(statement).run(&mut tx).await.expect("a change");
    tx.commit().await.expect("a commit");
}
