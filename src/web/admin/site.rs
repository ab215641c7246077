//! The site: its domain stands in mails and in settings for clients.

use maud::{Markup, html};

use super::{
    super::{
        error::Result,
        field::{self, Faults},
        form::Form,
        guard::View,
    },
    access::Access,
    address,
    draft::Draft,
    model::{Acted, Action, Column, Common, Field, Kind, LINE, Model, Noun, On, PLAIN, Part},
    work::Work,
};
use crate::{
    domain::permission::Deed,
    store::{
        Conn,
        admin::{self, Key, Table},
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    app: "sites",
    name: "site",
    one: "Site",
    many: "Sites",
    part: Part::Setup,
    table: &Table {
        base: "site",
        kind: Key::Number,
        key: "t.id",
        label: "t.domain",
        columns: "t.domain, t.name",
        joins: "",
        only: "",
        words: &[("lower(t.domain)", ""), ("lower(t.name)", "")],
        order: "t.id",
    },
    columns: &[
        Column::text("Domain", "t.domain"),
        Column::text("Name", "t.name"),
    ],
    fields: &[
        Field {
            name: "domain",
            label: "Domain",
            hint: "The host of this site, with its port if that is not the usual one: patches.example.org. It stands in mails and in settings for clients.",
            kind: Kind::Line(100),
            ..LINE
        },
        Field {
            name: "name",
            label: "Name",
            kind: Kind::Line(50),
            ..LINE
        },
    ],
    deeds: &[Deed::View, Deed::Change],
    actions: &[Action {
        name: "this-host",
        label: "Use this host",
        deed: Deed::Change,
        on: On::Own,
        fields: &[],
    }],
    is_grave: true,
    noun: &Sites,
    ..PLAIN
};

struct Sites;

/// Says whether a text is a host, maybe with a port: no scheme, no slash.
pub fn is_domain(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    !host.is_empty()
        && host.len() <= 253
        && host.split('.').all(is_part)
        && port.is_none_or(is_port)
}

#[rocket::async_trait]
impl Noun for Sites {
    async fn check(
        &self,
        _: &mut Work<'_>,
        draft: &Draft,
        _: Option<&str>,
        faults: &mut Faults,
    ) -> Result<()> {
        let text = "Write the host only, such as patches.example.org or patches.example.org:8000.";
        faults.check(is_domain(draft.get("domain")), "domain", text);
        Ok(())
    }

    async fn more(
        &self,
        conn: &mut Conn,
        view: &View<'_>,
        access: &Access,
        id: &str,
    ) -> Result<Markup> {
        let host = view.host().filter(|host| is_domain(host));
        let key = MODEL.table.id(id).unwrap_or_else(|| 0.into());
        let known = admin::label(conn, MODEL.table, key).await?;
        let action = address(view, &MODEL, id, "do");
        Ok(html! {
            @if let Some(host) = host {
                @if known.as_deref() != Some(host) && access.may(&MODEL, Deed::Change) && !access.is_stale {
                    p.banner { "You are visiting " code { (host) } ". "
                        (field::button(view, &action, "Use this host", &[("action", "this-host")])) }
                }
            }
        })
    }

    async fn act(
        &self,
        work: &mut Work<'_>,
        action: &str,
        ids: &[String],
        form: &Form<'_>,
    ) -> Result<Acted> {
        if action != "this-host" {
            return Common.act(work, action, ids, form).await;
        }
        let host = work
            .view
            .host()
            .filter(|host| is_domain(host))
            .map(str::to_owned);
        let Some(host) = host else {
            return Ok(Acted::Refused(
                "Your browser did not say which host it visits.".into(),
            ));
        };
        let before = work.label(&ids[0]).await?;
        work.update(&ids[0], vec![("domain", host.as_str().into())])
            .await?;
        work.changed(&ids[0], "Domain", &before, &host).await?;
        Ok(Acted::Done(format!("The domain is {host} now.")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_have_neither_scheme_nor_path() {
        for good in [
            "patches.example.org",
            "localhost:8000",
            "müller.example",
            "[::1]",
        ] {
            assert_eq!(is_domain(good), !good.starts_with('['), "{good}");
        }
        for bad in [
            "",
            "https://a.example",
            "a/b",
            "a b",
            "a:0",
            "a:x",
            "-a.example",
            "a..b",
        ] {
            assert!(!is_domain(bad), "{bad}");
        }
    }
}
