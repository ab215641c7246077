//! The form of a thing: added, changed, with what else there is to do to it.

use maud::{Markup, html};

use super::{
    super::{
        Db,
        answer::Answer,
        error::{Error, Result},
        field::{self, Faults},
        form::Form,
        guard::{Pairs, View},
        link,
    },
    Access, address,
    draft::{Draft, columns},
    framed, list,
    model::{Acted, Edit, Model, On},
    work::Work,
};
use crate::{
    domain::{notice::Notice, permission::Deed},
    store::{Conn, admin, audit::Action},
};

/// Returns the address of the list, filtered as it was.
fn list_address(view: &View, model: &Model, back: &str) -> String {
    let list = view.links().admin(&model.path());
    match back {
        "" => list,
        back => format!("{list}?{}", back.replace(['\r', '\n'], "")),
    }
}

/// Draws the empty form.
pub async fn add_page(
    view: &View<'_>,
    db: &mut Db<'_>,
    access: &Access,
    model: &'static Model,
    pairs: &Pairs,
) -> Result<Answer> {
    let mut draft = Draft::empty(model);
    for field in model.fields {
        if let Some(given) = pairs.last(field.name) {
            draft.set(field.name, given);
        }
    }
    let back = pairs.last("back").unwrap_or_default().to_owned();
    let page = adding(view, db, access, model, &draft, &back, &Faults::default()).await?;
    Ok(Answer::Page(page))
}

async fn adding(
    view: &View<'_>,
    conn: &mut Conn,
    access: &Access,
    model: &'static Model,
    draft: &Draft,
    back: &str,
    faults: &Faults,
) -> Result<Markup> {
    let fields = draft.drawn(conn, view, faults, true, true).await?;
    let title = format!("Add {}", model.one.to_lowercase());
    let main = html! {
        (crumbs(view, model, back, &title))
        header.heading { h1 { (title) } }
        (field::problems(faults))
        form.entries.thing method="post" action=(view.links().admin(&format!("{}add/", model.path()))) {
            (view.csrf())
            input type="hidden" name="back" value=(back);
            (fields)
            (access.password_field(model.is_grave, faults))
            (saving(access, model))
        }
    };
    Ok(framed(view, access, &title, Some(model), main))
}

fn saving(access: &Access, model: &Model) -> Markup {
    html! {
        div.saving {
            button.primary type="submit" { "Save" }
            button type="submit" name="then" value="stay" { "Save and continue" }
            @if access.may(model, Deed::Add) { button type="submit" name="then" value="another" { "Save and add another" } }
        }
    }
}

fn crumbs(view: &View, model: &Model, back: &str, last: &str) -> Markup {
    html! {
        div.crumbs { nav aria-label="Path" { ol {
            li { a href=(view.links().admin("")) { "Administration" } }
            li { a href=(list_address(view, model, back)) { (model.many) } }
            li.grow { (last) }
        } } }
    }
}

/// Finds out what is wrong with a draft.
async fn judged(
    work: &mut Work<'_>,
    draft: &Draft,
    before: Option<&Draft>,
    id: Option<&str>,
    faults: &mut Faults,
) -> Result<()> {
    let model = work.model;
    if faults.is_empty() {
        for unique in model.unique {
            let differs = |name: &&str| before.is_none_or(|before| draft.differs(before, name));
            if !unique.fields.iter().any(differs) {
                continue;
            }
            let values = unique.fields.iter().map(|name| draft.value(name)).collect();
            let key = id.map(|id| work.key(id)).transpose()?;
            if admin::clash(&mut work.tx, model.table, values, key).await? {
                faults.add(unique.fields[0], unique.fault);
            }
        }
        model.noun.check(work, draft, id, faults).await?;
    }
    Ok(())
}

/// Makes a thing.
pub async fn add(
    view: &View<'_>,
    mut db: Db<'_>,
    access: &Access,
    model: &'static Model,
    form: &Form<'_>,
) -> Result<Answer> {
    let mut faults = Faults::default();
    let draft = Draft::sent(&mut db, model, None, form, &mut faults).await?;
    drop(db);
    access.confirm(model.is_grave, form, &mut faults).await?;
    let back = form.text("back");
    let mut work = Work::begin(view, form, model, access).await?;
    judged(&mut work, &draft, None, None, &mut faults).await?;
    if !faults.is_empty() {
        let page = adding(view, &mut work.tx, access, model, &draft, back, &faults).await?;
        return Ok(faults.answer(page));
    }
    let id = model.noun.insert(&mut work, &draft).await?;
    let changes = draft.changes(&mut work.tx, None).await?;
    let label = work.label(&id).await?;
    work.log(Action::Added, &id, &label, &changes).await?;
    work.end(Notice::done(format!("{} “{label}” was added.", model.one)))
        .await?;
    Ok(Answer::Done(next(
        view,
        model,
        &id,
        form.text("then"),
        back,
    )))
}

