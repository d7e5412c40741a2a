import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestGroups } from "./control-groups.ts";

type SpawnProcess = (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess;

/** A folder of shell scripts that boxes call instead of the system's programs, and control groups. */
export function replacePrograms() {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-programs-"));
  const programs = join(folder, "programs");
  mkdirSync(programs);
  const spawned: ChildProcess[] = [];
  const machine = {
    ...{ folder, programs, boxes: join(folder, "work/boxes"), groups: createTestGroups() },
    startProcess: spawn as SpawnProcess,
    /** Processes that were started, in order. */
    spawned,
    spawnProcess: spawnAndNote as typeof spawn,
    add(name: string, script: string) {
      writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(programs, name), 0o755);
    },
    find: (name: string) => (existsSync(join(programs, name)) ? join(programs, name) : null),
    /** Kills what was started, and removes the folder. */
    remove() {
      for (const child of spawned) child.kill?.("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
  function spawnAndNote(...args: Parameters<SpawnProcess>): ChildProcess {
    const child = machine.startProcess(...args);
    spawned.push(child);
    return child;
  }
  return machine;
}

/** Returns what Node.js and Bun return where no descriptors are left. */
export function withoutDescriptors(): ChildProcess {
  const child = new EventEmitter();
  setImmediate(() => child.emit("error", Object.assign(new Error("spawn EMFILE"), { code: "EMFILE" })));
  return child as ChildProcess;
}
