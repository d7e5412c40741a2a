/** The imports that the source files of one package may have. */
export interface Directions {
  /** The package's source folder, below the root. */
  folder: string;
  /** Packages of this repository that it may import; "*" for all, by relative paths too. */
  packages: readonly string[];
  /** Files outside the source folder that it may import. */
  outside?: readonly string[];
  /**
   * For each folder and file just below the source folder, which others it may import. Without a row: none.
   */
  parts?: Readonly<Record<string, readonly string[]>>;
  /** Packages that a part must not know. */
  forbidden?: readonly { in: string; packages: readonly string[] }[];
}

const SERVERS_AND_PROCESSES = [
  "hono",
  "@hono/node-server",
  "@hono/zod-openapi",
  "socket.io",
  "engine.io",
  "simple-git",
  "node:child_process",
  "node:http",
];

/** The table of directions: a part imports what its row names, and nothing else. */
export const DIRECTIONS: readonly Directions[] = [
  {
    folder: "broker/src",
    packages: ["@crowdai/shared", "@crowdai/grader"],
    outside: ["broker/package.json", "grader/src/index.ts"],
    parts: {
      "bin.ts": ["main.ts"],
      "main.ts": ["commands"],
      "index.ts": ["startup", "base"],
      commands: ["startup", "background", "domain", "records", "base"],
      startup: ["legacy", "http", "realtime", "background", "domain", "records", "base"],
      legacy: ["domain", "records", "base"],
      http: ["background", "domain", "records", "base"],
      realtime: ["domain", "records", "base"],
      background: ["domain", "records", "base"],
      domain: ["records", "base"],
      records: ["base"],
      base: [],
    },
    forbidden: [
      { in: "domain", packages: SERVERS_AND_PROCESSES },
      { in: "records", packages: SERVERS_AND_PROCESSES },
      { in: "base", packages: SERVERS_AND_PROCESSES },
    ],
  },
  {
    folder: "cli/src",
    packages: ["@crowdai/shared"],
    outside: ["cli/package.json"],
    parts: {
      "bin.ts": ["main.ts"],
      "main.ts": [
        "command-context.ts",
        "client",
        "program.ts",
        "render-error.ts",
        "ci-report",
        "commands",
        "program",
        "credentials",
        "terminal",
      ],
      "index.ts": ["environment", "library", "submit", "snapshot"],
      "command-context.ts": ["program", "commands", "connection", "credentials", "terminal"],
      "render-error.ts": ["program", "connection", "terminal"],
      "program.ts": ["program", "terminal"],
      program: ["commands", "options", "terminal"],
      commands: [
        ...["agreement", "async", "client", "code", "completion", "config", "connection", "credentials"],
        ...["doctor", "environment", "git", "options", "snapshot", "spool", "submit", "terminal"],
      ],
      library: [
        ...["agreement", "async", "client", "config", "connection", "credentials"],
        ...["environment", "snapshot", "spool", "submit"],
      ],
      "ci-report": ["async", "client", "commands", "terminal"],
      doctor: ["client", "connection", "credentials", "git", "network", "terminal"],
      agreement: ["client", "config", "terminal"],
      connection: ["client", "config", "credentials", "terminal"],
      environment: ["async", "client", "config", "submit"],
      spool: ["async", "client", "config", "snapshot", "submit"],
      submit: ["async", "client", "config", "snapshot", "terminal"],
      code: ["client", "git", "terminal"],
      snapshot: ["async", "client", "config", "git", "terminal"],
      client: ["async", "network"],
      git: ["network"],
      credentials: ["config"],
      completion: ["config"],
    },
  },
  {
    folder: "grader/src",
    packages: ["@crowdai/shared"],
    outside: ["grader/package.json"],
    parts: {
      "bin.ts": ["main.ts"],
      "main.ts": ["startup", "jobs", "challenges"],
      "index.ts": ["startup", "jobs", "challenges", "base"],
      startup: ["jobs", "challenges", "evaluators", "base"],
      jobs: ["challenges", "environment", "evaluators", "run", "box", "confinement", "base"],
      challenges: ["base"],
      evaluators: ["box", "confinement", "base"],
      environment: ["evaluators", "run", "box", "base"],
      run: ["box", "base"],
      box: ["confinement", "base"],
      confinement: [],
    },
  },
  {
    folder: "shared/src",
    packages: [],
    parts: {
      "index.ts": ["protocol"],
      "exact-parser.ts": ["protocol"],
      "file-system-error.ts": ["protocol"],
      "retry-until-ready.ts": ["protocol"],
      "system-code.ts": ["protocol"],
      "unpack-archive.ts": ["bundles", "system-code.ts", "protocol"],
      bundles: ["challenge-folder", "protocol"],
      check: ["protocol"],
      "challenge-folder": ["check", "protocol"],
      objects: ["keyed-mutex.ts", "make-folder.ts", "marked-steps.ts", "protocol"],
      queue: ["marked-steps.ts", "protocol"],
      "step-channel": ["file-system-error.ts", "marked-steps.ts", "queue", "protocol"],
    },
  },
  {
    folder: "scripts",
    packages: ["*"],
    parts: {
      "bench.ts": ["bench", "test", "services", "lib"],
      "boxes.ts": ["boxes", "test", "lib"],
      "build.ts": ["build", "lib"],
      "chaos.ts": ["chaos", "test", "services"],
      "power-cut.ts": ["power-cut", "chaos", "test", "services"],
      "soak.ts": ["soak", "chaos", "test"],
      "check.ts": ["lib"],
      "demo.ts": ["demo", "lib"],
      "generate.ts": ["lib"],
      "release.ts": ["release", "lib"],
      "screenshots.ts": ["screenshots", "lib"],
      "simulate.ts": ["simulate", "lib"],
      "mutate.ts": ["mutate"],
      "fuzz.ts": ["lib"],
      "services.ts": ["services"],
      services: ["lib"],
      "test.ts": ["check.ts", "test", "services", "lib"],
      test: ["services", "lib"],
      bench: ["services", "lib"],
      simulate: ["lib"],
      chaos: ["services", "check", "lib"],
      "power-cut": ["chaos", "services", "lib"],
      soak: [],
      boxes: ["test", "lib"],
      build: ["lib"],
      check: ["lib"],
      demo: ["lib"],
      generate: ["lib"],
      mutate: ["lib"],
      release: ["lib"],
      screenshots: ["lib"],
    },
  },
];

/**
 * Imports that break the table or close a cycle and must go. The list only shrinks; an unused entry fails the
 * check.
 */
export const KNOWN_EXCEPTIONS: readonly string[] = [];
