/**
 * How smoothly the pages move, in Chromium, with a demo hub of its own.
 *
 *   node scripts/scrolling.mjs thread            // scrolls through a long thread, both ways
 *   node scripts/scrolling.mjs arrivals          // messages come at 200 a second
 *   node scripts/scrolling.mjs inbox             // 10,000 conversations: messages come to all of them, then it scrolls
 *   node scripts/scrolling.mjs first             // cold loads, to the first message painted
 *   node scripts/scrolling.mjs thread --messages 2000 --hub target/debug/crewline
 *
 * It prints frames under 34 ms, the page's nodes at most, and its longest task.
 * Nothing is asserted: figures are of a machine.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { Browser } from "./chromium.mjs";

const { values: options, positionals: [scenario = "thread"] } = parseArgs({
  allowPositionals: true,
  options: { messages: { type: "string", default: "10000" }, hub: { type: "string", default: "target/release/crewline" } },
});
const MESSAGES = Number(options.messages);
const SECONDS = 10;
/** Pixels a second, as a thumb that is in a hurry. */
const SPEED = 3_000;
const PER_SECOND = 200;
const COLD_LOADS = 10;
/** So many answer the customer, since one person may not write as fast as it takes. */
const CREW = 12;

/** Counts frames, nodes and long tasks from `begin` to `end`. */
const METER = `
  window.meter = {
    begin() {
      Object.assign(this, { frames: [], nodes: 0, longest: 0, running: true });
      this.observer ??= new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) this.longest = Math.max(this.longest, duration);
      });
      this.observer.observe({ type: "longtask" });
      let last = 0, next = 0;
      const frame = (now) => {
        if (last) this.frames.push(now - last);
        last = now;
        if (now > next) { next = now + 500; this.nodes = Math.max(this.nodes, this.count(document)); }
        if (this.running) requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    },
    end() {
      this.running = false;
      const smooth = this.frames.filter((ms) => ms < 34).length;
      return { frames: this.frames.length, smooth: smooth / this.frames.length, worst: Math.max(...this.frames), nodes: this.nodes, longest: this.longest };
    },
    /** Elements and texts, also in shadow roots. */
    count(root) {
      let nodes = 0;
      const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) nodes += 1 + (walker.currentNode.shadowRoot ? this.count(walker.currentNode.shadowRoot) : 0);
      return nodes;
    },
  };
`;

const SCENARIOS = {
  async thread({ hub, browser }) {
    const lena = await hub.customer("lena", "Lena Berg");
    await hub.seed(lena, MESSAGES);
    const page = await browser.open(lena.page, { script: METER });
    await page.until(`$$("[data-testid=message]").length > 10`);
    report("up, while it loads", await scrolled(page, -SPEED));
    const began = Date.now();
    await page.until(`($("[data-testid=thread]").scrollTop = 0, !$("[data-testid=start]").hidden)`, 300_000);
    console.log(`the start was reached in another ${((Date.now() - began) / 1000).toFixed(1)} s`);
    report("down from the start", await scrolled(page, SPEED));
    report("up again", await scrolled(page, -SPEED));
  },

  async arrivals({ hub, browser }) {
    const lena = await hub.customer("lena", "Lena Berg");
    await hub.seed(lena, 50);
    const page = await browser.open(lena.page, { script: METER });
    await page.until(`$$("[data-testid=message]").length > 10`);
    await page.eval("meter.begin()");
    const began = Date.now();
    await arriving(began, (n) => hub.say(lena, n, `${began}`));
    const seconds = (Date.now() - began) / 1000;
    const last = text(MESSAGES - 1);
    await page.until(`[...$$("[data-testid=text]")].at(-1)?.textContent === ${JSON.stringify(last)}`);
    report(`${MESSAGES} arrived at ${(MESSAGES / seconds).toFixed(0)}/s`, await page.eval("meter.end()"));
  },

  async inbox({ hub, browser }) {
    const people = await hub.crowd(MESSAGES);
    const page = await browser.open(hub.demo.staff[0].page, { script: METER });
    await page.until(`$$("[data-testid=thread-row]").length > 5`);
    await page.eval("meter.begin()");
    const began = Date.now();
    await arriving(began, (n) => hub.say(people[(n * 7919) % people.length], 0, `${began}-${n}`));
    const seconds = (Date.now() - began) / 1000;
    await page.until(`$("crewline-inbox").client.state === "live"`);
    report(`${MESSAGES} arrived at ${(MESSAGES / seconds).toFixed(0)}/s, in as many conversations`, await page.eval("meter.end()"));
    const list = { x: 150, y: 500 };
    report("down", await scrolled(page, SPEED, list));
    report("up", await scrolled(page, -SPEED, list));
  },

  async first({ hub, browser }) {
    const lena = await hub.customer("lena", "Lena Berg");
    await hub.seed(lena, 200);
    const watch = `
      const look = () => $("[data-testid=message]")
        ? requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now(); }))
        : requestAnimationFrame(look);
      requestAnimationFrame(look);
    `;
    const times = [];
    for (let i = 0; i < COLD_LOADS; i++) {
      const page = await browser.open(lena.page, { script: watch });
      await page.until("window.painted");
      times.push(await page.eval("window.painted"));
      await page.close();
    }
    times.sort((a, b) => a - b);
    console.log(`first message painted: median ${times[COLD_LOADS / 2].toFixed(0)} ms of ${times.map((ms) => ms.toFixed(0)).join(", ")}`);
  },
};

