//! Projects: one mailing list (or a part of one) each.

use super::{ListId, MessageId, ProjectId};

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// The name in URLs: letters, digits, `_` and `-`.
    pub linkname: String,
    /// The name people see.
    pub name: String,
    /// The list's id (RFC 2919), lower-cased.
    pub list_id: ListId,
    /// The list's address; mails "from" it come from somebody else (`mail.md §5.1`).
    pub list_email: String,
    /// A regular expression that subjects must match when several projects share a list.
    pub subject_match: String,
    /// The project's website.
    pub web_url: String,
    /// Where to clone from.
    pub scm_url: String,
    /// Where to browse the source.
    pub webscm_url: String,
    /// The list's archive.
    pub list_archive_url: String,
    /// The address of one mail in the archive; `{}` stands for the message id.
    pub list_archive_url_format: String,
    /// The address of one commit; `{}` stands for its id.
    pub commit_url_format: String,
    /// Whether submitters are told of state changes.
    pub send_notifications: bool,
    /// Whether series dependencies are shown.
    pub show_dependencies: bool,
    /// Whether trailers are counted.
    pub use_tags: bool,
    /// Whether a complete newer revision makes the open patches of the one before superseded.
    pub supersede: bool,
}

impl Project {
    /// Returns where the archive keeps a mail, if the project says how its addresses look.
    pub fn archive_url(&self, msgid: &MessageId) -> Option<String> {
        filled(&self.list_archive_url_format, msgid.bare())
    }

    /// Returns where a commit can be read, if the project says how its addresses look.
    pub fn commit_url(&self, commit: &str) -> Option<String> {
        filled(&self.commit_url_format, commit)
    }
}

/// Replaces `{}` and nothing else: other braces are part of the address (`domain.md §1.2`).
fn filled(format: &str, value: &str) -> Option<String> {
    (!format.is_empty()).then(|| format.replace("{}", value))
}

/// The most characters of an address of a project.
const MAX_URL: usize = 2000;

/// Returns everything that is wrong with a project, one sentence each.
pub fn faults(project: &Project) -> Vec<String> {
    let mut faults = Vec::new();
    if !is_linkname(&project.linkname) {
        faults.push(format!(
            "the linkname '{}' may hold letters, digits, '-' and '_' only",
            project.linkname
        ));
    }
    if project.name.trim().is_empty() || project.name.chars().count() > super::id::MAX_CHARS {
        faults.push("the name must have 1 to 255 characters".to_owned());
    }
    let list_id = project.list_id.as_str();
    if list_id.is_empty() || list_id.contains(|c: char| c.is_whitespace() || "<>@".contains(c)) {
        faults.push(format!(
            "the list id '{list_id}' must look like dev.lists.example.org, as the List-Id header has it"
        ));
    }
    if !super::person::is_email(&project.list_email) || project.list_email.chars().count() > 200 {
        faults.push(format!(
            "the list's address '{}' is no mail address",
            project.list_email
        ));
    }
    if project.subject_match.chars().count() > 64 {
        faults.push("the subject match may have 64 characters at most".to_owned());
    }
    if let Err(fault) = super::pattern::compile(&project.subject_match) {
        faults.push(format!(
            "the subject match '{}' is no regular expression: {fault}",
            project.subject_match
        ));
    }
    let addresses = [
        ("web URL", &project.web_url),
        ("SCM URL", &project.scm_url),
        ("web SCM URL", &project.webscm_url),
        ("list archive URL", &project.list_archive_url),
        ("list archive URL format", &project.list_archive_url_format),
        ("commit URL format", &project.commit_url_format),
    ];
    for (what, address) in addresses {
        if !address.is_empty() && !is_address(address) {
            faults.push(format!(
                "the {what} '{address}' must look like https://host/path"
            ));
        }
    }
    faults
}

/// Says whether a text is an address with a scheme; `git://` and `ssh://` are as good as `https://`.
pub fn is_address(text: &str) -> bool {
    let scheme_is_plain = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            && !["javascript", "data", "vbscript"].contains(&scheme.to_ascii_lowercase().as_str())
    };
    text.chars().count() <= MAX_URL
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        && text
            .split_once("://")
            .is_some_and(|(scheme, rest)| scheme_is_plain(scheme) && !rest.is_empty())
}

/// Says whether an address is empty or has a place for the id.
pub fn is_format(address: &str) -> bool {
    address.is_empty() || address.contains("{}")
}

/// Says whether a text may be a project's name in URLs.
pub fn is_linkname(text: &str) -> bool {
    !text.is_empty()
        && text.chars().count() <= super::id::MAX_CHARS
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_braces_are_replaced() {
        assert_eq!(
            filled("https://x.example/{a}/{}", "m@h").as_deref(),
            Some("https://x.example/{a}/m@h")
        );
        assert_eq!(filled("", "m"), None);
    }

    #[test]
    fn linknames_are_slugs() {
        assert!(is_linkname("kvm-ppc_2"));
        assert!(is_linkname("日本"));
        assert!(!is_linkname("") && !is_linkname("a/b") && !is_linkname("a b"));
    }
}
