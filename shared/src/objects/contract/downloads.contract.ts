import { describe, expect, it } from "vitest";
import type { ObjectStore } from "../object-store.ts";
import { announced, KEY, someBytes, textOf } from "./bytes.ts";

export function downloadsContract(store: () => ObjectStore): void {
  describe("downloads", () => {
    it("return the bytes with length, type and file name", async () => {
      const bytes = someBytes(150_000);
      await store().put(KEY, bytes);
      const url = await store().signGet(KEY, { seconds: 60, name: "plot ü\"'\n.png", type: "image/png" });
      const answer = await fetch(url);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe("image/png");
      expect(answer.headers.get("content-length")).toBe("150000");
      expect(answer.headers.get("content-disposition")).toMatch(/^attachment;.*plot%20%C3%BC%22%27%0A\.png/);
      expect(announced(new Uint8Array(await answer.arrayBuffer()))).toEqual(announced(bytes));
    });

    it.each([
      ["bytes=0-3", "0123", "bytes 0-3/10"],
      ["bytes=4-", "456789", "bytes 4-9/10"],
      ["bytes=-3", "789", "bytes 7-9/10"],
      ["bytes=8-100", "89", "bytes 8-9/10"],
    ])("resume where one was interrupted: %s", async (range, text, content) => {
      await store().put(KEY, textOf("0123456789"));
      const answer = await fetch(await store().signGet(KEY, { seconds: 60 }), { headers: { range } });
      expect(answer.status).toBe(206);
      expect(answer.headers.get("content-range")).toBe(content);
      expect(await answer.text()).toBe(text);
    });

    it("reject a range beyond the end", async () => {
      await store().put(KEY, textOf("0123456789"));
      const answer = await fetch(await store().signGet(KEY, { seconds: 60 }), {
        headers: { range: "bytes=10-" },
      });
      expect(answer.status).toBe(416);
    });

    it("of an empty object are empty", async () => {
      await store().put(KEY, new Uint8Array());
      const answer = await fetch(await store().signGet(KEY, { seconds: 60 }));
      expect([answer.status, await answer.text()]).toEqual([200, ""]);
    });

    it("of missing objects are rejected", async () => {
      expect((await fetch(await store().signGet(KEY, { seconds: 60 }))).status).toBe(404);
    });

    it("permit reading this object and nothing else", async () => {
      const other = KEY.replace("s1", "s2");
      await store().put(KEY, textOf("mine"));
      await store().put(other, textOf("theirs"));
      const url = await store().signGet(KEY, { seconds: 60, name: "a.csv" });
      expect((await fetch(url.replace("/s1/", "/s2/"))).ok).toBe(false);
      expect((await fetch(url.replace("a.csv", "b.html"))).ok).toBe(false);
      for (const method of ["PUT", "DELETE", "POST"])
        expect((await fetch(url, { method, body: method === "DELETE" ? null : "x" })).ok, method).toBe(false);
      expect(await (await fetch(url)).text()).toBe("mine");
    });
  });
}
