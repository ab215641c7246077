//! A change under way: its transaction, who makes it, and its entries in the log of administration.

use super::{
    super::{
        error::{Error, Result},
        form::Form,
        guard::View,
    },
    access::Access,
    draft::Draft,
    model::Model,
};
use crate::{
    domain::{change::Actor, notice::Notice},
    store::{
        self, Tx, Value, admin,
        audit::{Action, Change, NewEntry},
    },
};

/// A change under way.
pub struct Work<'a> {
    /// Its transaction.
    pub tx: Tx,
    /// What is changed.
    pub model: &'static Model,
    /// Who changes it.
    pub access: &'a Access,
    /// The page it is asked on.
    pub view: &'a View<'a>,
    /// Whether a mail was written that may leave after the commit.
    pub has_mails: bool,
}

impl<'a> Work<'a> {
    /// Begins a change.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn begin(
        view: &'a View<'a>,
        form: &Form<'_>,
        model: &'static Model,
        access: &'a Access,
    ) -> Result<Work<'a>> {
        Ok(Work {
            tx: form.begin().await?,
            model,
            access,
            view,
            has_mails: false,
        })
    }

    /// Returns who does it, for events.
    pub fn actor(&self) -> Actor {
        Actor {
            user: Some(self.access.user.id),
            at: self.access.now,
        }
    }

    /// Returns an id of an address as a value.
    ///
    /// # Errors
    /// When it cannot be one.
    pub fn key(&self, id: &str) -> Result<Value> {
        self.model.table.id(id).ok_or_else(Error::missing)
    }

    /// Returns what a thing is called.
    ///
    /// # Errors
    /// When it is not there, or the database is away.
    pub async fn label(&mut self, id: &str) -> Result<String> {
        let key = self.key(id)?;
        let label = admin::label(&mut self.tx, self.model.table, key).await?;
        label.ok_or_else(Error::missing)
    }

    /// Makes a row of a draft and further values, and returns its id.
    ///
    /// # Errors
    /// When the database is away or refuses.
    pub async fn insert(
        &mut self,
        draft: &Draft,
        further: Vec<(&'static str, Value)>,
    ) -> Result<String> {
        let mut values = draft.values(None);
        values.extend(further);
        let id = admin::insert(&mut self.tx, self.model.table.base, values).await?;
        Ok(id.to_string())
    }

    /// Writes what differs from what there is.
    ///
    /// # Errors
    /// When the database is away or refuses.
    pub async fn update(&mut self, id: &str, values: Vec<(&'static str, Value)>) -> Result<()> {
        let key = self.key(id)?;
        Ok(admin::update(&mut self.tx, self.model.table, key, values).await?)
    }

    /// Deletes a row.
    ///
    /// # Errors
    /// When the database is away or refuses.
    pub async fn remove_row(&mut self, id: &str) -> Result<()> {
        let key = self.key(id)?;
        admin::delete(&mut self.tx, self.model.table, key).await?;
        Ok(())
    }

    /// Logs what was done to a thing.
    ///
    /// # Errors
    /// When the database is away or refuses.
    pub async fn log(
        &mut self,
        action: Action,
        id: &str,
        label: &str,
        changes: &[Change],
    ) -> Result<()> {
        let entry = NewEntry {
            date: self.access.now,
            user: Some(self.access.user.id),
            username: &self.access.user.username,
            address: &self.access.address,
            action,
            model: &self.model.logged_as(),
            object_id: id,
            object: label,
            changes,
        };
        Ok(store::audit::insert(&mut self.tx, &entry).await?)
    }

    /// Logs that one thing about a thing was changed.
    ///
    /// # Errors
    /// When the database is away or refuses.
    pub async fn changed(&mut self, id: &str, what: &str, before: &str, after: &str) -> Result<()> {
        let label = self.label(id).await?;
        let change = Change::new(what, before, after);
        self.log(Action::Changed, id, &label, &[change]).await
    }

    /// Ends the change, and tells of it on the next page.
    ///
    /// # Errors
    /// When the database is away or refuses.
    pub async fn end(mut self, notice: Notice) -> Result<()> {
        if let Some(session) = self.view.session() {
            session
                .tell(&mut self.tx, vec![notice], self.access.now)
                .await?;
        }
        self.tx.commit().await?;
        if self.has_mails {
            self.view.send_mails();
        }
        Ok(())
    }
}
