import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../..');

/** One of the project's pages for people. */
export interface Page {
  /** Its path from the project's root. */
  file: string;
  text: string;
}

/** What stands between two fences. */
export interface CodeBlock {
  page: string;
  /** The line in the page that its first line is on, from 1. */
  line: number;
  /** What the fence says; empty where it says nothing. */
  language: string;
  code: string;
}

/** A link, or an image, to something in the project. */
export interface RelativeLink {
  /** From the project's root. */
  target: string;
  anchor: string | undefined;
}

/** README.md, the guides in docs/ and what the examples say of themselves, as they are now. */
export function guides(): Page[] {
  const inDocs = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'));
  const examples = readdirSync(path.join(root, 'examples')).map((name) => `examples/${name}/README.md`);
  const files = ['README.md', ...inDocs.map((name) => `docs/${name}`), 'examples/README.md', ...examples];
  return files.filter((file) => existsSync(path.join(root, file))).map(pageAt);
}

export function pageAt(file: string): Page {
  return { file, text: readFileSync(path.join(root, file), 'utf8') };
}

/** @throws Error where a fence is not closed */
export function codeBlocks({ file, text }: Page): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { fence: string; language: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const [, fence, info = ''] = /^ *(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (open === undefined) {
      if (fence) open = { fence, language: info.trim(), line: index + 2, lines: [] };
    } else if (fence?.startsWith(open.fence) && info.trim() === '') {
      blocks.push({ page: file, line: open.line, language: open.language, code: `${open.lines.join('\n')}\n` });
      open = undefined;
    } else open.lines.push(line);
  }
  if (open) throw new Error(`${file}:${open.line}: this block of code is not closed`);
  return blocks;
}

/** A page's links that lead to other files of the project, or to a place in the page itself. */
export function relativeLinks({ file, text }: Page): RelativeLink[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)[^)]*\)/g)]
    .map(([, address = '']) => address)
    .filter((address) => !/^[a-z][a-z\d+.-]*:/i.test(address))
    .map((address) => {
      const [target = '', anchor] = address.split('#');
      return { target: target === '' ? file : path.normalize(path.join(path.dirname(file), target)), anchor };
    });
}

/** The names by which a page's headings are linked to, as GitHub makes them. */
export function anchorsOf({ text }: Page): string[] {
  const seen = new Map<string, number>();
  return [...withoutCode(text, { keepInline: true }).matchAll(/^#{1,6} +(.*?) *$/gm)].map(([, heading = '']) => {
    const name = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(name) ?? 0;
    seen.set(name, times + 1);
    return times === 0 ? name : `${name}-${times}`;
  });
}

function withoutCode(text: string, { keepInline = false } = {}): string {
  const outside = text.replace(/^ *(`{3,}|~{3,})[^\n]*\n.*?^ *\1`* *$/gms, '');
  return keepInline ? outside : outside.replace(/`[^`\n]*`/g, '');
}
