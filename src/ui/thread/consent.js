/**
 * Whether what the team writes in a thread goes to the customer's phone as
 * well: what the hub says once, and every change after that.
 *
 *   followConsent(client, thread, (texts) => show(texts), signal);     // a customer's thread is undefined
 *
 * `texts` is "on", "off", or null if no phone is known.
 */
export function followConsent(client, thread, show, signal) {
  const listen = (type, heard) => client.addEventListener(type, ({ detail }) => heard(detail), { signal });
  let asOf = -1;

  listen("welcome", ({ fresh }) => {
    if (!fresh) return;
    asOf = -1;
    ask();
  });
  listen("caught-up", () => asOf < 0 && ask());
  listen("change", (record) => {
    if (thread && record.thread !== thread) return;
    if (record.kind === "consent") say(record.texts, client.numberOf(record));
    // Another phone, or none.
    if (record.kind === "thread" && record.event === "contact") ask();
  });
  if (client.cursor !== null) ask();

  async function ask() {
    const found = await client.thread(thread ?? client.you.thread).catch(() => null);
    if (found && !signal?.aborted) say(found.texts, found.as_of);
  }

  function say(texts, number) {
    if (number < asOf) return;
    asOf = number;
    show(texts);
  }
}
