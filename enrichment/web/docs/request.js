/* The form of an operation: it makes requests, sends them, and shows them as code. */

import { followUps, isStream, showAnswer, showFailure } from "./answer.js";
import { BASE } from "./api.js";
import { LANGUAGES } from "./code.js";
import { button, copyButton, details, h, inline } from "./elements.js";
import { defaultOf, schemaView, typeOf } from "./schemas.js";
import * as token from "./token.js";

/** The form of an operation. `go(id, values)` opens that of another one, with these values. */
export class RequestForm {
  constructor(api, operation, go) {
    this.api = api;
    this.operation = operation;
    this.go = go;
    this.inputs = new Map(operation.parameters.map((parameter) => [parameter.name, this.#input(parameter)]));
    this.accept = this.#choice("Answer as", operation.answers.flatMap(({ content }) => Object.keys(content ?? {})));
    this.contentType = this.#choice("Body as", Object.keys(operation.body?.content ?? {}));
    this.content = Object.values(operation.body?.content ?? {})[0];
    this.body = operation.body && this.#bodyInput();
    const waits = operation.method === "GET" && operation.answers.some(({ headers }) => headers?.["Retry-After"]);
    this.repeat = waits && h("input", { type: "checkbox", id: this.#id("repeat"), checked: true });
    this.sendButton = h("button", { type: "submit", class: "primary" }, "Send");
    this.stopButton = button("Stop", () => this.controller.abort(), { hidden: true });
    this.answer = h("section", { class: "answer", "aria-label": "Answer" });
    this.element = this.#form();
  }

  /** Put values into the inputs, by the names of the parameters. */
  fill(values) {
    for (const [name, value] of Object.entries(values)) {
      if (value !== undefined && this.inputs.has(name)) this.inputs.get(name).value = value;
    }
    this.element.dispatchEvent(new Event("input"));
  }

  /** Return the request as it stands in the form, with this token. */
  request(bearer) {
    const { method, parameters, takesToken } = this.operation;
    const url = new URL(BASE);
    const headers = {};
    let path = this.operation.path;
    for (const { name, in: place, schema } of parameters) {
      const text = this.inputs.get(name).value.trim();
      if (place === "path") path = path.replace(`{${name}}`, () => encodeURIComponent(text));
      else if (text && place === "header") headers[name] = text;
      else if (text) {
        const values = schema.type === "array" ? text.split(",").map((part) => part.trim()).filter(Boolean) : [text];
        for (const value of values) url.searchParams.append(name, value);
      }
    }
    url.pathname = BASE.pathname.replace(/\/$/, "") + path;
    const body = this.body?.value.trim() ? this.body.value : undefined;
    if (bearer && takesToken) headers.Authorization = `Bearer ${bearer}`;
    if (this.accept.selectedIndex > 0) headers.Accept = this.accept.value;
    if (body !== undefined) headers["Content-Type"] = this.contentType.value;
    return { method, url: url.href, headers, body, isStream: isStream(this.accept.value) };
  }

  async #send() {
    this.controller = new AbortController();
    const { signal } = this.controller;
    this.sendButton.disabled = true;
    this.stopButton.hidden = false;
    try {
      await this.#sendUntilDone(signal);
    } catch (error) {
      if (!signal.aborted) showFailure(this.answer, `No answer: ${error.message}`);
      else this.answer.append(h("p", { class: "note" }, "Stopped."));
    }
    this.sendButton.disabled = false;
    this.stopButton.hidden = true;
  }

  async #sendUntilDone(signal) {
    for (;;) {
      const { url, ...options } = this.request(token.get());
      const started = performance.now();
      const response = await fetch(url, { ...options, signal, cache: "no-store" });
      const { status, headers, text } = await showAnswer(this.answer, response, started);
      const { links } = this.operation.answers.find((answer) => Number(answer.status) === status) ?? {};
      if (links) this.answer.append(h("h3", {}, "Next"), followUps(this.api, links, text, this.go));
      if (status === 401) this.answer.append(this.#tokenNote());
      const seconds = Number(headers.get("Retry-After"));
      if (!this.repeat?.checked || !response.ok || !seconds) return;
      const note = h("p", { class: "note" });
      this.answer.append(note);
      for (let left = seconds; left > 0; left -= 1) {
        note.textContent = `Sent again in ${left} s.`;
        await pause(Math.min(left, 1) * 1000, signal);
      }
    }
  }

  #form() {
    const visible = (place) => this.operation.parameters.filter((parameter) => (parameter.in === "header") === place);
    const fields = (parameters) => parameters.map((parameter) => this.#field(parameter));
    const headers = fields(visible(true));
    const submit = (event) => {
      event.preventDefault();
      this.#send();
    };
    return h("form", { class: "request", submit },
      fields(visible(false)),
      this.body && [this.#bodyField(), this.#schemaOfBody()],
      this.accept.options.length > 1 && h("p", { class: "choice" }, this.accept.caption, this.accept),
      headers.length > 0 && details("Headers", headers),
      this.operation.takesToken ? this.#tokenNote() : h("p", { class: "note" }, "This request takes no token."),
      h("p", { class: "actions" }, this.sendButton, this.stopButton,
        this.repeat && h("label", { for: this.repeat.id }, this.repeat, " Repeat while the answer has Retry-After")),
      this.answer,
      this.#code());
  }

  #tokenNote() {
    const note = h("p", { class: "note" });
    token.watch((value) => note.replaceChildren(
      value ? "Sent with your token." : button("Enter a token", token.ask, { class: "link" }),
      value ? "" : " first: this request takes one.",
    ));
    return note;
  }

  #field(parameter) {
    const { name, schema, description, required } = parameter;
    const input = this.inputs.get(name);
    return h("div", { class: "field" },
      h("label", { for: input.id }, h("code", {}, name), " ", h("span", { class: "type" }, typeOf(schema)),
        !required && h("span", { class: "optional" }, "optional")),
      input,
      h("p", { id: `${input.id}-help` }, inline(description), defaultOf(schema),
        required && input.value === "" && this.#sources()));
  }

  /** Say which requests give the id that this one takes. */
  #sources() {
    const links = new Map(this.api.linksTo(this.operation.id).map(({ from }) => [from.id, from]));
    return links.size > 0 && [" From ", [...links.values()].map(({ id, summary }, index) =>
      [index > 0 && ", ", h("a", { href: `#operation-${id}` }, inline(summary))]), "."];
  }

  #input({ name, in: place, schema, required, example }) {
    const options = this.api.resolve(schema).enum ?? (schema.type === "boolean" ? ["true", "false"] : undefined);
    const properties = { id: this.#id(name), "aria-describedby": `${this.#id(name)}-help`, required };
    if (options) return h("select", properties, h("option", { value: "" }, "–"), options.map((value) => h("option", {}, value)));
    const input = h("input", {
      ...properties, autocomplete: "off", spellcheck: "false", autocapitalize: "none",
      inputmode: schema.type === "integer" && "numeric",
      placeholder: schema.type === "array" ? "separated by commas" : null,
    });
    if (required || place === "path") input.value = example ?? "";
    return input;
  }

  #choice(label, mediaTypes) {
    const select = h("select", { id: this.#id(label) }, [...new Set(mediaTypes)].map((name) => h("option", {}, name)));
    select.caption = h("label", { for: select.id }, `${label} `);
    return select;
  }

  #bodyInput() {
    const example = this.api.exampleOf(this.content);
    const text = example === undefined ? "" : JSON.stringify(example, null, 2);
    const rows = Math.min(20, Math.max(3, text.split("\n").length + 1));
    const input = h("textarea", { id: this.#id("body"), rows, spellcheck: "false", autocapitalize: "none" });
    input.value = text;
    return input;
  }

  #bodyField() {
    return h("div", { class: "field" },
      h("label", { for: this.body.id }, "Body", !this.operation.body.required && h("span", { class: "optional" }, "optional")),
      this.contentType.options.length > 1 && h("p", { class: "choice" }, this.contentType.caption, this.contentType),
      this.body);
  }

  #schemaOfBody() {
    return details("Fields of the body", schemaView(this.api.resolve(this.content.schema)));
  }

  #code() {
    const code = h("code");
    const name = this.#id("language");
    let language = "curl";
    const show = () => (code.textContent = LANGUAGES[language](this.request(token.get() && "•••")));
    const choices = Object.keys(LANGUAGES).map((label) => h("label", {},
      h("input", {
        type: "radio", name, checked: label === language,
        change: () => {
          language = label;
          show();
        },
      }), label));
    const part = details("As code",
      h("fieldset", {}, h("legend", { class: "unseen" }, "Language"), choices),
      h("pre", { tabindex: "0" }, code),
      copyButton("Copy", () => LANGUAGES[language](this.request(token.get()))),
      h("p", { class: "note" }, "What is copied has your token in it."));
    part.addEventListener("toggle", () => {
      part.closest("form").addEventListener("input", show);
      token.watch(show);
    }, { once: true });
    return part;
  }

  #id(name) {
    return `${this.operation.id}-${name}`.replaceAll(" ", "-").toLowerCase();
  }
}

/** Wait, or raise an error when the signal is aborted. */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
