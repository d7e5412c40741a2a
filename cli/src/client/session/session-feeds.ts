import type { LiveEvent, Place, Submission, Watched } from "@crowdai/shared";
import { createFeed, type Feed } from "./feed.ts";

/** The feeds of one session: those that are watched, and those that are followed but have no reader yet. */
export interface Feeds {
  /** Buffers the events of submissions that are about to be created, until `watch` returns their feeds. */
  follow(ids: readonly string[]): { acknowledged(submissions: readonly Submission[]): void; drop(): void };
  watch(id: string, after: number, signal?: AbortSignal): Feed;
  live(message: LiveEvent): void;
  place(place: Place): void;
  /** Requests the events that each feed has missed, for example after a cut connection. */
  catchUp(): void;
  stop(error?: unknown): void;
}

/** Creates the feeds of a session. `ask` requests the events that a feed has not seen. */
export function createFeeds(ask: (feed: Feed) => Promise<Watched>): Feeds {
  const feeds = new Map<string, Set<Feed>>();
  const unclaimed = new Map<string, Feed>();
  /** Feeds of submissions that the broker may not know yet, so that it cannot be asked about them. */
  const unacknowledged = new Set<Feed>();
  const asking = new Set<Feed>();

  const all = () => [...feeds.values()].flatMap((set) => [...set]);
  const of = (id: string) => [...(feeds.get(id) ?? [])];

  function open(id: string, after: number): Feed {
    const feed = createFeed(id, after, () => {
      const siblings = feeds.get(id);
      siblings?.delete(feed);
      if (siblings?.size === 0) feeds.delete(id);
    });
    feeds.set(id, (feeds.get(id) ?? new Set()).add(feed));
    return feed;
  }

  async function catchUp(feed: Feed): Promise<void> {
    if (asking.has(feed) || unacknowledged.has(feed) || feed.ended) return;
    asking.add(feed);
    try {
      while (!feed.ended && feed.caughtUp(await ask(feed)));
    } catch (error) {
      feed.stop(error);
    } finally {
      asking.delete(feed);
    }
  }

  return {
    follow(ids) {
      const begun = ids.map((id) => {
        const feed = open(id, 0);
        unclaimed.set(id, feed);
        unacknowledged.add(feed);
        return feed;
      });
      return {
        acknowledged(submissions) {
          const seqs = new Map(submissions.map(({ id, seq }) => [id, seq]));
          for (const feed of begun) {
            unacknowledged.delete(feed);
            if (feed.seen < (seqs.get(feed.submission) ?? 0)) void catchUp(feed);
          }
        },
        drop() {
          for (const feed of begun) {
            unacknowledged.delete(feed);
            unclaimed.delete(feed.submission);
            feed.stop();
          }
        },
      };
    },
    watch(id, after, signal) {
      const followed = after === 0 ? unclaimed.get(id) : undefined;
      const feed = followed ?? open(id, after);
      unclaimed.delete(id);
      if (!followed) void catchUp(feed);
      if (signal) feed.stopOn(signal);
      return feed;
    },
    live(message) {
      for (const feed of of(message.event.submission)) if (feed.live(message)) void catchUp(feed);
    },
    place(place) {
      for (const feed of of(place.submission)) feed.place(place);
    },
    catchUp() {
      for (const feed of all()) void catchUp(feed);
    },
    stop(error) {
      for (const feed of all()) feed.stop(error);
    },
  };
}
