//! The pages for people who see, hear or point otherwise: axe finds nothing in any state of them, and
//! every control is reached, seen and kept by the keyboard alone.

use std::time::Duration;

use serde_json::{Value, json};

use crate::photos::files;
use crate::support::Claims;
use crate::support::axe;
use crate::support::demo::Demo;
use crate::support::pages::{Tab, row};

const ORG: &str = "bright-plumbing";
const SIZES: [(&str, u32, u32); 2] = [("wide", 1280, 800), ("phone", 360, 740)];

/// Collects what axe finds, in light and dark, wide and on a phone, so that one run tells all of it.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    async fn look(&mut self, tab: &Tab, state: &str) {
        for (size, width, height) in SIZES {
            tab.0.viewport(width, height).await;
            for scheme in ["light", "dark"] {
                tab.0.scheme(scheme).await;
                let found = axe::violations(&tab.0).await;
                self.0
                    .extend(found.iter().map(|one| format!("{state}, {size}, {scheme}: {one}")));
            }
        }
        let (_, width, height) = SIZES[0];
        tab.0.viewport(width, height).await;
        tab.0.scheme("light").await;
    }

    /// The same where it is as it is elsewhere: one size in the light, the other in the dark.
    async fn glance(&mut self, tab: &Tab, state: &str) {
        for ((size, width, height), scheme) in SIZES.into_iter().zip(["light", "dark"]) {
            tab.0.viewport(width, height).await;
            tab.0.scheme(scheme).await;
            // The page measures itself in the next frame, and is otherwise in the one after.
            let frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))";
            tab.0.eval(&format!("{frames}.then(() => null)")).await;
            let found = axe::violations(&tab.0).await;
            self.0
                .extend(found.iter().map(|one| format!("{state}, {size}, {scheme}: {one}")));
        }
    }

    fn none(self) {
        assert!(self.0.is_empty(), "axe finds {}:\n{}", self.0.len(), self.0.join("\n"));
    }
}

async fn open(demo: &Demo, url: &str) -> Tab {
    Tab(axe::open(&demo.browser, url).await)
}

/// Ana's thread with one of everything.
async fn furnish(demo: &Demo, thread: &str) {
    let service = demo.hub.demo["service_token"].as_str().unwrap();
    let post = async |path: &str, body: Value| {
        demo.hub.post(service, path, &body).await.ok();
    };
    let turns: Vec<Value> = [
        ("ai", "Bright Plumbing, how can I help?"),
        ("caller", "The tap drips again"),
    ]
    .iter()
    .zip(0..)
    .map(|((speaker, text), n)| json!({"at": 1_764_000_000_000_i64 + n * 4_000, "speaker": speaker, "text": text}))
    .collect();
    let call = json!({"id": "a-call", "contact": "ana", "reason": "A leak", "summary": "The tap drips again, under the sink.",
        "open_question": "When can somebody come?", "call_back_at": 1_764_003_600_000_i64, "transcript": turns});
    post("/v1/handoffs", call).await;
    let markers = format!("/v1/threads/{thread}/markers");
    for (id, text, public) in [("a-1", "Invoice #2041 sent", true), ("a-2", "Second reminder", false)] {
        post(
            &markers,
            json!({"id": id, "text": text, "link": "https://crm.example/2041", "public": public}),
        )
        .await;
    }
    let sam = Claims::staff(ORG, "sam", "Sam Ortiz").mint();
    let messages = format!("/v1/threads/{thread}/messages");
    let note = json!({"id": "a-n", "text": "She has a dog", "internal": true});
    demo.hub.post(&sam, &messages, &note).await.ok();
    demo.switch(&demo.customer("ana").phone, "landline").await;
    let answer = json!({"id": "a-m", "text": "I will be there at ten. More at https://example.test/leaks"});
    demo.hub.post(&sam, &messages, &answer).await.ok();
    demo.text(demo.truck(), "to nobody in particular").await;
    demo.text("+14155550199", "Is this the plumber?").await;
}

