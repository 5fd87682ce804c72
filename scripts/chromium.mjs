/**
 * Debian's Chromium, driven over a pipe by the DevTools protocol: nothing to
 * install.
 *
 *   const browser = await Browser.start();                                // with more arguments, if need be
 *   const page = await browser.open(url, { width: 1280, height: 800 });   // its own context: nothing is cached
 *   await page.eval("document.title");
 *   await page.close();
 *   await browser.stop();
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** `$(selector)` and `$$(selector)` look into shadow roots, too. */
const LOOKUP = `
  window.$$ = (selector, root = document) => [
    ...root.querySelectorAll(selector),
    ...[...root.querySelectorAll("*")].filter((e) => e.shadowRoot).flatMap((e) => window.$$(selector, e.shadowRoot)),
  ];
  window.$ = (selector) => window.$$(selector)[0] ?? null;
`;

export class Browser {
  #child;
  #profile;
  #next = 1;
  #waiting = new Map();

  /** @param {string[]} more arguments of Chromium */
  static async start(...more) {
    const browser = new Browser(more);
    await browser.call("Browser.getVersion");
    return browser;
  }

  /** @param {string[]} more */
  constructor(more) {
    this.#profile = mkdtempSync(join(tmpdir(), "crewline-chromium-"));
    this.#child = spawn("chromium", [
      "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--remote-debugging-pipe", `--user-data-dir=${this.#profile}`, ...more,
    ], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    let rest = "";
    this.#child.stdio[4].setEncoding("utf8").on("data", (data) => {
      const messages = (rest + data).split("\0");
      rest = messages.pop();
      for (const message of messages) this.#hear(JSON.parse(message));
    });
  }

  async stop() {
    const over = once(this.#child, "exit");
    this.#child.kill();
    await over;
    // Its helpers outlive it by a moment, and still write there.
    for (let left = 50; ; left--) {
      try {
        return await rm(this.#profile, { recursive: true, force: true });
      } catch (error) {
        if (left === 0) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  /** @param {string} method @param {object} [params] @param {string} [sessionId] @returns {Promise<any>} */
  call(method, params = {}, sessionId = undefined) {
    const id = this.#next++;
    this.#child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /**
   * @param {string} url
   * @param {object} [how]
   * @param {Record<string, unknown>} [how.metrics] what else is told of the screen
   * @param {Record<string, string>} [how.media] what else its user prefers, by the feature's name
   * @param {Record<string, object>} [how.before] commands before it goes there
   * @param {string} [how.script] runs before those of the page
   */
  async open(url, { width = 1280, height = 800, metrics = {}, scheme = "light", media = {}, before = {}, script = "" } = {}) {
    const { browserContextId } = await this.call("Target.createBrowserContext");
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank", browserContextId });
    const { sessionId } = await this.call("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page((method, params) => this.call(method, params, sessionId), () => this.call("Target.disposeBrowserContext", { browserContextId }));
    for (const domain of ["Page.enable", "Runtime.enable"]) await page.call(domain);
    await page.call("Page.addScriptToEvaluateOnNewDocument", { source: LOOKUP + script });
    await page.call("Emulation.setFocusEmulationEnabled", { enabled: true });
    await page.call("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600, ...metrics });
    const features = Object.entries({ "prefers-color-scheme": scheme, ...media }).map(([name, value]) => ({ name, value }));
    await page.call("Emulation.setEmulatedMedia", { features });
    for (const [method, params] of Object.entries(before)) await page.call(method, params);
    await page.call("Page.navigate", { url });
    return page;
  }

  #hear({ id, result, error }) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result);
  }
}

class Page {
  constructor(call, close) {
    this.call = call;
    this.close = close;
  }

  /** The value of an expression; a promise is waited for. */
  async eval(expression) {
    const { result, exceptionDetails } = await this.call("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async until(expression, ms = 30_000) {
    for (const end = Date.now() + ms; Date.now() < end;) {
      if (await this.eval(`Boolean(${expression})`).catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`never true: ${expression}`);
  }

  /** Scrolls like a finger: down if positive. @param {{x: number, y: number, pixels: number, speed: number}} how in pixels a second */
  scroll({ x, y, pixels, speed }) {
    return this.call("Input.synthesizeScrollGesture", { x, y, yDistance: -pixels, speed, gestureSourceType: "touch", preventFling: true });
  }
}
