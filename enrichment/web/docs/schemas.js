/* Schemas as people read them: types in words, with links, and lists of fields. */

import { details, h, inline, prose } from "./elements.js";
import { valueView } from "./json.js";

const BOUNDS = [
  ["minimum", "maximum", ""],
  ["minLength", "maxLength", " characters"],
  ["minItems", "maxItems", " items"],
];

/** Return a link to a schema. */
export const schemaLink = (name) => h("a", { href: `#schema-${name}` }, name);

/** Return nodes for the type: its name, format and bounds. */
export function typeOf(schema) {
  if (schema.$ref) return [schemaLink(schema.$ref.split("/").at(-1))];
  const arms = schema.anyOf ?? schema.oneOf;
  if (arms) return joined(arms.map(typeOf), " or ");
  if ("const" in schema) return [h("code", {}, JSON.stringify(schema.const))];
  if (schema.enum) return joined(schema.enum.map((value) => [h("code", {}, String(value))]), ", ");
  if (schema.type === "array" && schema.items) return ["array of ", ...grouped(schema.items), boundsOf(schema)];
  if (schema.additionalProperties instanceof Object) return ["object of ", ...grouped(schema.additionalProperties)];
  const format = schema.format ? ` (${schema.format})` : "";
  return [`${schema.type ?? "any JSON"}${format}${boundsOf(schema)}`];
}

/** Show everything about a schema but its name: description, fields or values, and an example. */
export function schemaView(schema, example) {
  const events = eventsOf(schema["x-lines"] ?? schema);
  return [
    prose(schema.description),
    events.length > 0 && eventList(events),
    schema.properties ? fieldList(schema) : events.length === 0 && h("p", { class: "type" }, typeOf(schema)),
    example !== undefined && details("Example", exampleView(example)),
  ];
}

/** Show what an object may contain. */
export function fieldList({ properties, required = [] }) {
  return h("dl", { class: "fields" }, Object.entries(properties).map(([name, schema]) => h("div", {},
    h("dt", {}, h("code", {}, name), " ", h("span", { class: "type" }, typeOf(schema)),
      !required.includes(name) && h("span", { class: "optional" }, "optional")),
    h("dd", {}, inline(schema.description ?? ""), defaultOf(schema)))));
}

/** Show an example: JSON, or text as it is. */
export const exampleView = (example) =>
  (typeof example === "string" ? h("pre", { tabindex: "0" }, h("code", {}, example)) : valueView(example));

/** Return the default of a schema in words. */
export const defaultOf = ({ default: value }) =>
  value !== undefined && [" Default: ", h("code", {}, JSON.stringify(value)), "."];

/** Return the events of a stream: their names and the schemas of their data. */
const eventsOf = ({ oneOf = [] }) => oneOf
  .filter(({ properties }) => properties?.event?.const)
  .map(({ properties: { event, data } }) => [event.const, data.contentSchema ?? data]);

const eventList = (events) => h("dl", { class: "fields" }, events.map(([name, schema]) =>
  h("div", {}, h("dt", {}, h("code", {}, name), " ", h("span", { class: "type" }, typeOf(schema))))));

function grouped(schema) {
  const isUnion = schema.anyOf || schema.oneOf || schema.enum;
  return isUnion ? ["(", ...typeOf(schema), ")"] : typeOf(schema);
}

function boundsOf(schema) {
  const [low, high, unit] = BOUNDS.find((names) => names.some((name) => name in schema)) ?? [];
  if (!low) return "";
  if (!(high in schema)) return schema[low] === 1 && unit ? ", not empty" : `, at least ${schema[low]}${unit}`;
  return low in schema ? `, ${schema[low]} to ${schema[high]}${unit}` : `, at most ${schema[high]}${unit}`;
}

const joined = (parts, separator) => parts.flatMap((part, index) => (index ? [separator, ...part] : part));
