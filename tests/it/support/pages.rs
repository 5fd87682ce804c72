//! Our own pages in the browser, in the words of their tests.

use serde_json::{Value, json};

use super::chromium::{Browser, Page};
use super::{Hub, Org, Person};

/// The thread row in the CRM, and what stands in it.
pub fn row(thread: &str) -> String {
    format!(r#"[data-testid="thread-row"][data-thread="{thread}"]"#)
}

/// JavaScript: the message with this text, or undefined.
pub fn bubble(text: &str) -> String {
    format!(
        r#"[...$$('[data-testid="message"][data-seq]')]
             .find(m => m.querySelector('[data-testid="text"]').textContent === {})"#,
        json!(text)
    )
}

/// JavaScript: what is said of the customer's text of a message.
pub fn sms(text: &str) -> String {
    format!(r#"{}?.querySelector('[data-testid="sms"]')"#, bubble(text))
}

/// Acme with Ana, and a browser in which they all open their pages.
pub struct Cast {
    pub hub: Hub,
    /// Where the crew is, if not at the customers' node.
    pub crew: Option<Hub>,
    pub org: Org,
    pub browser: Browser,
    pub ana: Person,
}

impl Cast {
    pub async fn start() -> Self {
        Self::on(Hub::start().await, None).await
    }

    pub async fn on(hub: Hub, crew: Option<Hub>) -> Self {
        // The pages come from the hub itself, so that is the site they speak from.
        let org = Org::with(&hub, "acme", json!({"origins": [hub.url]})).await;
        let ana = org
            .customer_with(&hub, "ana", json!({"name": "Ana Souza", "phone": "+12025550134"}))
            .await;
        let browser = Browser::start().await;
        Self {
            hub,
            crew,
            org,
            browser,
            ana,
        }
    }

    pub async fn portal(&self, person: &Person) -> Tab {
        self.open(&self.hub, "portal", &person.token).await
    }

    pub async fn crm(&self, sub: &str, name: &str) -> Tab {
        let hub = self.crew.as_ref().unwrap_or(&self.hub);
        self.open(hub, "crm", &self.org.staff(sub, name).token).await
    }

    async fn open(&self, hub: &Hub, page: &str, token: &str) -> Tab {
        let tab = Tab(self.browser.open(&format!("{}/{page}#token={token}", hub.url)).await);
        tab.live().await;
        assert_eq!(
            tab.0.eval("location.hash").await,
            "",
            "the token is taken out of the address at once"
        );
        tab
    }
}

/// A page of ours, in the words of its tests.
pub struct Tab(pub Page);

impl Tab {
    pub async fn live(&self) {
        self.0
            .until(r#"$('[data-testid="state"]').dataset.state === 'live'"#)
            .await;
    }

    pub async fn write(&self, text: &str) {
        self.0.click(r#"[data-testid="composer"]"#).await;
        self.0.type_text(text).await;
    }

    /// What stands in the composer.
    pub async fn written(&self) -> Value {
        self.0.eval(r#"$('[data-testid="composer"]').value"#).await
    }

    pub async fn say(&self, text: &str) {
        self.write(text).await;
        self.0.press("Enter").await;
    }

    /// [name, time, text, receipt] of every message and note that has a number, from top to bottom.
    pub async fn shown(&self) -> Vec<[String; 4]> {
        let rows = self
            .0
            .eval(
                r#"[...$$('[data-testid="message"],[data-testid="note"]')]
                     .map(m => ['name', 'time', 'text', 'receipt']
                       .map(part => m.querySelector(`[data-testid="${part}"]`)?.textContent ?? ''))"#,
            )
            .await;
        serde_json::from_value(rows).expect("four texts each")
    }

    pub async fn texts(&self) -> Vec<String> {
        self.shown().await.into_iter().map(|[_, _, text, _]| text).collect()
    }

    /// Waits for exactly these texts, in this order.
    pub async fn shows(&self, texts: &[&str]) {
        let list = r#"[...$$('[data-testid="message"],[data-testid="note"]')]
            .map(m => m.querySelector('[data-testid="text"]').textContent)"#;
        self.0
            .until(&format!("JSON.stringify({list}) === JSON.stringify({})", json!(texts)))
            .await;
    }

    pub async fn badge(&self, count: u32) {
        let badge = r#"$('[data-testid="badge"]')"#;
        self.0
            .until(&format!("({badge}.hidden ? '0' : {badge}.textContent) === '{count}'"))
            .await;
    }

    pub async fn flags(&self, thread: &str, new: bool, waiting: bool) {
        let has = |flag: &str| format!(r#"($('{} [data-testid="{flag}"]') !== null)"#, row(thread));
        self.0
            .until(&format!(
                "{} === {new} && {} === {waiting}",
                has("flag-new"),
                has("flag-waiting")
            ))
            .await;
    }

    /// Whether the row says that the last text to its customer failed, or may have.
    pub async fn flagged_failed(&self, thread: &str, failed: bool) {
        let flag = json!(format!(r#"{} [data-testid="flag-failed"]"#, row(thread)));
        self.0.until(&format!("($({flag}) !== null) === {failed}")).await;
    }

    /// How many conversations the tab over the list says are waiting: the hub's count, not the page's.
    pub async fn waiting(&self, count: u32) {
        let tab = r#"$('[data-testid="filter-waiting"]')"#;
        self.0.until(&format!("{tab}.textContent.endsWith(' {count}')")).await;
    }

    /// The receipt under the message with this text.
    pub async fn receipt(&self, text: &str, says: &str) {
        self.0
            .until(&format!(
                r#"[...$$('[data-testid="message"]')]
                     .filter(m => m.querySelector('[data-testid="text"]').textContent === {})
                     .some(m => m.querySelector('[data-testid="receipt"]').textContent.includes({}))"#,
                json!(text),
                json!(says)
            ))
            .await;
    }

    pub async fn has_message(&self, text: &str) {
        self.0.until(&bubble(text)).await;
    }

    /// By which way a message came, if that is told.
    pub async fn via(&self, text: &str) -> Value {
        let via = format!("{}.querySelector('.via')?.textContent ?? null", bubble(text));
        self.0.eval(&via).await
    }

    /// Waits until it is said of the customer's text of a message how it stands, in words that hold these.
    pub async fn texting(&self, text: &str, state: &str, words: &str) {
        let (sms, words) = (sms(text), json!(words));
        self.0
            .until(&format!(
                "{sms}?.dataset.state === '{state}' && {sms}.textContent.includes({words})"
            ))
            .await;
    }

    pub async fn picture(&self, name: &str) {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
        self.0.screenshot(&folder.join(format!("{name}.png"))).await;
    }

    pub async fn is_sound(&self) {
        assert_eq!(self.0.errors(), Vec::<String>::new(), "the page's console");
    }
}
