/**
 * A repository as an external host shows it. The `private` edition is for its participant and the organizers
 * and follows every submission. The `public` edition is a separate repository that holds only published
 * submissions, so that making it visible can never show more.
 */
export interface HostedRepository {
  challenge: string;
  /**
   * The participant's name as repositories use it (`repositoryName`); null for the challenge's own
   * repository.
   */
  participant: string | null;
  edition: "private" | "public";
}

/**
 * The place where repositories can be read: the broker itself, GitHub or GitLab. Every call may be repeated,
 * also by several brokers at once; calls for one repository run one after another.
 *
 * A host that is unreachable or asks to wait throws code_host_unreachable, with `details.retry_after_seconds`
 * if it named a time. A host that rejects the token or the request throws code_host_refused, with what to do.
 * Both are retried. No call waits for long.
 */
export interface CodeHost {
  /** Names the adapter and its address, without secrets. A change of the name mirrors everything again. */
  readonly name: string;
  /** False when the broker itself serves the repositories, so that there is nothing to mirror. */
  readonly outside: boolean;

  /** Creates the repository if it does not exist, visible only to the organization's members. */
  ensure(repository: HostedRepository): Promise<void>;
  /**
   * Makes its branches and tags equal to those of the bare repository at `path`: adds new ones and removes
   * others. Refs under other names (`refs/incoming`) are not sent. On abort, the push ends at once.
   */
  mirror(repository: HostedRepository, path: string, signal?: AbortSignal): Promise<void>;
  /** Makes the repository public. Only the public edition is ever published. */
  publish(repository: HostedRepository): Promise<void>;
  /** Removes the repository; harmless if there is none. */
  remove(repository: HostedRepository): Promise<void>;

  /** Its clone URL, without credentials. */
  cloneUrl(repository: HostedRepository): string;
  /** The page with its files and commits; null when there is none. */
  pageUrl(repository: HostedRepository): string | null;
  /** The page on which a reader forks it; null when a fork is a clone. */
  forkUrl(repository: HostedRepository): string | null;
}
