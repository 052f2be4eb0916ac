import type { Finding, Level } from './check.js';

/** One check, and what it found. */
export interface CheckResult {
  name: string;
  title: string;
  findings: Finding[];
}

/** How all of it is, and the program's exit status. */
export const STATUSES = { fine: 0, warnings: 1, errors: 2 } as const;

export function statusOf(results: readonly CheckResult[]): keyof typeof STATUSES {
  const levels = new Set(results.flatMap(({ findings }) => findings.map(({ level }) => level)));
  return levels.has('error') ? 'errors' : levels.has('warning') ? 'warnings' : 'fine';
}

/** For other programs. */
export function asJson(results: readonly CheckResult[]): string {
  return `${JSON.stringify({ status: statusOf(results), checks: results }, null, 2)}\n`;
}

const COLOURS: Record<Level, string> = { ok: '32', note: '36', skipped: '90', warning: '33', error: '31' };
const WIDEST = 'skipped'.length;

/** One check, for people. */
export function asText({ title, findings }: CheckResult, colours: boolean): string {
  const coloured = (text: string, colour: string) => (colours ? `\u001b[${colour}m${text}\u001b[0m` : text);
  const lines = findings.flatMap(({ level, message, remedy }) => [
    `  ${coloured(level.padEnd(WIDEST), COLOURS[level])}  ${message}`,
    ...(remedy === undefined ? [] : [`  ${' '.repeat(WIDEST)}  → ${remedy}`]),
  ]);
  return [coloured(title, '1'), ...lines, ''].join('\n').concat('\n');
}

/** The last line, for people. */
export function summary(results: readonly CheckResult[]): string {
  const count = (level: Level) =>
    results.flatMap(({ findings }) => findings).filter((each) => each.level === level).length;
  const [errors, warnings] = [count('error'), count('warning')];
  if (errors + warnings === 0) return 'All is fine.\n';
  const parts = [plural(errors, 'error'), plural(warnings, 'warning')].filter((part) => part !== '');
  return `${parts.join(', ')}.\n`;
}

function plural(count: number, word: string): string {
  return count === 0 ? '' : `${count} ${word}${count === 1 ? '' : 's'}`;
}
