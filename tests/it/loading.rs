//! How the pages load: compressed, once, all at once, and under rules that leave nothing to chance.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::support::hub::Answer;
use crate::support::pages::Cast;
use crate::support::token::SECRET;
use crate::support::{Claims, Hub, eventually};

const PAGES: [&str; 4] = ["/", "/portal", "/crm", "/phones"];

async fn get(hub: &Hub, path: &str, encoding: &str) -> Answer {
    let got = hub.send("GET", path, &[("accept-encoding", encoding)], None).await;
    assert_eq!(got.status, 200, "{path}");
    got
}

/// The addresses of ours that a page names in its head.
async fn named(hub: &Hub, page: &str) -> BTreeSet<String> {
    let html = get(hub, page, "identity").await.text;
    let addresses = html.split('"').filter(|text| text.starts_with("/ui/"));
    addresses.map(str::to_owned).collect()
}

/// What a script imports and asks of `sheets`, by name below its folder, as far as one line tells.
fn loads(source: &str) -> Vec<String> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with(['*', '/']));
    let mut found = Vec::new();
    for line in code {
        let quoted = || line.split('"').skip(1).step_by(2);
        let imports = line.starts_with("import ") || line.contains("} from ") || line.starts_with("export * from");
        if imports && !line.contains("import(") {
            found.extend(quoted().map(str::to_owned));
        } else if line.contains("sheets(\"") {
            found.extend(quoted().map(|name| format!("sheet:{name}")));
        }
    }
    found
}

fn plain(answer: &Answer) -> Vec<u8> {
    let (mut out, bytes) = (Vec::new(), &answer.bytes[..]);
    match answer.header("content-encoding").as_deref() {
        Some("br") => brotli::Decompressor::new(bytes, 4_096).read_to_end(&mut out),
        Some("gzip") => flate2::read::GzDecoder::new(bytes).read_to_end(&mut out),
        None => return bytes.to_vec(),
        Some(other) => panic!("{other}"),
    }
    .expect("what was compressed is whole");
    out
}

