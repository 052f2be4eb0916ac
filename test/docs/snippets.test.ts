import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { VARIABLES } from '../../src/config/variables.js';
import { otpAuth } from '../../src/index.js';
import { closeAfterFile } from '../support/closing.js';
import { projectWithPackage, runInstalled, runNode } from '../support/installed-package.js';
import { type CodeBlock, codeBlocks, guides } from '../support/markdown.js';
import { installSecureStore } from '../support/secure-store.js';
import { shellCommands } from '../support/shell.js';

jest.setTimeout(180_000); // a compiler, on a machine that may be busy

const root = path.resolve(__dirname, '../..');
const pages = guides();
const blocks = pages.flatMap(codeBlocks);
const inLanguage = (...languages: string[]): CodeBlock[] =>
  blocks.filter(({ language }) => languages.includes(language));
const place = ({ page, line }: CodeBlock): string => `${page}:${line}`;

/** Looked at below. */
const OURS = ['ts', 'tsx', 'js', 'json', 'sh', 'html', 'css'];
/** What programs print, and what other programs read: shown for what it looks like. */
const OTHERS = ['text', 'nginx', 'python'];

/** Of an application that has everything switched on. */
const endpoints = (() => {
  const auth = otpAuth({
    redis: 'memory:',
    users: { store: 'memory' },
    totp: 'optional',
    pages: true,
    docs: true,
    jwt: { secret: 'a secret for tests of more than thirty-two bytes' },
  });
  closeAfterFile(() => auth.close());
  const layers = auth.stack as unknown as { route?: { path: string; methods: Record<string, boolean> } }[];
  return layers.flatMap(({ route }) =>
    Object.keys(route?.methods ?? {}).map((method) => `${method.toUpperCase()} /auth${route?.path}`),
  );
})();

let project: string;
beforeAll(() => {
  project = projectWithPackage({ kinds: ['esm', 'cjs'] });
});

describe('the code in the guides', () => {
  it('is in languages that this test knows', () => {
    const unknown = blocks.filter(({ language }) => ![...OURS, ...OTHERS].includes(language));
    expect(unknown.map((block) => `${place(block)} ${block.language}`)).toEqual([]);
    expect(new Set(blocks.map(({ language }) => language)).size).toBeGreaterThan(4);
  });

  it('compiles, where it is TypeScript or JavaScript, with all that `tsc --init` switches on', () => {
    const folder = path.join(project, 'snippets');
    for (const [file, code] of programs(inLanguage('ts', 'tsx', 'js'))) {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      writeFileSync(path.join(folder, file), code);
    }
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['.'] }));
    installSecureStore(project);
    runInstalled('tsc', [], folder);
  });

  it('is what the example has, where it names one of its files', () => {
    const shown = blocks.flatMap(({ code }) => {
      const [, file, rest] = /^\/\/ (examples\/\S+)\n(.*)$/s.exec(code) ?? [];
      return file ? [{ file, code: rest }] : [];
    });
    expect(shown).toEqual(shown.map(({ file }) => ({ file, code: readFileSync(path.join(root, file), 'utf8') })));
  });

  it('is JSON, where it says so', () => {
    for (const block of inLanguage('json')) expect(() => JSON.parse(block.code) as unknown).not.toThrow();
  });

  it('posts forms and links to endpoints that there are', () => {
    for (const { code } of inLanguage('html'))
      for (const [, method = 'get', address] of code.matchAll(
        /<\w+(?: method="(\w+)")? (?:action|href)="(\/auth[^"?]*)/g,
      ))
        expect(endpoints).toContain(`${method.toUpperCase()} ${address}`);
  });

  it('sets custom properties that the pages have', () => {
    const style = readFileSync(path.join(root, 'src/http/pages/style.ts'), 'utf8');
    for (const { code } of inLanguage('css'))
      for (const [, name] of code.matchAll(/^\s*(--[\w-]+):/gm)) expect(style).toContain(`var(${name})`);
  });

  it.each(inLanguage('sh').map((block) => ({ where: place(block), block })))(
    'runs commands that there are: $where',
    ({ block }) => {
      expect(complaints(block)).toEqual([]);
    },
  );
});

