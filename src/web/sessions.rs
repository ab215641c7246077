//! The browsers in which somebody is logged in, as a list with a way to end each.

use maud::{Markup, html};

use super::{field, guard::View, parts, profile::action};
use crate::{
    auth::{self, session::Session},
    store::session::Listed,
};

/// Draws them; `this` is the one that is looking.
pub fn list(view: &View, sessions: &[Listed], this: &Session) -> Markup {
    let end = view.links().user_page("sessions/end/");
    html! {
        section #sessions {
            h2 { "Sessions" }
            p.muted { "Browsers in which you are logged in." }
            table.own {
                thead { tr { th scope="col" { "Browser" } th scope="col" { "Address" } th scope="col" { "Since" } th scope="col" { "Last seen" } th scope="col" { span.vh { "Actions" } } } }
                tbody {
                    @for session in sessions {
                        @let is_this = session.key_hash == this.key_hash;
                        tr {
                            th scope="row" title=(session.agent) { (browser(&session.agent)) @if is_this { " " span.note { "this one" } } }
                            td { (session.address) }
                            td { span.unit { "since " } (parts::moment(session.created)) }
                            td { span.unit { "seen " } @match session.seen { Some(seen) => (parts::moment(seen)), None => "never" } }
                            td.acts {
                                @if !is_this {
                                    (action(view, &end, "End", &format!("the session of {}", browser(&session.agent)), &[("session", &auth::hex(&session.key_hash))]))
                                }
                            }
                        }
                    }
                }
            }
            @if sessions.len() > 1 {
                (field::button(view, &end, "End all others", &[("session", "others")]))
            }
        }
    }
}

/// Returns what people call a browser, as far as it says.
fn browser(agent: &str) -> String {
    // The first that fits: most claim to be others as well.
    const PROGRAMS: &[(&str, &str)] = &[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chromium"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
        ("python", "Python"),
    ];
    const SYSTEMS: &[(&str, &str)] = &[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
        ("BSD", "BSD"),
    ];
    let named = |names: &[(&str, &'static str)]| {
        let found = names.iter().find(|(mark, _)| agent.contains(mark));
        found.map(|(_, name)| *name)
    };
    match (named(PROGRAMS), named(SYSTEMS)) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(program), None) => program.to_owned(),
        _ if agent.is_empty() => "unknown".to_owned(),
        _ => agent.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_named() {
        for (agent, expected) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.0", "curl"),
            ("", "unknown"),
            ("something else", "something else"),
        ] {
            assert_eq!(browser(agent), expected, "{agent}");
        }
    }
}
