/* The bearer token. It is kept in the tab's sessionStorage, so that it goes when the tab does. */

import { BASE } from "./api.js";
import { announce, h, prose } from "./elements.js";

const KEY = `token for ${BASE.pathname}`; // two mounted apps of one origin have one storage
const part = document.getElementById("authorization");
const input = document.getElementById("token");
const watchers = new Set();
let current = withStorage((storage) => storage.getItem(KEY)) ?? "";

/** Return the token, or an empty text. */
export const get = () => current;

/** Call the function with the token now, and whenever it changes. */
export function watch(watcher) {
  watchers.add(watcher);
  watcher(get());
}

/** Open the form of the token. */
export function ask() {
  part.open = true;
  input.focus();
}

/** Show the form, with this text about tokens. */
export function start(description) {
  part.hidden = false;
  document.getElementById("token-help").append(
    ...prose(description), h("p", {}, "It is kept until this tab is closed, and sent by this page only."));
  document.getElementById("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    set(input.value.trim());
  });
  document.getElementById("forget").addEventListener("click", () => set(""));
  watch((token) => {
    document.getElementById("token-state").textContent = token ? "Authorized" : "Authorize";
    document.getElementById("forget").hidden = !token;
  });
  part.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") close();
  });
}

function set(token) {
  current = token;
  withStorage((storage) => (token ? storage.setItem(KEY, token) : storage.removeItem(KEY)));
  input.value = "";
  for (const watcher of watchers) watcher(token);
  announce(token ? "Authorized" : "The token is forgotten");
  close();
}

function close() {
  part.open = false;
  document.getElementById("token-state").focus();
}

/** Use the storage. Browsers that are set to allow none raise an error; then the token goes with the page. */
function withStorage(use) {
  try {
    return use(sessionStorage);
  } catch {
    return undefined;
  }
}
