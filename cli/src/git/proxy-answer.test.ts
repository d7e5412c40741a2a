import { expect, it } from "vitest";
import { readProxyAnswer } from "./proxy-answer.ts";

const FAILED =
  "error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413\nfatal: the remote end hung up";

it("reads a proxy's status in git's messages", () => {
  expect(readProxyAnswer(FAILED)).toMatchObject({ status: 413, isTemporary: false });
  for (const status of [429, 502, 503])
    expect(readProxyAnswer(FAILED.replaceAll("413", String(status)))?.isTemporary).toBe(true);
});

it("reads none where the broker explains itself, and where nothing answered", () => {
  expect(readProxyAnswer(`remote: code_unfit: no\n${FAILED}`)).toBeNull();
  expect(readProxyAnswer("fatal: unable to access 'http://h/': Failed to connect to h port 80")).toBeNull();
});
