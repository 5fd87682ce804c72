//! The only place that picks engines and wires them.

mod recorder;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use secrecy::ExposeSecret;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Auth;
use crate::bus::{Bus, LocalBus, RedisBus};
use crate::config::{Account, Database, Settings, TWILIO_API};
use crate::courier::{Courier, CourierSettings};
use crate::gallery::Gallery;
use crate::http;
use crate::hub::{Hub, HubSettings};
use crate::ledger::{Ledger, Outbox, Photos, Postgres, Sqlite, new_log_id};
use crate::photos::{Links, Store};
use crate::sms::Validator;
use crate::sms::twilio::Twilio;
use crate::ws;
use recorder::{recorder, upkeep};

/// How long what is running may take to end once it was told to.
const END_WITHIN: Duration = Duration::from_secs(10);

/// A hub that listens.
pub struct App {
    pub address: SocketAddr,
    pub hub: Hub,
    pub auth: Arc<Auth>,
    pub ledger: Arc<dyn Ledger>,
    pub gallery: Arc<Gallery>,
    drain_window: Duration,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl App {
    /// Opens the ledger, starts the hub and listens. `demo` adds what only the demo has.
    pub async fn start(
        settings: &Settings,
        demo: impl FnOnce(&Prepared) -> anyhow::Result<Extra>,
    ) -> anyhow::Result<Self> {
        let engine = open(&settings.database()?).await?;
        let bus: Arc<dyn Bus> = match &settings.redis_url {
            Some(url) => Arc::new(RedisBus::connect(url.expose_secret())?),
            None => Arc::new(Arc::new(LocalBus::default()).attach()),
        };
        Self::with_engines(settings, engine, bus, demo).await
    }

    /// The same on engines that the caller has opened: some that break a promise, to see it found.
    pub async fn with_engines(
        settings: &Settings,
        Engine { ledger, outbox, photos }: Engine,
        bus: Arc<dyn Bus>,
        demo: impl FnOnce(&Prepared) -> anyhow::Result<Extra>,
    ) -> anyhow::Result<Self> {
        let auth = Arc::new(auth(settings)?);
        let hub_settings = HubSettings {
            connections_per_user: settings.connections_per_user,
            connections_per_org: settings.connections_per_org,
            sweep: settings.sweep(),
        };
        let hub = Hub::start(Arc::clone(&ledger), bus, hub_settings).await?;
        let listener = listen(settings.listen).with_context(|| format!("cannot listen on {}", settings.listen))?;
        let address = listener.local_addr()?;

        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let metrics = recorder();
        tasks.spawn(upkeep(metrics.clone(), stop.clone()));
        let own = own_origins(settings, address);
        let listed = settings.origins.iter().map(|origin| origin.to_ascii_lowercase());
        let origins: Vec<_> = listed.chain(own.iter().cloned()).collect();
        let socket_settings = ws::SocketSettings {
            frames_per_second: settings.frames_per_second,
            origins: origins.clone(),
            drain_window: settings.drain_window(),
        };
        let door = Arc::new(http::Door {
            hub: hub.clone(),
            auth: Arc::clone(&auth),
            origins,
            rate: http::Rate::default(),
        });
        let gallery = Arc::new(gallery(settings, address, photos)?);
        tasks.spawn(Arc::clone(&gallery).sweep_forever(stop.clone()));
        let mut routes = http::api(door, Arc::clone(&gallery))
            .merge(http::health(Arc::new(http::Readiness {
                hub: hub.clone(),
                gallery: Arc::clone(&gallery),
                metrics,
            })))
            .merge(http::pages(hub.clone(), &own));
        let extra = demo(&Prepared { address, auth: &auth })?;
        if let Some(demo) = extra.routes {
            routes = routes.merge(demo);
        }
        let account = match extra.account {
            Some(simulated) => Some(simulated),
            None => settings.twilio()?,
        };
        if let Some(account) = account {
            let line = line(settings, address, account, &hub, &ledger, &outbox, &gallery)?;
            tasks.spawn(line.courier.run(stop.clone()));
            routes = routes.merge(http::twilio(line.webhooks));
        }
        let sockets = ws::router(hub.clone(), Arc::clone(&auth), socket_settings, tasks.clone());
        let routes = http::finish(routes.merge(sockets));
        tasks.spawn(ws::listener::serve(
            listener,
            routes,
            settings.connections,
            stop.clone(),
            tasks.clone(),
        ));
        tracing::info!(%address, log = %hub.log(), "listening");
        Ok(Self {
            address,
            hub,
            auth,
            ledger,
            gallery,
            drain_window: settings.drain_window(),
            stop,
            tasks,
        })
    }

    /// Sends the sockets away, lets what is under way end, and closes the ledger.
    pub async fn drain(self) {
        tracing::info!("draining");
        self.hub.drain(self.drain_window).await;
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(END_WITHIN, self.tasks.wait()).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        self.hub.stop().await;
        self.ledger.close().await;
        tracing::info!("stopped");
    }
}

/// Whose tokens are let in.
fn auth(settings: &Settings) -> anyhow::Result<Auth> {
    let secret = settings.jwt_secret.as_ref().context("a JWT secret is needed")?;
    let mut auth = Auth::new(secret).map_err(anyhow::Error::msg)?;
    if let Some(old) = &settings.jwt_secret_old {
        auth = auth.and_accept(old).map_err(anyhow::Error::msg)?;
    }
    if let Some(jwks) = &settings.jwks {
        auth = auth.and_trust(jwks).map_err(anyhow::Error::msg)?;
    }
    Ok(auth)
}

/// How browsers and Twilio reach this hub.
fn public_url(settings: &Settings, address: SocketAddr) -> String {
    let public_url = settings.public_url.clone();
    public_url.unwrap_or_else(|| format!("http://{address}"))
}

/// Photos and what is known of them. Their links are signed with what tokens are signed with.
fn gallery(settings: &Settings, address: SocketAddr, rows: Arc<dyn Photos>) -> anyhow::Result<Gallery> {
    let secrets: Vec<_> = settings.jwt_secret.iter().chain(&settings.jwt_secret_old).collect();
    let secrets: Vec<_> = secrets.iter().map(|secret| secret.expose_secret().as_bytes()).collect();
    let links = Links::new(&secrets, &public_url(settings, address));
    Ok(Gallery::new(rows, Store::open(&settings.photos()?)?, links))
}

/// What carries messages on as texts: out by the courier, in by the webhooks.
struct TextLine {
    courier: Arc<Courier>,
    webhooks: Arc<http::Line>,
}

fn line(
    settings: &Settings,
    address: SocketAddr,
    account: Account,
    hub: &Hub,
    ledger: &Arc<dyn Ledger>,
    outbox: &Arc<dyn Outbox>,
    gallery: &Arc<Gallery>,
) -> anyhow::Result<TextLine> {
    let public_url = public_url(settings, address);
    let kind = match account.client.url.as_str() {
        TWILIO_API => "twilio",
        _ => "simulator",
    };
    metrics::gauge!("crewline_gateway", "kind" => kind).set(1.0);
    let sid = account.client.account.clone();
    let webhooks = Arc::new(http::Line {
        hub: hub.clone(),
        outbox: Arc::clone(outbox),
        validator: Validator::new(account.auth_token, &public_url),
        account: sid.clone(),
    });
    let courier = Courier::new(
        Arc::clone(ledger),
        Arc::clone(outbox),
        Arc::clone(gallery),
        Twilio::new(account.client)?,
        sid,
        CourierSettings {
            public_url: public_url.trim_end_matches('/').to_owned(),
            texts_per_second: settings.texts_per_second,
            reconcile_after: Duration::from_millis(settings.reconcile_after_ms),
            ask_after: Duration::from_millis(settings.ask_after_ms),
            recover_every: Duration::from_secs(300),
        },
    );
    Ok(TextLine { courier, webhooks })
}

/// Opens the ledger. A SQLite file is made and brought up to date on the way; Postgres is not, because
/// whoever serves should not be able to.
pub async fn open(database: &Database) -> anyhow::Result<Engine> {
    Ok(match database {
        Database::Sqlite(file) => Engine::of(Sqlite::open(file).await?),
        Database::Postgres(url) => Engine::of(Postgres::open(url.expose_secret()).await?),
    })
}

/// An engine, as each of the things that it is.
#[derive(Clone)]
pub struct Engine {
    pub ledger: Arc<dyn Ledger>,
    pub outbox: Arc<dyn Outbox>,
    pub photos: Arc<dyn Photos>,
}

impl Engine {
    pub fn of<E: Ledger + Outbox + Photos>(engine: E) -> Self {
        let engine = Arc::new(engine);
        Self {
            ledger: engine.clone(),
            outbox: engine.clone(),
            photos: engine,
        }
    }
}

/// Makes the ledger, or brings it up to date.
pub async fn migrate(database: &Database) -> anyhow::Result<()> {
    match database {
        Database::Sqlite(file) => Sqlite::open(file).await?.close().await,
        Database::Postgres(url) => Postgres::migrate(url.expose_secret()).await?,
    }
    Ok(())
}

/// Makes it another log, after a restore. Returns its identity.
pub async fn new_log(database: &Database) -> anyhow::Result<String> {
    match database {
        Database::Sqlite(file) => new_log_id(file).await,
        Database::Postgres(url) => Postgres::new_log_id(url.expose_secret()).await,
    }
}

/// What is known before the routes are.
pub struct Prepared<'a> {
    pub address: SocketAddr,
    pub auth: &'a Auth,
}

/// What only the demo has.
#[derive(Default)]
pub struct Extra {
    pub routes: Option<axum::Router>,
    /// The simulator's, instead of one at Twilio.
    pub account: Option<Account>,
}

/// Connections that may wait to be accepted. The usual 128 overflow when a few hundred clients come
/// back at once, and each that is turned away tries again only after a second.
const BACKLOG: u32 = 4_096;

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart need not wait for connections of before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The hub itself, as browsers name where its pages are from.
fn own_origins(settings: &Settings, address: SocketAddr) -> Vec<String> {
    let public_url = settings.public_url.iter().map(|url| url.to_ascii_lowercase());
    let mut origins: Vec<_> = public_url.collect();
    if address.ip().is_loopback() {
        origins.push(format!("http://{address}"));
        origins.push(format!("http://localhost:{}", address.port()));
    }
    origins
}
