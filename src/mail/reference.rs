//! Message ids: a mail's own and those it answers (`mail.md §7`).

use std::collections::HashSet;

use super::Invalid;
use super::header::Block;
use crate::domain::MessageId;

/// How many references are followed; threads of honest mail stay far below.
const MAX_REFERENCES: usize = 1000;

/// Returns the id of a mail.
///
/// The one place that decides what a mail without an id is called: today it is refused.
pub fn message_id(block: &Block) -> Result<MessageId, Invalid> {
    let text = block
        .text("Message-Id")
        .ok_or(Invalid::MissingHeader("Message-Id"))?;
    id_of(&text).ok_or(Invalid::EmptyHeader("Message-Id"))
}

/// Returns the ids a mail answers, the nearest first: `In-Reply-To`, then `References` backwards.
pub fn references(block: &Block) -> Vec<MessageId> {
    let parents = block
        .all("In-Reply-To")
        .filter_map(|field| id_of(&field.text()));
    let ancestors = block.all("References").flat_map(|field| {
        let mut ids: Vec<_> = bracketed(&field.text()).map(MessageId::new).collect();
        ids.reverse();
        ids
    });
    let mut seen = HashSet::new();
    parents
        .chain(ancestors)
        .filter(|id| seen.insert(id.clone()))
        .take(MAX_REFERENCES)
        .collect()
}

/// Returns the first id in angle brackets, or the whole text if there is none.
pub fn id_of(text: &str) -> Option<MessageId> {
    if text.is_empty() {
        return None;
    }
    Some(MessageId::new(bracketed(text).next().unwrap_or(text)))
}

/// Returns every `<…>` in `text`, brackets included; `<>` is none.
pub fn bracketed(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find('<')?;
            let length = rest[start..].find('>')?;
            let found = &rest[start..=start + length];
            rest = &rest[start + if length == 1 { 1 } else { length + 1 }..];
            if length > 1 {
                return Some(found);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn ids_are_found_as_the_table_says() {
        let table: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/mail/reference.json"))
                .expect("valid table");
        for case in table {
            let block = Block::split(case["headers"].as_str().expect("headers").as_bytes());
            let found: Vec<_> = references(&block).iter().map(ToString::to_string).collect();
            assert_eq!(serde_json::json!(found), case["references"], "{case}");
            if let Some(id) = case.get("id") {
                let own = message_id(&block).ok().map(|id| id.to_string());
                assert_eq!(serde_json::json!(own), *id, "{case}");
            }
        }
    }

    #[test]
    fn a_long_id_is_cut_everywhere() {
        let long = format!("<{}@example.org>", "a".repeat(300));
        let mail = format!("Message-Id: {long}\nIn-Reply-To: {long}\nReferences: {long}\n\n");
        let block = Block::split(mail.as_bytes());
        assert_eq!(references(&block), [message_id(&block).expect("an id")]);
    }
}
