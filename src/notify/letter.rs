//! What mails about accounts and addresses say (`web.md §16`). `site` is the site's address, the rest what the mail is
//! about; `link` is the address that answers it.

/// What mails of ours say of themselves: no program is to answer them.
pub const HEADERS: &str = "Auto-Submitted: auto-generated";

/// A mail's subject and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// To whoever registers: the account becomes active.
pub fn registration(site: &str, username: &str, link: &str, days: i64) -> Letter {
    letter(
        "Confirm your account",
        site,
        &format!(
            "somebody, probably you, has asked for the account \"{username}\" on\n  {site}/\n\
             with this mail address. To make the account active, open\n  {link}\n\
             and press the button there, within {}.",
            days_of(days)
        ),
        "If that was not you, leave this mail unanswered: the account stays closed, and goes away by itself.",
    )
}

/// To whoever registers with an address that has an account: nobody else is told so.
pub fn already(site: &str, username: &str, reset: &str) -> Letter {
    letter(
        "You already have an account",
        site,
        &format!(
            "somebody, probably you, has asked for an account on\n  {site}/\n\
             with this mail address. It belongs to the account \"{username}\" there, so none was made.\n\
             If you have forgotten the password, choose another one here:\n  {reset}"
        ),
        "If that was not you, nothing has to be done.",
    )
}

/// To see whether mail goes out.
pub fn test(site: &str, username: &str) -> Letter {
    letter(
        "Test mail",
        site,
        &format!("\"{username}\" wants to see whether mail from\n  {site}/\narrives. It does."),
        "Nothing has to be done.",
    )
}

/// To an address that a user wants to add.
pub fn address(site: &str, username: &str, address: &str, link: &str, days: i64) -> Letter {
    letter(
        "Confirm your mail address",
        site,
        &format!(
            "the user \"{username}\" of\n  {site}/\n\
             says that the address {address} is theirs. If that is you, open\n  {link}\n\
             and press the button there, within {}. Patches sent from this address are then listed as yours.",
            days_of(days)
        ),
        "If that is not you, leave this mail unanswered: nothing will change.",
    )
}

/// To an address that is to become an account's own.
pub fn primary(site: &str, username: &str, address: &str, link: &str, days: i64) -> Letter {
    letter(
        "Confirm your mail address",
        site,
        &format!(
            "the account \"{username}\" of\n  {site}/\n\
             is to have the address {address}. If that is what you want, open\n  {link}\n\
             and press the button there, within {}. Mails about the account then go there.",
            days_of(days)
        ),
        "If that is not you, leave this mail unanswered: nothing will change.",
    )
}

/// To the address that an account had.
pub fn moved(site: &str, username: &str) -> Letter {
    letter(
        "Your account has another address",
        site,
        &format!(
            "the account \"{username}\" of\n  {site}/\n\
             now has another mail address, confirmed by a link that was mailed there. Mails about the account no longer come here."
        ),
        "If that was not you, somebody else knows your password: write to the administrators of the site at once.",
    )
}

/// What was done to an account that its owner should know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grave {
    /// Its password was changed.
    Password,
    /// A second factor was set up.
    FactorBegun,
    /// Its second factor was ended.
    FactorEnded,
    /// Codes for a lost device were made anew.
    Codes,
}

/// To an account to which something was done.
pub fn grave(site: &str, username: &str, what: Grave) -> Letter {
    let (subject, done) = match what {
        Grave::Password => ("Your password was changed", "has a new password."),
        Grave::FactorBegun => (
            "Your account has a second factor",
            "has a second factor now: after the password it is asked for a code.",
        ),
        Grave::FactorEnded => (
            "Your account has no second factor any more",
            "has no second factor any more: the password is enough to log in.",
        ),
        Grave::Codes => (
            "Your account has new codes for a lost device",
            "has new codes for a lost device; the old ones are worth nothing.",
        ),
    };
    letter(
        subject,
        site,
        &format!("the account \"{username}\" of\n  {site}/\n{done}"),
        "If that was not you, somebody else has got into your account: choose a new password, and write to the \
         administrators of the site at once.",
    )
}

