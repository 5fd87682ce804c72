//! Texts that want to be more than texts (`tests/data/xss.txt`), everywhere where somebody's words are
//! shown: they are shown, as they are, and nothing else happens.

use serde_json::{Value, json};

use crate::support::Claims;
use crate::support::chromium::Browser;
use crate::support::demo::Demo;
use crate::support::pages::{Tab, bubble, row};

const ORG: &str = "bright-plumbing";
const STRANGER: &str = "+14155550199";
/// So long a name may be, and what is looked for; and so long what somebody writes on a phone.
const LABEL: usize = 200;
const TEXT: usize = 1600;

/// Runs first in every document: whatever comes to pass afterwards is remembered.
const GUARD: &str = "
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) =>
        window.violations.push([event.violatedDirective, event.blockedURI, event.sample].join(' ')));
    for (const name of ['alert', 'confirm', 'prompt', 'print', 'open']) window[name] = () => { window.pwned = name; };
";

/// What a page must not be found with.
const HARM: &str = "
    (() => {
        const harm = [...window.violations];
        if (window.pwned !== undefined) harm.push(`pwned: ${window.pwned}`);
        for (const element of $$('*')) {
            const tag = element.localName;
            if (tag === 'script' && element.getAttribute('src')?.startsWith('/ui/') !== true) harm.push(element.outerHTML);
            if (['iframe', 'object', 'embed', 'base', 'style', 'marquee', 'xss', 'animate'].includes(tag)) harm.push(element.outerHTML);
            for (const { name, value } of element.attributes ?? []) {
                if (/^on|^srcdoc$/.test(name)) harm.push(`<${tag} ${name}=${value}>`);
                if (['href', 'src', 'action'].includes(name) && /^[\\s\\u00a0]*(javascript|vbscript|data:text)/i.test(value)) harm.push(`<${tag} ${name}=${value}>`);
            }
        }
        return harm;
    })()
";

/// The payloads of the file, as it describes itself.
fn payloads() -> Vec<String> {
    let file = include_str!("../data/xss.txt");
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    lines.filter(|line| *line != "#").map(unescape).collect()
}

fn unescape(line: &str) -> String {
    let line = line.replace("\\n", "\n").replace("\\t", "\t");
    let mut parts = line.split("\\u{");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('}').expect("a closing brace");
        text.push(char::from_u32(u32::from_str_radix(code, 16).expect("hex")).expect("a character"));
        text.push_str(rest);
    }
    match text.strip_prefix("\\x{") {
        Some(times) => {
            let (times, what) = times.split_once('}').expect("a closing brace");
            what.repeat(times.parse().expect("a number"))
        }
        None => text,
    }
}

/// As a name: on one line, and no longer than names are.
fn label(payload: &str) -> String {
    let plain = payload.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(LABEL).collect()
}

struct Stage {
    demo: Demo,
    service: String,
    ana: String,
    portal: Tab,
    crm: Tab,
    phones: Tab,
}

impl Stage {
    async fn set() -> Self {
        let demo = Demo::start().await;
        let ana = demo.customer("ana");
        let open = async |url: &str| Tab(guarded(&demo.browser, url).await);
        let phones = format!("{}/phones", demo.hub.url);
        let stage = Self {
            service: demo.hub.demo["service_token"].as_str().unwrap().to_owned(),
            portal: open(&ana.page).await,
            crm: open(&demo.staff("sam").page).await,
            phones: open(&phones).await,
            ana: ana.thread,
            demo,
        };
        stage.portal.live().await;
        stage.crm.live().await;
        stage.name_the_business("Bright Plumbing").await;
        stage
    }

    async fn post(&self, token: &str, path: &str, body: Value) {
        self.demo.hub.post(token, path, &body).await.ok();
    }

    /// Customers see the crew's whole names.
    async fn name_the_business(&self, name: &str) {
        let settings = json!({"name": name, "number": self.demo.number(), "business_phones": [self.demo.truck()],
            "show_staff": "name"});
        let path = format!("/v1/orgs/{ORG}");
        self.demo.hub.put(&self.service, &path, &settings).await.ok();
    }

