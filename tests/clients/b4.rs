//! b4: sets states as a side effect of applying series and thanking for them.

use super::{
    pwclient,
    session::Desk,
    site::{self, Site},
};

fn session(site: &Site) {
    let Some(programs) = site::client("main") else {
        return;
    };
    let desk = Desk::new(site, programs);
    desk.configure(&[
        ("b4.pw-url", "$URL"),
        ("b4.pw-project", "p"),
        ("b4.pw-key", "$TOKEN"),
        ("b4.pw-review-state", "under-review"),
        ("b4.pw-accept-state", "accepted"),
        ("b4.pw-discard-state", "rejected"),
        // There is no network here, and nobody to thank.
        ("b4.midmask", "$URL/%s"),
        ("b4.attestation-policy", "off"),
    ]);
    pwclient::configure(&desk);
    desk.play("b4");
}

#[test]
fn states_follow() {
    site::on_sqlite(session);
}
