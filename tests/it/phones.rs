//! The page of simulated phones, in a real browser: texts that come and go, STOP, and what can be wrong.

use std::path::Path;

use serde_json::json;

use crate::support::chromium::{Browser, Page};
use crate::support::peers::Peer;
use crate::support::simulator::Simulator;

const NUMBER: &str = "+15005550100";
const ANA: &str = "+15558675310";
const OFFICE: &str = "+15558675320";

/// Below one phone.
fn on(phone: &str, testid: &str) -> String {
    format!(r#".phone[data-phone="{phone}"] [data-testid="{testid}"]"#)
}

/// What a phone shows, as `by status text`.
fn texts(phone: &str) -> String {
    format!(
        "[...$$({})].map((row) => \
         `${{row.dataset.by}} ${{row.dataset.status}} ${{row.querySelector('p')?.textContent ?? ''}}`)",
        json!(on(phone, "text"))
    )
}

async fn write(page: &Page, phone: &str, text: &str) {
    page.click(&on(phone, "composer")).await;
    page.type_text(text).await;
    page.press("Enter").await;
}

async fn picture(page: &Page, name: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    page.screenshot(&folder.join(format!("{name}.png"))).await;
}

/// By the official client: what a hub sends is for other tests.
async fn send(simulator: &Simulator, to: &str, body: &str, more: serde_json::Value) {
    let mut text = json!({ "to": to, "from": NUMBER, "body": body });
    text.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let request = json!({
        "do": "refused", "url": simulator.url, "account": simulator.account, "token": simulator.token, "text": text,
    });
    tokio::task::spawn_blocking(move || Peer::Npm.ask(&request))
        .await
        .expect("the peer answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_reads_texts_on_the_phones_and_answers_them() {
    // Nobody is at the webhook: the page says so, and goes on.
    let number = format!("{NUMBER}=http://127.0.0.1:9/twilio/inbound");
    let (ana, office) = (format!("{ANA}=Ana Souza"), format!("{OFFICE}=Bright Plumbing, Joe"));
    let simulator = Simulator::start(&["--number", &number, "--phone", &ana, "--phone", &office]).await;
    let browser = Browser::start().await;
    let page = browser.open(&format!("{}/phones", simulator.url)).await;
    page.until("$$('crewline-phone').length === 2").await;
    assert_eq!(
        page.eval(&format!("$({}).textContent", json!(on(ANA, "owner")))).await,
        "Ana Souza"
    );

    send(&simulator, OFFICE, "#12 Ana: The leak is back", json!({})).await;
    page.until(&format!(
        "{}.join() === 'number delivered #12 Ana: The leak is back'",
        texts(OFFICE)
    ))
    .await;
    write(&page, OFFICE, "#12 on our way <b>&amp;</b>").await;
    page.until(&format!(
        "{}.at(-1) === 'phone received #12 on our way <b>&amp;</b>'",
        texts(OFFICE)
    ))
    .await;
    page.until(&format!(
        "$({}).textContent.includes('the webhook answered nothing')",
        json!(on(OFFICE, "warning"))
    ))
    .await;
    send(
        &simulator,
        ANA,
        "On our way",
        json!({ "mediaUrl": ["http://127.0.0.1:9/photo"] }),
    )
    .await;
    page.until(&format!("{}.join() === 'number failed On our way'", texts(ANA)))
        .await;

    // A photo with its words, by one text.
    page.eval(&format!(
        "(async () => {{ const canvas = Object.assign(document.createElement('canvas'), {{ width: 40, height: 30 }}); \
         const blob = await new Promise((found) => canvas.toBlob(found, 'image/png')); const all = new DataTransfer(); \
         all.items.add(new File([blob], 'leak.png', {{ type: 'image/png' }})); \
         $({}).dispatchEvent(new ClipboardEvent('paste', {{ clipboardData: all, bubbles: true, cancelable: true }})); }})()",
        json!(on(ANA, "composer"))
    ))
    .await;
    page.until(&format!(
        "$({}).dataset.state === 'uploaded'",
        json!(on(ANA, "photo-preview"))
    ))
    .await;
    write(&page, ANA, "Here it comes out").await;
    page.until(&format!(
        "{}.at(-1) === 'phone received Here it comes out' && $$({})[0].naturalWidth === 40",
        texts(ANA),
        json!(format!("{} img", on(ANA, "text")))
    ))
    .await;
    assert_eq!(
        page.eval(&format!("$$({}).length", json!(on(ANA, "photo-preview"))))
            .await,
        0
    );

    // STOP: the number falls silent, and the phone is told so once.
    page.click(&on(ANA, "stop")).await;
    page.until(&format!("$({}).textContent === 'START'", json!(on(ANA, "stop"))))
        .await;
    page.until(&format!("{}.at(-1).includes('unsubscribed')", texts(ANA)))
        .await;
    send(&simulator, ANA, "Are you there?", json!({})).await;
    assert_eq!(simulator.creates().await.last().unwrap()["code"], 21610);
    page.click(&on(ANA, "stop")).await;
    page.until(&format!("{}.at(-1).includes('re-subscribed')", texts(ANA)))
        .await;

    // A phone that is off.
    page.eval(&format!(
        "(() => {{ const one = $({}); one.value = 'unreachable'; one.dispatchEvent(new Event('change')); }})()",
        json!(on(ANA, "switch"))
    ))
    .await;
    page.until(&format!(
        "$({}).dataset.switch === 'unreachable'",
        json!(format!(".phone[data-phone='{ANA}']"))
    ))
    .await;
    send(&simulator, ANA, "Hello?", json!({})).await;
    page.until(&format!("{}.at(-1) === 'number undelivered Hello?'", texts(ANA)))
        .await;

    // What the simulator will not take goes back to where it was written, behind nothing that is lost.
    page.eval("(() => { const real = window.fetch; window.fetch = (target, request) => \
               request?.method === 'POST' ? Promise.reject(new TypeError('gone')) : real(target, request); window.mend = () => { window.fetch = real; }; })()")
        .await;
    write(&page, OFFICE, "#12 ten minutes").await;
    page.until(&format!(
        "$({}).textContent === 'Not sent: the simulator does not answer.' && $({}).value === '#12 ten minutes'",
        json!(on(OFFICE, "warning")),
        json!(on(OFFICE, "composer"))
    ))
    .await;
    page.eval("mend()").await;
    page.press("Enter").await;
    page.until(&format!(
        "{}.at(-1) === 'phone received #12 ten minutes'",
        texts(OFFICE)
    ))
    .await;

    // A stranger.
    page.click(r#"[data-testid="new-phone"]"#).await;
    page.type_text("+15558675399").await;
    page.press("Enter").await;
    page.until("$$('crewline-phone').length === 3").await;
    write(&page, "+15558675399", "Do you also do bathrooms?").await;
    page.until(&format!("{}.length === 1", texts("+15558675399"))).await;

    for (width, height, scheme) in [
        (1280, 900, "light"),
        (1280, 900, "dark"),
        (360, 740, "light"),
        (360, 740, "dark"),
    ] {
        page.viewport(width, height).await;
        page.scheme(scheme).await;
        page.eval("window.scrollTo(0, 0)").await;
        let overflows = page
            .eval("document.documentElement.scrollWidth > window.innerWidth")
            .await;
        assert_eq!(overflows, false, "nothing is cut off at {width}");
        picture(&page, &format!("phones-{width}-{scheme}")).await;
    }
    assert_eq!(page.errors(), Vec::<String>::new(), "the page's console");
}
