//! The frame around every page: head, bar, tabs, footer.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    assets, field,
    guard::{Theme, View},
};
use crate::domain::{link::Links, notice::Kind, project::Project};

/// Which of a project's tabs is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// The list of patches, and single ones.
    Patches,
    /// The reader's bundles of the project, and anybody's.
    Bundles,
    /// About the project.
    About,
}

/// What a page says of itself to the frame.
pub struct Frame<'a> {
    /// The title of the window, without the site's name.
    pub title: &'a str,
    /// The project it belongs to.
    pub project: Option<(&'a Project, Tab)>,
    /// Whether the bar has a search field; lists and the search have their own.
    pub search: bool,
    /// Where it is told what has happened since the page was drawn, if anything is.
    pub news: Option<String>,
}

impl<'a> Frame<'a> {
    /// A page of the site, not of a project.
    pub fn site(title: &'a str) -> Self {
        Frame {
            title,
            project: None,
            search: true,
            news: None,
        }
    }

    /// A page of a project.
    pub fn project(title: &'a str, project: &'a Project, tab: Tab) -> Self {
        Frame {
            title,
            project: Some((project, tab)),
            search: true,
            news: None,
        }
    }

    /// Has the page look for news at an address.
    pub fn with_news(self, address: String) -> Self {
        Frame {
            news: Some(address),
            ..self
        }
    }
}

/// Draws a whole page.
pub fn page(view: &View, frame: &Frame, main: Markup) -> Markup {
    let bar = html! {
        @match frame.project {
            Some((project, tab)) => (tabs(view, project, tab, frame.search)),
            None => @if frame.search { (find(view, None)) },
        }
    };
    whole(view, frame, bar, main, true)
}

/// Draws a whole page without scripts and without anything read from the database.
pub fn bare(view: &View, title: &str, main: Markup) -> Markup {
    whole(view, &Frame::site(title), html! {}, main, false)
}

fn whole(view: &View, frame: &Frame, bar: Markup, main: Markup, scripts: bool) -> Markup {
    let (links, name, title) = (view.links(), &view.options().site_name, frame.title);
    let theme = view.theme.map(|theme| match theme {
        Theme::Light => "light",
        Theme::Dark => "dark",
    });
    html! {
        (DOCTYPE)
        html lang="en" data-theme=[theme] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) @if title != name { " · " (name) } }
                link rel="stylesheet" href=(links.asset(assets::name("patchwork.css")));
                link rel="icon" href=(*assets::ICON_ADDRESS);
                @if scripts { (self::scripts(view)) }
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.bar {
                    (brand(links, name))
                    (bar)
                    (account(view))
                }
                main #main tabindex="-1" data-news=[&frame.news] { (notices(view)) (main) }
                footer {
                    a href=(links.about()) { "About this site" }
                    @if view.user().is_none() {
                        @if view.options().registration { a href=(links.register()) { "Register" } }
                        a href=(links.mail()) { "Mail settings" }
                    }
                    span { "Patchwork " (env!("CARGO_PKG_VERSION")) }
                    @if scripts {
                        button.keys type="button" data-key="?" hidden { "Keys" }
                        button.theme type="button" hidden { "Theme: auto" }
                    }
                }
                div.notices role="status" aria-live="polite" {}
            }
        }
    }
}

/// What every bar begins with.
pub fn brand(links: &Links, site_name: &str) -> Markup {
    html! { a.brand href=(links.home()) { (PreEscaped(MARK)) span { (site_name) } } }
}

/// Who is logged in, and what is theirs.
fn account(view: &View) -> Markup {
    let links = view.links();
    let Some(user) = view.user() else {
        return html! { a.login href=(view.login_here()) { "Log in" } };
    };
    html! {
        @if view.todo() > 0 {
            a.todo-count href=(links.user_page("todo/")) title="Patches that wait for you" {
                (view.todo()) span.vh { " patches wait for you" }
            }
        }
        details.menu {
            summary { (user.username) }
            ul {
                li { a href=(links.user_page("todo/?all=1")) data-go="t" { "Waiting for me" } }
                li { a href=(links.user_page("bundles/")) data-go="b" { "Bundles" } }
                li { a href=(links.user()) data-go="p" { "Profile" } }
                @if user.is_staff { li { a href=(links.admin("")) { "Administration" } } }
                li {
                    form method="post" action=(links.logout()) {
                        (view.csrf())
                        button type="submit" { "Log out" }
                    }
                }
            }
        }
    }
}

/// What the action before this page has done, with a way to take it back.
pub fn notices(view: &View) -> Markup {
    html! {
        div #notices role="status" aria-live="polite" hx-swap-oob=[view.fragment.map(|_| "true")] {
            @for notice in view.notices() {
                div.notice.failed[notice.kind == Kind::Failed] {
                    p { (notice.text) }
                    @if let Some(undo) = notice.undo {
                        (field::button(view, &view.links().undo(undo), "Undo", &[("next", &view.here())]))
                    }
                }
            }
        }
    }
}

const MARK: &str = r#"<svg viewBox="0 0 16 16" aria-hidden="true"><rect x="1" y="1" width="14" height="14" rx="3"/><path d="M5 8h6M8 5v6"/></svg>"#;

fn scripts(view: &View) -> Markup {
    let links = view.links();
    html! {
        meta name="htmx-config" content=(r#"{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"historyCacheSize":4,"scrollIntoViewOnBoost":false,"responseHandling":[{"code":"204","swap":false},{"code":"[23]..","swap":true},{"code":"422","swap":true},{"code":"[45]..","swap":false,"error":true}]}"#);
        script defer src=(links.asset(assets::name("htmx-2.0.11.min.js"))) {}
        script defer src=(links.asset(assets::name("patchwork.js"))) data-cookie-path=(links.home()) {}
    }
}

fn tabs(view: &View, project: &Project, open: Tab, search: bool) -> Markup {
    let links = view.links();
    let list = links.list(&project.linkname);
    html! {
        span.sep aria-hidden="true" { "/" }
        a.project href=(list) title=(project.name) { (project.linkname) }
        nav.tabs aria-label="Project" {
            a href=(list) data-go="q" aria-current=[current(open, Tab::Patches)] { "Patches" }
            @if view.user().is_some() {
                a href=(links.project_bundles(&project.linkname)) aria-current=[current(open, Tab::Bundles)] { "Bundles" }
            }
            a href=(links.project(&project.linkname)) data-go="s" aria-current=[current(open, Tab::About)] { "About" }
        }
        @if search { (find(view, Some(project))) }
    }
}

/// The search field of the bar: in the project of the page, else in all.
fn find(view: &View, project: Option<&Project>) -> Markup {
    let (label, hint) = match project {
        Some(_) => ("Search the mails of this project", "Search this project"),
        None => ("Search all mails", "Search"),
    };
    html! {
        form.find role="search" aria-label=(label) action=(view.links().search()) {
            @if let Some(project) = project { input type="hidden" name="project" value=(project.linkname); }
            input type="search" name="q" aria-label=(label) placeholder=(hint) data-key="/";
        }
    }
}

fn current(open: Tab, tab: Tab) -> Option<&'static str> {
    (open == tab).then_some("page")
}
