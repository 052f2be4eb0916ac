import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { anchorsOf, guides, pageAt, relativeLinks } from '../support/markdown.js';

const root = path.resolve(__dirname, '../..');
const pages = [...guides(), ...['llms.txt', 'CHANGELOG.md', 'SECURITY.md'].map(pageAt)];
const linkedFrom = (file: string): string[] => relativeLinks(pageAt(file)).map(({ target }) => target);
const inDocs = readdirSync(path.join(root, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);

describe('links', () => {
  it.each(pages)('lead somewhere: $file', (page) => {
    const broken = relativeLinks(page).filter(({ target, anchor }) => {
      if (!existsSync(path.join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(pageAt(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it.each(['README.md', 'llms.txt'])('lead to every guide: %s', (file) => {
    expect(linkedFrom(file)).toEqual(expect.arrayContaining(inDocs));
  });

  it('lead to every example', () => {
    const examples = readdirSync(path.join(root, 'examples'))
      .map((name) => `examples/${name}`)
      .filter((name) => statSync(path.join(root, name)).isDirectory());
    expect(linkedFrom('examples/README.md')).toEqual(expect.arrayContaining(examples));
  });
});

describe('llms.txt', () => {
  it('has the form of llmstxt.org: a title, a summary, then lists of links with a line each', () => {
    const [title, , summary, ...rest] = pageAt('llms.txt').text.split('\n');
    expect(title).toBe('# express-otp-auth');
    expect(summary).toMatch(/^> \S/);
    const [, ...sections] = rest.join('\n').split(/^## .+$/m);
    expect(sections.length).toBeGreaterThan(1);
    for (const section of sections)
      for (const line of section.split('\n').filter(Boolean)) expect(line).toMatch(/^- \[[^\]]+\]\([^)]+\): \S/);
  });
});
