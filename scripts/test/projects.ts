/** The vitest projects: which test files run together, and how. vitest.config.ts and `npm test` read this. */

const EVERY_TEST = ["{shared,grader,broker,cli,scripts,test}/**/*.test.ts", "{broker,cli}/**/*.test.tsx"];
const NO_TEST = ["**/node_modules/**", "**/dist/**"];

/**
 * Tests that start services, brokers, graders, evaluators, git or a browser. `npm test -- --quick` leaves
 * them out.
 */
const WITH_PROCESSES = [
  "test/**",
  "broker/test/**",
  "broker/src/**/{code-host-failures,github,gitlab,local,boards,boards-postgres}.test.ts",
  "cli/src/**/{bin,session,completion,environment-commands,run,submit-code,submit-run,unwritable-home,challenge,challenge-code}.test.ts",
  "cli/src/snapshot/**",
  "cli/test/narrow-terminal.test.ts",
  "grader/src/**/{bin,main,batch,boxed,doubtful-evaluators,newer-jobs,bubblewrap,starters,control-groups,oci,abuse,launch,persistent,python-class,codabench,evalai,kaggle,gym-environment,session-video,job-factory,grader,grader-stopping,run-submissions,run-lines,run-builds,run-images,run-stopping,play-code,play-remote,sessions-without-boxes,try,umask}.test.ts",
  "scripts/{bench/{board,pages,starts},chaos/{missing-programs,points/stop-at-points},power-cut/power-cut,build/{cli,server},demo/demo-challenge,lib/read-options,services/services,simulate/simulate,test/{real-timers,run-ended-early}}.test.ts",
  "shared/src/reuse-compiled-code.test.ts",
  "shared/src/objects/**/s3-store.test.ts",
  "shared/src/queue/redis/**/{consumer-backoff,fairness,faults,leases,newer-jobs,recovery,redis-queue,reports,servers}.test.ts",
  "shared/src/step-channel/redis/{failures,redis-step-channel}.test.ts",
];

/**
 * Tests after which a process has a large memory, and starts others slowly: each file has a process of its
 * own.
 */
const LARGE_MEMORY = ["broker/test/code/{hostile-push,memory}.test.ts"];

/** Tests that install the packed client and run it with the machine's own Node.js. */
const PACKED_CLIENT = ["test/packed-client/*.test.ts"];

/** The scripts run on the pinned Node.js alone, whatever runs the product. */
const NODE_ONLY = ["scripts/**"];

export interface OneRuntime {
  runtime: "node" | "bun";
  files: readonly string[];
  /** Why the other runtime would find nothing more. */
  because: string;
  /** Tests under both runtimes of what these files ask of the runtime itself. */
  both: readonly string[];
}

/**
 * Costly tests that run under one runtime, because what they test is decided by another program, or by code
 * of ours that asks nothing of the runtime beyond what other tests ask of it under both. What starts many
 * programs runs under Bun: for each, Node.js copies the page tables of its own memory (4 ms of CPU per 100
 * MB), Bun does not.
 */
