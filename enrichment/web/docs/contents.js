/* The list of all entries, with a search over their texts. */

import { endpoint, h } from "./elements.js";

/** Fill the list. Return a function that marks the entry of a hash. */
export function showContents(api) {
  const groups = [
    ...api.tags.map(({ name, operations }) => group(name, operations.map(operationEntry), true)),
    group("schemas", [...api.schemas].map(schemaEntry), false),
    group("errors", [...api.problems.values()].map(problemEntry), false),
  ];
  document.getElementById("entries").replaceChildren(...groups.map(({ element }) => element));
  searchIn(groups);
  return (hash) => {
    for (const { element, entries } of groups) {
      for (const { link } of entries) {
        const isCurrent = link.hash === hash && hash !== "";
        link.toggleAttribute("aria-current", isCurrent);
        if (isCurrent) {
          link.setAttribute("aria-current", "page");
          element.open = true;
        }
      }
    }
  };
}

function searchIn(groups) {
  const input = document.getElementById("search");
  const wereOpen = new Map();
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const { element, entries } of groups) {
      const matches = entries.filter(({ link, text }) => {
        const isMatch = words.every((word) => text.includes(word));
        link.parentElement.hidden = !isMatch;
        return isMatch;
      });
      found += matches.length;
      element.hidden = matches.length === 0;
      if (words.length > 0 && !wereOpen.has(element)) wereOpen.set(element, element.open);
      element.open = words.length > 0 || (wereOpen.get(element) ?? element.open);
    }
    if (words.length === 0) wereOpen.clear();
    document.getElementById("found").textContent = words.length === 0 ? "" : found === 1 ? "1 entry" : `${found} entries`;
  });
  input.addEventListener("keydown", ({ key }) => {
    if (key === "Enter") {
      const first = groups.flatMap(({ entries }) => entries).find(({ link }) => !link.parentElement.hidden);
      first?.link.click();
    }
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      document.dispatchEvent(new Event("search"));
      input.focus();
    }
  });
}

function group(name, entries, isOpen) {
  const element = h("details", { open: isOpen },
    h("summary", {}, name, " ", h("span", { class: "count" }, String(entries.length))),
    h("ul", {}, entries.map(({ link }) => h("li", {}, link))));
  return { element, entries };
}

function entry(hash, content, ...texts) {
  return { link: h("a", { href: hash }, content), text: texts.join(" ").toLowerCase() };
}

function operationEntry(operation) {
  const { id, method, path, summary, description, parameters } = operation;
  const names = parameters.filter((parameter) => parameter.in !== "header").map(({ name }) => name);
  return entry(`#operation-${id}`, endpoint(operation), id, method, path, summary, description, ...names);
}

function schemaEntry([name, { description, properties = {}, enum: values = [] }]) {
  const fields = Object.entries(properties).flatMap(([field, schema]) => [field, schema.description]);
  return entry(`#schema-${name}`, name, name, description, ...fields, ...values);
}

function problemEntry({ code, status, title, meaning }) {
  return entry(`#problem-${code}`, [String(status), " ", h("code", {}, code)], code, status, title, meaning);
}
