//! What `q` asks of patches, cover letters, series and events.

use super::{
    endpoint::What,
    error::{Problem, Result},
    request::Cx,
};
use crate::{
    domain::{
        PersonId,
        search::{Fault, Query},
    },
    store::{
        self, Conn,
        search::{Asked, Ground},
    },
};

/// Says whether `q` of a list is in the language of searches, where no version is in the address.
pub fn is_asked_in_language(what: What) -> bool {
    matches!(
        what,
        What::Patches | What::Covers | What::AllSeries | What::Events
    )
}

/// Returns the words that a name has to have, and what else `q` asks.
///
/// # Errors
/// When `q` says nothing that can be understood, or the database is away.
pub async fn sought(cx: &Cx<'_>, conn: &mut Conn) -> Result<(Vec<String>, Option<Asked>)> {
    // Compatibility: with a version in the address, words are what they have been.
    let words = match cx.is_versioned {
        true => cx.query.words(),
        false => Vec::new(),
    };
    Ok((words, asked(cx, conn).await?))
}

/// Returns what `q` asks in the language of searches. Commas separate words, as they always have.
///
/// # Errors
/// When `q` says nothing that can be understood, or the database is away.
pub async fn asked(cx: &Cx<'_>, conn: &mut Conn) -> Result<Option<Asked>> {
    if cx.is_versioned {
        return Ok(None);
    }
    let Some(text) = cx.query.last("q").map(without_commas) else {
        return Ok(None);
    };
    let malformed = |fault: Fault| {
        let before = text.get(..fault.at.start).unwrap_or_default();
        let wrong = text.get(fault.at.clone()).unwrap_or_default();
        let place = before.chars().count() + 1;
        Problem::Malformed(format!(
            "q: {} It is “{wrong}” at character {place}.",
            fault.why
        ))
    };
    let query = Query::parse(&text).map_err(malformed)?;
    let reader = cx.caller.as_ref().map(|caller| caller.user.id);
    let own = match reader {
        Some(user) => store::person::of_user(conn, user).await?,
        None => Vec::new(),
    };
    let own: Vec<PersonId> = own.into_iter().map(|person| person.id).collect();
    let ground = Ground {
        states: &store::state::vocabulary(conn).await?.states,
        projects: &store::search::projects(conn).await?,
        reader,
        own: &own,
    };
    Ok(Some(Asked::of(&query, &ground).map_err(malformed)?))
}

/// Puts blanks in place of commas that are not in quotation marks.
fn without_commas(text: &str) -> String {
    let mut is_quoted = false;
    let plain = text.chars().map(|c| {
        is_quoted ^= c == '"';
        if c == ',' && !is_quoted { ' ' } else { c }
    });
    plain.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_separate() {
        assert_eq!(without_commas("a,b \"c,d\",e"), "a b \"c,d\" e");
    }
}
