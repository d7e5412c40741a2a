import { describe, expect, it } from "vitest";
import type { Upload } from "../../protocol/session.ts";
import type { ObjectStore } from "../object-store.ts";
import { announced, collect, KEY, keysOf, someBytes, textOf } from "./bytes.ts";

type Part = Upload["parts"][number];

export function uploadsContract(store: () => ObjectStore): void {
  describe("uploads", () => {
    it("go by the parts planned, which cover the file once, and are then proven", async () => {
      const bytes = someBytes(200_000);
      const { parts, expires_at } = await store().planUpload(KEY, announced(bytes));
      expect(Date.parse(expires_at)).toBeGreaterThan(Date.now());
      let end = 0;
      for (const part of parts) {
        expect(part.offset).toBe(end);
        end += part.size;
      }
      expect(end).toBe(bytes.length);
      await expect(store().finishUpload(KEY, announced(bytes))).rejects.toMatchObject({
        code: "upload_missing",
      });
      for (const part of parts) expect((await send(part, bytes)).ok).toBe(true);
      await store().finishUpload(KEY, announced(bytes));
      expect(announced(await collect(await store().get(KEY)))).toEqual(announced(bytes));
    });

    it("have no parts left once all bytes are there, and can be proven again", async () => {
      const bytes = textOf("complete");
      await store().put(KEY, bytes);
      expect((await store().planUpload(KEY, announced(bytes))).parts).toEqual([]);
      await store().finishUpload(KEY, announced(bytes));
      await store().finishUpload(KEY, announced(bytes));
    });

    it("are not planned over other bytes", async () => {
      await store().put(KEY, textOf("one"));
      await expect(store().planUpload(KEY, announced(textOf("two")))).rejects.toMatchObject({
        code: "object_exists",
      });
    });

    it("that turn out to be other bytes are removed", async () => {
      await store().put(KEY, textOf("other"));
      await expect(store().finishUpload(KEY, announced(textOf("wanted")))).rejects.toMatchObject({
        code: "digest_mismatch",
      });
      expect(await store().stat(KEY)).toBeNull();
    });

    it("may be sent twice, and in parallel, with the same bytes", async () => {
      const bytes = someBytes(100_000);
      const part = await onlyPart(bytes);
      const answers = await Promise.all(Array.from({ length: 6 }, () => send(part, bytes)));
      expect(answers.map(({ ok }) => ok)).toEqual(Array(6).fill(true));
      expect((await send(part, bytes)).ok).toBe(true);
      await store().finishUpload(KEY, announced(bytes));
    });

    it("take no other bytes of the same length", async () => {
      const part = await onlyPart(textOf("announced"));
      expect((await put(part.url, textOf("ANNOUNCED"), part.headers)).ok).toBe(false);
      expect(await keysOf(store(), "")).toEqual([]);
    });

    it("take no other length, declared or in chunks", async () => {
      const part = await onlyPart(textOf("announced"));
      for (const text of ["", "announce", "announced!", "announced".repeat(10_000)]) {
        expect((await put(part.url, textOf(text), part.headers)).ok).toBe(false);
        expect(await refused(put(part.url, streamed(textOf(text)), part.headers))).toBe(true);
      }
      expect(await keysOf(store(), "")).toEqual([]);
    });

    it("never replace an object by an address signed before it was there", async () => {
      const part = await onlyPart(textOf("late"));
      await store().put(KEY, textOf("early"));
      expect((await send(part, textOf("late"))).ok).toBe(false);
      expect(await collect(await store().get(KEY))).toEqual(textOf("early"));
    });

    it("go nowhere but where the address says", async () => {
      const bytes = textOf("announced");
      const { url, headers } = await onlyPart(bytes);
      const elsewhere = [
        url.replace("/s1/", "/s2/"),
        url.replace("/s1/", "/s1/../s2/"),
        url.replace("/s1/", "/s1/%2e%2e%2fs2/"),
        url.replace("/s1/", "/s1//"),
      ];
      for (const address of elsewhere) expect((await put(address, bytes, headers)).ok).toBe(false);
      expect(await keysOf(store(), "")).toEqual([]);
    });

    it("take nothing when any part of the address was changed, left out or added before it", async () => {
      const bytes = textOf("announced");
      const { url, headers } = await onlyPart(bytes);
      const names = [...new URL(url).searchParams.keys()];
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) {
        const [changed, without, doubled] = [new URL(url), new URL(url), new URL(url)];
        const value = changed.searchParams.get(name)!;
        const other = value.slice(0, -1) + (value.endsWith("1") ? "2" : "1");
        changed.searchParams.set(name, other);
        without.searchParams.delete(name);
        doubled.search = `?${name}=${encodeURIComponent(other)}&${doubled.search.slice(1)}`;
        for (const address of [changed, without, doubled])
          expect((await put(address.href, bytes, headers)).ok, `${name}: ${address.search}`).toBe(false);
      }
      expect(await keysOf(store(), "")).toEqual([]);
    });

    it("are no leave to read, or to do anything else", async () => {
      const bytes = textOf("announced");
      const part = await onlyPart(bytes);
      await send(part, bytes);
      for (const method of ["GET", "HEAD", "DELETE", "POST", "PATCH"])
        expect((await fetch(part.url, { method })).ok, method).toBe(false);
      expect(announced(await collect(await store().get(KEY)))).toEqual(announced(bytes));
    });

    async function onlyPart(bytes: Uint8Array): Promise<Part> {
      const { parts } = await store().planUpload(KEY, announced(bytes));
      expect(parts.length).toBe(1);
      return parts[0]!;
    }
  });
}

function send({ url, offset, size, headers }: Part, bytes: Uint8Array): Promise<Response> {
  return put(url, bytes.subarray(offset, offset + size), headers);
}

function put(
  url: string,
  body: Uint8Array | ReadableStream,
  headers: Record<string, string>,
): Promise<Response> {
  return fetch(url, { method: "PUT", body, headers, duplex: "half" } as RequestInit);
}

/** A store may also end the connection on a body that it will not take. */
function refused(answer: Promise<Response>): Promise<boolean> {
  return answer.then(
    ({ ok }) => !ok,
    () => true,
  );
}

/** Sent without a declared length. */
function streamed(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}
