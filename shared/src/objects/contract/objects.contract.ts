import { describe, expect, it } from "vitest";
import type { ObjectStore } from "../object-store.ts";
import { announced, collect, inChunks, KEY, keysOf, someBytes, textOf } from "./bytes.ts";

export function objectsContract(store: () => ObjectStore): void {
  describe("objects", () => {
    it("return what was put, with its size and digest", async () => {
      const bytes = someBytes(300_000);
      expect(await store().put(KEY, bytes)).toEqual(announced(bytes));
      expect(await store().stat(KEY)).toEqual(announced(bytes));
      expect(announced(await collect(await store().get(KEY)))).toEqual(announced(bytes));
    });

    it("may come as a stream of chunks of any size", async () => {
      const bytes = someBytes(1_000_003);
      expect(await store().put(KEY, inChunks(bytes, 65_521))).toEqual(announced(bytes));
      expect(announced(await collect(await store().get(KEY)))).toEqual(announced(bytes));
    });

    it("may be empty", async () => {
      expect(await store().put(KEY, new Uint8Array())).toEqual(announced(new Uint8Array()));
      expect(await store().stat(KEY)).toEqual(announced(new Uint8Array()));
      expect(await collect(await store().get(KEY))).toEqual(new Uint8Array());
    });

    it("can be read in part, both ends included", async () => {
      await store().put(KEY, textOf("0123456789"));
      expect(await collect(await store().get(KEY, { start: 2, end: 5 }))).toEqual(textOf("2345"));
      expect(await collect(await store().get(KEY, { start: 9, end: 9 }))).toEqual(textOf("9"));
    });

    it("that are missing are null to stat and object_missing to get", async () => {
      expect(await store().stat(KEY)).toBeNull();
      await expect(store().get(KEY)).rejects.toMatchObject({ code: "object_missing" });
    });

    it("may be put again with equal bytes, but not with others", async () => {
      const bytes = textOf("first");
      await store().put(KEY, bytes);
      expect(await store().put(KEY, bytes)).toEqual(announced(bytes));
      await expect(store().put(KEY, textOf("other"))).rejects.toMatchObject({ code: "object_exists" });
      expect(announced(await collect(await store().get(KEY)))).toEqual(announced(bytes));
    });

    it("put in parallel become one object, with the bytes of one of them", async () => {
      const bodies = Array.from({ length: 8 }, (_, i) => textOf(`body ${i % 2}`));
      const outcomes = await Promise.allSettled(bodies.map((body) => store().put(KEY, inChunks(body, 2))));
      const found = await store().stat(KEY);
      expect(await collect(await store().get(KEY))).toSatisfy(
        (bytes: Uint8Array) => announced(bytes).sha256 === found?.sha256,
      );
      for (const [index, outcome] of outcomes.entries())
        if (announced(bodies[index]!).sha256 === found?.sha256) expect(outcome.status).toBe("fulfilled");
        else expect(outcome).toMatchObject({ status: "rejected", reason: { code: "object_exists" } });
    });

    it("do not exist before their last byte, or when their body fails", async () => {
      async function* breaking(): AsyncGenerator<Uint8Array> {
        yield someBytes(100_000);
        expect(await store().stat(KEY)).toBeNull();
        throw new Error("the line was cut");
      }
      await expect(store().put(KEY, breaking())).rejects.toThrow("the line was cut");
      expect(await store().stat(KEY)).toBeNull();
      expect(await keysOf(store(), "")).toEqual([]);
      expect(await store().put(KEY, textOf("again"))).toEqual(announced(textOf("again")));
    });

    it("are rejected when they are not as expected, at the first byte too many", async () => {
      const expected = announced(textOf("expected"));
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (;;) yield textOf("more");
      }
      for (const body of [textOf("short"), textOf("Expected"), textOf("expected and more"), endless()])
        await expect(store().put(KEY, body, { expected })).rejects.toMatchObject({ code: "digest_mismatch" });
      expect(await store().stat(KEY)).toBeNull();
      expect(await store().put(KEY, textOf("expected"), { expected })).toEqual(expected);
    });

    it("can be removed, also twice, and put again", async () => {
      await store().put(KEY, textOf("one"));
      await store().remove(KEY);
      await store().remove(KEY);
      expect(await store().stat(KEY)).toBeNull();
      await store().put(KEY, textOf("two"));
      expect(await collect(await store().get(KEY))).toEqual(textOf("two"));
    });

    it("are listed by any prefix of their keys", async () => {
      const keys = [
        "submissions/iris/a/input",
        "submissions/iris/a/plot.png",
        "submissions/iris/ab/input",
        "x",
      ];
      for (const key of keys) await store().put(key, textOf(key));
      expect(await keysOf(store(), "")).toEqual(keys);
      expect(await keysOf(store(), "submissions/iris/a/")).toEqual(keys.slice(0, 2));
      expect(await keysOf(store(), "submissions/iris/a")).toEqual(keys.slice(0, 3));
      expect(await keysOf(store(), "submissions/none")).toEqual([]);
    });

    it("may have a key that is a prefix of another key", async () => {
      for (const key of ["a", "a/b", "a/b/c", "a.b"]) await store().put(key, textOf(key));
      for (const key of ["a", "a/b", "a/b/c", "a.b"])
        expect(await collect(await store().get(key))).toEqual(textOf(key));
      await store().remove("a");
      expect(await keysOf(store(), "")).toEqual(["a.b", "a/b", "a/b/c"]);
    });

    it("cannot have a key that leads out of the store", async () => {
      for (const key of [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "a/./b",
        "a/",
        "a b",
        "a\0",
        "ä",
        "a\\b",
        "x".repeat(513),
      ]) {
        await expect(store().put(key, textOf("no"))).rejects.toMatchObject({ code: "object_missing" });
        await expect(store().get(key)).rejects.toMatchObject({ code: "object_missing" });
      }
      expect(await keysOf(store(), "")).toEqual([]);
      expect(await keysOf(store(), "../")).toEqual([]);
    });
  });
}
