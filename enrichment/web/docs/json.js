/* JSON as people read it: indented, with colours and links. It is not parsed, so that no number is rounded. */

import { copyButton, h } from "./elements.js";

const SHOWN_CHARACTERS = 40_000;
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+|"/g;
const OPENING = new Set("{[");
const CLOSING = new Set("}]");

/** Show a text, of which a long one is cut; JSON is indented. The button copies all of it. */
export function textView(text, isJson) {
  const code = h("code");
  const isCut = isJson ? indent(text, code) : text.length > SHOWN_CHARACTERS;
  if (!isJson) code.append(text.slice(0, SHOWN_CHARACTERS));
  const count = (number) => number.toLocaleString("en");
  const note = `Cut after ${count(code.textContent.length)} characters. Copy gives all ${count(text.length)}.`;
  return h("div", { class: "text" },
    h("pre", { tabindex: "0" }, code), isCut && h("p", { class: "note" }, note), copyButton("Copy", () => text));
}

/** Show a value as JSON. */
export const valueView = (value) => textView(JSON.stringify(value), true);

/** Write JSON into the element, as far as it is shown. Return whether there is more. */
function indent(json, element) {
  const open = [];
  let length = 0;
  let before = "";
  const write = (node) => {
    length += (node.textContent ?? node).length;
    element.append(node);
  };
  for (const [token] of json.matchAll(TOKEN)) {
    if (length > SHOWN_CHARACTERS) return true;
    if (CLOSING.has(token)) open.pop();
    if (before === "," || OPENING.has(before) !== CLOSING.has(token)) write(`\n${"  ".repeat(Math.min(open.length, 40))}`);
    if (OPENING.has(token)) open.push(token);
    if (token === ":") write(": ");
    else if ("{}[],".includes(token)) write(token);
    else write(scalar(token.slice(0, SHOWN_CHARACTERS), open.at(-1) === "{" && before !== ":"));
    before = token;
  }
  return before.length > SHOWN_CHARACTERS;
}

function scalar(token, isKey) {
  if (isKey) return h("span", { class: "key" }, token);
  const [, code] = token.match(/\/docs#problem-([a-z_]+)"$/) ?? [];
  if (code) return h("a", { href: `#problem-${code}` }, token);
  if (/^"https?:\/\/[^\s"\\]+"$/.test(token)) {
    return h("a", { href: token.slice(1, -1), rel: "noreferrer", target: "_blank" }, token);
  }
  return h("span", { class: token.startsWith('"') ? "string" : "literal" }, token);
}
