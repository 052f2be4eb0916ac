import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from '@swc/core';

const root = path.resolve(__dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const page = read('docs/security.md');

/** How many requirements each section of a chapter of OWASP ASVS 5.0.0 has. */
const ASVS: [chapter: string, sections: number[]][] = [
  ['V3', [1, 3, 5, 8, 8, 1, 5]],
  ['V6', [3, 12, 8, 6, 8, 4, 2, 4]],
  ['V7', [3, 4, 2, 5, 3, 2]],
  ['V9', [3, 4]],
  ['V11', [4, 5, 5, 4, 2, 2, 2]],
  ['V16', [1, 5, 4, 3, 4]],
];

interface NamedTest {
  file: string;
  title: string;
}

/** The tests in `[name](../test/name.test.ts) “title”, “another title of that file”`. */
function testsNamedIn(text: string): NamedTest[] {
  return [...text.matchAll(/\]\(\.\.\/(test\/[^)]+)\)((?:,? “[^”]+”)+)/g)].flatMap(([, file = '', titles = '']) =>
    [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({ file, title })),
  );
}

interface Standard {
  name: string;
  rows: { numbers: string[]; status: string; tests: NamedTest[] }[];
  /** What is said not to be about this package. */
  passedOver: string[];
}

const standards: Standard[] = page
  .split(/^### /m)
  .slice(1)
  .map((section) => {
    const [name = '', ...lines] = section.split('\n');
    const [heads = [], , ...rows] = lines.filter((line) => line.startsWith('|')).map(cellsOf);
    const passedOver = /^Not about this package: (.*)$/m.exec(section)?.[1] ?? '';
    return {
      name,
      rows: rows.map((cells) => ({
        numbers: numbersIn((cells[0] ?? '').replace(/\(.*\)/, '')),
        status: cells[heads.indexOf('Status')] ?? '',
        tests: testsNamedIn(cells.at(-1) ?? ''),
      })),
      passedOver: numbersIn(passedOver),
    };
  });

function cellsOf(row: string): string[] {
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** `V6.2.1 to V6.2.3, V6.4.2 (no passwords)` is four of them. */
function numbersIn(text: string): string[] {
  return [...text.matchAll(/(V?[\d.]*\.)(\d+)(?: to V?[\d.]*\.(\d+))?/g)].flatMap(([, section = '', first, last]) =>
    Array.from({ length: Number(last ?? first) - Number(first) + 1 }, (_, index) => section + (Number(first) + index)),
  );
}

function standard(start: string): Standard {
  return standards.find(({ name }) => name.startsWith(start)) ?? { name: '', rows: [], passedOver: [] };
}

/** The titles of a file's tests, each behind those of what is around it. */
function titlesIn(file: string): string[] {
  return titlesUnder(parseSync(read(file), { syntax: 'typescript', target: 'es2022' }).body, []);
}

/** As much of a syntax tree as it takes to find a call, its name and its first argument. */
interface Node {
  type?: string;
  value?: string;
  quasis?: { cooked: string }[];
  callee?: Node;
  object?: Node;
  arguments?: { expression: Node }[];
}

function titlesUnder(node: unknown, around: string[]): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const { type, callee, arguments: given } = node as Node;
  const called = type === 'CallExpression' ? nameOf(callee) : '';
  const title = textOf(given?.[0]?.expression);
  if (title !== undefined && (called === 'it' || called === 'test')) return [[...around, title].join(' › ')];
  const inside = title !== undefined && called.startsWith('describe') ? [...around, title] : around;
  return Object.values(node).flatMap((part) => titlesUnder(part, inside));
}

/** `it` in `it(…)`, `it.each(…)(…)` and the like. */
function nameOf({ type, value, object, callee }: Node = {}): string {
  if (type === 'Identifier') return value ?? '';
  return object === undefined && callee === undefined ? '' : nameOf(object ?? callee);
}

function textOf({ type, value, quasis }: Node = {}): string | undefined {
  if (type === 'TemplateLiteral') return quasis?.map(({ cooked }) => cooked).join('${}');
  return type === 'StringLiteral' ? value : undefined;
}

describe('the tests that docs/security.md names', () => {
  const named = testsNamedIn(page);

  it('are behind every link to a file of tests', () => {
    const links = page.match(/\]\(\.\.\/test\/[^)]+\)/g) ?? [];
    expect(links.length).toBeGreaterThan(100);
    expect(page.match(/\]\(\.\.\/test\/[^)]+\) “/g)).toHaveLength(links.length);
  });

  it.each([...new Set(named.map(({ file }) => file))].toSorted())('are there, in %s', (file) => {
    const titles = titlesIn(file);
    const isThere = ({ title }: NamedTest) => titles.some((full) => full === title || full.endsWith(` › ${title}`));
    expect(named.filter((test) => test.file === file && !isThere(test))).toEqual([]);
  });
});

