//! The first page of the console: what is left to be set up, what waits, what one did last.

use maud::{Markup, html};

use super::{
    super::{Db, answer::Answer, error::Result, guard::View, parts},
    access::Access,
    address, framed,
    model::ALL,
};
use crate::domain::site::{SAMPLE_DOMAIN, is_at};
use crate::store::{
    admin::overview::{self, Overview},
    audit::{self, Action, Entry},
};

/// One thing to be set up.
struct Task {
    is_done: bool,
    text: &'static str,
    how: Markup,
}

/// Draws the first page.
pub async fn page(view: &View<'_>, db: &mut Db<'_>, access: &Access) -> Result<Answer> {
    let latest = audit::latest(db, access.user.id, 10).await?;
    // What the site as a whole is like is told to those who may change it.
    let overview = match access.console.everything {
        true => Some(overview::overview(db).await?),
        false => None,
    };
    let is_empty = access.models().next().is_none();
    let main = html! {
        header.heading { h1 { "Administration" } }
        @if is_empty {
            p.about { "Your account is staff, but was given no permissions yet. A superuser can give it some." }
        }
        @if let Some(overview) = &overview {
            @if overview.domain.as_deref() == Some(SAMPLE_DOMAIN) {
                p.banner.warning { "The domain of this site is still example.com; it stands in mails and in settings for clients. "
                    a href=(view.links().admin("sites/site/1/change/")) { "Set it" } }
            }
            (site_banner(view, overview))
            (tasks(view, access, overview))
            (counts(view, overview))
        }
        section.more {
            h2 { "What you did last" }
            @if latest.is_empty() { p.muted { "Nothing yet." } }
            ul.members { @for entry in &latest { (row(view, entry)) } }
        }
    };
    Ok(Answer::Page(framed(view, access, "Dashboard", None, main)))
}

/// Tells where settings and database name different hosts: the settings count.
fn site_banner(view: &View, overview: &Overview) -> Markup {
    let url = view.options().site_url.as_deref();
    let domain = overview
        .domain
        .as_deref()
        .filter(|domain| *domain != SAMPLE_DOMAIN);
    html! {
        @if let (Some(url), Some(domain)) = (url, domain) {
            @if !is_at(url, domain) {
                p.banner.warning { "Mails and clients are told " code { (url) } ", as the setting " code { "site.url" }
                    " says; the domain of this site is " code { (domain) } " here. "
                    a href=(view.links().admin("sites/site/1/change/")) { "Look at it" } }
            }
        }
    }
}

fn tasks(view: &View, access: &Access, overview: &Overview) -> Markup {
    let links = view.links();
    let link = |below: &str, text: &str| html! { a href=(links.admin(below)) { (text) } };
    let day = access.now.plus_minutes(-24 * 60);
    let half_an_hour = access.now.plus_minutes(-30);
    let week = access.now.plus_minutes(-7 * 24 * 60);
    let tasks = [
        Task {
            is_done: overview
                .domain
                .as_deref()
                .is_some_and(|domain| domain != SAMPLE_DOMAIN),
            text: "The site has its domain",
            how: link("sites/site/1/change/", "Set it"),
        },
        Task {
            is_done: overview.reachable > 0,
            text: "A superuser has a mail address",
            how: link("auth/user/?superuser=1", "See the superusers"),
        },
        Task {
            is_done: overview.projects > 0,
            text: "There is a project",
            how: link("patchwork/project/add/", "Add one"),
        },
        Task {
            is_done: overview.initial_states == 1,
            text: "New patches get a state: one has ordering 0",
            how: link("patchwork/state/", "See the states"),
        },
        Task {
            is_done: overview.last_mail.is_some_and(|at| at > day),
            text: "Mail came within a day",
            how: html! {
                @match overview.last_mail { Some(at) => { "The last came " (parts::moment(at)) ". " }, None => "None ever came. " }
                (link("patchwork/mail/", "See what came"))
            },
        },
        Task {
            is_done: overview.last_cron.is_some_and(|at| at > half_an_hour),
            text: "patchwork cron ran within half an hour",
            how: html! {
                @match overview.last_cron { Some(at) => { "It last ran " (parts::moment(at)) ". " }, None => "It never ran. " }
                "It is to be run every few minutes: "
                code { "patchwork cron" }
            },
        },
        Task {
            is_done: overview.failed == 0
                && overview.waits_since.is_none_or(|at| at > half_an_hour),
            text: "Outgoing mail leaves: nothing waits long, nothing was given up",
            how: html! {
                (link("patchwork/outbox/", "See what waits")) ", "
                (link("patchwork/outbox/?failed=1", "see what was given up"))
            },
        },
        Task {
            is_done: overview.last_backup.is_some_and(|at| at > week),
            text: "A backup was made within a week",
            how: html! {
                @match overview.last_backup { Some(at) => { "The last is from " (parts::moment(at)) "." }, None => "None is known of." }
            },
        },
        Task {
            is_done: overview.quarantine == 0,
            text: "Every mail could be taken in",
            how: link("patchwork/quarantine/", "See what could not"),
        },
    ];
    let open = tasks.iter().filter(|task| !task.is_done).count();
    html! {
        section.more {
            h2 { @if open == 0 { "Everything is set up" } @else { "To do" } }
            ul.tasks { @for task in &tasks {
                li.done[task.is_done] {
                    span aria-hidden="true" { @if task.is_done { "✓" } @else { "○" } }
                    span { span.vh { @if task.is_done { "done: " } @else { "open: " } } (task.text)
                        @if !task.is_done { ". " (task.how) } }
                }
            } }
        }
    }
}

fn counts(view: &View, overview: &Overview) -> Markup {
    let links = view.links();
    let more = |count: i64| {
        if count > 10_000 {
            "10 000+".to_owned()
        } else {
            count.to_string()
        }
    };
    let counts = [
        (
            "Projects",
            "patchwork/project/",
            overview.projects.to_string(),
        ),
        ("Patches", "patchwork/patch/", overview.patches.to_string()),
        ("Series", "patchwork/series/", overview.series.to_string()),
        ("People", "patchwork/person/", more(overview.people)),
        ("Users", "auth/user/", overview.accounts.to_string()),
        (
            "Mails to leave",
            "patchwork/outbox/",
            overview.outgoing.to_string(),
        ),
        ("Jobs", "patchwork/job/", overview.jobs.to_string()),
        (
            "In quarantine",
            "patchwork/quarantine/",
            overview.quarantine.to_string(),
        ),
    ];
    html! {
        section.more {
            h2 { "Numbers" }
            dl.numbers { @for (label, below, count) in counts {
                div { dt { (label) } dd { a href=(links.admin(below)) { (count) } } }
            } }
        }
    }
}

fn row(view: &View, entry: &Entry) -> Markup {
    let model = ALL.iter().find(|model| model.logged_as() == entry.model);
    html! {
        li {
            span {
                (Action::word(entry.action)) " "
                @if let Some(model) = model { (model.one.to_lowercase()) " " }
                @match model {
                    Some(model) if entry.action != 3 && !entry.object_id.is_empty() => a href=(address(view, model, &entry.object_id, "change")) { (entry.object) },
                    _ => (entry.object),
                }
            }
            span.muted { (parts::moment(entry.date)) }
        }
    }
}
