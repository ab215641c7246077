//! The order of a bundle: changed by buttons, by numbers, or as a list that a script has put in order.

use super::*;

/// Puts the owner's bundle in the order that a form asks for, in one transaction.
pub(super) async fn change(session: &Session, bundle: &Bundle, form: &Form<'_>) -> Result<()> {
    let now = Timestamp::now();
    let mut tx = form.begin().await?;
    let current = store::bundle::locked(&mut tx, bundle.id).await?;
    let mut listed = Vec::new();
    for text in form.all("neworder").chain(form.get("order_start")) {
        let id = PatchId(number(text)?);
        // Somebody may have taken it out meanwhile; who names one that is not there is told so.
        if !current.contains(&id) {
            return Err(Error::missing());
        }
        listed.push(id);
    }
    // Compatibility: the first row is named apart; it is in the list, too.
    listed.truncate(form.all("neworder").count());
    let after = wanted(form, &current, listed);
    let told = match after == current {
        true => Notice::done("The order stays as it is."),
        false => {
            store::bundle::overwrite(&mut tx, bundle.id, &after).await?;
            Notice::done("Order saved.")
        }
    };
    session.tell(&mut tx, vec![told], now).await?;
    tx.commit().await?;
    Ok(())
}

/// Returns the order that a form asks for: its list first, then a step up or down, then numbers that were changed.
fn wanted(form: &Form, current: &[PatchId], mut listed: Vec<PatchId>) -> Vec<PatchId> {
    for (name, up) in [("up", true), ("down", false)] {
        let at = form
            .get(name)
            .and_then(|id| id.parse().ok())
            .and_then(|id| listed.iter().position(|listed| *listed == PatchId(id)));
        match at {
            Some(at) if up && at > 0 => listed.swap(at, at - 1),
            Some(at) if !up && at + 1 < listed.len() => listed.swap(at, at + 1),
            _ => {}
        }
    }
    let mut order = words::reordered(current, &listed);
    for (id, place) in moves(form) {
        order = words::moved(&order, id, place);
    }
    order
}

/// Returns the patches whose number was changed, and to what: `place:<patch>:<number before>=<number>`.
fn moves(form: &Form) -> Vec<(PatchId, usize)> {
    let pairs = form.pairs().iter();
    let mut moves: Vec<(PatchId, usize)> = pairs
        .filter_map(|(name, value)| {
            let (id, before) = name.strip_prefix("place:")?.split_once(':')?;
            let place: usize = value.trim().parse().ok()?;
            (before.parse() != Ok(place)).then_some((PatchId(id.parse().ok()?), place))
        })
        .collect();
    moves.sort_by_key(|(_, place)| *place);
    moves
}

/// Draws the form that the buttons and numbers of the rows belong to. It stands before them: Enter in a number saves.
pub(super) fn form(view: &View, list: &List) -> Markup {
    html! {
        form.ordering id=(parts::ORDER_FORM) method="post" action=(list.here()) {
            (view.csrf())
            input type="hidden" name="form" value="reorder-form";
            button type="submit" { "Save order" }
            span.muted { "Change the numbers, use the arrows" span.by-drag hidden { ", or drag the rows" } "." }
        }
    }
}
