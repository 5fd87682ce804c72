//! Debian's Chromium, driven over the DevTools protocol and nothing else.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::PATIENCE;
use super::devtools::Wire;

/// Three frames: rows that go elsewhere have gone.
const STILL: Duration = Duration::from_millis(50);

/// `$(selector)` and `$$(selector)`: in the page and in the shadow roots of the elements on it.
const LOOKUP: &str = "
    window.$$ = (selector, root = document) => [
        ...root.querySelectorAll(selector),
        ...[...root.querySelectorAll('*')].filter(e => e.shadowRoot).flatMap(e => window.$$(selector, e.shadowRoot)),
    ];
    window.$ = (selector) => window.$$(selector)[0] ?? null;
";

pub struct Browser {
    child: Child,
    _profile: TempDir,
    wire: Wire,
}

/// One tab, in a browser context of its own: it shares no storage with any other.
pub struct Page {
    wire: Wire,
    session: String,
    context: Value,
}

impl Browser {
    pub async fn start() -> Self {
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let mut child = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .arg("--remote-debugging-port=0")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("chromium is installed");
        let stderr = child.stderr.take().expect("piped");
        let (told, endpoint) = oneshot::channel();
        std::thread::spawn(move || {
            let mut told = Some(told);
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some((_, url)) = line.split_once("DevTools listening on ")
                    && let Some(told) = told.take()
                {
                    let _ = told.send(url.trim().to_owned());
                }
            }
        });
        let endpoint = tokio::time::timeout(Duration::from_secs(30), endpoint).await;
        let Ok(Ok(endpoint)) = endpoint else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("chromium did not tell its DevTools address");
        };
        Self {
            child,
            _profile: profile,
            wire: Wire::connect(&endpoint).await,
        }
    }

    /// Opens an address. The page believes that it has the focus, as a tab in the foreground does.
    pub async fn open(&self, url: &str) -> Page {
        let page = self.blank().await;
        page.go(url).await;
        page
    }

    /// A tab without a page, to be prepared before it goes anywhere.
    pub async fn blank(&self) -> Page {
        let context = self.wire.call(None, "Target.createBrowserContext", json!({})).await;
        let target = json!({"url": "about:blank", "browserContextId": context["browserContextId"]});
        let target = self.wire.call(None, "Target.createTarget", target).await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = self.wire.call(None, "Target.attachToTarget", attach).await;
        let session = attached["sessionId"].as_str().expect("a session").to_owned();
        let page = Page {
            wire: self.wire.clone(),
            session,
            context: context["browserContextId"].clone(),
        };
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            page.call(domain, json!({})).await;
        }
        page.before_each_document(LOOKUP).await;
        page.call("Emulation.setFocusEmulationEnabled", json!({"enabled": true}))
            .await;
        page
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Page {
    /// A command of the DevTools protocol.
    pub async fn call(&self, method: &str, parameters: Value) -> Value {
        self.wire.call(Some(&self.session), method, parameters).await
    }

    /// Runs before any script of a page that is loaded from now on, in its frames too.
    pub async fn before_each_document(&self, script: &str) {
        self.call("Page.addScriptToEvaluateOnNewDocument", json!({"source": script}))
            .await;
    }

    /// From now on [`Page::requests`] tells what is asked for.
    pub async fn watch_requests(&self) {
        self.call("Network.enable", json!({})).await;
    }

    /// From now on no window opens to choose files in, but [`Page::asked_for_files`] tells.
    pub async fn intercept_file_choosers(&self) {
        self.call("Page.setInterceptFileChooserDialog", json!({"enabled": true}))
            .await;
    }

    /// The field that asked for files, once.
    pub fn asked_for_files(&self) -> Option<Value> {
        self.wire.take_chooser(&self.session)
    }

    /// The addresses of everything that was asked for, sockets too.
    pub fn requests(&self) -> Vec<String> {
        self.wire.heard(&self.session).requests
    }

    pub async fn go(&self, url: &str) {
        self.call("Page.navigate", json!({"url": url})).await;
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")
            .await;
    }

    pub async fn reload(&self) {
        self.eval("window.beforeReload = true").await;
        self.call("Page.reload", json!({})).await;
        self.until("window.beforeReload === undefined && document.readyState === 'complete'")
            .await;
    }

    /// Whether the page is to think that somebody looks at it. Headless pages always have the focus
    /// or never, so the page itself is told.
    pub async fn focus(&self, on: bool) {
        let told = if on { "focus" } else { "blur" };
        self.eval(&format!(
            "Object.defineProperty(document, 'hasFocus', {{configurable: true, value: () => {on}}}); \
             window.dispatchEvent(new Event('{told}'))"
        ))
        .await;
    }

    pub async fn viewport(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// `light` or `dark`.
    pub async fn scheme(&self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", features).await;
    }

    /// From now on this is a device that is used with fingers.
    pub async fn touch(&self) {
        let touch = json!({"enabled": true, "maxTouchPoints": 5});
        self.call("Emulation.setTouchEmulationEnabled", touch).await;
    }

    /// Whether the network is gone. Sockets that are open already are cut by the page itself.
    pub async fn offline(&self, offline: bool) {
        let network = json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.call("Network.emulateNetworkConditions", network).await;
    }

    /// The addresses of the frames in the page, as they loaded; of one that may not be, an error's.
    pub async fn frames(&self) -> Vec<String> {
        let tree = self.call("Page.getFrameTree", json!({})).await;
        let frames = tree["frameTree"]["childFrames"].as_array().cloned().unwrap_or_default();
        let url = |frame: &Value| frame["frame"]["url"].as_str().unwrap_or_default().to_owned();
        frames.iter().map(url).collect()
    }

    /// The value of a JavaScript expression; a promise is waited for.
    pub async fn eval(&self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", asked).await;
        if let Some(thrown) = answer.get("exceptionDetails") {
            panic!("{expression} threw {}", thrown["exception"]["description"]);
        }
        answer["result"]["value"].clone()
    }

    pub async fn until(&self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        let truth = format!("Boolean({expression})");
        while self.try_eval(&truth).await != Some(json!(true)) {
            if Instant::now() > deadline {
                let body = self.eval("document.body.innerText").await;
                panic!(
                    "never true: {expression}\nerrors: {:?}\nthe page shows: {body}",
                    self.errors()
                );
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// None while the page is on its way elsewhere, or the expression throws.
    async fn try_eval(&self, expression: &str) -> Option<Value> {
        let asked = json!({"expression": expression, "returnByValue": true});
        let answer = self
            .wire
            .ask(Some(&self.session), "Runtime.evaluate", asked)
            .await
            .ok()?;
        answer["result"].get("value").cloned()
    }

    /// Clicks in the middle of the first element that matches, as a finger would.
    pub async fn click(&self, selector: &str) {
        let quoted = json!(selector);
        self.until(&format!("$({quoted})")).await;
        let look = format!(
            "(() => {{ const e = $({quoted}); e?.scrollIntoView({{block: 'nearest'}}); \
             const r = e?.getBoundingClientRect(); return r ? [r.x + r.width / 2, r.y + r.height / 2] : null; }})()"
        );
        let middle = stands_still(async || self.eval(&look).await).await;
        self.click_at(coordinate(&middle[0]), coordinate(&middle[1])).await;
    }

    pub async fn click_at(&self, x: f64, y: f64) {
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Types into whatever has the focus.
    pub async fn type_text(&self, text: &str) {
        self.call("Input.insertText", json!({"text": text})).await;
    }

    /// Presses and releases a key by its DOM name: `Enter`, `Shift+Enter`, `Tab`, `Escape`, or what it writes: `j`, `?`.
    pub async fn press(&self, key: &str) {
        let (shift, key) = match key.strip_prefix("Shift+") {
            Some(key) => (8, key),
            None => (0, key),
        };
        let code = match key {
            "Enter" => 13,
            "Tab" => 9,
            "Escape" => 27,
            "ArrowDown" => 40,
            "ArrowUp" => 38,
            " " => 32,
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            other if other.len() == 1 => i32::from(other.to_ascii_uppercase().as_bytes()[0]),
            other => panic!("no key code for {other}"),
        };
        let mut event =
            json!({"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": shift});
        match key {
            "Enter" => event["text"] = json!("\r"),
            key if key.len() == 1 => event["text"] = json!(key),
            _ => {}
        }
        self.call("Input.dispatchKeyEvent", event.clone()).await;
        event["type"] = json!("keyUp");
        self.call("Input.dispatchKeyEvent", event).await;
    }

    /// What its user would be asked, and says yes to.
    pub async fn grant(&self, permission: &str) {
        let origin = self.eval("location.origin").await;
        let asked = json!({"permissions": [permission], "origin": origin, "browserContextId": self.context});
        self.wire.call(None, "Browser.grantPermissions", asked).await;
    }

    pub async fn screenshot(&self, file: &Path) {
        let taken = self.call("Page.captureScreenshot", json!({"format": "png"})).await;
        let data = taken["data"].as_str().expect("a picture");
        let bytes = base64::engine::general_purpose::STANDARD.decode(data).expect("base64");
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("the folder can be made");
        std::fs::write(file, bytes).expect("the picture can be written");
    }

    /// Uncaught exceptions, console.error, refused resources and broken content policies so far.
    pub fn errors(&self) -> Vec<String> {
        self.wire.heard(&self.session).errors
    }
}

/// Where something is, once it is there and stays: what is on its way up a list, or in a dialog that grows, is
/// elsewhere when the click comes.
pub async fn stands_still(look: impl AsyncFn() -> Value) -> Value {
    let deadline = Instant::now() + PATIENCE;
    let mut before = look().await;
    loop {
        tokio::time::sleep(STILL).await;
        let now = look().await;
        if now == before && !now.is_null() {
            return now;
        }
        assert!(Instant::now() < deadline, "it does not stand still: {now}");
        before = now;
    }
}

fn coordinate(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}
