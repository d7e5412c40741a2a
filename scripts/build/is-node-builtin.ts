import { isBuiltin } from "node:module";

/** Packages that Bun has versions of inside, and therefore counts among the modules of Node.js. */
const INSIDE_BUN = /^(ws|undici|bun)(\/|:|$)/;

/** Returns whether Node.js has this module, whichever runtime asks. */
export const isNodeBuiltin = (name: string): boolean => isBuiltin(name) && !INSIDE_BUN.test(name);
