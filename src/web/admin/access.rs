//! Who may do what in the console: staff, what they were given, superusers everything; and the password once more, if it
//! was entered long ago and something cannot be taken back.

use maud::Markup;

use super::{
    super::{
        error::{Error, Result},
        field::{self, Faults},
        form::Form,
        guard::View,
        password,
    },
    model::{ALL, Model},
};
use crate::{
    domain::{
        Timestamp,
        permission::{Console, Deed},
        user::User,
    },
    store::{self, Conn},
};

/// After so many minutes the password has to be entered once more for what is grave.
const FRESH_MINUTES: i64 = 60;

/// Somebody who may enter the console.
pub struct Access {
    /// Who it is.
    pub user: User,
    /// What was granted.
    pub console: Console,
    /// The network address.
    pub address: String,
    /// The moment of the request.
    pub now: Timestamp,
    /// Whether the password was entered long ago.
    pub is_stale: bool,
}

impl Access {
    /// Lets staff in.
    ///
    /// # Errors
    /// When nobody is logged in, or somebody who is not staff.
    pub async fn of(view: &View<'_>, conn: &mut Conn) -> Result<Access> {
        let session = view.logged_in()?;
        let user = session.caller.user.clone();
        if !user.is_staff {
            return Err(Error::Forbidden(
                "Administration is for staff only, and your account is not staff. A superuser of this site can change that.",
            ));
        }
        if view.options().staff_second_factor && !user.has_second_factor {
            return Err(Error::Forbidden(
                "On this site staff need a second factor. Set one up in your profile, under Account, and come back.",
            ));
        }
        let console = store::permission::of(conn, user.id, user.is_superuser).await?;
        let now = Timestamp::now();
        Ok(Access {
            user,
            console,
            address: view.address(),
            now,
            is_stale: session.created < now.plus_minutes(-FRESH_MINUTES),
        })
    }

    /// Says whether something may be done with a kind of things, and the console offers it.
    pub fn may(&self, model: &Model, deed: Deed) -> bool {
        (model.offers(deed) || deed == Deed::View) && self.holds(model, deed)
    }

    /// Says whether the permission is there, whatever the console offers.
    pub fn holds(&self, model: &Model, deed: Deed) -> bool {
        self.console.may(model.app, deed, model.name)
    }

    /// Refuses who may not.
    ///
    /// # Errors
    /// When it may not be done.
    pub fn require(&self, model: &Model, deed: Deed) -> Result<()> {
        if self.may(model, deed) {
            return Ok(());
        }
        Err(Error::Forbidden(match deed {
            Deed::View => "Your account has no permission to see these.",
            Deed::Add => "Your account has no permission to add one of these.",
            Deed::Change => "Your account has no permission to change these.",
            Deed::Delete => "Your account has no permission to delete these.",
        }))
    }

    /// Returns the kinds of things that may be looked at.
    pub fn models(&self) -> impl Iterator<Item = &'static Model> {
        ALL.iter()
            .copied()
            .filter(|model| self.may(model, Deed::View))
    }

    /// Draws the field for the password, where it has to be entered once more.
    pub fn password_field(&self, is_grave: bool, faults: &Faults) -> Markup {
        if !is_grave || !self.is_stale {
            return Markup::default();
        }
        field::Field {
            hint: "You logged in more than an hour ago.",
            ..field::Field::password("own_password", "Your own password", "current-password")
        }
        .drawn(faults)
    }

    /// Looks at the password, where it has to be entered once more.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn confirm(
        &self,
        is_grave: bool,
        form: &Form<'_>,
        faults: &mut Faults,
    ) -> Result<()> {
        if !is_grave || !self.is_stale {
            return Ok(());
        }
        password::confirm(&self.user, form, "own_password", faults).await
    }

    /// Says why nothing was done, where [`Self::confirm`] found a fault.
    pub fn unconfirmed(&self, faults: &Faults) -> String {
        let why = match faults.is_too_often() {
            true => faults.of("own_password").join(" "),
            false => {
                "This takes your own password, as you logged in more than an hour ago.".to_owned()
            }
        };
        format!("Nothing was done. {why}")
    }
}
