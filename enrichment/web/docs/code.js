/* A request as code for a shell, for Python and for JavaScript. */

/** Each makes code of a request: { method, url, headers: { name: value }, body: text or undefined, isStream }. */
export const LANGUAGES = { curl, Python: python, JavaScript: javascript };

const STRING_OR_WORD = /"[^"\\]*(?:\\.[^"\\]*)*"|\b(?:true|false|null)\b/g;
const PYTHON_WORDS = { true: "True", false: "False", null: "None" };

function curl({ method, url, headers, body, isStream }) {
  return [
    `curl -s${isStream ? "N" : ""} -X ${method} ${quoted(url)}`,
    ...Object.entries(headers).map((header) => `-H ${quoted(header.join(": "))}`),
    ...(body === undefined ? [] : [`--data-raw ${quoted(body)}`]), // -d would read a file if the body began with @
  ].join(" \\\n  ");
}

function python({ method, url, headers, body, isStream }) {
  const isJson = isLiteral(headers, body);
  const { "Content-Type": _, ...others } = headers; // which httpx sends with `json`
  const sent = isJson ? others : headers;
  const call = [
    `${isStream ? "with httpx.stream" : "response = httpx.request"}(`,
    `    ${JSON.stringify(method)},`,
    `    ${JSON.stringify(url)},`,
    Object.keys(sent).length && `    headers=${JSON.stringify(sent)},`,
    isJson && `    json=${pythonLiteral(body)},`,
    !isJson && body !== undefined && `    content=${JSON.stringify(body)}.encode(),`,
    "    timeout=60,",
    isStream ? ") as response:" : ")",
  ].filter(Boolean);
  const show = isStream
    ? ["    for line in response.iter_lines():", "        print(line)"]
    : ["print(response.status_code, response.text)"];
  return ["import httpx", "", ...call, ...show].join("\n");
}

function javascript({ method, url, headers, body, isStream }) {
  const text = isLiteral(headers, body) ? `JSON.stringify(${body.trim()})` : JSON.stringify(body);
  const call = [
    `const response = await fetch(${JSON.stringify(url)}, {`,
    `  method: ${JSON.stringify(method)},`,
    Object.keys(headers).length && `  headers: ${JSON.stringify(headers)},`,
    body !== undefined && `  body: ${text},`,
    "});",
  ].filter(Boolean);
  const show = isStream
    ? "for await (const text of response.body.pipeThrough(new TextDecoderStream())) console.log(text);"
    : "console.log(response.status, await response.text());";
  return [...call, show].join("\n");
}

/** Quote a text for a POSIX shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Return the JSON as a Python expression. Strings are written anew: Python reads `\/` and `\ud83d\ude00` otherwise. */
const pythonLiteral = (json) =>
  json.trim().replace(STRING_OR_WORD, (token) => PYTHON_WORDS[token] ?? JSON.stringify(JSON.parse(token)));

/** Whether the body is JSON that means the same as a literal: not with large numbers, nor with the name __proto__. */
function isLiteral(headers, body) {
  if (body === undefined || headers["Content-Type"] !== "application/json" || /__proto__|\d{16}|\de/i.test(body)) {
    return false;
  }
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}
