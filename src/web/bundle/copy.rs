//! A copy of a bundle, somebody's public one or an own: the reader's from then on, and private at first.

use super::*;

/// What stands in the form, and what is wrong with it.
pub(super) struct Entered {
    name: String,
    faults: Faults,
}

impl Entered {
    /// Offers the bundle's own name where the reader cannot have it yet.
    pub(super) fn of(bundle: &Bundle, is_own: bool) -> Entered {
        let name = match is_own {
            true => format!("{} copy", bundle.name),
            false => bundle.name.clone(),
        };
        Entered {
            name,
            faults: Faults::default(),
        }
    }
}

/// Makes the copy, in one transaction, and leads to it.
pub(super) async fn make(
    view: &View<'_>,
    session: &Session,
    mut page: Page,
    form: &Form<'_>,
) -> Result<Answer> {
    let name = form.text("copy").to_owned();
    let mut faults = Faults::default();
    match words::fault(&name) {
        Some(fault) => faults.add("copy", fault),
        None if write(session, form, &page.bundle, &name).await? => {
            let owner = &session.caller.user.username;
            return Ok(Answer::Done(view.links().bundle(owner, &name)));
        }
        None => faults.add("copy", "You have a bundle of that name already."),
    }
    page.copy = Entered { name, faults };
    Ok(Answer::Invalid(page.drawn(view)))
}

/// Writes the copy; says no when its owner has a bundle of that name.
async fn write(session: &Session, form: &Form<'_>, bundle: &Bundle, name: &str) -> Result<bool> {
    let now = Timestamp::now();
    let mut tx = form.begin().await?;
    let project = bundle.project_id;
    if !bulk::new_bundle(&mut tx, session, project, name, &mut Faults::default()).await? {
        return Ok(false);
    }
    let owner = &session.caller.user.username;
    let copy = store::bundle::by_name(&mut tx, owner, name).await?;
    let copy = Bundle {
        description: bundle.description.clone(),
        ..copy.ok_or_else(Error::missing)?
    };
    store::bundle::update(&mut tx, &copy).await?;
    let patches = store::bundle::patches(&mut tx, bundle.id).await?;
    store::bundle::append(&mut tx, copy.id, &patches).await?;
    let count = bulk::patches(patches.len());
    let told = Notice::done(format!("Bundle “{name}” created with {count}."));
    session.tell(&mut tx, vec![told], now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Draws the form.
pub(super) fn drawn(view: &View, page: &Page) -> Markup {
    let entered = &page.copy;
    let address = view.links().bundle(&page.owner, &page.bundle.name);
    let name = Field::new("copy", "Name of the copy", &entered.name);
    html! {
        details.below.copying open[!entered.faults.is_empty()] {
            summary { "Copy this bundle" }
            div.narrow {
                p.muted { "All its patches in their order, as a private bundle of yours." }
                form.entries method="post" action=(address) {
                    (view.csrf())
                    input type="hidden" name="form" value="copy";
                    (name.drawn(&entered.faults))
                    p { button.primary type="submit" { "Copy" } }
                }
            }
        }
    }
}