fn next(view: &View, model: &Model, id: &str, then: &str, back: &str) -> String {
    let kept = match back {
        "" => String::new(),
        back => format!("?back={}", link::encoded(back)),
    };
    match then {
        "stay" => address(view, model, id, "change") + &kept,
        "another" => view.links().admin(&format!("{}add/", model.path())) + &kept,
        _ => list_address(view, model, back),
    }
}

/// What the page of a thing shows.
struct Page<'a> {
    view: &'a View<'a>,
    access: &'a Access,
    model: &'static Model,
    id: &'a str,
    back: &'a str,
}

/// Draws the form of a thing.
pub async fn change_page(
    view: &View<'_>,
    db: &mut Db<'_>,
    access: &Access,
    model: &'static Model,
    id: &str,
    pairs: &Pairs,
) -> Result<Answer> {
    let before = stored(db, model, id, false).await?;
    let page = Page {
        view,
        access,
        model,
        id,
        back: pairs.last("back").unwrap_or_default(),
    };
    let version = before.version();
    let page = page
        .drawn(db, &before, &version, &Faults::default())
        .await?;
    Ok(Answer::Page(page))
}

/// Reads what is stored of a thing.
async fn stored(conn: &mut Conn, model: &'static Model, id: &str, locked: bool) -> Result<Draft> {
    let key = model.table.id(id).ok_or_else(Error::missing)?;
    let row = admin::read(conn, model.table, &columns(model), key, locked).await?;
    let row = row.ok_or_else(Error::missing)?;
    Ok(Draft::of(model, &row))
}

impl Page<'_> {
    async fn drawn(
        &self,
        conn: &mut Conn,
        draft: &Draft,
        version: &str,
        faults: &Faults,
    ) -> Result<Markup> {
        let Page {
            view,
            access,
            model,
            id,
            back,
        } = *self;
        let key = model.table.id(id).ok_or_else(Error::missing)?;
        let label = admin::label(conn, model.table, key).await?;
        let label = label.ok_or_else(Error::missing)?;
        let may_change = access.may(model, Deed::Change);
        let fields = draft.drawn(conn, view, faults, false, may_change).await?;
        let more = model.noun.more(conn, view, access, id).await?;
        let outside = model.noun.address(conn, view, id).await?;
        let mut offers = Vec::new();
        for action in model.actions {
            if action.on == On::Each && access.holds(model, action.deed) {
                offers.push(list::offer(conn, view, action).await?);
            }
        }
        let title = format!("{} “{label}”", model.one);
        let main = html! {
            (crumbs(view, model, back, &label))
            header.heading.with-deeds {
                h1 { (title) }
                div.deeds {
                    @if let Some(outside) = outside { a.button href=(outside) { "On the site" } }
                    a.button href=(address(view, model, id, "history")) { "History" }
                    @if access.may(model, Deed::Delete) {
                        a.button.danger href=(address(view, model, id, "delete")) { "Delete" }
                    }
                }
            }
            (field::problems(faults))
            @if may_change {
                form.entries.thing method="post" action=(address(view, model, id, "change")) {
                    (view.csrf())
                    input type="hidden" name="stored" value=(version);
                    input type="hidden" name="back" value=(back);
                    (fields)
                    (access.password_field(model.is_grave, faults))
                    @if model.fields.iter().any(|field| field.edit == Edit::Always) { (saving(access, model)) }
                }
            } @else {
                div.thing { (fields) }
            }
            @if !offers.is_empty() {
                form.actions method="post" action=(address(view, model, id, "do")) {
                    (view.csrf())
                    h2 { "Actions" }
                    @for offer in offers { (offer) }
                }
            }
            (more)
        };
        Ok(framed(view, access, &title, Some(model), main))
    }

    /// Draws what somebody else has changed meanwhile beside what was entered here.
    async fn conflict(&self, conn: &mut Conn, mine: &Draft, theirs: &Draft) -> Result<Markup> {
        let changes = mine.changes(conn, Some(theirs)).await?;
        let title = "Changed meanwhile";
        let main = html! {
            (crumbs(self.view, self.model, self.back, title))
            header.heading { h1 { (title) } }
            p.about { "Somebody else has saved this since you opened it. Nothing of yours was written yet." }
            table.things {
                caption.vh { "What differs" }
                thead { tr { th scope="col" { "Field" } th scope="col" { "Now stored" } th scope="col" { "Yours" } } }
                tbody { @for change in &changes {
                    tr { th scope="row" { (change.field) } td data-head="Now stored" { (change.before) } td data-head="Yours" { (change.after) } }
                } }
            }
            form.entries.thing method="post" action=(address(self.view, self.model, self.id, "change")) {
                (self.view.csrf())
                input type="hidden" name="stored" value=(theirs.version());
                input type="hidden" name="back" value=(self.back);
                (mine.hidden(false))
                (self.access.password_field(self.model.is_grave, &Faults::default()))
                div.saving {
                    button.danger type="submit" { "Save mine over it" }
                    a.button href=(address(self.view, self.model, self.id, "change")) { "Keep what is stored" }
                }
            }
        };
        Ok(framed(
            self.view,
            self.access,
            title,
            Some(self.model),
            main,
        ))
    }
}

