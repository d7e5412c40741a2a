/** The vitest projects: which test files run together, and how. vitest.config.ts and `npm test` read this. */

const EVERY_TEST = ["{shared,grader,broker,cli,scripts,test}/**/*.test.ts", "{broker,cli}/**/*.test.tsx"];
const NO_TEST = ["**/node_modules/**", "**/dist/**"];

/** Tests that start services, brokers, graders, evaluators, git or a browser. `npm test -- --quick` leaves them out. */
const WITH_PROCESSES = [
  "test/**",
  "broker/test/**",
  "broker/src/**/{code-host-failures,github,gitlab,local,boards}.test.ts",
  "cli/src/**/{bin,session,completion,submit-code,unwritable-home,challenge,challenge-code}.test.ts",
  "cli/src/snapshot/**",
  "grader/src/**/{bin,main,batch,boxed,bubblewrap,abuse,launch,persistent,python-class,job-factory,grader,grader-stopping,run-submissions,run-lines,run-builds,run-images,run-stopping,try}.test.ts",
  "scripts/{bench/{board,pages},chaos/missing-programs,build/cli,demo/demo-challenge,services/services,test/run-ended-early}.test.ts",
  "shared/src/objects/**/s3-store.test.ts",
  "shared/src/queue/redis/**/{consumer-backoff,fairness,faults,leases,recovery,redis-queue,reports,servers}.test.ts",
];

/** Tests after which a process has a large memory, and starts others slowly: each file has a process of its own. */
const LARGE_MEMORY = ["broker/test/code/{hostile-push,memory}.test.ts"];

/** Tests that install the packed client and run it with the machine's own Node.js. */
const PACKED_CLIENT = ["test/packed-client/*.test.ts"];

/** The scripts run on the pinned Node.js alone, whatever runs the product. */
const NODE_ONLY = ["scripts/**"];

/** Include and exclude patterns of each project, for the runtime that vitest runs on. */
export function testFiles(onBun: boolean) {
  const never = [...NO_TEST, ...PACKED_CLIENT, ...(onBun ? NODE_ONLY : [])];
  return {
    unit: { include: EVERY_TEST, exclude: [...never, ...WITH_PROCESSES] },
    suite: { include: WITH_PROCESSES.map(testsOnly), exclude: [...never, ...LARGE_MEMORY] },
    large: { include: LARGE_MEMORY, exclude: never },
    "packed-client": { include: PACKED_CLIENT, exclude: NO_TEST },
  };
}

function testsOnly(pattern: string): string {
  return pattern.endsWith("/**") ? `${pattern}/*.test.{ts,tsx}` : pattern;
}
