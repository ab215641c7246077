//! Reads the stored mail of a patch once more, and says what would be stored otherwise today.

use super::Options;
use crate::{
    domain::{PatchId, ProjectId, tag::Counter},
    mail::{self, diff_hash},
    store::{self, Conn, Result, Tx, patch::reread::Texts},
};

/// Why a patch cannot be read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// Its mail was not kept.
    NoMail,
    /// Its mail gives no patch any more; why.
    Unfit(String),
}

/// What the mail of a patch says, and what is stored.
#[derive(Clone, Debug)]
pub struct Reread {
    /// The patch.
    pub patch: PatchId,
    /// What is stored.
    pub before: Texts,
    /// What its mail says.
    pub after: Texts,
}

/// A field that would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which one.
    pub field: &'static str,
    /// What is stored.
    pub before: String,
    /// What the mail says.
    pub after: String,
}

impl Reread {
    /// Returns what differs.
    pub fn differences(&self) -> Vec<Difference> {
        let (before, after) = (&self.before, &self.after);
        let some = |text: &Option<String>| text.clone().unwrap_or_default();
        [
            ("Name", before.name.clone(), after.name.clone()),
            ("Headers", before.headers.clone(), after.headers.clone()),
            ("Message", some(&before.content), some(&after.content)),
            ("Diff", some(&before.diff), some(&after.diff)),
            (
                "Where to pull it from",
                some(&before.pull_url),
                some(&after.pull_url),
            ),
            ("Hash of the diff", some(&before.hash), some(&after.hash)),
        ]
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(field, before, after)| Difference {
            field,
            before,
            after,
        })
        .collect()
    }
}

/// Reads the mail of a patch again, as intake did. Writes nothing.
///
/// # Errors
/// When the database is away, or there is no such patch. The inner error: it cannot be read again.
pub async fn of(
    conn: &mut Conn,
    patch: PatchId,
    options: &Options,
) -> Result<std::result::Result<Reread, Unread>> {
    let Some((before, project)) = store::patch::reread::texts(conn, patch).await? else {
        return Err(sqlx::Error::RowNotFound.into());
    };
    let Some(raw) = store::mail::of_patch(conn, patch).await? else {
        return Ok(Err(Unread::NoMail));
    };
    let linkname = linkname(conn, project).await?;
    Ok(read(&raw, &linkname, options).map(|after| Reread {
        patch,
        before,
        after,
    }))
}

async fn linkname(conn: &mut Conn, project: ProjectId) -> Result<String> {
    let project = store::project::by_id(conn, project).await?;
    Ok(project.map(|project| project.linkname).unwrap_or_default())
}

fn read(raw: &[u8], linkname: &str, options: &Options) -> std::result::Result<Texts, Unread> {
    let limits = mail::Limits {
        bytes: options.max_bytes,
        ..mail::Limits::default()
    };
    let unfit = |why: &dyn std::fmt::Display| Unread::Unfit(why.to_string());
    // A mail over which reading panics was set aside when it came, but rules change.
    let message = super::guard::contained(|| mail::read_within(raw, &limits))
        .map_err(|panic| unfit(&panic))?
        .map_err(|invalid| unfit(&invalid))?;
    if message.content.diff.is_none() && message.content.pull_url.is_none() {
        return Err(Unread::Unfit(
            "its mail has neither a diff nor something to pull".into(),
        ));
    }
    let hash = message.content.diff.as_deref().map(diff_hash);
    Ok(Texts {
        name: message.heading(linkname).name,
        headers: message.headers,
        content: Some(message.content.message),
        hash: hash.map(|hash| hash.as_str().to_owned()),
        diff: message.content.diff,
        pull_url: message.content.pull_url,
    })
}

/// Stores what the mail says, and counts the tags of the patch anew.
///
/// # Errors
/// When the database is away or refuses.
pub async fn apply(tx: &mut Tx, reread: &Reread) -> Result<()> {
    if reread.before == reread.after {
        return Ok(());
    }
    store::patch::reread::write(tx, reread.patch, &reread.after).await?;
    let counter = Counter::new(&store::tag::all(tx).await?);
    store::tag::recount(tx, &counter, &[reread.patch]).await
}
