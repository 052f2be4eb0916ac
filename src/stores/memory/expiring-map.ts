/** How many entries a write looks at to find ended ones: with two or more, fewer are ever kept in vain than are needed. */
const LOOKED_AT_PER_WRITE = 4;

/** A map whose entries end by themselves. It needs no timer, so it never keeps a process alive. */
export interface ExpiringMap<Value> {
  get(key: string, nowMs: number): Value | undefined;
  /** Puts the value in place until `untilMs`, or until the time that the key already had, if that is later. */
  set(key: string, value: Value, untilMs: number, nowMs: number): void;
  delete(key: string): void;
  /** Entries held, ended ones that have not been dropped yet included. */
  readonly size: number;
}

/**
 * Makes an empty map. Each write goes on a few entries with a round through the whole map and drops the ended ones on
 * its way: memory stays in proportion to the entries that are needed, and no single write pays for all of them.
 */
export function expiringMap<Value>(): ExpiringMap<Value> {
  const entries = new Map<string, { value: Value; untilMs: number }>();
  let round = entries.entries();

  function dropSomeEnded(nowMs: number): void {
    for (let looked = 0; looked < LOOKED_AT_PER_WRITE; looked += 1) {
      const next = round.next();
      if (next.done) {
        round = entries.entries();
        return;
      }
      const [key, { untilMs }] = next.value;
      if (untilMs <= nowMs) entries.delete(key);
    }
  }

  return {
    get(key, nowMs) {
      const entry = entries.get(key);
      return entry !== undefined && entry.untilMs > nowMs ? entry.value : undefined;
    },
    set(key, value, untilMs, nowMs) {
      dropSomeEnded(nowMs);
      entries.set(key, { value, untilMs: Math.max(untilMs, entries.get(key)?.untilMs ?? untilMs) });
    },
    delete(key) {
      entries.delete(key);
    },
    get size() {
      return entries.size;
    },
  };
}
