import { guides, pageAt } from '../support/markdown.js';

/** `<!-- figures: file, heading -->`, and the table that follows until `<!-- end of figures -->`. */
const BLOCKS = /<!-- figures: (?<file>[^,\n]+), (?<heading>[^\n]+?) -->(?<table>.*?)<!-- end of figures -->/gs;

const quoted = guides().flatMap((page) =>
  [...page.text.matchAll(BLOCKS)].map(({ groups = {} }) => ({
    document: page.file,
    file: groups['file'] as string,
    heading: groups['heading'] as string,
    rows: rowsOf(groups['table'] as string),
  })),
);

/** The cells of each row, without the line below the head. */
function rowsOf(markdown: string): string[] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^[|\s:-]+$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
        .join(' | '),
    );
}

function sectionOf(results: string, heading: string): string | undefined {
  return results.split(/^## /m).find((section) => section.startsWith(`${heading}\n`));
}

describe('figures in documents', () => {
  it('are there', () => {
    expect(quoted.map(({ document }) => document)).toEqual(expect.arrayContaining(['README.md', 'docs/scale.md']));
  });

  it.each(quoted)('$document: "$heading" is as $file has it', ({ file, heading, rows }) => {
    const section = sectionOf(pageAt(file).text, heading);
    expect(section).toBeDefined();
    const measured = rowsOf(section as string);
    expect(rows.length).toBeGreaterThan(1);
    for (const row of rows) expect(measured).toContain(row);
  });

  it('name a machine, a version of Node and a day', () => {
    for (const file of new Set(quoted.map((block) => block.file)))
      expect(pageAt(file).text).toMatch(
        /Measured by `npm run bench` on \d{4}-\d\d-\d\d: .+, Node v\d+\.\d+\.\d+; \d+ cores/,
      );
  });
});
