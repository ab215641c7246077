//! git-pw: patches, series and bundles as forms.

use super::{
    session::Desk,
    site::{self, Site},
};

fn session(site: &Site) {
    let Some(programs) = site::client("main") else {
        return;
    };
    let desk = Desk::new(site, programs);
    desk.configure(&[
        ("pw.server", "$URL/api/1.4"),
        ("pw.project", "p"),
        ("pw.token", "$TOKEN"),
        ("pw.states", "new,under-review,accepted"),
    ]);
    desk.play("git-pw");
}

#[test]
fn on_sqlite() {
    site::on_sqlite(session);
}

#[test]
fn on_postgres() {
    site::on_postgres(session);
}
