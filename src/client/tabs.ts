import { withTimeLimit } from './time-limit.js';

/** The pages of one origin that use the same server, and so the same cookie. */
export interface Tabs {
  /**
   * Runs `work`, which must not reject, while no other tab runs its own. A tab that another one had to be waited for
   * has heard from it when its `work` starts.
   */
  exclusively<Answer>(work: () => Promise<Answer>): Promise<Answer>;
  /** Tells the other tabs, at the end of `work`, what came of it. */
  tell(news: News): void;
}

/** The access token; `null`: signed out; `undefined`: nothing has changed. */
export type News = string | null | undefined;

/** A tab that is suspended in mid-refresh must not hold up the others: the server gives both the same successor. */
const LONGEST_WAIT_MS = 10_000;
/** For a message that was sent before the lock was released. A tab that was closed in mid-refresh sends none. */
const NEWS_WITHIN_MS = 1000;

/** What a page has. Node and React Native have no `document`: the clients of one process may be different users'. */
interface Page {
  document?: object;
  navigator?: { locks?: Locks };
  BroadcastChannel?: new (name: string) => Channel;
}

interface Locks {
  request<Answer>(
    name: string,
    options: { ifAvailable?: boolean; signal?: AbortSignal },
    work: (lock: object | null) => Promise<Answer>,
  ): Promise<Answer>;
}

interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  unref?(): void;
}

/**
 * Takes turns with the other tabs by Web Locks, and hears from them over a BroadcastChannel, from memory to memory: the
 * access token is never stored. Where there is neither, each tab is alone, and the server's grace time serves.
 */
export function openTabs(name: string, { hear, shares }: { hear: (news: News) => void; shares: boolean }): Tabs {
  const { document, navigator, BroadcastChannel } = globalThis as unknown as Page;
  const locks = document && navigator?.locks;
  const channel = shares && document && BroadcastChannel ? new BroadcastChannel(name) : undefined;
  let messages = 0;
  let wake = () => {};
  if (channel) {
    channel.onmessage = ({ data }) => {
      messages += 1;
      hear((data as { news: News }).news);
      wake();
    };
    channel.unref?.(); // a page made of jsdom in Node must not keep the process alive
  }

  const newsAfter = async (known: number) => {
    if (!channel || messages > known) return;
    await new Promise<void>((resolve) => {
      wake = resolve;
      setTimeout(resolve, NEWS_WITHIN_MS);
    });
  };

  return {
    async exclusively(work) {
      if (!locks) return work();
      const known = messages;
      try {
        const done = await locks.request(name, { ifAvailable: true }, async (lock) =>
          lock ? { answer: await work() } : undefined,
        );
        if (done) return done.answer;
        return await withTimeLimit(LONGEST_WAIT_MS, (signal) =>
          locks.request(name, { signal }, async () => {
            await newsAfter(known);
            return work();
          }),
        );
      } catch {
        // The lock was not to be had in time, or not at all: a page in a sandbox has none.
        return work();
      }
    },
    tell: (news) => channel?.postMessage({ news }),
  };
}
