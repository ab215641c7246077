//! Where settings come from, and the one function that reads them all.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use figment::{Figment, providers::Serialized, value::Value};

use super::{
    DATA_DIRECTORY, Error, Result, SITE_FILE, Settings, address,
    layer::{Known, Layer, nearest},
    mask::{STARS, masked},
    plain,
    rule::SECRETS,
};

/// The reference file, also read: it may be edited in place.
const REFERENCE: &str = "Rocket.toml";

/// Variables with our prefix that are no settings.
const OTHER_VARIABLES: &[&str] = &["PATCHWORK_CONFIG", "PATCHWORK_PASSWORD"];

/// Variables with our prefix that others set: our tests, and Kubernetes for a service of our name.
const OTHER_PREFIXES: &[&str] = &["PATCHWORK_TEST_", "PATCHWORK_SERVICE_", "PATCHWORK_PORT"];

/// A setting given on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The option, as messages name it.
    pub option: &'static str,
    /// The setting.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// Everything settings are read from; a test makes its own, the command line that of the process.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The site's file, if somebody named one: it must be there.
    pub config: Option<PathBuf>,
    /// The site's file that is read when nobody named one, if it is there.
    pub fallback: Option<PathBuf>,
    /// Folders in which the reference file may be; the first one counts.
    pub references: Vec<PathBuf>,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// What the command line says, in its order.
    pub command_line: Vec<Given>,
    /// The current directory.
    pub directory: PathBuf,
    /// Where data is kept on an installed site.
    pub data: PathBuf,
}

impl Sources {
    /// Returns the sources of this process.
    pub fn of_process(config: Option<PathBuf>, command_line: Vec<Given>) -> Self {
        let directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let tree = std::env::current_exe()
            .ok()
            .and_then(|program| Some(program.parent()?.parent()?.to_owned()));
        let text = |text: OsString| text.into_string().ok();
        Sources {
            config: config.or_else(|| std::env::var_os("PATCHWORK_CONFIG").map(PathBuf::from)),
            fallback: Some(SITE_FILE.into()),
            references: [Some(directory.clone()), tree]
                .into_iter()
                .flatten()
                .collect(),
            environment: std::env::vars_os()
                .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
                .collect(),
            command_line,
            directory,
            data: DATA_DIRECTORY.into(),
        }
    }

    /// Reads all layers.
    ///
    /// # Errors
    /// When a file cannot be read, a key is unknown, or a value is not what its setting wants.
    pub fn read(&self) -> Result<Loaded> {
        let known = Known::of_defaults();
        let mut layers = self.files(&known)?;
        layers.extend(self.variables(&known)?);
        layers.extend(self.options(&known)?);
        let mut figment = Figment::from(Serialized::defaults(Settings::default()));
        for layer in &layers {
            figment = figment.merge(layer);
        }
        let mut settings: Settings = figment
            .extract()
            .map_err(|error| Error(format!("settings: {error}")))?;
        self.complete(&mut settings, &layers)?;
        let warnings = layers.iter().filter_map(Layer::warning).collect();
        Ok(Loaded {
            settings,
            warnings,
            figment,
            known,
        })
    }

    fn files(&self, known: &Known) -> Result<Vec<Layer>> {
        let mut layers = Vec::new();
        let references = self.references.iter().map(|folder| folder.join(REFERENCE));
        for path in references {
            if let Some(text) = reference(&path)? {
                layers.push(file_layer(&path, &text, known)?);
                break;
            }
        }
        match (&self.config, &self.fallback) {
            (Some(path), _) => {
                let text = text_if_there(path)?.ok_or_else(|| {
                    Error(format!(
                        "there is no settings file {}; check --config and PATCHWORK_CONFIG",
                        path.display()
                    ))
                })?;
                layers.push(file_layer(path, &text, known)?);
            }
            (None, Some(path)) => {
                if let Some(text) = text_if_there(path)? {
                    layers.push(file_layer(path, &text, known)?);
                }
            }
            (None, None) => {}
        }
        Ok(layers)
    }

