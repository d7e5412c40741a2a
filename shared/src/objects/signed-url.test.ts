import { describe, expect, it } from "vitest";
import { readSignedUrl, type SignedRequest, signUrl } from "./signed-url.ts";

const NOW = 1_000_000;
const request: SignedRequest = { method: "GET", key: "a/b", expires: NOW / 1000 + 60 };
const sign = (changes: Partial<SignedRequest>) =>
  new URL(signUrl("http://broker.example", "s", { ...request, ...changes }));

describe("a signed URL", () => {
  it.each([
    ["a line break", "x\r\nset-cookie: a=1"],
    ["quotes", `a"b'c.csv`],
    ["another script", "предсказания 🚀.csv"],
    ["signs of a query", "a&expires=9?b=c#d%00+ .csv"],
  ])("keeps a name with %s unchanged", (_, name) => {
    expect(readSignedUrl(sign({ name }), "s", NOW).name).toBe(name);
  });

  it("replaces half a surrogate pair", () => {
    expect(readSignedUrl(sign({ name: "x\ud800.csv" }), "s", NOW).name).toBe("x\ufffd.csv");
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1.5])("has expired when its expiry is %d", (expires) => {
    expect(() => readSignedUrl(sign({ expires }), "s", 0)).toThrow("has expired");
  });

  it("compares its signature as text, although other texts decode to the same bytes", () => {
    const url = sign({});
    const given = url.searchParams.get("signature") as string;
    const same = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
      .map((last) => given.slice(0, -1) + last)
      .concat(`${given}=`)
      .filter(
        (other) => other !== given && Buffer.from(other, "base64url").equals(Buffer.from(given, "base64url")),
      );
    expect(same.length).toBe(4);
    for (const other of same) {
      url.searchParams.set("signature", other);
      expect(() => readSignedUrl(url, "s", NOW)).toThrow("not valid for this request");
    }
  });

  it("expires at the second it names", () => {
    const url = sign({});
    expect(readSignedUrl(url, "s", request.expires * 1000 - 1)).toMatchObject(request);
    expect(() => readSignedUrl(url, "s", request.expires * 1000)).toThrow("has expired");
  });
});