describe('the standards in docs/security.md', () => {
  it('have a row for each requirement, whose status is one of three', () => {
    const statuses = standards.flatMap(({ rows }) => rows.map(({ status }) => status));
    expect(new Set(statuses)).toEqual(new Set(['met', "the application's", 'not met']));
  });

  it('name a test for each that is met', () => {
    const rows = standards.flatMap(({ name, rows }) => rows.map((row) => ({ name, ...row })));
    expect(rows.filter(({ status, tests }) => status === 'met' && tests.length === 0)).toEqual([]);
  });

  it.each(ASVS)('pass over no requirement of OWASP ASVS 5.0, %s', (chapter, sections) => {
    const { rows, passedOver } = standard(`OWASP ASVS 5.0, ${chapter} `);
    const all = sections.flatMap((count, index) =>
      numbersIn(`${chapter}.${index + 1}.1 to ${chapter}.${index + 1}.${count}`),
    );
    const inRows = new Set(rows.flatMap(({ numbers }) => numbers));
    expect([...inRows, ...passedOver].toSorted()).toEqual(all.toSorted());
  });

  it('pass over no section of RFC 8725 §3', () => {
    const { rows } = standard('RFC 8725');
    expect(new Set(rows.flatMap(({ numbers }) => numbers))).toEqual(new Set(numbersIn('3.1 to 3.12')));
  });

  it.each([
    [
      'RFC 9700',
      '2.1, 2.2.1, 2.2.2, 2.3, 2.4, 2.5, 2.6, 4.2, 4.3, 4.9, 4.10.1, 4.10.2, 4.11, 4.12, 4.13, 4.14.2, 4.16',
    ],
    [
      'NIST SP 800-63B-4',
      '2.1.3, 2.2.3, 3.1.2.1, 3.1.2.2, 3.1.3.1, 3.1.3.2, 3.1.3.3, 3.1.4.1, 3.1.4.2, 3.2.2, 3.2.5, 3.2.7',
    ],
    ['NIST SP 800-63B-4', '3.2.9, 3.2.12, 4.1.2.1, 4.2.1.1, 4.2.3, 4.5, 4.6, 5.1, 5.1.1, 5.1.2, 5.2'],
  ])('hold %s, §%s', (name, sections) => {
    const numbers = standard(name).rows.flatMap((row) => row.numbers);
    expect(numbers).toEqual(expect.arrayContaining(numbersIn(sections)));
  });
});

describe('the cryptography in docs/security.md', () => {
  const sources = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ file: `src/${name}`, text: read(`src/${name}`) }));

  it('names every key that a secret gives', () => {
    const purposes = [...read('src/core/secrets.ts').matchAll(/\b(?:key|derive)\('([\w-]+)'\)/g)].map(
      ([, name]) => name,
    );
    expect(purposes.length).toBeGreaterThan(7);
    for (const purpose of purposes) expect(page).toMatch(new RegExp(`^\\| \`${purpose}\` `, 'm'));
  });

  it('names every file with cryptography in it', () => {
    const files = sources.filter(({ text }) => /(?:from |import\()'(?:node:crypto|jsonwebtoken|otplib)'/.test(text));
    expect(files.length).toBeGreaterThan(10);
    for (const { file } of files) expect(page).toContain(`\`${file}\``);
  });

  it('hashes and encrypts with the algorithms that are named here alone', () => {
    const used = sources.flatMap(({ file, text }) =>
      [...text.matchAll(/\b(?:createHmac|createHash|hkdfSync|createCipheriv|createDecipheriv)\(([^,)]+)/g)].map(
        ([, name = '']) => {
          const algorithm = new RegExp(`const ${name} = (\\S+);`).exec(text)?.[1] ?? name;
          return file === 'src/stores/redis/run-script.ts' ? `${algorithm}, to name scripts` : algorithm;
        },
      ),
    );
    expect(new Set(used)).toEqual(new Set(["'sha256'", "'aes-256-gcm'", "'sha1', to name scripts"]));
  });
});
