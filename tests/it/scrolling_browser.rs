//! Long conversations in Chromium: both ways, from the middle, in few nodes, and nothing that is read moves.

use serde_json::Value;

use crate::support::pages::{Cast, Tab, bubble};
use crate::support::traffic::pour;

const NODES: u64 = 3_000;

/// Says so much in Ana's thread: two parts by her, three by Sam.
async fn talk(cast: &Cast, count: usize) {
    let thread = cast.ana.thread();
    let (ana, sam) = (
        cast.ana.join(&cast.hub).await,
        cast.org.staff("sam", "Sam Ortiz").join(&cast.hub).await,
    );
    let texts = |from, to| (from..to).map(|n| format!("{n} {}", "and so on ".repeat(n * 31 % 23)));
    tokio::join!(
        pour(&ana, thread, texts(0, count * 2 / 5)),
        pour(&sam, thread, texts(count * 2 / 5, count)),
    );
}

/// The conversation as somebody scrolls through it, told by the page itself.
const SCROLL: &str = r#"
    const log = () => $('[data-testid="thread"]');
    // Behind so many frames, when they are painted.
    const frames = async (count) => {
        for (let i = 0; i < count; i++) await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    };
    const nodes = (root = document) => {
        let count = 0;
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) count += 1 + (walker.currentNode.shadowRoot ? nodes(walker.currentNode.shadowRoot) : 0);
        return count;
    };
    const seqs = () => [...$$('[data-testid="message"][data-seq]')].map((row) => Number(row.dataset.seq));
    // The first row in view, and how far it is below the top.
    const first = () => {
        const top = log().getBoundingClientRect().top;
        const row = [...$$('.block > .message')].find((row) => row.getBoundingClientRect().bottom > top + 1);
        return { row, offset: row.getBoundingClientRect().top - top };
    };
"#;

async fn eval(tab: &Tab, body: &str) -> Value {
    tab.0.eval(&format!("(async () => {{ {SCROLL} {body} }})()")).await
}

