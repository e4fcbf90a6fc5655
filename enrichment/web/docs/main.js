/* The page: it shows the entry that the address names after the #, one at a time. */

import { load } from "./api.js";
import { showContents } from "./contents.js";
import { button, h } from "./elements.js";
import { RequestForm } from "./request.js";
import * as token from "./token.js";
import { missingView, operationView, overview, problemView, schemaPage } from "./views.js";

const main = document.getElementById("main");
const menu = document.getElementById("menu");

/** Shows entries. Those that were visited are kept, with what stands in their forms and the streams that run there. */
class Pages {
  constructor(api) {
    this.api = api;
    this.forms = new Map();
    this.views = new Map();
    this.markCurrent = showContents(api);
  }

  show() {
    const hash = decoded(location.hash);
    if (!this.views.has(hash)) this.views.set(hash, this.#view(hash));
    const view = this.views.get(hash);
    main.replaceChildren(view);
    this.markCurrent(hash);
    const title = view.querySelector("h1").firstChild.textContent;
    document.title = hash ? `${title} · ${this.api.info.title}` : this.api.info.title;
  }

  #view(hash) {
    const [, kind, name] = hash.match(/^#([a-z]+)-(.+)$/) ?? [];
    if (hash === "") return overview(this.api);
    if (kind === "operation" && this.api.operations.has(name)) {
      return operationView(this.api, this.api.operations.get(name), this.#form(name));
    }
    if (kind === "schema" && this.api.schemas.has(name)) return schemaPage(this.api, name);
    if (kind === "problem" && this.api.problems.has(name)) return problemView(this.api, name);
    return missingView(hash);
  }

  #form(id) {
    if (!this.forms.has(id)) this.forms.set(id, new RequestForm(this.api, this.api.operations.get(id), this.#go));
    return this.forms.get(id);
  }

  #go = (id, values) => {
    this.#form(id).fill(values);
    location.hash = `#operation-${id}`;
  };
}

/** Decode what is percent-encoded, unless it is not valid. */
function decoded(hash) {
  try {
    return decodeURIComponent(hash);
  } catch {
    return hash;
  }
}

function openMenu(isOpen) {
  menu.setAttribute("aria-expanded", isOpen);
  document.body.classList.toggle("menu-open", isOpen);
}

async function start() {
  try {
    const api = await load();
    const pages = new Pages(api);
    document.getElementById("version").textContent = api.info.version;
    if (api.authorization) token.start(api.authorization.description);
    pages.show();
    addEventListener("hashchange", () => {
      pages.show();
      openMenu(false);
      main.querySelector("h1").focus();
      scrollTo(0, 0);
    });
  } catch (error) {
    main.replaceChildren(h("div", { role: "alert" },
      h("h1", {}, "The description of the service could not be read"),
      h("p", {}, error.message), button("Try again", () => location.reload())));
  }
}

menu.addEventListener("click", () => openMenu(menu.getAttribute("aria-expanded") === "false"));
document.addEventListener("search", () => openMenu(true));
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address after the # is that of an entry
  main.focus();
});
start();
