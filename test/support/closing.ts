type Close = () => unknown;

// On globalThis: a test may reset jest's module registry, and what was opened before must be closed all the same.
const holder = globalThis as { closings?: Close[] };

/** Has `close` called after this test file's last test; the last opened is closed first. */
export function closeAfterFile(close: Close): void {
  (holder.closings ??= []).push(close);
}

/** Closes everything, also when one of them fails, and then rejects with the first failure. */
export async function closeAll(): Promise<void> {
  const closings = holder.closings?.splice(0).reverse() ?? [];
  const failures: unknown[] = [];
  for (const close of closings) {
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
