//! Who wrote a mail, also when the list put its own address into `From` (`mail.md §5`).

use super::Invalid;
use super::address::{Mailbox, split_list};
use super::header::Block;
use super::space::{is_space, printable, strip};
use super::word;
use crate::domain::id::cut;

/// The person a mail is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The name, empty or absent if the mail does not give one.
    pub name: Option<String>,
    /// The address, which has the form of one.
    pub email: String,
}

impl Author {
    fn new(name: Option<&str>, email: &str) -> Self {
        Author {
            name: name.map(|name| cut(name).to_owned()),
            email: cut(email).to_owned(),
        }
    }
}

/// Returns the author of a mail with this decoded `From`; `headers` is its stored block.
pub fn author(from: &str, headers: &str, list_email: &str) -> Result<Author, Invalid> {
    if from.is_empty() {
        return Err(Invalid::EmptyHeader("From"));
    }
    let sender = Mailbox::read(from);
    if !sender.is_usable() {
        return Err(Invalid::BadAuthor(cut(&printable(from)).to_owned()));
    }
    let written_by_list = is_same(&sender.address, list_email);
    let behind = written_by_list
        .then(|| behind_list(&sender, &Block::split(headers.as_bytes())))
        .flatten();
    Ok(behind.unwrap_or_else(|| Author::new(sender.name.as_deref(), &sender.address)))
}

/// Tells whether two addresses are the same but for case.
pub(super) fn is_same(address: &str, other: &str) -> bool {
    address.to_lowercase() == strip(other).to_lowercase()
}

/// Returns the person in whose place a list put itself because of DMARC.
fn behind_list(sender: &Mailbox, block: &Block) -> Option<Author> {
    let name = sender.name.as_deref().and_then(without_via);
    original_from(block, name).or_else(|| by_name(block, name?))
}

/// Returns the name in `name via list`, or none if it has no such form.
fn without_via(name: &str) -> Option<&str> {
    let (name, _) = name
        .rsplit_once(" via ")
        .or_else(|| Some((name.strip_suffix(" via")?, "")))?;
    let name = name.trim_matches(is_space).trim_matches('\'');
    (!name.is_empty()).then_some(name)
}

/// Google Groups keeps the original sender in a header of its own.
fn original_from(block: &Block, name: Option<&str>) -> Option<Author> {
    let original = Mailbox::read(&block.text("X-Original-From")?);
    original
        .is_usable()
        .then(|| Author::new(name, &original.address))
}

/// Mailman moves the original sender to `Reply-To` or `Cc`: the first of that name is taken.
fn by_name(block: &Block, name: &str) -> Option<Author> {
    ["Reply-To", "Cc"]
        .into_iter()
        .flat_map(|header| block.all(header))
        .flat_map(|field| split_list(field.value))
        .map(|entry| Mailbox::read(&word::decode(entry)))
        .find(|mailbox| mailbox.is_usable() && mailbox.plain_name().as_deref() == Some(name))
        .map(|mailbox| Author::new(Some(name), &mailbox.address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn authors_are_found_as_the_table_says() {
        let table: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/mail/author.json"))
                .expect("valid table");
        for case in table {
            let headers = case["headers"].as_str().expect("headers");
            let from = Block::split(headers.as_bytes())
                .text("From")
                .expect("a From");
            let found = match author(&from, headers, "dev@lists.example.org") {
                Ok(author) => json!([author.name, author.email]),
                Err(why) => json!(why.to_string()),
            };
            assert_eq!(found, case["author"], "{case}");
        }
    }
}
