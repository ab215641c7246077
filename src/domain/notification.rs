//! What submitters are told of state changes: one digest for all that has settled (`domain.md §8`).

use std::{collections::BTreeSet, fmt::Write};

/// A patch whose state has changed since its submitter was last told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The project's name in URLs.
    pub linkname: String,
    /// The project's name.
    pub project: String,
    /// The patch's name.
    pub patch: String,
    /// The absolute address of its page.
    pub url: String,
    /// The state it had when the submitter was last told.
    pub was: String,
    /// The state it has.
    pub now: String,
}

/// Returns the subject of a digest.
pub fn subject(changed: &[Changed]) -> String {
    let projects: BTreeSet<&str> = changed.iter().map(|one| one.linkname.as_str()).collect();
    let projects: Vec<&str> = projects.into_iter().collect();
    let patches = match changed.len() {
        1 => "patch",
        _ => "patches",
    };
    format!(
        "[{}] Patch notification: {} {patches} updated",
        projects.join(","),
        changed.len()
    )
}

/// Returns the text of a digest; `settings_url` is where its reader can say that no more shall come.
pub fn text(changed: &[Changed], settings_url: &str) -> String {
    let mut text = String::from(match changed.len() {
        1 => "Hello,\n\nthe state of a patch you sent has changed:\n",
        _ => "Hello,\n\nthe states of patches you sent have changed:\n",
    });
    for one in changed {
        write!(
            text,
            "\n{}: {}\n  {}\n  project: {}\n  was: {}\n  now: {}\n",
            one.linkname, one.patch, one.url, one.project, one.was, one.now
        )
        .expect("a String takes any text");
    }
    write!(
        text,
        "\nNothing has to be done about this mail. Which mail Patchwork sends you is settled here:\n  {settings_url}\n"
    )
    .expect("a String takes any text");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(linkname: &str) -> Changed {
        Changed {
            linkname: linkname.to_owned(),
            project: "Tide Pool".to_owned(),
            patch: "[1/2] say \"hi\" & <go>".to_owned(),
            url: "https://x/project/tidepool/patch/a@b/".to_owned(),
            was: "New".to_owned(),
            now: "Accepted".to_owned(),
        }
    }

    #[test]
    fn the_subject_counts_patches_and_sorts_projects() {
        assert_eq!(
            subject(&[changed("b")]),
            "[b] Patch notification: 1 patch updated"
        );
        assert_eq!(
            subject(&[changed("b"), changed("a"), changed("b")]),
            "[a,b] Patch notification: 3 patches updated"
        );
    }

    #[test]
    fn the_text_says_everything_unescaped() {
        let text = text(&[changed("tidepool")], "https://x/mail/");
        for part in [
            "tidepool: [1/2] say \"hi\" & <go>\n",
            "https://x/project/tidepool/patch/a@b/\n",
            "Tide Pool\n",
            "was: New\n",
            "now: Accepted\n",
            "https://x/mail/\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
    }
}
