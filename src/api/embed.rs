//! Things as they appear within others: never with anything within them (`rest.md §8.0`).

use std::sync::Arc;

use super::{
    field::{self, Field, Holds},
    json::Json,
    request::Cx,
    version::Version::{V1_1, V1_2, V1_3},
};
use crate::{
    domain::{
        CheckId, CommentId, MessageId, PatchId, PersonId, Project, Series, SeriesId, Timestamp,
        UserId, check::CheckState, user::User,
    },
    store::patch::search::Brief,
};

/// Somebody seen on a list.
pub struct PersonRef {
    /// The id.
    pub id: PersonId,
    /// The name last seen.
    pub name: Option<String>,
    /// The address.
    pub email: String,
}

/// Somebody with an account.
#[derive(Clone)]
pub struct UserRef {
    /// The id.
    pub id: UserId,
    /// The login name.
    pub username: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The address.
    pub email: String,
}

impl From<&User> for UserRef {
    fn from(user: &User) -> UserRef {
        UserRef {
            id: user.id,
            username: user.username.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            email: user.email.clone(),
        }
    }
}

/// A patch or a cover letter.
pub struct MailRef {
    /// The id.
    pub id: i64,
    /// Its project.
    pub project: Arc<Project>,
    /// The message id.
    pub msgid: MessageId,
    /// When it was written.
    pub date: Timestamp,
    /// The cleaned subject.
    pub name: String,
}

impl MailRef {
    /// A patch of this project.
    pub fn patch(brief: &Brief, project: &Arc<Project>) -> MailRef {
        MailRef {
            id: brief.id.0,
            project: project.clone(),
            msgid: brief.msgid.clone(),
            date: brief.date,
            name: brief.name.clone(),
        }
    }

    fn patch_path(&self, cx: &Cx<'_>) -> String {
        cx.site.links.patch(&self.project.linkname, &self.msgid)
    }

    fn cover_path(&self, cx: &Cx<'_>) -> String {
        cx.site.links.cover(&self.project.linkname, &self.msgid)
    }
}

/// A series.
pub struct SeriesRef {
    /// The id.
    pub id: SeriesId,
    /// Its project.
    pub project: Arc<Project>,
    /// The name, if one is known.
    pub name: Option<String>,
    /// When it was sent.
    pub date: Timestamp,
    /// The revision.
    pub version: i64,
}

impl SeriesRef {
    /// A series of this project.
    pub fn new(series: Series, project: &Arc<Project>) -> SeriesRef {
        SeriesRef {
            id: series.id,
            project: project.clone(),
            name: series.name,
            date: series.date,
            version: series.version,
        }
    }
}

/// A comment.
pub struct CommentRef {
    /// The id.
    pub id: CommentId,
    /// What it answers, as its address has it: `patches/1`.
    pub parent: String,
    /// The project of that.
    pub project: Arc<Project>,
    /// The message id.
    pub msgid: MessageId,
    /// When it was written.
    pub date: Timestamp,
}

/// A check.
pub struct CheckRef {
    /// The id.
    pub id: CheckId,
    /// The patch it judges.
    pub patch: PatchId,
    /// When it was reported.
    pub date: Timestamp,
    /// What was found.
    pub state: CheckState,
    /// Where to read more.
    pub target_url: Option<String>,
    /// What was checked.
    pub context: String,
}

/// The words of checks.
pub const CHECK_STATES: &[&str] = &["pending", "success", "warning", "fail"];

/// A project within something else.
pub const PROJECT: &[Field<Project>] = &[
    Field::<Project>::new("id", Holds::Int, |it, _, json| json.int(it.id.0)),
    Field::<Project>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &format!("projects/{}/", it.id));
    }),
    Field::<Project>::new("name", Holds::Text, |it, _, json| json.text(&it.name)),
    Field::<Project>::new("link_name", Holds::Text, |it, _, json| {
        json.text(&it.linkname)
    }),
    Field::<Project>::new("list_id", Holds::Text, |it, _, json| {
        json.text(it.list_id.as_str())
    }),
    Field::<Project>::new("list_email", Holds::Text, |it, _, json| {
        json.text(&it.list_email)
    }),
    Field::<Project>::new("web_url", Holds::Text, |it, _, json| json.text(&it.web_url)),
    Field::<Project>::new("scm_url", Holds::Text, |it, _, json| json.text(&it.scm_url)),
    Field::<Project>::new("webscm_url", Holds::Text, |it, _, json| {
        json.text(&it.webscm_url)
    }),
    Field::<Project>::new("list_archive_url", Holds::Text, |it, _, json| {
        json.text(&it.list_archive_url);
    })
    .since(V1_2),
    Field::<Project>::new("list_archive_url_format", Holds::Text, |it, _, json| {
        json.text(&it.list_archive_url_format);
    })
    .since(V1_2),
    Field::<Project>::new("commit_url_format", Holds::Text, |it, _, json| {
        json.text(&it.commit_url_format);
    })
    .since(V1_2),
];

/// Somebody seen on a list, within something else.
pub const PERSON: &[Field<PersonRef>] = &[
    Field::<PersonRef>::new("id", Holds::Int, |it, _, json| json.int(it.id.0)),
    Field::<PersonRef>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &format!("people/{}/", it.id));
    }),
    Field::<PersonRef>::new("name", Holds::OptionalText, |it, _, json| {
        json.optional(it.name.as_deref());
    }),
    Field::<PersonRef>::new("email", Holds::Text, |it, _, json| json.text(&it.email)),
];

