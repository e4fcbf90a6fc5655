/* The answer to a request, shown as it comes. */

import { announce, button, details, endpoint, h } from "./elements.js";
import { textView } from "./json.js";

const SHOWN_EVENTS = 200;
const SHOWN_IN_LINE = 100;
const STREAMS = ["text/event-stream", "application/x-ndjson"];

/** Whether answers of this media type are shown event by event. */
export const isStream = (mediaType) => STREAMS.includes(mediaType);

/** Show an answer in the element until it has ended, or is aborted. Return its status, headers and text. */
export async function showAnswer(element, response, started) {
  const mediaType = (response.headers.get("Content-Type") ?? "").split(";")[0];
  const facts = h("span", { class: "facts" });
  const kind = response.ok ? "good" : "bad";
  const status = `${response.status} ${response.statusText}`.trim();
  const body = h("div", { "aria-busy": "true" });
  element.replaceChildren(
    h("p", { class: "status-line" }, h("strong", { class: kind }, status), " ", facts),
    details("Headers", h("dl", { class: "headers" },
      [...response.headers].map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))))),
    body,
  );
  announce(`Answer: ${status}`);
  const show = isStream(mediaType) ? eventView(body, mediaType, started) : () => {};
  let text = "";
  let size = 0;
  const decoder = new TextDecoder();
  const count = () => (facts.textContent = `${milliseconds(started)}, ${size.toLocaleString("en")} bytes`);
  count();
  for (const reader = response.body?.getReader(); reader;) {
    const { done, value } = await reader.read();
    if (done) break;
    const part = decoder.decode(value, { stream: true });
    size += value.length;
    text += part;
    show(part);
    count();
  }
  if (!isStream(mediaType) && text) body.append(textView(text, mediaType.endsWith("json")));
  body.removeAttribute("aria-busy");
  return { status: response.status, headers: response.headers, text };
}

/** Show that there is no answer, and why. */
export function showFailure(element, text) {
  element.replaceChildren(h("p", { class: "status-line" }, h("strong", { class: "bad" }, text)));
  announce(text);
}

/** Return links to the requests that can follow an answer, prefilled from it. */
export function followUps(api, links, text, go) {
  const body = parsed(text);
  return h("ul", { class: "follow-ups", "aria-label": "What can follow" },
    Object.values(links).map(({ operationId, parameters }) => {
      const values = Object.entries(parameters).map(([place, expression]) => [
        place.split(".")[1], body?.[expression.replace("$response.body#/", "")],
      ]);
      const operation = api.operations.get(operationId);
      return h("li", {}, button(endpoint(operation), () => go(operationId, Object.fromEntries(values))));
    }));
}

/** Return a function that takes the parts of a stream and lists its events. */
function eventView(element, mediaType, started) {
  const list = h("ol", { class: "events", "aria-label": "Events" });
  const note = h("p", { class: "note" });
  element.append(list, note);
  const isLines = mediaType === "application/x-ndjson";
  const separator = isLines ? /\r?\n/ : /\r?\n\r?\n/;
  let rest = "";
  let count = 0;
  return (part) => {
    const blocks = (rest + part).split(separator);
    rest = blocks.pop();
    for (const { name, data } of blocks.filter(Boolean).map(isLines ? lineEvent : sseEvent).filter(({ data }) => data)) {
      count += 1;
      if (count <= SHOWN_EVENTS) list.append(eventItem(name, data, milliseconds(started)));
      else note.textContent = `${count - SHOWN_EVENTS} more events are not shown.`;
    }
  };
}

function eventItem(name, data, time) {
  const item = details(
    [h("strong", {}, name), " ", h("time", {}, time), " ", h("code", {}, data.slice(0, SHOWN_IN_LINE))],
  );
  item.addEventListener("toggle", () => item.append(textView(data, true)), { once: true });
  return h("li", {}, item);
}

function sseEvent(block) {
  const lines = block.split(/\r?\n/);
  const values = (name) => lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim());
  return { name: values("event")[0] ?? "message", data: values("data").join("\n") };
}

function lineEvent(line) {
  const { event, data } = parsed(line) ?? {};
  return event === undefined ? { name: "line", data: line } : { name: event, data: JSON.stringify(data) };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const milliseconds = (started) => `${Math.round(performance.now() - started).toLocaleString("en")} ms`;