    /// A contact of that name says it, somebody of the crew of that name answers and notes it, the AI
    /// hands it over, the CRM marks it: in both threads. A business phone says it to nobody, and so does
    /// a phone of that name that nobody knows.
    async fn put(&self, n: usize, payload: &str) {
        let name = label(payload);
        let contact = format!("c{n}");
        let path = format!("/v1/orgs/{ORG}/contacts/{contact}");
        let made = self
            .demo
            .hub
            .put(&self.service, &path, &json!({"name": name}))
            .await
            .ok();
        let thread = made["thread"].as_str().unwrap().to_owned();
        let theirs = Claims::customer(ORG, &contact, &name).mint();
        let crew = Claims::staff(ORG, &format!("s{n}"), &name).mint();
        for (place, thread) in [("a", &self.ana), ("b", &thread)] {
            let messages = format!("/v1/threads/{thread}/messages");
            let turn = json!({"at": 1_764_000_000_000_i64, "speaker": "caller", "text": payload});
            let who = if place == "a" { "ana" } else { contact.as_str() };
            let words: String = payload.chars().take(LABEL).collect();
            let call = json!({"id": format!("h{n}{place}"), "contact": who, "reason": words, "summary": words,
                "open_question": words, "transcript": [turn]});
            self.post(&self.service, "/v1/handoffs", call).await;
            let marker = json!({"id": format!("k{n}{place}"), "text": name, "public": true,
                "link": format!("https://example.test/?q={}'onclick='pwned=1", n)});
            self.post(&self.service, &format!("/v1/threads/{thread}/markers"), marker)
                .await;
            let note = json!({"id": format!("n{n}{place}"), "text": payload, "internal": true});
            self.post(&crew, &messages, note).await;
            self.post(&crew, &messages, json!({"id": format!("m{n}{place}"), "text": payload}))
                .await;
        }
        let messages = format!("/v1/threads/{thread}/messages");
        self.post(&theirs, &messages, json!({"id": format!("t{n}"), "text": payload}))
            .await;

        let texted: String = payload.chars().take(TEXT).collect();
        self.demo.text(self.demo.truck(), &texted).await;
        self.demo
            .simulator("PUT", &format!("phones/{STRANGER}"), json!({"name": name}))
            .await;
        self.demo.text(STRANGER, &texted).await;
        self.see(&thread, payload, &name).await;
    }

    async fn is_unharmed(&self, start: &Tab) {
        let hub = &self.demo.hub.url;
        for (tab, name) in [
            (&self.portal, "portal"),
            (&self.crm, "crm"),
            (&self.phones, "phones"),
            (start, "start"),
        ] {
            unharmed(tab, name, hub).await;
        }
    }

