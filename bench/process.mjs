import { spawn, spawnSync } from 'node:child_process';
import os from 'node:os';

const count = os.availableParallelism(); // before this process is pinned to some of them
const canPin = count > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;

/** Servers have the first core to themselves, Redis the second, and what makes the load the rest, or the second too. */
const CORES = { server: '0', store: '1', load: count > 2 ? `2-${count - 1}` : '1' };

/** In the report. */
export const cores = canPin
  ? `${count} cores: servers on core ${CORES.server}, Redis on core ${CORES.store}, load on core ${CORES.load}`
  : `${count} cores, shared by all`;

const running = new Set();
process.once('exit', () => running.forEach((child) => child.kill()));

/** Starts a program on the cores of its part; it ends with this process. */
export function startProgram(program, args, { core, env = {}, stdio = 'ignore' }) {
  const [command, ...rest] = canPin ? ['taskset', '-c', CORES[core], program, ...args] : [program, ...args];
  const child = spawn(command, rest, { stdio, env: { ...process.env, ...env } });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** The same for a script of ours, that is spoken to by messages. */
export function startProcess(file, args, { nodeOptions = [], ...options }) {
  return startProgram(process.execPath, [...nodeOptions, file, ...args], {
    ...options,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

/** Puts this process where the load is made. */
export function pinThisProcess() {
  if (canPin) spawnSync('taskset', ['-a', '-c', '-p', CORES.load, String(process.pid)]);
}