/// Changes a thing.
pub async fn change(
    view: &View<'_>,
    mut db: Db<'_>,
    access: &Access,
    model: &'static Model,
    id: &str,
    pairs: &Pairs,
    form: &Form<'_>,
) -> Result<Answer> {
    // That it is there is looked at before passwords are.
    stored(&mut db, model, id, false).await?;
    drop(db);
    let mut faults = Faults::default();
    access.confirm(model.is_grave, form, &mut faults).await?;
    let back = form
        .get("back")
        .or_else(|| pairs.last("back"))
        .unwrap_or_default();
    let page = Page {
        view,
        access,
        model,
        id,
        back,
    };
    let mut work = Work::begin(view, form, model, access).await?;
    let before = stored(&mut work.tx, model, id, true).await?;
    let draft = Draft::sent(&mut work.tx, model, Some(&before), form, &mut faults).await?;
    let version = form.text("stored");
    if !version.is_empty() && version != before.version() {
        let page = page.conflict(&mut work.tx, &draft, &before).await?;
        return Ok(Answer::Conflict(page));
    }
    judged(&mut work, &draft, Some(&before), Some(id), &mut faults).await?;
    if !faults.is_empty() {
        let page = page.drawn(&mut work.tx, &draft, version, &faults).await?;
        return Ok(faults.answer(page));
    }
    let changes = draft.changes(&mut work.tx, Some(&before)).await?;
    let label = work.label(id).await?;
    if changes.is_empty() {
        let text = format!("{} “{label}” is as it was.", model.one);
        work.end(Notice::done(text)).await?;
        return Ok(Answer::Done(next(view, model, id, form.text("then"), back)));
    }
    model.noun.update(&mut work, id, &draft, &before).await?;
    work.log(Action::Changed, id, &label, &changes).await?;
    let text = format!("{} “{label}” was changed.", model.one);
    work.end(Notice::done(text)).await?;
    Ok(Answer::Done(next(view, model, id, form.text("then"), back)))
}

/// Does something else to a thing.
pub async fn act(
    view: &View<'_>,
    mut db: Db<'_>,
    access: &Access,
    model: &'static Model,
    id: &str,
    form: &Form<'_>,
) -> Result<Answer> {
    let name = form.text("action");
    let here = address(view, model, id, "change");
    let action = model
        .actions
        .iter()
        .find(|action| action.name == name && action.on != On::All);
    let Some(action) = action else {
        // Who may only look need not know what there is.
        access.require(model, Deed::Change)?;
        drop(db);
        return list::told(view, form, model, access, "There is no such action.", here).await;
    };
    if !access.holds(model, action.deed) {
        access.require(model, action.deed)?;
        return Err(Error::Forbidden("Your account has no permission for this."));
    }
    stored(&mut db, model, id, false).await?;
    drop(db);
    let mut faults = Faults::default();
    access.confirm(model.is_grave, form, &mut faults).await?;
    if !faults.is_empty() {
        let text = access.unconfirmed(&faults);
        return list::told(view, form, model, access, &text, here).await;
    }
    let mut work = Work::begin(view, form, model, access).await?;
    match model
        .noun
        .act(&mut work, name, &[id.to_owned()], form)
        .await?
    {
        Acted::Done(text) => {
            let key = work.key(id)?;
            let is_there = admin::label(&mut work.tx, model.table, key)
                .await?
                .is_some();
            work.end(Notice::done(text)).await?;
            Ok(Answer::Done(match is_there {
                true => here,
                false => view.links().admin(&model.path()),
            }))
        }
        Acted::Refused(text) => {
            drop(work);
            list::told(view, form, model, access, &text, here).await
        }
        Acted::After(later) => {
            work.tx.commit().await?;
            let text = later(form.database(), view.options().intake.clone()).await?;
            let work = Work::begin(view, form, model, access).await?;
            work.end(Notice::done(text)).await?;
            Ok(Answer::Done(view.links().admin(&model.path())))
        }
        Acted::Page(main) => {
            work.tx.commit().await?;
            Ok(Answer::Page(framed(
                view,
                access,
                model.one,
                Some(model),
                main,
            )))
        }
    }
}
