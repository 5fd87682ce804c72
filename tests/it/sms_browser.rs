//! Texts as people see them: the demo's pages in Chromium beside the demo's phones.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::chromium::Browser;
use crate::support::pages::{Tab, row};
use crate::support::{Hub, PATIENCE};

/// "within a second of the API's answer or the callback"
const PROMPT: Duration = Duration::from_secs(1);
/// A phone of the demo that is no contact's.
const STRANGER: &str = "+14155550199";

/// The demo with its pages open and its phones in reach.
struct Demo {
    hub: Hub,
    browser: Browser,
}

/// Somebody of the demo: a customer has a thread and a phone.
struct Somebody {
    name: String,
    page: String,
    thread: String,
    phone: String,
}

impl Demo {
    async fn start() -> Self {
        // What is uncertain is looked for soon.
        let settings = [
            ("CREWLINE_FRAMES_PER_SECOND", "100000"),
            ("CREWLINE_RECONCILE_AFTER_MS", "200"),
        ];
        Self {
            hub: Hub::with(&settings).await,
            browser: Browser::start().await,
        }
    }

    fn customer(&self, contact: &str) -> Somebody {
        let customers = self.hub.demo["customers"].as_array().expect("customers");
        let found = customers.iter().find(|customer| customer["contact"] == contact);
        Somebody::of(found.expect("a customer of the demo"))
    }

    fn staff(&self, sub: &str) -> Somebody {
        let staff = self.hub.demo["staff"].as_array().expect("staff");
        Somebody::of(staff.iter().find(|one| one["sub"] == sub).expect("one of the crew"))
    }

    fn number(&self) -> &str {
        self.hub.demo["twilio"]["number"].as_str().expect("a number")
    }

    fn truck(&self) -> &str {
        let phones = &self.hub.demo["twilio"]["business_phones"];
        phones[0].as_str().expect("a business phone")
    }

    async fn open(&self, who: &Somebody) -> Tab {
        let tab = Tab(self.browser.open(&who.page).await);
        tab.live().await;
        tab
    }

