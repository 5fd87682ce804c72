/**
 * What a text costs as text messages, told before it is sent. The rules are
 * those of `src/domain/text.rs`, which decides how it is really cut; both are
 * held to Twilio's own calculator.
 *
 *   segments("On our way")            // { encoding: "GSM-7", count: 1, units: 10 }
 *   cost("On our way")                // { encoding: "GSM-7", segments: 1, parts: 1 }
 */

/** What Twilio takes in one message, in units. */
const MAX_SMS_UNITS = 1_600;
/** What a message of one segment holds, and what each holds of several, which carry a header. */
const ROOM = { "GSM-7": [160, 153], "UCS-2": [70, 67] };

/** The alphabet of 3GPP TS 23.038; what stands in the extension table needs an escape. */
const BASIC = new Set("\n\r !\"#%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
  + "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà");
const EXTENSION = new Set("\f^{}\\[~]|€");

/** What a phone shows as one character. */
const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * What one message costs: a character is never divided between two segments.
 * @returns {{encoding: "GSM-7" | "UCS-2", count: number, units: number}} `units` are septets or UTF-16 code units
 */
export function segments(text) {
  const encoding = [...text].every((character) => septets(character) > 0) ? "GSM-7" : "UCS-2";
  const size = encoding === "GSM-7" ? (piece) => sum(piece, septets) : (piece) => piece.length;
  const units = size(text);
  const [alone, each] = ROOM[encoding];
  let count = 1;
  if (units > alone) {
    let used = 0;
    for (const character of characters(text, each, size)) {
      const taken = size(character);
      if (used + taken > each) [count, used] = [count + 1, 0];
      used += taken;
    }
  }
  return { encoding, count, units };
}

/** What a text of any length costs: one that is too long goes in numbered parts. */
export function cost(text) {
  const each = parts(text).map(segments);
  return {
    encoding: each.some(({ encoding }) => encoding === "UCS-2") ? "UCS-2" : "GSM-7",
    segments: each.reduce((all, { count }) => all + count, 0),
    parts: each.length,
  };
}

/** Cuts what is too long for one message into parts that begin with `(1/3) `, at white space if there is some. */
export function parts(text) {
  if (segments(text).units <= MAX_SMS_UNITS) return [text];
  // How long a prefix is depends on how many parts there are: `(9/9) `, `(99/99) `.
  for (let digits = 1; ; digits++) {
    const pieces = cut(text, MAX_SMS_UNITS - (4 + 2 * digits));
    if (pieces.length < 10 ** digits) return pieces.map((piece, n) => `(${n + 1}/${pieces.length}) ${piece}`);
  }
}

function cut(text, most) {
  const pieces = [];
  let rest = text;
  while (rest.trimEnd() !== "") {
    let [end, used, space] = [0, 0, /** @type {number | null} */ (null)];
    for (const character of characters(rest, most, dearest)) {
      // White space at a cut goes, so it may stand past the end.
      if (end > 0 && character.trim() === "") space = end;
      used += dearest(character);
      if (used > most) break;
      end += character.length;
    }
    const at = used <= most ? rest.length : space ?? end;
    const piece = rest.slice(0, at).trimEnd();
    if (piece !== "") pieces.push(piece);
    rest = used <= most ? "" : rest.slice(at).trimStart();
  }
  return pieces;
}

/** An upper bound of what it takes in either alphabet. */
function dearest(text) {
  return sum(text, (character) => Math.max(septets(character), character.length));
}

/** One that is larger than `most` by itself comes in pieces; a line break of two characters may be divided. */
function* characters(text, most, size) {
  for (const { segment } of GRAPHEMES.segment(text)) {
    if (segment === "\r\n" || size(segment) > most) yield* segment;
    else yield segment;
  }
}

function septets(character) {
  return BASIC.has(character) ? 1 : EXTENSION.has(character) ? 2 : 0;
}

function sum(text, size) {
  let all = 0;
  for (const character of text) all += size(character);
  return all;
}
