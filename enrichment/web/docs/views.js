/* What the main part shows: the overview, an operation, a schema, or an error code. */

import { BASE } from "./api.js";
import { copyButton, details, endpoint, h, inline, prose } from "./elements.js";
import { valueView } from "./json.js";
import { exampleView, schemaLink, schemaView, typeOf } from "./schemas.js";

/** Show what the service is and what it can do. */
export function overview(api) {
  const documents = ["openapi.json", "llms.txt"].map((name) => h("a", { href: new URL(name, BASE).href }, name));
  return h("article", {},
    heading(api.info.title),
    prose(api.info.description),
    api.authorization && h("section", {}, h("h2", {}, "Authorization"), prose(api.authorization.description)),
    api.tags.map(({ name, description, operations }) => h("section", {},
      h("h2", {}, name), prose(description), operationList(operations))),
    h("section", {}, h("h2", {}, "For programs"), h("p", {},
      "This page shows ", documents[0], ", the description of the service as OpenAPI 3.1. ",
      documents[1], " is a short one for language models.")));
}

/** Show an operation: its form, its answers, and its errors. */
export function operationView(api, operation, form) {
  const { id, tag, summary, description, path, answers } = operation;
  const errors = operation.codes.map((code) => api.problems.get(code));
  const common = errors.filter((problem) => isEverywhere(api, problem));
  const own = errors.filter((problem) => !common.includes(problem));
  return h("article", {},
    h("p", { class: "eyebrow" }, tag),
    heading(inline(summary), `#operation-${id}`),
    h("p", { class: "endpoint" }, endpoint(operation), copyButton("Copy path", () => path)),
    prose(description),
    h("section", {}, h("h2", {}, "Request"), form.element),
    h("section", {}, h("h2", {}, "Answers"), answers.map((answer) => answerView(api, answer))),
    h("section", {}, h("h2", {}, "Errors"), errorList(own),
      details(`${common.length} more that every operation can give`, errorList(common))));
}

/** Show a schema and where it is used. */
export function schemaPage(api, name) {
  const uses = api.usesOf(name);
  return h("article", {},
    h("p", { class: "eyebrow" }, "schema"),
    heading(name, `#schema-${name}`),
    schemaView(api.schemas.get(name), api.examples.get(name)),
    h("section", {}, h("h2", {}, "Used in"),
      operationList(uses.operations),
      h("ul", { class: "names" }, uses.schemas.map((other) => h("li", {}, schemaLink(other))))));
}

/** Show an error code: what it means, and which operations give it. */
export function problemView(api, code) {
  const problem = api.problems.get(code);
  const { title, status, meaning, example, operations } = problem;
  return h("article", {},
    h("p", { class: "eyebrow" }, `error ${status}`),
    heading(title, `#problem-${code}`),
    h("p", {}, h("code", {}, code)),
    prose(meaning),
    h("section", {}, h("h2", {}, "Example"), valueView(example)),
    h("section", {}, h("h2", {}, "Given by"),
      isEverywhere(api, problem) ? h("p", {}, "Every operation.") : operationList(operations)));
}

/** Say that there is no such entry. */
export const missingView = (hash) => h("article", {},
  heading("Not here"),
  h("p", {}, "There is nothing named ", h("code", {}, hash), " in this description. ", h("a", { href: "#" }, "Overview")));

/** Whether every operation can give the error. */
const isEverywhere = (api, { operations }) => operations.length === api.operations.size;

function heading(text, link) {
  return h("h1", { tabindex: "-1" }, text, link && [" ", h("a", { class: "anchor", href: link, "aria-label": "Permanent link" }, "#")]);
}

function answerView(api, { status, description, content = {}, headers = {} }) {
  const types = Object.entries(content);
  return h("section", { class: "documented" },
    h("h3", {}, h("strong", { class: "good" }, status), " ", types.map(([name]) => [h("code", {}, name), " "])),
    types.length === 0 && prose(description),
    types.map(([name, part]) => contentView(api, part, types.length > 1 && name)),
    details("Headers", h("dl", { class: "fields" }, Object.entries(headers).map(([name, value]) =>
      h("div", {}, h("dt", {}, h("code", {}, name)), h("dd", {}, inline(api.resolve(value).description)))))));
}

function contentView(api, { schema, ...part }, mediaType) {
  const names = (schema.oneOf ?? schema.anyOf ?? [schema]).flatMap(({ $ref }) => ($ref ? [$ref.split("/").at(-1)] : []));
  const example = api.exampleOf(part);
  return h("div", {},
    mediaType && h("h4", {}, mediaType),
    names.length === 1
      ? [h("p", {}, schemaLink(names[0]), ":"), schemaView(api.resolve(schema))]
      : names.length > 1 ? h("p", { class: "type" }, typeOf(schema)) : schemaView(schema),
    example !== undefined && details("Example", exampleView(example)));
}

const operationList = (operations) => operations.length > 0 && h("ul", { class: "operations" },
  operations.map((operation) => h("li", {},
    h("a", { href: `#operation-${operation.id}` }, endpoint(operation)), h("p", {}, inline(operation.summary)))));

const errorList = (errors) => h("dl", { class: "fields" }, errors.map(({ code, status, meaning }) =>
  h("div", {}, h("dt", {}, h("strong", { class: "bad" }, status), " ", h("a", { href: `#problem-${code}` }, h("code", {}, code))),
    h("dd", {}, inline(meaning)))));
