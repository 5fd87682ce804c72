//! Settings: flags over environment over a TOML file over the defaults. Read and checked once, at start.

mod twilio;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::{Args, ValueEnum};
use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::auth::SHORTEST_SECRET;
use crate::domain::is_origin;

pub use twilio::{API as TWILIO_API, Account, TwilioFlags};

/// What can be set. Each flag has its environment variable and, under the same name with underscores,
/// its key in the TOML file.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub struct Flags {
    /// A TOML file with settings
    #[arg(long, env = "CREWLINE_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// Where to listen [default: 127.0.0.1:8080]; port 0 picks a free one
    #[arg(long, env = "CREWLINE_LISTEN", value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,

    /// Where everything is kept: sqlite:FILE or postgres://… [default: sqlite:crewline.db]
    #[arg(long, env = "DATABASE_URL", value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<String>,

    /// Where photos are kept: a folder, or s3://BUCKET/PREFIX with the usual AWS_… variables
    /// [default: photos beside the SQLite file, or here]
    #[arg(long, env = "CREWLINE_PHOTOS", value_name = "PLACE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photos: Option<String>,

    /// The Redis by which nodes tell each other, redis:// or rediss://, or a Redis Cluster by some of its nodes,
    /// redis-cluster://HOST:PORT,HOST:PORT or rediss-cluster:// [default: none, one node alone]
    #[arg(long, env = "REDIS_URL", value_name = "URL", hide_env_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis_url: Option<String>,

    /// The HS256 secret that tokens are signed with, 32 bytes or more; needed
    #[arg(long, env = "CREWLINE_JWT_SECRET", value_name = "SECRET", hide_env_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt_secret: Option<String>,

    /// Another HS256 secret whose tokens are accepted, while secrets are changed; never signed with
    #[arg(long, env = "CREWLINE_JWT_SECRET_OLD", value_name = "SECRET", hide_env_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt_secret_old: Option<String>,

    /// A JWKS file with an identity provider's public keys, whose tokens are accepted too. It is never
    /// fetched: keep it fresh yourself, and it is read again when it changes
    #[arg(long, env = "CREWLINE_JWKS", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<PathBuf>,

    /// How browsers and Twilio reach this hub, as scheme and host; its own pages may then open sockets
    #[arg(long, env = "CREWLINE_PUBLIC_URL", value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,

    #[command(flatten)]
    #[serde(flatten)]
    pub twilio: TwilioFlags,

    /// Origins whose pages may open sockets and ask over HTTP, whatever the org (orgs list their own besides)
    #[arg(long, env = "CREWLINE_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<String>,

    /// Connections to this node, at most [default: 20000]
    #[arg(long, env = "CREWLINE_CONNECTIONS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<usize>,

    /// Sockets of one person, at most [default: 20]
    #[arg(long, env = "CREWLINE_CONNECTIONS_PER_USER", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections_per_user: Option<usize>,

    /// Sockets of one org at this node, at most [default: 10000]
    #[arg(long, env = "CREWLINE_CONNECTIONS_PER_ORG", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections_per_org: Option<usize>,

    /// Frames that one socket may send, per second; three times as many at once [default: 20]
    #[arg(long, env = "CREWLINE_FRAMES_PER_SECOND", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames_per_second: Option<u32>,

    /// How often the ledger is asked for what the bus may have lost, in ms [default: 5000]
    #[arg(long, env = "CREWLINE_SWEEP_MS", value_name = "MS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep_ms: Option<u64>,

    /// Texts that this node sends from one number, per second [default: 5]
    #[arg(long, env = "CREWLINE_TEXTS_PER_SECOND", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts_per_second: Option<u32>,

    /// How long after a call that was not answered Twilio's list is searched for it, in ms [default: 60000]
    #[arg(long, env = "CREWLINE_RECONCILE_AFTER_MS", value_name = "MS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconcile_after_ms: Option<u64>,

    /// How long after nothing more was heard of a text Twilio is asked about it, in ms [default: 3600000]
    #[arg(long, env = "CREWLINE_ASK_AFTER_MS", value_name = "MS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask_after_ms: Option<u64>,

    /// Over how long sockets are sent away at a stop, in ms [default: 5000]
    #[arg(long, env = "CREWLINE_DRAIN_WINDOW_MS", value_name = "MS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_window_ms: Option<u64>,

    /// How log lines are written to stderr; RUST_LOG chooses which [default: text]
    #[arg(long, env = "CREWLINE_LOG_FORMAT", value_name = "FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<LogFormat>,

    /// Anybody may sign in as anybody: `crewline demo` alone does that, `serve` refuses it
    #[arg(long, env = "CREWLINE_DEMO_SIGN_IN", value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demo_sign_in: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

