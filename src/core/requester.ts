/** Who asks, as far as the network tells: for events, for the list of sessions, and for limits. */
export interface Requester {
  ip?: string | undefined;
  userAgent?: string | undefined;
}

const LONGEST_USER_AGENT = 256;

/** Bounded and printable, because it is stored and shown. */
export function describeUserAgent(text: string | undefined): string | undefined {
  // Cut first: the cut may go through a pair of surrogates, and Redis's JSON knows no halves.
  return text
    ?.slice(0, LONGEST_USER_AGENT)
    .toWellFormed()
    .replace(/\p{Cc}/gu, '');
}
