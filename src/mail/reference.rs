//! Message ids: a mail's own and those it answers (`mail.md §7`).

use std::collections::HashSet;

use super::header::Block;
use super::limits::{Beyond, Limit, Limits};
use super::space::is_space;
use crate::domain::MessageId;

/// Returns the id a mail brings along; none if it has none, or one by which no mail could be named.
pub fn message_id(block: &Block) -> Option<MessageId> {
    id_of(&block.text("Message-Id")?)
}

/// Returns the ids a mail answers, the nearest first: `In-Reply-To`, then `References` backwards.
pub fn references(block: &Block, limits: &Limits) -> Result<Vec<MessageId>, Beyond> {
    let parents = block
        .all("In-Reply-To")
        .filter_map(|field| id_of(&field.text()));
    let ancestors = block.all("References").flat_map(|field| {
        let mut ids: Vec<_> = bracketed(&field.text()).map(MessageId::new).collect();
        ids.reverse();
        ids
    });
    let mut seen = HashSet::new();
    let mut ids = Vec::new();
    for id in parents.chain(ancestors) {
        if seen.insert(id.clone()) {
            ids.push(id);
            limits.check(Limit::References, ids.len())?;
        }
    }
    Ok(ids)
}

/// Returns the first id in angle brackets, or the whole text if there is none.
///
/// Brackets around nothing are no id, nor is an encoded word that cannot be read: many mails would
/// share it.
pub fn id_of(text: &str) -> Option<MessageId> {
    let whole = Some(text).filter(|text| !text.starts_with("=?"));
    let id = bracketed(text).find(|id| names_something(id)).or(whole)?;
    names_something(id).then(|| MessageId::new(id))
}

/// Tells whether an id holds more than brackets, blanks and control characters.
fn names_something(id: &str) -> bool {
    id.contains(|c: char| !matches!(c, '<' | '>') && !is_space(c) && !c.is_control())
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
            let found: Vec<_> = references(&block, &Limits::default())
                .expect("few")
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(serde_json::json!(found), case["references"], "{case}");
            if let Some(id) = case.get("id") {
                let own = message_id(&block).map(|id| id.to_string());
                assert_eq!(serde_json::json!(own), *id, "{case}");
            }
        }
    }

    #[test]
    fn a_long_id_is_cut_everywhere() {
        let long = format!("<{}@example.org>", "a".repeat(300));
        let mail = format!("Message-Id: {long}\nIn-Reply-To: {long}\nReferences: {long}\n\n");
        let block = Block::split(mail.as_bytes());
        let found = references(&block, &Limits::default());
        assert_eq!(found, Ok(vec![message_id(&block).expect("an id")]));
    }
}
