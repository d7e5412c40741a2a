import type { Plugin } from "esbuild";
import { isNodeBuiltin } from "./is-node-builtin.ts";

/**
 * Gets the modules of Node.js by a call instead of an import, which would evaluate all that they export: with
 * `node:http` also `fetch` and WebSocket. It also lets packages that call `require` for them be inside of a
 * bundle that is a module.
 */
export const lazyBuiltins: Plugin = {
  name: "lazy-builtins",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?[a-z_0-9]+(\/[a-z]+)*$/ }, ({ path }) =>
      isNodeBuiltin(path) ? { path: path.replace(/^node:/, ""), namespace: "builtin" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule("node:${path}");`,
    }));
  },
};
