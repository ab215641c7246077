//! Keeps passwords out of everything that is shown.

/// What stands in a secret's place.
pub(super) const STARS: &str = "********";

/// Returns an address with its password replaced, wherever in it that is.
pub fn masked(url: &str) -> String {
    let url = without_user_password(url);
    match url.split_once('?') {
        Some((rest, query)) => format!("{rest}?{}", masked_query(query)),
        None => url,
    }
}

fn without_user_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return mistyped(url);
    };
    // A password may hold slashes, marks and at signs that somebody forgot to encode: the last `@` counts.
    let Some((who, host)) = rest.rsplit_once('@') else {
        return url.to_owned();
    };
    match who.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:{STARS}@{host}"),
        None => url.to_owned(),
    }
}

/// An address with a mistake in it, `postgres//user:password@host`, holds its password all the same.
fn mistyped(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((who, host)) if !url.starts_with("sqlite:") => match who.split_once(':') {
            Some((start, _)) => format!("{start}:{STARS}@{host}"),
            None => url.to_owned(),
        },
        _ => url.to_owned(),
    }
}

fn masked_query(query: &str) -> String {
    let parts = query.split('&').map(|part| match part.split_once('=') {
        Some((key, _)) if key.to_ascii_lowercase().contains("password") => format!("{key}={STARS}"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("&")
}
