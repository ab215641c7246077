//! Stored patches as mails again, as every face hands them out.

use crate::{
    domain::{PatchId, Project},
    mail::render::{self, Submission},
    store::patch::{Detail, Reply},
};

/// Returns a patch as a mail in a mailbox, with the trailers of the replies to it.
pub fn patch_mail(project: &Project, detail: &Detail, replies: &[Reply]) -> Vec<u8> {
    series_mail(project, detail, replies, &[])
}

/// Returns a patch as a mail in the mailbox of its series, with the trailers of the replies to it, and after them those
/// of the replies to the cover letter.
pub fn series_mail(
    project: &Project,
    detail: &Detail,
    replies: &[Reply],
    to_cover: &[&str],
) -> Vec<u8> {
    let mut responses = to(replies, detail.patch.id);
    responses.extend(to_cover);
    render::mbox(&Submission {
        id: detail.patch.id.0,
        date: detail.patch.date,
        headers: &detail.body.headers,
        content: detail.body.content.as_deref().unwrap_or_default(),
        diff: detail.body.diff.as_deref(),
        submitter_name: detail.submitter_name.as_deref(),
        submitter_email: &detail.submitter_email,
        delegate_email: detail.delegate_email.as_deref(),
        list_email: &project.list_email,
        responses,
    })
}

fn to(replies: &[Reply], patch: PatchId) -> Vec<&str> {
    replies
        .iter()
        .filter(|reply| reply.patch_id == patch)
        .map(|reply| reply.content.as_str())
        .collect()
}
