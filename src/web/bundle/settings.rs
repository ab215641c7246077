//! What the owner of a bundle changes of it: name, description, whether it is public; and deleting it.

use super::*;

/// What stands in the form of the settings, and what is wrong with it.
pub(super) struct Entered {
    name: String,
    description: String,
    public: bool,
    faults: Faults,
}

impl Entered {
    pub(super) fn of(bundle: &Bundle) -> Entered {
        Entered {
            name: bundle.name.clone(),
            description: bundle.description.clone(),
            public: bundle.public,
            faults: Faults::default(),
        }
    }
}

/// Changes or deletes the owner's bundle.
pub(super) async fn change(
    view: &View<'_>,
    session: &Session,
    mut page: Page,
    form: &Form<'_>,
) -> Result<Answer> {
    match form.text("action").to_lowercase().as_str() {
        "update" => {}
        "delete" => {
            delete(session, form, &page.bundle).await?;
            return Ok(Answer::Done(view.links().user()));
        }
        // Compatibility: without an action nothing happens.
        _ => return Ok(Answer::Done(page.list.here())),
    }
    let mut entered = Entered {
        public: form.is_ticked("public"),
        ..Entered::of(&page.bundle)
    };
    if let Some(name) = form.get("name") {
        name.clone_into(&mut entered.name);
    }
    if let Some(description) = form.get("description") {
        description.clone_into(&mut entered.description);
    }
    check(&mut entered);
    if entered.faults.is_empty() && write(session, form, &page.bundle, &mut entered).await? {
        return Ok(Answer::Done(
            view.links().bundle(&page.owner, &entered.name),
        ));
    }
    page.settings = entered;
    Ok(Answer::Invalid(page.drawn(view)))
}

fn check(entered: &mut Entered) {
    if let Some(fault) = words::fault(&entered.name) {
        entered.faults.add("name", fault);
    }
    let fits = entered.description.chars().count() <= words::MAX_DESCRIPTION;
    let why = "A description has 2000 characters at most.";
    entered.faults.check(fits, "description", why);
}

/// Writes the settings; says no when the name is another bundle's.
async fn write(
    session: &Session,
    form: &Form<'_>,
    bundle: &Bundle,
    entered: &mut Entered,
) -> Result<bool> {
    let now = Timestamp::now();
    let mut tx = form.begin().await?;
    let after = Bundle {
        name: entered.name.clone(),
        description: entered.description.clone(),
        public: entered.public,
        ..bundle.clone()
    };
    match store::bundle::update(&mut tx, &after).await {
        Ok(()) => {}
        Err(error) if error.is_duplicate() => {
            let why = "You have another bundle of that name.";
            entered.faults.add("name", why);
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    }
    let told = vec![Notice::done("Bundle updated.")];
    session.tell(&mut tx, told, now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Deletes a bundle of who is logged in.
pub(super) async fn delete(session: &Session, form: &Form<'_>, bundle: &Bundle) -> Result<()> {
    let now = Timestamp::now();
    let mut tx = form.begin().await?;
    store::bundle::delete(&mut tx, bundle.id).await?;
    let told = format!(
        "Bundle “{}” deleted. Its patches stay.",
        odd::shown(&bundle.name)
    );
    session.tell(&mut tx, vec![Notice::done(told)], now).await?;
    tx.commit().await?;
    Ok(())
}

/// Draws the settings and the way to delete the bundle.
pub(super) fn drawn(view: &View, page: &Page) -> Markup {
    let entered = &page.settings;
    let address = view.links().bundle(&page.owner, &page.bundle.name);
    let name = Field {
        hint: "Part of the address of the bundle: 50 characters at most, no slash.",
        ..Field::new("name", "Name", &entered.name)
    };
    let wrong = entered.faults.of("description");
    let described = (!wrong.is_empty()).then_some("description-error");
    html! {
        details.below #settings open[!entered.faults.is_empty()] {
            summary { "Settings of this bundle" }
            div.narrow {
                form.entries method="post" action=(address) {
                    (view.csrf())
                    input type="hidden" name="form" value="bundle";
                    (name.drawn(&entered.faults))
                    div.entry {
                        label for="id_description" { "Description" span.muted { " (optional)" } }
                        textarea #id_description name="description" rows="3" maxlength=(words::MAX_DESCRIPTION)
                            aria-describedby=[described] { (entered.description) }
                        @if !wrong.is_empty() { p.wrong #description-error { (wrong.join(" ")) } }
                    }
                    (field::tick("public", "Public: everybody may see and download it", entered.public))
                    p { button.primary type="submit" name="action" value="update" { "Save" } }
                }
                div.danger-zone {
                    h2 { "Delete this bundle" }
                    p { "Its patches stay; its address and its order are gone for good." }
                    p { a.button.danger href={ (view.links().user_page("bundles/")) "?delete=" (page.bundle.id) } { "Delete …" } }
                }
            }
        }
    }
}
