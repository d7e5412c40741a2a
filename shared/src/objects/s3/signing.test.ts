import { expect, it, onTestFinished } from "vitest";
import { openBucket } from "./bucket.ts";
import { createSigning } from "./signing.ts";

const SETTINGS = { bucket: "entries", region: "eu-1", accessKeyId: "an-id", secretAccessKey: "a-secret" };
const PART = { key: "a/b.csv", upload: "u1", number: 2, size: 5, md5: "5d41402abc4b2a76b9719d911017c592" };

async function signingAt(endpoint: string | undefined, pathStyle?: boolean) {
  const bucket = await openBucket({ ...SETTINGS, endpoint, pathStyle });
  onTestFinished(() => bucket.client.destroy());
  return createSigning(bucket);
}

it.each([
  ["Amazon's own", undefined, undefined, "https://entries.s3.eu-1.amazonaws.com/a/b.csv"],
  ["a store with a name", "https://s3.example.org", undefined, "https://entries.s3.example.org/a/b.csv"],
  ["one that needs paths", "https://s3.example.org", true, "https://s3.example.org/entries/a/b.csv"],
  ["one at an address", "http://10.0.0.7:9000", undefined, "http://10.0.0.7:9000/entries/a/b.csv"],
  ["one on this machine", "http://localhost:9000", undefined, "http://localhost:9000/entries/a/b.csv"],
] as const)(
  "a signed URL has the bucket in the host name or in the path: %s",
  async (_, endpoint, pathStyle, address) => {
    const signing = await signingAt(endpoint, pathStyle);
    const part = new URL((await signing.part(PART, 60)).url);
    const get = new URL(await signing.get(PART.key, { seconds: 60 }));
    expect([part.origin + part.pathname, get.origin + get.pathname]).toEqual([address, address]);
  },
);

it("a signed URL requires no newer checksum, and binds a part to its MD5", async () => {
  const signing = await signingAt("https://s3.example.org");
  const { url, headers } = await signing.part(PART, 60);
  for (const address of [url, await signing.get(PART.key, { seconds: 60 })])
    expect(address).not.toMatch(/checksum|crc/i);
  expect(headers).toEqual({ "content-md5": "XUFAKrxLKna5cZ2REBfFkg==" });
  expect(new URL(url).searchParams.get("X-Amz-SignedHeaders")).toBe("content-length;content-md5;host");
});

it("an address is signed by the store's clock, once an answer has shown that the machine's differs", async () => {
  const bucket = await openBucket({ ...SETTINGS, endpoint: "https://s3.example.org" });
  onTestFinished(() => bucket.client.destroy());
  const signing = await createSigning(bucket);
  bucket.client.config.systemClockOffset = -86_400_000;
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
  for (const address of [(await signing.part(PART, 60)).url, await signing.get(PART.key, { seconds: 60 })])
    expect(new URL(address).searchParams.get("X-Amz-Date")).toContain(yesterday);
});
