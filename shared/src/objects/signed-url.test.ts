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

  it.each([
    ["another key", (url: URL) => Object.assign(url, { pathname: "/objects/a/c" })],
    ["another method", (url: URL) => url.searchParams.set("method", "GET")],
    ["a later end", (url: URL) => url.searchParams.set("expires", String(NOW / 1000 + 61))],
    ["another size", (url: URL) => url.searchParams.set("size", "6")],
    ["another digest", (url: URL) => url.searchParams.set("sha256", "b".repeat(64))],
    ["another part", (url: URL) => url.searchParams.set("part", "2")],
    ["another MD5", (url: URL) => url.searchParams.set("md5", "b".repeat(32))],
    ["another name", (url: URL) => url.searchParams.set("name", "b.html")],
    ["another type", (url: URL) => url.searchParams.set("type", "text/html")],
    ["no size", (url: URL) => url.searchParams.delete("size")],
    ["no signature", (url: URL) => url.searchParams.delete("signature")],
    ["an empty signature", (url: URL) => url.searchParams.set("signature", "")],
  ])("is not valid with %s", (_, change) => {
    const whole = {
      size: 5,
      sha256: "a".repeat(64),
      part: 1,
      md5: "a".repeat(32),
      name: "a.csv",
      type: "text/csv",
    };
    const url = sign({ method: "PUT", ...whole });
    expect(readSignedUrl(url, "s", NOW)).toMatchObject(whole);
    expect(() => readSignedUrl(url, "another secret", NOW)).toThrow("not valid for this request");
    change(url);
    expect(() => readSignedUrl(url, "s", NOW)).toThrow("not valid for this request");
  });

  it("expires at the second it names", () => {
    const url = sign({});
    expect(readSignedUrl(url, "s", request.expires * 1000 - 1)).toEqual(request);
    expect(() => readSignedUrl(url, "s", request.expires * 1000)).toThrow("has expired");
  });
});
