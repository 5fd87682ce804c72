// npm's `twilio`, as a peer: one request in JSON on stdin, one answer in JSON on stdout.
"use strict";
const twilio = require("twilio");

const doings = {
  /** Sends, fetches and lists through the API at `url`. */
  async client({ url, account, token, texts, to, from }) {
    const client = twilio(account, token);
    client.api.baseUrl = url;
    const created = [];
    for (const text of texts) created.push(plain(await client.messages.create(text)));
    const since = new Date(Date.now() - 3_600_000);
    const listed = await client.messages.list({ to, from, pageSize: 2, limit: 100 });
    const fetched = await client.messages(created[0].sid).fetch();
    const sentSince = async (filter) => (await client.messages.list({ to, from, ...filter })).map(({ sid }) => sid);
    return {
      created,
      listed: listed.map(plain),
      fetched: plain(fetched),
      sent_after: await sentSince({ dateSentAfter: since }),
      sent_before: await sentSince({ dateSentBefore: since }),
    };
  },

  /** The code of the error that a text brings. */
  async refused({ url, account, token, text }) {
    const client = twilio(account, token);
    client.api.baseUrl = url;
    try {
      await client.messages.create(text);
      return null;
    } catch (error) {
      return { code: error.code, status: error.status };
    }
  },

  sign: ({ token, requests }) =>
    requests.map(({ url, params }) => twilio.getExpectedTwilioSignature(token, url, params)),

  validate: ({ token, requests }) =>
    requests.map(({ url, params, signature }) => twilio.validateRequest(token, signature, url, params)),
};

function plain({ sid, status, from, to, body, numSegments, numMedia, direction, errorCode, dateCreated }) {
  return {
    sid, status, from, to, body, direction,
    segments: numSegments, media: numMedia, code: errorCode, created: dateCreated.getTime(),
  };
}

let input = "";
process.stdin.on("data", (chunk) => (input += chunk));
process.stdin.on("end", async () => {
  const request = JSON.parse(input);
  console.log(JSON.stringify(await doings[request.do](request)));
});
