//! Webhooks in the console: made, tested, looked after; the secret stays with those who may change it.

use patchwork::store::Db;

use super::{
    super::{browser::Browser, seed},
    number, resend, staff, texts, world,
};

const HOOKS: &str = "/admin/patchwork/webhook";

pub async fn webhooks_are_set_up_and_tested(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let admin = Browser::of(&site, db, world.admin).await;
    let project = number(db, "SELECT min(id) FROM project").await.to_string();
    let add = format!("{HOOKS}/add/");
    for (field, value, why) in [
        ("url", "ftp://ci.example.org/", "https://host/path"),
        (
            "url",
            "https://mara:word@ci.example.org/",
            "without a name or password",
        ),
        (
            "categories",
            "patch-created patches",
            "“patches” is no kind of event",
        ),
        ("secret", "short", "16 to 200 characters"),
    ] {
        let fields = [
            ("project_id", project.as_str()),
            ("url", "https://ci.example.org/hook"),
            (field, value),
        ];
        let refused = resend(&admin, &add, &fields).await;
        assert_eq!(refused.status, 422, "{field} {value}");
        assert!(refused.body.contains(why), "{why}");
    }
    let fields = [
        ("project_id", project.as_str()),
        ("url", "https://ci.example.org/hook"),
        ("categories", "check-created"),
    ];
    assert_eq!(resend(&admin, &add, &fields).await.status, 303);
    let secret = texts(db, "SELECT secret FROM webhook").await.remove(0);
    assert!(secret.starts_with("whsec_"), "one was made");
    let newest = number(db, "SELECT coalesce(max(id), 0) FROM event").await;
    assert_eq!(
        number(db, "SELECT last_event FROM webhook").await,
        newest,
        "what was before is not sent"
    );
    let id = number(db, "SELECT id FROM webhook").await;
    let path = format!("{HOOKS}/{id}/change/");
    assert_eq!(admin.get(&path).await.texts("#secret"), [secret.as_str()]);
    let viewer = staff(db, "viewer", &["patchwork.view_webhook"]).await;
    let viewer = Browser::of(&site, db, viewer).await;
    let seen = viewer.get(&path).await;
    assert_eq!(seen.status, 200);
    assert!(!seen.body.contains(&secret));
    let entered = "a-secret-of-our-own";
    assert_eq!(
        resend(&admin, &path, &[("secret", entered)]).await.status,
        303
    );
    assert_eq!(texts(db, "SELECT secret FROM webhook").await, [entered]);
    assert_eq!(
        resend(&admin, &path, &[("categories", "")]).await.status,
        303
    );
    assert_eq!(
        texts(db, "SELECT secret FROM webhook").await,
        [entered],
        "left empty it stays"
    );
    let logged = texts(db, "SELECT changes FROM audit").await.concat();
    assert!(!logged.contains(entered) && !logged.contains(&secret));
    let act = format!("{HOOKS}/{id}/do/");
    admin.submit(&act, &[("action", "test")]).await;
    let queued = "SELECT count(*) FROM webhook_delivery WHERE category = 'test' AND next_try IS NOT NULL AND tries = 0";
    assert_eq!(number(db, queued).await, 1);
    let log = admin
        .get(&format!(
            "/admin/patchwork/webhookdelivery/?webhook={id}&state=waiting"
        ))
        .await;
    assert_eq!(log.texts(".things tbody tr").len(), 1);
    let delivery = number(db, "SELECT id FROM webhook_delivery").await;
    super::run(
        db,
        patchwork::store::sql(
            "UPDATE webhook_delivery SET tries = 8, next_try = NULL, answer = 'no'",
        ),
    )
    .await;
    let again = format!("/admin/patchwork/webhookdelivery/{delivery}/do/");
    admin.submit(&again, &[("action", "again")]).await;
    assert_eq!(number(db, queued).await, 1);
    let gone = format!("{HOOKS}/{id}/delete/");
    let asked = admin.get(&gone).await;
    assert!(asked.body.contains("Deliveries"), "what goes along is told");
    assert_eq!(admin.post(&gone, &[("confirmed", "1")]).await.status, 303);
    assert_eq!(number(db, "SELECT count(*) FROM webhook_delivery").await, 0);
}
