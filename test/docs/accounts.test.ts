import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectWithPackage, runInstalled, runNode } from '../support/installed-package.js';

const page = readFileSync(path.join(__dirname, '../../docs/accounts.md'), 'utf8');
const snippets = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);

jest.setTimeout(120_000); // a compiler, on a machine that may have other things to do

describe('docs/accounts.md', () => {
  it('shows code that compiles, and a test that passes', () => {
    expect(snippets.length).toBeGreaterThan(3);
    const folder = path.join(projectWithPackage({ kinds: ['esm'] }), 'snippets');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    const compilerOptions = { target: 'es2023', module: 'nodenext', strict: true, types: ['node'], skipLibCheck: true };
    writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    for (const [place, code] of snippets.entries()) writeFileSync(path.join(folder, `snippet-${place}.ts`), code);
    runInstalled('tsc', [], folder);

    const suite = snippets.findIndex((code) => code.includes('describeUserStore('));
    const report = runNode(['--test', '--test-reporter=tap', `snippet-${suite}.js`], folder);
    expect(report).toMatch(/^# fail 0$/m);
  });
});
