import { expect, it } from "vitest";
import { packageNames } from "./package-names.ts";

it("names each imported package once, without subpaths, files and Node's own modules", () => {
  expect(packageNames(["zod/v4", "node:fs", "path", "./chunk.js", "@aws-sdk/client-s3/x", "zod"])).toEqual([
    "@aws-sdk/client-s3",
    "zod",
  ]);
});
