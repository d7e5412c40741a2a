import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { reachableDeclarations } from "./reachable-declarations.ts";

const folder = mkdtempSync(join(tmpdir(), "crowdai-declarations-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

it("keeps what the entry exports and what that mentions, with its comments, and nothing else", () => {
  write({
    "index.d.ts": 'export { open } from "./door.ts";\nexport type { Key as Id } from "./keys/key.ts";\n',
    "door.d.ts": `import { type Lock } from "./keys/key.ts";
import type { Server } from "node:http";
/** Opens. */
export declare function open(lock: Lock): void;
export declare function open(lock: Lock, twice: true): void;
/** Not for everyone. */
export declare function pick(server: Server): void;
`,
    "keys/key.d.ts": `import type { Metal } from "./metal.ts";
interface Shape {
    teeth: number;
}
export interface Key extends Shape {
}
export type Lock = {
    fits: Key;
};
export declare const melt: (metal: Metal) => void;
`,
  });
  const kept = reachableDeclarations(folder, "index.d.ts");
  expect([...kept.keys()].sort()).toEqual(["door.d.ts", "index.d.ts", "keys/key.d.ts"]);
  expect(kept.get("index.d.ts")).toBe(
    'export { open } from "./door.ts";\nexport type { Key as Id } from "./keys/key.ts";\n',
  );
  expect(kept.get("door.d.ts")).toBe(`import type { Lock } from "./keys/key.ts";
/** Opens. */
export declare function open(lock: Lock): void;
export declare function open(lock: Lock, twice: true): void;
`);
  expect(kept.get("keys/key.d.ts")).not.toMatch(/melt|Metal/);
  expect(kept.get("keys/key.d.ts")).toMatch(/^interface Shape \{\n {4}teeth: number;\n\}$/m);
});
