/** Leases of one process. */
export interface Leases {
  take(request: { name: string; holder: string; nowMs: number; forMs: number }): boolean;
  giveBack(request: { name: string; holder: string }): void;
}

export function createLeases(): Leases {
  const taken = new Map<string, { holder: string; endsAtMs: number }>();
  return {
    take({ name, holder, nowMs, forMs }) {
      const known = taken.get(name);
      if (known !== undefined && known.holder !== holder && known.endsAtMs > nowMs) return false;
      taken.set(name, { holder, endsAtMs: nowMs + forMs });
      return true;
    },
    giveBack({ name, holder }) {
      if (taken.get(name)?.holder === holder) taken.delete(name);
    },
  };
}
