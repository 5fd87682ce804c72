//! A conversation as people read it in Chromium: what is new, photos, times, and how it looks.

use serde_json::{Value, json};

use crate::photos::uploaded;
use crate::support::pages::{Cast, bubble};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_says_where_the_reader_left_off_and_a_button_leads_to_the_newest() {
    let cast = Cast::start().await;
    let thread = cast.ana.thread();
    let sam = cast.org.staff("sam", "Sam Ortiz").join(&cast.hub).await;
    sam.say(thread, "Seen by Ana").await;
    let ana = cast.portal(&cast.ana).await;
    ana.badge(0).await;
    ana.0.until("document.title === 'Messages · acme Plumbing'").await;
    assert_eq!(ana.0.eval("$('[data-testid=unread]')").await, Value::Null);

    // She looks elsewhere.
    ana.0.focus(false).await;
    let long: Vec<_> = (0..30)
        .map(|n| format!("News {n} {}", "of the boiler ".repeat(20)))
        .collect();
    sam.say(thread, &long[0]).await;
    ana.has_message(&long[0]).await;
    let after_line = "$('[data-testid=unread]').nextElementSibling.querySelector('[data-testid=text]').textContent";
    ana.0.until(&format!("{after_line}.startsWith('News 0 ')")).await;
    ana.0.until("document.title.startsWith('(1) Messages')").await;
    ana.0.focus(true).await;
    ana.badge(0).await;
    ana.0.go("about:blank#").await;

    for text in &long[1..] {
        sam.say(thread, text).await;
    }
    let ana = cast.portal(&cast.ana).await;
    ana.0.until(&format!("{after_line}.startsWith('News 1 ')")).await;
    let top =
        "$('[data-testid=unread]').getBoundingClientRect().top - $('[data-testid=thread]').getBoundingClientRect().top";
    ana.0.until(&format!("{top} >= 0 && {top} < 200")).await;
    ana.picture("thread-unread").await;
    // What she has not seen is not read.
    assert_ne!(ana.0.eval("$('[data-testid=badge]').textContent").await, "0");

    ana.0.until("!$('[data-testid=newest]').hidden").await;
    sam.say(thread, "The very last").await;
    ana.0
        .until("$('[data-testid=newest]').textContent === '1 new message'")
        .await;
    ana.0.click("[data-testid=newest]").await;
    ana.0.until("$('[data-testid=newest]').hidden").await;
    let in_view = format!(
        "(r => r.bottom <= innerHeight && r.top > 0)({}.getBoundingClientRect())",
        bubble("The very last")
    );
    ana.0.until(&in_view).await;
    ana.badge(0).await;
    // Who writes has seen what was new.
    ana.say("Thank you").await;
    ana.0.until("$('[data-testid=unread]') === null").await;
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn photos_are_looked_at_by_keyboard_and_the_focus_comes_back() {
    let cast = Cast::start().await;
    let (hub, ana) = (&cast.hub, &cast.ana);
    let photos = [
        uploaded(hub, &ana.token, "plain.jpg").await,
        uploaded(hub, &ana.token, "orientation-6.jpg").await,
        uploaded(hub, &ana.token, "plain.png").await,
    ];
    let said = json!({"id": "p1", "text": "Under the sink", "photos": photos});
    let path = format!("/v1/threads/{}/messages", ana.thread());
    hub.post(&ana.token, &path, &said).await.ok();
    let tab = cast.portal(ana).await;
    tab.0
        .until("[...$$('[data-testid=photo]')].filter((one) => one.naturalWidth > 0).length === 3")
        .await;
    tab.picture("thread-photos").await;
    tab.0.eval("$('button.photo').focus()").await;
    tab.0.press("Enter").await;
    let shows = |id: &str, place: &str| {
        format!(
            "$('[data-testid=photo-download]').download.includes('{id}') && $('.lightbox .place').textContent === '{place}' && $('[data-testid=photo-full]').naturalWidth > 0"
        )
    };
    tab.0.until(&shows(&photos[0], "1 of 3")).await;
    tab.picture("thread-viewer").await;
    for (key, photo, place) in [
        ("ArrowRight", 1, "2 of 3"),
        ("ArrowRight", 2, "3 of 3"),
        ("ArrowRight", 2, "3 of 3"),
        ("ArrowLeft", 1, "2 of 3"),
    ] {
        tab.0.press(key).await;
        tab.0.until(&shows(&photos[photo], place)).await;
    }
    tab.0.press("Escape").await;
    tab.0.until("$('.lightbox') === null").await;
    assert_eq!(
        tab.0
            .eval("$('crewline-thread').shadowRoot.activeElement === $('button.photo')")
            .await,
        true
    );
    tab.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exact_times_are_told_on_demand_and_only_the_last_of_a_group_has_a_receipt() {
    let cast = Cast::start().await;
    let ana = cast.portal(&cast.ana).await;
    for text in ["One", "Two", "Three"] {
        ana.say(text).await;
        ana.has_message(text).await;
    }
    let sam = cast.org.staff("sam", "Sam Ortiz").join(&cast.hub).await;
    sam.read(cast.ana.thread(), 3);
    ana.receipt("Three", "Read").await;
    let visible = "[...$$('.receipt')].filter((one) => one.offsetParent).length === 1";
    ana.0.until(visible).await;
    ana.0
        .eval(&format!("{}.querySelector('.receipt').focus()", bubble("Three")))
        .await;
    ana.0.press("Enter").await;
    let told = r#"$('[data-testid="times"]').textContent"#;
    let exact = format!(r"/Sent.*\d:\d\d:\d\d.*Delivered.*\d:\d\d:\d\d.*Read.*\d:\d\d:\d\d/.test({told})");
    ana.0.until(&exact).await;
    ana.picture("thread-times").await;
    ana.0.press("Enter").await;
    ana.0.until(r#"$('[data-testid="times"]') === null"#).await;
    // A message in the middle tells it by a click.
    ana.0.click(r#"[data-seq="1"] .bubble"#).await;
    ana.0.until(&format!("{told}.includes('Sent')")).await;
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_text_finds_its_place_on_a_phone_in_the_dark() {
    let cast = Cast::start().await;
    let (wire, sam) = (
        cast.ana.join(&cast.hub).await,
        cast.org.staff("sam", "שרה כהן").join(&cast.hub).await,
    );
    let thread = cast.ana.thread();
    let link = "see https://example.test/a_(b)/ratherlongaddress-that-does-not-end?with=a&query=of&some=length#more), or javascript:alert(1).";
    for text in [
        &"w".repeat(300),
        link,
        "👍🏽",
        "مرحبا، هل يمكنكم المجيء غدا؟ https://example.test/رابط",
    ] {
        wire.say(thread, text).await;
    }
    sam.say(thread, "כן, מחר בתשע. לא לשכוח את המפתח").await;
    let tab = cast.portal(&cast.ana).await;
    for (width, scheme) in [(360, "dark"), (320, "light"), (1280, "light")] {
        tab.0.viewport(width, 800).await;
        tab.0.scheme(scheme).await;
        tab.has_message("👍🏽").await;
        let wide = "document.documentElement.scrollWidth > innerWidth || $('[data-testid=thread]').scrollWidth > $('[data-testid=thread]').clientWidth";
        assert_eq!(tab.0.eval(wide).await, false, "wider than {width}");
        tab.picture(&format!("thread-texts-{width}-{scheme}")).await;
    }
    let links = "[...$$('[data-testid=text] a')].map((a) => [a.href, a.target, a.rel])";
    let rel = "noopener noreferrer nofollow ugc";
    let expected = json!([
        [
            "https://example.test/a_(b)/ratherlongaddress-that-does-not-end?with=a&query=of&some=length#more",
            "_blank",
            rel
        ],
        ["https://example.test/%D8%B1%D8%A7%D8%A8%D8%B7", "_blank", rel],
    ]);
    assert_eq!(tab.0.eval(links).await, expected);
    let direction = |text: &str| {
        format!(
            "getComputedStyle({}.querySelector('[data-testid=text]')).direction",
            bubble(text)
        )
    };
    assert_eq!(tab.0.eval(&direction("כן, מחר בתשע. לא לשכוח את המפתח")).await, "rtl");
    assert_eq!(tab.0.eval(&direction("👍🏽")).await, "ltr");
    let large = format!(
        "parseFloat(getComputedStyle({}.querySelector('[data-testid=text]')).fontSize)",
        bubble("👍🏽")
    );
    assert!(tab.0.eval(&large).await.as_f64().unwrap() > 30.0);
    tab.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_is_announced_and_what_is_only_loaded_is_not() {
    let cast = Cast::start().await;
    let thread = cast.ana.thread();
    let sam = cast.org.staff("sam", "Sam Ortiz").join(&cast.hub).await;
    let ana = cast.portal(&cast.ana).await;
    // Nothing was said: it says what this is, and how.
    ana.0
        .until("$('[data-testid=invitation]').textContent === 'Write to acme PlumbingYou get the answer here.'")
        .await;
    ana.picture("thread-empty").await;
    sam.say(thread, "On our way").await;
    let announced = "$('[data-testid=announcer]').textContent";
    ana.0.until(&format!("{announced} === 'Sam Ortiz: On our way'")).await;
    ana.0.until("$('[data-testid=invitation]').hidden").await;
    ana.0.reload().await;
    ana.has_message("On our way").await;
    assert_eq!(ana.0.eval(announced).await, "");
    // One's own is no news.
    ana.say("Good").await;
    ana.has_message("Good").await;
    assert_eq!(ana.0.eval(announced).await, "");
    let log = "['role', 'aria-live'].map((name) => $('[data-testid=thread]').getAttribute(name)).join()";
    assert_eq!(ana.0.eval(log).await, "log,off");
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_refused_says_why_and_can_be_edited_retried_and_discarded() {
    let cast = Cast::start().await;
    let ana = cast.portal(&cast.ana).await;
    let refused = "$('[data-state=refused]')";
    let send = "$('crewline-thread').client.send({ text: 'x'.repeat(4001) })";
    ana.0.eval(send).await;
    ana.0
        .until(&format!(
            "{refused}?.querySelector('[data-testid=receipt]').textContent.startsWith('Not sent: ')"
        ))
        .await;
    ana.picture("thread-refused").await;
    ana.0.eval("window.before = $('[data-testid=copy]')").await;
    ana.0.click("[data-testid=retry]").await;
    // Refused once more.
    ana.0
        .until("$('[data-testid=copy]') && $('[data-testid=copy]') !== before")
        .await;
    ana.0.click("[data-testid=edit]").await;
    ana.0.until("$('[data-testid=composer]').value.length === 4001").await;
    ana.0.until(&format!("{refused} === null")).await;
    ana.0.eval(send).await;
    ana.0.click("[data-testid=discard]").await;
    ana.0.until(&format!("{refused} === null")).await;
    ana.shows(&[]).await;
    ana.is_sound().await;
}
