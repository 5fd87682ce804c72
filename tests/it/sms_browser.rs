//! Texts as people see them: the demo's pages in Chromium beside the demo's phones.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::demo::Demo;
use crate::support::pages::{bubble, sms};

/// "within a second of the API's answer or the callback"
const PROMPT: Duration = Duration::from_secs(1);

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
        tab.has_message("on our way").await;
    }
    let texted = demo.gets(&ana.phone, "on our way", "").await;
    assert_eq!(texted["number"], demo.number(), "never from somebody's own phone");
    assert_eq!(portal.via("on our way").await, "by SMS");
    assert_eq!(sam.via("on our way").await, "by SMS");
    let name = format!(
        "{}.querySelector('[data-testid=\"name\"]').textContent",
        bubble("on our way")
    );
    assert_eq!(portal.0.eval(&name).await, "Bright Plumbing");
    assert_eq!(sam.0.eval(&name).await, format!("Phone {}", demo.truck()));
    portal
        .texting("on our way", "delivered", "Texted to your phone ending 12")
        .await;
    sam.texting("on our way", "delivered", &format!("Texted to {}", ana.phone))
        .await;

    // The same from the CRM. The composer tells beforehand what it costs.
    let answer = "Sam is there in ten minutes";
    sam.0.click(r#"[data-testid="composer"]"#).await;
    sam.0.type_text(answer).await;
    sam.0
        .until(r#"$('[data-testid="segments"]').textContent === '1 text (GSM-7)'"#)
        .await;
    sam.0.press("Enter").await;
    portal.has_message(answer).await;
    let texted = demo.gets(&ana.phone, answer, "").await;
    assert_eq!(texted["number"], demo.number());
    sam.texting(answer, "delivered", &format!("Texted to {}", ana.phone))
        .await;
    portal
        .texting(answer, "delivered", "Texted to your phone ending 12")
        .await;
    sam.receipt(answer, "Delivered").await;

    // Her own text lands in the same thread.
    demo.text(&ana.phone, "Thank you").await;
    for tab in [&portal, &sam] {
        tab.has_message("Thank you").await;
    }
    assert_eq!(portal.via("Thank you").await, "by SMS");
    assert_eq!(sam.via("Thank you").await, format!("by SMS from {}", ana.phone));

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
    let kept = r#"$('crewline-unrouted')"#;
    let kept_texts = |sentence: &str| {
        format!(
            r#"!{kept}.hidden && {kept}.querySelector('[data-testid="unrouted-summary"]').textContent === '{sentence}'"#
        )
    };
    // One from a phone that two contacts share.
    sam.0.until(&kept_texts("1 text reached nobody")).await;

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
    sam.0.until(&kept_texts("2 texts reached nobody")).await;

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
    let link = format!(r#"[data-testid="unrouted-candidates"] [data-thread="{}"]"#, ana.thread);
    sam.0.click(&link).await;
    sam.has_message("Are you coming?").await;
    for tab in [&sam, &hers, &his] {
        let texts = tab.texts().await;
        assert!(!texts.contains(&"in ten minutes".to_owned()), "{texts:?}");
        tab.is_sound().await;
    }

    // With its tag it arrives.
    let tag = told.split('#').find(|part| part.contains(&ana.name)).expect("her tag");
    let tag = tag.split_whitespace().next().unwrap();
    demo.text(demo.truck(), &format!("#{tag} in ten minutes")).await;
    hers.has_message("in ten minutes").await;
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
                portal.texting(&text, "sent", "Texted to your phone ending 15").await;
                let callback = json!({ "status": "undelivered", "code": code });
                let path = format!("messages/{}/callbacks", created["sid"].as_str().unwrap());
                let since = Instant::now();
                demo.simulator("POST", &path, callback).await;
                since
            }
        };
        tokio::join!(
            portal.texting(&text, "failed", trouble.portal),
            sam.texting(&text, "failed", trouble.crm),
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
        sam.has_message(&reply).await;
    }
    portal.picture("sms-failed-portal").await;
    sam.picture("sms-failed-crm").await;
    sam.0.click(r#"[data-testid="filter-failed"]"#).await;
    // There is one besides, whose phone is a landline.
    sam.0.until(r#"$$('[data-testid="thread-row"]').length === 2"#).await;

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
    sam.texting(text, "delivered", &format!("Texted to {}", bob.phone))
        .await;
    portal
        .texting(text, "delivered", "Texted to your phone ending 15")
        .await;
    sam.flagged_failed(&bob.thread, false).await;
    portal.is_sound().await;
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_wants_no_texts_gets_none_and_both_pages_say_so() {
    let demo = Demo::start().await;
    let (ana, bob) = (demo.customer("ana"), demo.customer("bob"));
    let (portal, sam) = (demo.open(&ana).await, demo.crm_at("sam", &ana).await);
    let banner = r#"$('[data-testid="texts-off"]')"#;
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
        portal.texting(
            "We are in front of your door",
            "not_texted",
            "Not texted: texts are off for your number."
        ),
        sam.texting(
            "We are in front of your door",
            "not_texted",
            "this phone has asked for no more texts"
        ),
    );
    let took = since.elapsed();
    assert!(took < PROMPT, "shown after {took:?}");
    portal.say("Coming down").await;
    sam.has_message("Coming down").await;
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
    let cost = r#"$('[data-testid="segments"]').textContent"#;
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
        his.texting(
            "Friday at two, then",
            "failed",
            "Text messages are off for this number."
        ),
        kim.texting("Friday at two, then", "failed", "Recipient opted out (STOP)"),
        his.0.until(&shown),
        kim.0.until(&shown),
    );
    let took = since.elapsed();
    assert!(took < PROMPT, "shown after {took:?}");
    for tab in [&portal, &sam, &his, &kim] {
        tab.is_sound().await;
    }
}
