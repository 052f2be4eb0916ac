/** At once where it can be: a promise costs as much as all the rest of a request whose token is remembered. */
export type NowOrLater<Value> = Value | Promise<Value>;

/**
 * Not by `instanceof`: what `async` functions return is the language's own promise, also where the application has put
 * another in the place of the global one. A guard that mistook it for the answer would let everybody pass.
 */
export function isLater<Value>(answer: NowOrLater<Value>): answer is Promise<Value> {
  return typeof (answer as { then?: unknown } | null | undefined)?.then === 'function';
}

export function whenKnown<Value, Result>(answer: NowOrLater<Value>, go: (value: Value) => Result): NowOrLater<Result> {
  return isLater(answer) ? answer.then(go) : go(answer);
}
