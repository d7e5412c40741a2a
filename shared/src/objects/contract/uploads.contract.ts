import { describe, expect, it } from "vitest";
import type { Upload } from "../../protocol/upload.ts";
import type { ObjectStore } from "../object-store.ts";
import { announced, collect, KEY, keysOf, offered, PART, someBytes, textOf } from "./bytes.ts";

type Part = Upload["parts"][number];

export function uploadsContract(store: () => ObjectStore): void {
  describe("uploads", () => {
    it.each([
      ["one part", 200_000, 1],
      ["several parts", 2 * PART + 3, 3],
    ])(
      "follow the planned parts, which cover the file once, and are then verified: %s",
      async (_, size, count) => {
        const bytes = someBytes(size);
        const { parts, missing, expires_at } = await store().planUpload(KEY, offered(bytes));
        expect(Date.parse(expires_at)).toBeGreaterThan(Date.now());
        expect(missing).toEqual({ parts: count, bytes: size });
        let end = 0;
        for (const part of parts) {
          expect(part.offset).toBe(end);
          end += part.size;
        }
        expect(end).toBe(bytes.length);
        expect(parts.length).toBe(count);
        await expect(store().finishUpload(KEY, offered(bytes))).rejects.toMatchObject({
          code: "upload_missing",
        });
        for (const part of parts) expect((await send(part, bytes)).ok).toBe(true);
        await store().finishUpload(KEY, offered(bytes));
        expect(await store().stat(KEY)).toEqual(announced(bytes));
        expect(announced(await collect(await store().get(KEY)))).toEqual(announced(bytes));
      },
    );

    it("whose parts were not announced are sent as one, and verified as well", async () => {
      const bytes = someBytes(100_000);
      const { parts } = await store().planUpload(KEY, announced(bytes));
      expect(parts.length).toBe(1);
      await expect(store().finishUpload(KEY, announced(bytes))).rejects.toMatchObject({
        code: "upload_missing",
      });
      expect((await send(parts[0]!, bytes)).ok).toBe(true);
      await store().finishUpload(KEY, announced(bytes));
      expect(announced(await collect(await store().get(KEY)))).toEqual(announced(bytes));
    });

    it("whose parts were not announced are never accepted as other bytes", async () => {
      const [bytes, other] = [someBytes(1000), someBytes(1000)];
      const { parts } = await store().planUpload(KEY, announced(bytes));
      await send(parts[0]!, other);
      await expect(store().finishUpload(KEY, announced(bytes))).rejects.toMatchObject({
        code: expect.stringMatching(/digest_mismatch|upload_missing/),
      });
      expect(await store().stat(KEY)).toBeNull();
    });

    it("resume with the parts that have not arrived", async () => {
      const bytes = someBytes(2 * PART + 3);
      const { parts } = await store().planUpload(KEY, offered(bytes));
      expect((await send(parts[1]!, bytes)).ok).toBe(true);
      const left = await store().planUpload(KEY, offered(bytes));
      expect(left.parts.map(({ number }) => number)).toEqual([1, 3]);
      expect(left.missing).toEqual({ parts: 2, bytes: PART + 3 });
      await expect(store().finishUpload(KEY, offered(bytes))).rejects.toMatchObject({
        code: "upload_missing",
      });
      expect(await store().stat(KEY)).toBeNull();
      for (const part of left.parts) expect((await send(part, bytes)).ok).toBe(true);
      await store().finishUpload(KEY, offered(bytes));
      expect(announced(await collect(await store().get(KEY)))).toEqual(announced(bytes));
    });

    it("may be planned and finished many times at once", async () => {
      const bytes = someBytes(PART + 1);
      const plans = await Promise.all(
        Array.from({ length: 5 }, () => store().planUpload(KEY, offered(bytes))),
      );
      await send(plans[0]!.parts[0]!, bytes);
      await send(plans[4]!.parts[1]!, bytes);
      await Promise.all(Array.from({ length: 5 }, () => store().finishUpload(KEY, offered(bytes))));
      expect(announced(await collect(await store().get(KEY)))).toEqual(announced(bytes));
    });

    it("have no parts left once all bytes have arrived, and can be verified again", async () => {
      const bytes = textOf("complete");
      await store().put(KEY, bytes);
      expect((await store().planUpload(KEY, offered(bytes))).parts).toEqual([]);
      await store().finishUpload(KEY, offered(bytes));
      await store().finishUpload(KEY, offered(bytes));
    });

    it("that are new are planned without a look at what has arrived, and finished by any broker", async () => {
      const bytes = someBytes(PART + 1);
      const { parts } = await store().planUpload(KEY, offered(bytes), { isNew: true });
      for (const part of parts) expect((await send(part, bytes)).ok).toBe(true);
      // As one that did not plan it: the store no longer remembers.
      await expect(store().finishUpload(KEY, offered(textOf("other")))).rejects.toThrow();
      await store().finishUpload(KEY, offered(bytes));
      expect(await store().stat(KEY)).toEqual(announced(bytes));
    });

    it("that are taken for new are not planned over an object either", async () => {
      const bytes = textOf("one");
      await store().put(KEY, bytes);
      expect((await store().planUpload(KEY, offered(bytes), { isNew: true })).parts).toEqual([]);
      await expect(store().planUpload(KEY, offered(textOf("two")), { isNew: true })).rejects.toMatchObject({
        code: "object_exists",
      });
      await store().finishUpload(KEY, offered(bytes));
    });

    it("are not planned over other bytes", async () => {
      await store().put(KEY, textOf("one"));
      await expect(store().planUpload(KEY, offered(textOf("two")))).rejects.toMatchObject({
        code: "object_exists",
      });
    });

    it("that turn out to be other bytes are removed", async () => {
      await store().put(KEY, textOf("other"));
      await expect(store().finishUpload(KEY, offered(textOf("wanted")))).rejects.toMatchObject({
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
      await store().finishUpload(KEY, offered(bytes));
    });

    it("accept no other bytes of the same length, even if only one bit differs", async () => {
      const bytes = someBytes(PART + 1000);
      const { parts } = await store().planUpload(KEY, offered(bytes));
      for (const part of parts) {
        const flipped = bytes.slice();
        flipped[part.offset + 500]! ^= 1;
        expect((await send(part, flipped)).ok).toBe(false);
      }
      expect((await store().planUpload(KEY, offered(bytes))).missing?.parts).toBe(2);
      await expect(store().finishUpload(KEY, offered(bytes))).rejects.toMatchObject({
        code: "upload_missing",
      });
      expect(await keysOf(store(), "")).toEqual([]);
    });

    it("accept no other length, declared or chunked", async () => {
      const part = await onlyPart(textOf("announced"));
      for (const text of ["", "announce", "announced!", "announced".repeat(10_000)]) {
        expect(await refused(put(part.url, textOf(text), part.headers))).toBe(true);
        expect(await refused(put(part.url, streamed(textOf(text)), part.headers))).toBe(true);
      }
      expect(await keysOf(store(), "")).toEqual([]);
    });

    it("never replace an object, whether the URL was signed before or after it existed", async () => {
      const bytes = textOf("late");
      const part = await onlyPart(bytes);
      await store().put(KEY, textOf("early"));
      await send(part, bytes);
      await expect(store().planUpload(KEY, offered(bytes))).rejects.toMatchObject({ code: "object_exists" });
      expect(await collect(await store().get(KEY))).toEqual(textOf("early"));
    });

    it("change nothing once they are finished", async () => {
      const bytes = someBytes(PART + 1000);
      const { parts } = await store().planUpload(KEY, offered(bytes));
      for (const part of parts) await send(part, bytes);
      await store().finishUpload(KEY, offered(bytes));
      const flipped = bytes.map((byte) => byte ^ 1);
      for (const part of parts) expect((await send(part, flipped)).ok).toBe(false);
      for (const part of parts) await send(part, bytes);
      expect(announced(await collect(await store().get(KEY)))).toEqual(announced(bytes));
      expect(await keysOf(store(), "")).toEqual([KEY]);
    });

    it("reach only the key in the URL", async () => {
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

    it("accept nothing when any part of the URL was changed or removed", async () => {
      const bytes = someBytes(PART + 1);
      const [, { url, headers } = { url: "", headers: {} }] = (await store().planUpload(KEY, offered(bytes)))
        .parts;
      const names = [...new URL(url).searchParams.keys()];
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) {
        const [changed, without] = [new URL(url), new URL(url)];
        const value = changed.searchParams.get(name)!;
        changed.searchParams.set(name, value.slice(0, -1) + (value.endsWith("1") ? "2" : "1"));
        without.searchParams.delete(name);
        for (const address of [changed, without])
          expect((await put(address.href, bytes.subarray(PART), headers)).ok, address.search).toBe(false);
      }
      expect((await store().planUpload(KEY, offered(bytes))).missing?.parts).toBe(2);
    });

    it("do not permit reading or anything else", async () => {
      const bytes = textOf("announced");
      const part = await onlyPart(bytes);
      await send(part, bytes);
      for (const method of ["GET", "HEAD", "DELETE", "POST", "PATCH"])
        expect((await fetch(part.url, { method, headers: part.headers })).ok, method).toBe(false);
      await store().finishUpload(KEY, offered(bytes));
      expect(announced(await collect(await store().get(KEY)))).toEqual(announced(bytes));
    });

    it("leave nothing when the object is removed before they are finished", async () => {
      const bytes = someBytes(PART + 1);
      const { parts } = await store().planUpload(KEY, offered(bytes));
      await send(parts[0]!, bytes);
      await store().remove(KEY);
      await expect(store().finishUpload(KEY, offered(bytes))).rejects.toMatchObject({
        code: "upload_missing",
      });
      expect((await store().planUpload(KEY, offered(bytes))).missing?.parts).toBe(2);
    });

    it("are abandoned only when they began long ago", async () => {
      const bytes = someBytes(PART + 1);
      const { parts } = await store().planUpload(KEY, offered(bytes));
      await send(parts[0]!, bytes);
      expect(await store().abandonUploads(Date.now() - 60_000)).toBe(0);
      expect((await store().planUpload(KEY, offered(bytes))).missing?.parts).toBe(1);
      expect(await store().abandonUploads(Date.now() + 60_000)).toBe(1);
      expect((await store().planUpload(KEY, offered(bytes))).missing?.parts).toBe(2);
    });

    async function onlyPart(bytes: Uint8Array): Promise<Part> {
      const { parts } = await store().planUpload(KEY, offered(bytes));
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

/** A store may also close the connection on a body that it rejects. */
function refused(answer: Promise<Response>): Promise<boolean> {
  return answer.then(
    ({ ok }) => !ok,
    () => true,
  );
}

/** A body sent without a declared length. */
function streamed(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}
