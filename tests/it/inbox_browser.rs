//! The inbox as the office uses it all day: keys, filters, thousands of conversations, search, a phone's
//! width, and leaving.

use std::sync::Arc;

use serde_json::json;

use crate::support::pages::{Cast, Tab, row};
use crate::support::{Hub, Org, Person, fresh_id};

/// JavaScript: the thread whose row has the focus, or null.
const FOCUSED: &str = "($('crewline-inbox').shadowRoot.activeElement?.dataset.thread ?? null)";
/// JavaScript: the threads of the rows in the page, as they stand on the screen.
const LISTED: &str = "$$('[data-testid=thread-row]').sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top).map(row => row.dataset.thread)";
/// JavaScript: all elements of the page, in shadow roots as well.
const NODES: &str = "$$('*').length";

pub async fn say(hub: &Hub, person: &Person, text: &str) {
    let path = format!("/v1/threads/{}/messages", person.thread());
    hub.post(&person.token, &path, &json!({"id": fresh_id(), "text": text}))
        .await
        .ok();
}

/// Customers who have written something, the last one last.
async fn customers(hub: &Hub, org: &Org, count: usize) -> Vec<Person> {
    let mut made = Vec::new();
    for n in 0..count {
        let person = org.customer(hub, &format!("c{n}"), &format!("Customer {n}")).await;
        say(hub, &person, &format!("Question {n}")).await;
        made.push(person);
    }
    made
}

pub async fn text_of(tab: &Tab, testid: &str, says: &str) {
    let found = format!("$('[data-testid=\"{testid}\"]')?.textContent.trim()");
    tab.0.until(&format!("{found} === {}", json!(says))).await;
}

