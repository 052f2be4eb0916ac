// @ts-check
// Starts a PostgreSQL or MariaDB server of our own: on a free port, empty, leaving nothing on the disk.
// CommonJS, because jest's global set-up (outside jest's module system) and the tests (inside) both load it.
const { execFile, spawn } = require('node:child_process');
const events = require('node:events');
const { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { promisify } = require('node:util');

/** @typedef {'PostgreSQL' | 'MariaDB'} Kind */

/**
 * How to run one kind of server.
 * @typedef {object} Recipe
 * @property {string} server
 * @property {string} initialise The program that makes an empty data folder.
 * @property {string} account Whom the package of the system made for it: neither runs as root.
 * @property {string} ready What it says when it is ready.
 * @property {string} package What to install on Debian.
 * @property {(data: string) => string[]} initialisation
 * @property {(data: string, port: number) => string[]} start
 * @property {(port: number) => string} url
 */

/** @type {Record<Kind, Recipe>} */
const recipes = {
  PostgreSQL: {
    server: 'postgres',
    initialise: 'initdb',
    account: 'postgres',
    ready: 'database system is ready to accept connections',
    package: 'postgresql',
    initialisation: (data) => ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    start: (data, port) => [
      '-D',
      data,
      `--port=${port}`,
      '--listen-addresses=127.0.0.1',
      '--unix-socket-directories=',
      '--max-connections=200',
      '--fsync=off',
      '--full-page-writes=off',
    ],
    url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
  },
  MariaDB: {
    server: 'mariadbd',
    initialise: 'mariadb-install-db',
    account: 'mysql',
    ready: 'ready for connections',
    package: 'mariadb-server',
    initialisation: (data) => [
      '--no-defaults',
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ],
    start: (data, port) => [
      '--no-defaults',
      `--datadir=${data}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${path.join(data, 'socket')}`,
      `--pid-file=${path.join(data, 'pid')}`,
      '--skip-name-resolve',
      '--innodb-flush-log-at-trx-commit=0',
      '--character-set-server=utf8mb4',
      `--init-file=${initFile(data)}`,
    ],
    url: (port) => `mysql://root@127.0.0.1:${port}/test`,
  },
};

const startTimeoutMs = 30_000;
const run = promisify(execFile);

// The server must not outlive us, whatever ends us. This shell reads from a pipe that only we hold open: when the
// pipe closes, on purpose or because our process died, it ends the server. Then it removes the server's folder.
const keeper = `
exec 3<&0
"$@" 3<&- </dev/null 2>&1 &
server=$!
trap '' PIPE # nobody may be left to read what follows
{ read -r _ <&3; kill -QUIT "$server"; sleep 3; kill -KILL "$server"; } >/dev/null 2>&1 &
watcher=$!
wait "$server" 2>/dev/null
kill "$watcher" 2>/dev/null
cd / && rm -rf "$0"
`;

/**
 * Where the programs are; Debian keeps PostgreSQL's off the PATH, a folder for each version.
 * @param {Kind} kind
 * @returns {string | undefined}
 */
function findDatabaseFolder(kind) {
  const { server, initialise } = recipes[kind];
  const versions = '/usr/lib/postgresql';
  const debian = existsSync(versions)
    ? readdirSync(versions)
        .toSorted((one, other) => Number(other) - Number(one))
        .map((version) => path.join(versions, version, 'bin'))
    : [];
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean), '/usr/sbin', ...debian];
  // MariaDB has its two programs in two folders.
  const first = folders.find((folder) => existsSync(path.join(folder, server)));
  return first !== undefined && programIn(first, initialise) !== undefined ? first : undefined;
}

/**
 * @param {string} folder
 * @param {string} program
 */
function programIn(folder, program) {
  return [folder, folder.replace(/sbin$/, 'bin')].map((each) => path.join(each, program)).find(existsSync);
}

/**
 * Starts a server and resolves once it takes connections.
 * @param {Kind} kind
 * @returns {Promise<{url: string, close: () => Promise<void>}>}
 */
async function startDatabase(kind) {
  const recipe = recipes[kind];
  const folder = findDatabaseFolder(kind);
  if (folder === undefined) throw new Error(`There is no ${kind}: install the package ${recipe.package}.`);

  const account = accountFor(recipe);
  const home = mkdtempSync(path.join(os.tmpdir(), 'express-otp-auth-sql-'));
  if (account) chownSync(home, account.uid, account.gid);
  const data = path.join(home, 'data');
  await run(/** @type {string} */ (programIn(folder, recipe.initialise)), recipe.initialisation(data), {
    ...account,
    cwd: home,
  });
  const port = await findFreePort();
  const command = [path.join(folder, recipe.server), ...recipe.start(data, port)];
  const child = spawn('/bin/sh', ['-c', keeper, home, ...command], {
    ...account,
    cwd: home,
    detached: true, // Ctrl+C in a terminal is for jest alone, which then closes the pipe
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => {}); // the keeper has gone already
  const exited = new Promise((resolve) => {
    child.once('close', resolve);
  });
  const close = async () => {
    child.ref();
    child.stdin.end();
    await exited;
  };

  await untilReady(child, kind).catch(async (/** @type {unknown} */ error) => {
    await close();
    throw error;
  });
  // A server that somebody forgot to close must not keep jest waiting: the keeper looks after it.
  child.unref();
  for (const pipe of [child.stdin, child.stdout]) /** @type {net.Socket} */ (pipe).unref();
  return { url: recipe.url(port), close };
}

/**
 * MariaDB has no database of one's own to begin with.
 * @param {string} data
 */
function initFile(data) {
  const file = `${data}.sql`;
  writeFileSync(file, 'CREATE DATABASE test;\n');
  return file;
}

/**
 * Whom the server runs as, where we are root.
 * @param {Recipe} recipe
 */
function accountFor({ account }) {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${account}:`));
  const [, , uid, gid] = (line ?? '').split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

/**
 * @param {import('node:child_process').ChildProcessByStdio<import('node:stream').Writable, import('node:stream').Readable, null>} child
 * @param {Kind} kind
 * @returns {Promise<void>}
 */
function untilReady(child, kind) {
  return new Promise((resolve, reject) => {
    /** @type {string[]} */
    const said = [];
    /** @param {string} why */
    const fail = (why) => reject(new Error(`The ${kind} server ${why}.\n${said.slice(-20).join('\n')}`));
    const timer = setTimeout(() => fail(`was not ready within ${startTimeoutMs} ms`), startTimeoutMs);
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      fail('ended before it was ready');
    });
    // Read to the end, also when nobody listens any more: a full pipe would stop the server.
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes(recipes[kind].ready)) {
        clearTimeout(timer);
        resolve();
      } else if (said.length < 1000) {
        said.push(line);
      }
    });
  });
}

/** @returns {Promise<number>} */
async function findFreePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await events.once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  server.close();
  await events.once(server, 'close');
  return port;
}

module.exports = { findDatabaseFolder, startDatabase };
