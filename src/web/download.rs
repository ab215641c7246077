//! Things to save: diffs, mailboxes, mails as they were received (`web.md §7.5`).

use std::io::Cursor;

use rocket::{Request, Response, http::Status, response::Responder};

pub use crate::mailbox::patch_mail;
use crate::{
    domain::{comment::Comment, cover::Cover, patch::file_name, project::Project, series},
    mail::render::{self, Submission},
    mailbox,
    store::{bundle::Bundle, patch::Detail, patch::Reply, series::Sent},
};

/// A file to save.
pub struct File {
    kind: &'static str,
    name: String,
    bytes: Vec<u8>,
    /// Whether others would get something else, or nothing.
    is_private: bool,
}

impl File {
    /// A mail as it was received.
    pub fn mail(name: &str, bytes: Vec<u8>) -> File {
        File {
            kind: "message/rfc822",
            name: format!("{name}.eml"),
            bytes,
            is_private: false,
        }
    }

    /// The diff of a patch; of a pull request, nothing.
    pub fn diff(detail: &Detail) -> File {
        File {
            kind: "text/x-patch; charset=utf-8",
            name: format!("{}.diff", patch_name(detail)),
            bytes: detail.body.diff.clone().unwrap_or_default().into_bytes(),
            is_private: false,
        }
    }

    /// Patches as one mailbox, called after the last.
    pub fn patches(project: &Project, details: &[Detail], replies: &[Reply], name: &str) -> File {
        File::text(format!("{name}.patch"), mailbox(project, details, replies))
    }

    /// A series as one mailbox, its patches with the trailers of the replies to its cover letter, too.
    pub fn series(
        project: &Project,
        details: &[Detail],
        replies: &[Reply],
        to_cover: &[&str],
        name: &str,
    ) -> File {
        let mail = |detail| mailbox::series_mail(project, detail, replies, to_cover);
        let mails: Vec<Vec<u8>> = details.iter().map(mail).collect();
        File::text(format!("{name}.patch"), render::join(&mails))
    }

    /// The patches of a bundle as one mailbox.
    pub fn bundle(
        project: &Project,
        details: &[Detail],
        replies: &[Reply],
        bundle: &Bundle,
    ) -> File {
        let name = format!("bundle-{}-{}", bundle.id, bundle.name);
        let name = format!("{}.mbox", file_name(&name, "bundle"));
        File {
            is_private: !bundle.public,
            ..File::text(name, mailbox(project, details, replies))
        }
    }

    /// Two revisions compared, as text to read.
    pub fn comparison(name: &str, text: String) -> File {
        File::text(format!("{name}.txt"), text.into_bytes())
    }

    /// Settings of pwclient.
    pub fn pwclientrc(text: String) -> File {
        File {
            is_private: true,
            ..File::text(".pwclientrc".to_owned(), text.into_bytes())
        }
    }

    /// A table of the admin console.
    pub fn csv(name: &str, text: String) -> File {
        File {
            kind: "text/csv; charset=utf-8",
            name: format!("{name}.csv"),
            bytes: text.into_bytes(),
            is_private: true,
        }
    }

    fn text(name: String, bytes: Vec<u8>) -> File {
        File {
            kind: "text/plain; charset=utf-8",
            name,
            bytes,
            is_private: false,
        }
    }

    /// A cover letter as a mailbox.
    pub fn cover(project: &Project, cover: &Cover, comments: &[Comment]) -> File {
        let submission = Submission {
            id: cover.id.0,
            date: cover.date,
            headers: &cover.headers,
            content: cover.content.as_deref().unwrap_or_default(),
            diff: None,
            submitter_name: cover.submitter_name.as_deref(),
            submitter_email: &cover.submitter_email,
            delegate_email: None,
            list_email: &project.list_email,
            responses: comments
                .iter()
                .filter_map(|comment| comment.content.as_deref())
                .collect(),
        };
        File::text(
            format!("{}.mbox", cover_name(cover)),
            render::mbox(&submission),
        )
    }
}

/// Returns the file name of a patch, without extension.
pub fn patch_name(detail: &Detail) -> String {
    file_name(&detail.patch.name, &format!("patch-{}", detail.patch.id))
}

/// Returns the file name of a cover, without extension.
pub fn cover_name(cover: &Cover) -> String {
    file_name(&cover.name, &format!("cover-{}", cover.id))
}

/// Returns the file name of a series, without extension.
pub fn series_name(sent: &Sent) -> String {
    let name = series::shown(sent.series.name.as_deref(), sent.series.id);
    file_name(&name, &format!("series-{}", sent.series.id))
}

fn mailbox(project: &Project, details: &[Detail], replies: &[Reply]) -> Vec<u8> {
    let mail = |detail| patch_mail(project, detail, replies);
    render::join(&details.iter().map(mail).collect::<Vec<_>>())
}

impl<'r> Responder<'r, 'static> for File {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        let mut response = Response::build();
        if self.is_private {
            response.raw_header("Cache-Control", "private, max-age=0");
            response.raw_header("Vary", "Cookie, Authorization");
        }
        response
            .status(Status::Ok)
            .raw_header("Content-Type", self.kind)
            // Compatibility: clients take everything after `filename=`, so it is bare and last.
            .raw_header(
                "Content-Disposition",
                format!("attachment; filename={}", self.name),
            )
            .raw_header("Accept-Ranges", "none")
            .sized_body(self.bytes.len(), Cursor::new(self.bytes))
            .ok()
    }
}