/// Somebody with an account, within something else.
pub const USER: &[Field<UserRef>] = &[
    Field::<UserRef>::new("id", Holds::Int, |it, _, json| json.int(it.id.0)),
    Field::<UserRef>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &format!("users/{}/", it.id));
    }),
    Field::<UserRef>::new("username", Holds::Text, |it, _, json| {
        json.text(&it.username)
    }),
    Field::<UserRef>::new("first_name", Holds::Text, |it, _, json| {
        json.text(&it.first_name)
    }),
    Field::<UserRef>::new("last_name", Holds::Text, |it, _, json| {
        json.text(&it.last_name)
    }),
    Field::<UserRef>::new("email", Holds::Text, |it, _, json| json.text(&it.email)),
];

/// A patch within something else.
pub const PATCH: &[Field<MailRef>] = &[
    Field::<MailRef>::new("id", Holds::Int, |it, _, json| json.int(it.id)),
    Field::<MailRef>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &format!("patches/{}/", it.id));
    }),
    Field::<MailRef>::new("web_url", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&it.patch_path(cx)));
    })
    .since(V1_1),
    Field::<MailRef>::new("msgid", Holds::MessageId, |it, _, json| {
        json.text(it.msgid.as_str())
    }),
    Field::<MailRef>::new("list_archive_url", Holds::OptionalText, |it, _, json| {
        json.optional(it.project.archive_url(&it.msgid).as_deref());
    })
    .since(V1_2),
    Field::<MailRef>::new("date", Holds::Moment, |it, _, json| json.moment(it.date)),
    Field::<MailRef>::new("name", Holds::Text, |it, _, json| json.text(&it.name)),
    Field::<MailRef>::new("mbox", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&format!("{}mbox/", it.patch_path(cx))));
    }),
];

/// A cover letter within something else.
pub const COVER: &[Field<MailRef>] = &[
    Field::<MailRef>::new("id", Holds::Int, |it, _, json| json.int(it.id)),
    Field::<MailRef>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &format!("covers/{}/", it.id));
    }),
    Field::<MailRef>::new("web_url", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&it.cover_path(cx)));
    })
    .since(V1_1),
    Field::<MailRef>::new("msgid", Holds::MessageId, |it, _, json| {
        json.text(it.msgid.as_str())
    }),
    Field::<MailRef>::new("list_archive_url", Holds::OptionalText, |it, _, json| {
        json.optional(it.project.archive_url(&it.msgid).as_deref());
    })
    .since(V1_2),
    Field::<MailRef>::new("date", Holds::Moment, |it, _, json| json.moment(it.date)),
    Field::<MailRef>::new("name", Holds::Text, |it, _, json| json.text(&it.name)),
    Field::<MailRef>::new("mbox", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&format!("{}mbox/", it.cover_path(cx))));
    })
    .since(V1_1),
];

/// A series within something else.
pub const SERIES: &[Field<SeriesRef>] = &[
    Field::<SeriesRef>::new("id", Holds::Int, |it, _, json| json.int(it.id.0)),
    Field::<SeriesRef>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &format!("series/{}/", it.id));
    }),
    Field::<SeriesRef>::new("web_url", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&cx.site.links.series_list(&it.project.linkname, it.id)));
    })
    .since(V1_1),
    Field::<SeriesRef>::new("date", Holds::Moment, |it, _, json| json.moment(it.date)),
    Field::<SeriesRef>::new("name", Holds::OptionalText, |it, _, json| {
        json.optional(it.name.as_deref());
    }),
    Field::<SeriesRef>::new("version", Holds::Int, |it, _, json| json.int(it.version)),
    Field::<SeriesRef>::new("mbox", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&cx.site.links.series_mbox(it.id)));
    }),
];

/// A comment within an event.
pub const COMMENT: &[Field<CommentRef>] = &[
    Field::<CommentRef>::new("id", Holds::Int, |it, _, json| json.int(it.id.0)).since(V1_3),
    Field::<CommentRef>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &format!("{}/comments/{}/", it.parent, it.id));
    })
    .since(V1_3),
    Field::<CommentRef>::new("web_url", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&cx.site.links.comment(it.id)));
    })
    .since(V1_3),
    Field::<CommentRef>::new("msgid", Holds::MessageId, |it, _, json| {
        json.text(it.msgid.as_str())
    })
    .since(V1_3),
    Field::<CommentRef>::new("list_archive_url", Holds::OptionalText, |it, _, json| {
        json.optional(it.project.archive_url(&it.msgid).as_deref());
    })
    .since(V1_3),
    Field::<CommentRef>::new("date", Holds::Moment, |it, _, json| json.moment(it.date)).since(V1_3),
];

/// A check within an event.
pub const CHECK: &[Field<CheckRef>] = &[
    Field::<CheckRef>::new("id", Holds::Int, |it, _, json| json.int(it.id.0)),
    Field::<CheckRef>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &format!("patches/{}/checks/{}/", it.patch, it.id));
    }),
    Field::<CheckRef>::new("date", Holds::Moment, |it, _, json| json.moment(it.date)),
    Field::<CheckRef>::new("state", Holds::Word(CHECK_STATES), |it, _, json| {
        json.text(it.state.word());
    }),
    Field::<CheckRef>::new("target_url", Holds::OptionalText, |it, _, json| {
        json.optional(it.target_url.as_deref());
    }),
    Field::<CheckRef>::new("context", Holds::Text, |it, _, json| json.text(&it.context)),
];

/// Writes something, or `null`.
pub fn optional<T>(fields: &[Field<T>], thing: Option<&T>, cx: &Cx<'_>, json: &mut Json) {
    match thing {
        Some(thing) => field::write(fields, thing, true, cx, json),
        None => json.null(),
    }
}
