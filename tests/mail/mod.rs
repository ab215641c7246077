//! What other programs make of our mails: git takes our mailboxes, and archives stay whole.

mod am;
pub mod git;
pub mod range_diff;
pub mod sample;

use patchwork::{
    domain::Timestamp,
    mail::{
        Message,
        render::{self, Submission},
    },
};

/// The address of the list in these tests.
pub const LIST: &str = "dev@lists.example.org";

/// Returns a mail as it would be handed out after having been stored, with replies of these contents.
pub fn handed_out(message: &Message, list: &str, responses: Vec<&str>) -> Vec<u8> {
    let author = message.author(list).expect("an author");
    render::mbox(&Submission {
        id: 1,
        date: message.date_or(Timestamp::from_seconds(0)),
        headers: &message.headers,
        content: &message.content.message,
        diff: message.content.diff.as_deref(),
        submitter_name: author.name.as_deref(),
        submitter_email: &author.email,
        delegate_email: None,
        list_email: list,
        responses,
    })
}
