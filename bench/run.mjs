// npm run bench: this package beside its peers, in one run.
//   npm run bench -- [--only guard,sign-in] [--rounds 15] [--quick]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

/** Name → file in scenarios/, and the function of it. */
const SCENARIOS = {
  call: ['call', 'measure'],
  guard: ['guard', 'measureNear'],
  distance: ['guard', 'measureFar'],
  'sign-in': ['sign-in', 'measure'],
  profile: ['profile', 'measure'],
  sessions: ['sessions', 'measure'],
  mail: ['mail', 'measure'],
  'start-up': ['start-up', 'measure'],
  scale: ['scale', 'measure'],
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(SCENARIOS).join() },
    rounds: { type: 'string', default: '15' },
    quick: { type: 'boolean', default: false },
  },
});
const chosen = values.only.split(',');
const unknown = chosen.filter((name) => !(name in SCENARIOS));
if (unknown.length > 0) throw new Error(`--only takes some of ${Object.keys(SCENARIOS).join()}, not ${unknown.join()}`);
const rounds = values.quick ? 1 : Number(values.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number from 1');
// Many short rounds: a machine's speed drifts, and what is compared should be measured soon after one another.
const size = values.quick
  ? { rounds, seconds: 1, people: 50, mails: 20, sessions: [1000, 10_000], things: [1000], operations: 1000 }
  : {
      rounds,
      seconds: 1,
      people: 500,
      mails: 200,
      sessions: [1000, 10_000, 100_000, 1_000_000],
      things: [100_000, 1_000_000],
      operations: 100_000,
    };
const rule = values.quick
  ? 'One quick round, to see that the benchmark works: its figures say nothing.'
  : `${rounds} rounds, all targets in turn within each.`;

install();
const { pinThisProcess } = await import('./process.mjs');
const { report } = await import('./report.mjs');
pinThisProcess();
const results = { sections: [], goals: [] };
for (const [position, name] of chosen.entries()) {
  console.log(`\n== ${name} (${position + 1} of ${chosen.length})`);
  const [file, measure] = SCENARIOS[name];
  const { sections, goals } = await (await import(`./scenarios/${file}.mjs`))[measure](size);
  results.sections.push(...sections);
  results.goals.push(...goals);
  // After each, so that what was measured is there should a later one fail.
  report(results, rule);
}
console.log(`\n${report(results, rule)}\n\nWritten to bench/results/`);
process.exit();

/** Installs the peers once, and the package as this checkout would publish it: beside the peers, with one copy of what they share. */
function install() {
  const npm = (folder, ...args) =>
    execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, encoding: 'utf8' });
  if (!existsSync(path.join(import.meta.dirname, 'node_modules/better-auth'))) {
    console.log('Installing the peers ...');
    npm(import.meta.dirname, 'ci');
  }
  console.log('Packing and installing the package ...');
  const folder = mkdtempSync(path.join(os.tmpdir(), 'express-otp-auth-bench-'));
  const [{ filename }] = JSON.parse(
    npm(path.dirname(import.meta.dirname), 'pack', '--json', '--pack-destination', folder),
  );
  npm(import.meta.dirname, 'install', '--no-save', '--no-package-lock', path.join(folder, filename));
  rmSync(folder, { recursive: true });
}
