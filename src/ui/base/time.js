/**
 * Times as people read them, in their own language and zone.
 *
 *   timeElement(record.at)                 // <time datetime="…" title="…">10:32</time>
 *   nearTime(read_at, record.at)           // the day as well, if it is another one; nearText: without the element
 *   exactTime(record.at)                   // "Monday, November 24, 2025 at 10:32:07 AM"
 *   dayLabel(record.at)                    // "Today", "Yesterday", "Monday, November 3"
 *   waited(row.waiting_since)              // "5 min", "2 h", "3 d"; nothing in the first minute
 */
import { h } from "./dom.js";

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", month: "long", day: "numeric" });
const DAY_AND_YEAR = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "long", day: "numeric" });
const DAY_AND_CLOCK = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const SHORT_DATE = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "numeric", day: "numeric" });

export function timeElement(ms, text = CLOCK.format(ms), attributes = {}) {
  return h("time", { datetime: new Date(ms).toISOString(), title: exactTime(ms), ...attributes }, text);
}

/** A time told beside another: only the clock, if both are of one day. */
export function nearTime(ms, beside) {
  return timeElement(ms, nearText(ms, beside));
}

export function nearText(ms, beside) {
  return (dayKey(ms) === dayKey(beside) ? CLOCK : DAY_AND_CLOCK).format(ms);
}

export function exactTime(ms) {
  return FULL.format(ms);
}

/** The same for all times of one day here. */
export function dayKey(ms) {
  const date = new Date(ms);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

export function dayLabel(ms, now = Date.now()) {
  if (dayKey(ms) === dayKey(now)) return "Today";
  if (dayKey(ms) === dayKey(yesterday(now))) return "Yesterday";
  return (new Date(ms).getFullYear() === new Date(now).getFullYear() ? DAY : DAY_AND_YEAR).format(ms);
}

/** For a list: the time today, else the day. */
export function shortTime(ms, now = Date.now()) {
  if (dayKey(ms) === dayKey(now)) return CLOCK.format(ms);
  if (dayKey(ms) === dayKey(yesterday(now))) return "Yesterday";
  return (new Date(ms).getFullYear() === new Date(now).getFullYear() ? SHORT_DAY : SHORT_DATE).format(ms);
}

export function waited(since, now = Date.now()) {
  const minutes = Math.max(0, Math.floor((now - since) / 60_000));
  if (minutes < 1) return "";
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h`;
  return `${Math.floor(minutes / (24 * 60))} d`;
}

function yesterday(now) {
  const date = new Date(now);
  return date.setDate(date.getDate() - 1);
}
