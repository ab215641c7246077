//! pwclient 2.x on the REST API.

use super::{
    session::Desk,
    site::{self, Site},
};

/// Writes the settings of everybody who takes part: to read, and to write as several accounts.
pub fn configure(desk: &Desk<'_>) {
    desk.file(".pwclientrc", &settings(""));
    for (name, credentials) in [
        ("token.rc", "token = $TOKEN\n"),
        ("basic.rc", "username = m\npassword = $PASSWORD\n"),
        ("ada.rc", "username = ada\npassword = $PASSWORD\n"),
        ("other.rc", "username = other\npassword = $PASSWORD\n"),
        (
            "wrong-token.rc",
            "token = 0123456789abcdef0123456789abcdef01234567\n",
        ),
        ("wrong-password.rc", "username = m\npassword = wrong\n"),
    ] {
        desk.file(name, &settings(credentials));
    }
}

fn settings(credentials: &str) -> String {
    format!("[options]\ndefault = p\n\n[p]\nbackend = rest\nurl = $URL/api/\n{credentials}")
}

fn session(site: &Site, client: &str) {
    let Some(programs) = site::client(client) else {
        return;
    };
    let desk = Desk::new(site, programs);
    configure(&desk);
    desk.play("pwclient-rest");
}

#[test]
fn on_sqlite() {
    site::on_sqlite(|site| session(site, "main"));
}

#[test]
fn on_postgres() {
    site::on_postgres(|site| session(site, "main"));
}

#[test]
fn the_newest() {
    site::on_sqlite(|site| session(site, "new"));
}