    /// The CRM with the customer's thread open.
    async fn crm_at(&self, sub: &str, customer: &Somebody) -> Tab {
        let tab = self.open(&self.staff(sub)).await;
        tab.0.click(&row(&customer.thread)).await;
        tab.0
            .until(r#"document.querySelectorAll('[data-testid="message"]').length > 0"#)
            .await;
        tab
    }

    async fn simulator(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self
            .hub
            .ask(method, &format!("/simulator/{path}"), None, Some(&body))
            .await;
        match answer.status {
            204 => Value::Null,
            _ => answer.ok(),
        }
    }

    async fn switch(&self, phone: &str, switch: &str) {
        self.simulator("PUT", &format!("phones/{phone}"), json!({ "switch": switch }))
            .await;
    }

    async fn text(&self, phone: &str, body: &str) {
        let text = json!({ "to": self.number(), "body": body });
        self.simulator("POST", &format!("phones/{phone}/texts"), text).await;
    }

    /// What stands on a phone and came from the number.
    async fn got(&self, phone: &str) -> Vec<Value> {
        let shown = self.hub.ask("GET", "/simulator/phones", None, None).await.ok();
        let phones = shown["phones"].as_array().expect("phones");
        let found = phones.iter().find(|one| one["phone"] == phone).expect("the phone");
        let messages = found["messages"].as_array().expect("messages").iter();
        messages.filter(|message| message["by"] == "number").cloned().collect()
    }

    /// Waits for a text on a phone that begins and ends so.
    async fn gets(&self, phone: &str, begin: &str, end: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let got = self.got(phone).await;
            let fits = |message: &&Value| {
                let text = message["text"].as_str().expect("a text");
                text.starts_with(begin) && text.ends_with(end)
            };
            if let Some(message) = got.iter().find(fits) {
                return message.clone();
            }
            assert!(
                Instant::now() < deadline,
                "{phone} never got {begin:?}…{end:?}: {got:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The create call for a text, once it was answered.
    async fn created(&self, body: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ledger = self.hub.ask("GET", "/simulator/ledger", None, None).await.ok();
            let mut creates = ledger["creates"].as_array().expect("creates").iter();
            if let Some(create) = creates.find(|create| create["body"] == body) {
                return create.clone();
            }
            assert!(Instant::now() < deadline, "{body:?} was never handed over");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Somebody {
    fn of(person: &Value) -> Self {
        let text = |field: &str| person[field].as_str().unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            page: text("page"),
            thread: text("thread"),
            phone: text("phone"),
        }
    }
}

/// JavaScript: the message with this text, or undefined.
fn bubble(text: &str) -> String {
    format!(
        r#"[...document.querySelectorAll('[data-testid="message"][data-seq]')]
             .find(m => m.querySelector('[data-testid="text"]').textContent === {})"#,
        json!(text)
    )
}

/// JavaScript: what is said of the customer's text of a message.
fn sms(text: &str) -> String {
    format!(r#"{}?.querySelector('[data-testid="sms"]')"#, bubble(text))
}

async fn says(tab: &Tab, text: &str, state: &str, words: &str) {
    let sms = sms(text);
    tab.0
        .until(&format!(
            "{sms}?.dataset.state === '{state}' && {sms}.textContent.includes({})",
            json!(words)
        ))
        .await;
}

async fn has_message(tab: &Tab, text: &str) {
    tab.0.until(&bubble(text)).await;
}

async fn via(tab: &Tab, text: &str) -> Value {
    tab.0
        .eval(&format!("{}.querySelector('.via')?.textContent ?? null", bubble(text)))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_in_the_portal_and_a_contractor_on_a_phone_talk_with_each_other() {
    let demo = Demo::start().await;
    let ana = demo.customer("ana");
    let (portal, sam) = (demo.open(&ana).await, demo.crm_at("sam", &ana).await);

    // Ana writes in the portal; the business phone has it, with her tag.
    portal.say("The water runs down the wall").await;
    let copy = demo
        .gets(demo.truck(), "#", "Ana Souza: The water runs down the wall")
        .await;
    let (tag, rest) = copy["text"].as_str().unwrap().split_once(' ').expect("a tag");
    assert_eq!(rest, "Ana Souza: The water runs down the wall");
    assert_eq!(copy["number"], demo.number());

    // The answer from there is in both pages and on her phone.
    demo.text(demo.truck(), &format!("{tag} on our way")).await;
    for tab in [&portal, &sam] {
        has_message(tab, "on our way").await;
    }
    let texted = demo.gets(&ana.phone, "on our way", "").await;
    assert_eq!(texted["number"], demo.number(), "never from somebody's own phone");
    assert_eq!(via(&portal, "on our way").await, "by SMS");
    assert_eq!(via(&sam, "on our way").await, "by SMS");
    let name = format!(
        "{}.querySelector('[data-testid=\"name\"]').textContent",
        bubble("on our way")
    );
    assert_eq!(portal.0.eval(&name).await, "Bright Plumbing");
    assert_eq!(sam.0.eval(&name).await, format!("Phone {}", demo.truck()));
    says(&portal, "on our way", "delivered", "Texted to your phone ending 12").await;
    says(&sam, "on our way", "delivered", &format!("Texted to {}", ana.phone)).await;

    // The same from the CRM. The composer tells beforehand what it costs.
    let answer = "Sam is there in ten minutes";
    sam.0.click(r#"[data-testid="composer"]"#).await;
    sam.0.type_text(answer).await;
    sam.0
        .until(r#"document.querySelector('[data-testid="segments"]').textContent === '1 text (GSM-7)'"#)
        .await;
    sam.0.press("Enter").await;
    has_message(&portal, answer).await;
    let texted = demo.gets(&ana.phone, answer, "").await;
    assert_eq!(texted["number"], demo.number());
    says(&sam, answer, "delivered", &format!("Texted to {}", ana.phone)).await;
    says(&portal, answer, "delivered", "Texted to your phone ending 12").await;
    sam.receipt(answer, "Delivered").await;

    // Her own text lands in the same thread.
    demo.text(&ana.phone, "Thank you").await;
    for tab in [&portal, &sam] {
        has_message(tab, "Thank you").await;
    }
    assert_eq!(via(&portal, "Thank you").await, "by SMS");
    assert_eq!(via(&sam, "Thank you").await, format!("by SMS from {}", ana.phone));

    // No byte of the portal holds the phone that answered.
    let page = portal.0.eval("document.documentElement.outerHTML").await;
    assert!(
        !page.as_str().unwrap().contains(&demo.truck()[2..]),
        "a business phone is the team's"
    );
    for (tab, name) in [(&portal, "sms-portal"), (&sam, "sms-crm")] {
        tab.picture(name).await;
        tab.is_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_a_tag_reaches_nobody_when_two_could_be_meant_and_the_crm_shows_it() {
    let demo = Demo::start().await;
    let (ana, bob) = (demo.customer("ana"), demo.customer("bob"));
    let sam = demo.open(&demo.staff("sam")).await;
    let (hers, his) = (demo.open(&ana).await, demo.open(&bob).await);
    let kept = r#"document.querySelector('crew-unrouted')"#;
    assert_eq!(sam.0.eval(&format!("{kept}.hidden")).await, true);

    for (portal, text) in [(&hers, "Are you coming?"), (&his, "And to me?")] {
        portal.say(text).await;
        demo.gets(demo.truck(), "#", text).await;
    }
    demo.text(demo.truck(), "in ten minutes").await;

    // The phone is told how to say it; nobody has got it.
    let told = demo.gets(demo.truck(), "Not sent. Start with #", ").").await;
    let told = told["text"].as_str().unwrap();
    for who in [&ana, &bob] {
        assert!(told.contains(&format!("({})", who.name)), "{told}");
        let got = demo.got(&who.phone).await;
        assert!(got.iter().all(|message| message["text"] != "in ten minutes"), "{got:?}");
    }
    sam.0
        .until(&format!(
            r#"!{kept}.hidden && {kept}.querySelector('[data-testid="unrouted-summary"]').textContent === '1 text reached nobody'"#
        ))
        .await;

    // It opens to what there is to know, also after the page was loaded afresh.
    sam.0.reload().await;
    sam.live().await;
    sam.0.until(&format!("!{kept}.hidden")).await;
    sam.0.click(r#"[data-testid="unrouted-summary"]"#).await;
    let part = |name: &str| format!(r#"{kept}.querySelector('[data-testid="unrouted-{name}"]').textContent"#);
    assert_eq!(sam.0.eval(&part("text")).await, "in ten minutes");
    assert_eq!(
        sam.0.eval(&part("reason")).await,
        "It does not begin with a tag, and more than one conversation can be meant."
    );
    let answer = sam.0.eval(&part("answer")).await;
    assert!(answer.as_str().unwrap().contains(told), "{answer}");
    sam.picture("sms-unrouted").await;

    // A candidate leads to its conversation.
    let link = format!(r#"[data-testid="unrouted-candidates"] a[href$="{}"]"#, ana.thread);
    sam.0.click(&link).await;
    has_message(&sam, "Are you coming?").await;
    for tab in [&sam, &hers, &his] {
        let texts = tab.texts().await;
        assert!(!texts.contains(&"in ten minutes".to_owned()), "{texts:?}");
        tab.is_sound().await;
    }

    // With its tag it arrives.
    let tag = told.split('#').find(|part| part.contains(&ana.name)).expect("her tag");
    let tag = tag.split_whitespace().next().unwrap();
    demo.text(demo.truck(), &format!("#{tag} in ten minutes")).await;
    has_message(&hers, "in ten minutes").await;
    demo.gets(&ana.phone, "in ten minutes", "").await;
}

/// What goes wrong with a text, and what is said of it.
struct Trouble {
    switch: &'static str,
    /// Told by a callback; the others by the create call's answer.
    callback: Option<u32>,
    portal: &'static str,
    crm: &'static str,
}

const TROUBLES: [Trouble; 3] = [
    Trouble {
        switch: "invalid",
        callback: None,
        portal: "Not delivered: this phone number is not valid.",
        crm: "Invalid phone number. Correct the contact. (21211)",
    },
    Trouble {
        switch: "landline",
        callback: Some(30006),
        portal: "Not delivered: this number cannot get texts.",
        crm: "Landline or unreachable carrier. (30006)",
    },
    Trouble {
        switch: "blocked",
        callback: Some(30004),
        portal: "Not delivered: this number is blocking texts.",
        crm: "Recipient or carrier blocks this message. (30004)",
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_fails_says_so_at_once_in_both_pages_and_the_thread_goes_on() {
    let demo = Demo::start().await;
    let bob = demo.customer("bob");
    let (portal, sam) = (demo.open(&bob).await, demo.crm_at("sam", &bob).await);
    // What becomes of a text is told when the test says so.
    demo.simulator("PUT", "behaviour", json!({ "order": "by_hand" })).await;
    sam.flagged_failed(&bob.thread, false).await;

    for trouble in &TROUBLES {
        let text = format!("To a phone that is {}", trouble.switch);
        demo.switch(&bob.phone, trouble.switch).await;
        sam.say(&text).await;
        let created = demo.created(&text).await;
        let since = match trouble.callback {
            None => {
                assert!(created["sid"].is_null(), "it was refused: {created}");
                Instant::now()
            }
            Some(code) => {
                says(&portal, &text, "sent", "Texted to your phone ending 15").await;
                let callback = json!({ "status": "undelivered", "code": code });
                let path = format!("messages/{}/callbacks", created["sid"].as_str().unwrap());
                let since = Instant::now();
                demo.simulator("POST", &path, callback).await;
                since
            }
        };
        tokio::join!(
            says(&portal, &text, "failed", trouble.portal),
            says(&sam, &text, "failed", trouble.crm),
            sam.flagged_failed(&bob.thread, true),
        );
        let took = since.elapsed();
        assert!(took < PROMPT, "{}: shown after {took:?}", trouble.switch);
        for tab in [&portal, &sam] {
            let sign = format!("{}.querySelector('.sign').textContent", sms(&text));
            assert_eq!(tab.0.eval(&sign).await, "!", "not by colour alone");
        }
        // The thread goes on: in the portal both still hear each other.
        let reply = format!("Here I read it, though it is {}", trouble.switch);
        portal.say(&reply).await;
        has_message(&sam, &reply).await;
    }
    portal.picture("sms-failed-portal").await;
    sam.picture("sms-failed-crm").await;
    sam.0.click(r#"[data-testid="filter-failed"]"#).await;
    sam.0
        .until(r#"document.querySelectorAll('[data-testid="thread-row"]').length === 1"#)
        .await;

    // The phone is well again: sent once more, it gets there.
    let text = "To a phone that is blocked";
    demo.switch(&bob.phone, "normal").await;
    demo.simulator("PUT", "behaviour", json!({})).await;
    let rev = sam.0.eval(&format!("{}.dataset.rev", bubble(text))).await;
    sam.0
        .click(&format!(
            r#"[data-rev="{}"] [data-testid="resend"]"#,
            rev.as_str().unwrap()
        ))
        .await;
    demo.gets(&bob.phone, text, "").await;
    says(&sam, text, "delivered", &format!("Texted to {}", bob.phone)).await;
    says(&portal, text, "delivered", "Texted to your phone ending 15").await;
    sam.flagged_failed(&bob.thread, false).await;
    portal.is_sound().await;
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_wants_no_texts_gets_none_and_both_pages_say_so() {
    let demo = Demo::start().await;
    let (ana, bob) = (demo.customer("ana"), demo.customer("bob"));
    let (portal, sam) = (demo.open(&ana).await, demo.crm_at("sam", &ana).await);
    let banner = r#"document.querySelector('[data-testid="texts-off"]')"#;
    let shown = format!("!{banner}.hidden");
    for tab in [&portal, &sam] {
        assert_eq!(tab.0.eval(&format!("{banner}.hidden")).await, true);
    }

    demo.text(&ana.phone, "STOP").await;
    for tab in [&portal, &sam] {
        tab.0.until(&shown).await;
    }
    sam.say("We are in front of your door").await;
    let since = Instant::now();
    tokio::join!(
        says(
            &portal,
            "We are in front of your door",
            "not_texted",
            "Not texted: texts are off for your number."
        ),
        says(
            &sam,
            "We are in front of your door",
            "not_texted",
            "this phone has asked for no more texts"
        ),
    );
    let took = since.elapsed();
    assert!(took < PROMPT, "shown after {took:?}");
    portal.say("Coming down").await;
    has_message(&sam, "Coming down").await;
    for (tab, name) in [(&portal, "sms-off-portal"), (&sam, "sms-off-crm")] {
        tab.picture(name).await;
        // A page that is loaded afresh says the same.
        tab.0.reload().await;
        tab.live().await;
        tab.0.until(&shown).await;
    }
    let got = demo.got(&ana.phone).await;
    assert!(
        got.iter()
            .all(|message| message["text"] != "We are in front of your door")
    );
    // What cannot be texted costs nothing.
    sam.0.click(r#"[data-testid="composer"]"#).await;
    sam.0.type_text("x").await;
    let cost = r#"document.querySelector('[data-testid="segments"]').textContent"#;
    assert_eq!(sam.0.eval(cost).await, "");

    demo.text(&ana.phone, "START").await;
    for tab in [&portal, &sam] {
        tab.0.until(&format!("{banner}.hidden")).await;
    }
    sam.0.until(&format!("{cost} === '1 text (GSM-7)'")).await;

    // One whose network knows more than we do: the refusal itself turns them off.
    let (his, kim) = (demo.open(&bob).await, demo.crm_at("kim", &bob).await);
    let refusal = json!({ "kind": "refuse", "code": 21610, "to": bob.phone });
    demo.simulator("POST", "faults", refusal).await;
    kim.say("Friday at two, then").await;
    demo.created("Friday at two, then").await;
    let since = Instant::now();
    tokio::join!(
        says(
            &his,
            "Friday at two, then",
            "failed",
            "Text messages are off for this number."
        ),
        says(&kim, "Friday at two, then", "failed", "Recipient opted out (STOP)"),
        his.0.until(&shown),
        kim.0.until(&shown),
    );
    let took = since.elapsed();
    assert!(took < PROMPT, "shown after {took:?}");
    for tab in [&portal, &sam, &his, &kim] {
        tab.is_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_of_unknown_outcome_is_sent_again_only_by_somebody_who_was_warned() {
    let demo = Demo::start().await;
    let chen = demo.customer("chen");
    let (portal, sam) = (demo.open(&chen).await, demo.crm_at("sam", &chen).await);
    let text = "We do bathrooms as well";
    // Twilio answers 500 and does not have it: that cannot be told from one that it has.
    let fault = json!({ "kind": "unavailable", "to": chen.phone });
    demo.simulator("POST", "faults", fault).await;
    sam.say(text).await;
    says(&portal, text, "unknown", "It is not known whether").await;
    says(&sam, text, "unknown", "may have failed").await;
    let sign = format!("{}.querySelector('.sign').textContent", sms(text));
    assert_eq!(sam.0.eval(&sign).await, "?");
    sam.flagged_failed(&chen.thread, true).await;

    // The first click only asks, and can be taken back.
    sam.0.click(r#"[data-testid="resend"]"#).await;
    let asks = format!("{}.textContent.includes('this may text it twice')", sms(text));
    assert_eq!(sam.0.eval(&asks).await, true);
    sam.picture("sms-unknown-asks").await;
    sam.0.click(r#"[data-testid="resend-not"]"#).await;
    sam.0.click(r#"[data-testid="resend"]"#).await;
    let got = demo.got(&chen.phone).await;
    assert!(got.iter().all(|message| message["text"] != text), "{got:?}");
    sam.0.click(r#"[data-testid="resend-sure"]"#).await;
    demo.gets(&chen.phone, text, "").await;
    for tab in [&portal, &sam] {
        says(tab, text, "delivered", "Texted to").await;
    }
    sam.flagged_failed(&chen.thread, false).await;
    portal.is_sound().await;
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_failed_and_a_number_that_nobody_knows_are_shown_to_the_team() {
    let demo = Demo::start().await;
    let ana = demo.customer("ana");
    let (portal, sam) = (demo.open(&ana).await, demo.crm_at("sam", &ana).await);
    let copy = |text: &str| format!(r#"{}?.querySelector('[data-testid="copy"]')"#, bubble(text));

    // A copy that did not arrive is a small line on the customer's message; one that did says nothing.
    demo.switch(demo.truck(), "blocked").await;
    portal.say("Is anybody there?").await;
    let lost = copy("Is anybody there?");
    let words = format!("No copy to {}: Recipient or carrier blocks this message.", demo.truck());
    let words = format!("{lost}?.textContent.includes({})", json!(words));
    sam.0
        .until(&format!("{lost}?.dataset.state === 'failed' && {words}"))
        .await;
    demo.switch(demo.truck(), "normal").await;
    portal.say("Hello?").await;
    demo.gets(demo.truck(), "#", "Hello?").await;
    has_message(&sam, "Hello?").await;
    assert_eq!(sam.0.eval(&format!("{} ?? null", copy("Hello?"))).await, Value::Null);

    // From a number that no contact has: it calls itself a picture, and is none that can be shown.
    let picture = json!({
        "to": demo.number(),
        "media": [{ "content_type": "image/png", "base64": "iVBORw0KGgo=" }],
    });
    demo.simulator("POST", &format!("phones/{STRANGER}/texts"), picture)
        .await;
    let theirs = format!(
        "[...document.querySelectorAll('[data-testid=\"thread-row\"]')]
             .find(row => row.querySelector('.name').textContent === '{STRANGER}')"
    );
    sam.0
        .until(&format!(
            r#"{theirs}?.querySelector('[data-testid="unknown"]').hidden === false"#
        ))
        .await;
    let hers = format!(
        r#"document.querySelector('{} [data-testid="unknown"]').hidden"#,
        row(&ana.thread)
    );
    assert_eq!(sam.0.eval(&hers).await, true, "Ana is known");
    let thread = sam.0.eval(&format!("{theirs}.dataset.thread")).await;
    sam.0.click(&row(thread.as_str().unwrap())).await;
    sam.0
        .until(r#"document.querySelector('[data-testid="file"]')?.textContent === 'Download a file (1 KB)'"#)
        .await;
    assert_eq!(sam.0.eval("document.querySelector('#unknown').hidden").await, false);
    sam.picture("sms-unknown-number").await;

    let page = portal.0.eval("document.documentElement.outerHTML").await;
    assert!(
        !page.as_str().unwrap().contains(&demo.truck()[2..]),
        "a business phone is the team's"
    );
    portal.is_sound().await;
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_composer_tells_what_is_recorded_and_all_of_it_fits_a_phone() {
    let demo = Demo::start().await;
    let ana = demo.customer("ana");
    demo.switch(demo.truck(), "blocked").await;
    demo.switch(&ana.phone, "landline").await;
    let (portal, sam) = (demo.open(&ana).await, demo.crm_at("sam", &ana).await);
    portal.say("Where are you?").await;
    has_message(&sam, "Where are you?").await;
    sam.say("On our way").await;
    says(&sam, "On our way", "failed", "30006").await;
    says(&portal, "On our way", "failed", "Not delivered").await;
    demo.text(&ana.phone, "STOP").await;
    let banner = r#"!document.querySelector('[data-testid="texts-off"]').hidden"#;
    for tab in [&portal, &sam] {
        tab.0.until(banner).await;
    }
    sam.say("Can you read this here?").await;
    says(&portal, "Can you read this here?", "not_texted", "Not texted").await;
    demo.text(demo.truck(), "#99 five minutes").await;
    let kept = r#"!document.querySelector('crew-unrouted').hidden"#;
    sam.0.until(kept).await;

    for (tab, name) in [(&portal, "portal"), (&sam, "crm")] {
        for scheme in ["light", "dark"] {
            tab.0.scheme(scheme).await;
            tab.0.viewport(1280, 800).await;
            tab.picture(&format!("sms-{name}-desk-{scheme}")).await;
            tab.0.viewport(360, 640).await;
            tab.picture(&format!("sms-{name}-phone-{scheme}")).await;
            let wide = tab.0.eval("document.documentElement.scrollWidth - innerWidth").await;
            assert_eq!(wide, 0, "{name} scrolls sideways");
        }
    }
    sam.0.click(r#"[data-testid="back"]"#).await;
    sam.0.click(r#"[data-testid="unrouted-summary"]"#).await;
    sam.picture("sms-inbox-phone-dark").await;
    let wide = sam.0.eval("document.documentElement.scrollWidth - innerWidth").await;
    assert_eq!(wide, 0, "the inbox scrolls sideways");

    demo.text(&ana.phone, "START").await;
    sam.0.click(&row(&ana.thread)).await;
    sam.0.until(&format!("!({banner})")).await;
    let text = format!("{}\u{1f527}", "We bring a new tap. ".repeat(6));
    sam.0.click(r#"[data-testid="composer"]"#).await;
    sam.0.type_text(&text).await;
    sam.0
        .until(r#"document.querySelector('[data-testid="segments"]').textContent === '2 texts (UCS-2)'"#)
        .await;
    sam.picture("sms-segments-phone-dark").await;
    sam.0.click(r#"[data-testid="send"]"#).await;
    has_message(&sam, &text).await;
    let messages = format!("/v1/threads/{}/messages", ana.thread);
    let service = demo.hub.demo["service_token"].as_str().unwrap();
    let page = demo.hub.get(service, &messages).await.ok();
    let mut records = page["records"].as_array().unwrap().iter();
    let record = records.find(|record| record["text"] == text).expect("the message");
    assert_eq!(record["texts"][0]["segments"], 2);
    assert_eq!(record["texts"][0]["encoding"], "UCS-2");
    portal.is_sound().await;
    sam.is_sound().await;
}