    fn variables(&self, known: &Known) -> Result<Vec<Layer>> {
        let mut layers = Vec::new();
        for (name, value) in &self.environment {
            if let Some(layer) = variable(name, value, known)? {
                layers.push(layer.checked(known)?);
            }
        }
        // Our own long names are more exact than those that other programs use too.
        layers.sort_by_key(|layer| layer.source.contains(" PATCHWORK_"));
        Ok(layers)
    }

    fn options(&self, known: &Known) -> Result<Vec<Layer>> {
        let layer = |given: &Given| {
            let (key, value) = match plain::find(&given.key) {
                Some(plain) => (
                    plain.key,
                    (plain.value)(&given.value).unwrap_or(given.value.clone()),
                ),
                None => (given.key.as_str(), given.value.clone()),
            };
            let layer = Layer::single(given.option.to_owned(), key, Value::from(value));
            let mut layer = layer.checked(known)?;
            // What is typed is meant from where one stands.
            layer.change("database.url", |url| {
                address::absolute(url, &self.directory)
            });
            Ok(layer)
        };
        self.command_line.iter().map(layer).collect()
    }

    /// Puts the database's address together, so that nobody above has to know where its parts came from.
    fn complete(&self, settings: &mut Settings, layers: &[Layer]) -> Result<()> {
        let database = &mut settings.database;
        let last = |keys: &[&str]| {
            layers
                .iter()
                .rposition(|layer| keys.iter().any(|key| layer.sets(key)))
        };
        let by_url = last(&["database.url"]);
        let by_parts = last(&[
            "database.engine",
            "database.host",
            "database.name",
            "database.user",
        ]);
        let is_default_parts = [
            &database.engine,
            &database.host,
            &database.name,
            &database.user,
        ]
        .iter()
        .all(|part| part.is_empty());
        let url = if by_parts > by_url && !is_default_parts {
            address::of_parts(database)
        } else {
            address::with_password(&database.url, &database.password)
        };
        if database.directory.as_os_str().is_empty() {
            database.directory = match self.data.is_dir() {
                true => self.data.clone(),
                false => self.directory.clone(),
            };
        }
        let directory = self.directory.join(&database.directory);
        database.url = address::absolute(&url, &directory);
        database.replica_url = address::with_password(&database.replica_url, &database.password);
        database.directory = directory;
        settings.mail.directory = database.directory.join(&settings.mail.directory);
        let mail = &mut settings.mail;
        let intake = &mut mail.intake;
        for path in [&mut mail.ca, &mut intake.spool, &mut intake.socket] {
            if !path.as_os_str().is_empty() {
                *path = database.directory.join(&*path);
            }
        }
        Ok(())
    }
}

fn file_layer(path: &Path, text: &str, known: &Known) -> Result<Layer> {
    Layer::of_toml(path.display().to_string(), text, known)?.checked(known)
}

/// Returns the reference of a folder. One in a folder that is not ours to enter is none: `root` may have called us from its home
/// to run as the site's user, and the defaults are built in.
fn reference(path: &Path) -> Result<Option<String>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        _ => text_if_there(path),
    }
}

fn text_if_there(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error(format!(
            "the settings file {} cannot be read: {error}",
            path.display()
        ))),
    }
}

/// Returns the layer of an environment variable, if it is one of ours.
fn variable(name: &str, value: &str, known: &Known) -> Result<Option<Layer>> {
    let ours = name.strip_prefix("PATCHWORK_");
    if let Some(plain) = plain::find(name).or_else(|| {
        // `PATCHWORK_DATABASE_URL` means the same as `DATABASE_URL`.
        ours.filter(|rest| rest.contains('_')).and_then(plain::find)
    }) {
        // Compose files pass what is not set as nothing.
        let value = (plain.value)(value).filter(|value| !value.is_empty());
        return Ok(value.map(|value| single(name, plain.key, value)));
    }
    if let Some(layer) = secret_file(name, value, ours)? {
        return Ok(Some(layer));
    }
    let Some(rest) = ours else { return Ok(None) };
    if OTHER_VARIABLES.contains(&name)
        || OTHER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    {
        return Ok(None);
    }
    if plain::is_idle(rest) {
        return Ok(None);
    }
    let key = rest.to_lowercase().replace("__", ".");
    if !known.has(&key) {
        let variables: Vec<String> = known.keys().map(variable_name).collect();
        let hint = match nearest(name, variables.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None => "`patchwork settings` lists all".to_owned(),
        };
        return Err(Error(format!(
            "the environment variable {name} is no setting; {hint}"
        )));
    }
    Ok(Some(single(name, &key, value.to_owned())))
}