/// Goes back until the conversation begins. The most nodes there were on the way.
async fn to_the_start(tab: &Tab) -> u64 {
    let mut most = 0;
    loop {
        // In portions, since no answer may take long.
        let portion = "let most = 0;
            for (let i = 0; i < 100 && $('[data-testid=start]').hidden; i++) {
                log().scrollTop = 0;
                await frames(2);
                most = Math.max(most, nodes());
            }
            return [most, !$('[data-testid=start]').hidden];";
        let told = eval(tab, portion).await;
        most = most.max(told[0].as_u64().unwrap());
        if told[1] == true {
            return most;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_messages_are_scrolled_to_their_start_and_back_in_few_nodes() {
    let cast = Cast::start().await;
    talk(&cast, 10_000).await;
    let ana = cast.portal(&cast.ana).await;
    ana.0.until(r#"$$('[data-testid="message"]').length > 10"#).await;
    let on_the_way = to_the_start(&ana).await;
    let start = ana.0.eval(r#"$('[data-testid="start"]').textContent"#).await;
    assert_eq!(start, "Start of the conversation");
    ana.picture("thread-start").await;

    // Down again, and every message is there, in order.
    let (mut seen, mut most) = (std::collections::BTreeSet::new(), on_the_way);
    loop {
        let portion = "const seen = []; let most = 0;
            for (let i = 0; i < 60; i++) {
                seen.push(...seqs());
                most = Math.max(most, nodes());
                log().scrollTop += 1200;
                await frames(2);
            }
            seen.push(...seqs());
            const rising = seqs().every((seq, i, all) => i === 0 || all[i - 1] < seq);
            return [[...new Set(seen)], most, rising, log().scrollHeight - log().scrollTop - log().clientHeight < 2];";
        let told = eval(&ana, portion).await;
        seen.extend(told[0].as_array().unwrap().iter().filter_map(Value::as_i64));
        most = most.max(told[1].as_u64().unwrap());
        assert_eq!(told[2], true, "in order");
        if told[3] == true {
            break;
        }
    }
    assert!(most <= NODES, "{most} nodes");
    let log = cast.org.log(&cast.hub).await;
    let said = log.iter().filter(|one| one["kind"] == "message");
    let missing: Vec<_> = said
        .filter_map(|one| one["seq"].as_i64())
        .filter(|seq| !seen.contains(seq))
        .collect();
    assert!(missing.is_empty(), "not shown: {missing:?}");
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_read_stays_where_it_is_while_more_is_loaded_the_width_changes_and_messages_come() {
    let cast = Cast::start().await;
    talk(&cast, 800).await;
    let ana = cast.portal(&cast.ana).await;
    ana.0.until(r#"$$('[data-testid="message"]').length > 10"#).await;
    // So that what is loaded comes while something is read.
    let slow = "const { send } = WebSocket.prototype;
        WebSocket.prototype.send = function (frame) { setTimeout(() => send.call(this, frame), 100); };";
    eval(&ana, slow).await;
    let mut loaded = 0.0;
    for _ in 0..5 {
        // From afar, where what stands at the top is folded.
        let moved = "log().scrollTop = log().scrollHeight;
            await frames(3);
            log().scrollTop = 10;
            await frames(2);
            const { row, offset } = first();
            const height = log().scrollHeight;
            let most = 0;
            for (let i = 0; i < 200; i++) {
                await frames(1);
                most = Math.max(most, Math.abs(row.getBoundingClientRect().top - log().getBoundingClientRect().top - offset));
                if (i > 20 && log().scrollHeight > height + 500) break;
            }
            return [most, log().scrollHeight - height];";
        let told = eval(&ana, moved).await;
        assert!(told[0].as_f64().unwrap() <= 1.0, "it moved by {} pixels", told[0]);
        loaded += told[1].as_f64().unwrap();
    }
    assert!(loaded > 1_000.0, "nothing was loaded meanwhile");

    eval(&ana, "const found = first(); found.row.dataset.here = found.offset;").await;
    let moved = "const row = $('[data-here]');
        await frames(4);
        return Math.abs(row.getBoundingClientRect().top - log().getBoundingClientRect().top - Number(row.dataset.here));";
    for width in [700, 360, 1000] {
        ana.0.viewport(width, 800).await;
        let pixels = eval(&ana, moved).await;
        assert!(pixels.as_f64().unwrap() <= 2.0, "{pixels} pixels at a width of {width}");
        eval(&ana, "$('[data-here]').removeAttribute('data-here'); const found = first(); found.row.dataset.here = found.offset;").await;
    }
    let sam = cast.org.staff("sam", "Sam Ortiz").join(&cast.hub).await;
    sam.say(cast.ana.thread(), "One more").await;
    ana.0
        .until(r#"$('[data-testid="newest"]').textContent === '1 new message'"#)
        .await;
    let pixels = eval(&ana, moved).await;
    assert!(pixels.as_f64().unwrap() <= 1.0, "{pixels} pixels by a message");
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_to_an_old_message_opens_it_at_once_and_both_ways_lead_on() {
    let cast = Cast::start().await;
    talk(&cast, 1_500).await;
    let log = cast.org.log(&cast.hub).await;
    let seqs: Vec<_> = log
        .iter()
        .filter(|one| one["kind"] == "message")
        .map(|one| one["seq"].as_i64().unwrap())
        .collect();
    let (old, older) = (seqs[400], seqs[3]);
    let page = format!("{}/portal#token={}&message={old}", cast.hub.url, cast.ana.token);
    let ana = Tab(cast.browser.open(&page).await);
    let sought = format!("[data-testid=message][data-seq=\"{old}\"]");
    let in_view =
        format!("(r => r.top >= 50 && r.bottom <= innerHeight)($('{sought}.sought').getBoundingClientRect())");
    ana.0.until(&in_view).await;
    assert_eq!(
        ana.0.eval("location.hash").await,
        format!("#message={old}"),
        "the token is gone"
    );
    let loaded = eval(&ana, "return seqs()").await;
    let span = loaded.as_array().unwrap().len();
    assert!(span < 300, "{span} messages are loaded for one");
    ana.picture("thread-link").await;
    ana.live().await;

    // What comes meanwhile is told, and is there when one gets there.
    let sam = cast.org.staff("sam", "Sam Ortiz").join(&cast.hub).await;
    sam.say(cast.ana.thread(), "Meanwhile").await;
    ana.0
        .until("$('[data-testid=newest]').textContent === '1 new message'")
        .await;
    let down = "for (let i = 0; i < 60; i++) { log().scrollTop += 2000; await frames(2); }";
    loop {
        eval(&ana, down).await;
        if ana.0.eval(&format!("Boolean({})", bubble("Meanwhile"))).await == true {
            break;
        }
    }
    let rising = "return seqs().every((seq, i, all) => i === 0 || all[i - 1] < seq)";
    assert_eq!(eval(&ana, rising).await, true);
    sam.say(cast.ana.thread(), "Live again").await;
    ana.has_message("Live again").await;
    // Another link on the same page, and one to what is in a page between.
    ana.0.eval(&format!("location.hash = '#message={older}'")).await;
    ana.0.until(&format!("$('[data-seq=\"{older}\"].sought')")).await;
    to_the_start(&ana).await;
    ana.0.click("[data-testid=newest]").await;
    ana.has_message("Live again").await;
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_focus_stays_on_a_row_that_is_scrolled_out_of_view() {
    let cast = Cast::start().await;
    talk(&cast, 300).await;
    let ana = cast.portal(&cast.ana).await;
    ana.0.until("$$('.receipt').length > 0").await;
    ana.0.eval("[...$$('.receipt')].at(-1).focus()").await;
    to_the_start(&ana).await;
    let focused = "$('crewline-thread').shadowRoot.activeElement?.className";
    assert_eq!(ana.0.eval(focused).await, "receipt");
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_wrote_oneself_does_not_take_the_view_from_where_one_reads() {
    let cast = Cast::start().await;
    talk(&cast, 60).await;
    let ana = cast.portal(&cast.ana).await;
    ana.0.until(r#"$$('[data-testid="message"]').length > 10"#).await;
    // All of it is there, so that nothing else moves the view.
    to_the_start(&ana).await;
    ana.0.click("[data-testid=newest]").await;
    ana.0.offline(true).await;
    ana.0
        .until(r#"$('[data-testid="state"]').dataset.state === 'offline'"#)
        .await;
    ana.say("From the basement").await;
    let in_view = "[...$$('.pending')].some((row) => row.getBoundingClientRect().bottom <= innerHeight)";
    ana.0.until(in_view).await;
    let elsewhere = "log().scrollTop -= 1000;
        await frames(4);
        const found = first();
        found.row.dataset.here = found.offset;";
    eval(&ana, elsewhere).await;
    let moved = "const row = $('[data-here]');
        await frames(4);
        return Math.abs(row.getBoundingClientRect().top - log().getBoundingClientRect().top - Number(row.dataset.here));";
    ana.0.offline(false).await;
    ana.live().await;
    // And what she says elsewhere: in another tab, or by text.
    cast.ana
        .join(&cast.hub)
        .await
        .say(cast.ana.thread(), "From another tab")
        .await;
    ana.0
        .until("$('crewline-thread').client.outbox.length === 0 && [...$$('.pending')].length === 0")
        .await;
    ana.0
        .until(&format!(
            "$('crewline-thread').client.cursor >= {}",
            cast.org
                .log(&cast.hub)
                .await
                .iter()
                .filter(|one| one["seq"].is_i64())
                .count()
        ))
        .await;
    let pixels = eval(&ana, moved).await;
    assert!(pixels.as_f64().unwrap() <= 1.0, "{pixels} pixels by what she wrote");
    // What she writes now she sees.
    ana.say("Now").await;
    ana.0
        .until(&format!(
            "(row => row && row.getBoundingClientRect().bottom <= innerHeight)({})",
            bubble("Now")
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_answers_at_an_old_hit_has_what_is_new_in_view_and_is_asked_once() {
    let cast = Cast::start().await;
    let (thread, sam) = (cast.ana.thread(), cast.crm("sam", "Sam Ortiz").await);
    let ana = cast.ana.join(&cast.hub).await;
    ana.say(thread, "The boiler is cold").await;
    pour(&ana, thread, (0..400).map(|n| format!("and so on {n}"))).await;
    let at_the_hit = async || {
        sam.0
            .eval("(field => { field.focus(); field.select(); })($('[data-testid=search]'))")
            .await;
        sam.0.type_text("boiler").await;
        sam.0.click("[data-testid=search-hit]").await;
        sam.has_message("The boiler is cold").await;
    };
    at_the_hit().await;
    // Handled: not what came after that which is in view, so that is looked at first.
    sam.waiting(1).await;
    sam.0.click("[data-testid=handled]").await;
    sam.has_message("and so on 399").await;
    sam.badge(0).await;
    sam.waiting(1).await;
    sam.0.click("[data-testid=handled]").await;
    sam.waiting(0).await;

    let answer = "$('[data-state=stale]')";
    at_the_hit().await;
    sam.say("It comes on Monday").await;
    sam.0.until(answer).await;
    sam.has_message("and so on 399").await;
    sam.0.click("[data-testid=retry]").await;
    sam.0.until(&format!("{answer} === null")).await;
    sam.has_message("It comes on Monday").await;
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_was_refused_is_asked_for_again_from_where_the_reader_is() {
    let cast = Cast::start().await;
    talk(&cast, 400).await;
    let ana = cast.portal(&cast.ana).await;
    ana.0.until(r#"$$('[data-testid="message"]').length > 10"#).await;
    let refuse = "(() => { const { client } = $('crewline-thread'); window.asked = 0;
        client.history = () => { asked += 1; return Promise.reject(Object.assign(new Error('not now'), { code: 'forbidden' })); };
        window.mend = () => { delete client.history; }; })()";
    ana.0.eval(refuse).await;
    eval(&ana, "log().scrollTop = 0; await frames(4);").await;
    let failed = "!$('[data-testid=load-failed]').hidden";
    ana.0.until(failed).await;
    eval(
        &ana,
        "for (let i = 0; i < 10; i++) { log().scrollTop = i % 2 * 100; await frames(2); }",
    )
    .await;
    assert_eq!(ana.0.eval("asked").await, 1, "it asks when it is told to");
    ana.0.eval("mend()").await;
    let oldest = eval(&ana, "return seqs()[0]").await;
    ana.0.click("[data-testid=load-again]").await;
    ana.0
        .until(&format!(
            "!({failed}) && $$('[data-testid=message][data-seq]').some((row) => Number(row.dataset.seq) < {oldest})"
        ))
        .await;
    let place = format!(
        "(row => row ? row.getBoundingClientRect().top - log().getBoundingClientRect().top : null)($('[data-seq=\"{oldest}\"]'))"
    );
    let top = eval(&ana, &format!("await frames(10); return {place}")).await;
    assert!(
        top.as_f64().is_some_and(|top| top > -100.0 && top < 300.0),
        "the reader was taken elsewhere: {top}"
    );
    to_the_start(&ana).await;
    ana.is_sound().await;
}
