//! What runs here: version, database, schema, what is switched on.

use maud::html;

use super::{
    super::{
        Db,
        answer::Answer,
        error::{Error, Result},
        guard::View,
    },
    access::Access,
    framed,
};
use crate::store::{Kind, admin::overview, health, migrate};

/// Draws the page.
pub async fn page(view: &View<'_>, db: &mut Db<'_>, access: &Access) -> Result<Answer> {
    if !access.console.everything {
        return Err(Error::Forbidden(
            "Only superusers see the state of the system.",
        ));
    }
    let kind = db.kind();
    let size = overview::size(db).await?;
    let steps = migrate::plan(db).await?;
    let encoding = health::encoding(db).await?;
    let options = view.options();
    let switched = |is_on: bool| if is_on { "on" } else { "off" };
    let facts = [
        ("Version", env!("CARGO_PKG_VERSION").to_owned()),
        (
            "Database",
            match kind {
                Kind::Sqlite => "SQLite",
                Kind::Postgres => "PostgreSQL",
            }
            .to_owned(),
        ),
        (
            "Size of the database",
            format!("{:.1} MB", size as f64 / 1e6),
        ),
        ("Encoding", encoding),
        (
            "Address of the site",
            options
                .site_url
                .clone()
                .unwrap_or_else(|| "as the browser names it".into()),
        ),
        (
            "Path of the site",
            if options.base.is_empty() {
                "/".to_owned()
            } else {
                options.base.clone()
            },
        ),
        ("Links are https", switched(options.force_https).to_owned()),
        ("REST API", switched(options.rest_api).to_owned()),
        ("XML-RPC", switched(options.xmlrpc).to_owned()),
        (
            "Largest mail",
            format!("{:.1} MB", options.intake.max_bytes as f64 / 1e6),
        ),
    ];
    let main = html! {
        header.heading { h1 { "Status of the system" } }
        p.about { "All settings and where each comes from: " code { "patchwork settings" } ". What is wrong with them: " code { "patchwork check" } "." }
        dl.wide { @for (what, value) in facts { dt { (what) } dd { (value) } } }
        section.more {
            h2 { "Schema" }
            table.things {
                caption.vh { "Migrations" }
                thead { tr { th.num scope="col" { "Number" } th scope="col" { "Name" } th scope="col" { "Applied" } } }
                tbody { @for step in &steps {
                    tr { td.num data-head="Number" { (step.version) } th scope="row" { (step.name) } td data-head="Applied" { @if step.is_applied { "yes" } @else { "no" } } }
                } }
            }
        }
    };
    Ok(Answer::Page(framed(view, access, "Status", None, main)))
}
