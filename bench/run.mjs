// npm run bench: this package beside its peers, in one run.
//   npm run bench -- [--only guard,sign-in] [--rounds 5] [--quick]
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

/** Name → file in scenarios/, and the function of it. */
const SCENARIOS = {
  call: ['call', 'measure'],
  guard: ['guard', 'measureNear'],
  distance: ['guard', 'measureFar'],
  'sign-in': ['sign-in', 'measure'],
  sessions: ['sessions', 'measure'],
  mail: ['mail', 'measure'],
  'start-up': ['start-up', 'measure'],
  scale: ['scale', 'measure'],
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(SCENARIOS).join() },
    rounds: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
  },
});
const chosen = values.only.split(',');
const unknown = chosen.filter((name) => !(name in SCENARIOS));
if (unknown.length > 0) throw new Error(`--only takes some of ${Object.keys(SCENARIOS).join()}, not ${unknown.join()}`);
const rounds = values.quick ? 1 : Number(values.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number from 1');
const size = values.quick
  ? { rounds, seconds: 1, people: 100, mails: 50, sessions: [1000, 10_000], things: [1000], operations: 1000 }
  : {
      rounds,
      seconds: 4,
      people: 2000,
      mails: 500,
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

/** Installs the peers once, and links the package as it is built from this checkout. */
function install() {
  const root = path.dirname(import.meta.dirname);
  if (!existsSync(path.join(import.meta.dirname, 'node_modules/autocannon'))) {
    console.log('Installing the peers ...');
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: import.meta.dirname, stdio: 'inherit' });
  }
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' });
  const link = path.join(import.meta.dirname, 'node_modules/express-otp-auth');
  rmSync(link, { recursive: true, force: true });
  symlinkSync(root, link, 'dir');
}
