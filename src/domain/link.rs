//! Every address we generate: below the site's base path, encoded once, here.
//!
//! Not `uri!`: the base is a setting, and the double encoding of slashes in message ids is ours (`web.md §1.2`).

use super::{CommentId, CoverId, MessageId, PatchId, PersonId, SeriesId, review::Subject};

/// Makes addresses.
#[derive(Clone, Debug)]
pub struct Links {
    base: String,
}

impl Links {
    /// Takes the path below which the site lives, with or without slashes around it.
    pub fn new(base: &str) -> Self {
        let base = base.trim_matches('/');
        Links {
            base: if base.is_empty() {
                String::new()
            } else {
                format!("/{base}")
            },
        }
    }

    /// Returns the path below which the site lives, without a closing slash.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The list of projects.
    pub fn home(&self) -> String {
        format!("{}/", self.base)
    }

    /// What the site is.
    pub fn about(&self) -> String {
        format!("{}/about/", self.base)
    }

    /// A file of the program's own.
    pub fn asset(&self, name: &str) -> String {
        format!("{}/static/{name}", self.base)
    }

    /// About a project.
    pub fn project(&self, linkname: &str) -> String {
        format!("{}/project/{}/", self.base, encoded(linkname))
    }

    /// What maintainers set for their project.
    pub fn settings(&self, linkname: &str) -> String {
        format!("{}settings/", self.project(linkname))
    }

    /// A project's patches.
    pub fn list(&self, linkname: &str) -> String {
        format!("{}list/", self.project(linkname))
    }

    /// A patch.
    pub fn patch(&self, linkname: &str, msgid: &MessageId) -> String {
        format!("{}patch/{}/", self.project(linkname), msgid.url())
    }

    /// A cover letter.
    pub fn cover(&self, linkname: &str, msgid: &MessageId) -> String {
        format!("{}cover/{}/", self.project(linkname), msgid.url())
    }

    /// A series.
    pub fn series(&self, linkname: &str, id: SeriesId) -> String {
        format!("{}series/{id}/", self.project(linkname))
    }

    /// What changed from one series to another, as revisions.
    pub fn series_diff(&self, linkname: &str, old: SeriesId, new: SeriesId) -> String {
        format!("{}diff/{new}/", self.series(linkname, old))
    }

    /// What changed from one patch to another.
    pub fn patch_diff(&self, linkname: &str, old: &MessageId, new: &MessageId) -> String {
        format!("{}diff/{}/", self.patch(linkname, old), new.url())
    }

    /// A series as one mailbox.
    pub fn series_mbox(&self, id: SeriesId) -> String {
        format!("{}/series/{id}/mbox/", self.base)
    }

    /// A series as one mailbox, its patches with what was said of the cover letter.
    pub fn series_mbox_with_cover(&self, id: SeriesId) -> String {
        format!("{}?trailers=cover", self.series_mbox(id))
    }

    /// A submitter in a project.
    pub fn person(&self, linkname: &str, id: PersonId) -> String {
        format!("{}people/{id}/", self.project(linkname))
    }

    /// A patch by its number.
    pub fn patch_number(&self, id: PatchId) -> String {
        format!("{}/patch/{id}/", self.base)
    }

    /// A cover by its number.
    pub fn cover_number(&self, id: CoverId) -> String {
        format!("{}/cover/{id}/", self.base)
    }

    /// A series among the patches of its project: the address that scripts know.
    pub fn series_list(&self, linkname: &str, id: SeriesId) -> String {
        format!("{}list/?series={id}", self.project(linkname))
    }

    /// A bundle of a user.
    pub fn bundle(&self, owner: &str, name: &str) -> String {
        format!("{}/bundle/{}/{}/", self.base, encoded(owner), encoded(name))
    }

    /// Where to log in, and where to go on from there.
    pub fn login(&self, next: Option<&str>) -> String {
        match next {
            Some(next) => format!("{}/user/login/?next={}", self.base, next_value(next)),
            None => format!("{}/user/login/", self.base),
        }
    }

