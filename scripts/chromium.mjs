/**
 * Debian's Chromium, driven over a pipe by the DevTools protocol: nothing to
 * install.
 *
 *   const browser = await Browser.start();
 *   const page = await browser.open(url, { width: 1280, height: 800 });   // its own context: nothing is cached
 *   await page.eval("document.title");
 *   await page.close();
 *   browser.stop();
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
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

  static async start() {
    const browser = new Browser();
    await browser.call("Browser.getVersion");
    return browser;
  }

  constructor() {
    this.#profile = mkdtempSync(join(tmpdir(), "crewline-chromium-"));
    this.#child = spawn("chromium", [
      "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--remote-debugging-pipe", `--user-data-dir=${this.#profile}`,
    ], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    let rest = "";
    this.#child.stdio[4].setEncoding("utf8").on("data", (data) => {
      const messages = (rest + data).split("\0");
      rest = messages.pop();
      for (const message of messages) this.#hear(JSON.parse(message));
    });
  }

  stop() {
    this.#child.once("exit", () => rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 }));
    this.#child.kill();
  }

  /** @param {string} method @param {object} [params] @param {string} [sessionId] @returns {Promise<any>} */
  call(method, params = {}, sessionId = undefined) {
    const id = this.#next++;
    this.#child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  async open(url, { width = 1280, height = 800, scheme = "light", script = "" } = {}) {
    const { browserContextId } = await this.call("Target.createBrowserContext");
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank", browserContextId });
    const { sessionId } = await this.call("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page((method, params) => this.call(method, params, sessionId), () => this.call("Target.disposeBrowserContext", { browserContextId }));
    for (const domain of ["Page.enable", "Runtime.enable"]) await page.call(domain);
    await page.call("Page.addScriptToEvaluateOnNewDocument", { source: LOOKUP + script });
    await page.call("Emulation.setFocusEmulationEnabled", { enabled: true });
    await page.call("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 });
    await page.call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
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
