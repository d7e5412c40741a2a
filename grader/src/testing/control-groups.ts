import type { ControlGroup, GroupLimits } from "../confinement/control-group.ts";
import type { ControlGroups } from "../confinement/control-groups.ts";

/** Control groups of a test, which limit nothing and remember what was asked of them. */
export interface TestGroups extends ControlGroups {
  /** Limits of the groups that were made or limited later, in order. */
  readonly limits: GroupLimits[];
  /** The groups that were made, in order. */
  readonly made: ControlGroup[];
  /** Files that a member writes its id to. */
  joinFiles: string[];
  /** Whether no group can be made. */
  refuses: boolean;
  /** Whether a group cannot be limited later. */
  refusesLimits: boolean;
  /** How many groups were not closed. */
  open(): number;
}

export function createTestGroups(): TestGroups {
  const open = new Set<ControlGroup>();
  const groups: TestGroups = {
    ...{ name: "test groups", limitsMemory: true, limits: [], made: [], joinFiles: [] },
    ...{ refuses: false, refusesLimits: false },
    hierarchies: { name: "test groups", memory: "/nowhere", processes: null, cpu: null },
    open: () => open.size,
    create(limits) {
      if (groups.refuses) throw new Error("no more groups");
      groups.limits.push(limits);
      const closeNow = () => void open.delete(group);
      const group: ControlGroup = {
        ...{ joinFiles: [...groups.joinFiles], limitsMemory: true, closeNow },
        limit(later) {
          if (!groups.refusesLimits) groups.limits.push(later);
          return !groups.refusesLimits;
        },
        kill() {},
        ...{ ranOutOfMemory: () => false, exceedsMemory: () => false },
        usage: () => ({ cpuMs: 0, peakMemoryBytes: 0 }),
        close: async () => closeNow(),
      };
      open.add(group);
      groups.made.push(group);
      return group;
    },
  };
  return groups;
}