    /// Where to log out.
    pub fn logout(&self) -> String {
        format!("{}/user/logout/", self.base)
    }

    /// A user's own page.
    pub fn user(&self) -> String {
        format!("{}/user/", self.base)
    }

    /// A page below the user's own: `todo/`, `bundles/`, `link/` and so on.
    pub fn user_page(&self, below: &str) -> String {
        format!("{}/user/{below}", self.base)
    }

    /// Where to get an account.
    pub fn register(&self) -> String {
        format!("{}/register/", self.base)
    }

    /// Where a mailed key is answered.
    pub fn confirm(&self, key: &str) -> String {
        format!("{}/confirm/{key}/", self.base)
    }

    /// Whether an address may get mail.
    pub fn mail(&self) -> String {
        format!("{}/mail/", self.base)
    }

    /// The saved filters of a project's list.
    pub fn saved_filters(&self, linkname: &str) -> String {
        format!("{}filter/", self.project(linkname))
    }

    /// The search over all projects.
    pub fn search(&self) -> String {
        format!("{}/search/", self.base)
    }

    /// What came into a project's list of late; the query says which list.
    pub fn news_of_list(&self, linkname: &str) -> String {
        format!("{}/news/list/{}/", self.base, encoded(linkname))
    }

    /// What happened to a patch of late.
    pub fn news_of_patch(&self, id: PatchId) -> String {
        format!("{}/news/patch/{id}/", self.base)
    }

    /// What happened to a cover letter of late.
    pub fn news_of_cover(&self, id: CoverId) -> String {
        format!("{}/news/cover/{id}/", self.base)
    }

    /// What happened to a series of late.
    pub fn news_of_series(&self, id: SeriesId) -> String {
        format!("{}/news/series/{id}/", self.base)
    }

    /// What can be asked there.
    pub fn search_help(&self) -> String {
        format!("{}/search/help/", self.base)
    }

    /// A page of the admin console; empty for its first one.
    pub fn admin(&self, below: &str) -> String {
        format!("{}/admin/{below}", self.base)
    }

    /// A user's bundles in a project.
    pub fn project_bundles(&self, linkname: &str) -> String {
        format!("{}bundles/", self.project(linkname))
    }

    /// What waits for the user in a project.
    pub fn todo(&self, linkname: &str) -> String {
        format!("{}/user/todo/{}/", self.base, encoded(linkname))
    }

    /// Who may be meant by what somebody is typing, in a project.
    pub fn submitters(&self, linkname: &str) -> String {
        format!("{}/submitter/?project={}", self.base, encoded(linkname))
    }

    /// What takes an action back.
    pub fn undo(&self, id: i64) -> String {
        format!("{}/undo/{id}/", self.base)
    }

    /// What takes decisions back that events tell of.
    pub fn undo_decision(&self) -> String {
        format!("{}/undecide/", self.base)
    }

    /// Where somebody promises to review something.
    pub fn review(&self, subject: Subject) -> String {
        match subject {
            Subject::Patch(id) => format!("{}/review/patch/{id}/", self.base),
            Subject::Series(id) => format!("{}/review/series/{id}/", self.base),
        }
    }

    /// Where such a promise is ended.
    pub fn end_review(&self, id: i64) -> String {
        format!("{}/review/end/{id}/", self.base)
    }

    /// A comment, wherever its page is.
    pub fn comment(&self, id: CommentId) -> String {
        format!("{}/comment/{id}/", self.base)
    }
}

/// How addresses of the site begin that are to work elsewhere: scheme and host.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outside<'a> {
    /// What a setting says; it counts before all else.
    pub site_url: Option<&'a str>,
    /// Whether a setting says that it is `https`.
    pub force_https: bool,
    /// The scheme of the request, as the front server tells it.
    pub scheme: Option<&'a str>,
    /// The host of the request.
    pub host: Option<&'a str>,
}