/// Waits until this is served as brotli, which takes a while to make.
async fn brotli_of(hub: &Hub, path: &str) -> Answer {
    for _ in 0..600 {
        let got = get(hub, path, "gzip, br").await;
        if got.header("content-encoding").as_deref() != Some("gzip") {
            return got;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{path} is never served as brotli");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_script_and_style_is_compressed_as_the_client_likes_it() {
    let hub = Hub::start().await;
    let mut paths: BTreeSet<String> = PAGES.map(str::to_owned).into();
    for page in PAGES {
        paths.extend(named(&hub, page).await);
    }
    paths.insert("/ui/crewline.js".into());
    assert!(paths.len() > 50, "{paths:?}");
    for path in &paths {
        let whole = get(&hub, path, "identity").await;
        assert_eq!(whole.header("content-encoding"), None, "{path}");
        let mut etags = BTreeSet::from([whole.header("etag").expect("an ETag")]);
        for got in [
            brotli_of(&hub, path).await,
            get(&hub, path, "gzip").await,
            get(&hub, path, "gzip;q=0.5, br;q=0.1").await,
        ] {
            assert_eq!(got.header("vary").as_deref(), Some("accept-encoding"), "{path}");
            assert_eq!(got.header("content-type"), whole.header("content-type"), "{path}");
            assert!(plain(&got) == whole.bytes, "{path}");
            if whole.bytes.len() > 1_000 {
                assert!(got.bytes.len() < whole.bytes.len() * 2 / 3, "{path} is hardly smaller");
            }
            let etag = got.header("etag").expect("an ETag");
            if got.header("content-encoding").is_some() {
                etags.insert(etag);
            }
        }
        assert!(
            etags.len() == 3 || whole.bytes.len() < 1_000,
            "{path}: one ETag for each of its forms: {etags:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_asked_for_each_time_and_what_it_loads_is_kept_for_ever() {
    let hub = Hub::start().await;
    let caching = async |path: &str| get(&hub, path, "identity").await.header("cache-control").unwrap();
    for page in PAGES {
        assert_eq!(caching(page).await, "no-cache", "{page}");
        for path in named(&hub, page).await {
            assert_eq!(caching(&path).await, "public, max-age=31536000, immutable", "{path}");
        }
    }
    for path in ["/ui/crewline.js", "/ui/thread.js", "/ui/styles/theme.css"] {
        assert_eq!(caching(path).await, "no-cache", "{path}");
    }
    // Of another version, while nodes are upgraded: served, so that no page breaks, but not kept.
    assert_eq!(caching("/ui/0123456789abcdef/thread.js").await, "no-cache");

    let etag = get(&hub, "/portal", "gzip").await.header("etag").unwrap();
    let plain = get(&hub, "/portal", "identity").await.header("etag").unwrap();
    for (known, encoding, status) in [
        (etag.clone(), "gzip", 304),
        (format!("W/{etag}"), "gzip", 304),
        (format!("\"other\", {etag}"), "gzip", 304),
        ("*".into(), "gzip", 304),
        (plain.clone(), "identity", 304),
        (plain, "gzip", 200),
        ("\"other\"".into(), "gzip", 200),
        ("".into(), "gzip", 200),
    ] {
        let headers = [("accept-encoding", encoding), ("if-none-match", known.as_str())];
        let got = hub.send("GET", "/portal", &headers, None).await;
        assert_eq!(got.status, status, "{known} as {encoding}");
        assert!(status == 200 || got.bytes.is_empty());
        assert!(got.header("content-security-policy").is_some(), "also with 304");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_site_may_load_the_elements_and_their_styles() {
    let hub = Hub::start().await;
    let mut paths = named(&hub, "/portal").await;
    paths.extend(["/ui/crewline.js", "/ui/styles/theme.css", "/ui/thread.js"].map(str::to_owned));
    for path in &paths {
        let headers = [("origin", "https://anybody.test")];
        let got = hub.send("GET", path, &headers, None).await;
        assert_eq!(got.status, 200, "{path}");
        assert_eq!(
            got.header("access-control-allow-origin").as_deref(),
            Some("*"),
            "{path}"
        );
        let policy = got.header("cross-origin-resource-policy");
        assert_eq!(policy.as_deref(), Some("cross-origin"), "{path}");
    }
    for path in [
        "/ui/none.js",
        "/ui/pages/portal.html",
        "/ui/../Cargo.toml",
        "/ui/%2e%2e/main.rs",
    ] {
        assert_eq!(hub.send("GET", path, &[], None).await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_names_at_once_whatever_its_scripts_will_load() {
    let hub = Hub::start().await;
    for page in PAGES {
        let named = named(&hub, page).await;
        let base = reqwest::Url::parse(&hub.url).unwrap();
        let scripts = || named.iter().filter(|path| path.ends_with(".js"));
        let mut todo: Vec<String> = scripts().cloned().collect();
        let mut seen = BTreeSet::new();
        while let Some(path) = todo.pop() {
            if !seen.insert(path.clone()) {
                continue;
            }
            for name in loads(&get(&hub, &path, "identity").await.text) {
                // Style sheets are named as `base/sheet.js` finds them.
                let folder = path.split('/').take(3).collect::<Vec<_>>().join("/");
                let (from, name) = match name.strip_prefix("sheet:") {
                    Some(sheet) => (format!("{folder}/"), format!("./styles/{sheet}")),
                    None => (path.clone(), name),
                };
                let to = base.join(&from).unwrap().join(&name).unwrap().path().to_owned();
                assert!(named.contains(&to), "{page} does not name {to}, which {path} loads");
                if to.ends_with(".js") {
                    todo.push(to);
                }
            }
        }
        assert_eq!(seen.len(), scripts().count(), "{page}");
        assert!(page == "/" || seen.len() > 3, "{page}: {seen:?}");
    }
}

/// The issue's promise, seen from the browser: everything that the portal loads, as it comes over the wire.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_the_portal_loads_is_under_sixty_kilobytes() {
    let cast = Cast::start().await;
    let hub = &cast.hub;
    for encoding in ["gzip", "br"] {
        let mut bytes = 0;
        let mut paths = named(hub, "/portal").await;
        paths.insert("/portal".into());
        for path in &paths {
            bytes += match encoding {
                "br" => brotli_of(hub, path).await.bytes.len(),
                other => get(hub, path, other).await.bytes.len(),
            };
        }
        println!("the portal loads {} files, {bytes} bytes as {encoding}", paths.len());
        // Browsers take brotli; gzip is for the second until that is made.
        assert!(encoding == "gzip" || bytes < 60_000, "{bytes} bytes as {encoding}");
    }

    let page = cast
        .browser
        .open(&format!("{}/portal#token={}", hub.url, cast.ana.token))
        .await;
    page.until("document.querySelector('crewline-thread')?.client?.state === 'live'")
        .await;
    let loaded = page
        .eval(
            "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
               .filter(({ name }) => !name.includes('/v1/') && !name.startsWith('data:'))
               .map(({ name, encodedBodySize }) => [new URL(name).pathname, encodedBodySize])",
        )
        .await;
    let loaded: Vec<(String, usize)> = serde_json::from_value(loaded).unwrap();
    let bytes: usize = loaded.iter().map(|(_, bytes)| bytes).sum();
    println!("Chromium loaded {} files, {bytes} bytes", loaded.len());
    assert!(bytes < 60_000, "{bytes} bytes");
    let mut named = named(hub, "/portal").await;
    named.insert("/portal".into());
    let paths: BTreeSet<_> = loaded.iter().map(|(path, _)| path.clone()).collect();
    assert_eq!(paths, named, "it loads what the page names, neither more nor less");
    assert_eq!(page.errors(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_holds_the_browser_to_the_strictest_rules() {
    let hub = Hub::start().await;
    let (_, port) = hub.url.rsplit_once(':').unwrap();
    let sockets = format!(" ws://127.0.0.1:{port} ws://localhost:{port}");
    for path in ["/", "/portal", "/crm", "/phones"] {
        let page = hub.send("GET", path, &[], None).await;
        let policy = page.header("content-security-policy").expect("a policy");
        // To no other hub, by whatever kind of connection. Phones ask over HTTP alone.
        let sockets = if path == "/phones" { "" } else { &sockets };
        let connect = format!("connect-src 'self'{sockets}");
        for rule in [
            connect.as_str(),
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ] {
            assert!(
                policy.split("; ").any(|one| one == rule),
                "{path}: {rule} is not in {policy}"
            );
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options").as_deref(), Some("nosniff"));
        assert_eq!(
            page.header("cross-origin-opener-policy").as_deref(),
            Some("same-origin")
        );
        assert_eq!(page.header("referrer-policy").as_deref(), Some("no-referrer"));
        let unused = page.header("permissions-policy").expect("what is not used");
        for feature in ["camera", "geolocation", "microphone", "payment"] {
            assert!(unused.contains(&format!("{feature}=()")), "{unused}");
        }
        assert!(
            !page.text.contains("<style") && !page.text.contains(" style="),
            "{path}: inline style"
        );
        let scripts = page.text.matches("<script").count();
        assert_eq!(
            scripts,
            page.text.matches("<script type=\"module\" src=").count(),
            "{path}"
        );
    }
}

/// `crewline serve` at a free port, gone with this value.
struct Serving {
    child: Child,
    url: String,
    _data: tempfile::TempDir,
}

impl Serving {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_crewline"))
            .args(["serve", "--listen", &free.to_string()])
            .env("CREWLINE_JWT_SECRET", SECRET)
            .env(
                "DATABASE_URL",
                format!("sqlite:{}", data.path().join("crewline.db").display()),
            )
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = format!("http://{free}");
        eventually("the hub listens", || std::net::TcpStream::connect(free).is_ok()).await;
        Self {
            child,
            url,
            _data: data,
        }
    }

    async fn framed_by(&self, path: &str) -> String {
        let page = reqwest::get(format!("{}{path}", self.url)).await.unwrap();
        let policy = page.headers()["content-security-policy"].to_str().unwrap();
        policy
            .split_once("frame-ancestors ")
            .expect("who may hold it")
            .1
            .to_owned()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_is_no_demo_a_page_is_in_nobodys_frame_but_those_of_listed_sites() {
    let serving = Serving::start().await;
    for path in ["/", "/portal", "/crm", "/portal?org=acme"] {
        assert_eq!(serving.framed_by(path).await, "'none'", "{path}");
    }
    let settings = json!({"name": "Acme", "origins": ["https://portal.acme.test"]});
    let put = reqwest::Client::new()
        .put(format!("{}/v1/orgs/acme", serving.url))
        .bearer_auth(Claims::service("acme").mint())
        .json(&settings);
    assert_eq!(put.send().await.unwrap().status(), 200);
    assert_eq!(
        serving.framed_by("/portal?org=acme").await,
        "'self' https://portal.acme.test"
    );
    assert_eq!(
        serving.framed_by("/crm?org=acme").await,
        "'self' https://portal.acme.test"
    );
    for path in ["/", "/portal", "/crm", "/portal?org=rival"] {
        assert_eq!(serving.framed_by(path).await, "'none'", "{path}");
    }
    let phones = reqwest::get(format!("{}/phones", serving.url)).await.unwrap();
    assert_eq!(phones.status(), 404);
}