export const ONE_RUNTIME: readonly OneRuntime[] = [
  {
    runtime: "node",
    files: ["test/network/foreign-answers.test.ts", "test/offline/killed-sync.test.ts"],
    because: "the proxy decides what the client reads",
    both: [
      "test/network/proxies.test.ts",
      "test/offline/sync.test.ts",
      "cli/src/client/http/http-client.test.ts",
    ],
  },
  {
    runtime: "node",
    files: [
      "broker/test/pages/{api-page,board,challenge-page,descriptions,detailed-results,environment-pages,hostile-input,media-page,profile-page,run-pages,submission-page}.test.ts",
      "test/environment/session-video.test.ts",
      "test/proxy/base-path.test.ts",
    ],
    because: "Chromium decides what it makes of the pages; both runtimes serve the same bytes",
    both: ["broker/test/pages/{external-media,guarded-routes,sessions}.test.ts"],
  },
  {
    runtime: "node",
    files: ["broker/test/pages/current-pages-postgres.test.ts"],
    because: "PostgreSQL says what has changed",
    both: ["broker/test/pages/current-pages.test.ts"],
  },
  {
    runtime: "node",
    files: ["broker/test/code/{durability,hostile-push,publishing,push-crash}.test.ts"],
    because: "git makes, checks and sends the commits",
    both: [
      "broker/test/code/{memory,mirror-repositories,push,slow-readers}.test.ts",
      "broker/src/background/code-hosts/{code-host-failures,github,gitlab,local}.test.ts",
    ],
  },
  {
    runtime: "bun",
    files: [
      "cli/src/snapshot/{hostile-repository,ignore-rules,repository-states}.test.ts",
      "test/publishing/code-commands.test.ts",
    ],
    because: "git reads and writes the repositories",
    both: [
      "cli/src/snapshot/{contained,files-change-mid-snapshot,secrets,unreadable}.test.ts",
      "cli/src/commands/submit-code.test.ts",
      "test/code/submit-code.test.ts",
      "test/publishing/{agree,fork-at-hosts}.test.ts",
    ],
  },
  {
    runtime: "node",
    files: ["test/ci/ci-jobs.test.ts"],
    because: "bash runs the scripts, with the command that npx starts under Node.js",
    both: ["cli/test/manners/{63-github-actions,63-gitlab-ci,65-comments}.test.ts"],
  },
  {
    runtime: "bun",
    files: ["cli/src/snapshot/concurrent-changes.test.ts"],
    because: "it tries the order of steps, which is the same under both",
    both: ["cli/src/snapshot/{files-change-mid-snapshot,unreadable}.test.ts"],
  },
  {
    runtime: "node",
    files: ["grader/src/evaluators/process/{python-class,codabench,evalai,kaggle,gym-environment}.test.ts"],
    because: "Python runs the evaluator classes, the scripts of other platforms and the environments",
    both: ["grader/src/evaluators/process/{batch,launch,persistent}.test.ts"],
  },
  {
    runtime: "node",
    files: [
      "grader/src/box/{abuse,bubblewrap/bubblewrap,oci/oci}.test.ts",
      "grader/src/confinement/confinement.test.ts",
      "grader/src/jobs/{run-builds,run-images}.test.ts",
      "test/code/code-bundle.test.ts",
    ],
    because: "the kernel confines evaluators and the programs of a box, and pip, npm and tar fill it",
    both: [
      "grader/src/box/bubblewrap/starters.test.ts",
      "grader/src/evaluators/process/boxed.test.ts",
      "grader/src/jobs/{run-lines,run-stopping,run-submissions}.test.ts",
    ],
  },
  {
    runtime: "bun",
    files: ["broker/test/code/{code-at-github,code-at-gitlab}.test.ts"],
    because: "git makes and sends the commits, and rules of ours decide when",
    both: ["broker/src/background/code-hosts/{code-host-failures,github,gitlab,local}.test.ts"],
  },
  {
    runtime: "node",
    files: ["test/client-budget.test.ts"],
    because: "it counts what the pinned Node.js loads",
    both: ["cli/src/bin.test.ts"],
  },
  {
    runtime: "node",
    files: ["broker/test/media/{images,videos}.test.ts"],
    because: "libvips and ffmpeg read and convert the media",
    both: ["broker/test/media/{from-the-cli,media-work}.test.ts"],
  },
  {
    runtime: "node",
    files: ["broker/src/domain/leaderboard/boards-postgres.test.ts"],
    because: "PostgreSQL runs the queries",
    both: [
      "broker/src/domain/leaderboard/boards.test.ts",
      "broker/test/startup/postgres.test.ts",
      "broker/test/participants/agreements-postgres.test.ts",
    ],
  },
  {
    runtime: "bun",
    files: [
      "broker/test/organizer-data/backup-services.test.ts",
      "broker/test/participants/disqualify-postgres.test.ts",
      "broker/test/webapp/webapp-postgres.test.ts",
      "broker/test/webhooks/two-brokers.test.ts",
    ],
    because:
      "PostgreSQL runs the queries, its locks decide between brokers, and its programs dump and restore",
    both: [
      "broker/test/organizer-data/backup.test.ts",
      "broker/test/participants/disqualify.test.ts",
      "broker/test/webhooks/webhooks.test.ts",
      "broker/test/webapp/{embedded,remote,remote-keys}.test.ts",
      "broker/test/startup/postgres.test.ts",
    ],
  },
  {
    runtime: "bun",
    files: ["broker/test/webapp/{remote-outcomes,web-form}.test.ts"],
    because: "rules of ours decide, after the webapp's answer or a file of its form has come",
    both: ["broker/test/webapp/{embedded,remote,remote-keys}.test.ts"],
  },
  {
    runtime: "bun",
    files: ["cli/src/commands/completion.test.ts"],
    because: "bash, zsh and fish complete the command line",
    both: ["cli/src/bin.test.ts"],
  },
  {
    runtime: "bun",
    files: ["test/proxy/{caddy,refusing-proxy}.test.ts"],
    because: "Caddy and nginx decide what they pass on, and what the client reads in their place",
    both: [
      "broker/test/hostile-requests/hostile-requests.test.ts",
      "cli/src/client/http/http-client.test.ts",
      "cli/src/commands/submit-code.test.ts",
      "test/network/proxies.test.ts",
    ],
  },
  {
    runtime: "bun",
    files: ["test/uploads/uploads-s3.test.ts"],
    because:
      "the client sends the same parts to whichever store, and what the broker asks of S3 has tests of its own",
    both: ["test/uploads/uploads.test.ts", "shared/src/objects/s3/s3-store.test.ts"],
  },
  {
    runtime: "node",
    files: ["test/examples/examples.test.ts"],
    because:
      "participants run the examples with Node.js, Python and a shell, and what these use has tests of its own",
    both: [
      "cli/src/commands/{run,submit-code}.test.ts",
      "cli/src/library/{challenge,challenge-code,challenge-environment,challenge-submit}.test.ts",
      "grader/src/jobs/{play-code,run-lines,run-submissions}.test.ts",
    ],
  },
  {
    runtime: "bun",
    files: ["broker/test/legacy/calls.test.ts"],
    because: "calls of older clients become submissions, which everything else tests",
    both: ["broker/test/legacy/{challenges,transport,uploads}.test.ts"],
  },
  {
    runtime: "node",
    files: [
      "broker/src/domain/submissions/{accept-upload,cancel-and-expire,create-job}.test.ts",
      "broker/src/domain/submissions/{registration,write-outcome}.test.ts",
      "broker/src/domain/regrade/{start-regrade,sweep-regrades,swap-grades}.test.ts",
    ],
    because: "rules of ours decide, over records that are the same under both",
    both: [
      "broker/src/domain/submissions/{apply-report,head-of-queue}.test.ts",
      "broker/src/domain/regrade/{apply-regrade-report,enqueue-regrades}.test.ts",
      "broker/src/domain/publishing/publishing.test.ts",
    ],
  },
  {
    runtime: "node",
    files: ["broker/test/legacy/bad-input.test.ts"],
    because: "the broker refuses these messages after the runtime has received them",
    both: [
      "broker/test/legacy/transport.test.ts",
      "broker/test/hostile-requests/{hostile-requests,malformed-bodies}.test.ts",
    ],
  },
  {
    runtime: "node",
    files: ["test/fuzz/{answers,gym,http,settings,socket,socket-answers}.test.ts"],
    because: "it looks for inputs that code of ours has not expected, which is the same under both",
    both: [
      "broker/test/hostile-requests/{hostile-requests,malformed-bodies}.test.ts",
      "cli/src/client/http/http-client.test.ts",
    ],
  },
  {
    runtime: "node",
    files: ["test/environment/{broken-environments,hostile-agents,hostile-code-agents}.test.ts"],
    because: "rules of ours decide, after a request or a line of a pipe has come",
    both: [
      "test/environment/{broken-connections,killed-broker}.test.ts",
      "grader/src/jobs/play-{code,remote}.test.ts",
    ],
  },
  {
    runtime: "bun",
    files: ["test/environment/killed-grader.test.ts"],
    because: "Redis carries the steps, and its own tests run under both runtimes",
    both: ["shared/src/step-channel/redis/redis-step-channel.test.ts"],
  },
  {
    runtime: "bun",
    files: ["test/environment/changes-in-mid-run.test.ts", "test/environments/agents.test.ts"],
    because:
      "rules of ours decide, and Python and the library send the steps as in the tests of broken connections",
    both: [
      "broker/test/gym/gym-http.test.ts",
      "cli/src/library/challenge-environment.test.ts",
      "test/environment/{broken-connections,killed-broker}.test.ts",
    ],
  },
  {
    runtime: "bun",
    files: ["test/fleet/fleet.test.ts", "broker/test/submissions/crash.test.ts"],
    because: "the chaos run kills brokers and graders under Node.js",
    both: ["broker/test/media/media-work.test.ts", "shared/src/queue/redis/{leases,recovery}.test.ts"],
  },
  {
    runtime: "bun",
    files: [
      "broker/test/code/code-rules.test.ts",
      "broker/test/participants/visibility.test.ts",
      "broker/test/submissions/{regrade,rules,run-records,run-rules}.test.ts",
      "broker/test/webapp-api/webapp-rules.test.ts",
    ],
    because: "rules of ours decide, after the runtime has received a request as any other",
    both: [
      "broker/test/code/push.test.ts",
      "broker/test/participants/access.test.ts",
      "broker/test/submissions/{late-reports,lifecycle,run-graded}.test.ts",
      "broker/test/webapp-api/hostile-request.test.ts",
    ],
  },
  {
    runtime: "bun",
    files: [
      "broker/test/leaderboard/baselines.test.ts",
      "broker/test/pages/page-visibility.test.ts",
      "broker/test/participants/agreements.test.ts",
      "broker/test/submissions/{deadlines,session-records,session-rules}.test.ts",
      "broker/test/webapp-api/{create,python-client,read,update}.test.ts",
    ],
    because: "rules of ours decide, after the runtime has received a request as any other",
    both: [
      "broker/test/gym/gym-http.test.ts",
      "broker/test/leaderboard/{boards-live,leaderboard}.test.ts",
      "broker/test/pages/{guarded-routes,sessions}.test.ts",
      "broker/test/participants/{access,agreements-postgres,replaced-keys}.test.ts",
      "broker/test/submissions/{late-reports,lifecycle,session-requests}.test.ts",
      "broker/test/webapp-api/{hostile-request,keys,unreachable-records}.test.ts",
    ],
  },
  {
    runtime: "bun",
    files: [
      "broker/test/ci/ci-token.test.ts",
      "broker/test/gym/played-sessions.test.ts",
      "broker/test/leaderboard/{board-csv,final-scores}.test.ts",
      "broker/test/participants/{device-login,join-links,profile-command,profiles,teams}.test.ts",
      "broker/test/media/models.test.ts",
      "broker/test/startup/{bundles,metrics}.test.ts",
      "cli/src/commands/submit-run.test.ts",
      "test/check/check.test.ts",
      "test/ci/ci-trust.test.ts",
      "test/network/wrong-clock.test.ts",
    ],
    because: "rules of ours decide, after a request or a command line has come as any other",
    both: [
      "broker/src/background/ci-issuers/ci-tokens.test.ts",
      "broker/test/gym/gym-http.test.ts",
      "broker/test/leaderboard/{boards-live,leaderboard}.test.ts",
      "broker/test/media/from-the-cli.test.ts",
      "broker/test/participants/{access,replaced-keys}.test.ts",
      "broker/test/startup/{commands,readiness}.test.ts",
      "cli/src/{bin,main}.test.ts",
      "cli/src/commands/{run,submit-code}.test.ts",
      "cli/test/manners/{63-github-actions,63-gitlab-ci}.test.ts",
      "test/uploads/uploads.test.ts",
    ],
  },
  {
    runtime: "bun",
    files: ["broker/test/submissions/fairness.test.ts", "shared/src/step-channel/redis/failures.test.ts"],
    because: "Redis keeps the order and the journals, and the driver connects again as it does for the queue",
    both: [
      "shared/src/queue/redis/{fairness,faults,recovery}.test.ts",
      "shared/src/step-channel/redis/redis-step-channel.test.ts",
    ],
  },
  {
    runtime: "bun",
    files: ["grader/src/startup/try.test.ts"],
    because: "the kernel confines the programs, which are run and played as those of submissions",
    both: ["grader/src/{bin,main}.test.ts", "grader/src/jobs/{play-code,run-submissions}.test.ts"],
  },
  {
    runtime: "bun",
    files: ["broker/test/media/on-s3.test.ts", "broker/test/webapp/remote-contract.test.ts"],
    because: "the requests to the store and the webapp are made as in the tests under both",
    both: ["broker/test/webapp/{remote,remote-keys}.test.ts", "shared/src/objects/s3/s3-store.test.ts"],
  },
  {
    runtime: "bun",
    files: ["shared/src/challenge-folder/{config-json-schema,environment-config,run-config}.test.ts"],
    because: "rules of ours decide, after the runtime has read a folder as any other",
    both: [
      "shared/src/challenge-folder/{folder-version,load-challenge-folder}.test.ts",
      "shared/src/protocol/check-value.test.ts",
    ],
  },
];

/** Set when a run under the other runtime is part of the same check. */
export const UNDER_BOTH_VARIABLE = "CROWDAI_TEST_UNDER_BOTH";

/**
 * Include and exclude patterns of each project, for the runtime that vitest runs on. Only a run under both
 * runtimes leaves files to the other: a file that is named by hand runs under either.
 */
export function testFiles(onBun: boolean, { underBoth = true } = {}) {
  const elsewhere = underBoth ? ONE_RUNTIME.filter(({ runtime }) => (runtime === "bun") !== onBun) : [];
  const never = [
    ...NO_TEST,
    ...PACKED_CLIENT,
    ...(onBun ? NODE_ONLY : []),
    ...elsewhere.flatMap(({ files }) => files),
  ];
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
