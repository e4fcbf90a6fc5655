/* Elements of the page. What comes from the service is always set as text, never read as HTML. */

/** Make an element. Properties that are functions listen to events, false and null ones are left out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

/** Make a button that does something. */
export const button = (text, click, properties = {}) => h("button", { type: "button", ...properties, click }, text);

/** Make a part of the page that can be opened and closed. */
export const details = (title, ...children) => h("details", {}, h("summary", {}, title), children);

/** Return nodes for a line of text in which `backticks` mark code. */
export const inline = (text) => text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));

/** Return elements for a text of paragraphs and lists, as docstrings have them. */
export function prose(text = "") {
  return text.split(/\n{2,}/).filter(Boolean).map((block) => {
    const items = block.split(/^- /m).slice(1);
    return block.startsWith("- ")
      ? h("ul", {}, items.map((item) => h("li", {}, inline(item))))
      : h("p", {}, inline(block));
  });
}

/** Return a path that may be broken before its slashes. */
export const breakable = (path) => path.split(/(?=\/)/).flatMap((part) => [h("wbr"), part]);

/** Return the method and the path of an operation. */
export const endpoint = ({ method, path }) => [
  h("span", { class: `method ${method.toLowerCase()}` }, method), " ", h("span", { class: "path" }, breakable(path)),
];

/** Have a text read out by screen readers. */
export function announce(text) {
  document.getElementById("announcements").textContent = text;
}

/** Make a button that copies what the function returns. */
export function copyButton(label, text) {
  return button(label, async ({ currentTarget }) => {
    await copy(text());
    currentTarget.textContent = "Copied";
    announce("Copied");
    setTimeout(() => (currentTarget.textContent = label), 1500);
  });
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Pages that did not come over TLS have no clipboard but the old one.
  const area = h("textarea", { class: "unseen" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
