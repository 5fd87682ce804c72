//! What the portal tells a customer while it happens: of the line, of the time, of photos; and whose it is.

use serde_json::{Value, json};

use crate::photos::uploaded;
use crate::support::Person;
use crate::support::chromium::Page;
use crate::support::pages::{Cast, Tab, bubble};
use crate::support::pictures::{choose, previews};

const STATE: &str = "$('[data-testid=state]').textContent";

/// A tab of somebody's portal to be prepared, and where it is to go.
async fn prepared(cast: &Cast, person: &Person) -> (Page, String) {
    let url = format!("{}/portal#token={}", cast.hub.url, person.token);
    (cast.browser.blank().await, url)
}

/// A line on which nothing opens until `opened()`, and nobody says that it has caught up until `caught()`.
const SLOW_LINE: &str = "{
    let open, caught;
    const opens = new Promise((done) => { open = done; });
    window.opened = () => open();
    const Real = WebSocket;
    const kept = [];
    window.caught = () => { caught = true; for (const [socket, data] of kept) socket.onmessage({ data }); };
    window.WebSocket = class extends Real {
        set onopen(heard) { super.onopen = heard && (() => opens.then(heard)); }
        get onopen() { return super.onopen; }
        set onmessage(heard) {
            super.onmessage = heard && ((event) => (event.data.includes('\"caught_up\"') && !caught ? kept.push([this, event.data]) : heard(event)));
        }
        get onmessage() { return super.onmessage; }
    };
}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_line_is_told_quietly_and_what_is_sent_says_how_far_it_is() {
    let cast = Cast::start().await;
    let (page, url) = prepared(&cast, &cast.ana).await;
    page.before_each_document(SLOW_LINE).await;
    page.go(&url).await;
    let ana = Tab(page);
    ana.0.until(&format!("{STATE} === 'Connecting…'")).await;
    ana.0.eval("opened()").await;
    ana.0.until(&format!("{STATE} === 'Catching up…'")).await;
    ana.0.eval("caught()").await;
    ana.live().await;
    ana.0.until(&format!("{STATE} === ''")).await;

    ana.0
        .eval("(() => { const { send } = WebSocket.prototype; WebSocket.prototype.send = function (frame) { window.arrive = () => send.call(this, frame); }; })()")
        .await;
    ana.say("The leak is back").await;
    ana.receipt("The leak is back", "Sending…").await;
    ana.0.eval("arrive()").await;
    ana.has_message("The leak is back").await;
    // Nobody of the team is there.
    let receipt = format!(
        "{}.querySelector('[data-testid=receipt]').textContent",
        bubble("The leak is back")
    );
    ana.0.until(&format!("{receipt} === 'Sent'")).await;
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_are_told_in_the_readers_zone_and_language_and_days_stand_between() {
    let cast = Cast::start().await;
    cast.ana
        .join(&cast.hub)
        .await
        .say(cast.ana.thread(), "The leak is back")
        .await;
    let log = cast.org.log(&cast.hub).await;
    let said = log
        .iter()
        .find(|record| record["text"] == "The leak is back")
        .expect("it was said");
    let minutes = said["at"].as_i64().unwrap() / 60_000;
    let clock = |zone_h: i64| ((minutes / 60 + zone_h).rem_euclid(24), minutes % 60);
    // Neither of them knows summer time.
    let (hour, minute) = clock(9);
    let tokyo = ("Asia/Tokyo", "de-DE", format!("{hour}:{minute:02}"));
    let (hour, minute) = clock(-7);
    let half = if hour < 12 { "AM" } else { "PM" };
    let phoenix = (
        "America/Phoenix",
        "en-US",
        format!("{}:{minute:02} {half}", (hour + 11) % 12 + 1),
    );
    for (zone, locale, told) in [tokyo, phoenix] {
        let (page, url) = prepared(&cast, &cast.ana).await;
        page.call("Emulation.setTimezoneOverride", json!({"timezoneId": zone}))
            .await;
        page.call("Emulation.setLocaleOverride", json!({"locale": locale}))
            .await;
        page.go(&url).await;
        let tab = Tab(page);
        tab.has_message("The leak is back").await;
        let time = format!(
            "{}.querySelector('time').textContent.replace(/\\s/g, ' ').replace(/^0/, '')",
            bubble("The leak is back")
        );
        assert_eq!(tab.0.eval(&time).await, Value::from(told), "in {zone}");
    }

    // A day later it was yesterday's, and what is said then stands under a day of its own.
    let (page, url) = prepared(&cast, &cast.ana).await;
    page.before_each_document(
        "const { parse } = JSON;
         JSON.parse = (text) => {
             const told = parse(text);
             for (const record of told?.records ?? []) if (record.text === 'The leak is back') record.at -= 86_400_000;
             return told;
         };",
    )
    .await;
    page.go(&url).await;
    let ana = Tab(page);
    ana.live().await;
    ana.has_message("The leak is back").await;
    ana.say("And it is worse").await;
    ana.has_message("And it is worse").await;
    let days = "$$('.day, [data-testid=message] [data-testid=text]').map((one) => one.textContent)";
    assert_eq!(
        ana.0.eval(days).await,
        json!(["Yesterday", "The leak is back", "Today", "And it is worse"])
    );
    ana.picture("portal-days").await;
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn photos_stand_in_a_grid_a_finger_goes_through_them_and_an_upload_says_how_far_it_is() {
    let cast = Cast::start().await;
    let (hub, ana) = (&cast.hub, &cast.ana);
    for count in 1..=5 {
        let mut photos = Vec::new();
        for _ in 0..count {
            photos.push(uploaded(hub, &ana.token, "plain.jpg").await);
        }
        let said = json!({"id": format!("p{count}"), "text": format!("{count}"), "photos": photos});
        let path = format!("/v1/threads/{}/messages", ana.thread());
        hub.post(&ana.token, &path, &said).await.ok();
    }
    let tab = cast.portal(ana).await;
    tab.0.viewport(390, 844).await;
    tab.has_message("5").await;
    // How many stand side by side, row by row.
    let rows = |text: &str| {
        format!(
            "Object.values(Object.groupBy([...{}.querySelectorAll('button.photo')].map((one) => Math.round(one.getBoundingClientRect().top)), (top) => top)).map((row) => row.length)",
            bubble(text)
        )
    };
    for (count, shape) in [
        ("1", vec![1]),
        ("2", vec![2]),
        ("3", vec![3]),
        ("4", vec![2, 2]),
        ("5", vec![2, 3]),
    ] {
        assert_eq!(tab.0.eval(&rows(count)).await, json!(shape), "{count} photos");
    }
    tab.picture("portal-photos").await;

    tab.0
        .eval(&format!("{}.querySelector('button.photo').click()", bubble("3")))
        .await;
    let place = async |says: &str| {
        tab.0
            .until(&format!(
                "$('.lightbox .place').textContent === '{says}' && $('[data-testid=photo-full]').naturalWidth > 0"
            ))
            .await;
    };
    place("1 of 3").await;
    // As large as photos of phones are.
    tab.0
        .eval("Object.assign($('[data-testid=photo-full]').style, { width: '390px', height: '390px' })")
        .await;
    let swipe = async |from: f64, to: f64| {
        for (kind, x) in [("mousePressed", from), ("mouseReleased", to)] {
            let event = json!({"type": kind, "x": x, "y": 422, "button": "left", "clickCount": 1});
            tab.0.call("Input.dispatchMouseEvent", event).await;
        }
    };
    swipe(240.0, 150.0).await;
    place("2 of 3").await;
    swipe(150.0, 240.0).await;
    place("1 of 3").await;
    // A finger that only trembles goes nowhere.
    swipe(190.0, 200.0).await;
    place("1 of 3").await;
    tab.0.eval("document.documentElement.dir = 'rtl'").await;
    swipe(150.0, 240.0).await;
    place("2 of 3").await;
    tab.0.eval("document.documentElement.dir = ''").await;
    // By button to the last one, where that button goes.
    tab.0.eval("$('[data-testid=photo-next]').focus()").await;
    tab.0.press("Enter").await;
    place("3 of 3").await;
    let focused = "$('crewline-thread').shadowRoot.activeElement === $('[data-testid=photo-previous]')";
    assert_eq!(tab.0.eval(focused).await, true, "the focus is lost at the last one");
    tab.0.press("Escape").await;

    // They have their room before they are there, so that nothing jumps when they come.
    let squares = format!(
        "[...{}.querySelectorAll('button.photo')].every((one) => (r => r.width > 50 && Math.abs(r.width - r.height) < 1)(one.getBoundingClientRect()))",
        bubble("5")
    );
    tab.0
        .eval("(one => { one.client.photo = () => new Promise(() => {}); one.parentNode.append(one); })($('crewline-thread'))")
        .await;
    tab.has_message("5").await;
    tab.0.until(&squares).await;
    tab.0.eval("delete $('crewline-thread').client.photo").await;

    // Phones ask whether to take a photo or to choose one, as long as nothing is said of a camera.
    let asks = "(({ accept, multiple }) => [accept, multiple, $('[data-testid=photo-input]').hasAttribute('capture')])($('[data-testid=photo-input]'))";
    assert_eq!(tab.0.eval(asks).await, json!(["image/jpeg,image/png", true, false]));
    tab.0
        .eval(
            "(() => { const { client } = $('crewline-thread'); const { upload } = client;
             client.upload = (file, { progress, ...how }) => { window.at = progress; return new Promise((done) => { window.whole = () => done(upload.call(client, file, { progress, ...how })); }); }; })()",
        )
        .await;
    choose(&tab, &["plain.jpg"]).await;
    let bar = "$('[data-testid=photo-preview] progress')";
    tab.0
        .until(&format!("{bar}?.checkVisibility() && {bar}.value === 0"))
        .await;
    tab.0.eval("at(0.4)").await;
    tab.0.until(&format!("{bar}.value === 0.4")).await;
    tab.picture("portal-upload").await;
    tab.0.eval("whole()").await;
    previews(&tab, "uploaded", 1).await;
    assert_eq!(tab.0.eval(&format!("{bar}.checkVisibility()")).await, false);
    tab.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_wear_the_businesss_colour_where_it_can_be_read() {
    let cast = Cast::start().await;
    let settings = json!({"name": "acme Plumbing", "origins": [cast.hub.url], "color": "#ffd400"});
    cast.hub.put(&cast.org.service, "/v1/orgs/acme", &settings).await.ok();
    cast.ana.join(&cast.hub).await.say(cast.ana.thread(), "Hello").await;
    let (ana, sam) = (cast.portal(&cast.ana).await, cast.crm("sam", "Sam Ortiz").await);
    let worn = "[document.documentElement, ...$$('crewline-thread, crewline-inbox, crewline-badge')].map((one) => getComputedStyle(one).getPropertyValue('--org-accent').trim())";
    for (tab, what) in [(&ana, "the portal"), (&sam, "the crm")] {
        let colors: Vec<String> = serde_json::from_value(tab.0.eval(worn).await).unwrap();
        assert!(
            colors.len() > 2 && colors.iter().all(|color| color.starts_with("light-dark(#7")),
            "{what}: {colors:?}"
        );
        tab.picture(&format!("color-{}", what.replace(' ', "-"))).await;
        tab.is_sound().await;
    }
}