/// Reads a secret from the file that a variable names: `DATABASE_PASSWORD_FILE`.
fn secret_file(name: &str, path: &str, ours: Option<&str>) -> Result<Option<Layer>> {
    let Some(stem) = name.strip_suffix("_FILE") else {
        return Ok(None);
    };
    let own = ours.and_then(|rest| rest.strip_suffix("_FILE"));
    let key = plain::find(stem)
        .or_else(|| own.and_then(plain::find))
        .map(|plain| plain.key.to_owned())
        .or_else(|| own.map(|rest| rest.to_lowercase().replace("__", ".")));
    let Some(key) = key.filter(|key| SECRETS.contains(&key.as_str())) else {
        return Ok(None);
    };
    if path.is_empty() {
        return Ok(None);
    }
    let text = fs::read_to_string(path).map_err(|error| {
        Error(format!(
            "the file {path} that {name} names cannot be read: {error}"
        ))
    })?;
    let secret = text.trim_end_matches(['\r', '\n']).to_owned();
    Ok(Some(single(name, &key, secret)))
}

fn single(name: &str, key: &str, value: String) -> Layer {
    Layer::single(
        format!("environment variable {name}"),
        key,
        Value::from(value),
    )
}

fn variable_name(key: &str) -> String {
    format!("PATCHWORK_{}", key.to_uppercase().replace('.', "__"))
}

/// The settings, and where each came from.
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What was said in vain: one sentence a source.
    pub warnings: Vec<String>,
    figment: Figment,
    known: Known,
}

/// One line of `patchwork settings`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The setting.
    pub key: String,
    /// Its value; of a secret only whether there is one.
    pub value: String,
    /// Where it comes from.
    pub source: String,
}

impl Loaded {
    /// Returns every setting with its source, secrets masked.
    pub fn entries(&self) -> Vec<Entry> {
        let entry = |key: &str| Entry {
            key: key.to_owned(),
            value: self.shown(key),
            source: self.source(key),
        };
        self.known.keys().map(entry).collect()
    }

    fn shown(&self, key: &str) -> String {
        match key {
            "database.url" => return masked(&self.settings.database.url),
            "database.replica_url" => return masked(&self.settings.database.replica_url),
            "database.directory" => return self.settings.database.directory.display().to_string(),
            "mail.directory" => return self.settings.mail.directory.display().to_string(),
            "mail.ca" => return self.settings.mail.ca.display().to_string(),
            "mail.intake.spool" => return self.settings.mail.intake.spool.display().to_string(),
            "mail.intake.socket" => return self.settings.mail.intake.socket.display().to_string(),
            _ => {}
        }
        let value = self.figment.find_value(key).ok();
        let text = match value {
            Some(Value::String(_, text)) => text,
            Some(Value::Bool(_, yes)) => yes.to_string(),
            Some(Value::Num(_, number)) => number
                .to_u128_lossy()
                .map_or_else(String::new, |number| number.to_string()),
            _ => String::new(),
        };
        if SECRETS.contains(&key) && !text.is_empty() {
            return STARS.to_owned();
        }
        text
    }

    fn source(&self, key: &str) -> String {
        match self.figment.find_metadata(key) {
            Some(metadata) if metadata.source.is_none() => metadata.name.to_string(),
            _ => "default".to_owned(),
        }
    }
}
