//! The settings of pwclient for a project, ready to be saved (`web.md §5`).

use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    download::File,
    error::Result,
    guard::{Sender, View},
    letter,
};
use crate::{domain::site::SAMPLE_DOMAIN, store};

/// Returns the route of the settings file.
pub fn routes() -> Vec<Route> {
    rocket::routes![pwclientrc]
}

#[rocket::get("/project/<linkname>/pwclientrc")]
async fn pwclientrc(
    linkname: &str,
    view: View<'_>,
    sender: Sender<'_>,
    mut db: Db<'_>,
) -> Result<Answer> {
    let options = view.options();
    let (backend, path) = match (options.rest_api, options.xmlrpc) {
        (true, _) => ("rest", "/api/"),
        (false, true) => ("xmlrpc", "/xmlrpc/"),
        (false, false) => return Err(Error::missing()),
    };
    let project = store::project::by_linkname(&mut db, linkname)
        .await?
        .ok_or_else(Error::no_project)?;
    let caller = sender.caller(&mut db).await?;
    // The setting counts, else the domain in the database, else what the browser says.
    let domain = match options.site_url {
        Some(_) => None,
        None => store::health::site_domain(&mut db).await?,
    };
    let url = match domain.filter(|domain| domain != SAMPLE_DOMAIN) {
        Some(_) => letter::site(&view, &mut db).await? + path,
        None => view.absolute(&format!("{}{path}", view.links().base())),
    };
    let username = caller.as_ref().map(|caller| caller.user.username.as_str());
    let text = settings(&project.linkname, backend, &url, username);
    Ok(Answer::File(File::pwclientrc(text)))
}

fn settings(linkname: &str, backend: &str, url: &str, username: Option<&str>) -> String {
    let login = username.map_or(String::new(), |username| {
        format!("username = {username}\npassword = <your password>\n")
    });
    format!(
        "# Settings of pwclient for the project {linkname}.\n\
         #\n\
         # Append this to your ~/.pwclientrc. If you have none, save it under that name and take the marks off the\n\
         # next two lines:\n\
         #[options]\n\
         #default = {linkname}\n\
         \n\
         [{linkname}]\nbackend = {backend}\nurl = {url}\n{login}"
    )
}
