//! Permissions as a table: kinds of things by what may be done with them.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{
    super::form::Form,
    model::{ALL, Model},
};
use crate::domain::permission::{self, Deed};

/// Draws the table.
pub fn drawn(held: &BTreeSet<String>, may_change: bool) -> Markup {
    html! {
        table.matrix {
            caption.vh { "Permissions" }
            thead { tr {
                th scope="col" { "What" }
                @for deed in Deed::ALL { th scope="col" { (deed.word()) } }
            } }
            tbody { @for model in ALL {
                tr {
                    th scope="row" { (model.many) }
                    @for deed in Deed::ALL {
                        @let name = permission::name(model.app, deed, model.name);
                        td {
                            @if is_of_use(model, deed) {
                                input type="checkbox" name="permission" value=(name) checked[held.contains(&name)] disabled[!may_change]
                                    aria-label={ (deed.word()) " " (model.many) };
                            }
                        }
                    }
                }
            } }
        }
    }
}

/// Says whether a permission allows anything: the deed itself, or an action.
fn is_of_use(model: &Model, deed: Deed) -> bool {
    deed == Deed::View
        || model.offers(deed)
        || model.actions.iter().any(|action| action.deed == deed)
}

/// Returns the permissions that were ticked, those that there are.
pub fn sent(form: &Form<'_>) -> Vec<String> {
    let is_known = |name: &&str| {
        ALL.iter().any(|model| {
            Deed::ALL
                .iter()
                .any(|deed| permission::name(model.app, *deed, model.name) == **name)
        })
    };
    let mut names: Vec<String> = form
        .all("permission")
        .filter(is_known)
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
