//! Where the site is, for links in mails: what the settings say, else the domain of the site's row. Never what a request
//! says of its host: whoever sends one could have a mail lead anywhere.

use crate::store::{self, Conn};

/// Returns the address of the site, without a slash at its end. `url` is what the settings say, `base` the path below
/// which the site lives.
///
/// # Errors
/// When the database is away.
pub async fn of_site(
    conn: &mut Conn,
    url: Option<&str>,
    force_https: bool,
    base: &str,
) -> store::Result<String> {
    let site = match url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => {
            let domain = store::health::site_domain(conn).await?;
            let scheme = if force_https { "https" } else { "http" };
            format!("{scheme}://{}", domain.unwrap_or_default())
        }
    };
    Ok(format!("{site}{base}"))
}
