import { readFileSync } from 'node:fs';
import path from 'node:path';
import { VARIABLES } from '../src/config/variables.js';
import { loadSettings } from '../src/config.js';

const readme = readFileSync(path.join(__dirname, '../README.md'), 'utf8');

/** The cells of the table between the two comments, without their code marks. */
function configurationTable(): string[][] {
  const table = /<!-- configuration[^>]*-->(.*)<!-- end of configuration -->/s.exec(readme)?.[1] ?? '';
  return table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, 4)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

describe("the README's table of configuration", () => {
  it('has every variable, in the order of src/config/variables.ts, with its option', () => {
    const rows = configurationTable().map(([variable, option]) => [variable, option]);
    expect(rows).toEqual(VARIABLES.map(([variable, option]) => [variable, option]));
  });

  it.each(configurationTable())('has the default of %s', (_, option = '', shown = '') => {
    const settings: unknown = loadSettings({}, {});
    const value = option.split('.').reduce((group, key) => (group as Record<string, unknown>)[key], settings);
    expect(shown).toBe(
      [value ?? '']
        .flat()
        .map((part) => (typeof part === 'string' ? part : JSON.stringify(part)))
        .join(),
    );
  });
});
