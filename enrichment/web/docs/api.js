/* The OpenAPI document of the service, and what the page needs to know from it. */

/** Where the service is: this file is in its folder `docs`. */
export const BASE = new URL("..", import.meta.url);

/** Get the document. */
export async function load() {
  const response = await fetch(new URL("openapi.json", BASE));
  if (!response.ok) throw new Error(`GET openapi.json was answered ${response.status}.`);
  return new Api(await response.json());
}

/** Operations, schemas and error codes, by their names. */
class Api {
  constructor(document) {
    this.document = document;
    this.info = document.info;
    this.authorization = Object.values(document.components.securitySchemes ?? {})[0];
    this.schemas = new Map(Object.entries(document.components.schemas));
    this.operations = new Map();
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        this.operations.set(operation.operationId, this.#operation(path, method.toUpperCase(), operation));
      }
    }
    this.tags = document.tags.map(({ name, description }) => ({
      name, description, operations: [...this.operations.values()].filter(({ tag }) => tag === name),
    }));
    this.problems = this.#problems();
    this.examples = this.#examplesOfSchemas();
  }

  /** Return what a reference refers to, or the value itself. */
  resolve(value) {
    while (value?.$ref) value = value.$ref.split("/").slice(1).reduce((part, name) => part[name], this.document);
    return value;
  }

  /** Return the example of a body or an answer, if there is one. */
  exampleOf({ example, examples }) {
    return example ?? this.resolve(Object.values(examples ?? {})[0])?.value;
  }

  /** Return the links that lead to the operation: [{ from, parameters }]. */
  linksTo(id) {
    return [...this.operations.values()].flatMap((from) => from.answers.flatMap(({ links }) =>
      Object.values(links ?? {}).filter((link) => link.operationId === id).map((link) => ({ from, ...link }))));
  }

  /** Return the names of schemas and the operations in which the schema stands. */
  usesOf(name) {
    const mark = `"#/components/schemas/${name}"`;
    const has = (value) => JSON.stringify(value).includes(mark);
    return {
      schemas: [...this.schemas].filter(([other, schema]) => other !== name && has(schema)).map(([other]) => other),
      operations: [...this.operations.values()].filter(({ body, answers }) => has([body ?? null, answers])),
    };
  }

  #operation(path, method, operation) {
    const responses = Object.entries(operation.responses).map(([status, value]) => ({ status, ...this.resolve(value) }));
    return {
      id: operation.operationId,
      path,
      method,
      tag: operation.tags[0],
      summary: operation.summary,
      description: operation.description,
      takesToken: operation.security?.length > 0,
      parameters: (operation.parameters ?? []).map((value) => this.resolve(value)),
      body: operation.requestBody,
      answers: responses.filter(({ status }) => status < 400),
      codes: responses.filter(({ status }) => status >= 400)
        .flatMap(({ content }) => Object.keys(content["application/problem+json"].examples)),
    };
  }

  #problems() {
    const examples = Object.entries(this.document.components.examples).filter(([, { value }]) => value?.code);
    return new Map(examples.map(([code, { summary, description, value }]) => [code, {
      code, title: summary, meaning: description, status: value.status, example: value,
      operations: [...this.operations.values()].filter(({ codes }) => codes.includes(code)),
    }]).sort(([, one], [, other]) => one.status - other.status));
  }

  #examplesOfSchemas() {
    const found = new Map();
    for (const { body, answers } of this.operations.values()) {
      for (const content of [body, ...answers].flatMap((part) => Object.values(part?.content ?? {}))) {
        const example = this.exampleOf(content);
        const [, name] = content.schema.$ref?.split("schemas/") ?? [];
        if (name && example !== undefined && !found.has(name)) found.set(name, example);
      }
    }
    return found;
  }
}
