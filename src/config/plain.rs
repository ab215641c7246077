//! The upper-case names that deployments have used for years: in the environment and in the site's file.

/// A name of old: what it sets, and how its values read today.
pub(super) struct Plain {
    /// The setting.
    pub key: &'static str,
    /// The value as the setting takes it; `None` leaves the setting alone.
    pub value: fn(&str) -> Option<String>,
}

const NAMES: &[(&str, &str)] = &[
    ("SECRET_KEY", "site.secret_key"),
    ("DJANGO_SECRET_KEY", "site.secret_key"),
    ("ALLOWED_HOSTS", "site.hosts"),
    ("FORCE_HTTPS_LINKS", "site.force_https"),
    ("ADMINS_HIDE", "site.hide_admins"),
    ("DATABASE_URL", "database.url"),
    ("DATABASE_TYPE", "database.engine"),
    ("DATABASE_HOST", "database.host"),
    ("DATABASE_PORT", "database.port"),
    ("DATABASE_NAME", "database.name"),
    ("DATABASE_USER", "database.user"),
    ("DATABASE_PASSWORD", "database.password"),
    ("DEFAULT_ITEMS_PER_PAGE", "web.items_per_page"),
    ("ENABLE_REGISTRATION", "web.registration"),
    ("ENABLE_REST_API", "api.rest"),
    ("ENABLE_XMLRPC", "api.xmlrpc"),
    ("REST_RESULTS_PER_PAGE", "api.per_page"),
    ("MAX_REST_RESULTS_PER_PAGE", "api.max_per_page"),
    ("DEFAULT_FROM_EMAIL", "mail.from"),
    ("NOTIFICATION_FROM_EMAIL", "mail.notification_from"),
    ("NOTIFICATION_DELAY_MINUTES", "mail.notification_delay"),
    ("CONFIRMATION_VALIDITY_DAYS", "mail.confirmation_validity"),
    ("EMAIL_BACKEND", "mail.backend"),
    ("EMAIL_HOST", "mail.host"),
    ("EMAIL_PORT", "mail.port"),
    ("EMAIL_HOST_USER", "mail.user"),
    ("EMAIL_HOST_PASSWORD", "mail.password"),
    ("EMAIL_USE_TLS", "mail.tls"),
    ("EMAIL_USE_SSL", "mail.tls"),
    ("EMAIL_TIMEOUT", "mail.timeout"),
    ("EMAIL_FILE_PATH", "mail.directory"),
    ("PORT", "server.port"),
    ("STATIC_ROOT", "server.static_root"),
];

/// Names that the sites' files of old are full of and that change nothing here.
const IDLE: &[&str] = &[
    "ADMINS",
    "AUTH_PASSWORD_VALIDATORS",
    "CACHES",
    "COMPAT_REDIR",
    "CSRF_COOKIE_SECURE",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASES",
    "DEBUG",
    "DEFAULT_AUTO_FIELD",
    "DEFAULT_PROJECT",
    "INSTALLED_APPS",
    "INTERNAL_IPS",
    "LANGUAGE_CODE",
    "LOGGING",
    "LOGIN_REDIRECT_URL",
    "LOGIN_URL",
    "MANAGERS",
    "MEDIA_ROOT",
    "MEDIA_URL",
    "MIDDLEWARE",
    "REST_FRAMEWORK",
    "ROOT_URLCONF",
    "SECURE_PROXY_SSL_HEADER",
    "SECURE_SSL_REDIRECT",
    "SERVER_EMAIL",
    "SESSION_COOKIE_SECURE",
    "SITE_ID",
    "STATICFILES_DIRS",
    "STATICFILES_STORAGE",
    "STATIC_URL",
    "TEMPLATES",
    "TEST_RUNNER",
    "TIME_ZONE",
    "USE_I18N",
    "USE_L10N",
    "USE_TZ",
];

/// Says whether a name is known to change nothing.
pub(super) fn is_idle(name: &str) -> bool {
    IDLE.contains(&name)
}

/// Returns the names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

/// Returns what a name stands for.
pub(super) fn find(name: &str) -> Option<Plain> {
    let (_, key) = NAMES.iter().find(|(known, _)| *known == name)?;
    let value: fn(&str) -> Option<String> = match name {
        "DATABASE_TYPE" => |text| Some(last_part(text)),
        "EMAIL_BACKEND" => |text| Some(backend(text)),
        "EMAIL_USE_TLS" => |text| Some(word(text, "starttls", "none")),
        "EMAIL_USE_SSL" => |text| Some(word(text, "tls", "")).filter(|word| !word.is_empty()),
        _ => |text| Some(text.to_owned()),
    };
    Some(Plain { key, value })
}

/// Compatibility: engines and backends were named by the path of a Python class.
fn last_part(text: &str) -> String {
    text.rsplit('.').next().unwrap_or(text).to_owned()
}

fn backend(text: &str) -> String {
    let name = text.strip_suffix(".EmailBackend").unwrap_or(text);
    match last_part(name).as_str() {
        "filebased" => "file".to_owned(),
        "dummy" | "locmem" => "none".to_owned(),
        name => name.to_owned(),
    }
}

fn word(text: &str, yes: &str, no: &str) -> String {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => yes.to_owned(),
        "false" | "no" | "off" | "0" | "" => no.to_owned(),
        // Left as it is, the rule of the setting refuses it and says what it wants.
        other => other.to_owned(),
    }
}
