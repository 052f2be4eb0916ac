import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { rounded } from './figures.mjs';
import { generator } from './load.mjs';
import { plot } from './plot.mjs';
import { cores } from './process.mjs';

const LIMITS =
  'The limit is what the least that does the job reached in the same run: for guards no guard at all, or one that looks the token up in a `Map` and verifies nothing; for sign-ins one written by hand with the same protections; for start-up the packages that nothing works without.';

/** Writes the tables and the plot of one run into `results/`, by Node's major version, and returns the tables. */
export function report({ sections, goals }, rule) {
  const node = process.versions.node.split('.')[0];
  const machine = `${os.cpus()[0].model.trim()}, ${os.type()}, Node ${process.version}; ${cores}; guards under load by ${generator}`;
  const text = [
    `# Results on Node ${node}`,
    `Measured by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${machine}. ${rule}`,
    ...(goals.length > 0
      ? ['## Ratios to reach', LIMITS, table(['', 'at least', 'measured', 'the limit'], goals.map(goalRow))]
      : []),
    ...sections.flatMap((section) => [
      `## ${section.title}`,
      ...(section.note ? [section.note] : []),
      section.kind === 'listed' ? table(section.columns, section.rows) : comparison(section),
    ]),
  ].join('\n\n');

  const folder = path.join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `node-${node}`);
  writeFileSync(`${file}.md`, `${text}\n`);
  writeFileSync(`${file}.svg`, plot(sections.filter(({ plotted }) => plotted)));
  return text;
}

const goalRow = ({ what, atLeast, reached, most: [most, whose] = [] }) => [
  what,
  String(atLeast),
  `${rounded(reached)}${reached < atLeast ? ' (not reached)' : ''}`,
  whose === undefined ? '' : `${rounded(most)}: ${whose}`,
];

function comparison({ unit, of, base, rows }) {
  const value = of === 'least' ? `${unit}, least disturbed round` : `${unit}, median`;
  return table(
    ['', value, `× ${base}`, 'least to greatest of a round'],
    rows.map(({ name, value, ratio, spread }) => [
      name,
      rounded(value),
      rounded(ratio),
      spread.map(rounded).join(' to '),
    ]),
  );
}

function table(columns, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}
