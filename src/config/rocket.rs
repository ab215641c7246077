//! What Rocket is told. The command line never lets it read files or variables of its own.

use figment::{
    Figment,
    value::{Dict, Value},
};

use super::Settings;

/// How many seconds requests under way may take after the word to stop.
const GRACE: u64 = 10;

impl Settings {
    /// Returns the settings in Rocket's words, with the database as `databases.patchwork`.
    pub fn rocket_figment(&self) -> Figment {
        let server = &self.server;
        let limit = Value::from(server.max_body);
        let mut limits: Dict = ["form", "data-form", "file", "string", "bytes", "json"]
            .into_iter()
            .map(|kind| (kind.to_owned(), limit.clone()))
            .collect();
        limits.insert("door".to_owned(), Value::from(self.largest_request()));
        let figment = Figment::from(::rocket::Config::default())
            .merge(("address", server.address))
            .merge(("port", server.port))
            .merge(("ident", "Patchwork"))
            // Rocket's own default believes X-Real-IP from anybody; whom we believe, the doors know.
            .merge(("ip_header", false))
            .merge(("limits", limits))
            .merge(("log_level", "off"))
            .merge(("cli_colors", false))
            .merge(("shutdown.grace", GRACE))
            .merge(("databases.patchwork.url", &self.database.url))
            .merge((
                "databases.patchwork.max_connections",
                self.database.max_connections,
            ))
            .merge((
                "databases.patchwork.connect_timeout",
                self.database.connect_timeout,
            ))
            .merge((
                "databases.patchwork.statement_timeout",
                self.database.statement_timeout,
            ));
        let replica = self.database.replica_url.as_str();
        let figment = match replica {
            "" => figment,
            replica => figment
                .merge(("databases.patchwork.replica_url", replica))
                .merge((
                    "databases.patchwork.replica_max_lag",
                    self.database.replica_max_lag,
                )),
        };
        match server.workers {
            0 => figment,
            workers => figment.merge(("workers", workers)),
        }
    }
}
