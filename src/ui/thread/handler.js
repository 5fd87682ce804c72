/**
 * Who answers in a thread, the AI or a person, and where a closed one goes on:
 * what the hub says once, and every change after that.
 *
 *   followHandler(client, thread, ({ handler, attached_to }) => show(handler), signal);
 */
export function followHandler(client, thread, show, signal) {
  const listen = (type, heard) => client.addEventListener(type, ({ detail }) => heard(detail), { signal });

  listen("welcome", ({ fresh }) => fresh && ask());
  listen("change", (record) => {
    const mayTell = record.kind === "handoff" || (record.kind === "thread" && ["handler", "attached"].includes(record.event));
    if (record.thread === thread && mayTell) ask();
  });
  if (client.cursor !== null) ask();

  async function ask() {
    const found = await client.thread(thread).catch(() => null);
    if (found && !signal.aborted) show(found);
  }
}
