//! What is done with accounts besides editing their fields.

use super::{
    super::{
        super::{
            error::{Error, Result},
            form::Form,
            letter, password, registration,
        },
        matrix,
        model::{Acted, Common, Noun},
        work::Work,
    },
    LAST, MODEL, hashed, judged_password, number,
};
use crate::{
    domain::{PersonId, ProjectId, UserId, permission::Deed},
    store::{
        self,
        admin::{self, lookup, member},
        audit::{self, Change},
        permission::{self, Holder},
    },
};

pub(super) async fn switch(work: &mut Work<'_>, id: &str, is_active: bool) -> Result<()> {
    work.update(id, vec![("is_active", is_active.into())])
        .await?;
    let said = |yes: bool| if yes { "yes" } else { "no" };
    work.changed(id, "May log in", said(!is_active), said(is_active))
        .await
}

pub(super) async fn deactivate(work: &mut Work<'_>, ids: &[String]) -> Result<Acted> {
    for id in ids {
        if number(id) == work.access.user.id {
            let others = member::other_superusers(&mut work.tx, number(id)).await?;
            let why = if others == 0 {
                LAST
            } else {
                "Nobody deactivates the own account."
            };
            return Ok(Acted::Refused(why.into()));
        }
        switch(work, id, false).await?;
        store::session::end_others(&mut work.tx, number(id), &[]).await?;
    }
    Ok(Acted::Done(format!(
        "{} may not log in any more.",
        MODEL.counted(ids.len())
    )))
}

/// Mails each account the link to choose a new password; those that cannot get one are named.
pub(super) async fn mail_reset(work: &mut Work<'_>, ids: &[String]) -> Result<Acted> {
    let (mut sent, mut left) = (0, Vec::new());
    let site = letter::site(work.view, &mut work.tx).await?;
    for id in ids {
        let user = store::user::by_id(&mut work.tx, number(id))
            .await?
            .ok_or_else(Error::missing)?;
        if !password::can_reset(&user) {
            left.push(user.username);
            continue;
        }
        let now = work.access.now;
        password::write(work.view, &mut work.tx, &site, &user, now).await?;
        work.changed(id, "Link to choose a new password", "", "mailed")
            .await?;
        sent += 1;
    }
    work.has_mails = sent > 0;
    Ok(mailed(
        sent,
        &left,
        "no address, no password, or not active",
    ))
}

/// Mails the link once more that makes an account active.
pub(super) async fn mail_confirmation(work: &mut Work<'_>, ids: &[String]) -> Result<Acted> {
    let (mut sent, mut left) = (0, Vec::new());
    for id in ids {
        let user = store::user::by_id(&mut work.tx, number(id))
            .await?
            .ok_or_else(Error::missing)?;
        if user.email.is_empty() || !member::is_pending(&mut work.tx, user.id).await? {
            left.push(user.username);
            continue;
        }
        let (view, now) = (work.view, work.access.now);
        let whom = (user.id, user.username.as_str(), user.email.as_str());
        registration::confirm(view, &mut work.tx, whom, now).await?;
        work.changed(id, "Confirmation", "", "mailed once more")
            .await?;
        sent += 1;
    }
    work.has_mails = sent > 0;
    Ok(mailed(sent, &left, "confirmed already, or switched off"))
}

fn mailed(sent: usize, left: &[String], why: &str) -> Acted {
    let left = match left {
        [] => String::new(),
        left => format!(" Nothing went to {}: {why}.", left.join(", ")),
    };
    match sent {
        0 => Acted::Refused(left.trim().to_owned()),
        1 => Acted::Done(format!("A mail is on its way.{left}")),
        sent => Acted::Done(format!("{sent} mails are on their way.{left}")),
    }
}

pub(super) async fn maintain(
    work: &mut Work<'_>,
    ids: &[String],
    form: &Form<'_>,
) -> Result<Acted> {
    let project = admin::find(&mut work.tx, &lookup::PROJECT, form.text("project")).await?;
    let Some(project) = project.map(ProjectId) else {
        return Ok(Acted::Refused("Choose a project.".into()));
    };
    let stored = store::project::by_id(&mut work.tx, project)
        .await?
        .ok_or_else(Error::missing)?;
    let is_own = |id: &String| number(id) == work.access.user.id;
    if ids.iter().any(is_own)
        && !work
            .access
            .holds(&super::super::project::MODEL, Deed::Change)
    {
        return Ok(Acted::Refused(
            "Nobody takes rights: ask somebody who may change projects.".into(),
        ));
    }
    for id in ids {
        store::user::add_maintainer(&mut work.tx, number(id), project).await?;
        work.changed(id, "Maintainer of", "", &stored.linkname)
            .await?;
    }
    Ok(Acted::Done(format!(
        "{} maintain {} now.",
        MODEL.counted(ids.len()),
        stored.linkname
    )))
}

