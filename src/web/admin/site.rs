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
    domain::{permission::Deed, site::is_domain},
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
                    div.banner.counting { p { "You are visiting " code { (host) } "." }
                        (field::button(view, &action, "Use this host", &[("action", "this-host")])) }
                }
            }
            @if let Some(url) = view.options().site_url.as_deref() {
                p.hint { "The setting " code { "site.url" } " is " code { (url) } ", and counts where both are there." }
            }
            @if access.holds(&super::outbox::MODEL, Deed::Change) {
                section.more { h2 { "Mail" } (super::outbox::test_form(view, access)) }
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
