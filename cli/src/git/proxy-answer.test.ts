import { expect, it } from "vitest";
import { readProxyAnswer } from "./proxy-answer.ts";

const FAILED =
  "error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413\nfatal: the remote end hung up";

it("reads a proxy's status in git's messages", () => {
  expect(readProxyAnswer(FAILED)).toMatchObject({ status: 413, isTemporary: false });
  for (const status of [429, 502, 503])
    expect(readProxyAnswer(FAILED.replaceAll("413", String(status)))?.isTemporary).toBe(true);
});

it.each([
  ["fatal: unable to access 'https://h/': The requested URL returned error: 302", 302],
  ["fatal: unable to access 'https://h/': The requested URL returned error: 407", 407],
  ["fatal: repository 'https://h/code/c/ada.git/' not found", 404],
  ["fatal: no DAV locking support on https://h/code/c/ada.git/", 200],
  ["fatal: protocol error: bad line length character: <htm", 200],
  ["fatal: https://h/code/c/ada.git/info/refs not valid: is this a git repository?", 200],
])("reads a refusal in %j", (messages, status) => {
  expect(readProxyAnswer(messages)).toMatchObject({ status, isTemporary: false });
});

it("reads none where the broker explains itself, and where nothing answered", () => {
  expect(readProxyAnswer(`remote: code_unfit: no\n${FAILED}`)).toBeNull();
  expect(readProxyAnswer("fatal: unable to access 'http://h/': Failed to connect to h port 80")).toBeNull();
});
