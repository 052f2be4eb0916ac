/** Who has taken in which of this process's revocations. */
export interface Acknowledgements {
  /** Starts to listen for one. @returns its number */
  expect(): number;
  /** Of these members, those that have not taken it in. */
  missing(number: number, members: readonly string[]): string[];
  /** Resolves when all of these have taken it in, or after `waitMs`. */
  wait(number: number, members: readonly string[], waitMs: number): Promise<void>;
  taken(member: string, numbers: readonly number[]): void;
  forget(number: number): void;
}

export function acknowledgements(): Acknowledgements {
  const expected = new Map<number, { taken: Set<string>; check: () => void }>();
  let count = 0;

  const missing: Acknowledgements['missing'] = (number, members) => {
    const taken = expected.get(number)?.taken;
    return members.filter((member) => taken?.has(member) !== true);
  };

  return {
    expect() {
      count += 1;
      expected.set(count, { taken: new Set(), check: () => {} });
      return count;
    },
    missing,
    async wait(number, members, waitMs) {
      const one = expected.get(number);
      if (one === undefined || missing(number, members).length === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        one.check = () => {
          if (missing(number, members).length > 0) return;
          clearTimeout(timer);
          resolve();
        };
      });
    },
    taken(member, numbers) {
      for (const number of numbers) {
        const one = expected.get(number);
        one?.taken.add(member);
        one?.check();
      }
    },
    forget(number) {
      expected.delete(number);
    },
  };
}
