import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { closeAfterFile } from './closing.js';

/** A program that runs as a process of its own. */
export interface Program {
  /** What it has printed, errors included. */
  said(): string;
  /** The first line printed that matches, once there is one; rejects when the program ends before that. */
  line(pattern: RegExp): Promise<string>;
  /** Sends it a signal; with `terminal`, to what it has started as well. */
  signal(name: NodeJS.Signals): void;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export interface ProgramOptions {
  cwd: string;
  env?: Record<string, string>;
  /** Signals reach its whole process group, as Ctrl-C does. @default false */
  terminal?: boolean;
}

/** Starts a program in the environment of a user who has set nothing but `env`. It is killed after the file's last test. */
export function startProgram(
  command: string,
  args: readonly string[],
  { cwd, env = {}, terminal = false }: ProgramOptions,
): Program {
  const child = spawn(command, args, {
    cwd,
    env: { ...usersEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: terminal,
  });
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      tell();
    });
  }
  let running = true;
  const ended = new Promise<Awaited<Program['ended']>>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      running = false;
      resolve({ code, signal });
      tell();
    });
  });
  const signal = (name: NodeJS.Signals) => {
    if (running && child.pid !== undefined) process.kill(terminal ? -child.pid : child.pid, name);
  };
  closeAfterFile(() => {
    signal('SIGKILL');
    return ended;
  });

  return {
    said: () => lines.join('\n'),
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find((line) => pattern.test(line));
          if (found === undefined && running) return;
          listeners.delete(look);
          if (found === undefined)
            reject(new Error(`${command} ended without ${pattern}. It said:\n${lines.join('\n')}`));
          else resolve(found);
        };
        listeners.add(look);
        look();
      }),
    signal,
    ended,
  };
}

/** Without what jest, npm and the developer's shell would tell the program. */
function usersEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^(NODE_ENV|NODE_OPTIONS|PORT|JEST_.*|TEST_.*|npm_(package|lifecycle)_.*|EXPRESS_OTP_AUTH_.*)$/.test(name),
    ),
  );
}
