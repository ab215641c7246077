//! What the page of an account shows below its fields: what is its own, its password, its rights.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::super::{
    super::{
        error::Result,
        field::{self, Faults},
        guard::View,
    },
    access::Access,
    matrix,
};
use crate::{
    domain::UserId,
    store::{
        self, Conn,
        admin::member,
        permission::{self, Holder},
    },
};

pub(super) async fn belongings(
    conn: &mut Conn,
    view: &View<'_>,
    access: &Access,
    user: UserId,
    action: &str,
    may_change: bool,
) -> Result<Markup> {
    let people = member::people(conn, user).await?;
    let projects = member::maintained(conn, user).await?;
    let tokens = store::token::of(conn, user).await?;
    let sessions = store::session::of_user(conn, user, access.now).await?;
    let button = |label: &str, name: &str, value: &str, act: &str| {
        html! {
            @if may_change && !access.is_stale {
                (field::button(view, action, label, &[(name, value), ("action", act)]))
            }
        }
    };
    Ok(html! {
        section.more {
            h2 { "What is its own" }
            dl.wide {
                dt { "Maintains" }
                dd { @if projects.is_empty() { span.none { "nothing" } }
                    @for (_, linkname) in &projects { (linkname) " " (button("Remove", "project", linkname, "unmaintain")) " " } }
                dt { "Addresses" }
                dd { @if people.is_empty() { span.none { "none" } }
                    @for (person, email) in &people { (email) " " (button("Unlink", "person", &person.to_string(), "unlink")) " " } }
                dt { "Tokens" }
                dd { @if tokens.is_empty() { span.none { "none" } }
                    @for token in &tokens { "#" (token.id) " " (token.name) " (" (token.scope) ") " (button("Revoke", "token", &token.id.to_string(), "revoke")) " " } }
                dt { "Sessions" }
                dd { (sessions.len()) }
            }
            @if may_change && access.is_stale { p.hint { "To take something away here, log in once more: you did more than an hour ago." } }
        }
    })
}

pub(super) fn password(view: &View, access: &Access, action: &str) -> Markup {
    let none = Faults::default();
    html! {
        section.more {
            h2 { "Password" }
            form.entries.thing method="post" action=(action) {
                (view.csrf())
                (field::Field::password("password_new", "New password", "new-password").drawn(&none))
                (field::Field::password("password_again", "New password once more", "new-password").drawn(&none))
                (access.password_field(true, &none))
                button type="submit" name="action" value="password" { "Set password" }
            }
        }
    }
}

pub(super) async fn rights(
    conn: &mut Conn,
    view: &View<'_>,
    access: &Access,
    user: UserId,
    action: &str,
) -> Result<Markup> {
    let held: BTreeSet<String> = permission::held(conn, Holder::Account(user.0))
        .await?
        .into_iter()
        .collect();
    let groups = permission::groups(conn).await?;
    let own = permission::groups_of(conn, user.0).await?;
    let may_change = access.console.everything;
    Ok(html! {
        section.more {
            h2 { "Rights in this console" }
            p.hint { "They count for staff only. Superusers need none." }
            form.entries.wide method="post" action=(action) {
                (view.csrf())
                @if !groups.is_empty() {
                    fieldset.ticks {
                        legend { "Groups" }
                        @for (id, name) in groups {
                            label.tick { input type="checkbox" name="group" value=(id) checked[own.contains(&id)] disabled[!may_change]; " " (name) }
                        }
                    }
                }
                (matrix::drawn(&held, may_change))
                @if may_change {
                    (access.password_field(true, &Faults::default()))
                    button type="submit" name="action" value="rights" { "Save rights" }
                } @else { p.hint { "Only superusers change these." } }
            }
        }
    })
}
