// @ts-check
// Starts a Redis or Valkey server of our own: on a free port, empty, leaving nothing on the disk.
// CommonJS, because jest's global set-up (outside jest's module system) and the tests (inside) both load it.
const { spawn } = require('node:child_process');
const events = require('node:events');
const { existsSync, mkdtempSync } = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { createInterface } = require('node:readline');

/**
 * A server that runs.
 * @typedef {object} RedisProcess
 * @property {number} port
 * @property {number} pid
 * @property {() => boolean} running
 * @property {(name: NodeJS.Signals) => void} signal
 * @property {() => Promise<void>} exited Resolves when the server has ended, by whatever cause.
 * @property {() => Promise<void>} close Ends the server at once.
 */

const programs = ['redis-server', 'valkey-server'];
const startTimeoutMs = 15_000;

// The server must not outlive us, whatever ends us. This shell reads from a pipe that only we hold open: when the
// pipe closes, on purpose or because our process died, it kills the server. Then it removes the server's folder.
const keeper = `
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
trap '' PIPE # nobody may be left to read what follows
echo "pid $server"
{ read -r _ <&3; kill -KILL "$server"; } 2>/dev/null &
watcher=$!
wait "$server" 2>/dev/null
echo "ended"
kill "$watcher" 2>/dev/null
cd / && rm -rf "$0"
`;

/**
 * The path of the first Redis or Valkey server on the PATH.
 * @returns {string | undefined}
 */
function findRedisProgram() {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean);
  return programs.flatMap((program) => folders.map((folder) => path.join(folder, program))).find(existsSync);
}

/**
 * Starts a server and resolves once it takes connections.
 * @param {{args?: readonly string[], port?: number | undefined}} [options] `args` are added to the server's command
 *   line; `port` is for starting a server again where it was.
 * @returns {Promise<RedisProcess>}
 */
async function startRedisProcess({ args = [], port } = {}) {
  const program = findRedisProgram();
  if (!program) throw new Error(`There is no ${programs.join(' or ')} on the PATH: install the package redis-server.`);
  if (port !== undefined) return startOn(program, port, args);

  // Another process may take the port between our finding it free and the server's listening on it.
  for (let attemptsLeft = 4; ; attemptsLeft -= 1) {
    try {
      return await startOn(program, await findFreePort(), args);
    } catch (error) {
      if (attemptsLeft === 0 || !/in use/i.test(String(error))) throw error;
    }
  }
}

/**
 * @param {string} program
 * @param {number} port
 * @param {readonly string[]} args
 * @returns {Promise<RedisProcess>}
 */
async function startOn(program, port, args) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'express-otp-auth-redis-'));
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const child = spawn('/bin/sh', ['-c', keeper, folder, program, ...settings, ...args], {
    detached: true, // Ctrl+C in a terminal is for jest alone, which then closes the pipe
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => {}); // the keeper has gone already
  let running = true;
  /** @type {Promise<void>} */
  const exited = new Promise((resolve) => {
    child.once('close', () => {
      running = false;
      resolve();
    });
  });
  const close = () => {
    child.ref();
    child.stdin.end();
    return exited;
  };

  const pid = await readyPid(child).catch(async (/** @type {unknown} */ error) => {
    await close();
    throw error;
  });
  // A server that somebody forgot to close must not keep jest waiting: the keeper looks after it.
  child.unref();
  for (const pipe of [child.stdin, child.stdout]) /** @type {net.Socket} */ (pipe).unref();

  return {
    port,
    pid,
    running: () => running,
    signal(name) {
      try {
        if (running) process.kill(pid, name);
      } catch (error) {
        // It has just ended, and we have not been told yet.
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
      }
    },
    exited() {
      child.ref();
      return exited;
    },
    close,
  };
}

/**
 * Resolves with the server's process id once it says that it is ready, and rejects with its last words if it never does.
 * @param {import('node:child_process').ChildProcessByStdio<import('node:stream').Writable, import('node:stream').Readable, null>} child
 * @returns {Promise<number>}
 */
function readyPid(child) {
  return new Promise((resolve, reject) => {
    /** @type {string[]} */
    const said = [];
    let pid = 0;
    /** @param {string} why */
    const fail = (why) => reject(new Error(`The Redis server ${why}.\n${said.slice(-20).join('\n')}`));
    const timer = setTimeout(() => fail(`was not ready within ${startTimeoutMs} ms`), startTimeoutMs);
    child.once('error', reject);
    // Read to the end, also when nobody listens any more: a full pipe would stop the server.
    createInterface({ input: child.stdout }).on('line', (line) => {
      pid ||= Number(/^pid (\d+)$/.exec(line)?.[1] ?? 0);
      if (line.includes('Ready to accept connections')) {
        clearTimeout(timer);
        resolve(pid);
      } else if (line === 'ended') {
        clearTimeout(timer);
        fail('ended before it was ready');
      } else if (said.length < 1000) {
        said.push(line);
      }
    });
  });
}

/**
 * A port that is free, and low enough that the cluster bus, 10000 above it, is a port as well.
 * @returns {Promise<number>}
 */
async function findFreePort() {
  for (;;) {
    const server = net.createServer().listen(0, '127.0.0.1');
    await events.once(server, 'listening');
    const { port } = /** @type {net.AddressInfo} */ (server.address());
    server.close();
    await events.once(server, 'close');
    if (port + 10_000 < 65_536) return port;
  }
}

module.exports = { findRedisProgram, startRedisProcess };