/// To an address that is to get no more mail.
pub fn optout(site: &str, address: &str, link: &str, days: i64) -> Letter {
    letter(
        "Stop mails to you",
        site,
        &format!(
            "somebody, probably you, has asked that\n  {site}/\n\
             sends no more notifications to {address}. If that is what you want, open\n  {link}\n\
             and press the button there, within {}.",
            days_of(days)
        ),
        "If not, leave this mail unanswered: nothing will change.",
    )
}

/// To an address that may get mail again.
pub fn optin(site: &str, address: &str, link: &str, days: i64) -> Letter {
    letter(
        "Allow mails to you",
        site,
        &format!(
            "somebody, probably you, has asked that\n  {site}/\n\
             may send notifications to {address} again. If that is what you want, open\n  {link}\n\
             and press the button there, within {}.",
            days_of(days)
        ),
        "If not, leave this mail unanswered: nothing will change.",
    )
}

/// To an account whose password is to be chosen anew.
pub fn reset(site: &str, username: &str, link: &str) -> Letter {
    letter(
        "Choose a new password",
        site,
        &format!(
            "somebody, probably you, has asked for a new password of the account \"{username}\" on\n  {site}/\n\
             Choose it here, within three days:\n  {link}"
        ),
        "If that was not you, leave this mail unanswered: your password stays as it is.",
    )
}

fn letter(subject: &str, site: &str, what: &str, otherwise: &str) -> Letter {
    Letter {
        subject: format!("{subject} on {}", name(site)),
        text: format!("Hello,\n\n{what}\n\n{otherwise}\n"),
    }
}

/// Returns what a site is called in a subject: its address without the scheme.
fn name(site: &str) -> &str {
    site.split_once("://").map_or(site, |(_, name)| name)
}

fn days_of(days: i64) -> String {
    match days {
        1 => "a day".to_owned(),
        days => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = "https://patches.example.org/pw";
    const LINK: &str = "https://patches.example.org/pw/confirm/abc/";

    #[test]
    fn every_mail_names_the_site_and_what_to_do() {
        let letters = [
            (registration(SITE, "mara", LINK, 7), "\"mara\""),
            (already(SITE, "mara", LINK), "\"mara\""),
            (
                address(SITE, "mara", "m@example.org", LINK, 7),
                "m@example.org",
            ),
            (optout(SITE, "m@example.org", LINK, 7), "m@example.org"),
            (optin(SITE, "m@example.org", LINK, 7), "m@example.org"),
            (reset(SITE, "mara", LINK), "\"mara\""),
        ];
        for (letter, about) in letters {
            assert!(
                letter.subject.ends_with(" on patches.example.org/pw"),
                "{}",
                letter.subject
            );
            for part in [
                &format!("  {SITE}/\n"),
                &format!("  {LINK}\n"),
                about,
                "\n\nIf ",
            ] {
                assert!(
                    letter.text.contains(part),
                    "{part:?} is not in {}",
                    letter.text
                );
            }
        }
    }

    #[test]
    fn what_was_done_to_an_account_is_told() {
        for (what, said) in [
            (Grave::Password, "has a new password."),
            (Grave::FactorBegun, "asked for a code."),
            (Grave::FactorEnded, "the password is enough to log in."),
            (Grave::Codes, "worth nothing."),
        ] {
            let letter = grave(SITE, "mara", what);
            assert!(letter.subject.ends_with(" on patches.example.org/pw"));
            for part in [said, "\"mara\"", "\n\nIf that was not you"] {
                assert!(letter.text.contains(part), "{part:?}: {}", letter.text);
            }
        }
    }

    #[test]
    fn the_time_to_answer_is_told() {
        let told = |days| registration(SITE, "mara", LINK, days).text;
        assert!(told(1).contains("within a day.") && told(7).contains("within 7 days."));
    }
}
