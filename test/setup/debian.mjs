// Installs packages of Debian and Ubuntu that tests need, without starting the services in them.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Whether this is Debian or Ubuntu, and we are root. */
export function mayInstall() {
  return (
    process.getuid?.() === 0 &&
    existsSync('/etc/os-release') &&
    /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'))
  );
}

/**
 * Its progress goes to stderr, as jest's own report does.
 * @param {string[]} packages
 */
export function install(...packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (/** @type {string[]} */ ...args) => execFileSync('apt-get', args, { env, stdio: ['ignore', 2, 2] });
  const undo = forbidServices();
  try {
    run('update');
    run('install', '--yes', '--no-install-recommends', ...packages);
  } finally {
    undo();
  }
}

const policy = '/usr/sbin/policy-rc.d';

/** The tests start servers of their own: a package's must not be started, and left running. */
function forbidServices() {
  if (existsSync(policy)) return () => {};
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return () => rmSync(policy, { force: true });
}
