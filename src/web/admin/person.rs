//! People: addresses seen on lists. Several that are one person become one; later mail from any of them finds it.

use maud::{Markup, html};

use super::{
    super::{
        error::{Error, Result},
        field::Faults,
        form::Form,
        guard::View,
    },
    access::Access,
    draft::Draft,
    model::{
        Acted, Action, By, Column, Common, Fate, Field, Filter, Kind, LINE, Loss, Model, Noun, On,
        PLAIN, Part, Show, Unique,
    },
    work::Work,
};
use crate::store::admin::lookup;
use crate::{
    domain::{Person, PersonId, permission::Deed, person},
    store::{
        self, Conn,
        admin::{self, Key, Table, mend},
        audit::{self, Change},
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "person",
    one: "Person",
    many: "People",
    part: Part::People,
    table: &Table {
        base: "person",
        kind: Key::Number,
        key: "t.id",
        label: "CASE WHEN coalesce(t.name, '') = '' THEN t.email ELSE t.name || ' <' || t.email || '>' END",
        columns: "CASE WHEN coalesce(t.name, '') = '' THEN t.email ELSE t.name END, t.email, a.username,
            (SELECT count(*) FROM patch p WHERE p.submitter_id = t.id),
            (SELECT count(*) FROM (SELECT DISTINCT p.project_id FROM patch p WHERE p.submitter_id = t.id) d),
            (EXISTS (SELECT 1 FROM email_optout o WHERE o.email = lower(t.email)))",
        joins: " LEFT JOIN account a ON a.id = t.account_id",
        only: "",
        words: &[("t.key", ""), ("lower(t.email)", "")],
        order: "t.id",
    },
    columns: &[
        Column::text("Person", "t.key"),
        Column::text("Address", "lower(t.email)"),
        Column::text("Account", ""),
        Column::new("Patches", Show::Number, ""),
        Column::new("Projects", Show::Number, ""),
        Column::new("Wants no mail", Show::Yes, ""),
    ],
    filters: &[Filter {
        key: "is",
        label: "Which",
        by: By::Choice(&[
            ("linked", "with an account", " AND t.account_id IS NOT NULL"),
            ("unlinked", "without an account", " AND t.account_id IS NULL"),
            ("unnamed", "without a name", " AND coalesce(t.name, '') = ''"),
        ]),
    }],
    fields: &[
        Field { name: "email", label: "Address", kind: Kind::Email(255), ..LINE },
        Field { name: "name", label: "Name", hint: "The next mail may bring another one.", required: false, nullable: true, ..LINE },
        Field { name: "account_id", label: "Account", kind: Kind::Row(&lookup::USER), required: false, ..LINE },
    ],
    unique: &[Unique { fields: &["email"], fault: "There is a person with this address." }],
    losses: &[
        Loss { what: "Patches", fate: Fate::Block, count: "SELECT count(*) FROM patch WHERE submitter_id = " },
        Loss { what: "Cover letters", fate: Fate::Block, count: "SELECT count(*) FROM cover WHERE submitter_id = " },
        Loss { what: "Comments", fate: Fate::Block, count: "SELECT count(*) FROM comment WHERE submitter_id = " },
        Loss { what: "Series", fate: Fate::Block, count: "SELECT count(*) FROM series WHERE submitter_id = " },
        Loss { what: "Other addresses", fate: Fate::Go, count: "SELECT count(*) FROM person_alias WHERE person_id = " },
    ],
    actions: &[Action {
        name: "merge",
        label: "Merge",
        deed: Deed::Change,
        on: On::Each,
        fields: &[Field { name: "into", label: "Merge into", hint: "The number or the address of who stays. What the chosen ones sent becomes that person's.", kind: Kind::Row(&lookup::PERSON), required: false, ..LINE }],
    }],
    noun: &People,
    ..PLAIN
};

struct People;

/// What people have sent is their account's: no right is to grow by itself.
const OWN: &str = "Only superusers give their own account people or addresses here. In your profile you can add addresses that are yours.";

/// Says whether a person is the account's who changes something.
fn is_own(work: &Work<'_>, person: &Person) -> bool {
    person.user_id == Some(work.access.user.id)
}

fn number(id: &str) -> PersonId {
    PersonId(id.parse().unwrap_or_default())
}

#[rocket::async_trait]
impl Noun for People {
    async fn check(
        &self,
        work: &mut Work<'_>,
        draft: &Draft,
        id: Option<&str>,
        faults: &mut Faults,
    ) -> Result<()> {
        let known =
            store::person::by_emails(&mut work.tx, vec![draft.get("email").to_owned()]).await?;
        let others = known.iter().any(|known| id.map(number) != Some(known.id));
        faults.check(!others, "email", "This address is a person's already.");
        let before = match id {
            Some(id) => store::person::by_id(&mut work.tx, number(id)).await?,
            None => None,
        };
        let is_as_before = before.is_some_and(|before| {
            is_own(work, &before) && before.email.eq_ignore_ascii_case(draft.get("email"))
        });
        let takes = draft.get("account_id") == work.access.user.id.to_string();
        let may = work.access.console.everything;
        faults.check(!takes || is_as_before || may, "account_id", OWN);
        Ok(())
    }

    async fn insert(&self, work: &mut Work<'_>, draft: &Draft) -> Result<String> {
        let key = person::key(Some(draft.get("name")), draft.get("email"));
        work.insert(draft, vec![("key", key.into())]).await
    }

    async fn update(
        &self,
        work: &mut Work<'_>,
        id: &str,
        draft: &Draft,
        before: &Draft,
    ) -> Result<()> {
        let mut values = draft.values(Some(before));
        let key = person::key(Some(draft.get("name")), draft.get("email"));
        values.push(("key", key.into()));
        work.update(id, values).await
    }

    async fn more(&self, conn: &mut Conn, _: &View<'_>, _: &Access, id: &str) -> Result<Markup> {
        let aliases = mend::aliases(conn, number(id)).await?;
        Ok(html! {
            @if !aliases.is_empty() {
                section.more {
                    h2 { "Other addresses" }
                    p.hint { "Of people that were merged into this one; mail from them is this person's." }
                    ul.plain { @for alias in aliases { li { (alias) } } }
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
        if action != "merge" {
            return Common.act(work, action, ids, form).await;
        }
        let into = admin::find(&mut work.tx, &lookup::PERSON, form.text("into")).await?;
        let Some(into) = into.map(PersonId) else {
            return Ok(Acted::Refused(
                "There is no person of that number or address to merge into.".into(),
            ));
        };
        if !work.access.console.everything {
            for id in ids.iter().map(|id| number(id)).chain([into]) {
                let person = store::person::by_id(&mut work.tx, id).await?;
                if person.is_some_and(|person| is_own(work, &person)) {
                    return Ok(Acted::Refused(OWN.into()));
                }
            }
        }
        let survivor = work.label(&into.to_string()).await?;
        let mut count = 0;
        for id in ids.iter().filter(|id| number(id) != into) {
            let label = work.label(id).await?;
            mend::merge_people(&mut work.tx, number(id), into).await?;
            let change = Change::new("Merged into", "", &survivor);
            work.log(audit::Action::Deleted, id, &label, &[change])
                .await?;
            work.changed(&into.to_string(), "Merged with", "", &label)
                .await?;
            count += 1;
        }
        if count == 0 {
            return Ok(Acted::Refused(
                "Choose another person to merge into.".into(),
            ));
        }
        Ok(Acted::Done(format!(
            "{} became {survivor}.",
            MODEL.counted(count)
        )))
    }

    async fn address(&self, conn: &mut Conn, _: &View<'_>, id: &str) -> Result<Option<String>> {
        store::person::by_id(conn, number(id))
            .await?
            .ok_or_else(Error::missing)?;
        Ok(None)
    }
}