/// Settings as they hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub listen: SocketAddr,
    pub database_url: String,
    pub photos: Option<String>,
    pub redis_url: Option<SecretString>,
    pub jwt_secret: Option<SecretString>,
    pub jwt_secret_old: Option<SecretString>,
    pub jwks: Option<PathBuf>,
    pub public_url: Option<String>,
    pub twilio_account: Option<String>,
    pub twilio_auth_token: Option<SecretString>,
    pub twilio_api_key: Option<String>,
    pub twilio_api_secret: Option<SecretString>,
    pub twilio_url: String,
    pub origins: Vec<String>,
    pub connections: usize,
    pub connections_per_user: usize,
    pub connections_per_org: usize,
    pub frames_per_second: u32,
    pub sweep_ms: u64,
    pub texts_per_second: u32,
    pub reconcile_after_ms: u64,
    pub ask_after_ms: u64,
    pub drain_window_ms: u64,
    pub log_format: LogFormat,
    pub demo_sign_in: bool,
}

/// Which engine, and where.
#[derive(Debug, Clone)]
pub enum Database {
    Sqlite(PathBuf),
    /// The URL; it may hold a password.
    Postgres(SecretString),
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => file.display().fmt(f),
            Self::Postgres(url) => {
                let url = url.expose_secret();
                let place = url.split_once("://").map_or(url, |(_, place)| place);
                let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
                write!(f, "postgres://{}", place.split('?').next().unwrap_or_default())
            }
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            database_url: "sqlite:crewline.db".into(),
            photos: None,
            redis_url: None,
            jwt_secret: None,
            jwt_secret_old: None,
            jwks: None,
            public_url: None,
            twilio_account: None,
            twilio_auth_token: None,
            twilio_api_key: None,
            twilio_api_secret: None,
            twilio_url: twilio::API.into(),
            origins: Vec::new(),
            connections: 20_000,
            connections_per_user: 20,
            connections_per_org: 10_000,
            frames_per_second: 20,
            sweep_ms: 5_000,
            texts_per_second: 5,
            reconcile_after_ms: 60_000,
            ask_after_ms: 3_600_000,
            drain_window_ms: 5_000,
            log_format: LogFormat::Text,
            demo_sign_in: false,
        }
    }
}

impl Settings {
    /// Reads the TOML file and lays environment and flags over it.
    pub fn read(flags: &Flags) -> anyhow::Result<Self> {
        let mut figment = Figment::new();
        if let Some(file) = &flags.config {
            ensure!(file.is_file(), "--config: there is no file {}", file.display());
            figment = figment.merge(Toml::file_exact(file));
        }
        let settings: Self = figment
            .merge(Serialized::defaults(flags))
            .extract()
            .context("the settings cannot be read")?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> anyhow::Result<()> {
        self.database()?;
        for (name, value) in [
            ("connections", self.connections),
            ("connections_per_user", self.connections_per_user),
            ("connections_per_org", self.connections_per_org),
            ("frames_per_second", self.frames_per_second as usize),
            ("texts_per_second", self.texts_per_second as usize),
        ] {
            ensure!(value > 0, "{name} must be at least 1");
        }
        ensure!((100..=60_000).contains(&self.sweep_ms), "sweep_ms must be 100 to 60000");
        ensure!(
            self.drain_window_ms <= 600_000,
            "drain_window_ms must be at most 600000"
        );
        for origin in self.origins.iter().chain(&self.public_url) {
            ensure!(
                is_origin(&origin.to_ascii_lowercase()),
                "{origin:?} must be scheme and host, like https://crm.example, without a path"
            );
        }
        for (name, secret) in [
            ("jwt_secret", &self.jwt_secret),
            ("jwt_secret_old", &self.jwt_secret_old),
        ] {
            let Some(secret) = secret else { continue };
            let bytes = secret.expose_secret().len();
            ensure!(
                bytes >= SHORTEST_SECRET,
                "{name} has {bytes} bytes, it needs at least {SHORTEST_SECRET}; `openssl rand -hex 32` makes one"
            );
        }
        Ok(())
    }

    /// What must hold besides before strangers are let near.
    pub fn check_for_production(&self) -> anyhow::Result<()> {
        ensure!(
            !self.demo_sign_in,
            "demo_sign_in lets anybody sign in as anybody; only `crewline demo` does that"
        );
        ensure!(
            self.jwt_secret.is_some(),
            "set CREWLINE_JWT_SECRET, at least {SHORTEST_SECRET} bytes; `openssl rand -hex 32` makes one"
        );
        self.twilio()?;
        Ok(())
    }

    /// What `database_url` names.
    pub fn database(&self) -> anyhow::Result<Database> {
        let url = &self.database_url;
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Database::Postgres(url.clone().into()));
        }
        match url.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => {
                let path = Path::new(path.strip_prefix("//").unwrap_or(path));
                Ok(Database::Sqlite(path.to_owned()))
            }
            _ => bail!("database_url must be sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE"),
        }
    }

    /// Where photos are kept. Without a setting, what belongs together lies together.
    pub fn photos(&self) -> anyhow::Result<String> {
        if let Some(place) = &self.photos {
            return Ok(place.clone());
        }
        let folder = match self.database()? {
            Database::Sqlite(file) => file.with_file_name("photos"),
            Database::Postgres(_) => PathBuf::from("photos"),
        };
        Ok(folder.display().to_string())
    }

    pub fn sweep(&self) -> Duration {
        Duration::from_millis(self.sweep_ms)
    }

    pub fn drain_window(&self) -> Duration {
        Duration::from_millis(self.drain_window_ms)
    }
}

#[cfg(test)]
mod tests;