describe('the text of the guides', () => {
  it.each(pages)('names variables, scripts and commands that there are: $file', ({ file, text }) => {
    const known = VARIABLES.map(([name]) => `EXPRESS_OTP_AUTH_${name}`);
    const variables = text.match(/\bEXPRESS_OTP_AUTH_[A-Z_]*[A-Z]\b/g) ?? [];
    expect(variables.filter((name) => !known.includes(name))).toEqual([]);
    const commands = [...text.matchAll(/`(np[mx] [^`\n]+)`/g)].flatMap(([, command = '']) => shellCommands(command));
    expect(commands.flatMap((command) => complaint(command, path.join(root, path.dirname(file))) ?? [])).toEqual([]);
  });
});

/** What `tsc --init` of TypeScript 7 has in its file, and what these programs run on. */
const compilerOptions = {
  target: 'esnext',
  module: 'nodenext',
  lib: ['esnext', 'dom', 'dom.iterable'],
  types: ['node', 'jest'],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  noUncheckedSideEffectImports: true,
  moduleDetection: 'force',
  jsx: 'react-jsx',
  skipLibCheck: true,
  allowJs: true,
  checkJs: true,
  noEmit: true,
};

/**
 * Each page's programs as files of one folder, on the lines that they have in the page. One that begins with a comment
 * such as `// app.ts` has that name, so that others can import it. One that imports nothing is a fragment: the
 * application and the router are there already, by the names that they have in all guides.
 */
function programs(snippets: CodeBlock[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const { page, line, language, code } of snippets) {
    const isFragment = !/^import\b|\brequire\(/m.test(code);
    const isCommonJs = /\brequire\(/.test(code);
    const extension = isFragment && language === 'js' ? 'ts' : isCommonJs ? 'cjs' : language;
    const [, named] = /^\/\/ (?:\S*\/)?([\w.-]+)\.(?:ts|tsx|js)\b/.exec(code) ?? [];
    const folder = page.replaceAll('/', '~');
    const free = [named, `line-${line}`].find((name) => name && !files.has(`${folder}/${name}.${extension}`));
    const given = isFragment
      ? "declare const app: import('express').Express; declare const auth: import('express-otp-auth').OtpAuth;"
      : '';
    files.set(`${folder}/${free}.${extension}`, `${given}${'\n'.repeat(line - 1)}${code}`);
  }
  return files;
}

/** What is wrong with a script, line by line. It begins in the project's folder where it goes elsewhere, else beside its page. */
function complaints({ page, code }: CodeBlock): string[] {
  const commands = shellCommands(code);
  let folder = path.join(root, commands.some(({ program }) => program === 'cd') ? '.' : path.dirname(page));
  return commands.flatMap((command) => {
    const wrong = complaint(command, folder);
    if (command.program === 'cd') folder = path.join(folder, command.args[0] ?? '');
    return wrong ?? [];
  });
}

function complaint(
  { program, args: [first = '', ...more] }: { program: string; args: string[] },
  folder: string,
): string | undefined {
  switch (`${program} ${first}`) {
    case 'npm ci':
    case 'npm init':
    case 'npm pkg':
      return undefined;
    case 'npm install':
      return unknownPackages(more);
    case 'npm run':
      return hasScript(folder, more[0]) ? undefined : `no script ${more[0]} in ${folder}`;
    case 'npm start':
    case 'npm test':
      return hasScript(folder, first) ? undefined : `no script ${first} in ${folder}`;
    case 'npx express-otp-auth':
      return wrongCall(more);
    case 'npx expo':
      return more[0] === 'install' && more[1] === 'expo-secure-store' ? undefined : `npx expo ${more.join(' ')}`;
    case 'npx jest':
      return existsSync(path.join(root, more[0] ?? '')) ? undefined : `no test ${more[0]}`;
    case 'npx esbuild':
    case 'npx tsx':
    case 'npx vitest':
      return undefined;
  }
  switch (program) {
    case 'cd':
      return existsSync(path.join(folder, first)) ? undefined : `no folder ${first}`;
    case 'curl':
      return wrongRequest([first, ...more]);
    case 'node':
      return undefined;
    default:
      return `a command that this test does not know: ${program} ${first}`;
  }
}

function hasScript(folder: string, name = ''): boolean {
  const { scripts = {} } = manifestIn(folder);
  return name in scripts;
}

function manifestIn(folder: string): Record<string, Record<string, string> | undefined> {
  const file = [folder, root].map((one) => path.join(one, 'package.json')).find(existsSync)!;
  return JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof manifestIn>;
}

/** Every package that somebody is told to install is one that these tests run with, so that its name is right. */
function unknownPackages(args: string[]): string | undefined {
  const { dependencies, peerDependencies, devDependencies } = manifestIn(root);
  const known = { ...dependencies, ...peerDependencies, ...devDependencies, 'express-otp-auth': '', tsx: '' };
  const unknown = args.filter((arg) => !arg.startsWith('-') && !(arg in known));
  return unknown.length > 0 ? `packages that this test does not know: ${unknown.join(' ')}` : undefined;
}

/** Of the program `express-otp-auth`, by what it says of itself. */
function wrongCall([command = '', ...args]: string[]): string | undefined {
  const help = (...of: string[]) =>
    runNode([path.join(project, 'node_modules/express-otp-auth/dist/esm/cli/main.js'), ...of], project);
  if (!new RegExp(`^  ${command} `, 'm').test(help('--help'))) return `express-otp-auth has no command ${command}`;
  const options = args.filter((arg) => arg.startsWith('--'));
  const usage = options.length > 0 ? help(command, '--help') : '';
  const unknown = options.filter((option) => !usage.includes(`  ${option} `));
  return unknown.length > 0 ? `express-otp-auth ${command} has no ${unknown.join(' ')}` : undefined;
}

function wrongRequest(args: string[]): string | undefined {
  const after = (...names: string[]) => args[args.findIndex((arg) => names.includes(arg)) + 1] ?? '';
  const body = args.includes('-d') ? after('-d') : undefined;
  if (body?.startsWith('{')) JSON.parse(body);
  const method = args.includes('-X') ? after('-X') : body === undefined ? 'GET' : 'POST';
  const address = args.find((arg) => /^(https?:\/\/|localhost)/.test(arg)) ?? '';
  const [, route] = /^[^/]*(?:\/\/[^/]*)?(\/auth\/[^?]*)/.exec(address) ?? [];
  return route === undefined || endpoints.includes(`${method} ${route}`) ? undefined : `no endpoint ${method} ${route}`;
}
