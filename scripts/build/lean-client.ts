// Plugins that keep the client quick to start: they leave out, or put off, parts of libraries that a command
// does not use.
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Plugin } from "rolldown";
import { root } from "../lib/root.ts";
import { isNodeBuiltin } from "./is-node-builtin.ts";

/** Modules of Node.js that are loaded when one of their functions is called. */
const LATE = ["child_process", "crypto", "http", "https", "tls", "zlib"];
const BUILTIN = "\0builtin:";

/**
 * Node.js evaluates every export of its own module that is imported; for `node:http`, that loads all of
 * `fetch` and WebSocket, for `node:crypto` the Web Cryptography API: a third of the time of a command.
 * `require` evaluates only what is used.
 */
export const lateBuiltins: Plugin = {
  name: "late-builtins",
  resolveId: {
    filter: { id: /^(node:)?[a-z_]+(\/[a-z]+)?$/ },
    handler(id, importer, { kind }) {
      const name = id.replace(/^node:/, "");
      // Those of Rolldown itself stay: it defines `require` with `node:module`.
      if (!isNodeBuiltin(name) || name === "module" || importer?.startsWith(BUILTIN)) return null;
      const isRequired = kind === "require-call";
      if (!LATE.includes(name)) return isRequired ? null : `${BUILTIN}${name}`;
      return `${BUILTIN}${isRequired ? "required" : "imported"}-late:${name}`;
    },
  },
  load: {
    filter: { id: /^\0builtin:/ },
    handler(id) {
      const [name = "", how] = id.slice(BUILTIN.length).split(":").reverse();
      const late = `const late = () => process.getBuiltinModule("node:${name}");`;
      if (how === "required-late")
        return `${late} module.exports = new Proxy({}, { get: (_, name) => late()[name] });`;
      if (how !== "imported-late") return `module.exports = require("node:${name}");`;
      const functions = Object.entries(createRequire(import.meta.url)(`node:${name}`)).filter(
        ([key, value]) => /^[a-z]/.test(key) && typeof value === "function",
      );
      return [
        late,
        ...functions.map(([key, value]) => lateFunction(key, promisify.custom in (value as object))),
      ].join("\n");
    },
  },
};

/** Returns the source of a function that calls the one of `late()`; some have another form as a promise. */
function lateFunction(name: string, hasOwnPromise: boolean): string {
  const source = `export const ${name} = (...args) => late().${name}(...args);`;
  if (!hasOwnPromise) return source;
  const custom = `Symbol.for("nodejs.util.promisify.custom")`;
  return `${source} ${name}[${custom}] = (...args) => late().${name}[${custom}](...args);`;
}

/**
 * The patterns of string-width take 30 ms to compile, and a table of ASCII needs none: they wait for the
 * first other text.
 */
export const lateStringWidth: Plugin = {
  name: "late-string-width",
  transform: {
    filter: { id: /node_modules[\\/]string-width[\\/]index\.js$/ },
    handler(code) {
      const [imports = ""] = code.match(/^(import .*\n)*/) ?? [];
      const [before, after, ...more] = code
        .slice(imports.length)
        .split("export default function stringWidth(");
      if (!imports || !after || more.length > 0) this.error("string-width has another form than expected");
      return `${imports}
        let measure;
        export default (text, options) =>
          /^[\\x20-\\x7e]*$/.test(text) ? text.length : (measure ??= prepare())(text, options);
        function prepare() {
          ${before} return function stringWidth(${after}
        }`;
    },
  },
};

const EAGER_WEBSOCKET = "globalThis.WebSocket || globalThis.MozWebSocket";
const packages = join(root, "node_modules");
/** Without their logging, and of ws without its server. */
const REPLACED: Record<string, string> = {
  "socket.io-client": join(packages, "socket.io-client/build/esm/index.js"),
  "engine.io-client": join(packages, "engine.io-client/build/esm/index.js"),
  "socket.io-parser": join(packages, "socket.io-parser/build/esm/index.js"),
  ws: "\0lean-ws",
};

/**
 * The client opens WebSockets of ws only: without polling, and without Node.js's own WebSocket, which loads
 * `fetch`.
 */
export const leanSockets: Plugin = {
  name: "lean-sockets",
  resolveId: {
    filter: {
      id: /^(socket\.io-client|engine\.io-client|socket\.io-parser|ws|\.\/(transports\/)?polling-xhr\.node\.js)$/,
    },
    handler: (id) => REPLACED[id] ?? "\0no-polling",
  },
  load: {
    filter: { id: /^\0(no-polling|lean-ws)$/ },
    handler: (id) =>
      id === "\0no-polling"
        ? "export class XHR {}"
        : `export { default as WebSocket } from ${JSON.stringify(join(packages, "ws/lib/websocket.js"))};`,
  },
  transform: {
    filter: { id: /engine\.io-client[\\/]build[\\/]esm[\\/]transports[\\/]websocket\.js$/ },
    handler(code) {
      if (!code.includes(EAGER_WEBSOCKET)) this.error("engine.io-client has another form than expected");
      return code.replace(EAGER_WEBSOCKET, "undefined");
    },
  },
};

/**
 * Secretlint would read key stores (.p12) with node-forge, which is larger than all the rest. Such files are
 * never included in a submission for their name alone, so that nothing asks for it.
 */
export const withoutForge: Plugin = {
  name: "without-forge",
  resolveId: {
    filter: { id: /^\.\/index-[\w-]+\.js$/ },
    handler: (_id, importer, { kind }) =>
      kind === "dynamic-import" && importer?.includes("secretlint-rule-preset-recommend")
        ? "\0without-forge"
        : null,
  },
  load: { filter: { id: /^\0without-forge$/ }, handler: () => "export const i = {};" },
};
