// Gives the tests a real Redis: the one in TEST_REDIS_URL, or a server of our own from the PATH, or from Docker, or
// from a package that is installed for it. The first of these that is there is taken.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import databaseProcess from './database-process.cjs';
import { install, mayInstall } from './debian.mjs';
import redisProcess from './redis-process.cjs';

const root = path.resolve(import.meta.dirname, '../..');
const compose = ['compose', '-f', path.join(root, 'docker-compose.test.yml')];
const howToGetRedis =
  'The tests need a Redis: install redis-server or valkey-server, start Docker, or set TEST_REDIS_URL to a Redis whose databases 1 to 15 may be emptied.';

export default async function globalSetup() {
  installPostgres();
  if (process.env['TEST_REDIS_URL']) return say('the one in TEST_REDIS_URL; its databases from 1 on are emptied');
  if (redisProcess.findRedisProgram()) return startFromPath();
  if (dockerWorks()) return startInDocker();
  if (mayInstall()) {
    installRedis();
    return startFromPath();
  }
  throw new Error(howToGetRedis);
}

async function startFromPath() {
  const server = await redisProcess.startRedisProcess({ args: ['--databases', '64'] });
  process.env['TEST_REDIS_URL'] = `redis://127.0.0.1:${server.port}`;
  globalThis.stopTestRedis = server.close;
  say(`${redisProcess.findRedisProgram()} on port ${server.port}`);
}

function dockerWorks() {
  return succeeds('docker', ['compose', 'version']) && succeeds('docker', ['info']);
}

function startInDocker() {
  say('a container; Docker may have to fetch it first');
  run('docker', [...compose, 'up', '--detach', '--wait', 'redis']);
  globalThis.stopTestRedis = () => run('docker', [...compose, 'down', '--volumes']);
  const address = execFileSync('docker', [...compose, 'port', 'redis', '6379'], { encoding: 'utf8' }).trim();
  process.env['TEST_REDIS_URL'] = `redis://${address.replace('0.0.0.0', '127.0.0.1')}`;
}

function installRedis() {
  say('the package redis-server, which is installed first');
  install('redis-server');
}

/** For the tests on it; where it cannot be had, they are skipped, and say so. */
function installPostgres() {
  if (process.env['TEST_POSTGRES_URL'] || databaseProcess.findDatabaseFolder('PostgreSQL') || !mayInstall()) return;
  process.stderr.write('PostgreSQL for the tests: the package postgresql, which is installed first.\n');
  try {
    install('postgresql');
  } catch {
    process.stderr.write('PostgreSQL could not be installed: the tests on it are skipped.\n');
  }
}

/** Runs a command with its progress shown; what it says goes to stderr, as jest's own report does. */
function run(command, args, env = process.env) {
  execFileSync(command, args, { env, cwd: root, stdio: ['ignore', 2, 2] });
}

function succeeds(command, args) {
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

function say(what) {
  process.stderr.write(`Redis for the tests: ${what}.\n`);
}
