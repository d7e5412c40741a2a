import { expect, it } from "vitest";
import { createBoxUsers, firstBoxUser } from "./box-users.ts";

it("each box of all graders has a user of its own, until it is gone", () => {
  const take = createBoxUsers(4_194_303);
  const users = Array.from({ length: 64 }, take);
  expect(new Set(users.map(({ id }) => id)).size).toBe(64);
  expect(Math.max(...users.map(({ id }) => id))).toBeLessThan(2 ** 31);
  expect(take).toThrow(
    expect.objectContaining({ message: expect.stringContaining("64 users"), code: "EAGAIN" }),
  );
  users[7]!.release();
  expect(take().id).toBe(users[7]!.id);
});

it("the users of two graders differ, and are above those of the machine and of containers", () => {
  const of = (pid: number) => Array.from({ length: 64 }, createBoxUsers(pid)).map(({ id }) => id);
  const users = [of(1), of(2), of(4_194_303)];
  expect(new Set(users.flat()).size).toBe(3 * 64);
  expect(Math.min(...users.flat())).toBe(0x70000040);
  expect(users[1]).toContain(firstBoxUser(2));
});
