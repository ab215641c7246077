//! Transactions that end in ways nobody asked for.

use patchwork::store::sql;

on_both! {
    /// A full disk makes SQLite roll back by itself; the next writer must not inherit that transaction.
    async fn one_that_the_database_ended_does_not_spoil_the_next(db: Db) {
        let mut tx = db.begin().await.expect("a transaction");
        sql("ROLLBACK").run(&mut tx).await.expect("an end that the driver does not know of");
        drop(tx);
        for name in ["first", "second"] {
            let mut tx = db.begin().await.expect("a transaction after that");
            sql("INSERT INTO email_optout (email) VALUES ($1)").bind(name).run(&mut tx).await.expect("a row");
            tx.commit().await.expect("a commit");
        }
        let mut conn = db.reader().await.expect("a reader");
        let (rows,): (i64,) = sql("SELECT count(*) FROM email_optout").one(&mut conn).await.expect("a count");
        assert_eq!(rows, 2);
    }
}
