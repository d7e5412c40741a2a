import { globSync } from "node:fs";
import { root } from "../lib/root.ts";

/** Source files that are mutated together, and the tests that have to notice. Quick tests come first. */
export interface Area {
  about: string;
  files: readonly string[];
  tests: readonly string[];
}

export const AREAS: Readonly<Record<string, Area>> = {
  addresses: {
    about: "signed addresses of objects, and the ranges of bytes they are asked for",
    files: ["shared/src/objects/{signed-url,byte-range}.ts"],
    tests: ["shared/src/objects/{signed-url,byte-range}.test.ts"],
  },
  rules: {
    about: "slots, limits, rounds, qualification, what challenges accept, and who sees what",
    files: [
      "broker/src/domain/rules/accepted-{code,input,models,run}.ts",
      "broker/src/domain/rules/{limits,qualification,trials,target-round,visibility,is-invited,is-public}.ts",
    ],
    tests: ["broker/src/domain/rules/{accepted,target-round,is-public,limits,visibility}.test.ts"],
  },
  regrade: {
    about: "re-grading: attempts, their reports and deadlines, and the swap of all grades at once",
    files: ["broker/src/domain/regrade/!(*.test).ts"],
    tests: [
      "broker/src/domain/regrade/{start-regrade,enqueue-regrades,apply-regrade-report}.test.ts",
      "broker/src/domain/regrade/{sweep-regrades,swap-grades}.test.ts",
    ],
  },
  leaderboard: {
    about: "who is where on a board, and when it changes",
    files: ["broker/src/domain/leaderboard/!(*.test|*.contract).ts"],
    tests: [
      "broker/src/domain/leaderboard/{standings,leaderboard,ranking-window,finals,board-blocks}.test.ts",
      "broker/src/domain/leaderboard/{best-over-time,board-watch}.test.ts",
    ],
  },
  protocol: {
    about: "intents and what they announce, keys, names, errors and scores",
    files: [
      "shared/src/protocol/{api-key,crc32,errors,file-name,intent,plain-text,round-score}.ts",
      "shared/src/protocol/{submission-id,suggest,upload-parts}.ts",
    ],
    tests: [
      "shared/src/protocol/{crc32,errors,file-name,intent,plain-text,round-score}.test.ts",
      "shared/src/protocol/{submission-id,suggest,upload-parts,api-key}.test.ts",
    ],
  },
  submissions: {
    about: "the life of a submission: reports, outcomes, boards, cancelling, deadlines, a lost queue",
    files: [
      "broker/src/domain/submissions/{apply-report,cancel-submission,deadlines,recover-queue}.ts",
      "broker/src/domain/submissions/{stage-verdict,sweep-deadlines,update-boards,verdicts,write-outcome}.ts",
    ],
    tests: [
      "broker/src/domain/submissions/{stage-verdict,apply-report,write-outcome,cancel-and-expire}.test.ts",
    ],
  },
  registering: {
    about: "the arrival of a submission: intents, calls, models, announced code, receipts and events",
    files: [
      "broker/src/domain/submissions/{register-intent,register-call,insert-submission,described-input}.ts",
      "broker/src/domain/submissions/{find-submission,models,submission-code,receipt,events,plan-replay}.ts",
    ],
    tests: [
      "broker/src/domain/submissions/{described-input,receipt,submission-code,register-call,registration}.test.ts",
    ],
  },
  uploads: {
    about: "the bytes and the code of a submission: verified, accepted, abandoned",
    files: [
      "broker/src/domain/submissions/{accept-upload,announced-parts,ended-uploads,store-input}.ts",
      "broker/src/domain/submissions/{record-stored-code,sweep-awaited-code}.ts",
    ],
    tests: ["broker/src/domain/submissions/{arriving-code,store-input,accept-upload}.test.ts"],
  },
  views: {
    about:
      "what participants, organizers and others see of submissions, and the selection for the final board",
    files: [
      "broker/src/domain/submissions/{artifacts,list-submissions,mark-baseline,read-attempts}.ts",
      "broker/src/domain/submissions/{redact-submission,run-record,select-final,view-submission}.ts",
    ],
    tests: [
      "broker/src/domain/submissions/{redact-submission,run-record,view-submission}.test.ts",
      "broker/src/domain/submissions/{list-submissions,select-final}.test.ts",
    ],
  },
  jobs: {
    about: "from the records to the queue: jobs, and who is next",
    files: ["broker/src/domain/submissions/{create-job,head-of-queue,dispatcher,queue-rebuilds}.ts"],
    tests: ["broker/src/domain/submissions/{create-job,head-of-queue,dispatcher}.test.ts"],
  },
  publishing: {
    about: "closing a challenge, and the code that becomes public",
    files: [
      "broker/src/domain/publishing/{close-challenge,publish-due,publish-requests}.ts",
      "broker/src/domain/submissions/set-publish.ts",
    ],
    tests: [
      "broker/src/domain/publishing/publishing.test.ts",
      "broker/src/domain/submissions/set-publish.test.ts",
    ],
  },
  queue: {
    about: "whose job is next, the queue of one process, and its reports",
    files: [
      "shared/src/queue/{fair-queue,start-reports,challenge-queues,queue-names,job-queue}.ts",
      "shared/src/queue/{embedded-queue,embedded-reports}.ts",
      "shared/src/queue/redis/{batches,running-jobs}.ts",
    ],
    tests: [
      "shared/src/queue/redis/{batches,running-jobs}.test.ts",
      "shared/src/queue/{fair-queue,start-reports,queue-names,challenge-queues}.test.ts",
      "shared/src/queue/{embedded-reports,embedded-timing}.test.ts",
      "shared/src/queue/embedded-queue.test.ts",
    ],
  },
  "redis-queue": {
    about: "the queue of Redis: connections, leases, graders, reports and recovery, without its Lua",
    files: [
      "shared/src/queue/pause.ts",
      "shared/src/queue/redis/{blocking-read,cancellations,consumer,leases,reconnecting-connection,recovery}.ts",
      "shared/src/queue/redis/{redis-queue,redis-url,report-applier,report-outbox,report-reader}.ts",
      "shared/src/queue/redis/{script,server-check}.ts",
    ],
    tests: [
      "shared/src/queue/pause.test.ts",
      "shared/src/queue/redis/{reconnecting-connection,commands,leases-in-time,recovery-in-time}.test.ts",
      "shared/src/queue/redis/{report-outbox,report-applier-in-time,report-reader,redis-url}.test.ts",
      "shared/src/queue/redis/{consumer,redis-queue-in-time}.test.ts",
    ],
  },
  "step-channel": {
    about: "the steps of remote agents: requests, answers and journals, without the Lua of Redis",
    files: [
      "shared/src/step-channel/{embedded-step-channel,journal-files,request-queue}.ts",
      "shared/src/step-channel/redis/{asks,inbox,messages,redis-step-channel,served-sessions}.ts",
    ],
    tests: [
      "shared/src/step-channel/{request-queue,journal-files}.test.ts",
      "shared/src/step-channel/redis/{asks-in-time,inbox,served-sessions,redis-step-channel-in-time}.test.ts",
      "shared/src/step-channel/embedded-step-channel.test.ts",
    ],
  },
  records: {
    about:
      "commits that share a disk write, SQLite, migrations, errors of databases, and what is read from memory",
    files: [
      "broker/src/records/{group-commit,statement,read-memory,records,sqlite,sqlite-dialect}.ts",
      "broker/src/records/{sqlite-query-compiler,postgres-dialect,unusable-database}.ts",
      "broker/src/records/{commit,data-lock,instance,open,secret}.ts",
      "broker/src/records/{postgres,log-sync,statement-names,columns,checkpoints}.ts",
    ],
    tests: [
      "broker/src/records/{group-commit,log-sync,read-memory,unusable-database,postgres-dialect}.test.ts",
      "broker/src/records/{statement-names,columns,checkpoints,open-postgres}.test.ts",
      "broker/src/records/{statement,sqlite-query-compiler,sqlite-dialect,data-folder,sqlite,records}.test.ts",
      "broker/src/records/migrations/*.test.ts",
    ],
  },
  box: {
    about: "what a box is made of: options, mounts, filters of system calls, and the files that come out",
    files: [
      "grader/src/box/output-reader.ts",
      "grader/src/box/bubblewrap/{arguments,box-parts,box-users,seccomp,starter,host-files}.ts",
    ],
    tests: [
      "grader/src/box/bubblewrap/{arguments,box-parts,box-users,seccomp,starter,host-files}.test.ts",
      "grader/src/box/output-reader.test.ts",
    ],
  },
  "box-watch": {
    about: "what starts a box with bubblewrap, watches it, and finds why it ended",
    files: [
      "grader/src/box/{run-program,sandbox,supervise-box}.ts",
      "grader/src/box/bubblewrap/{bubblewrap,find-tools,starters}.ts",
    ],
    tests: [
      "grader/src/box/run-program.test.ts",
      "grader/src/box/bubblewrap/{find-tools,waiting-starters}.test.ts",
      "grader/src/box/supervise-box.test.ts",
      "grader/src/box/bubblewrap/open-bubblewrap.test.ts",
    ],
  },
  "box-oci": {
    about: "what a runtime of containers gets for a box, and when there are no such boxes",
    files: [
      "grader/src/box/undo-on-error.ts",
      "grader/src/box/oci/{box-folder,bundle,container-config,oci,runtimes,seccomp-profile}.ts",
    ],
    tests: ["grader/src/box/oci/{container-config,seccomp-profile,box-folder,bundle,open-oci}.test.ts"],
  },
  referee: {
    about: "the referee of environments: episodes, clocks, actions",
    files: ["grader/src/environment/{referee,check-action,deadline}.ts"],
    tests: ["grader/src/environment/{check-action,deadline,referee}.test.ts"],
  },
};

/** Paths below the root that some patterns match, in the order of the patterns. */
export function matchingFiles(patterns: readonly string[]): string[] {
  const files = patterns.flatMap((pattern) => {
    const matches = globSync(pattern, { cwd: root }).sort();
    if (matches.length === 0) throw new Error(`No file matches ${pattern}: correct scripts/mutate/areas.ts`);
    return matches;
  });
  return [...new Set(files)];
}
