import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Confined, Confinement } from "./confinement.ts";
import {
  type ControlGroup,
  createControlGroup,
  enableControllers,
  type GroupHierarchies,
  type GroupLimits,
  groupHierarchies,
  removeAbandonedGroups,
} from "./control-group.ts";
import { killEach } from "./process-tree.ts";

/** Joins the groups whose files come before "--", then becomes the program after it. */
export const JOIN = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 125; shift; done; shift; exec "$@"';

export interface ControlGroups {
  /** For the log. */
  readonly name: string;
  readonly hierarchies: GroupHierarchies;
  /**
   * Whether the kernel limits memory. With version 2 it does not where the grader shares its group with other
   * processes.
   */
  readonly limitsMemory: boolean;
  create(limits: GroupLimits): ControlGroup;
}

/**
 * Finds where the grader may make control groups, and ends what killed graders left there. Null where it may
 * not.
 */
export async function findControlGroups(): Promise<(ControlGroups & { abandoned: number }) | null> {
  for (const hierarchies of groupHierarchies()) {
    try {
      enableControllers(hierarchies);
      const abandoned = removeAbandonedGroups(hierarchies);
      const trial = createControlGroup(hierarchies, { memoryBytes: null });
      const joined = await promisify(execFile)("/bin/sh", joining(trial, ["/bin/true"])).then(
        () => true,
        () => false,
      );
      await trial.close();
      if (joined)
        return {
          ...{ name: hierarchies.name, hierarchies, abandoned, limitsMemory: trial.limitsMemory },
          create: (limits) => createControlGroup(hierarchies, limits),
        };
    } catch {
      // Read-only, or not delegated.
    }
  }
  return null;
}

/** Confines evaluators in control groups. Null where the grader may not make groups. */
export async function openControlGroups(): Promise<Confinement | null> {
  const groups = await findControlGroups();
  return groups && confinementIn(groups);
}

export const confinementIn = (groups: ControlGroups): Confinement => ({
  name: groups.name,
  start: (memoryBytes) => confine(groups.create({ memoryBytes })),
});

const joining = (group: ControlGroup, command: readonly string[]) => [
  ...["-c", JOIN, "sh", ...group.joinFiles, "--"],
  ...command,
];

function confine(group: ControlGroup): Confined {
  let root: number | undefined;
  return {
    prefix: ["/bin/sh", ...joining(group, [])],
    attach(pid) {
      root = pid;
    },
    kill() {
      // It may not have joined yet.
      if (root !== undefined) killEach([-root]);
      group.kill();
    },
    exceedsMemory: group.exceedsMemory,
    close: group.close,
  };
}