pub(super) async fn act_on(
    work: &mut Work<'_>,
    action: &str,
    id: &str,
    form: &Form<'_>,
) -> Result<Acted> {
    let user = number(id);
    match action {
        "unmaintain" => {
            let name = form.text("project");
            let Some(project) = store::project::by_linkname(&mut work.tx, name).await? else {
                return Ok(Acted::Refused("There is no such project.".into()));
            };
            member::remove_maintainer(&mut work.tx, user, project.id).await?;
            work.changed(id, "Maintainer of", name, "").await?;
            Ok(Acted::Done(format!(
                "It does not maintain {name} any more."
            )))
        }
        "unlink" => {
            let person = PersonId(form.text("person").parse().unwrap_or_default());
            let known = store::person::by_id(&mut work.tx, person).await?;
            let Some(known) = known.filter(|known| known.user_id == Some(user)) else {
                return Ok(Acted::Refused("That person is not this account's.".into()));
            };
            member::link(&mut work.tx, person, None).await?;
            work.changed(id, "People", &known.email, "").await?;
            Ok(Acted::Done(format!(
                "{} is not this account's any more.",
                known.email
            )))
        }
        "password" => {
            let given = form.raw("password_new").unwrap_or_default();
            let again = form.raw("password_again").unwrap_or_default();
            let account = store::user::by_id(&mut work.tx, user)
                .await?
                .ok_or_else(Error::missing)?;
            let own = [account.username.as_str(), account.email.as_str()];
            if let Some(fault) = judged_password(given, again, &own) {
                return Ok(Acted::Refused(fault.into()));
            }
            let hash = hashed(given).await?;
            store::user::set_password(&mut work.tx, user, &hash).await?;
            work.changed(id, "Password", "", "set anew").await?;
            Ok(Acted::Done(
                "The password was set; all sessions of the account have ended.".into(),
            ))
        }
        "revoke" => {
            let token = form.text("token").parse().unwrap_or_default();
            store::token::delete(&mut work.tx, user, token).await?;
            work.changed(id, "Tokens", &format!("#{token}"), "").await?;
            Ok(Acted::Done("The token works no more.".into()))
        }
        "rights" => save_rights(work, id, user, form).await,
        _ => Common.act(work, action, &[id.to_owned()], form).await,
    }
}

async fn save_rights(
    work: &mut Work<'_>,
    id: &str,
    user: UserId,
    form: &Form<'_>,
) -> Result<Acted> {
    if !work.access.console.everything {
        return Ok(Acted::Refused("Only superusers change rights.".into()));
    }
    let before = permission::held(&mut work.tx, Holder::Account(user.0)).await?;
    let names = matrix::sent(form);
    permission::set(&mut work.tx, Holder::Account(user.0), &names).await?;
    let known: Vec<i64> = permission::groups(&mut work.tx)
        .await?
        .iter()
        .map(|(id, _)| *id)
        .collect();
    let groups_before = permission::groups_of(&mut work.tx, user.0).await?;
    let mut groups: Vec<i64> = form.all("group").filter_map(|id| id.parse().ok()).collect();
    groups.retain(|id| known.contains(id));
    groups.sort_unstable();
    permission::set_groups(&mut work.tx, user.0, &groups).await?;
    let said = |groups: &[i64]| {
        groups
            .iter()
            .map(|id| format!("#{id}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let changes: Vec<Change> = [
        Change::new("Permissions", before.join(" "), names.join(" ")),
        Change::new("Groups", said(&groups_before), said(&groups)),
    ]
    .into_iter()
    .filter(|change| change.before != change.after)
    .collect();
    let label = work.label(id).await?;
    work.log(audit::Action::Changed, id, &label, &changes)
        .await?;
    Ok(Acted::Done("The rights were saved.".into()))
}
