//! Who may be answered by a standby, a moment behind the database: who only looks at what everybody may see, and has written
//! nothing that he could miss.

/// Where there is nothing that a visitor has just made himself, such as an account: the first part of a path.
const READ_ONLY: &[&str] = &[
    "", "api", "bundle", "comment", "cover", "patch", "person", "project", "search", "series",
];

/// Says whether a visitor may be answered a moment late. `path` begins below the site's base; `is_known` says that the request
/// names somebody: a session, a token, a password.
pub fn may_be_late(is_read: bool, path: &str, is_known: bool) -> bool {
    let first = path.trim_start_matches('/').split('/').next();
    is_read && !is_known && first.is_some_and(|first| READ_ONLY.contains(&first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_who_only_look_may_be_answered_late() {
        for path in [
            "/",
            "/project/p/list/",
            "//patch/1/",
            "/api/patches/",
            "/api",
        ] {
            assert!(may_be_late(true, path, false), "{path}");
            assert!(!may_be_late(false, path, false), "{path}: written");
            assert!(!may_be_late(true, path, true), "{path}: known");
        }
        for path in [
            "/user/login/",
            "/confirm/abc/",
            "/register/",
            "/mail/",
            "/admin/",
            "/projects",
            "/inbound/mail/",
        ] {
            assert!(!may_be_late(true, path, false), "{path}");
        }
    }
}