/** All messages, at their rate. @param {(n: number) => Promise<unknown>} say */
async function arriving(began, say) {
  for (let sent = 0; sent < MESSAGES;) {
    const due = Math.min(MESSAGES, Math.ceil(((Date.now() - began) / 1000) * PER_SECOND));
    await Promise.all(Array.from({ length: due - sent }, (_, i) => say(sent + i)));
    sent = due;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function scrolled(page, speed, { x, y } = { x: 640, y: 400 }) {
  await page.eval("meter.begin()");
  await page.scroll({ x, y, pixels: speed * SECONDS, speed: Math.abs(speed) });
  return page.eval("meter.end()");
}

function report(what, { frames, smooth, worst, nodes, longest }) {
  console.log(`${what}: ${(smooth * 100).toFixed(1)} % of ${frames} frames under 34 ms, the worst ${worst.toFixed(0)} ms; ` +
    `${nodes} nodes at most; longest task ${longest ? `${longest.toFixed(0)} ms` : "under 50 ms"}`);
}

/** Messages as people write them: short ones, long ones, and some that only nod. */
function text(n) {
  return n % 7 === 0 ? "ok" : `${n}: ${"the boiler makes that noise again ".repeat((n * 31) % 9).trim() || "hm"}`;
}

class Hub {
  static async start() {
    const child = spawn(options.hub, ["demo", "--json", "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "ignore"] });
    const [line] = await once(createInterface(child.stdout), "line");
    const hub = new Hub(child, JSON.parse(line));
    const crew = Array.from({ length: CREW }, (_, i) =>
      hub.call("POST", "/v1/tokens", hub.demo.service_token, { role: "staff", sub: `crew-${i}`, name: `Crew ${i}` }));
    hub.crew = (await Promise.all(crew)).map(({ token }) => token);
    return hub;
  }

  constructor(child, demo) {
    this.child = child;
    this.demo = demo;
  }

  stop() {
    this.child.kill();
  }

  async call(method, path, token, body) {
    const ask = () => fetch(this.demo.url + path, {
      method, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify(body),
    });
    // A connection that was kept may just have been closed; every one of these may be asked twice.
    let answer = await ask().catch(ask);
    while (answer.status === 429) {
      await new Promise((resolve) => setTimeout(resolve, Number(answer.headers.get("retry-after")) * 1_000));
      answer = await ask();
    }
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** One without a phone: nothing is texted. */
  async customer(contact, name) {
    const { service_token: service, org, url } = this.demo;
    await this.call("PUT", `/v1/orgs/${org}`, service, { name: "Bright Plumbing", business_phones: [], origins: [url] });
    const { thread } = await this.call("PUT", `/v1/orgs/${org}/contacts/${contact}`, service, { name });
    const { token } = await this.call("POST", "/v1/tokens", service, { role: "customer", sub: contact, name, contact });
    return { thread, token, page: `${url}/portal#token=${token}` };
  }

  /** Many customers, each of whom has written something. */
  async crowd(count) {
    const people = [];
    for (let n = 0; n < count; n += 20) {
      const some = Array.from({ length: Math.min(20, count - n) }, (_, i) => this.customer(`crowd-${n + i}`, `Customer ${n + i}`));
      const made = await Promise.all(some);
      await Promise.all(made.map((person) => this.say(person, 0)));
      people.push(...made);
    }
    return people;
  }

  say({ thread, token }, n, run = "seed") {
    const who = n % 5 === 0 ? token : this.crew[n % CREW];
    return this.call("POST", `/v1/threads/${thread}/messages`, who, { id: `${run}-${n}`, text: text(n) });
  }

  /** Some at a time, in order enough. */
  async seed(customer, count) {
    for (let n = 0; n < count; n += 50) await Promise.all(Array.from({ length: Math.min(50, count - n) }, (_, i) => this.say(customer, n + i)));
  }
}

if (!SCENARIOS[scenario]) throw new Error(`no such scenario: ${scenario}; there are ${Object.keys(SCENARIOS).join(", ")}`);
const hub = await Hub.start();
const browser = await Browser.start();
try {
  await SCENARIOS[scenario]({ hub, browser });
} finally {
  await browser.stop();
  hub.stop();
}
