//! Sends what waits in the outbox: each mail claimed, sent, deleted. What fails is tried again, ever later.

use std::time::Duration;

use super::{Letter, Mailer};
use crate::{
    domain::Timestamp,
    store::{self, Db, Result, outbox::Claimed},
};

/// How often a mail is tried: with [`FIRST_PAUSE`] and doubling, for three days and a half.
pub const MAX_TRIES: i64 = 10;

/// The minutes between the first try and the second.
const FIRST_PAUSE: i64 = 10;

/// How many mails in a row may fail before the rest is left for the next time: the way seems to be closed, and
/// each try may wait for a server's silence.
const MAX_IN_A_ROW: u32 = 5;

/// How long a claim holds at least; far longer than sending takes.
const SHORTEST_CLAIM: i64 = 10;

/// Sends everything that is due. `patience` is how long a mail server may take; what fails is told to `report`
/// with its recipient. Two may do this at once: no mail is claimed by both.
///
/// Who dies between sending a mail and deleting it makes it be sent once more, with the same message id, when
/// the claim is over.
///
/// # Errors
/// When the database is away; what is claimed then is due again later.
pub async fn send_due(
    db: &Db,
    mailer: &Mailer,
    patience: Duration,
    clock: impl Fn() -> Timestamp,
    mut report: impl FnMut(&str, &str),
) -> Result<()> {
    let minutes = i64::try_from(patience.as_secs() / 60).unwrap_or(i64::MAX / 4);
    let claim = SHORTEST_CLAIM.max(2 * minutes + 1);
    let begin = clock();
    let mut in_a_row = 0;
    while in_a_row < MAX_IN_A_ROW {
        let now = clock();
        let mut tx = db.begin().await?;
        // What failed since the beginning is due again no sooner than the next time.
        let claimed = store::outbox::claim(&mut tx, begin, now.plus_minutes(claim)).await?;
        tx.commit().await?;
        let Some(mail) = claimed else { break };
        match deliver(db, mailer, &mail, &clock).await? {
            None => in_a_row = 0,
            Some(error) => {
                report(&mail.recipient, &error);
                in_a_row += 1;
            }
        }
    }
    Ok(())
}

/// Sends a mail and removes it, or keeps it and returns why.
async fn deliver(
    db: &Db,
    mailer: &Mailer,
    mail: &Claimed,
    clock: impl Fn() -> Timestamp,
) -> Result<Option<String>> {
    let error = match mail.tries {
        ..=MAX_TRIES => mailer.send(&letter(mail, &label(mail))).await.err(),
        // Whoever tried it before never came back to say how it went.
        _ => Some(super::Error("its senders died of it".to_owned())),
    };
    let mut tx = db.begin().await?;
    let told = match error {
        None => {
            store::outbox::delete(&mut tx, mail.id).await?;
            None
        }
        Some(error) => {
            let next = (mail.tries < MAX_TRIES).then(|| clock().plus_minutes(pause(mail.tries)));
            let error = error.to_string();
            store::outbox::keep(&mut tx, mail.id, &error, next).await?;
            Some(match next {
                Some(next) => format!(
                    "{error} (try {} of {MAX_TRIES}, the next after {})",
                    mail.tries,
                    next.iso()
                ),
                None => format!(
                    "{error} (given up after {} tries)",
                    mail.tries.min(MAX_TRIES)
                ),
            })
        }
    };
    tx.commit().await?;
    Ok(told)
}

/// Returns the minutes to wait after so many tries.
fn pause(tries: i64) -> i64 {
    FIRST_PAUSE << (tries - 1).clamp(0, MAX_TRIES)
}

fn label(mail: &Claimed) -> String {
    format!("{}.{}.outbox", mail.created.0, mail.id)
}

fn letter<'a>(mail: &'a Claimed, label: &'a str) -> Letter<'a> {
    Letter {
        from: Some(&mail.sender),
        to: &mail.recipient,
        subject: &mail.subject,
        text: &mail.content,
        date: mail.created,
        headers: &mail.headers,
        label: Some(label),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double() {
        let pauses: Vec<i64> = (1..MAX_TRIES).map(pause).collect();
        assert_eq!(pauses[..4], [10, 20, 40, 80]);
        assert_eq!(pauses.iter().sum::<i64>(), 5110, "three days and a half");
    }
}