pub async fn pictures(tab: &Tab, name: &str) {
    for (width, height, scheme) in [(1440, 900, "light"), (360, 720, "dark")] {
        tab.0.viewport(width, height).await;
        tab.0.scheme(scheme).await;
        tab.picture(&format!("inbox-{name}-{width}-{scheme}")).await;
    }
    tab.0.viewport(1440, 900).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_walk_through_the_list_open_answer_and_mark_handled_and_are_letters_where_one_writes() {
    let cast = Cast::start().await;
    let people = customers(&cast.hub, &cast.org, 4).await;
    let sam = cast.crm("sam", "Sam Ortiz").await;
    let rows = |count| format!("$$('[data-testid=thread-row]').length === {count}");
    sam.0.until(&rows(4)).await;
    let focused = async |thread: &str| sam.0.until(&format!("{FOCUSED} === '{thread}'")).await;
    for (key, place) in [("j", 3), ("j", 2), ("ArrowDown", 1), ("k", 2), ("ArrowUp", 3), ("k", 3)] {
        sam.0.press(key).await;
        focused(people[place].thread()).await;
    }
    sam.0.press("j").await;
    sam.0.press("Enter").await;
    sam.shows(&["Question 2"]).await;
    focused(people[2].thread()).await;
    sam.flags(people[2].thread(), false, true).await;
    sam.0.press("e").await;
    sam.flags(people[2].thread(), false, false).await;

    // In the composer a letter is a letter, until Escape.
    sam.0.press("r").await;
    for letter in ["j", "e", "n", "?"] {
        sam.0.press(letter).await;
    }
    sam.0
        .until("$('[data-testid=composer]').value === 'jen?' && !$('[data-testid=keys]').open")
        .await;
    let in_messages = "$('crewline-inbox').shadowRoot.activeElement === $('[data-testid=thread]')";
    sam.0.press("Escape").await;
    sam.0.until(in_messages).await;
    sam.0.press("n").await;
    sam.0.until("$('[data-testid=note-toggle]').checked").await;
    sam.0.press("Escape").await;
    sam.0.until(in_messages).await;

    sam.0.press("?").await;
    sam.0.until("$('[data-testid=keys]').open").await;
    sam.0.press("j").await;
    sam.0.press("Escape").await;
    sam.0.until("!$('[data-testid=keys]').open").await;
    sam.0.until(in_messages).await;
    sam.0.press("Escape").await;
    sam.0
        .until("$('crewline-inbox').selected === null && location.hash === ''")
        .await;
    focused(people[2].thread()).await;
    sam.0.press("/").await;
    sam.0
        .until("$('crewline-inbox').shadowRoot.activeElement === $('[data-testid=search]')")
        .await;
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_count_live_are_remembered_and_say_when_all_is_seen_to() {
    let cast = Cast::start().await;
    let people = customers(&cast.hub, &cast.org, 3).await;
    let call = json!({"id": "h1", "contact": "c0", "reason": "Boiler", "summary": "No heating",
        "transcript": [{"at": 1, "speaker": "caller", "text": "It is cold"}]});
    cast.hub.post(&cast.org.service, "/v1/handoffs", &call).await.ok();
    let sam = cast.crm("sam", "Sam Ortiz").await;
    for (filter, label) in [
        ("new", "New 3"),
        ("waiting", "Waiting 3"),
        ("failed", "Failed 0"),
        ("handoff", "Calls 1"),
    ] {
        text_of(&sam, &format!("filter-{filter}"), label).await;
    }
    let listed = |threads: Vec<&str>| format!("JSON.stringify({LISTED}) === JSON.stringify({})", json!(threads));
    sam.0.click("[data-testid=filter-handoff]").await;
    sam.0.until(&listed(vec![people[0].thread()])).await;
    sam.0.click("[data-testid=filter-failed]").await;
    sam.0
        .until("$('[data-testid=list-note]').textContent.includes('All texts got through')")
        .await;
    sam.0.click("[data-testid=filter-waiting]").await;
    sam.0
        .until(&listed(vec![
            people[0].thread(),
            people[2].thread(),
            people[1].thread(),
        ]))
        .await;
    sam.0.reload().await;
    sam.live().await;
    sam.0
        .until("$('[data-testid=filter-waiting]').getAttribute('aria-pressed') === 'true'")
        .await;
    sam.0
        .until(&listed(vec![
            people[0].thread(),
            people[2].thread(),
            people[1].thread(),
        ]))
        .await;

    // Who writes goes to the top at once, and who is answered leaves.
    say(&cast.hub, &people[1], "Anybody?").await;
    sam.0
        .until(&listed(vec![
            people[1].thread(),
            people[0].thread(),
            people[2].thread(),
        ]))
        .await;
    pictures(&sam, "waiting").await;
    let kim = cast.org.staff("kim", "Kim Doyle");
    for (person, left) in [(&people[1], 2), (&people[0], 1), (&people[2], 0)] {
        let path = format!("/v1/threads/{}/messages", person.thread());
        let answer = json!({"id": fresh_id(), "text": "Seen to"});
        cast.hub.post(&kim.token, &path, &answer).await.ok();
        sam.0.until(&format!("{LISTED}.length === {left}")).await;
        sam.waiting(left).await;
    }
    sam.0
        .until("$('[data-testid=list-note]').textContent.includes('All is seen to')")
        .await;
    text_of(&sam, "filter-handoff", "Calls 0").await;

    // What is open stays where it was found, until another filter is chosen.
    say(&cast.hub, &people[0], "One more thing").await;
    sam.0.click(&row(people[0].thread())).await;
    sam.has_message("One more thing").await;
    let path = format!("/v1/threads/{}/messages", people[0].thread());
    let answer = json!({"id": fresh_id(), "text": "And that, too"});
    cast.hub.post(&kim.token, &path, &answer).await.ok();
    sam.has_message("And that, too").await;
    sam.waiting(0).await;
    sam.0.until(&listed(vec![people[0].thread()])).await;
    for (filter, count) in [("all", 3), ("waiting", 0)] {
        sam.0.click(&format!("[data-testid=filter-{filter}]")).await;
        sam.0.until(&format!("{LISTED}.length === {count}")).await;
    }
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_conversations_scroll_to_the_end_in_few_nodes_and_keep_their_place() {
    const COUNT: usize = 2_100;
    let cast = Cast::start().await;
    let (hub, org) = (Arc::new(cast.hub), Arc::new(cast.org));
    let mut makers = Vec::new();
    for lane in 0..8 {
        let (hub, org) = (Arc::clone(&hub), Arc::clone(&org));
        makers.push(tokio::spawn(async move {
            for n in (lane..COUNT).step_by(8) {
                let person = org.customer(&hub, &format!("c{n}"), &format!("Customer {n}")).await;
                say(&hub, &person, "Are you there?").await;
            }
        }));
    }
    for maker in makers {
        maker.await.unwrap();
    }
    let sam = org.staff("sam", "Sam Ortiz");
    let sam = Tab(cast.browser.open(&format!("{}/crm#token={}", hub.url, sam.token)).await);
    sam.live().await;
    sam.0.until("$$('[data-testid=thread-row]').length > 5").await;
    let all = format!(
        "($('.scroller').scrollTop = $('.scroller').scrollHeight,
          $('[data-testid=rows] > li:last-child').ariaPosInSet === '{COUNT}')"
    );
    sam.0.until(&all).await;
    let nodes = sam.0.eval(NODES).await.as_i64().unwrap();
    assert!(nodes < 1_000, "{nodes} nodes");
    let (position, size) = ("ariaPosInSet", "ariaSetSize");
    let told = format!(
        "$$('[data-testid=rows] > li').every((li, n, all) => li.{size} === '{COUNT}' && (n === 0 || Number(li.{position}) === Number(all[n - 1].{position}) + 1))"
    );
    assert_eq!(
        sam.0.eval(&told).await,
        true,
        "the rows stand in the page as they do in the list"
    );

    // In the middle, what is in view stays where it is while others write and go to the top.
    sam.0
        .eval("$('.scroller').scrollTop = Math.round($('.scroller').scrollHeight / 2)")
        .await;
    let first = "(() => { const s = $('.scroller').getBoundingClientRect();
        const row = $$('[data-testid=thread-row]').map(row => [row.dataset.thread, Math.round(row.getBoundingClientRect().top - s.top)])
          .filter(([, top]) => top >= 0).sort((a, b) => a[1] - b[1])[0];
        return row.join(' '); })()";
    // Until it is drawn where it was scrolled to.
    sam.0.until(&format!("Number({first}.split(' ')[1]) < 200")).await;
    let before = sam.0.eval(first).await;
    for n in [3, 77, 1_500] {
        let writer = org.customer(&hub, &format!("c{n}"), &format!("Customer {n}")).await;
        say(&hub, &writer, "One more thing").await;
    }
    sam.0.until("$('crewline-inbox').client.cursor >= 2100 * 2 + 3").await;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert_eq!(sam.0.eval(first).await, before);
    sam.0.eval("$('.scroller').scrollTop = 0").await;
    sam.0
        .until("$('[data-testid=row-text]').textContent === 'One more thing'")
        .await;
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_long_ago_is_found_and_opened_and_the_hits_stay() {
    let cast = Cast::start().await;
    let writer = cast.ana.join(&cast.hub).await;
    writer
        .say(cast.ana.thread(), "It is the Vaillant boiler in the cellar")
        .await;
    for n in 0..250 {
        writer.say(cast.ana.thread(), &format!("and so on {n}")).await;
    }
    let bob = cast.org.customer(&cast.hub, "bob", "Bob Hale").await;
    say(&cast.hub, &bob, "Our boiler is fine").await;
    let sam = cast.crm("sam", "Sam Ortiz").await;
    sam.0.press("/").await;
    sam.0.type_text("boiler").await;
    sam.0.until("$$('[data-testid=search-hit]').length === 2").await;
    sam.0
        .until("$$('[data-testid=search-hit] mark').every(mark => mark.textContent === 'boiler')")
        .await;
    assert_eq!(
        sam.0
            .eval("$$('[data-testid=thread-row]').some(row => row.checkVisibility())")
            .await,
        false
    );
    sam.0.click("[data-testid=search-newest]").await;
    sam.0
        .until("$('[data-testid=search-hit]').textContent.includes('Bob Hale')")
        .await;
    sam.0.eval("$('[data-testid=search]').focus()").await;
    sam.0.press("ArrowDown").await;
    sam.0.press("ArrowDown").await;
    sam.0.press("Enter").await;
    let seen = "$$('[data-testid=message]').some(m => m.textContent.includes('Vaillant') &&
        (r => r.top >= 0 && r.bottom <= innerHeight)(m.getBoundingClientRect()))";
    sam.0.until(seen).await;
    pictures(&sam, "search").await;
    // The other one is a step away.
    sam.0.press("k").await;
    sam.0.press("Enter").await;
    sam.shows(&["Our boiler is fine"]).await;
    sam.0.eval("$('[data-testid=search]').focus()").await;
    sam.0.press("Escape").await;
    sam.0
        .until("$$('[data-testid=thread-row]').filter(row => row.checkVisibility()).length === 2")
        .await;
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_phone_in_the_dark_back_leads_to_the_list_and_nothing_sticks_out() {
    let cast = Cast::start().await;
    let people = customers(&cast.hub, &cast.org, 3).await;
    let sam = cast.crm("sam", "Sam Ortiz").await;
    sam.0.viewport(360, 640).await;
    sam.0.scheme("dark").await;
    let fits = async |what: &str| {
        let wide = "Math.max(0, ...$$('*').filter(e => e.checkVisibility() && e.getBoundingClientRect().width > 0)
            .map(e => e.getBoundingClientRect()).filter(r => r.left >= innerWidth === false).map(r => r.right - innerWidth))";
        let scrolls = sam.0.eval("document.documentElement.scrollWidth - innerWidth").await;
        assert_eq!(scrolls, 0, "{what} scrolls sideways");
        let wide = sam.0.eval(wide).await.as_f64().unwrap();
        assert!(wide < 60.0, "{what} sticks out by {wide} pixels");
    };
    fits("the list").await;
    let targets = "$$('crewline-inbox')[0].shadowRoot.querySelectorAll('button')";
    let small = sam
        .0
        .eval(&format!("[...{targets}].filter(b => b.checkVisibility() && b.getBoundingClientRect().height < 40).map(b => b.outerHTML)"))
        .await;
    assert_eq!(small, json!([]), "too small for a finger");
    sam.0.click(&row(people[1].thread())).await;
    sam.shows(&["Question 1"]).await;
    fits("a conversation").await;
    assert_eq!(sam.0.eval("$('crewline-inbox-list').checkVisibility()").await, false);
    sam.0.eval("history.back()").await;
    sam.0
        .until("$('crewline-inbox-list').checkVisibility() && location.hash === ''")
        .await;
    sam.0.eval("history.forward()").await;
    sam.shows(&["Question 1"]).await;
    sam.0.click("[data-testid=back]").await;
    sam.0.until("$('crewline-inbox-list').checkVisibility()").await;
    for dialog in ["new-conversation", "bell"] {
        sam.0.click(&format!("[data-testid={dialog}]")).await;
        fits(dialog).await;
        sam.picture(&format!("inbox-phone-dark-{dialog}")).await;
        sam.0.press("Escape").await;
    }
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_that_is_taken_out_of_a_page_leaves_neither_a_timer_nor_a_socket() {
    let cast = Cast::start().await;
    customers(&cast.hub, &cast.org, 2).await;
    let sam = cast.crm("sam", "Sam Ortiz").await;
    let token = cast.org.staff("kim", "Kim Doyle").token;
    sam.0
        .eval("$$('crewline-inbox, crewline-badge').forEach(each => each.remove())")
        .await;
    sam.0
        .eval(
            "window.sockets = []; window.timers = new Set();
             const Real = WebSocket;
             window.WebSocket = class extends Real { constructor(...given) { super(...given); sockets.push(this); } };
             for (const kind of ['Timeout', 'Interval']) {
               const [set, clear] = [window['set' + kind], window['clear' + kind]];
               window['set' + kind] = (act, ms, ...more) => {
                 const id = set((...given) => { if (kind === 'Timeout') timers.delete(id); act(...given); }, ms, ...more);
                 timers.add(id);
                 return id;
               };
               window['clear' + kind] = (id) => { timers.delete(id); clear(id); };
             }",
        )
        .await;
    let add = format!(
        "(inbox => {{ inbox.token = '{token}'; inbox.id = 'second'; document.body.append(inbox); }})(document.createElement('crewline-inbox'))"
    );
    sam.0.eval(&add).await;
    let second = "$('#second').shadowRoot";
    sam.0
        .until(&format!(
            "{second}.querySelectorAll('[data-testid=thread-row]').length === 2"
        ))
        .await;
    sam.0
        .eval(&format!("{second}.querySelector('[data-testid=thread-row]').click()"))
        .await;
    sam.0
        .until(&format!(
            "{second}.querySelectorAll('[data-testid=message]').length === 1"
        ))
        .await;
    sam.0
        .eval(&format!("{second}.querySelector('[data-testid=composer]').focus()"))
        .await;
    sam.0.type_text("half a").await;
    sam.0.eval("$('#second').remove()").await;
    sam.0
        .until("sockets.length === 1 && sockets.every(({ readyState }) => readyState >= 2)")
        .await;
    sam.0.until("timers.size === 0").await;
    // Nor does it hear keys any more.
    sam.0.press("j").await;
    sam.0.press("?").await;
    sam.is_sound().await;
}