impl Outside<'_> {
    /// Returns scheme and host; empty when neither a setting nor the request names a host.
    pub fn origin(&self) -> String {
        match self.site_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => self.asked(),
        }
    }

    /// Returns scheme and host as the request names them.
    pub fn asked(&self) -> String {
        let is_https = self.force_https || self.scheme == Some("https");
        let scheme = if is_https { "https" } else { "http" };
        self.host
            .map_or_else(String::new, |host| format!("{scheme}://{host}"))
    }
}

/// Returns an address with the slash that closes every path of ours; the query stays as it is, byte for byte.
pub fn slashed(path: &str, query: Option<&str>) -> String {
    // `//host/…` would lead to another site.
    let path = path.trim_start_matches('/');
    match query {
        Some(query) => format!("/{path}/?{query}"),
        None => format!("/{path}/"),
    }
}

/// Returns a path of ours as the value of `next`: slashes stay readable, as scripts know it.
fn next_value(path: &str) -> String {
    encoded(path).replace("%2F", "/")
}

/// Says whether an address leads to a page of the same site: a path, and not `//host` or `/\\host`.
pub fn is_own_path(address: &str) -> bool {
    let bytes = address.as_bytes();
    bytes.first() == Some(&b'/')
        && !matches!(bytes.get(1), Some(b'/' | b'\\'))
        && address.chars().all(|c| !c.is_control() && c != '\\')
}

/// Returns a text as one segment of a path, or as a value in a query.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(byte as char),
            b'-' | b'.' | b'_' | b'~' | b'*' | b':' | b',' | b'@' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Says whether an address from mail or settings may become a link (`web.md §1.3`).
pub fn is_safe(url: &str) -> bool {
    let scheme = url
        .split(':')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    url.contains(':') && matches!(scheme.as_str(), "http" | "https" | "ftp" | "git" | "mailto")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_below_the_base() {
        for (base, home) in [("", "/"), ("/", "/"), ("/pw/", "/pw/"), ("a/b", "/a/b/")] {
            assert_eq!(Links::new(base).home(), home);
        }
        let links = Links::new("/pw");
        let id = MessageId::new("<a/b%c@h>");
        assert_eq!(
            links.patch("käse", &id),
            "/pw/project/k%C3%A4se/patch/a%252Fb%25c@h/"
        );
    }

    #[test]
    fn next_leads_nowhere_else() {
        for (address, expected) in [
            ("/user/", true),
            ("/a?b=//c", true),
            ("//host/", false),
            ("/\\host/", false),
            ("/a\\b", false),
            ("https://host/", false),
            ("user/", false),
            ("/a\nb", false),
            ("", false),
        ] {
            assert_eq!(is_own_path(address), expected, "{address}");
        }
        let links = Links::new("");
        assert_eq!(links.login(Some("/user/")), "/user/login/?next=/user/");
        assert_eq!(
            links.login(Some("/a/?b=c&d")),
            "/user/login/?next=/a/%3Fb%3Dc%26d"
        );
    }

    #[test]
    fn only_harmless_schemes_become_links() {
        assert!(is_safe("https://x.example/") && is_safe("MAILTO:a@b"));
        assert!(!is_safe("javascript:alert(1)") && !is_safe("//x") && !is_safe("data:text/html,x"));
    }

    #[test]
    fn addresses_begin_as_settings_say_or_the_request() {
        let request = Outside {
            host: Some("pw.example.com:99"),
            ..Outside::default()
        };
        let by = |scheme| Outside {
            scheme: Some(scheme),
            ..request
        };
        let forced = Outside {
            force_https: true,
            ..by("http")
        };
        let set = Outside {
            site_url: Some("https://pw.example.org/"),
            ..by("http")
        };
        for (outside, origin) in [
            (request, "http://pw.example.com:99"),
            (by("http"), "http://pw.example.com:99"),
            (by("https"), "https://pw.example.com:99"),
            (forced, "https://pw.example.com:99"),
            (set, "https://pw.example.org"),
            (Outside::default(), ""),
        ] {
            assert_eq!(outside.origin(), origin, "{outside:?}");
        }
    }
}