    /// It is there to be read, on every page, as it was said.
    async fn see(&self, thread: &str, payload: &str, name: &str) {
        let crm = &self.crm;
        crm.0.until(&format!("$({})", json!(row(thread)))).await;
        says(crm, &row(thread), name).await;
        // Not by a finger: the list moves while it is filled.
        crm.0.eval(&format!("$({}).click()", json!(row(thread)))).await;
        crm.0.until(&bubble(payload)).await;
        says(crm, "crewline-contact-header", name).await;
        for tab in [crm, &self.portal] {
            // Rows far from the view are folded, and what was said on the phone until somebody opens it.
            let here = bubble(payload);
            tab.0
                .until(&format!("($('[data-testid=thread]').scrollTop = 1e9, {here})"))
                .await;
            says(tab, r#"[data-testid="message"]"#, name).await;
            says(tab, r#"[data-testid="marker"]"#, name).await;
            let unfold = |open: bool| {
                format!("$$('[data-testid=transcript]').map((one) => {{ one.open = {open}; }}).length > 0")
            };
            tab.0.until(&unfold(true)).await;
            says(tab, r#"[data-testid="handoff"]"#, payload).await;
            tab.0.until(&unfold(false)).await;
        }
        says(crm, r#"[data-testid="note"]"#, payload).await;
        says(&self.phones, r#"[data-testid="owner"]"#, name).await;
        says(&self.phones, r#"[data-testid="texts"]"#, payload).await;
    }
}

/// Waits until something that matches holds this text.
async fn says(tab: &Tab, selector: &str, text: &str) {
    let (selector, text) = (json!(selector), json!(text));
    tab.0
        .until(&format!("$$({selector}).some((e) => e.textContent.includes({text}))"))
        .await;
}

async fn guarded(browser: &Browser, url: &str) -> crate::support::chromium::Page {
    let page = browser.blank().await;
    page.before_each_document(GUARD).await;
    page.watch_requests().await;
    page.go(url).await;
    page
}

/// Nothing ran, nothing asked anybody else, no policy had to stop anything.
async fn unharmed(tab: &Tab, name: &str, hub: &str) {
    assert_eq!(tab.0.eval(HARM).await, json!([]), "{name}");
    let own = [
        hub,
        &hub.replacen("http", "ws", 1),
        "data:image/svg+xml,%3Csvg xmlns=",
        "blob:",
    ];
    let elsewhere: Vec<_> = tab
        .0
        .requests()
        .into_iter()
        .filter(|url| !own.iter().any(|own| url.starts_with(own)))
        .collect();
    assert_eq!(elsewhere, Vec::<String>::new(), "{name} asked others");
    // A refused photo is a 400, which Chromium counts as an error.
    let errors: Vec<_> = tab
        .0
        .errors()
        .into_iter()
        .filter(|error| !error.contains(r#""source":"network""#))
        .collect();
    assert_eq!(errors, Vec::<String>::new(), "{name}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_people_write_is_shown_and_nothing_else_happens() {
    let payloads = payloads();
    assert!(payloads.len() > 80, "{}", payloads.len());
    let stage = Stage::set().await;
    for (n, payload) in payloads.iter().enumerate() {
        stage.put(n, payload).await;
    }
    for tab in [&stage.portal, &stage.crm] {
        look_for(tab, &payloads).await;
        choose_files(tab, &payloads).await;
    }
    let start = Tab(guarded(&stage.demo.browser, &stage.demo.hub.url).await);
    stage.is_unharmed(&start).await;

    // A business of that name.
    for payload in payloads.iter().step_by(6) {
        stage.name_the_business(&label(payload)).await;
        for tab in [&stage.portal, &stage.crm, &start] {
            tab.0.reload().await;
        }
        stage.portal.live().await;
        stage.crm.live().await;
        stage.is_unharmed(&start).await;
    }
}

/// Types each into the field for searching.
async fn look_for(tab: &Tab, payloads: &[String]) {
    for payload in payloads {
        let look = format!(
            r#"(() => {{ const field = $('[data-testid="search"]'); field.value = {}; field.form.requestSubmit(); }})()"#,
            json!(label(payload))
        );
        tab.0.eval(&look).await;
        tab.0
            .until(r#"$('[data-testid="search-status"]').textContent !== ''"#)
            .await;
    }
    tab.0
        .eval(
            r#"(() => { const field = $('[data-testid="search"]'); field.value = ''; field.form.requestSubmit(); })()"#,
        )
        .await;
}

/// Photos with these names, none of which is a photo: each is refused, by its name.
async fn choose_files(tab: &Tab, payloads: &[String]) {
    for names in payloads.chunks(5) {
        let choose = format!(
            r#"(() => {{
                const input = $('[data-testid="photo-input"]');
                const chosen = new DataTransfer();
                for (const name of {}) chosen.items.add(new File(["no photo"], name));
                input.files = chosen.files;
                input.dispatchEvent(new Event("change"));
            }})()"#,
            json!(names)
        );
        tab.0.eval(&choose).await;
        let failed = r#"$$('[data-testid="photo-preview"][data-state="failed"]').length"#;
        tab.0.until(&format!("{failed} === {}", names.len())).await;
        tab.0
            .eval(r#"$$('[data-testid="photo-remove"]').forEach((button) => button.click())"#)
            .await;
        tab.0.until(&format!("{failed} === 0")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_be_markup_all_the_same_the_policy_stops() {
    let demo = Demo::start().await;
    let portal = Tab(guarded(&demo.browser, &demo.customer("ana").page).await);
    portal.live().await;
    for attempt in [
        r#"document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.pwned=1">')"#,
        r#"document.body.append(Object.assign(document.createElement('script'), {text: 'window.pwned=1'}))"#,
        r#"document.body.append(Object.assign(document.createElement('script'), {src: 'https://evil.test/x.js'}))"#,
        r#"document.body.append(Object.assign(document.createElement('img'), {src: 'https://evil.test/x.png'}))"#,
        r#"(document.body.setAttribute('onclick', 'window.pwned=1'), document.body.click())"#,
        r#"setTimeout('window.pwned=1')"#,
        r#"import('data:text/javascript,window.pwned=1').catch(() => 0)"#,
    ] {
        let before = portal.0.eval("violations.length").await.as_u64().unwrap();
        portal
            .0
            .eval(&format!("(async () => {attempt})().catch(() => 'refused')"))
            .await;
        portal.0.until(&format!("violations.length > {before}")).await;
    }
    assert_eq!(portal.0.eval("window.pwned ?? null").await, Value::Null);
}
