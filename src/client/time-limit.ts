/** Gives `work` a signal that aborts after so many milliseconds. `AbortSignal.timeout` is not everywhere yet. */
export async function withTimeLimit<Answer>(
  limitMs: number,
  work: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), limitMs);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
