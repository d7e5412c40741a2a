/** Above the users of systemd and of containers, see systemd's "Users, Groups, UIDs and GIDs". */
const FIRST = 0x70000000;
/** Process ids are below 2^22, so that graders of one machine never use the same users. */
export const BOX_USERS_PER_GRADER = 64;

/** Returns the first user of a grader. */
export const firstBoxUser = (pid: number): number => FIRST + pid * BOX_USERS_PER_GRADER;

/** A user id that no other process has, so that limits per user are limits of one box. */
export interface BoxUser {
  readonly id: number;
  /** Called when no process has the id anymore. */
  release(): void;
}

/** Returns a function that takes a free user id. It throws when this grader uses all of its own. */
export function createBoxUsers(pid: number = process.pid): () => BoxUser {
  const used = new Set<number>();
  return () => {
    for (let slot = 0; slot < BOX_USERS_PER_GRADER; slot++) {
      if (used.has(slot)) continue;
      used.add(slot);
      return { id: firstBoxUser(pid) + slot, release: () => void used.delete(slot) };
    }
    throw Object.assign(new Error(`All ${BOX_USERS_PER_GRADER} users for boxes are in use.`), {
      code: "EAGAIN",
    });
  };
}