async fn choose_photo(tab: &Tab) {
    use base64::Engine;
    let photo = std::fs::read(files().join("plain.jpg")).unwrap();
    let bytes = base64::engine::general_purpose::STANDARD.encode(photo);
    let choose = format!(
        r#"(() => {{
            const input = $('[data-testid="photo-input"]');
            const chosen = new DataTransfer();
            for (const name of ["a.jpg", "b.jpg"]) chosen.items.add(new File([Uint8Array.from(atob("{bytes}"), (c) => c.charCodeAt(0))], name));
            input.files = chosen.files;
            input.dispatchEvent(new Event("change"));
        }})()"#
    );
    tab.0.eval(&choose).await;
    tab.0
        .until(r#"$$('[data-testid="photo-preview"][data-state="uploaded"]').length === 2"#)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn axe_finds_nothing_in_the_portal() {
    let mut demo = Demo::start().await;
    let mut findings = Findings::default();
    let service = demo.hub.demo["service_token"].as_str().unwrap().to_owned();
    demo.hub
        .put(
            &service,
            &format!("/v1/orgs/{ORG}/contacts/dora"),
            &json!({"name": "Dora Lind"}),
        )
        .await
        .ok();
    let dora = Claims::customer(ORG, "dora", "Dora Lind").mint();
    let empty = open(&demo, &format!("{}/portal#token={dora}", demo.hub.url)).await;
    empty.live().await;
    findings.look(&empty, "an empty portal").await;

    let ana = demo.customer("ana");
    furnish(&demo, &ana.thread).await;
    let portal = open(&demo, &ana.page).await;
    portal.live().await;
    portal
        .texting(
            "I will be there at ten. More at https://example.test/leaks",
            "failed",
            "",
        )
        .await;
    choose_photo(&portal).await;
    findings.look(&portal, "photos chosen").await;
    portal.say("Here it is").await;
    portal
        .0
        .until(r#"$$('[data-testid="message"]:not(.pending) [data-testid="photo"]').length === 2"#)
        .await;
    portal.0.click("[data-testid=transcript] summary").await;
    findings.look(&portal, "a portal with everything").await;
    portal.0.click(r#"[data-testid="photo"]"#).await;
    portal.0.until(r#"$('[data-testid="photo-full"]')"#).await;
    findings.look(&portal, "a photo opened").await;
    portal.0.press("Escape").await;
    portal.0.click(r#"[data-testid="search"]"#).await;
    portal.0.type_text("tap").await;
    portal
        .0
        .until(r#"$$('[data-testid="search-hits"] li').length > 0"#)
        .await;
    findings.look(&portal, "found in the portal").await;
    portal.0.press("Escape").await;

    demo.hub.kill9();
    portal
        .0
        .until(r#"$('[data-testid="state"]').dataset.state !== 'live'"#)
        .await;
    portal.say("Does this wait?").await;
    findings.look(&portal, "a portal without its hub").await;
    findings.none();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn axe_finds_nothing_in_the_crm() {
    let demo = Demo::start().await;
    let mut findings = Findings::default();
    let ana = demo.customer("ana");
    furnish(&demo, &ana.thread).await;
    let crm = open(&demo, &demo.staff("sam").page).await;
    crm.live().await;
    crm.0.until(&format!("$({})", json!(row(&ana.thread)))).await;
    findings.look(&crm, "the inbox").await;
    crm.0.click(r#"[data-testid="unrouted-summary"]"#).await;
    findings.look(&crm, "texts that reached nobody").await;
    crm.0.click(&row(&ana.thread)).await;
    crm.texting(
        "I will be there at ten. More at https://example.test/leaks",
        "failed",
        "",
    )
    .await;
    findings.look(&crm, "a conversation").await;
    crm.0.click(r#"[data-testid="note-toggle"]"#).await;
    crm.0.click(r#"[data-testid="composer"]"#).await;
    crm.0.type_text("She also has a cat").await;
    findings.look(&crm, "a note").await;
    crm.0.click(r#"[data-testid="search"]"#).await;
    crm.0.type_text("tap").await;
    crm.0.until(r#"$$('[data-testid="search-hits"] li').length > 0"#).await;
    findings.look(&crm, "found in the crm").await;
    crm.0.press("Escape").await;
    // Whose number that is, is asked.
    let stranger =
        r#"[...$$('[data-testid="thread-row"]')].find((row) => row.textContent.includes('Is this the plumber?'))"#;
    crm.0.until(stranger).await;
    crm.0.eval(&format!("{stranger}.click()")).await;
    crm.has_message("Is this the plumber?").await;
    findings.look(&crm, "an unknown number").await;
    crm.0.click("[data-testid=attach]").await;
    crm.0.type_text("an").await;
    crm.0.until("$$('[role=option]').length > 0").await;
    findings.glance(&crm, "whose number it is").await;
    crm.0.press("Escape").await;
    crm.0.click("[data-testid=contact-toggle]").await;
    crm.0.until("$('[data-testid=contact-panel]').matches(':modal')").await;
    findings.glance(&crm, "the contact over the conversation").await;
    findings.none();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn axe_finds_nothing_in_the_crms_dialogs_and_in_what_was_not_sent() {
    let demo = Demo::start().await;
    let mut findings = Findings::default();
    let ana = demo.customer("ana");
    let crm = open(&demo, &demo.staff("sam").page).await;
    crm.live().await;
    crm.0.viewport(1280, 800).await;
    crm.0.until(&format!("$({})", json!(row(&ana.thread)))).await;
    for (key, dialog) in [("c", "new-dialog"), ("?", "keys")] {
        crm.0.press(key).await;
        crm.0.until(&format!("$('[data-testid={dialog}]').open")).await;
        if dialog == "new-dialog" {
            crm.0.type_text("Nobody we know").await;
            crm.0.until("$('[data-testid=new-somebody]').open").await;
        }
        findings.glance(&crm, dialog).await;
        crm.0.press("Escape").await;
        crm.0.until(&format!("!$('[data-testid={dialog}]').open")).await;
        // The page hears of it a moment later, and until then keys are the dialog's.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    crm.0.click("[data-testid=bell]").await;
    findings.glance(&crm, "the bell").await;
    crm.0.press("Escape").await;

    crm.0.click(&row(&ana.thread)).await;
    crm.0.until("$$('[data-testid=message]').length > 3").await;
    // One that it would not take, one that had not seen everything, and one that can be taken back.
    let send = |rest: &str| {
        format!(
            "$('crewline-inbox').client.send({{ thread: '{}', {rest} }})",
            ana.thread
        )
    };
    crm.0.eval(&send(r"text: 'bell \u0007'")).await;
    crm.0.eval(&send("text: 'On our way', seen: 1")).await;
    for state in ["refused", "stale"] {
        crm.0.until(&format!("$('[data-state={state}] .actions')")).await;
    }
    crm.0.eval(&send("text: 'At ten', hold: 60_000")).await;
    crm.0.until("!$('[data-testid=held]').hidden").await;
    findings.glance(&crm, "what was not sent").await;

    // In a colour that nobody could read.
    let service = demo.hub.demo["service_token"].as_str().unwrap();
    let settings = json!({"name": "Bright Plumbing", "origins": [demo.hub.url], "color": "#ffd400"});
    demo.hub.put(service, &format!("/v1/orgs/{ORG}"), &settings).await.ok();
    let call = json!({"id": "a-call", "contact": "bob", "reason": "A leak", "summary": "The tap drips again",
        "transcript": [{"at": 1_764_000_000_000_i64, "speaker": "caller", "text": "The tap drips again"}]});
    demo.hub.post(service, "/v1/handoffs", &call).await.ok();
    crm.0.reload().await;
    crm.live().await;
    crm.0.viewport(1280, 800).await;
    let bob = row(&demo.customer("bob").thread);
    crm.0.click(&bob).await;
    crm.0
        .until(&format!("$({})", json!(format!("{bob} [data-testid=flag-handoff]"))))
        .await;
    crm.0.until("$('[data-testid=handoff-tag]')").await;
    findings.glance(&crm, "in the business's colour").await;
    findings.none();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn axe_finds_nothing_on_the_other_pages() {
    let demo = Demo::start().await;
    let mut findings = Findings::default();
    demo.text("+14155550199", "Is this the plumber?").await;
    for (path, ready) in [
        ("phones", "$$('crewline-phone').length > 3"),
        ("", r#"$$('[data-testid="message"]').length > 3"#),
        ("portal", r#"$('[data-testid="no-session"]')"#),
    ] {
        let page = open(&demo, &format!("{}/{path}", demo.hub.url)).await;
        page.0.until(ready).await;
        findings.look(&page, &format!("/{path}")).await;
    }
    findings.none();
}
