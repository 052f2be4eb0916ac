import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { closeAfterFile } from '../support/closing.js';

/** One process of the application under test: see `process.cjs` for what it can be told. */
export interface Process {
  /** Resolves with the answer; rejects where the process failed, or has ended. */
  tell<Answer = unknown>(order: string, details?: object): Promise<Answer>;
  signal(name: NodeJS.Signals): void;
  readonly isRunning: boolean;
  end(): Promise<void>;
}

/** What one process has seen of one token. */
export interface SeenToken {
  index: number;
  accepted: number;
  refused: number;
  /** When the last request that was accepted was asked, and when it was. */
  askedAtMs: number;
  atMs: number;
  /** How the last one was. */
  how: string;
}

export interface ProcessReport {
  counts: { checks: number; accepted: number; refused: number; unknown: number; fromMemory: number };
  seen: SeenToken[];
}

/** Starts one, and resolves when it is there. It is ended after the file's last test. */
export async function startProcess(
  packageFile: string,
  redisUrl: string,
  settings: { waitMs: number; storeTimeoutMs: number },
): Promise<Process> {
  const child = fork(path.join(__dirname, 'process.cjs'), [packageFile, redisUrl, JSON.stringify(settings)], {
    execArgv: [],
    env: { ...process.env, NODE_ENV: 'test' },
  });
  const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  let orders = 0;
  child.on('message', ({ id, result, error }: { id: number; result: never; error?: string }) => {
    if (error === undefined) waiting.get(id)?.resolve(result);
    else waiting.get(id)?.reject(new Error(error));
    waiting.delete(id);
  });
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the process has ended'));
    waiting.clear();
  });
  closeAfterFile(() => endOf(child));
  const [id] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (typeof id === 'number') throw new Error('the process did not start');
  return {
    tell: (order, details) =>
      new Promise((resolve, reject) => {
        if (child.exitCode !== null || child.signalCode !== null) return reject(new Error('the process has ended'));
        orders += 1;
        waiting.set(orders, { resolve, reject });
        // It may have been killed just now; its end is told of a moment later.
        child.send({ ...details, order, id: orders }, (error) => {
          if (error) reject(new Error('the process has ended'));
        });
      }),
    signal: (name) => void child.kill(name),
    get isRunning() {
      return child.exitCode === null && child.signalCode === null;
    },
    end: () => endOf(child),
  };
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
